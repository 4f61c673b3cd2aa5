"""One stay or visit: it opens, moves and closes; what happens in it names it."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import UNSET, UnsetType

from protocols.errors import InputError
from protocols.feeds.lane import Lane
from protocols.guidelines.vocabulary import Condition, number_of, rows_of
from protocols.ids import EncounterId, PatientId
from protocols.records import attributes as names
from protocols.records.attributes import (
    BED,
    CLASS,
    EVENT_RELATION,
    ISOLATION,
    PROBLEM,
    SITE,
    SYNDROME,
    TRIAGE,
    WARD,
    EncounterClass,
    EventRelation,
    Isolation,
)
from protocols.records.display import clean_text
from protocols.records.history import History, Said, unsettled
from protocols.records.kinds import KindNo
from protocols.records.planning import Command, Desk, given, refs, tidy
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
from protocols.records.spelling import SiteText, one_of, row_in
from protocols.records.triage import cautious

# fields


class EncounterOpen(Statement, frozen=True):
    """Care begins."""

    site: bytes | None = None
    care: Small | None = None
    """Digit of `EncounterClass`."""
    problem: str | None = None
    """What the patient came with, in the words of who wrote it."""
    bed: str | None = None
    counted: bytes | None = None
    """The subject it is counted as in the aggregate scope, where there is one."""
    syndrome: Small | None = None
    """Number of a condition in the vocabulary pack that is a syndrome."""
    event_relation: Small | None = None
    ward: str | None = None
    isolation: Small | None = None

    def asserts(self) -> Sequence[tuple[int, Any]]:
        """Return the attributes of the encounter that were filled in."""
        said = (
            (SITE, self.site),
            (CLASS, self.care),
            (PROBLEM, self.problem),
            (BED, self.bed),
            (SYNDROME, self.syndrome),
            (EVENT_RELATION, self.event_relation),
            (WARD, self.ward),
            (ISOLATION, self.isolation),
        )
        return [(number, value) for number, value in said if value is not None]


class EncounterMove(names.Restated, frozen=True):
    """Bed, site, class or problem stated anew."""


class EncounterClose(Statement, frozen=True):
    """Care here ends."""

    outcome: Small = 0
    """Position in `OUTCOMES`."""
    text: str = ""
    destination: str = ""
    """Where the patient went, when referred."""
    syndrome: Small | None = None
    """What the visit is counted under, as known at its end."""
    event_relation: Small | None = None

    def asserts(self) -> Sequence[tuple[int, Any]]:
        """Return what the visit is counted under, where it was said at its end."""
        said = ((SYNDROME, self.syndrome), (EVENT_RELATION, self.event_relation))
        return [(number, value) for number, value in said if value is not None]


OUTCOMES = (
    ("other", None),
    ("discharged", 36),
    ("discharged-follow-up", 37),
    ("left-against-advice", 38),
    ("referred", 39),
    ("admitted", 40),
    ("dead-on-arrival", 41),
    ("died", 42),
    ("rehabilitation", 43),
    ("left-unseen", None),
)
"""Outcome words in the order of their digits, with the item of the WHO EMT minimum data set."""

# commands

CareText = Annotated[str, names.word_of(EncounterClass)]
IsolationText = Annotated[str, names.word_of(Isolation)]
RelationText = Annotated[str, names.word_of(EventRelation)]
SyndromeText = Annotated[str, row_in("syndrome")]


class OpenData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`data` of encounter.open."""

    site: SiteText | None = None
    """Id of a site."""
    care: CareText | None = msgspec.field(default=None, name="class")
    problem: str | None = None
    bed: str | None = None
    ward: str | None = None
    isolation: IsolationText | None = None
    syndrome: SyndromeText | None = None
    event_relation: RelationText | None = None


