"""What of a node's calls goes into its audit trail, and the calls that list the trail.

An export, a backup and the opening of another team's chart stand in the trail, durably, before
they happen; where they cannot be written down they do not happen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from protocols.errors import InputError
from protocols.ids import DocId, PatientId
from protocols.ledger import audit, reading
from protocols.ledger.audit import INSTANT_MAX, LINES_MAX, Asked, Event, Line, Trail
from protocols.ledger.view import BookView
from protocols.live import answers
from protocols.mesh.effects import Effect, Now
from protocols.mesh.node import Node
from protocols.records.display import clean_text
from protocols.trust.audit import REASON_CHARS_MAX, Detail, What
from protocols.trust.charter import Sensitivity

GLASS_REASONS = ("care", "handover", "tracing")
"""Why a chart of another team is opened, as a terminal offers it; any other words do as well."""
OPENED_MAX = 500
"""Patients that one session has opened with a reason; the oldest asks again."""

SESSIONS_MAX = 1_000
"""Sessions that have opened any."""

Doer = Callable[[Node, Now, Mapping[str, Any]], tuple[object, Sequence[Effect]]]


class AuditLine(msgspec.Struct, frozen=True):
    """One thing done."""

    at_ms: int
    what: str
    """A `What` in lower case, or `#` and its number when it is of later software."""
    device: str
    device_name: str
    org: str
    person: str
    """Id of the person the session names; '' when nobody is identified."""
    person_name: str
    account: str
    patient: str
    document: str
    reason: str
    count: int
    sealed: bool
    """Its detail is not for us to read, or was never written."""
    forked: bool
    """The trail it stands in was written twice."""
    entry: str
    seq: int


class TrailLine(msgspec.Struct, frozen=True):
    """How much of one device's trail is here, for one life of its storage."""

    device: str
    device_name: str
    org: str
    epoch: str
    held: int
    known: int
    forked: bool
    unreadable: int
    whole: bool
    newest_ms: int
    """When the newest entry held of the device says it was written."""


class AuditPage(msgspec.Struct, frozen=True):
    """`audit`: args since_ms, until_ms, what (words), person, device, offset, limit."""

    total: int
    lines: tuple[AuditLine, ...]
    """Newest first."""


class Glass:
    """Whose charts of other teams each session has opened, having said why."""

    def __init__(self) -> None:
        self._opened: dict[object, dict[bytes, None]] = {}

    def opened(self, session: object, patient: PatientId) -> bool:
        """Whether a reason was given in this session."""
        return bytes(patient) in self._opened.get(session, {})

    def open(self, session: object, patient: PatientId) -> None:
        """Note that one was."""
        held = self._opened.setdefault(session, {})
        if len(self._opened) > SESSIONS_MAX:
            # Of a session that nobody closed; whoever still has it is asked again.
            del self._opened[next(iter(self._opened))]
        held[bytes(patient)] = None
        if len(held) > OPENED_MAX:
            del held[next(iter(held))]

    def close(self, session: object) -> None:
        """The session is over; the next one is asked again."""
        self._opened.pop(session, None)


def event(now: Now, what: What, *, session: int = 0, **detail: Any) -> Event:
    """Return what happens now."""
    return Event(what, max(now.wall_ms, 0), Detail(**detail), session)


def _named(node: Node, now: Now, said: str) -> PatientId:
    """Return whom a text names; of an id, whether or not it has a row here."""
    with suppress(InputError):
        return PatientId.parse(said)
    return BookView(node.ledger, now.wall_ms).patient_named(said)


def export(
    node: Node, now: Now, said: str, target: Path, *, session: int = 0
) -> tuple[int, Sequence[Effect]]:
    """Write a patient's documents to a new folder, once the trail says so.

    Args:
        said: The patient's id or short code.

    Raises:
        InputError: `not_found`, `ambiguous`, `target_exists`; nothing was exported then, or
            written down.
        LedgerError: The trail could not be written.
    """
    patient = _named(node, now, said)
    documents = reading.documents(node.ledger, patient)
    if not documents:
        raise InputError("not_found", field="patient")
    if target.exists():
        raise InputError("target_exists", field="to")
    exported = event(
        now, What.EXPORT, session=session, patient=bytes(patient), count=len(documents)
    )
    effects = node.audit([exported], now)
    return answers.write_documents(documents, target), effects


def backed_up(node: Node, now: Now, target: Path, *, session: int = 0) -> Sequence[Effect]:
    """Say that the whole book is about to leave in one new file.

    Raises:
        InputError: `target_exists`.
        LedgerError: The trail could not be written.
    """
    if target.exists():
        raise InputError("target_exists", field="to")
    return node.audit([event(now, What.EXPORT, session=session, reason="backup")], now)


def recovering(node: Node, now: Now, target: Path, *, session: int = 0) -> Sequence[Effect]:
    """Say that a key file for another device is about to be made out of its recovery copy.

    Raises:
        InputError: `target_exists`.
        LedgerError: The trail could not be written.
    """
    if target.exists():
        raise InputError("target_exists", field="to")
    return node.audit([event(now, What.RECOVER, session=session)], now)


def chart(
    node: Node, now: Now, args: Mapping[str, Any], *, opened: Callable[[PatientId], bool]
) -> object:
    """One patient with the timeline; of another team only once a reason was given.

    Raises:
        InputError: `other_team`, with the organisations whose patient it is; `sealed_here`.
    """
    patient = PatientId.parse(_text(args, "patient"))
    if node.ledger.authority.keyring.closed:
        raise InputError("sealed_here")
    if not opened(patient):
        teams = audit.other_team(node.ledger, patient)
        if teams:
            raise InputError("other_team", field="patient", teams=tuple(map(clean_text, teams)))
    offset, limit = _number(args, "offset", 0), _number(args, "limit", answers.CHART_MAX)
    # That module notes what lists show, with `event` above.
    from protocols.live.foreign import marked

    found = answers.chart(node.ledger, str(patient), offset, limit, now.wall_ms)
    return msgspec.structs.replace(found, head=marked(node.ledger, [found.head])[0])


