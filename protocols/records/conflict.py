"""Everything about a patient that is unsettled, each side of it a row, by how much it can harm."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from protocols.records.attributes import BY_NUMBER, ISOLATION, SEX, TRIAGE, Sex, words_of
from protocols.records.contested import RANK, Contest, Side, grouped, risk_of
from protocols.records.encounter import OUTCOMES, STRICTNESS, EncounterClose, closes
from protocols.records.history import History, Said, unsettled
from protocols.records.kinds import KindNo
from protocols.records.shape import Fact, Row
from protocols.records.triage import RANK as CAUTION
from protocols.records.wordlists import word_at

# fields, commands, apply: none of its own; each family says what settles it


# rows


class ConflictRow(Row, frozen=True, kw_only=True, gc=False):
    """One side of something unsettled; its author, device and time are those of the row."""

    TABLE: ClassVar[str] = "conflict"
    INDEXED: ClassVar[tuple[str, ...]] = ("patient",)
    patient: bytes
    encounter: bytes | None
    number: int
    """Sides with one number are of one conflict; counted from 1, the greatest risk first."""
    risk: str
    """One of `contested.RISKS`."""
    rank: int
    """Position there: the smaller, the more it can harm."""
    what: str
    """Name of the attribute, or of the family of records, as the risk is called."""
    of_what: str
    """The substance or condition; '' where there is only one."""
    value: str
    used: int
    """1: this side is used meanwhile."""


def rows(history: History, of_care: Sequence[Contest]) -> list[ConflictRow]:
    """Return one row for each side of everything unsettled; none where nothing is.

    Args:
        of_care: What the families of care say of it.
    """
    closed = len(history.of_kind.get(KindNo.ENCOUNTER_CLOSE, ())) > 1
    if not (of_care or history.contested or closed):
        return []
    found = [("", each) for each in of_care]
    found += [*_of_attributes(history), *_of_outcomes(history)]
    found.sort(key=lambda pair: RANK[pair[1].risk])
    return [
        ConflictRow(
            entry=side.fact.entry,
            idx=side.fact.index | number << 16,
            kind=side.fact.kind,
            standing=side.fact.standing,
            at_ms=side.fact.at_ms,
            supersedes=history.supersedes(side.fact),
            patient=history.subject,
            encounter=contest.encounter,
            number=number,
            risk=contest.risk,
            rank=RANK[contest.risk],
            what=what or contest.risk,
            of_what=contest.about,
            value=side.value,
            used=int(side.used),
        )
        for number, (what, contest) in enumerate(found, 1)
        for side in contest.sides
    ]


def _of_attributes(history: History) -> list[tuple[str, Contest]]:
    found = []
    for key in sorted(history.contested, key=lambda key: (key[1], key[0] or b"")):
        said = history.now[key]
        if not unsettled(said, key[1]):
            continue
        name = BY_NUMBER[key[1]].name if key[1] in BY_NUMBER else f"#{key[1]}"
        used = _used(key[1], said)
        sides = tuple(
            Side(words_of(key[1], one.value), one.fact, one.value == used) for one in said
        )
        found.append((name, Contest(risk_of(name), "", key[0], sides)))
    return found


def _used(number: int, said: Sequence[Said]) -> object:
    """Return the value that boards show meanwhile: the cautious one, else the latest."""
    values = [one.value for one in said]
    ranks: dict[int, Sequence[int]] = {
        TRIAGE: sorted(CAUTION, key=CAUTION.__getitem__),
        ISOLATION: [int(each) for each in STRICTNESS],
        SEX: [int(Sex.FEMALE_PREGNANT)],
    }
    cautious = next((value for value in ranks.get(number, ()) if value in values), None)
    return values[-1] if cautious is None else cautious


def _of_outcomes(history: History) -> list[tuple[str, Contest]]:
    """Return the encounters that were closed apart with different outcomes."""
    facts = history.of_kind.get(KindNo.ENCOUNTER_CLOSE, ())
    found = []
    for encounter in grouped(facts, lambda fact: history.encounter_of.get(fact.doc)):
        ending = closes(history, encounter)
        if len({_outcome(fact) for fact in ending}) > 1:
            sides = tuple(
                Side(word_at(_OUTCOMES, _outcome(fact)), fact, fact is ending[-1])
                for fact in ending
            )
            found.append(("outcome", Contest("outcome", "", encounter, sides)))
    return found


def _outcome(fact: Fact) -> int:
    assert isinstance(fact.record, EncounterClose)
    return fact.record.outcome


_OUTCOMES = tuple(word for word, _ in OUTCOMES)

# merge note: these rows follow from all others and are the same wherever the same is held. They go
# when the family they are of says that it is settled.
