"""What goes in and what comes out, and the balance of it: millilitres, measured or estimated."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, ClassVar, NamedTuple

import msgspec

from protocols.errors import InputError
from protocols.guidelines.decimals import Decimal, read_decimal
from protocols.guidelines.vocabulary import Fluid, name_of, number_of, row_of
from protocols.records.display import clean_text
from protocols.records.encounter import to_encounter
from protocols.records.history import History
from protocols.records.kinds import KindNo
from protocols.records.planning import Command, Desk, refs, tidy
from protocols.records.shape import Fact, Kind, NewFact, Plan, Row, Small, Statement, View
from protocols.records.spelling import NumberText, row_in

# fields


class IntakeRecord(Statement, frozen=True):
    """So much of one thing went in or came out."""

    what: Small = 0
    """Number of a fluid in the vocabulary pack, which says the direction."""
    tenths_ml: Small | None = None
    """Tenths of a millilitre; None when nobody measured or estimated it."""
    times: Small = 0
    """How often, as of stools; 0 when it was not counted."""
    estimated: Small = 0
    """1: not measured."""
    text: str = ""


# commands


class IntakeData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`data` of intake.record: a volume, or how often, or both."""

    what: Annotated[str, row_in("fluid")]
    volume_ml: NumberText | None = None
    times: int | None = None
    estimated: bool = False
    text: str | None = None


TIMES_MAX = 200
TEXT_CHARS_MAX = 120

# apply


def plan(command: Command, view: View) -> Plan:
    """Record what went in or came out, in the open encounter."""
    desk = Desk(command, view)
    data: IntakeData = command.data
    patient = desk.patient()
    what = number_of("fluid", data.what, "data.what")
    fluid = row_of("fluid", what)
    assert isinstance(fluid, Fluid)
    if data.volume_ml is None and data.times is None:
        raise InputError("missing_field", field="data.volume_ml", allowed=("volume_ml", "times"))
    if data.times is not None and not 1 <= data.times <= TIMES_MAX:
        raise InputError("out_of_range", field="data.times", allowed=(f"1-{TIMES_MAX}",))
    volume = None if data.volume_ml is None else _tenths(desk, data.volume_ml, fluid)
    record = IntakeRecord(
        desk.circumstances(),
        refs(desk.named(patient)),
        what,
        volume,
        data.times or 0,
        int(data.estimated),
        tidy(data.text, "data.text", TEXT_CHARS_MAX) if data.text else "",
    )
    new = NewFact(KindNo.INTAKE_RECORD, record)
    return to_encounter(desk, patient, desk.encounter(patient), new)


def _tenths(desk: Desk, text: str, fluid: Fluid) -> int:
    where = "data.volume_ml"
    value = read_decimal(text, where, 1)
    if value.scale > 1:
        raise InputError("too_precise", field=where, limit=1)
    if not 0 < value.exact <= fluid.ml_max:
        raise InputError("impossible", field=where, allowed=(f"0-{fluid.ml_max} mL",))
    if value.exact > fluid.ml_unusual:
        desk.confirmed("unusual_value", where, allowed=(f"0-{fluid.ml_unusual} mL",))
    return int(value.exact * 10)


# rows


class IntakeRow(Row, frozen=True, kw_only=True, gc=False):
    """One thing that went in or came out."""

    TABLE: ClassVar[str] = "intake"
    INDEXED: ClassVar[tuple[str, ...]] = ("patient",)
    patient: bytes
    encounter: bytes | None
    what: str
    """Name in the vocabulary pack; `#n` when this software does not know it."""
    direction: str
    """`in` or `out`; '' when this software does not know what it is."""
    volume_ml: str = ""
    """With a point; '' when it was not measured."""
    tenths_ml: int | None = None
    times: int = 0
    estimated: int = 0
    text: str = ""