class MoveData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`data` of encounter.move; null states that there is none."""

    site: SiteText | None | UnsetType = UNSET
    care: CareText | None | UnsetType = msgspec.field(default=UNSET, name="class")
    problem: str | None | UnsetType = UNSET
    bed: str | None | UnsetType = UNSET
    ward: str | None | UnsetType = UNSET
    isolation: IsolationText | None | UnsetType = UNSET
    syndrome: SyndromeText | None | UnsetType = UNSET
    event_relation: RelationText | None | UnsetType = UNSET


class CloseData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`data` of encounter.close."""

    outcome: Annotated[str, one_of(word for word, _ in OUTCOMES)]
    text: str | None = None
    destination: str | None = None
    syndrome: SyndromeText | None = None
    event_relation: RelationText | None = None


BED_CHARS_MAX = 24
WARD_CHARS_MAX = 24
PROBLEM_CHARS_MAX = 300
TEXT_CHARS_MAX = 2_000

# apply


def plan_open(command: Command, view: View) -> Plan:
    """A new encounter; an older one that is still open is no obstacle, only said."""
    desk = Desk(command, view)
    patient = desk.patient()
    if command.encounter is not None:
        raise InputError("not_taken", field="encounter", kind="encounter.move")
    if view.open_encounters(patient):
        desk.warn("encounter_open")
    stated = statements(desk, given(command.data))
    if stated.get(SITE) is None and view.home_site is not None:
        stated[SITE] = bytes(view.home_site)
    record = EncounterOpen(
        desk.circumstances(), (), *(stated.get(number) for number in (SITE, CLASS, PROBLEM, BED))
    )
    record = msgspec.structs.replace(
        record,
        counted=view.fresh_subject(),
        **{name: stated.get(names.BY_NAME[name].number) for name in _LATER},
    )
    draft = Draft(
        Lane.ROUTINE,
        SubjectKind.PATIENT,
        patient,
        None,
        (NewFact(KindNo.ENCOUNTER_OPEN, record),),
        founds_encounter=True,
    )
    return Plan((draft,), tuple(desk.warnings))


def plan_move(command: Command, view: View) -> Plan:
    """Bed and the like stated anew: supersedes what is shown of each now."""
    desk = Desk(command, view)
    patient, encounter = _open_encounter(desk)
    stated = statements(desk, given(command.data))
    if not stated:
        raise InputError("nothing_stated", field="data")
    seen = (*desk.named(patient), *desk.seen(patient, stated, encounter))
    record = EncounterMove(desk.circumstances(), refs(seen), stated)
    return to_encounter(desk, patient, encounter, NewFact(KindNo.ENCOUNTER_MOVE, record))


def plan_close(command: Command, view: View) -> Plan:
    """Care ends; an earlier close that is shown is superseded."""
    desk = Desk(command, view)
    patient, encounter = _open_encounter(desk)
    data: CloseData = command.data
    outcomes = tuple(word for word, _ in OUTCOMES)
    if data.outcome not in outcomes:
        raise InputError("bad_value", field="data.outcome", allowed=outcomes)
    history = desk.history(patient)
    earlier = closes(history, encounter)
    if earlier:
        desk.warn("already_closed")
    known = {name: getattr(data, name) for name in ("syndrome", "event_relation")}
    stated = statements(desk, {name: said for name, said in known.items() if said is not None})
    seen = desk.seen(patient, stated, encounter)
    record = EncounterClose(
        desk.circumstances(),
        refs((*desk.named(patient), *(fact.ref for fact in earlier), *seen)),
        outcomes.index(data.outcome),
        tidy(data.text, "data.text", TEXT_CHARS_MAX) if data.text else "",
        tidy(data.destination, "data.destination", 200) if data.destination else "",
        stated.get(SYNDROME),
        stated.get(EVENT_RELATION),
    )
    return to_encounter(desk, patient, encounter, NewFact(KindNo.ENCOUNTER_CLOSE, record))


def to_encounter(
    desk: Desk, patient: PatientId, encounter: EncounterId | None, *facts: NewFact
) -> Plan:
    """Return the plan of one routine entry in the encounter's document, or else the patient's."""
    draft = Draft(Lane.ROUTINE, SubjectKind.PATIENT, patient, encounter, facts)
    return Plan((draft,), tuple(desk.warnings))


