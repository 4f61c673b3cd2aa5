"""How warm a cold-chain unit was: temperatures typed, or imported from a logger in runs.

One fact holds up to 512 readings, so that weeks of one every ten minutes are a few kilobytes. What
they come to, episodes beyond a limit, is worked out from a pack (`guidelines/coldchain.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Annotated, ClassVar

import msgspec

from protocols.errors import InputError
from protocols.feeds.lane import Lane
from protocols.guidelines.coldchain import Reading, merged
from protocols.guidelines.decimals import Decimal, read_decimal
from protocols.guidelines.vocabulary import fold
from protocols.ids import DocId, SiteId
from protocols.records.display import clean_text
from protocols.records.history import History
from protocols.records.kinds import KindNo
from protocols.records.loggers import TENTHS_MAX
from protocols.records.planning import Command, Desk, refs, tidy
from protocols.records.shape import (
    Draft,
    Fact,
    Kind,
    NewFact,
    Plan,
    Row,
    Small,
    Statement,
    SubjectKind,
    View,
)
from protocols.records.spelling import NumberText, one_of

RUN_MAX = 512
"""Readings of one fact: three and a half days of one every ten minutes, some 1 kB."""
GAP_MAX = 2**20
"""Minutes between two readings of one fact: two years."""
UNIT_CHARS_MAX = 40
COLDS = ("", "room", "cool", "fridge", "freezer", "ultra")
"""What a unit is to be, by position on the wire; '' = as the pack takes for granted."""

# fields

Number = Annotated[int, msgspec.Meta(ge=-TENTHS_MAX, le=GAP_MAX)]


class ReadingRecord(Statement, frozen=True):
    """Temperatures of one unit, one or a run of them."""

    store: bytes = b""
    """Id of the site that the unit stands in."""
    unit: str = ""
    """As it is called there: `fridge 1`."""
    began_min: Small = 0
    """Minute of the first reading, since 1970-01-01 UTC."""
    run: tuple[Number, ...] = ()
    """Two numbers a reading: minutes since the one before (0 for the first), and tenths of a
    degree Celsius."""
    cold: Small = 0
    """Position in `COLDS`."""

    def __post_init__(self) -> None:
        """Refuse what is no run."""
        gaps, tenths = self.run[::2], self.run[1::2]
        if len(self.store) != SiteId.SIZE or not 0 < len(self.unit) <= UNIT_CHARS_MAX:
            raise ValueError("unit")
        if not gaps or len(gaps) != len(tenths) or len(gaps) > RUN_MAX:
            raise ValueError("run")
        if gaps[0] or min(gaps) < 0 or max(map(abs, tenths)) > TENTHS_MAX:
            raise ValueError("run")


def cold_subject(store: bytes, unit: str) -> DocId:
    """Return the subject of one unit in one store: 16 bytes, the same wherever it is asked."""
    digest = blake2b(store + fold(unit).encode(), digest_size=DocId.SIZE, person=b"fm-cold-1")
    return DocId(digest.digest())


def readings_of(began_min: int, run: Sequence[int]) -> list[Reading]:
    """Return a run as readings with their minutes."""
    found, minute = [], began_min
    for gap, tenths in zip(run[::2], run[1::2], strict=True):
        minute += gap
        found.append(Reading(minute, tenths))
    return found


def runs_of(readings: Sequence[Reading]) -> list[tuple[int, tuple[int, ...]]]:
    """Return readings in as few runs as hold them: (minute of the first, run).

    Args:
        readings: In order of time.
    """
    found: list[tuple[int, list[int]]] = []
    last = 0
    for minute, tenths in readings:
        whole = not found or len(found[-1][1]) >= 2 * RUN_MAX or minute - last > GAP_MAX
        if whole:
            found.append((minute, [0, tenths]))
        else:
            found[-1][1].extend((minute - last, tenths))
        last = minute
    return [(began, tuple(run)) for began, run in found]


# commands


class ReadingData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`data` of reading.record: `celsius` for one that was read, else `began_min` and `run`.

    The line's `store` is the site that the unit stands in; none: where this device works.
    """

    unit: str
    celsius: NumberText | None = None
    """Degrees with at most one decimal."""
    cold: Annotated[str, one_of(COLDS)] | None = None
    """room, cool, fridge, freezer or ultra."""
    began_min: int | None = None
    """Minute of the first reading, since 1970-01-01 UTC."""
    run: tuple[int, ...] = ()
    """As in the record; `fieldnode coldchain import` makes it from a logger's file."""


# apply


def plan(command: Command, view: View) -> Plan:
    """One temperature that somebody read, or a run of a logger."""
    desk = Desk(command, view)
    data: ReadingData = command.data
    store = desk.store_if_any() or view.home_site or desk.store()
    unit = tidy(" ".join(data.unit.split()), "data.unit", UNIT_CHARS_MAX)
    cold = data.cold or ""
    if cold not in COLDS:
        raise InputError("bad_value", field="data.cold", allowed=COLDS[1:])
    subject = cold_subject(bytes(store), unit)
    began, run = _run(desk, data)
    record = _record(desk, subject, (bytes(store), unit, began, run, COLDS.index(cold)))
    new = NewFact(KindNo.READING_RECORD, record)
    draft = Draft(Lane.ROUTINE, SubjectKind.COLD, subject, None, (new,))
    return Plan((draft,), tuple(desk.warnings))


