"""Crowd mode: one key a dose, counted under the digit that the session bound.

A tally is a number with a sign, so totals are sums, equal for any order; what was counted too much
is taken back by a negative one with a reason, or by marking the tally as entered in error.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import msgspec

from protocols.records.attributes import Band, Sex
from protocols.records.contested import current
from protocols.records.display import clean_text
from protocols.records.history import History, Ref
from protocols.records.kinds import KindNo
from protocols.records.made import Made
from protocols.records.moment import IMPLAUSIBLE_BEFORE_MS
from protocols.records.references import must_name, packed
from protocols.records.session import Cell, SessionOpen, cells_of, opening_of
from protocols.records.shape import (
    Fact,
    Row,
    Small,
    Statement,
)
from protocols.records.vaccination import TIMED, Span, clock_doubtful
from protocols.records.zones import local_day

# fields

TALLY_MAX = 10_000
"""Doses in one tally, above or below 0; more is a typing error."""

Signed = Annotated[int, msgspec.Meta(ge=-TALLY_MAX, le=TALLY_MAX)]


class TallyAdd(Statement, frozen=True):
    """So many doses more, or fewer, of what a digit stands for."""

    digit: Small = 0
    n: Signed = 1
    vial: Ref | None = None
    """The one they were drawn from."""

    def __post_init__(self) -> None:
        """Refuse what counts nothing."""
        if not self.n:
            raise ValueError("n")
        if self.vial is not None:
            must_name(self.vial)


# commands: see `tallying.py`

# rows


class TallyRow(Row, frozen=True, kw_only=True, gc=False):
    """One tally; totals are sums of `n` over those that stand and are current."""

    TABLE: ClassVar[str] = "tally"
    INDEXED: ClassVar[tuple[str, ...]] = ("session", "vial")
    session: bytes
    digit: int
    n: int
    vaccine: str
    """'' while it is not known here what the digit stands for, and where that is no vaccine."""
    dose: int
    band: int
    sex: int
    day: int | None
    """In the session's zone, days since 1970-01-01; None: no clock that could be right says."""
    vial: bytes | None = None
    reason: str = ""
    doubtful: int = 0
    """1: the clock it was written by could not be right, so it is counted on the session's day."""
    intervention: str = ""
    """What the digit counts that is no dose; '' where it counts doses."""


def rows(history: History) -> list[TallyRow]:
    """Return one row for each tally of a session."""
    facts = history.of_kind.get(KindNo.TALLY_ADD, ())
    if not facts:
        return []
    span = span_of(history)
    cells = {
        digit: msgspec.structs.replace(
            cell,
            vaccine=clean_text(cell.vaccine),
            intervention=clean_text(cell.intervention),
        )
        for digit, cell in cells_of(history).items()
    }
    said: _Said = (history.subject, cells, span)
    # One object as long as it is equal, so that thousands of rows compare it by what it is.
    said = _SAID[history.subject] if _SAID.get(history.subject) == said else said
    if history.subject not in _SAID and len(_SAID) >= SESSIONS_KEPT:
        _SAID.clear()
    _SAID[history.subject] = said
    found = []
    for fact in facts:
        judged = (history.replaced(fact), said)
        row = _MADE.find(fact, judged)
        if row is None:
            cell = cells.get(_of(fact).digit, _UNKNOWN)
            row = _MADE.keep(fact, judged, _row(history, fact, cell, span))
        found.append(row)
    return found


SESSIONS_KEPT = 64
"""Sessions of which it is remembered what all their tallies share."""
_Said = tuple[bytes, dict[int, Cell], Span]
_SAID: dict[bytes, _Said] = {}

_UNKNOWN = Cell(0, "", 0, int(Band.UNKNOWN), int(Sex.UNKNOWN))


def _row(history: History, fact: Fact, cell: Cell, span: Span) -> TallyRow:
    # Thousands of these are made when a session is read, so the plain one is made at once.
    record: Any = fact.record
    stated, at_ms = record.circumstances, fact.at_ms
    doubtful = at_ms < IMPLAUSIBLE_BEFORE_MS if stated is None else clock_doubtful(fact)
    timed = stated is None or stated.at_s is None or stated.precision in TIMED
    return TallyRow(
        entry=fact.entry,
        idx=fact.index,
        kind=fact.kind,
        standing=fact.standing,
        at_ms=at_ms,
        supersedes=history.supersedes(fact) if record.supersedes else None,
        replaced=history.replaced(fact),
        session=history.subject,
        digit=record.digit,
        n=record.n,
        vaccine=cell.vaccine,
        dose=cell.dose,
        band=cell.band,
        sex=cell.sex,
        day=span.day_of(at_ms, doubtful=doubtful) if timed else local_day((), at_ms),
        vial=None if record.vial is None else packed(record.vial),
        reason=clean_text(stated.reason) if stated is not None and stated.reason else "",
        doubtful=int(doubtful),
        intervention=cell.intervention,
    )


_MADE = Made[TallyRow]()


def span_of(history: History) -> Span:
    """Return from when to when a session lasted, as far as clocks that can be right say."""
    opened = opening_of(history)
    record = opened.record if opened is not None else None
    closing = [
        fact.at_ms for fact in current(history, KindNo.SESSION_CLOSE) if not clock_doubtful(fact)
    ]
    known = opened is not None and not clock_doubtful(opened)
    return Span(
        record.offsets if isinstance(record, SessionOpen) else (),
        opened.at_ms if known and opened is not None else None,
        max(closing, default=None),
    )


def own_words(record: TallyAdd) -> list[tuple[str, str]]:
    """Return what a tally says, as (catalogue key, text) pairs."""
    return [("tally", f"{record.digit}: {record.n:+d}")]


def _of(fact: Fact) -> Any:
    assert isinstance(fact.record, TallyAdd)
    return fact.record


# merge note: tallies are only ever added, and totals are sums over those that stand and are
# current, so they are the same wherever the same is held. A correction is a tally below 0, with its
# reason.
