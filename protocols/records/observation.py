"""What was measured or seen: one value of one code, never overwritten."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import Annotated, ClassVar

import msgspec

from protocols.errors import InputError
from protocols.feeds.lane import Lane
from protocols.guidelines.decimals import SCALE_MAX, Decimal, read_decimal
from protocols.guidelines.observations import Observation, judge, observations
from protocols.ids import FactRef, PatientId
from protocols.records import attributes as names
from protocols.records import beside as besides
from protocols.records.acceptance import acceptances, of_device
from protocols.records.attributes import AGE, BIRTH_DATE, Age
from protocols.records.beside import Beside
from protocols.records.display import clean_text
from protocols.records.encounter import to_encounter
from protocols.records.history import History, Ref
from protocols.records.kinds import KindNo
from protocols.records.planning import Command, Desk, refs, tidy
from protocols.records.shape import (
    Draft,
    Fact,
    Kind,
    NewFact,
    Plan,
    Row,
    Small,
    Source,
    Statement,
    SubjectKind,
    View,
)
from protocols.records.spelling import FactText, one_of, row_in

# fields


class ObservationRecord(Statement, frozen=True):
    """One observation. Exactly one of `mantissa`, `choice` and `absent` is meant."""

    code: Small = 0
    """Number in the observations pack."""
    mantissa: int | None = None
    scale: Small = 0
    """The value is mantissa / 10**scale, as typed."""
    unit: Small = 0
    """Position in the units of the observation."""
    choice: Small | None = None
    """Position in its choices."""
    absent: Small = 0
    """Position in `ABSENT`; 0 there is a value."""
    text: str = ""
    """A remark of a few words: cuff on the leg."""
    claimed: str = ""
    """What a device said about whose it is, while that is not certain."""
    beside: Beside | None = None
    """Of which vaccination session it is, beside the vaccines; None of none."""

    def __post_init__(self) -> None:
        """Refuse numbers that no typed value has."""
        if not 0 <= self.scale <= SCALE_MAX or not -(10**9) < (self.mantissa or 0) < 10**9:
            raise ValueError("value")


class ResultAssign(Statement, frozen=True):
    """A device's result is this patient's, or nobody's after all."""

    patient: bytes = b""
    """Empty: taken back, unassigned again."""
    encounter: bytes | None = None


ABSENT = ("", "not-measured", "unrecordable", "refused")
"""Why there is no value (SAFETY 6)."""

# commands


