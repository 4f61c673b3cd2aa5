"""Coming in and going out: login, the one-time link, sessions, the password, the language."""

from __future__ import annotations

import re

from aiohttp import web

from hq.accounts import Busy, Session
from hq.desk import DESK
from hq.security import VISIT, Guard
from hq.words import LANGUAGES
from protocols.errors import InputError, LedgerError
from protocols.live.audited import Glass
from protocols.trust.audit import What

BACK_TO = frozenset(
    {"/", "/patients", "/devices", "/audit", "/account", "/login"}
    | {"/organisations", "/members", "/quarantine", "/releases", "/counts", "/reviews"}
    | {"/stock", "/logistics", "/vaccination"}
)
"""Where a reader may be sent back to; anything else becomes the picture."""

_LINK = re.compile(r"[0-9a-f]{40}")
_SESSION = re.compile(r"[0-9a-f]{64}")
_YEAR_S = 365 * 24 * 3600


class Doors:
    """Handlers of the pages around the login."""

    def __init__(self, guard: Guard, glass: Glass) -> None:
        self._guard = guard
        self._glass = glass

    def routes(self) -> list[web.AbstractRouteDef]:
        """Return the routes, each with its name."""
        return [
            web.get("/login", self.login_page, name="login"),
            web.post("/login", self.login, name="login"),
            web.get("/first/{token}", self.first_page, name="first"),
            web.post("/first/{token}", self.first, name="first"),
            web.post("/language", self.language, name="language"),
            web.post("/logout", self.logout, name="logout"),
            web.post("/alive", self.alive, name="alive"),
            web.get("/account", self.account_page, name="account"),
            web.post("/account/password", self.password, name="password"),
            web.post("/account/end", self.end, name="end"),
        ]

    async def login_page(self, request: web.Request) -> web.StreamResponse:
        """Show the login form, or go on when already logged in."""
        if request[VISIT].session:
            raise web.HTTPSeeOther("/")
        return await self._login_page(request, "login.ended" if "ended" in request.query else "")

    async def login(self, request: web.Request) -> web.StreamResponse:
        """Check name and password; on success the browser gets a new token."""
        desk, form = request.app[DESK], await _form(request)
        try:
            token = await desk.accounts.login(form["name"], form["password"], desk.now())
        except Busy:
            return await self._login_page(request, "login.busy", status=503)
        # Of a name nobody has nothing is kept: it may be a password in the wrong field.
        account = await desk.accounts.known(form["name"])
        if token is None:
            await desk.witness.note(What.FAILED_LOGIN, account=account)
            return await self._login_page(request, "login.refused", status=403)
        await desk.witness.note(What.LOGIN, account=account)
        return self._enter(token)

    async def first_page(self, request: web.Request) -> web.StreamResponse:
        """Show the form behind a one-time link; only sending it uses the link up."""
        desk = request.app[DESK]
        waits = await desk.accounts.link_waits(_token(request), desk.now())
        return desk.page(request, "first.html", open=waits, status=200 if waits else 410)

    async def first(self, request: web.Request) -> web.StreamResponse:
        """Make the account and log in."""
        desk, form = request.app[DESK], await _form(request)
        try:
            _check_repeated(form)
            token = await desk.accounts.create(
                _token(request), form["name"], form["password"], desk.now()
            )
        except InputError as wrong:
            if wrong.code == "link_used":
                return desk.page(request, "first.html", open=False, status=410)
            return desk.page(
                request, "first.html", open=True, wrong=wrong.code, name=form["name"], status=422
            )
        account = await desk.accounts.known(form["name"])
        try:
            await desk.witness.write(What.ACCOUNT_ADDED, account=account)
        except LedgerError:
            # Nobody reads here who is not in the trail; the link is used up, another is one call.
            await desk.accounts.remove(account)
            return desk.page(
                request,
                "first.html",
                open=True,
                wrong="account_not_written",
                name=account,
                status=503,
            )
        await desk.witness.note(What.LOGIN, account=account)
        return self._enter(token)

    async def language(self, request: web.Request) -> web.StreamResponse:
        """Remember the reader's language."""
        form = await _form(request)
        back = form["back"] if form["back"] in BACK_TO else "/"
        response = web.Response(status=303, headers={"Location": back})
        if form["lang"] in LANGUAGES:
            response.set_cookie(
                "lang",
                form["lang"],
                path="/",
                max_age=_YEAR_S,
                secure=self._guard.https,
                httponly=True,
                samesite="Strict",
            )
        return response

    async def logout(self, request: web.Request) -> web.StreamResponse:
        """End the session here and in the book."""
        desk, mine = request.app[DESK], _session(request)
        await desk.accounts.end(mine)
        self._glass.close(mine.id)
        await desk.witness.note(What.LOGOUT, account=mine.name)
        response = web.Response(status=303, headers={"Location": "/login?ended"})
        response.del_cookie(self._guard.cookie, path="/", secure=self._guard.https)
        return response

    async def alive(self, request: web.Request) -> web.StreamResponse:
        """A person touched the page; the guard has noted it."""
        _session(request)
        return web.Response(status=204)

    async def account_page(self, request: web.Request) -> web.StreamResponse:
        """Show where the account is logged in."""
        return await self._account_page(request)

    async def password(self, request: web.Request) -> web.StreamResponse:
        """Change the password; all other sessions end."""
        desk, form = request.app[DESK], await _form(request)
        try:
            _check_repeated(form)
            await desk.accounts.change_password(
                _session(request), form["old"], form["password"], desk.now()
            )
        except InputError as wrong:
            if wrong.code == "wrong_password":
                await desk.witness.note(What.FAILED_LOGIN, account=_session(request).name)
            return await self._account_page(request, wrong=wrong.code, status=422)
        await desk.witness.note(What.PASSPHRASE_CHANGED, account=_session(request).name)
        return await self._account_page(request, changed=True)

    async def end(self, request: web.Request) -> web.StreamResponse:
        """End one other session of the account, or all others."""
        desk, form, mine = request.app[DESK], await _form(request), _session(request)
        if form["session"] == "others":
            await desk.accounts.end_others(mine)
        elif _SESSION.fullmatch(form["session"]):
            await desk.accounts.end_id(form["session"], mine.name)
        raise web.HTTPSeeOther("/account")

    def _enter(self, token: str) -> web.Response:
        response = web.Response(status=303, headers={"Location": "/"})
        self._guard.give(response, token)
        return response

    async def _login_page(
        self, request: web.Request, message: str, status: int = 200
    ) -> web.StreamResponse:
        desk = request.app[DESK]
        if not message and not await desk.accounts.exist():
            message = "login.nobody"
        return desk.page(request, "login.html", message=message, status=status)

    async def _account_page(
        self, request: web.Request, *, wrong: str = "", changed: bool = False, status: int = 200
    ) -> web.StreamResponse:
        desk, mine = request.app[DESK], _session(request)
        sessions = await desk.accounts.sessions(mine.name, desk.now())
        return desk.page(
            request,
            "account.html",
            mine=mine,
            sessions=sessions,
            wrong=wrong,
            changed=changed,
            status=status,
        )


class _Form(dict[str, str]):
    """A form's text fields; a missing one is empty."""

    def __missing__(self, key: str) -> str:
        return ""


async def _form(request: web.Request) -> _Form:
    return _Form({k: v for k, v in (await request.post()).items() if isinstance(v, str)})


def _session(request: web.Request) -> Session:
    session = request[VISIT].session
    if session is None:
        raise web.HTTPForbidden
    return session


def _token(request: web.Request) -> str:
    token = request.match_info["token"]
    return token if _LINK.fullmatch(token) else ""


def _check_repeated(form: _Form) -> None:
    if form["password"] != form["again"]:
        raise InputError("password_differs", field="again")
