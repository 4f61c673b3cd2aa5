"""All facts of one subject, read together: what is current, superseded, retracted, unsettled.

Currency is judged per attribute. A statement of fact F about attribute a is current unless a fact
that stands, is not itself entered in error and names F, states a too; or F is entered in error.
A fact that does not stand supersedes, retracts, settles and links nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from operator import attrgetter
from typing import Any, NamedTuple

from protocols.ids import DocId, EncounterId
from protocols.records.attributes import ENCOUNTER_FIRST, SEVERAL, SITE_FIRST, WHOLE_FIRST
from protocols.records.document import DocumentOpen
from protocols.records.kinds import KindNo
from protocols.records.shape import Fact, SubjectKind

Ref = tuple[bytes, int]
"""Entry prefix and index, as `FactRef`, but any bytes."""

ZERO = bytes(16)

_OPEN = int(KindNo.DOCUMENT_OPEN)
_SUBJECTS = frozenset(int(kind) for kind in SubjectKind)
_RETRACT = int(KindNo.ENTRY_RETRACT)
_place = attrgetter("order", "index")


class Said(NamedTuple):
    """One current statement of one attribute."""

    value: Any
    """None: stated to be empty."""
    fact: Fact


Key = tuple[EncounterId | None, int]
"""An attribute of the patient or site (None) or of one encounter."""


class History:
    """The facts of one subject and what they come to; the same for every order of arrival."""

    def __init__(self, subject: DocId, facts: Sequence[Fact], *, lenient: bool = False) -> None:
        """Read the facts of a subject.

        Args:
            subject: Id of the patient, site or unassigned result.
            facts: All facts of its documents, in any order.
            lenient: True lets facts that do not stand supersede too: for what is shown beside.
        """
        self.subject = subject
        self._lenient = lenient
        self.facts = sorted(facts, key=_place)
        self.encounter_of: dict[int, EncounterId | None] = {}
        """Local document number to the encounter it belongs to."""
        self.subject_kind = 0
        """As the readable document with the smallest id says; 0 while none does."""
        self.of_kind: dict[int, list[Fact]] = {}
        """Readable facts by kind, in display order."""
        self.unreadable: list[Fact] = []
        self.retracted: set[Ref] = set()
        self._superseded: dict[Ref, int] = {}
        self._masks: dict[Ref, int] = {}
        correcting = self._sort_out()
        if correcting:
            self._judge(correcting)

    def replaced(self, fact: Fact) -> int:
        """Return 0 current, 1 superseded as a whole, 2 entered in error."""
        ref = (fact.prefix, fact.index)
        if ref in self.retracted:
            return 2
        kind = _WHOLE.get(fact.kind, fact.kind)
        return self._superseded.get(ref, 0) >> WHOLE_FIRST + kind & 1

    def superseded(self, fact: Fact, attribute: int) -> bool:
        """Return whether what the fact says of this attribute is superseded."""
        return bool(self._superseded.get((fact.prefix, fact.index), 0) >> attribute & 1)

    @cached_property
    def now(self) -> dict[Key, list[Said]]:
        """Current statements that stand."""
        return self.current()

    @cached_property
    def beside(self) -> dict[Key, list[Said]]:
        """Current statements that do not stand: shown, marked, never counted."""
        if not any(fact.standing for fact in self.facts):
            return {}
        return History(self.subject, self.facts, lenient=True).current(standing=False)

    @property
    def alive(self) -> bool:
        """Whether any readable fact stands and is not entered in error."""
        retracted = self.retracted
        return any(
            fact.standing == 0 and (fact.prefix, fact.index) not in retracted
            for facts in self.of_kind.values()
            for fact in facts
            if fact.kind != _RETRACT
        )

    @cached_property
    def of_encounter(self) -> dict[EncounterId, list[Fact]]:
        """Readable facts by encounter, in display order; not the facts that open documents."""
        found: dict[EncounterId, list[Fact]] = {}
        if any(self.encounter_of.values()):
            for fact in self.facts:
                encounter = self.encounter_of.get(fact.doc)
                if encounter is not None and fact.record is not None and fact.kind != _OPEN:
                    found.setdefault(encounter, []).append(fact)
        return found

    def current(self, *, standing: bool = True) -> dict[Key, list[Said]]:
        """Return the current statements of every attribute, oldest first.

        Args:
            standing: False reads the facts that do not stand instead; they supersede nothing.
        """
        found: dict[Key, list[Said]] = {}
        retracted, superseded, encounter_of = self.retracted, self._superseded, self.encounter_of
        for fact in self.facts:
            record = fact.record
            if record is None or (fact.standing == 0) is not standing:
                continue
            said = record.asserts()
            if not said:
                continue
            ref = (fact.prefix, fact.index)
            if ref in retracted:
                continue
            gone = superseded.get(ref, 0)
            encounter = encounter_of.get(fact.doc)
            for number, value in said:
                if gone and gone >> number & 1:
                    continue
                key = (encounter if ENCOUNTER_FIRST <= number < SITE_FIRST else None, number)
                if key in found:
                    found[key].append(Said(value, fact))
                else:
                    found[key] = [Said(value, fact)]
        return found

    def references(self, fact: Fact) -> list[Ref]:
        """Return the facts that this one names, with short forms written out."""
        assert fact.record is not None
        return [
            (prefix or fact.doc_id, index)
            for prefix, index in fact.record.supersedes
            if prefix != ZERO
        ]

    def supersedes(self, fact: Fact) -> bytes | None:
        """Return the named facts as the row column holds them: 18 bytes each, or None."""
        if fact.record is None or not fact.record.supersedes:
            return None
        return b"".join(
            (fact.prefix if prefix == ZERO else prefix or fact.doc_id)
            + (index & 0xFFFF).to_bytes(2)
            for prefix, index in fact.record.supersedes
        )

    def _sort_out(self) -> list[Fact]:
        """Group by kind, place documents in encounters; return the facts that correct others."""
        correcting = []
        smallest = b"\xff" * 17
        of_kind, encounter_of = self.of_kind, self.encounter_of
        for fact in self.facts:
            record = fact.record
            if record is None:
                self.unreadable.append(fact)
                continue
            kind = fact.kind
            if kind == _OPEN:
                if fact.index == 0 and bytes(fact.prefix) == fact.doc_id:
                    assert isinstance(record, DocumentOpen)
                    encounter_of[fact.doc] = record.encounter_id(fact.doc_id)
                    if record.subject_kind in _SUBJECTS and fact.doc_id <= smallest:
                        smallest = fact.doc_id
                        self.subject_kind = record.subject_kind
                continue
            if kind in of_kind:
                of_kind[kind].append(fact)
            else:
                of_kind[kind] = [fact]
            if record.supersedes and (fact.standing == 0 or self._lenient):
                correcting.append(fact)
        return correcting

    def _judge(self, correcting: list[Fact]) -> None:
        """Work out retractions, then supersession by what is left."""
        by_ref: dict[Ref, Fact] = {(fact.prefix, fact.index): fact for fact in correcting}
        self._retract([fact for fact in correcting if fact.kind == _RETRACT])
        for ref, fact in by_ref.items():
            if ref not in self.retracted and fact.kind != _RETRACT:
                self._supersede(fact, self._mask(fact), by_ref)

    def _retract(self, retractions: list[Fact]) -> None:
        """Latest cause first: a retraction that is itself retracted has no effect.

        A fact can only name facts that were there before it, so the naming has no cycle.
        """
        named: dict[Ref, list[Ref]] = {}
        for fact in retractions:
            for target in self.references(fact):
                named.setdefault(target, []).append((fact.prefix, fact.index))
        verdicts: dict[Ref, bool] = {}
        for target in named:
            if _is_retracted(target, named, verdicts):
                self.retracted.add(target)

    def _supersede(self, fact: Fact, mask: int, by_ref: dict[Ref, Fact]) -> None:
        """Mark what `fact` names, and through facts entered in error what those named.

        Somebody who corrected B after B had corrected A has seen that A is no longer true; taking
        B back later must not bring A back beside the new value.
        """
        open_refs = [(ref, mask) for ref in self.references(fact) if ref[0] != fact.prefix]
        seen: dict[Ref, int] = {}
        while open_refs:
            ref, bits = open_refs.pop()
            if not bits & ~seen.get(ref, 0):
                continue
            seen[ref] = seen.get(ref, 0) | bits
            self._superseded[ref] = self._superseded.get(ref, 0) | bits
            between = by_ref.get(ref)
            if between is not None and ref in self.retracted:
                through = bits & self._mask(between)
                open_refs += [(further, through) for further in self.references(between)]

    def _mask(self, fact: Fact) -> int:
        """Return one bit for each attribute the fact states, and one for its kind as a whole."""
        ref = (fact.prefix, fact.index)
        known = self._masks.get(ref)
        if known is None:
            assert fact.record is not None
            known = 1 << WHOLE_FIRST + _WHOLE.get(fact.kind, fact.kind)
            for number, _ in fact.record.asserts():
                known |= 1 << number
            self._masks[ref] = known
        return known


_WHOLE = {int(KindNo.PATIENT_UNLINK): int(KindNo.PATIENT_LINK)}
"""Kinds that replace each other as a whole."""


def unsettled(said: Sequence[Said], number: int) -> bool:
    """Return whether several different values are current."""
    if len(said) < 2 or number in SEVERAL:
        return False
    first = said[0].value
    return any(other.value != first for other in said)


def _is_retracted(target: Ref, named: dict[Ref, list[Ref]], verdicts: dict[Ref, bool]) -> bool:
    """Return whether a retraction that is not itself retracted names the target.

    Walked with a list of open questions, since a chain of undo and redo may be long.
    """
    asked = [target]
    while asked:
        ref = asked[-1]
        waiting = [by for by in named.get(ref, ()) if by in named and by not in verdicts]
        waiting = [by for by in waiting if by != ref and by[0] != ref[0] and by not in asked]
        if waiting:
            asked += waiting[:1]
            continue
        asked.pop()
        verdicts[ref] = any(
            not verdicts.get(by, False) for by in named.get(ref, ()) if by[0] != ref[0]
        )
    return verdicts[target]
