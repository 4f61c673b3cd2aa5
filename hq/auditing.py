"""The audit trail as a page, and the names of other teams' patients: shown to whoever says why."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta, tzinfo
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from hq import queries
from hq.desk import DESK
from hq.queries import Patient
from hq.security import VISIT
from protocols.errors import LedgerError
from protocols.ids import PatientId
from protocols.live.audited import GLASS_REASONS, Glass
from protocols.trust.audit import ACCOUNT_CHARS_MAX, REASON_CHARS_MAX, What

LINES_PAGE = 100
"""Lines of the trail on one page."""
OFFSET_MAX = 1_000_000
NAME_CHARS_MAX = 80
WHATS = {each.name.lower(): each for each in What}

_PATIENT = re.compile(r"[0-9a-f]{32}")


class Auditing:
    """Handlers of `/audit` and `/patients/open`."""

    def __init__(self, glass: Glass) -> None:
        self._glass = glass

    def routes(self) -> list[web.AbstractRouteDef]:
        """Return the routes, each with its name."""
        return [
            web.get("/audit", self.audit_page, name="audit"),
            web.get("/patients/open", self.open_page, name="open"),
            web.post("/patients/open", self.open, name="open"),
        ]

    async def audit_page(self, request: web.Request) -> web.StreamResponse:
        """What was done, newest first, and how whole and how old each device's trail is."""
        desk = request.app[DESK]
        asked = AskedPage(request.query, desk.zone)
        page = await desk.witness.lines(asked.call())
        trails = await desk.witness.trails()
        codes = await queries.codes(desk.book, [PatientId.parse(p) for p in _patients(page.lines)])
        more = asked.offset + len(page.lines) < page.total
        return desk.page(
            request,
            "audit.html",
            asked=asked,
            page=page,
            trails=trails,
            codes={str(PatientId(patient)): code for patient, code in codes.items()},
            whats=list(WHATS),
            newer=asked.url(-LINES_PAGE) if asked.offset else "",
            older=asked.url(LINES_PAGE) if more else "",
        )

    async def open_page(self, request: web.Request) -> web.StreamResponse:
        """Ask why the name of another team's patient is to be shown."""
        patient = _patient(request.query.get("patient", ""))
        return await self._open_page(request, patient)

    async def open(self, request: web.Request) -> web.StreamResponse:
        """Write the reason down, then show the name for as long as the session lasts."""
        desk, form = request.app[DESK], await request.post()
        patient = _patient(str(form.get("patient", "")))
        chosen, words = str(form.get("reason", "")), str(form.get("words", "")).strip()
        reason = words or (chosen if chosen in GLASS_REASONS else "")
        if not reason or len(reason) > REASON_CHARS_MAX:
            wrong = "too_long" if reason else "reason_needed"
            return await self._open_page(request, patient, wrong=wrong, status=422)
        session = request[VISIT].session
        if session is None:
            raise web.HTTPForbidden
        if not await queries.codes(desk.book, [patient]):
            raise web.HTTPNotFound
        try:
            account = session.name[:ACCOUNT_CHARS_MAX]
            await desk.witness.write(
                What.READ_OUTSIDE_TEAM, patient=bytes(patient), reason=reason, account=account
            )
        except LedgerError:
            return await self._open_page(request, patient, wrong="not_written", status=503)
        self._glass.open(session.id, patient)
        raise web.HTTPSeeOther("/patients")

    async def hidden(self, request: web.Request, rows: Sequence[Patient]) -> frozenset[bytes]:
        """Return whose names this session may not see before it says why."""
        desk, session = request.app[DESK], request[VISIT].session
        team = await desk.witness.team()
        writers = await queries.writers_about(desk.book, [row.id for row in rows])
        return frozenset(
            row.id
            for row in rows
            if not (writers.get(row.id, frozenset()) & team)
            and not (session and self._glass.opened(session.id, PatientId(row.id)))
        )

    async def _open_page(
        self, request: web.Request, patient: PatientId, *, wrong: str = "", status: int = 200
    ) -> web.StreamResponse:
        desk = request.app[DESK]
        codes = await queries.codes(desk.book, [patient])
        if not codes:
            raise web.HTTPNotFound
        return desk.page(
            request,
            "open.html",
            patient=patient.hex(),
            code=codes[bytes(patient)],
            reasons=GLASS_REASONS,
            most=REASON_CHARS_MAX,
            wrong=wrong,
            status=status,
        )


class AskedPage:
    """What a reader asked of the trail, as typed; what does not parse asks nothing."""

    def __init__(self, query: Mapping[str, str], zone: tzinfo) -> None:
        self.since, self.until = query.get("since", "")[:10], query.get("until", "")[:10]
        self.what = query.get("what", "") if query.get("what", "") in WHATS else ""
        self.person = query.get("person", "")[:NAME_CHARS_MAX]
        self.device = query.get("device", "")[:NAME_CHARS_MAX]
        offset = query.get("offset", "")
        known = offset.isascii() and offset.isdigit() and len(offset) <= 7
        self.offset = min(int(offset), OFFSET_MAX) if known else 0
        self._zone = zone

    def call(self) -> dict[str, Any]:
        """Return the arguments of the call `audit`."""
        asked: dict[str, Any] = {"person": self.person, "device": self.device}
        asked |= {"what": [self.what] if self.what else [], "limit": LINES_PAGE}
        since, until = self._day(self.since, 0), self._day(self.until, 1)
        asked |= {"since_ms": since} if since is not None else {}
        asked |= {"until_ms": until} if until is not None else {}
        return asked | {"offset": self.offset}

    def url(self, step: int) -> str:
        """Return the address of another page of the same."""
        fields = {
            "since": self.since,
            "until": self.until,
            "what": self.what,
            "person": self.person,
            "device": self.device,
            "offset": str(max(0, self.offset + step)),
        }
        return "/audit?" + urlencode({name: text for name, text in fields.items() if text})

    def _day(self, text: str, later: int) -> int | None:
        """Return where a day begins, or the next one; None for what is no day."""
        try:
            day = date.fromisoformat(text) + timedelta(days=later)
            begins = datetime(day.year, day.month, day.day, tzinfo=self._zone)
            return max(int(begins.timestamp() * 1000), 0)
        except (ValueError, OverflowError):
            return None


def _patients(lines: Sequence[Any]) -> list[str]:
    return sorted({line.patient for line in lines if line.patient})


def _patient(text: str) -> PatientId:
    if not _PATIENT.fullmatch(text):
        raise web.HTTPNotFound
    return PatientId(bytes.fromhex(text))
