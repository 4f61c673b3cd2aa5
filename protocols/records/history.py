"""All facts of one subject, read together: what is current, superseded, retracted, unsettled.

Currency is judged per attribute. A statement of fact F about attribute a is current unless a fact
that stands, is not itself entered in error and names F, states a too; or F is entered in error.
A fact that does not stand supersedes, retracts, settles and links nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

import msgspec

from protocols.ids import PREFIX_BYTES, DocId, EncounterId
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
_SAID_OF_OTHERS = frozenset((_OPEN, _RETRACT))
_place = attrgetter("order", "index")


class InOrder(list[Fact]):
    """Facts that whoever gathered them has put in display order: they are not sorted again."""

    history: History | None = None
    """As last read. Whoever gathers them drops it where it is not worth its room, `KEPT_FROM`."""


KEPT_FROM = 64
"""Facts from which on what a subject comes to is kept: it is asked before a record is written, and
it is what was written last. Of fewer it is kept until they are written about or another subject is
looked at."""


class Said(msgspec.Struct, frozen=True, gc=False):
    """One current statement of one attribute."""

    value: Any
    """None: stated to be empty."""
    fact: Fact


Key = tuple[EncounterId | None, int]
"""An attribute of the patient or site (None) or of one encounter."""

_KEYS: list[Key | None] = [
    None if ENCOUNTER_FIRST <= number < SITE_FIRST else (None, number)
    for number in range(WHOLE_FIRST)
]
"""By attribute number; None where the key takes an encounter."""


_WHOLE = {
    int(KindNo.PATIENT_UNLINK): int(KindNo.PATIENT_LINK),
    int(KindNo.LOT_RELEASE): int(KindNo.LOT_QUARANTINE),
}
"""Kinds that replace each other as a whole."""


class History:
    """The facts of one subject and what they come to; the same for every order of arrival."""

    def __init__(self, subject: DocId, facts: Sequence[Fact], *, lenient: bool = False) -> None:
        """Read the facts of a subject.

        Args:
            subject: Id of the patient, site or unassigned result.
            facts: All facts of its documents, in any order.
            lenient: True reads what is shown beside: the statements of facts that do not stand,
                which here supersede too.
        """
        self.subject = subject
        self.facts = facts if isinstance(facts, InOrder) else sorted(facts, key=_place)
        self.encounter_of: dict[int, EncounterId | None] = {}
        """Local document number to the encounter it belongs to."""
        self.subject_kind = 0
        """As the readable document with the smallest id says; 0 while none does."""
        self.of_kind: dict[int, list[Fact]] = {}
        """Readable facts by kind, in display order."""
        self.unreadable: list[Fact] = []
        self.retracted: set[Ref] = set()
        self.now: dict[Key, list[Said]] = {}
        """Current statements that stand, by attribute, oldest first."""
        self.contested: dict[Key, None] = {}
        """Attributes with several current statements, equal ones too."""
        self.beside: dict[Key, list[Said]] = {}
        """Current statements that do not stand: shown, marked, never counted."""
        self.worked_out: dict[type, Any] = {}
        """What families made of it, by what it is."""
        self._superseded: dict[Ref, int] = {}
        correcting, marked = self._sort_out(lenient)
        if correcting:
            self._judge(correcting)
        self._collect(standing=not lenient)
        if marked and not lenient:
            self.beside = History(subject, facts, lenient=True).now

    def grown(self, facts: InOrder, came: Sequence[Fact]) -> History | None:
        """Return what these facts come to, which are those read here and then what came.

        None where what came corrects, retracts, opens or does not stand, or where something here
        speaks of it already: all of them have to be read anew.
        """
        gone, retracted = self._superseded, self.retracted
        for fact in came:
            record, ref = fact.record, (fact.prefix, fact.index)
            if record is None or record.supersedes or fact.standing or fact.kind in _SAID_OF_OTHERS:
                return None
            if ref in gone or ref in retracted or (retracted and hasattr(record, "cause")):
                return None
        new = History.__new__(History)
        # What came changes none of the rest.
        vars(new).update(vars(self), facts=facts, worked_out={})
        new.of_kind, new.now, new.contested = {**self.of_kind}, {**self.now}, {**self.contested}
        for fact in came:
            assert fact.record is not None
            new.of_kind[fact.kind] = [*new.of_kind.get(fact.kind, ()), fact]
            for number, value in fact.record.asserts():
                key = _KEYS[number] or (new.encounter_of.get(fact.doc), number)
                if key in new.now:
                    new.contested[key] = None
                new.now[key] = [*new.now.get(key, ()), Said(value, fact)]
        return new

    def replaced(self, fact: Fact) -> int:
        """Return 0 current, 1 superseded as a whole, 2 entered in error."""
        if not self._superseded and not self.retracted:
            return 0
        ref = (fact.prefix, fact.index)
        if ref in self.retracted:
            return 2
        kind = _WHOLE.get(fact.kind, fact.kind)
        return self._superseded.get(ref, 0) >> WHOLE_FIRST + kind & 1

    def superseded(self, fact: Fact, attribute: int) -> bool:
        """Return whether what the fact says of this attribute is superseded."""
        return bool(self._superseded.get((fact.prefix, fact.index), 0) >> attribute & 1)

    @property
    def alive(self) -> bool:
        """Whether any readable fact stands and is not entered in error."""
        retracted = self.retracted
        return any(
            fact.standing == 0 and (fact.prefix, fact.index) not in retracted
            for kind, facts in self.of_kind.items()
            if kind != _RETRACT
            for fact in facts
        )

    def of_encounters(self) -> dict[EncounterId, list[Fact]]:
        """Return readable facts by encounter, in display order; not those that open documents."""
        found: dict[EncounterId, list[Fact]] = {}
        if any(self.encounter_of.values()):
            for fact in self.facts:
                encounter = self.encounter_of.get(fact.doc)
                if encounter is not None and fact.record is not None and fact.kind != _OPEN:
                    found.setdefault(encounter, []).append(fact)
        return found

    def supersedes(self, fact: Fact) -> bytes | None:
        """Return the named facts as the row column holds them: 18 bytes each, or None."""
        if fact.record is None or not fact.record.supersedes:
            return None
        return b"".join(
            (fact.prefix if prefix == ZERO else prefix or fact.doc_id)
            + (index & 0xFFFF).to_bytes(2)
            for prefix, index in fact.record.supersedes
            if len(prefix) in (0, PREFIX_BYTES)
        )

    def _sort_out(self, lenient: bool) -> tuple[list[Fact], bool]:
        """Group by kind and place documents in encounters.

        Returns:
            The facts that correct others, and whether some do not stand.
        """
        correcting: list[Fact] = []
        marked = False
        smallest = b"\xff" * 17
        of_kind = self.of_kind
        for fact in self.facts:
            record, kind = fact.record, fact.kind
            if record is None:
                self.unreadable.append(fact)
            elif kind == _OPEN:
                if fact.index == 0 and bytes(fact.prefix) == fact.doc_id:
                    assert isinstance(record, DocumentOpen)
                    self.encounter_of[fact.doc] = record.encounter_id(fact.doc_id)
                    if fact.doc_id <= smallest and record.subject_kind in _SUBJECTS:
                        smallest, self.subject_kind = fact.doc_id, record.subject_kind
            else:
                if kind in of_kind:
                    of_kind[kind].append(fact)
                else:
                    of_kind[kind] = [fact]
                stands = fact.standing == 0
                marked = marked or not stands
                if record.supersedes and (stands or lenient):
                    correcting.append(fact)
        return correcting, marked

    def _collect(self, standing: bool) -> None:
        """Gather the current statements of every attribute."""
        now, contested = self.now, self.contested
        retracted, superseded, encounter_of = self.retracted, self._superseded, self.encounter_of
        for fact in self.facts:
            record = fact.record
            if record is None or (fact.standing == 0) is not standing:
                continue
            asserted = record.asserts()
            if not asserted:
                continue
            ref = (fact.prefix, fact.index)
            if ref in retracted:
                continue
            gone = superseded.get(ref, 0)
            for number, value in asserted:
                if gone and gone >> number & 1:
                    continue
                key = _KEYS[number] or (encounter_of.get(fact.doc), number)
                if key in now:
                    now[key].append(Said(value, fact))
                    contested[key] = None
                else:
                    now[key] = [Said(value, fact)]

    def _judge(self, correcting: list[Fact]) -> None:
        """Work out retractions, then supersession by what is left."""
        self._retract([fact for fact in correcting if fact.kind == _RETRACT])
        retracted, superseded = self.retracted, self._superseded
        for fact in correcting:
            if fact.kind == _RETRACT or (retracted and (fact.prefix, fact.index) in retracted):
                continue
            mask = _mask(fact)
            for ref in _references(fact):
                superseded[ref] = superseded.get(ref, 0) | mask
        if retracted:
            self._reach_through(correcting)

    def _retract(self, retractions: list[Fact]) -> None:
        """Find what is entered in error; a retraction that is itself retracted has no effect.

        One that says again what a record of another subject says is taken for that record, and what
        follows from a record goes with it, though the record is not here: so that whatever arrives
        first, a dose taken back takes nothing from a store.
        """
        said_by: dict[Ref, Ref] = {
            (fact.prefix, fact.index): fact.record.of  # type: ignore[union-attr]
            for fact in retractions
            if getattr(fact.record, "of", None) is not None
        }
        named: dict[Ref, list[Ref]] = {}
        for fact in retractions:
            own = (fact.prefix, fact.index)
            for target in _references(fact):
                named.setdefault(said_by.get(target, target), []).append(said_by.get(own, own))
        verdicts: dict[Ref, bool] = {}
        retracted = self.retracted
        for target in named:
            if _is_retracted(target, named, verdicts):
                retracted.add(target)
        if retracted:
            retracted |= {own for own, of in said_by.items() if of in retracted}
            for fact in self.facts:
                if getattr(fact.record, "cause", None) in retracted:
                    retracted.add((fact.prefix, fact.index))

    def _reach_through(self, correcting: list[Fact]) -> None:
        """Carry supersession on through facts entered in error, to what those had superseded.

        Somebody who corrected B after B had corrected A has seen that A is no longer true; taking
        B back later must not bring A back beside the new value.
        """
        superseded = self._superseded
        # Causes come before effects in this order only while clocks agree, so: until nothing moves.
        between = [
            (fact, _mask(fact))
            for fact in reversed(correcting)
            if (fact.prefix, fact.index) in self.retracted
        ]
        moved = True
        while moved:
            moved = False
            for fact, mask in between:
                through = superseded.get((fact.prefix, fact.index), 0) & mask
                for ref in _references(fact) if through else ():
                    held = superseded.get(ref, 0)
                    if through & ~held:
                        superseded[ref] = held | through
                        moved = True


def history_of(subject: DocId, facts: Sequence[Fact]) -> History:
    """Return all facts of a subject read together, only once while nothing is new."""
    if not isinstance(facts, InOrder):
        return History(subject, facts)
    if facts.history is None or facts.history.subject != subject:
        facts.history = History(subject, facts)
    return facts.history


def unsettled(said: Sequence[Said], number: int) -> bool:
    """Return whether several different values are current."""
    if len(said) < 2 or number in SEVERAL:
        return False
    first = said[0].value
    return any(other.value != first for other in said)


def _references(fact: Fact) -> list[Ref]:
    """Return the facts that this one names, short forms written out; never one of its own entry."""
    assert fact.record is not None
    own, document = fact.prefix, fact.doc_id
    return [
        (prefix or document, index)
        for prefix, index in fact.record.supersedes
        if prefix != ZERO and (prefix or document) != own
    ]


def _mask(fact: Fact) -> int:
    """Return one bit for each attribute the fact states, and one for its kind as a whole."""
    assert fact.record is not None
    mask = 1 << WHOLE_FIRST + _WHOLE.get(fact.kind, fact.kind)
    for number, _ in fact.record.asserts():
        mask |= 1 << number
    return mask


def _is_retracted(target: Ref, named: dict[Ref, list[Ref]], verdicts: dict[Ref, bool]) -> bool:
    """Return whether a retraction that is not itself retracted names the target.

    Nothing can name what comes after it, so only a forged naming has a cycle; it ends. Walked with
    a list of open questions, since a chain of undo and redo may be long.
    """
    asked, met = [target], {target}
    while asked:
        ref = asked[-1]
        open_question = next((by for by in named[ref] if by in named and by not in verdicts), None)
        if open_question is not None and open_question not in met:
            asked.append(open_question)
            met.add(open_question)
            continue
        asked.pop()
        verdicts[ref] = any(not verdicts.get(by, False) for by in named[ref])
    return verdicts[target]
