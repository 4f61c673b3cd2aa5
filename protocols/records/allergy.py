"""What a patient reacts to, each substance by itself; and that somebody asked and there is none.

*None known* is a statement of its own: without it nobody has asked (SAFETY 12).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, ClassVar, NamedTuple

import msgspec

from protocols.errors import InputError
from protocols.feeds.lane import Lane
from protocols.guidelines.vocabulary import fold, name_of, number_of, vocabulary
from protocols.records.contested import Contest, Side, current, grouped, shown
from protocols.records.display import clean_text
from protocols.records.history import History
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
    Statement,
    SubjectKind,
    View,
)
from protocols.records.spelling import one_of, row_in
from protocols.records.wordlists import position, word_at

# fields


class AllergyRecord(Statement, frozen=True):
    """One substance, or that none is known."""

    status: Small = 0
    """Position in `STATUSES`."""
    code: Small | None = None
    """Number of an allergen in the vocabulary pack."""
    text: str = ""
    """The substance in somebody's words, where no code is meant."""
    reaction: Small = 0
    """Position in `REACTIONS`."""
    severity: Small = 0
    """Position in `SEVERITIES`."""
    certainty: Small = 0
    """Position in `CERTAINTIES`."""
    remark: str = ""


STATUSES = ("active", "none-known", "refuted")
REACTIONS = (
    "unknown",
    "rash",
    "urticaria",
    "swelling",
    "breathing",
    "anaphylaxis",
    "gut",
    "other",
)
SEVERITIES = ("unknown", "mild", "moderate", "severe")
"""The greater of two stands further right."""
CERTAINTIES = ("stated", "suspected", "confirmed")
"""`stated`: by the patient or who came along."""
ACTIVE, NONE_KNOWN, REFUTED = range(3)

ASKED = ("not-asked", "none-known", "listed")
"""What a chart's head says of allergies, by position in the patient's row."""

# commands


