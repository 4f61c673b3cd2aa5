"""A small in-memory book: several writers, who see only what reached them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from protocols.errors import InputError
from protocols.guidelines.items import shipped_items
from protocols.guidelines.schedules import shipped_schedule
from protocols.guidelines.vaccines import shipped_vaccines
from protocols.ids import (
    DeviceId,
    DocId,
    EncounterId,
    EntryPrefix,
    FactRef,
    PatientId,
    ScopeId,
    SiteId,
)
from protocols.records.catalogue import decode_fact, encode_fact, project
from protocols.records.commands import parse_line, plan
from protocols.records.document import opened, opening
from protocols.records.history import History
from protocols.records.shape import Draft, Fact, Plan, Row, SubjectKind

NOW_MS = 1_780_000_000_000


@dataclass
class Shelf:
    """What one device holds; `View` for the planner."""

    name: str = "a"
    facts_by_subject: dict[DocId, list[Fact]] = field(default_factory=dict)
    kinds: dict[DocId, int] = field(default_factory=dict)
    clock: int = 0
    codes: int = 0
    now_ms: int = NOW_MS
    scope: ScopeId = field(default_factory=ScopeId.zero)
    session: tuple[int, bytes] = (0, b"")
    """Whom entries name as their writer; nobody at first."""
    sizes: dict[int, int] = field(default_factory=dict)
    """Bytes of the last value written, by kind."""

    def write(self, kind: str, data: dict[str, Any] | None = None, **line: Any) -> Written:
        command = parse_line({"v": 1, "kind": kind, "key": "k", "data": data or {}, **line})
        planned = plan(command, self)
        refs: list[FactRef] = []
        founded: DocId | None = None
        for draft in planned.drafts:
            subject, written = self._enter(draft, founded)
            founded = founded or subject
            refs += written
        if planned.code_no is not None:
            self.codes += 1
        assert founded is not None
        return Written(founded, tuple(refs), planned)

    def refused(self, kind: str, data: dict[str, Any] | None = None, **line: Any) -> InputError:
        try:
            self.write(kind, data, **line)
        except InputError as error:
            return error
        raise AssertionError("taken")

    def receive(self, other: Shelf) -> None:
        for subject, facts in other.facts_by_subject.items():
            held = self.facts_by_subject.setdefault(subject, [])
            known = {fact.ref for fact in held}
            held += [fact for fact in facts if fact.ref not in known]
            self.kinds[subject] = other.kinds[subject]
        self.clock = max(self.clock, other.clock)

    def rows(self, subject: DocId) -> list[Row]:
        return project(self.kinds[subject], subject, self.facts(subject))

    def table(self, subject: DocId, name: str) -> list[Any]:
        return [row for row in self.rows(subject) if name == row.TABLE]

    def patient(self, subject: DocId) -> Any:
        (row,) = self.table(subject, "patient")
        return row

    def history(self, subject: DocId) -> History:
        return History(subject, self.facts(subject))

    def _enter(self, draft: Draft, founded: DocId | None) -> tuple[DocId, list[FactRef]]:
        self.clock += 1
        seed = f"{self.name}/{self.clock}".encode()
        prefix = EntryPrefix(blake2b(seed, digest_size=16).digest())
        subject = draft.subject or founded
        doc = None if draft.founds_encounter else self._document(draft, subject)
        facts = list(draft.facts)
        if doc is None:
            facts.insert(0, opening(draft, subject, draft.encounter))
        doc_id = DocId(prefix) if doc is None else doc
        owner = DocId(subject or doc_id)
        refs = []
        for index, new in enumerate(facts):
            raw = encode_fact(new.kind, new.value, doc)
            self.sizes[int(new.kind)] = len(raw)
            fact = Fact(
                entry=int.from_bytes(prefix[:6]),
                index=index,
                prefix=prefix,
                kind=int(new.kind),
                record=decode_fact(new.kind, raw),
                doc=int.from_bytes(doc_id[:6]),
                doc_id=doc_id,
                lane=int(draft.lane),
                author=int.from_bytes(self.name.encode()[:6]),
                clock_ms=self.now_ms,
                order=(self.clock, prefix),
                standing=0,
                code_tag="34678",
                session=self.session,
                device=bytes(self.device),
            )
            assert fact.record is not None
            self.facts_by_subject.setdefault(owner, []).append(fact)
            if new in draft.facts:
                refs.append(fact.ref)
        self.kinds[owner] = int(draft.subject_kind)
        return owner, refs

    def _document(self, draft: Draft, subject: DocId | None) -> DocId | None:
        found = []
        for fact in self.facts(subject) if subject else ():
            about = opened(fact.record, fact.doc_id)
            if about and about.encounter == draft.encounter and fact.lane == draft.lane:
                found.append(fact.doc_id)
        return min(found, default=None)

    # View

    def patients_named(self, text: str) -> Sequence[PatientId]:
        return [p for p in self._patients() if text in (str(p), self.patient(p).code)]

    def patients_tagged(self, tag: str) -> Sequence[PatientId]:
        found = []
        for patient in self._patients():
            said = self.history(patient).now.get((None, 6), [])
            if any(tag in (each.value or ()) for each in said):
                found.append(patient)
        return found

    def encounter_patient(self, encounter: EncounterId) -> PatientId | None:
        for patient in self._patients():
            if any(row.id == encounter for row in self.table(patient, "encounter")):
                return patient
        return None

    def open_encounters(self, patient: PatientId) -> Sequence[EncounterId]:
        stays = [row for row in self.table(patient, "encounter") if row.closed_ms is None]
        stays.sort(key=lambda row: (row.opened_ms, row.id), reverse=True)
        return [EncounterId(row.id) for row in stays]

    def facts(self, subject: DocId) -> Sequence[Fact]:
        return self.facts_by_subject.get(subject, [])

    def subject_of(self, ref: FactRef) -> DocId | None:
        for subject, facts in self.facts_by_subject.items():
            if any(fact.ref == ref for fact in facts):
                return subject
        return None

    def sites(self) -> Sequence[SiteId]:
        return [SiteId(s) for s, kind in self.kinds.items() if kind == SubjectKind.SITE]

    @property
    def home_site(self) -> SiteId | None:
        return None

    @property
    def device(self) -> DeviceId:
        return DeviceId(blake2b(self.name.encode(), digest_size=32).digest())

    @property
    def organisation(self) -> str:
        return f"team {self.name}"

    def fresh_subject(self) -> bytes | None:
        return None

    @property
    def protects(self) -> bool:
        return True

    def next_code_no(self) -> int:
        return self.codes

    def rows_where(self, table: Any, column: str, value: object) -> Sequence[Any]:
        assert column in table.INDEXED
        return [
            row
            for subject in self.kinds
            for row in self.table(subject, table.TABLE)
            if getattr(row, column) == value
        ]

    def pack(self, name: str) -> Any:
        if name in ("schedule-routine", "schedule-outbreak"):
            return shipped_schedule(name)
        shipped = {"items": shipped_items, "vaccines": shipped_vaccines}
        return shipped[name]() if name in shipped else None

    def _patients(self) -> list[PatientId]:
        kinds = self.kinds.items()
        return [PatientId(subject) for subject, kind in kinds if kind == SubjectKind.PATIENT]


@dataclass(frozen=True)
class Written:
    """What one line came to."""

    subject: DocId
    refs: tuple[FactRef, ...]
    plan: Plan

    @property
    def id(self) -> str:
        return str(PatientId(self.subject))

    @property
    def fact(self) -> str:
        return str(self.refs[0])


FULL_PERSON: dict[str, Any] = {
    "family_name": "Nkurunziza",
    "given_name": "Aline Chantal",
    "other_names": "Bebe",
    "mother_name": "Marie Goretti",
    "sex": "female",
    "birth_date": "1991-05-17",
    "age": {"value": "34", "unit": "y"},
    "band": 4,
    "tags": ["B12"],
    "phone": "+25761234567",
    "village": "Gatumba",
    "district": "Mutimbuzi",
    "address": "Avenue du Lac 14",
    "nationality": "BDI",
    "language": "rn",
    "national_id": {"system": "CNI", "value": "0531/1234.567"},
    "occupation": "farmer",
    "next_of_kin": {"name": "Jean Bosco", "relation": "spouse", "phone": "+25769876543"},
    "consent": {"treat": "yes", "share": "no"},
    "guardian": "Pierre",
    "marks": "scar left brow",
    "household": "H-2231",
    "displacement": "displaced",
}
"""Every attribute of a person."""


def gather(shelves: Sequence[Shelf]) -> None:
    """Let everybody meet everybody, so that all hold the same."""
    for shelf in shelves:
        for other in shelves:
            if other is not shelf:
                shelf.receive(other)