class Measured(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One value: `value` with `unit`, or a word of the code's choices, or `absent`."""

    code: Annotated[str, row_in("observation")]
    value: str | None = None
    unit: str | None = None
    absent: Annotated[str, one_of(ABSENT[1:])] | None = None
    text: str | None = None


class ObservationData(Measured, forbid_unknown_fields=True, frozen=True):
    """`data` of observation.record: one value, or several taken together in `set`."""

    code: str = ""
    set: list[Measured] = []
    session: str | None = None
    """Of the vaccination session in which it was measured."""
    intervention: str | None = None
    """Its code in the pack of interventions, such as `muac`."""


class AssignData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`data` of result.assign; the patient is the line's `patient`."""

    result: FactText
    """Id of the observation that waits."""


_DEVICE = Source.DEVICE.name.lower()

SET_MAX = 32
"""Values one line may carry."""
WORDS_KEPT = 4096
"""Values remembered as text, about 200 bytes each: vital signs come again and again."""

# apply


def plan(command: Command, view: View) -> Plan:
    """Values of one patient; a device's result without a certain patient waits, unassigned."""
    desk = Desk(command, view)
    data: ObservationData = command.data
    measured = data.set or [data]
    if data.set and data.code:
        raise InputError("not_taken", field="data.set", kind="data.code")
    if len(measured) > SET_MAX:
        raise InputError("too_many", field="data.set", limit=SET_MAX)
    patient, claimed = _patient(desk)
    age = age_days(desk.history(patient), desk.at_ms()) if patient is not None else None
    prefixes = [f"data.set.{at}" if data.set else "data" for at in range(len(measured))]
    values = [
        read_value(desk, one, age, prefix) for one, prefix in zip(measured, prefixes, strict=True)
    ]
    of = _of_session(desk, patient, data, measured)
    circumstances = desk.circumstances()
    named = desk.named(patient) if patient is not None else ()
    facts = tuple(
        NewFact(
            KindNo.OBSERVATION_RECORD,
            msgspec.structs.replace(
                value,
                circumstances=circumstances,
                supersedes=refs(named),
                claimed=claimed,
                beside=of,
            ),
        )
        for value in values
    )
    if patient is None:
        draft = Draft(Lane.ROUTINE, SubjectKind.UNASSIGNED, None, None, facts)
        return Plan((draft,), (*desk.warnings, "unassigned"))
    return to_encounter(desk, patient, desk.encounter(patient), *facts)


def _of_session(
    desk: Desk, patient: PatientId | None, data: ObservationData, measured: Sequence[Measured]
) -> Beside | None:
    """Return of which session one value is, where the line names one."""
    if patient is None:
        return None
    told = besides.read(desk, patient, data.session, data.intervention, measured=True)
    if told is None:
        return None
    if [one.code for one in measured] != [told.row.measure]:
        raise InputError("bad_value", field="data.code", allowed=(told.row.measure,))
    return told.beside


def plan_assign(command: Command, view: View) -> Plan:
    """A waiting result gets its patient; earlier assignments on screen are superseded."""
    desk = Desk(command, view)
    patient = desk.patient()
    subject, fact = desk.fact(_ref(command.data.result), "data.result")
    history = desk.history(subject)
    if not isinstance(fact.record, ObservationRecord) or not waits(history, fact):
        raise InputError("not_unassigned", field="data.result")
    encounter = desk.encounter(patient)
    record = ResultAssign(
        desk.circumstances(),
        refs(known.ref for known in assignments(history)),
        bytes(patient),
        encounter and bytes(encounter),
    )
    draft = Draft(
        Lane.ROUTINE,
        SubjectKind.UNASSIGNED,
        subject,
        None,
        (NewFact(KindNo.RESULT_ASSIGN, record),),
    )
    return Plan((draft,), tuple(desk.warnings))


def read_value(desk: Desk, one: Measured, age: float | None, where: str) -> ObservationRecord:
    """Return a checked value of any form.

    Raises:
        InputError: naming the field, and the range, units or words that would do.
    """
    if not one.code:
        raise InputError("missing_field", field=f"{where}.code")
    known = observations().named(one.code, f"{where}.code")
    text = tidy(one.text, f"{where}.text", 120) if one.text else ""
    if (one.value is None) == (one.absent is None):
        raise InputError("missing_field", field=f"{where}.value", allowed=("value", "absent"))
    if one.absent is not None:
        reasons = ABSENT[1:] if known.unrecordable else (ABSENT[1], ABSENT[3])
        if one.absent not in reasons:
            raise InputError("bad_value", field=f"{where}.absent", allowed=reasons)
        return ObservationRecord(code=known.number, absent=ABSENT.index(one.absent), text=text)
    assert one.value is not None
    if known.choices:
        if one.value not in known.choices:
            raise InputError("bad_value", field=f"{where}.value", allowed=known.choices)
        return ObservationRecord(
            code=known.number, choice=known.choices.index(one.value), text=text
        )
    return _quantity(desk, known, one, age, where, text)


def age_days(history: History, at_ms: int) -> float | None:
    """Return the patient's age at an instant, as far as it is settled; None when unknown.

    A clock without a battery stands in 1970 and would make a newborn of everybody: an instant
    before the birth says nothing, and nobody is younger than once stated.
    """
    day = at_ms // 86_400_000
    born = {said.value for said in history.now.get((None, BIRTH_DATE), ())} - {None}
    if len(born) == 1:
        first = names.birth_day(born.pop())
        return None if first is None or day < first else float(day - first)
    stated = {said.value for said in history.now.get((None, AGE), ())} - {None}
    if len(stated) == 1:
        age: Age = stated.pop()
        return names.age_days(age) + names.days_since(age.day, day)
    return None


def assignments(history: History) -> list[Fact]:
    """Return the assignments of a waiting result that are current and stand."""
    return [
        fact
        for fact in history.of_kind.get(KindNo.RESULT_ASSIGN, ())
        if fact.standing == 0 and not history.replaced(fact)
    ]


def waits(history: History, fact: Fact) -> bool:
    """Return whether this observation was written without a certain patient."""
    return fact in history.of_kind.get(KindNo.OBSERVATION_RECORD, ()) and not any(
        history.encounter_of.values()
    )


def _patient(desk: Desk) -> tuple[PatientId | None, str]:
    """Return the patient, or what a device claimed when that is not certain (SAFETY 15)."""
    command = desk.command
    if command.source != _DEVICE:
        return desk.patient(), ""
    try:
        found = desk.patient_if_any()
    except InputError as error:
        if error.code not in ("not_found", "ambiguous", "bad_code"):
            raise
        found = None
    claimed = command.patient or command.tag or command.encounter or ""
    return found, tidy(claimed, "patient", 64) if found is None and claimed else ""


def _quantity(
    desk: Desk, known: Observation, one: Measured, age: float | None, where: str, text: str
) -> ObservationRecord:
    units = tuple(unit.ucum for unit in known.units)
    if one.unit is None:
        raise InputError("missing_field", field=f"{where}.unit", allowed=units)
    assert one.value is not None
    unit = observations().unit(known, one.unit, f"{where}.unit")
    value = read_decimal(one.value, f"{where}.value", known.decimals)
    judged = judge(known, value, unit, age, f"{where}.value")
    if value.scale > known.decimals:
        raise InputError("too_precise", field=f"{where}.value", limit=known.decimals)
    if judged.unusual:
        usual = (f"{judged.usual[0]}-{judged.usual[1]} {units[0]}",)
        desk.confirmed("unusual_value", f"{where}.value", allowed=usual)
    return ObservationRecord(
        code=known.number, mantissa=value.mantissa, scale=value.scale, unit=unit, text=text
    )


def _ref(text: str) -> FactRef:
    try:
        return FactRef.parse(text)
    except InputError as error:
        raise error.at("data.result") from None


# rows


class ObservationRow(Row, frozen=True, kw_only=True, gc=False):
    """One observation."""

    TABLE: ClassVar[str] = "observation"
    patient: bytes | None
    """None: a device's result that waits for a patient."""
    encounter: bytes | None
    code: str
    """Name in the pack; `#n` when this software does not know it."""
    value: str = ""
    """A number with a point, or a word of the code's choices."""
    unit: str = ""
    """UCUM."""
    absent: str = ""
    """`not-measured`, `unrecordable` or `refused`."""
    text: str = ""
    source: int = 0
    unassigned: int = 0
    """1 while it waits, or while several patients were named for it."""
    claimed: str = ""
    unaccepted: int = 0
    """1 while a device measured it and nobody has accepted it: it enters no score (SAFETY 15)."""
    accepted: bytes | None = None
    """18-byte references of who accepted it, oldest first."""


def rows(history: History) -> list[ObservationRow]:
    """Return one row for each observation of a patient."""
    accepted = acceptances(history)
    return [
        observation_row(
            history, fact, history.subject, history.encounter_of.get(fact.doc), accepted
        )
        for fact in history.of_kind.get(KindNo.OBSERVATION_RECORD, ())
    ]


def unassigned_rows(history: History) -> list[ObservationRow]:
    """Return the rows of a result that came without a certain patient."""
    owners = {
        (fact.record.patient, fact.record.encounter)
        for fact in assignments(history)
        if isinstance(fact.record, ResultAssign) and fact.record.patient
    }
    patients = {patient for patient, _ in owners}
    owner, encounter = max(owners, key=str) if len(patients) == 1 else (None, None)
    accepted = acceptances(history)
    return [
        observation_row(history, fact, owner, encounter, accepted)
        for fact in history.of_kind.get(KindNo.OBSERVATION_RECORD, ())
    ]


def observation_row(
    history: History,
    fact: Fact,
    patient: bytes | None,
    encounter: bytes | None,
    accepted: Mapping[Ref, Sequence[Fact]],
) -> ObservationRow:
    """Return the row of one observation; `accepted`: who accepted which value."""
    record = fact.record
    assert isinstance(record, ObservationRecord)
    code, value, unit = in_words(record)
    circumstances = record.circumstances
    measured = circumstances is not None and of_device(fact)
    by = accepted.get((fact.prefix, fact.index), ()) if measured else ()
    return ObservationRow(
        entry=fact.entry,
        idx=fact.index,
        kind=fact.kind,
        standing=fact.standing,
        at_ms=fact.at_ms,
        supersedes=history.supersedes(fact) if record.supersedes else None,
        replaced=history.replaced(fact),
        patient=patient,
        encounter=encounter,
        code=code,
        value=value,
        unit=unit,
        absent=_at(ABSENT, record.absent) if record.absent else "",
        text=clean_text(record.text),
        source=circumstances.source if circumstances else 0,
        unassigned=int(patient is None),
        claimed=clean_text(record.claimed),
        unaccepted=int(measured and not by),
        accepted=b"".join([one.prefix + one.index.to_bytes(2) for one in by]) if by else None,
    )


def in_words(record: ObservationRecord) -> tuple[str, str, str]:
    """Return an observation's name, value and unit as text."""
    return _in_words(record.code, record.mantissa, record.scale, record.unit, record.choice)


@lru_cache(WORDS_KEPT)
def _in_words(
    code: int, mantissa: int | None, scale: int, unit: int, choice: int | None
) -> tuple[str, str, str]:
    known = _known(code)
    value = "" if mantissa is None else str(Decimal(mantissa, scale))
    if known is None:
        return f"#{code}", value, ""
    if choice is not None:
        return known.name, _at(known.choices, choice), ""
    if mantissa is None:
        return known.name, "", ""
    return known.name, value, known.units[unit].ucum if 0 <= unit < len(known.units) else "?"


@cache
def _known(number: int) -> Observation | None:
    return observations().numbered(number)


def _at(words: tuple[str, ...], position: int) -> str:
    return words[position] if 0 <= position < len(words) else f"#{position}"


KIND = Kind(
    number=KindNo.OBSERVATION_RECORD,
    name="observation.record",
    value=ObservationRecord,
    data=ObservationData,
    plan=plan,
    example={
        "v": 1,
        "kind": "observation.record",
        "key": "example-9",
        "patient": {"tag": "B12"},
        "source": "device",
        "device": {"make": "Acme", "model": "OX-1", "serial": "0042"},
        "data": {
            "set": [
                {"code": "spo2", "value": "94", "unit": "%"},
                {"code": "heart-rate", "absent": "unrecordable"},
            ]
        },
    },
)
KIND_ASSIGN = Kind(
    number=KindNo.RESULT_ASSIGN,
    name="result.assign",
    value=ResultAssign,
    data=AssignData,
    plan=plan_assign,
    example={
        "v": 1,
        "kind": "result.assign",
        "key": "example-10",
        "patient": {"tag": "B12"},
        "data": {"result": "$unassigned"},
    },
)

# merge note: observations are only ever added. Two people who assign one waiting result to
# different patients apart leave it unassigned until one of them, having seen both, assigns it anew.