class AllergyData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`data` of allergy.record: a substance by code or in words, or `none-known`."""

    status: Annotated[str, one_of(STATUSES)] = "active"
    code: Annotated[str, row_in("allergen")] | None = None
    text: str | None = None
    reaction: Annotated[str, one_of(REACTIONS)] = "unknown"
    severity: Annotated[str, one_of(SEVERITIES)] = "unknown"
    certainty: Annotated[str, one_of(CERTAINTIES)] = "stated"
    remark: str | None = None


SUBSTANCE_CHARS_MAX = 80
REMARK_CHARS_MAX = 200

# apply


def plan(command: Command, view: View) -> Plan:
    """State a substance anew, or that none is known; both replace what is shown of the same.

    A listed substance replaces a *none known* that is shown. *None known* while one is listed
    has to be confirmed, with a reason, and takes the list back.
    """
    desk = Desk(command, view)
    data: AllergyData = command.data
    patient = desk.patient()
    record = _record(data)
    history = desk.history(patient)
    seen = shown(history, KindNo.ALLERGY_RECORD)
    listed = [fact for fact in seen if _of(fact).status == ACTIVE]
    if record.status == NONE_KNOWN:
        replaced = [*listed, *(fact for fact in seen if _of(fact).status == NONE_KNOWN)]
        if listed:
            desk.confirmed("allergy_listed", "data.status", allowed=tuple(map(_name_of, listed)))
    else:
        replaced = [fact for fact in seen if key_of(_of(fact)) == key_of(record)]
        if record.status == ACTIVE:
            replaced += [fact for fact in seen if _of(fact).status == NONE_KNOWN]
    taken_back = record.status != ACTIVE and any(_of(fact).status == ACTIVE for fact in replaced)
    record = msgspec.structs.replace(
        record,
        circumstances=desk.circumstances(reason_needed=taken_back),
        supersedes=refs((*desk.named(patient), *(fact.ref for fact in replaced))),
    )
    new = NewFact(KindNo.ALLERGY_RECORD, record)
    # What can kill at the next dose crosses before the chart does.
    draft = Draft(Lane.URGENT, SubjectKind.PATIENT, patient, None, (new,))
    return Plan((draft,), tuple(desk.warnings))


def against(desk: Desk, histories: Iterable[History], substance: str, where: str) -> None:
    """Ask once about a medicine that the patient is said to react to, in any of their records.

    Raises:
        InputError: `confirm_needed` with `allergy_match`, naming what is listed.
    """
    found = listed_against(histories, substance)
    if found:
        desk.confirmed("allergy_match", where, allowed=found)


def listed_against(histories: Iterable[History], substance: str) -> tuple[str, ...]:
    """Return what is listed that speaks against a medicine: names, each once; () for nothing.

    A medicine that somebody reacts to speaks against the others of its group: who wrote ampicillin
    or a penicillin in words of their own is asked about amoxicillin too.

    Args:
        histories: Of one person; several where their records are linked.
        substance: As it is ordered or given.
    """
    groups = set(vocabulary().allergens_of(substance))
    wanted = f" {fold(substance)} "
    found = []
    for fact in (one for each in histories for one in shown(each, KindNo.ALLERGY_RECORD)):
        record = _of(fact)
        if record.status == ACTIVE and (
            f" {key_of(record)} " in wanted or not groups.isdisjoint(_groups_of(record))
        ):
            found.append(_name_of(fact))
    return tuple(dict.fromkeys(found))


def key_of(record: AllergyRecord) -> str:
    """Return what two statements about one substance share; '' for *none known*."""
    if record.status == NONE_KNOWN:
        return ""
    if record.code is not None:
        return fold(name_of("allergen", record.code))
    text = fold(record.text)
    groups = vocabulary().allergens_of(text)
    # A row's own word in any spelling is the row; a medicine of it is a statement by itself.
    return next((fold(name) for name in groups if fold(name) == text), text)


def _groups_of(record: AllergyRecord) -> tuple[str, ...]:
    """Return the rows of the pack that a statement is about, by its code or by its words."""
    if record.code is not None:
        return (name_of("allergen", record.code),)
    return vocabulary().allergens_of(record.text)


def _record(data: AllergyData) -> AllergyRecord:
    status = position(data.status, STATUSES, "data.status")
    code = None if data.code is None else number_of("allergen", data.code, "data.code")
    text = "" if data.text is None else tidy(data.text, "data.text", SUBSTANCE_CHARS_MAX)
    if status == NONE_KNOWN and (code is not None or text):
        raise InputError("not_taken", field="data.code", kind="allergy.record")
    if status != NONE_KNOWN and code is None and not fold(text):
        raise InputError("missing_field", field="data.code", allowed=("code", "text"))
    return AllergyRecord(
        status=status,
        code=code,
        text=text,
        reaction=position(data.reaction, REACTIONS, "data.reaction"),
        severity=position(data.severity, SEVERITIES, "data.severity"),
        certainty=position(data.certainty, CERTAINTIES, "data.certainty"),
        remark=tidy(data.remark, "data.remark", REMARK_CHARS_MAX) if data.remark else "",
    )


# rows


class AllergyRow(Row, frozen=True, kw_only=True, gc=False):
    """One statement about what a patient reacts to."""

    TABLE: ClassVar[str] = "allergy"
    INDEXED: ClassVar[tuple[str, ...]] = ("patient",)
    patient: bytes
    status: str
    code: str = ""
    """Name in the vocabulary pack; `#n` when this software does not know it."""
    text: str = ""
    reaction: str = ""
    severity: str = ""
    certainty: str = ""
    remark: str = ""
    used: int = 0
    """1 when it is current and is what is acted on."""
    unsettled: int = 0
    """1 while a current statement made apart says something else."""


class Asked(NamedTuple):
    """What a chart's head says."""

    state: int = 0
    """Position in `ASKED`."""
    words: str = ""
    """The substances, the most severe first; '' when none is listed."""
    unsettled: int = 0
    unproven: bool = False
    """Only facts that do not stand say so."""


def rows(history: History) -> list[AllergyRow]:
    """Return one row for each statement."""
    facts = history.of_kind.get(KindNo.ALLERGY_RECORD, ())
    if not facts:
        return []
    used = {id(fact) for fact in _used(current(history, KindNo.ALLERGY_RECORD))}
    doubted = {id(side.fact) for each in contests(history) for side in each.sides}
    found = []
    for fact in facts:
        record = _of(fact)
        found.append(
            AllergyRow(
                entry=fact.entry,
                idx=fact.index,
                kind=fact.kind,
                standing=fact.standing,
                at_ms=fact.at_ms,
                supersedes=history.supersedes(fact),
                replaced=history.replaced(fact),
                patient=history.subject,
                status=word_at(STATUSES, record.status),
                code="" if record.code is None else name_of("allergen", record.code),
                text=clean_text(record.text),
                reaction=word_at(REACTIONS, record.reaction),
                severity=word_at(SEVERITIES, record.severity),
                certainty=word_at(CERTAINTIES, record.certainty),
                remark=clean_text(record.remark),
                used=int(id(fact) in used),
                unsettled=int(id(fact) in doubted),
            )
        )
    return found