def closes(history: History, encounter: EncounterId | None) -> list[Fact]:
    """Return the facts that close an encounter now, as far as they stand."""
    return [
        fact
        for fact in history.of_kind.get(KindNo.ENCOUNTER_CLOSE, ())
        if fact.standing == 0
        and history.encounter_of.get(fact.doc) == encounter
        and not history.replaced(fact)
    ]


def _open_encounter(desk: Desk) -> tuple[PatientId, EncounterId]:
    patient = desk.patient()
    encounter = desk.encounter(patient)
    if encounter is None:
        raise InputError("no_encounter", field="encounter")
    return patient, encounter


def statements(desk: Desk, fields: dict[str, Any]) -> dict[int, Any]:
    """Return attribute number to checked value, for the fields that a line carried."""
    limits = {"problem": PROBLEM_CHARS_MAX, "bed": BED_CHARS_MAX, "ward": WARD_CHARS_MAX}
    stated: dict[int, Any] = {}
    for name, value in fields.items():
        number = CLASS if name == "care" else names.BY_NAME[name].number
        if value is None:
            stated[number] = None
        elif name == "site":
            stated[number] = bytes(desk.site(value, "data.site") or b"")
        elif name == "care":
            stated[number] = names.code(EncounterClass, value, "data.class")
        elif name == "syndrome":
            stated[number] = _syndrome(value)
        elif name in _CODED:
            stated[number] = names.code(_CODED[name], value, f"data.{name}")
        else:
            stated[number] = tidy(value, f"data.{name}", limits[name])
    return stated


_CODED: dict[str, type[IntEnum]] = {"event_relation": EventRelation, "isolation": Isolation}

_LATER = ("syndrome", "event_relation", "ward", "isolation")
"""Fields that stand behind those an encounter was first opened with."""


def _syndrome(name: str) -> int:
    """Return the number of a syndrome; whatever is none is refused with those there are."""
    if name not in syndromes():
        raise InputError("bad_value", field="data.syndrome", allowed=syndromes())
    return number_of("condition", name, "data.syndrome")


def syndromes() -> tuple[str, ...]:
    """Return the conditions that a visit is counted under."""
    rows = rows_of("condition")
    return tuple(row.name for row in rows if isinstance(row, Condition) and row.syndrome)


# rows


class EncounterRow(Row, frozen=True, kw_only=True, gc=False):
    """One encounter as it is known now."""

    TABLE: ClassVar[str] = "encounter"
    id: bytes
    patient: bytes
    care: int | None
    """1 emergency, 2 ambulatory, 3 inpatient, 4 observation, 5 home, 6 field."""
    site: bytes | None
    bed: str
    problem: str
    opened_ms: int
    closed_ms: int | None = None
    outcome: int | None = None
    """Position in `OUTCOMES`."""
    triage: int | None = None
    triage_at_ms: int | None = None
    triage_open: int = 0
    reassess: int = 0
    unsettled: int = 0
    syndrome: int | None = None
    """Number of a syndrome in the vocabulary pack."""
    event_relation: int | None = None
    """1 direct, 2 indirect, 3 unrelated, 0 unknown."""
    ward: str = ""
    isolation: int | None = None
    """Digit of `Isolation`; the stricter one while several stand; None: nobody said."""


