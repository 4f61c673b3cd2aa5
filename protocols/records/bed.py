"""Beds that somebody lay in and lies in no more: what lists know as free."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from protocols.ids import EncounterId
from protocols.records.attributes import BED, WARD
from protocols.records.display import clean_text
from protocols.records.encounter import EncounterRow
from protocols.records.history import History
from protocols.records.kinds import KindNo
from protocols.records.shape import Fact, Row

# fields, commands, apply: none of its own; a stay says where somebody lies

_SAY = (KindNo.ENCOUNTER_OPEN, KindNo.ENCOUNTER_MOVE)

# rows


class BedLeftRow(Row, frozen=True, kw_only=True, gc=False):
    """One bed that a stay was in before; of the statement that said so last."""

    TABLE: ClassVar[str] = "bed_left"
    patient: bytes
    encounter: bytes
    ward: str
    """'' where none was known at that time."""
    bed: str


def rows(history: History, stays: Sequence[EncounterRow]) -> list[BedLeftRow]:
    """Return one row for each bed of a stay that is not the one it is in; most stays have none."""
    said = [fact for kind in _SAY for fact in history.of_kind.get(kind, ())]
    if len(said) < 2:
        return []
    said.sort(key=lambda fact: (fact.order, fact.index))
    now = {stay.id: (stay.ward, stay.bed) for stay in stays}
    found: dict[tuple[EncounterId, str, str], BedLeftRow] = {}
    wards: dict[EncounterId, str] = {}
    for fact in said:
        stay = history.encounter_of.get(fact.doc)
        if stay is None or fact.standing or history.replaced(fact) == 2:
            continue
        stated = dict(fact.record.asserts()) if fact.record else {}
        if WARD in stated:
            wards[stay] = clean_text(stated[WARD] or "")
        place = (wards.get(stay, ""), clean_text(stated.get(BED) or ""))
        if place[1] and place != now.get(stay):
            found[(stay, *place)] = _row(history, fact, stay, place)
    return list(found.values())


def _row(history: History, fact: Fact, stay: EncounterId, place: tuple[str, str]) -> BedLeftRow:
    return BedLeftRow(
        entry=fact.entry,
        idx=fact.index,
        kind=fact.kind,
        standing=fact.standing,
        at_ms=fact.at_ms,
        patient=history.subject,
        encounter=stay,
        ward=place[0],
        bed=place[1],
    )


# merge note: these rows follow from the statements that stand, whatever became of them since: a bed
# that was left is there, and somebody may lie in it. One stated by mistake and taken back is not.
