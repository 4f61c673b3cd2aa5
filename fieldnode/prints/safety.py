"""What stands on every print about somebody: allergies, in the reader's words (SAFETY 12)."""

from __future__ import annotations

from fieldnode.prints.wristband import Wristband
from fieldnode.text.catalogue import Catalogue
from fieldnode.tui.cores.display import text_of
from fieldnode.tui.wording import ALLERGY, age, name, safety_line, sex, value_text
from protocols.live.api import BoardLine
from protocols.records.display import clean_text

WHOLE_CELLS = 400
"""Room for all of it: a sheet breaks lines by itself."""


def allergies(words: Catalogue, head: BoardLine) -> str:
    """Return what somebody reacts to, that nothing is known, or that nobody asked."""
    state = head.allergy if head.allergy in (1, 2) else 0
    listed = "; ".join(value_text(words, part) for part in head.allergies.split("; "))
    said = clean_text(words(ALLERGY[state], what=listed), WHOLE_CELLS)
    return " ".join((said, words("chart.allergy_open"))) if head.allergy_open else said


def whole(words: Catalogue, head: BoardLine) -> str:
    """Return allergies and, where something was said of it, who has the patient."""
    return " ".join(text_of(safety_line(words, head, WHOLE_CELLS)).split())


def band_of(words: Catalogue, head: BoardLine, *, exercise: str = "") -> Wristband:
    """Return the wristband of a patient as a board or chart has them."""
    about = f"{age(words, clean_text(head.age)) or words('age.unknown')}  {sex(words, head.sex)}"
    return Wristband(
        clean_text(head.code),
        name(words, head.name),
        clean_text(head.tag),
        about,
        allergies(words, head),
        exercise,
    )
