"""How urgent somebody is: one small document that stands alone and travels first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, NamedTuple

import msgspec

from protocols.errors import InputError
from protocols.feeds.lane import Lane
from protocols.ids import EncounterId, PatientId
from protocols.records import attributes as names
from protocols.records.attributes import (
    AGE,
    BAND,
    PROBLEM,
    SEX,
    SITE,
    TAGS,
    TRIAGE,
    Age,
    Category,
    Sex,
)
from protocols.records.confirmation import confirmations
from protocols.records.display import clean_text
from protocols.records.history import History, Said
from protocols.records.kinds import KindNo
from protocols.records.person import AgeData, BandText, age_value, band_code
from protocols.records.planning import Command, Desk, refs, tidy
from protocols.records.shape import (
    Draft,
    Kind,
    NewFact,
    Plan,
    Row,
    Small,
    Statement,
    SubjectKind,
    View,
)
from protocols.trust.sessions import NOBODY

# fields


class TriageRecord(Statement, frozen=True):
    """A category, and enough about the person to find them by."""

    category: Small = Category.RED
    """A `Category`."""
    tag: str | None = None
    band: Small | None = None
    """A `Band`."""
    sex: Small | None = None
    """A `Sex`."""
    code_no: Small | None = None
    """Counter of the short code, when this entry founds the patient."""
    algorithm: str = ""
    version: str = ""
    """Of the pack that said so."""
    inputs: dict[str, str | int | None] = msgspec.field(default_factory=dict)
    """The answers the algorithm was given."""
    alerts: tuple[str, ...] = ()
    """Critical findings, as codes of the pack."""
    age: Age | None = None
    problem: str | None = None
    site: bytes | None = None
    """Where the encounter is, when this entry founds it."""
    counted: bytes | None = None
    """The subject it is counted as in the aggregate scope, when this entry founds it."""

    def __post_init__(self) -> None:
        """Refuse digits that are no category: nobody would know how urgent that is."""
        if not 0 <= self.category <= 4:
            raise ValueError("category")

    def asserts(self) -> Sequence[tuple[int, Any]]:
        """Return the category and what it says about the person and the encounter."""
        said: list[tuple[int, Any]] = [(TRIAGE, self.category)]
        if self.tag is not None:
            said.append((TAGS, (self.tag,)))
        for number, value in (
            (BAND, self.band),
            (SEX, self.sex),
            (AGE, self.age),
            (PROBLEM, self.problem),
            (SITE, self.site),
        ):
            if value is not None:
                said.append((number, value))
        return said


# commands


class TriageData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`data` of triage.record."""

    category: Annotated[str, names.word_of(Category)]
    tag: str | None = None
    band: BandText | None = None
    sex: Annotated[str, names.word_of(Sex)] | None = None
    age: AgeData | None = None
    problem: str | None = None
    algorithm: str | None = None
    version: str | None = None
    inputs: dict[str, str | int | bool | None] = {}
    alerts: list[str] = []


INPUTS_MAX = 64
ALERTS_MAX = 16
WORD_CHARS_MAX = 64

CAUTION = (Category.RED, Category.YELLOW, Category.GREEN, Category.EXPECTANT, Category.DEAD)
"""Which category is used while several stand, the first of these that does (SAFETY 11)."""

RANK = {int(category): rank for rank, category in enumerate(CAUTION)}
REASSESS = (Category.DEAD, Category.EXPECTANT)

# apply


def plan(command: Command, view: View) -> Plan:
    """A category for a patient; founds the patient, and the encounter, when there is none yet."""
    desk = Desk(command, view)
    data: TriageData = command.data
    patient = _patient(desk)
    encounter = desk.encounter(patient) if patient is not None else None
    tag = data.tag if data.tag is not None else command.tag
    tag = tidy(tag, "data.tag", WORD_CHARS_MAX) if tag is not None else None
    if tag is not None:
        tag = _new_tag(desk, tag, patient)
    record = TriageRecord(
        category=names.code(Category, data.category, "data.category"),
        tag=tag,
        band=None if data.band is None else band_code(data.band, "data.band"),
        sex=None if data.sex is None else names.code(Sex, data.sex, "data.sex"),
        code_no=view.next_code_no() if patient is None else None,
        algorithm=_word(data.algorithm, "data.algorithm"),
        version=_word(data.version, "data.version"),
        inputs=_inputs(data.inputs),
        alerts=_alerts(data.alerts),
        age=None if data.age is None else age_value(desk, data.age),
        problem=None if data.problem is None else tidy(data.problem, "data.problem", 300),
        site=_home(view) if encounter is None else None,
        counted=view.fresh_subject() if encounter is None else None,
    )
    seen = () if patient is None else _seen(desk, patient, encounter, record)
    record = msgspec.structs.replace(
        record, circumstances=desk.circumstances(), supersedes=refs(seen)
    )
    draft = Draft(
        Lane.URGENT,
        SubjectKind.PATIENT,
        patient,
        encounter,
        (NewFact(KindNo.TRIAGE_RECORD, record),),
        founds_encounter=encounter is None,
    )
    return Plan((draft,), tuple(desk.warnings), record.code_no)


def _home(view: View) -> bytes | None:
    """Return where this device works, as it is stored."""
    return None if view.home_site is None else bytes(view.home_site)


def _patient(desk: Desk) -> PatientId | None:
    """A tag that nobody carries yet is a new casualty."""
    tag = desk.command.tag
    if tag is not None and desk.command.encounter is None:
        carriers = desk.view.patients_tagged(tidy(tag, "patient.tag", WORD_CHARS_MAX))
        if not carriers:
            return None
    return desk.patient_if_any()


