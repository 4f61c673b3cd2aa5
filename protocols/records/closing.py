"""The end of a vaccination session, and what is left of each lot in vials that nobody opened."""

from __future__ import annotations

import msgspec

from protocols.errors import InputError
from protocols.feeds.lane import Lane
from protocols.records.contested import current
from protocols.records.display import clean_text
from protocols.records.kinds import KindNo
from protocols.records.movement import ITEM_CHARS_MAX, lot_text
from protocols.records.planning import Command, Desk, refs, tidy
from protocols.records.shape import (
    Draft,
    Kind,
    NewFact,
    Plan,
    Small,
    Statement,
    SubjectKind,
    View,
)
from protocols.records.spelling import SessionText
from protocols.records.vaccination import session_of

# fields


class Left(msgspec.Struct, array_like=True, frozen=True):
    """What is left of one lot when a session closes."""

    item: str = ""
    """Code in the catalogue."""
    lot: str = ""
    doses: Small = 0
    """In vials that were not opened."""


class SessionClose(Statement, frozen=True):
    """The session ends."""

    left: tuple[Left, ...] = ()
    text: str = ""


# commands


class LeftData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One of `data.left`."""

    item: str
    lot: str
    doses: int


class CloseData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`data` of session.close."""

    session: SessionText
    left: list[LeftData] = []
    text: str | None = None


LOTS_MAX = 64
DOSES_LEFT_MAX = 100_000
TEXT_CHARS_MAX = 500

# apply


def plan(command: Command, view: View) -> Plan:
    """The end of a session; one that was closed before is closed anew."""
    desk = Desk(command, view)
    data: CloseData = command.data
    session = session_of(data.session, "data.session")
    history = desk.history(session)
    if not history.of_kind.get(KindNo.SESSION_OPEN):
        raise InputError("not_found", field="data.session")
    before = current(history, KindNo.SESSION_CLOSE)
    if before:
        desk.warn("session_closed_before")
    if len(data.left) > LOTS_MAX:
        raise InputError("too_many", field="data.left", limit=LOTS_MAX)
    record = SessionClose(
        desk.circumstances(),
        refs((*desk.named(session), *(fact.ref for fact in before))),
        tuple(_left(each, at) for at, each in enumerate(data.left)),
        tidy(data.text, "data.text", TEXT_CHARS_MAX) if data.text else "",
    )
    fact = NewFact(KindNo.SESSION_CLOSE, record)
    draft = Draft(Lane.ROUTINE, SubjectKind.SESSION, session, None, (fact,))
    return Plan((draft,), tuple(desk.warnings))


def _left(data: LeftData, at: int) -> Left:
    where = f"data.left.{at}"
    if not 0 <= data.doses <= DOSES_LEFT_MAX:
        allowed = (f"0-{DOSES_LEFT_MAX}",)
        raise InputError("out_of_range", field=f"{where}.doses", allowed=allowed)
    item = tidy(data.item, f"{where}.item", ITEM_CHARS_MAX)
    lot = lot_text(data.lot, f"{where}.lot")
    return Left(item, lot, data.doses)


# rows: the session's one row has its close; see `session.py`.


def own_words(record: SessionClose) -> list[tuple[str, str]]:
    """Return what a close says, as (catalogue key, text) pairs."""
    left = "; ".join(
        f"{clean_text(each.item)} {clean_text(each.lot)} {each.doses}" for each in record.left
    )
    said = [("session_closed", left)]
    return [*said, ("remark", clean_text(record.text))] if record.text else said


KIND = Kind(
    number=KindNo.SESSION_CLOSE,
    name="session.close",
    value=SessionClose,
    data=CloseData,
    plan=plan,
    example={
        "v": 1,
        "kind": "session.close",
        "key": "example-51",
        "data": {
            "session": "$session",
            "left": [{"item": "vaccine-mr-10", "lot": "MR-0172B", "doses": 40}],
        },
    },
)

# merge note: a session is closed by whoever says so. Of two who closed it apart the later one is
# shown and, while they say different things are left, it is unsettled.
