"""Pages about who belongs: organisations, devices and people, what is kept apart, erases, releases.

A seal and its extension take two pages: the second says what will happen before anything does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from urllib.parse import urlencode

from aiohttp import web

from hq.desk import DESK
from hq.security import VISIT
from protocols.errors import FieldmeshError, InputError
from protocols.ledger.sealing import NOTE_CHARS_MAX
from protocols.live.belonging import KeptLine, SealLook
from protocols.trust.audit import ACCOUNT_CHARS_MAX

MEMBERS_PAGE = 100
"""Members on one page."""
OFFSET_MAX = 1_000_000
TEXT_CHARS_MAX = 80
DEVICE_REASONS = ("retired", "lost", "compromised", "cloned", "role_reduced")
PERSON_REASONS = ("retired", "lost", "compromised", "role_reduced", "licence_ended")
REASONS = frozenset(DEVICE_REASONS + PERSON_REASONS)
SAID = frozenset(
    {"may_not_seal", "unknown_member", "unknown_seal", "note_too_long", "kept_more", "bad_value"}
)
"""Refusals that a page has a sentence for; any other is `not_done`."""

_ID = re.compile(r"[a-z]{3}_[0-9A-Za-z-]{1,80}")


@dataclass(frozen=True, slots=True)
class Decision:
    """What a form says of a seal."""

    member: str
    reason: str
    since: str
    """As typed."""
    since_ms: int | None
    roles: tuple[str, ...]
    note: str
    wrong: str = ""
    """Key of the sentence that says what is missing; '' when all is there."""


class Belonging:
    """Handlers of the pages and of what is decided on them."""

    def routes(self) -> list[web.AbstractRouteDef]:
        """Return the routes, each with its name."""
        return [
            web.get("/organisations", self.organisations, name="organisations"),
            web.get("/members", self.members, name="members"),
            web.get("/members/seal", self.seal_page, name="seal"),
            web.post("/members/seal", self.seal_look, name="seal"),
            web.post("/members/seal/do", self.seal, name="seal_do"),
            web.get("/quarantine", self.quarantine, name="quarantine"),
            web.get("/quarantine/extend", self.extend_page, name="extend"),
            web.post("/quarantine/extend", self.extend, name="extend"),
            web.get("/releases", self.releases, name="releases"),
        ]

    async def organisations(self, request: web.Request) -> web.StreamResponse:
        """Organisations, who decides, scopes and where data may go, each with its age."""
        desk = request.app[DESK]
        known = await desk.registry.belonging()
        return desk.page(request, "organisations.html", known=known)

    async def members(self, request: web.Request) -> web.StreamResponse:
        """Devices and people; a button where HQ's node may seal, else whom to ask."""
        desk = request.app[DESK]
        text = request.query.get("text", "")[:TEXT_CHARS_MAX]
        offset, done = _offset(request.query.get("offset", "")), request.query.get("done", "")
        page = await desk.registry.roster(offset, MEMBERS_PAGE, text)
        more = bool(page.lines) and offset + len(page.lines) < page.total
        return desk.page(
            request,
            "members.html",
            page=page,
            known=await desk.registry.belonging(),
            text=text,
            done=done if done in REASONS else "",
            newer=_url(text, max(0, offset - MEMBERS_PAGE)) if offset else "",
            older=_url(text, offset + MEMBERS_PAGE) if more else "",
        )

    async def seal_page(self, request: web.Request) -> web.StreamResponse:
        """Ask why, since when and what stays."""
        member = request.query.get("member", "")
        look = await _look(request, member, None)
        return _form(request, look, Decision(member, "", "", None, (), ""))

    async def seal_look(self, request: web.Request) -> web.StreamResponse:
        """Say what will happen; nothing has happened yet."""
        desk = request.app[DESK]
        decided = _decision(await fields_of(request), desk.zone, desk.now())
        look = await _look(request, decided.member, decided.since_ms)
        if decided.wrong or look.member.why_not:
            return _form(request, look, decided, wrong=decided.wrong or "may_not_seal", status=422)
        return desk.page(request, "seal_sure.html", look=look, decided=decided)

    async def seal(self, request: web.Request) -> web.StreamResponse:
        """Seal, as the page before said."""
        desk = request.app[DESK]
        decided = _decision(await fields_of(request), desk.zone, desk.now())
        look = await _look(request, decided.member, decided.since_ms)
        wrong = decided.wrong
        if not wrong:
            try:
                await desk.registry.seal(
                    decided.member,
                    decided.reason,
                    decided.since_ms,
                    decided.roles,
                    decided.note,
                    account_of(request),
                )
            except FieldmeshError as refused:
                wrong = _said(refused)
        if wrong:
            return _form(request, look, decided, wrong=wrong, status=_status(wrong))
        raise web.HTTPSeeOther(f"/members?done={decided.reason}")

    async def quarantine(self, request: web.Request) -> web.StreamResponse:
        """What is here and does not count, with the reason."""
        desk = request.app[DESK]
        found, done = await desk.registry.apart(), _offset(request.query.get("done", ""))
        return desk.page(request, "quarantine.html", found=found, done=done)

    async def extend_page(self, request: web.Request) -> web.StreamResponse:
        """Say what would count again."""
        kept = await _kept(request, request.query.get("seal", ""))
        return request.app[DESK].page(request, "extend.html", kept=kept, wrong="")

    async def extend(self, request: web.Request) -> web.StreamResponse:
        """Let it count again, if it is what was shown."""
        desk, fields = request.app[DESK], await fields_of(request)
        kept = await _kept(request, fields.get("seal", ""))
        shown = fields.get("entries", "")
        number = int(shown) if shown.isascii() and shown.isdigit() and len(shown) < 10 else -1
        try:
            await desk.registry.unseal(kept[0].seal, number, account_of(request))
        except FieldmeshError as refused:
            wrong = _said(refused)
            status = 409 if wrong == "kept_more" else _status(wrong)
            return desk.page(request, "extend.html", kept=kept, wrong=wrong, status=status)
        raise web.HTTPSeeOther(f"/quarantine?done={number}")

    async def releases(self, request: web.Request) -> web.StreamResponse:
        """Erases with who has confirmed them, legal holds, releases across borders."""
        desk = request.app[DESK]
        return desk.page(
            request,
            "releases.html",
            state=await desk.registry.erases(),
            releases=await desk.registry.releases(),
        )


