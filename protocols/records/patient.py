"""Who somebody is: many statements by many people, each kept, never overwritten."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import astuple

from protocols.errors import InputError
from protocols.feeds.lane import Lane
from protocols.ids import FactRef, PatientId
from protocols.records import attributes as names
from protocols.records.attributes import Age
from protocols.records.history import History
from protocols.records.kinds import KindNo
from protocols.records.person import PersonData, statements
from protocols.records.planning import Command, Desk, given, refs
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
from protocols.records.spelling import one_of

# fields

Date = Annotated[int, msgspec.Meta(ge=-names.INT_MAX, le=names.INT_MAX)]
"""A date as `attributes.date_code` stores it."""


class PatientRegister(Statement, frozen=True):
    """A patient is first written down. The fields after `code_no` are attributes 0, 1 and on."""

    code_no: Small | None = None
    """Counter of the short code; its tag follows from the author's feed."""
    family_name: str | None = None
    given_name: str | None = None
    sex: Small | None = None
    birth_date: Date | None = None
    age: Age | None = None
    band: Small | None = None
    tags: tuple[str, ...] | None = None
    phone: str | None = None
    village: str | None = None
    district: str | None = None
    address: str | None = None
    nationality: str | None = None
    language: str | None = None
    national_id: tuple[str, ...] | None = None
    """System and number."""
    occupation: str | None = None
    kin_name: str | None = None
    kin_relation: Small | None = None
    kin_phone: str | None = None
    consent_treat: Small | None = None
    consent_share: Small | None = None
    guardian: str | None = None
    marks: str | None = None
    other_names: str | None = None
    mother_name: str | None = None
    household: str | None = None
    displacement: Small | None = None

    def asserts(self) -> Sequence[tuple[int, Any]]:
        """Return the attributes that were filled in."""
        return [
            (number, value)
            for number, value in enumerate(astuple(self)[_ATTRIBUTES_FROM:])
            if value is not None
        ]


_ATTRIBUTES_FROM = PatientRegister.__struct_fields__.index("family_name")


class PatientIdentify(names.Restated, frozen=True):
    """Some attributes of a patient, stated anew."""


class PatientLink(Statement, frozen=True):
    """Two records are of one person, or of one family."""

    other: bytes = b""
    """Id of the other patient."""
    relation: Small = 0
    """0 the same person, else 1 + the digit of `Relation`: the other is the patient's mother …"""


class PatientUnlink(Statement, frozen=True):
    """Two records are not of one person, or not of one family."""

    other: bytes = b""
    relation: Small = 0


# commands