def break_glass(
    node: Node, now: Now, args: Mapping[str, Any], *, session: int = 0
) -> tuple[PatientId, Sequence[Effect]]:
    """Write down why another team's patient is read: args patient, reason.

    Raises:
        InputError: `reason_needed`, `too_long`, `not_found`.
        LedgerError: The trail could not be written.
    """
    patient, reason = PatientId.parse(_text(args, "patient")), _text(args, "reason").strip()
    if not reason:
        raise InputError("reason_needed", field="reason")
    if len(reason) > REASON_CHARS_MAX:
        raise InputError("too_long", field="reason", limit=REASON_CHARS_MAX)
    if reading.patient(node.ledger, patient) is None:
        raise InputError("not_found", field="patient")
    said = event(
        now, What.READ_OUTSIDE_TEAM, session=session, patient=bytes(patient), reason=reason
    )
    return patient, node.audit([said], now)


def rows(
    node: Node, now: Now, args: Mapping[str, Any], *, told: bool, session: int = 0
) -> tuple[dict[str, Any], bool, Sequence[Effect]]:
    """A page of rows for a program, and whether other teams' rows are told of now.

    Args:
        told: This reader's reading of this table stands in the trail already.
    """
    table, since = _text(args, "kind"), _number(args, "since", 0)
    page = answers.rows_page(node.ledger, table, since, _number(args, "limit", answers.ROWS_MAX))
    foreign = 0 if told else _foreign(node, page["rows"])
    if not foreign:
        return page, told, ()
    said = event(
        now, What.READ_OUTSIDE_TEAM, session=session, reason=f"rows {table}", count=foreign
    )
    return page, True, node.note(said, now)


def _foreign(node: Node, rows: Sequence[Mapping[str, Any]]) -> int:
    """How many of these rows identify a patient and were written by another organisation."""
    charter = node.ledger.authority.roster.charter
    identified = {
        str(node.ledger.authority.scope_of(scope.id))
        for scope in (charter.scopes if charter else ())
        if scope.sensitivity != Sensitivity.AGGREGATE
    }
    ours = {str(device) for device in audit.team_devices(node.ledger)}
    return sum(row["scope"] in identified and row["author"] not in ours for row in rows)


def listed(node: Node, now: Now, args: Mapping[str, Any]) -> AuditPage:
    """A page of the trail, newest first; see `AuditPage`.

    Raises:
        InputError: `bad_value` for a word that is nothing audited.
    """
    asked = Asked(
        since_ms=_number(args, "since_ms", 0),
        until_ms=_number(args, "until_ms", INSTANT_MAX),
        what=frozenset(map(_what, _words(args))),
        person=str(args.get("person") or ""),
        device=str(args.get("device") or ""),
    )
    found = list(audit.lines(node.ledger, asked))
    offset, limit = _number(args, "offset", 0), _number(args, "limit", LINES_MAX)
    page = islice(found, offset, offset + min(limit, LINES_MAX))
    return AuditPage(len(found), tuple(map(_line, page)))


def trails(node: Node, now: Now, args: Mapping[str, Any]) -> list[TrailLine]:
    """Every device's trail: how much of it is here, and how old what is known of it is."""
    return [_trail(each) for each in audit.trails(node.ledger)]


READS: dict[str, Callable[[Node, Now, Mapping[str, Any]], object]] = {
    "audit": listed,
    "audit_trails": trails,
}


def what_word(number: int) -> str:
    """Return what was done as programs read it."""
    known = {int(each) for each in What}
    return What(number).name.lower() if number in known else f"#{number}"


def _what(word: object) -> int:
    known = {each.name.lower(): int(each) for each in What}
    name = str(word).lower().replace("-", "_")
    if name not in known:
        raise InputError("bad_value", field="what", allowed=tuple(known))
    return known[name]


def _words(args: Mapping[str, Any]) -> Sequence[object]:
    words = args.get("what") or ()
    if not isinstance(words, list | tuple):
        raise InputError("bad_line", field="args.what")
    return words


def _line(line: Line) -> AuditLine:
    detail = line.detail or Detail(count=0)
    return AuditLine(
        at_ms=line.at_ms,
        what=what_word(line.what),
        device=str(line.device),
        device_name=clean_text(line.device_name),
        org=clean_text(line.org),
        person=str(line.person) if line.person else "",
        person_name=clean_text(line.person_name),
        account=clean_text(detail.account),
        patient=str(PatientId(detail.patient)) if len(detail.patient) == DocId.SIZE else "",
        document=detail.document.hex(),
        reason=clean_text(detail.reason),
        count=detail.count,
        sealed=line.detail is None,
        forked=line.forked,
        entry=line.entry.hex(),
        seq=line.seq,
    )


def _trail(trail: Trail) -> TrailLine:
    return TrailLine(
        device=str(trail.device),
        device_name=clean_text(trail.device_name),
        org=clean_text(trail.org),
        epoch=str(trail.epoch),
        held=trail.held,
        known=trail.known,
        forked=trail.forked,
        unreadable=trail.unreadable,
        whole=trail.whole,
        newest_ms=trail.newest_ms,
    )


def _text(args: Mapping[str, Any], name: str) -> str:
    value = args.get(name)
    if not isinstance(value, str):
        raise InputError("bad_line", field=f"args.{name}")
    return value


def _number(args: Mapping[str, Any], name: str, default: int) -> int:
    value = args.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise InputError("bad_line", field=f"args.{name}")
    return value
