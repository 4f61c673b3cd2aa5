"""What guards every page: headers, the cookie, where a form came from, who is logged in."""

from __future__ import annotations

import hmac
import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from aiohttp import hdrs, web

from hq.accounts import Accounts, Busy, Session, form_token

BODY_BYTES_MAX = 16 * 1024
"""A form of ours is far smaller."""
PUBLIC = frozenset({"login", "first", "language", "static"})
"""Names of the routes that answer without a login."""
QUIET = frozenset({"part", "events"})
"""Names of the routes that a page asks by itself: they never keep a session alive."""
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # `no-referrer` would turn the Origin of our own forms into `null`; this one sends a
    # referrer to nobody but ourselves.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), usb=()",
}
"""On every answer, errors too."""

_SAFE_METHODS = frozenset({hdrs.METH_GET, hdrs.METH_HEAD, hdrs.METH_OPTIONS})
_TOKEN = re.compile(r"[0-9a-f]{64}")
_FORM_TYPES = frozenset({"application/x-www-form-urlencoded", "application/octet-stream"})
_log = logging.getLogger("hq.web")


@dataclass(frozen=True, slots=True)
class Visit:
    """Who sent a request."""

    token: str
    """The browser's own secret: the session's once logged in, else only good for forms."""
    fresh: bool
    """The browser has no cookie yet; the answer brings it."""
    session: Session | None

    @property
    def form(self) -> str:
        """What a form on the answered page must carry."""
        return form_token(self.token)


VISIT: web.RequestKey[Visit] = web.RequestKey("visit", Visit)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Refusal = Callable[[web.Request, int], web.Response]


@dataclass(frozen=True, slots=True)
class Guard:
    """The middleware, with what it needs.

    Args:
        accounts: Knows the sessions.
        now: Wall clock, Unix milliseconds.
        https: The browser reaches us over TLS, so the cookie may insist on it.
        refuse: Makes the page for a status that is not a success.
    """

    accounts: Accounts
    now: Callable[[], int]
    https: bool
    refuse: Refusal

    @property
    def cookie(self) -> str:
        """Name of the cookie; the prefix makes browsers refuse one set by a neighbour."""
        return "__Host-fieldmesh" if self.https else "fieldmesh"

    async def answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer one request, or refuse it."""
        request[VISIT] = Visit(self.accounts.entropy(32).hex(), True, None)
        try:
            request[VISIT] = await self._visit(request)
            response = await self._admit(request, handler)
        except web.HTTPRedirection:
            raise
        except web.HTTPException as refused:
            response = self.refuse(request, refused.status)
        except Busy:
            response = self.refuse(request, 503)
        except ConnectionResetError:
            raise
        except Exception as fault:
            # The message could quote a patient; the type cannot.
            _log.error("page_failed code=%s", type(fault).__name__)
            response = self.refuse(request, 500)
        if request[VISIT].fresh and not response.prepared and self.cookie not in response.cookies:
            self.give(response, request[VISIT].token)
        return response

    def give(self, response: web.StreamResponse, token: str) -> None:
        """Set the cookie; it goes when the browser closes."""
        response.set_cookie(
            self.cookie, token, path="/", secure=self.https, httponly=True, samesite="Strict"
        )

    async def headers(self, request: web.Request, response: web.StreamResponse) -> None:
        """Put the guarding headers on an answer about to be sent."""
        response.headers.update(HEADERS)
        response.headers.setdefault("Cache-Control", "no-store")
        if self.https:
            response.headers["Strict-Transport-Security"] = "max-age=31536000"
        response.headers.popall("Server", None)

    async def _visit(self, request: web.Request) -> Visit:
        token = request.cookies.get(self.cookie, "")
        if not _TOKEN.fullmatch(token):
            return request[VISIT]
        touch = request.match_info.route.name not in QUIET
        return Visit(token, False, await self.accounts.session(token, self.now(), touch=touch))

    async def _admit(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        name = request.match_info.route.name
        if request.headers.get(hdrs.CONTENT_ENCODING):
            raise web.HTTPUnsupportedMediaType
        if request.method not in _SAFE_METHODS:
            await self._check_form(request)
        if name is None or name in PUBLIC or request[VISIT].session:
            return await handler(request)
        if name in QUIET or request.headers.get("HX-Request"):
            return web.Response(status=401, headers={"HX-Redirect": "/login?ended"})
        raise web.HTTPSeeOther("/login")

    async def _check_form(self, request: web.Request) -> None:
        if request.content_type not in _FORM_TYPES:
            raise web.HTTPUnsupportedMediaType
        if not same_origin(request.headers.get(hdrs.ORIGIN), request.host):
            raise web.HTTPForbidden
        given = request.headers.get("X-Form") or (await request.post()).get("form", "")
        wanted = request[VISIT].form
        if not isinstance(given, str) or not _same(given, wanted):
            raise web.HTTPForbidden


def same_origin(origin: str | None, host: str) -> bool:
    """Whether a form came from a page of ours: its Origin names the host that was asked."""
    if origin is None:
        return False
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and parts.netloc.casefold() == host.casefold()


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode())