def _record(
    desk: Desk, subject: DocId, said: tuple[bytes, str, int, tuple[int, ...], int]
) -> ReadingRecord:
    named = refs(desk.named(subject))
    try:
        return ReadingRecord(desk.circumstances(), named, *said)
    except ValueError:
        raise InputError("bad_value", field="data.run") from None


def _run(desk: Desk, data: ReadingData) -> tuple[int, tuple[int, ...]]:
    if data.celsius is not None:
        if data.run or data.began_min is not None:
            raise InputError("not_taken", field="data.run", kind="reading.record")
        return desk.at_ms() // 60_000, (0, _tenths(data.celsius))
    if data.began_min is None or not data.run:
        raise InputError("missing_field", field="data.celsius")
    if len(data.run) > 2 * RUN_MAX:
        raise InputError("too_many", field="data.run", limit=RUN_MAX)
    if not 0 < data.began_min < 2**31 or any(
        not -TENTHS_MAX <= number <= GAP_MAX for number in data.run
    ):
        raise InputError("bad_value", field="data.run")
    return data.began_min, data.run


def _tenths(text: str) -> int:
    where = "data.celsius"
    value = read_decimal(text, where, 1)
    if value.scale > 1:
        raise InputError("too_precise", field=where, limit=1)
    if abs(value.exact) > TENTHS_MAX // 10:
        raise InputError("impossible", field=where, allowed=("-100-100 °C",))
    return int(value.exact * 10)


# rows


class ReadingRow(Row, frozen=True, kw_only=True, gc=False):
    """One run of readings."""

    TABLE: ClassVar[str] = "reading"
    INDEXED: ClassVar[tuple[str, ...]] = ("store", "unit_id")
    unit_id: bytes
    """Subject of the unit."""
    store: bytes
    unit: str
    cold: str
    """'' where nobody said."""
    since_ms: int
    until_ms: int
    readings: int
    low_tenths: int
    high_tenths: int
    source: str
    logger: str
    """Make, model and serial number; '' when it was typed."""
    run: bytes
    """Pairs of 8 bytes: minute since 1970, tenths plus 1000; for `readings_in`."""


def readings_in(run: bytes) -> list[Reading]:
    """Return what a row's `run` holds."""
    return [
        Reading(int.from_bytes(run[at : at + 6]), int.from_bytes(run[at + 6 : at + 8]) - TENTHS_MAX)
        for at in range(0, len(run) - 7, 8)
    ]


def rows(history: History) -> list[ReadingRow]:
    """Return one row for each run."""
    return [_row(history, fact) for fact in history.of_kind.get(KindNo.READING_RECORD, ())]


def _row(history: History, fact: Fact) -> ReadingRow:
    record = fact.record
    assert isinstance(record, ReadingRecord)
    found = readings_of(record.began_min, record.run)
    stated = record.circumstances
    source = stated.source if stated else 0
    return ReadingRow(
        entry=fact.entry,
        idx=fact.index,
        kind=fact.kind,
        standing=fact.standing,
        at_ms=found[-1].minute * 60_000,
        supersedes=history.supersedes(fact),
        replaced=history.replaced(fact),
        unit_id=history.subject,
        store=record.store,
        unit=clean_text(record.unit),
        cold=COLDS[record.cold] if record.cold < len(COLDS) else "",
        since_ms=found[0].minute * 60_000,
        until_ms=found[-1].minute * 60_000,
        readings=len(found),
        low_tenths=min(each.tenths for each in found),
        high_tenths=max(each.tenths for each in found),
        source=_SOURCES[source] if source < len(_SOURCES) else "",
        logger=clean_text(" ".join(filter(None, (stated.device if stated else None) or ()))),
        run=b"".join(
            each.minute.to_bytes(6) + (each.tenths + TENTHS_MAX).to_bytes(2)
            for each in merged([found])
        ),
    )


_SOURCES = ("typed", "scanned", "device", "paper", "import")


def celsius(tenths: int) -> str:
    """Return tenths of a degree as degrees, with one decimal only where it is not nought."""
    whole = tenths % 10 == 0
    return str(Decimal(tenths // 10 if whole else tenths, 0 if whole else 1))


def own_words(record: ReadingRecord) -> list[tuple[str, str]]:
    """Return what was read, as (catalogue key, text) pairs."""
    tenths = record.run[1::2]
    low, high = celsius(min(tenths)), celsius(max(tenths))
    said = f"{low} °C" if low == high else f"{low}-{high} °C"
    count = f" x{len(tenths)}" if len(tenths) > 1 else ""
    return [("reading", f"{clean_text(record.unit)} {said}{count}")]


KIND = Kind(
    number=KindNo.READING_RECORD,
    name="reading.record",
    value=ReadingRecord,
    data=ReadingData,
    plan=plan,
    example={
        "v": 1,
        "kind": "reading.record",
        "key": "example-60",
        "store": "$store",
        "data": {"unit": "fridge 1", "celsius": "5.2", "cold": "fridge"},
    },
    stores=True,
)

# merge note: readings of a unit are a set of (minute, tenths), so whatever was imported twice,
# here or apart, counts once, and episodes are the same for any order. Two loggers in one unit
# are both kept, and each has episodes of its own.