def asked(history: History) -> Asked:
    """Return what the head of a chart says; the cautious side while people differ."""
    if not history.of_kind.get(KindNo.ALLERGY_RECORD):
        return Asked()
    said = current(history, KindNo.ALLERGY_RECORD)
    unproven = not said
    if unproven:
        said = shown(history, KindNo.ALLERGY_RECORD)
    used = _used(said)
    listed = [fact for fact in used if _of(fact).status == ACTIVE]
    listed.sort(key=lambda fact: (-_of(fact).severity, fact.order, fact.index))
    if listed:
        words = "; ".join(_name_of(fact) for fact in listed)
        return Asked(2, clean_text(words), len(contests(history)), unproven)
    none = any(_of(fact).status == NONE_KNOWN for fact in said)
    return Asked(int(none), "", len(contests(history)), unproven and none)


def contests(history: History) -> list[Contest]:
    """Return the substances about which current statements differ, and *none known* against any."""
    said = current(history, KindNo.ALLERGY_RECORD)
    if len(said) < 2:
        return []
    used = {id(fact) for fact in _used(said)}
    found = []
    for key, facts in grouped(said, lambda fact: key_of(_of(fact))).items():
        if key and len({_meant(fact) for fact in facts}) > 1:
            found.append(_contest(_name_of(facts[0]), facts, used))
    none = [fact for fact in said if _of(fact).status == NONE_KNOWN]
    listed = [fact for fact in said if id(fact) in used and _of(fact).status == ACTIVE]
    if none and listed:
        found.insert(0, _contest("", [*listed, *none], used))
    return found


def own_words(record: AllergyRecord) -> list[tuple[str, str]]:
    """Return what a statement says, as (catalogue key, text) pairs."""
    if record.status == NONE_KNOWN:
        return [("allergy", "none-known")]
    said = [("allergy", _name(record))]
    for key, words, at in (
        ("status", STATUSES, record.status),
        ("reaction", REACTIONS, record.reaction),
        ("severity", SEVERITIES, record.severity),
        ("certainty", CERTAINTIES, record.certainty),
    ):
        if at:
            said.append((key, word_at(words, at)))
    if record.remark:
        said.append(("remark", clean_text(record.remark)))
    return said


def _used(said: Sequence[Fact]) -> list[Fact]:
    """Return what is acted on: of each substance the cautious statement, then *none known*."""
    of_substance = grouped(said, lambda fact: key_of(_of(fact)))
    used = [max(facts, key=_caution) for key, facts in of_substance.items() if key]
    if not any(_of(fact).status == ACTIVE for fact in used):
        used += of_substance.get("", ())
    return used


def _caution(fact: Fact) -> tuple[Any, ...]:
    record = _of(fact)
    return record.status == ACTIVE, record.severity, record.certainty, fact.order, fact.index


def _meant(fact: Fact) -> tuple[int, ...]:
    record = _of(fact)
    return record.status, record.reaction, record.severity, record.certainty


def _contest(about: str, facts: Sequence[Fact], used: set[int]) -> Contest:
    ordered = sorted(facts, key=lambda fact: (fact.order, fact.index))
    sides = [Side(_line(_of(fact)), fact, id(fact) in used) for fact in ordered]
    return Contest("allergy", about, None, tuple(sides))


def _line(record: AllergyRecord) -> str:
    return clean_text(" ".join(text for _, text in own_words(record)))


def _name_of(fact: Fact) -> str:
    return _name(_of(fact))


def _name(record: AllergyRecord) -> str:
    if record.code is not None:
        return name_of("allergen", record.code)
    return clean_text(record.text) or "?"


def _of(fact: Fact) -> AllergyRecord:
    assert isinstance(fact.record, AllergyRecord)
    return fact.record


KIND = Kind(
    number=KindNo.ALLERGY_RECORD,
    name="allergy.record",
    value=AllergyRecord,
    data=AllergyData,
    plan=plan,
    example={
        "v": 1,
        "kind": "allergy.record",
        "key": "example-16",
        "patient": {"tag": "B12"},
        "data": {"code": "penicillins", "reaction": "anaphylaxis", "severity": "severe"},
    },
)

# merge note: each substance is judged by itself. Statements made apart about one substance that
# differ are unsettled, and so is *none known* beside a listed substance; until somebody who has
# seen both states it anew, what is listed and the more severe side of it is used.