class IdentifyData(PersonData, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """`data` of patient.identify."""

    drop_tags: list[str] | UnsetType = UNSET
    """Tags the patient no longer carries."""


class LinkData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`data` of patient.link and patient.unlink."""

    other: str
    """Id or short code of the other patient."""
    relation: Annotated[str, one_of(RELATIONS)] = "same"


RELATIONS = ("same", *names.words(names.Relation))

# apply


def plan_register(command: Command, view: View) -> Plan:
    """A new patient; nothing but unknown sex is legal."""
    desk = Desk(command, view)
    if command.patient or command.tag or command.encounter:
        raise InputError("not_taken", field="patient", kind="patient.identify")
    stated = statements(desk, given(command.data))
    stated = {number: value for number, value in stated.items() if value is not None}
    _ask_about_tags(desk, stated.get(names.TAGS, ()))
    code_no = view.next_code_no()
    record = PatientRegister(
        desk.circumstances(),
        (),
        code_no,
        *(stated.get(number) for number in range(len(_REGISTER_FIELDS))),
    )
    draft = Draft(
        Lane.ROUTINE,
        SubjectKind.PATIENT,
        None,
        None,
        (NewFact(KindNo.PATIENT_REGISTER, record),),
    )
    return Plan((draft,), tuple(desk.warnings), code_no)


def plan_identify(command: Command, view: View) -> Plan:
    """Attributes stated anew: they supersede what is shown of them now, and nothing else."""
    desk = Desk(command, view)
    patient = desk.patient()
    fields = given(command.data)
    dropped = fields.pop("drop_tags", ())
    stated = statements(desk, fields)
    replaced = [number for number in stated if number != names.TAGS or stated[number] is None]
    if dropped:
        stated[names.TAGS] = _tags_without(desk, patient, dropped, stated.get(names.TAGS) or ())
        replaced.append(names.TAGS)
    elif stated.get(names.TAGS):
        _ask_about_tags(desk, stated[names.TAGS], patient)
    if not stated:
        raise InputError("nothing_stated", field="data")
    seen = (*desk.named(patient), *desk.seen(patient, replaced))
    record = PatientIdentify(desk.circumstances(), refs(seen), stated)
    return _to_patient(desk, patient, KindNo.PATIENT_IDENTIFY, record)


def plan_link(command: Command, view: View) -> Plan:
    """Two records belong together; an earlier *not* that is shown is superseded.

    That two are one person says the same from either side, so a *not* that stands in the other
    record is superseded there. A relative has a direction, and is stated from one side alone.
    """
    desk = Desk(command, view)
    patient, other, relation = _pair(desk)
    seen = [fact.ref for fact in links_between(desk.history(patient), other, relation)]
    record = PatientLink(desk.circumstances(), refs((*desk.named(patient), *seen)), other, relation)
    plan = _to_patient(desk, patient, KindNo.PATIENT_LINK, record)
    there = () if relation else links_between(desk.history(other), patient, relation)
    if not any(isinstance(fact.record, PatientUnlink) for fact in there):
        return plan
    back = PatientLink(record.circumstances, refs(fact.ref for fact in there), patient, relation)
    (mine,), (theirs,) = plan.drafts, _to_patient(desk, other, KindNo.PATIENT_LINK, back).drafts
    return Plan((mine, theirs), tuple(desk.warnings))


def plan_unlink(command: Command, view: View) -> Plan:
    """Two records do not belong together; links written from either side are superseded."""
    desk = Desk(command, view)
    patient, other, relation = _pair(desk)
    drafts: list[tuple[PatientId, PatientId, list[FactRef]]] = []
    for here, there in ((patient, other), (other, patient)):
        seen = [fact.ref for fact in links_between(desk.history(here), there, relation)]
        if seen:
            drafts.append((here, there, seen))
    # Of what nobody linked here it is said as it was asked: a mother's child is not her mother.
    record_for = drafts or [(patient, other, [])]
    plans = [
        _to_patient(
            desk,
            here,
            KindNo.PATIENT_UNLINK,
            PatientUnlink(desk.circumstances(reason_needed=True), refs(seen), there, relation),
        )
        for here, there, seen in record_for
    ]
    return Plan(tuple(draft for plan in plans for draft in plan.drafts), tuple(desk.warnings))


def links_between(history: History, other: PatientId, relation: int) -> list[Fact]:
    """Return the links and unlinks to `other` that are current, as written in this record."""
    return [
        fact
        for kind in (KindNo.PATIENT_LINK, KindNo.PATIENT_UNLINK)
        for fact in history.of_kind.get(kind, ())
        if isinstance(fact.record, PatientLink | PatientUnlink)
        and fact.record.other == other
        and fact.record.relation == relation
        and not history.replaced(fact)
    ]


def _to_patient(desk: Desk, patient: PatientId, kind: KindNo, record: Statement) -> Plan:
    draft = Draft(Lane.ROUTINE, SubjectKind.PATIENT, patient, None, (NewFact(kind, record),))
    return Plan((draft,), tuple(desk.warnings))


def _pair(desk: Desk) -> tuple[PatientId, PatientId, int]:
    data: LinkData = desk.command.data
    patient = desk.patient()
    other = desk.patient_named(data.other, "data.other")
    if other == patient:
        raise InputError("same_patient", field="data.other")
    if data.relation not in RELATIONS:
        raise InputError("bad_value", field="data.relation", allowed=RELATIONS)
    return patient, other, RELATIONS.index(data.relation)


def _ask_about_tags(desk: Desk, tags: Iterable[str], patient: PatientId | None = None) -> None:
    """A tag that another patient carries needs a second look (SAFETY 16)."""
    for tag in tags:
        carriers = [found for found in desk.view.patients_tagged(tag) if found != patient]
        if carriers:
            desk.confirmed("tag_in_use", "data.tags", allowed=tuple(map(str, carriers)))


def _tags_without(
    desk: Desk, patient: PatientId, dropped: list[str], added: tuple[str, ...]
) -> tuple[str, ...] | None:
    said = desk.history(patient).now.get((None, names.TAGS), ())
    held = dict.fromkeys(tag for statement in said for tag in statement.value or ())
    for tag in dropped:
        worn = [each for each in held if _folded(each) == _folded(tag.strip())]
        if not worn:
            raise InputError("not_found", field="data.drop_tags")
        for each in worn:
            del held[each]
    return (*held, *added) or None


def _folded(tag: str) -> bytes:
    """As rows compare tags: letters of ASCII in whatever case."""
    return tag.encode().lower()


_REGISTER_FIELDS = PatientRegister.__struct_fields__[_ATTRIBUTES_FROM:]

# rows


class PatientRow(Row, frozen=True, kw_only=True, gc=False):
    """The current picture of one patient: exactly one row each."""

    TABLE: ClassVar[str] = "patient"
    INDEXED: ClassVar[tuple[str, ...]] = ("code", "tag")
    FOLDED: ClassVar[tuple[str, ...]] = ("tag",)
    id: bytes
    code: str = ""
    name: str = ""
    """For display: cleaned, family name first."""
    family: str = ""
    given: str = ""
    also: str = ""
    """Other names, mother's name, phones, ids and further tags: searched, not shown on boards."""
    tag: str = ""
    sex: int = 9
    age_value: int | None = None
    age_unit: int | None = None
    """0 years, 1 months, 2 weeks, 3 days."""
    age_estimated: int = 0
    age_day: int | None = None
    """Day the age was stated, counted from 1970-01-01; 0: no clock that could be right said it."""
    birth_date: str | None = None
    """YYYY, YYYY-MM or YYYY-MM-DD."""
    band: int = 9
    triage: int | None = None
    triage_at_ms: int | None = None
    triage_open: int = 0
    """1 while several categories stand; `triage` is then the cautious one."""
    reassess: int = 0
    """1 when EXPECTANT or DEAD is one side of that: reassess now."""
    bed: str = ""
    site: bytes | None = None
    encounter: bytes | None = None
    arrived_ms: int | None = None
    closed_ms: int | None = None
    problem: str = ""
    unsettled: int = 0
    """How many attributes have several different current values."""
    urgent: int = 0
    """1 when RED or with a critical alert."""
    unproven: int = 0
    """1 when something shown here is only stated by facts that do not stand."""
    allergy: int = 0
    """0 nobody asked, 1 none known, 2 listed."""
    allergies: str = ""
    """What the patient reacts to, the most severe first: codes of the vocabulary pack or words."""
    allergy_open: int = 0
    """1 while people differ about it; what is listed is then used."""
    custody: int = 0
    """0 nothing was said, 1 offered, 2 accepted, 3 unclear, 4 conflict: both of these are CUSTODY
    UNCLEAR on every board."""
    ward: str = ""
    isolation: int | None = None
    """Digit of `Isolation`; the strictest that stands; None: nobody said."""
    keeper: str = ""
    """Who accepted the patient; several while they are in conflict; '' = the team of before."""
    born_after: int | None = None
    """While people differ about an age: born after this day, counted from 1970-01-01, by any of
    them; None while they do not, and then the columns above say all of it."""
    born_by: int | None = None
    """And on this day at the latest."""


class LinkRow(Row, frozen=True, kw_only=True, gc=False):
    """One statement that two records belong together, or do not."""

    TABLE: ClassVar[str] = "link"
    INDEXED: ClassVar[tuple[str, ...]] = ("patient", "other")
    patient: bytes
    other: bytes
    relation: int
    linked: int
    """1 they belong together, 0 they do not."""


class TagRow(Row, frozen=True, kw_only=True, gc=False):
    """A tag that a patient carries beside the one in their row, or one that does not stand."""

    TABLE: ClassVar[str] = "tag"
    INDEXED: ClassVar[tuple[str, ...]] = ("tag",)
    FOLDED: ClassVar[tuple[str, ...]] = ("tag",)
    patient: bytes
    tag: str


class AssertionRow(Row, frozen=True, kw_only=True, gc=False):
    """One of several different current values of an attribute; settled attributes have none."""

    TABLE: ClassVar[str] = "assertion"
    INDEXED: ClassVar[tuple[str, ...]] = ("patient",)
    patient: bytes
    encounter: bytes | None
    attribute: str
    value: str
    """As text; codes as words; '' when stated to be empty."""


def rows(history: History) -> list[Row]:
    """Return the patient's links; the current picture is put together in `picture.py`."""
    found: list[Row] = []
    for kind in (KindNo.PATIENT_LINK, KindNo.PATIENT_UNLINK):
        for fact in history.of_kind.get(kind, ()):
            record = fact.record
            assert isinstance(record, PatientLink | PatientUnlink)
            found.append(
                LinkRow(
                    entry=fact.entry,
                    idx=fact.index,
                    kind=fact.kind,
                    standing=fact.standing,
                    at_ms=fact.at_ms,
                    supersedes=history.supersedes(fact),
                    replaced=history.replaced(fact),
                    patient=history.subject,
                    other=record.other,
                    relation=record.relation,
                    linked=int(kind == KindNo.PATIENT_LINK),
                )
            )
    return found


KIND_REGISTER = Kind(
    number=KindNo.PATIENT_REGISTER,
    name="patient.register",
    value=PatientRegister,
    data=PersonData,
    plan=plan_register,
    example={
        "v": 1,
        "kind": "patient.register",
        "key": "example-1",
        "data": {
            "family_name": "Nkurunziza",
            "given_name": "Aline",
            "sex": "female",
            "age": {"value": "34", "unit": "y", "estimated": True},
            "village": "Gatumba",
            "next_of_kin": {"name": "Jean", "relation": "spouse"},
            "consent": {"treat": "yes", "share": "no"},
        },
    },
)
KIND_IDENTIFY = Kind(
    number=KindNo.PATIENT_IDENTIFY,
    name="patient.identify",
    value=PatientIdentify,
    data=IdentifyData,
    plan=plan_identify,
    example={
        "v": 1,
        "kind": "patient.identify",
        "key": "example-2",
        "patient": {"tag": "B12"},
        "data": {"given_name": "Alice", "phone": None},
    },
)
KIND_LINK = Kind(
    number=KindNo.PATIENT_LINK,
    name="patient.link",
    value=PatientLink,
    data=LinkData,
    plan=plan_link,
    example={
        "v": 1,
        "kind": "patient.link",
        "key": "example-3",
        "patient": {"tag": "B12"},
        "data": {"other": "$other", "relation": "same"},
        "reason": "same scar, same mother",
    },
)
KIND_UNLINK = Kind(
    number=KindNo.PATIENT_UNLINK,
    name="patient.unlink",
    value=PatientUnlink,
    data=LinkData,
    plan=plan_unlink,
    example={
        "v": 1,
        "kind": "patient.unlink",
        "key": "example-4",
        "patient": {"tag": "B12"},
        "data": {"other": "$other"},
        "reason": "twins",
    },
)

# merge note: statements made apart are all kept. Each attribute is judged by itself, so an edit
# of the phone never hides somebody else's edit of the name; different current values are shown
# with who said them and settled by a person. Links are statements too, and taken back the same way.