def rows(history: History) -> list[EncounterRow]:
    """Return one row for each encounter in which something is written."""
    found = []
    for encounter, facts in history.of_encounters().items():
        opens = [fact for fact in facts if fact.kind == KindNo.ENCOUNTER_OPEN]
        live = [
            fact
            for fact in facts
            if fact.standing == 0
            and history.replaced(fact) != 2
            and fact.kind != KindNo.ENTRY_RETRACT
        ]
        founding = next((fact for fact in opens if fact in live), (opens or live or facts)[0])
        said = history.now if live else history.beside
        ending = closes(history, encounter)
        outcomes = {_outcome(fact) for fact in ending}
        category = cautious(said.get((encounter, TRIAGE), ()))
        found.append(
            EncounterRow(
                entry=founding.entry,
                idx=founding.index,
                kind=founding.kind,
                standing=founding.standing,
                at_ms=founding.at_ms,
                supersedes=history.supersedes(founding),
                replaced=0 if live else history.replaced(founding),
                id=encounter,
                patient=history.subject,
                care=_last(said.get((encounter, CLASS), ())),
                site=_last(said.get((encounter, SITE), ())),
                bed=clean_text(_last(said.get((encounter, BED), ())) or ""),
                problem=clean_text(_last(said.get((encounter, PROBLEM), ())) or ""),
                opened_ms=min(fact.at_ms for fact in live or facts)
                if founding not in opens
                else founding.at_ms,
                closed_ms=max((fact.at_ms for fact in ending), default=None),
                outcome=_outcome(ending[-1]) if ending else None,
                triage=category.triage,
                triage_at_ms=category.at_ms,
                triage_open=category.open,
                reassess=category.reassess,
                unsettled=(len(outcomes) > 1)
                + sum(unsettled(said.get((encounter, number), ()), number) for number in _SETTLED),
                syndrome=_last(said.get((encounter, SYNDROME), ())),
                event_relation=_last(said.get((encounter, EVENT_RELATION), ())),
                ward=clean_text(_last(said.get((encounter, WARD), ())) or ""),
                isolation=strictest(said.get((encounter, ISOLATION), ())),
            )
        )
    return found


_SETTLED = (
    TRIAGE,
    BED,
    SITE,
    CLASS,
    PROBLEM,
    SYNDROME,
    EVENT_RELATION,
    WARD,
    ISOLATION,
)

STRICTNESS = (
    Isolation.STRICT,
    Isolation.AIRBORNE,
    Isolation.DROPLET,
    Isolation.ENTERIC,
    Isolation.CONTACT,
    Isolation.PROTECTIVE,
    Isolation.NONE,
)
"""Which isolation is used while several stand: the first of these that does."""


def strictest(said: Sequence[Said]) -> int | None:
    """Return the isolation to keep: the only one, or the strictest while several stand."""
    known = [one.value for one in said if one.value in STRICTNESS]
    return min(known, key=STRICTNESS.index, default=None)


def _last(said: Sequence[Said]) -> Any:
    return said[-1].value if said else None


def _outcome(fact: Fact) -> int:
    assert isinstance(fact.record, EncounterClose)
    return fact.record.outcome


KIND_OPEN = Kind(
    number=KindNo.ENCOUNTER_OPEN,
    name="encounter.open",
    value=EncounterOpen,
    data=OpenData,
    plan=plan_open,
    example={
        "v": 1,
        "kind": "encounter.open",
        "key": "example-5",
        "patient": {"tag": "B12"},
        "at": "2026-05-01T14:30+02:00",
        "data": {"class": "emergency", "problem": "fell from a roof", "bed": "A3"},
    },
)
KIND_MOVE = Kind(
    number=KindNo.ENCOUNTER_MOVE,
    name="encounter.move",
    value=EncounterMove,
    data=MoveData,
    plan=plan_move,
    example={
        "v": 1,
        "kind": "encounter.move",
        "key": "example-6",
        "patient": {"tag": "B12"},
        "data": {"bed": "B1"},
    },
)
KIND_CLOSE = Kind(
    number=KindNo.ENCOUNTER_CLOSE,
    name="encounter.close",
    value=EncounterClose,
    data=CloseData,
    plan=plan_close,
    example={
        "v": 1,
        "kind": "encounter.close",
        "key": "example-7",
        "patient": {"tag": "B12"},
        "data": {"outcome": "discharged-follow-up", "text": "dressing in three days"},
    },
)

# merge note: two tents that open an encounter apart make two, and both are shown until one is
# closed. Bed, site, class and problem are attributes and settle like a patient's. Two closes
# with different outcomes both stand and count as unsettled; the patient is out of care.