def _new_tag(desk: Desk, tag: str, patient: PatientId | None) -> str | None:
    """Return the tag when it is news; one that somebody else carries needs a second look."""
    carriers = list(desk.view.patients_tagged(tag))
    if patient is not None and patient in carriers:
        return None
    if carriers:
        desk.confirmed("tag_in_use", "data.tag", allowed=tuple(map(str, carriers)))
    return tag


def _seen(
    desk: Desk, patient: PatientId, encounter: EncounterId | None, record: TriageRecord
) -> tuple[Any, ...]:
    """Name the categories on screen, and what is said anew and differently of the person."""
    history = desk.history(patient)
    person = [
        number
        for number, value in record.asserts()
        if number < names.ENCOUNTER_FIRST
        and number != TAGS
        and any(said.value != value for said in history.now.get((None, number), ()))
    ]
    stay = [number for number in (TRIAGE, PROBLEM) if number in dict(record.asserts())]
    of_stay = desk.seen(patient, stay, encounter) if encounter is not None else ()
    return (*desk.named(patient), *of_stay, *desk.seen(patient, person))


def _word(text: str | None, where: str) -> str:
    return "" if text is None else tidy(text, where, WORD_CHARS_MAX)


def _inputs(inputs: dict[str, str | int | bool | None]) -> dict[str, str | int | None]:
    if len(inputs) > INPUTS_MAX:
        raise InputError("too_many", field="data.inputs", limit=INPUTS_MAX)
    found: dict[str, str | int | None] = {}
    for name, value in inputs.items():
        where = f"data.inputs.{name[:WORD_CHARS_MAX]}"
        kept = tidy(value, where, WORD_CHARS_MAX) if isinstance(value, str) else value
        if isinstance(kept, int) and not -(2**31) < kept < 2**31:
            raise InputError("out_of_range", field=where)
        found[tidy(name, "data.inputs", WORD_CHARS_MAX)] = (
            int(kept) if isinstance(kept, bool) else kept
        )
    return found


def _alerts(alerts: list[str]) -> tuple[str, ...]:
    if len(alerts) > ALERTS_MAX:
        raise InputError("too_many", field="data.alerts", limit=ALERTS_MAX)
    return tuple(tidy(alert, "data.alerts", WORD_CHARS_MAX) for alert in alerts)


# rows


class TriageRow(Row, frozen=True, kw_only=True, gc=False):
    """One triage as it was recorded."""

    TABLE: ClassVar[str] = "triage"
    patient: bytes
    encounter: bytes | None
    category: int
    """0 dead, 1 red, 2 yellow, 3 green, 4 expectant."""
    tag: str = ""
    band: int | None = None
    sex: int | None = None
    algorithm: str = ""
    version: str = ""
    alerts: str = ""
    unconfirmed: int = 0
    """1 while nobody identified wrote it and no person stands by it."""
    confirmed: bytes | None = None
    """18-byte references of who stands by it, oldest first."""
    confirmed_ms: int | None = None
    """When the first of them did."""


class Cautious(NamedTuple):
    """The category used while several may stand."""

    triage: int | None = None
    at_ms: int | None = None
    open: int = 0
    reassess: int = 0


def cautious(said: Sequence[Said]) -> Cautious:
    """Return the category to use: the only one, or the cautious one while several stand."""
    known = [statement for statement in said if statement.value in RANK]
    if not known:
        return Cautious()
    used = min(known, key=lambda statement: RANK[statement.value])
    categories = {statement.value for statement in known}
    several = len(categories) > 1
    return Cautious(
        used.value,
        max(said.fact.at_ms for said in known if said.value == used.value),
        int(several),
        int(several and not categories.isdisjoint(REASSESS)),
    )


def rows(history: History) -> list[TriageRow]:
    """Return one row for each triage recorded."""
    found = []
    stood_by = confirmations(history)
    for fact in history.of_kind.get(KindNo.TRIAGE_RECORD, ()):
        record = fact.record
        assert isinstance(record, TriageRecord)
        by = stood_by.get((fact.prefix, fact.index), ())
        found.append(
            TriageRow(
                entry=fact.entry,
                idx=fact.index,
                kind=fact.kind,
                standing=fact.standing,
                at_ms=fact.at_ms,
                supersedes=history.supersedes(fact),
                replaced=history.replaced(fact) or int(history.superseded(fact, TRIAGE)),
                patient=history.subject,
                encounter=history.encounter_of.get(fact.doc),
                category=record.category,
                tag=names.words_of(TAGS, (record.tag,)) if record.tag else "",
                band=record.band,
                sex=record.sex,
                algorithm=clean_text(record.algorithm),
                version=clean_text(record.version),
                alerts=clean_text(" ".join(record.alerts)),
                unconfirmed=int(fact.session == NOBODY and not by),
                confirmed=b"".join(one.prefix + one.index.to_bytes(2) for one in by) or None,
                confirmed_ms=min((one.at_ms for one in by), default=None),
            )
        )
    return found


KIND = Kind(
    number=KindNo.TRIAGE_RECORD,
    name="triage.record",
    value=TriageRecord,
    data=TriageData,
    plan=plan,
    example={
        "v": 1,
        "kind": "triage.record",
        "key": "example-8",
        "data": {
            "category": "red",
            "tag": "C07",
            "band": 4,
            "sex": "male",
            "algorithm": "start",
            "version": "1",
            "inputs": {"walks": False, "breathes": True, "resp_rate": "36"},
        },
    },
)

# merge note: categories recorded apart both stand until somebody who has seen both records a new
# one or settles them; meanwhile the cautious one is used and the row says that several stand.