def _form(
    request: web.Request, look: SealLook, decided: Decision, *, wrong: str = "", status: int = 200
) -> web.Response:
    person = look.member.rank == "person"
    reasons = PERSON_REASONS if person else DEVICE_REASONS
    return request.app[DESK].page(
        request,
        "seal.html",
        look=look,
        decided=decided,
        reasons=[each for each in reasons if look.roles or each != "role_reduced"],
        most=NOTE_CHARS_MAX,
        wrong=wrong,
        status=status,
    )


async def _look(request: web.Request, member: str, since_ms: int | None) -> SealLook:
    if not _ID.fullmatch(member):
        raise web.HTTPNotFound
    try:
        look = await request.app[DESK].registry.seal_look(member, since_ms)
    except InputError:
        raise web.HTTPNotFound from None
    if look.member.id != member:
        # Whose name or part of an id this is, is not whom a page was about.
        raise web.HTTPNotFound
    return look


async def _kept(request: web.Request, seal: str) -> list[KeptLine]:
    """Return what a seal keeps back; not found when it is nothing."""
    found = (await request.app[DESK].registry.apart()).kept if _ID.fullmatch(seal) else ()
    kept = [each for each in found if each.seal == seal]
    if not kept:
        raise web.HTTPNotFound
    return kept


def _decision(fields: Mapping[str, str], zone: tzinfo, now_ms: int) -> Decision:
    since, note = fields.get("since", "")[:32].strip(), fields.get("note", "").strip()
    reason, since_ms, wrong = fields.get("reason", ""), None, ""
    roles = tuple(role for role in fields.get("roles", "").split("\n") if role)
    if since:
        since_ms = _instant(since, zone)
        if since_ms is None or since_ms > now_ms:
            wrong = "no_instant"
    if reason not in REASONS:
        wrong = "reason_needed"
    elif reason == "role_reduced" and not roles:
        wrong = "roles_needed"
    elif len(note) > NOTE_CHARS_MAX:
        wrong = "note_too_long"
    kept = roles if reason == "role_reduced" else ()
    return Decision(fields.get("member", ""), reason, since, since_ms, kept, note, wrong)


def _instant(text: str, zone: tzinfo) -> int | None:
    """Return the instant of a field for day and time; None for what is none."""
    try:
        stated = datetime.fromisoformat(text)
        if stated.tzinfo is not None:
            return None
        return max(int(stated.replace(tzinfo=zone).timestamp() * 1000), 0)
    except (ValueError, OverflowError):
        return None


async def fields_of(request: web.Request) -> dict[str, str]:
    """Return a form's text fields; of several of one name the lines of one text."""
    found: dict[str, str] = {}
    for name, value in (await request.post()).items():
        if isinstance(value, str):
            found[name] = f"{found[name]}\n{value}" if name in found else value
    return found


def account_of(request: web.Request) -> str:
    """Return whose session it is, as the trail takes it."""
    session = request[VISIT].session
    if session is None:
        raise web.HTTPForbidden
    return session.name[:ACCOUNT_CHARS_MAX]


def _said(refused: FieldmeshError) -> str:
    return refused.code if refused.code in SAID else "not_done"


def _status(wrong: str) -> int:
    return 503 if wrong == "not_done" else 422


def _offset(text: str) -> int:
    """Return a number of an address; what is none is 0."""
    known = text.isascii() and text.isdigit() and len(text) <= 7
    return min(int(text), OFFSET_MAX) if known else 0


def _url(text: str, offset: int) -> str:
    fields = {"text": text, "offset": str(offset) if offset else ""}
    return "/members?" + urlencode({name: value for name, value in fields.items() if value})
