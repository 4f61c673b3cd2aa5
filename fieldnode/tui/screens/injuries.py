"""What hurt somebody and what was done already, by one digit each; or, of the first, in words."""

from __future__ import annotations

from dataclasses import dataclass

from fieldnode.tui.cores.fields import Answer, Reason
from fieldnode.tui.cores.picked import Item, Picked, coded
from fieldnode.tui.desk import Desk
from protocols.guidelines.vocabulary import word

INJURIES = (
    ("1", "injury-head-spine"),
    ("2", "injury-torso"),
    ("3", "injury-limb"),
    ("4", "burn"),
    ("5", "crush-injury"),
    ("6", "gunshot-wound"),
    ("7", "blast-injury"),
    ("8", "fracture-open"),
    ("9", "fracture-closed"),
    ("0", "injury-minor"),
)
TREATMENTS = (
    ("1", "tourniquet"),
    ("2", "dressing"),
    ("3", "plaster-splint"),
    ("4", "iv-access"),
    ("5", "chest-drain"),
    ("6", "surgical-airway"),
    ("7", "intubation"),
    ("8", "resuscitation"),
    ("9", "burn-dressing"),
)
"""Names in the vocabulary pack, which has their words."""


@dataclass(frozen=True, slots=True)
class Injury(Picked):
    """A digit, or words: nobody is asked whether the words mean a digit's row."""

    def unusual(self, answer: Answer) -> Reason | None:
        """Never asked about: one Enter saves."""
        return None

    def ends(self, text: str) -> bool:
        """Words are the last thing somebody types here; a digit goes on to what was done."""
        return bool(text) and not self.is_picked(text)


def injury_field(desk: Desk) -> Injury:
    """Return the field for what hurt somebody."""
    items = _items(desk, INJURIES)
    return Injury("problem", "field.injury", hint="triage.problem_hint", items=items, free=True)


def treatment_field(desk: Desk) -> Picked:
    """Return the field for what was done already."""
    items = _items(desk, TREATMENTS)
    return Picked("treatment", "field.done_already", hint="triage.problem_hint", items=items)


def injury_said(answer: Answer) -> str:
    """Return an injury as a record has it: its name in the pack, or what was typed."""
    code, text = coded(answer)
    return code or text


def _items(desk: Desk, rows: tuple[tuple[str, str], ...]) -> tuple[Item, ...]:
    languages = desk.words.languages
    return tuple(Item(digit, name, word(name, *languages) or name) for digit, name in rows)