class Balance(NamedTuple):
    """What went in and came out in a stretch of time, in tenths of a millilitre."""

    in_tenths: int = 0
    out_tenths: int = 0
    by_what: tuple[tuple[str, int], ...] = ()
    """Sum of each thing, in the order of their names."""
    times: tuple[tuple[str, int], ...] = ()
    """How often, of what was counted."""
    estimated: bool = False
    """Whether any of it is an estimate."""
    unmeasured: int = 0
    """Records without a volume: the balance is without them."""

    @property
    def tenths(self) -> int:
        """In less out."""
        return self.in_tenths - self.out_tenths


def balance(rows: Iterable[IntakeRow], since_ms: int, until_ms: int) -> Balance:
    """Return what went in and came out from one instant to before another.

    Only what stands, is current and of a kind this software knows is counted; rows in any order.
    """
    volumes: dict[str, int] = {}
    times: dict[str, int] = {}
    sums = {"in": 0, "out": 0}
    estimated, unmeasured = False, 0
    for row in rows:
        counts = not row.standing and not row.replaced and row.direction in sums
        if not counts or not since_ms <= row.at_ms < until_ms:
            continue
        if row.times:
            times[row.what] = times.get(row.what, 0) + row.times
        if row.tenths_ml is None:
            unmeasured += 1
            continue
        volumes[row.what] = volumes.get(row.what, 0) + row.tenths_ml
        sums[row.direction] += row.tenths_ml
        estimated = estimated or bool(row.estimated)
    return Balance(
        sums["in"],
        sums["out"],
        tuple(sorted(volumes.items())),
        tuple(sorted(times.items())),
        estimated,
        unmeasured,
    )


def rows(history: History) -> list[IntakeRow]:
    """Return one row for each record."""
    return [_row(history, fact) for fact in history.of_kind.get(KindNo.INTAKE_RECORD, ())]


def _row(history: History, fact: Fact) -> IntakeRow:
    record = fact.record
    assert isinstance(record, IntakeRecord)
    known = row_of("fluid", record.what)
    return IntakeRow(
        entry=fact.entry,
        idx=fact.index,
        kind=fact.kind,
        standing=fact.standing,
        at_ms=fact.at_ms,
        supersedes=history.supersedes(fact),
        replaced=history.replaced(fact),
        patient=history.subject,
        encounter=history.encounter_of.get(fact.doc),
        what=name_of("fluid", record.what),
        direction=known.direction if isinstance(known, Fluid) else "",
        volume_ml="" if record.tenths_ml is None else millilitres(record.tenths_ml),
        tenths_ml=record.tenths_ml,
        times=record.times,
        estimated=min(record.estimated, 1),
        text=clean_text(record.text),
    )


def millilitres(tenths: int) -> str:
    """Return tenths of a millilitre as millilitres, without a nought after the point."""
    whole = tenths % 10 == 0
    return str(Decimal(tenths // 10 if whole else tenths, 0 if whole else 1))


def own_words(record: IntakeRecord) -> list[tuple[str, str]]:
    """Return what went in or came out, as (catalogue key, text) pairs."""
    volume = "" if record.tenths_ml is None else f"{millilitres(record.tenths_ml)} mL"
    about = "~" if record.estimated and volume else ""
    often = f"x{record.times}" if record.times else ""
    parts = (name_of("fluid", record.what), f"{about}{volume}", often)
    said = [("intake", " ".join(part for part in parts if part))]
    return [*said, ("remark", clean_text(record.text))] if record.text else said


KIND = Kind(
    number=KindNo.INTAKE_RECORD,
    name="intake.record",
    value=IntakeRecord,
    data=IntakeData,
    plan=plan,
    example={
        "v": 1,
        "kind": "intake.record",
        "key": "example-21",
        "patient": {"tag": "B12"},
        "data": {"what": "stool", "volume_ml": "300", "times": 2, "estimated": True},
    },
)

# merge note: records are only ever added, and a balance is a sum over those that stand and are
# current, so it is the same wherever the same is held. What was entered twice is taken back once.
