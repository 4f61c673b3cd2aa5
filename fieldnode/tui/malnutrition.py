"""What an upper arm and swollen feet come to, by the malnutrition pack that is in use.

Pure; the same run as the guideline's, so that a form never says another class than it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import msgspec

from fieldnode.text.catalogue import Catalogue
from fieldnode.tui.cores.display import Line, Span, line, wrap
from fieldnode.tui.cores.fields import Answer
from fieldnode.tui.scoring import Whom, readings
from protocols.guidelines.guideline import Guideline, Result, read_guideline
from protocols.guidelines.questions import Answers, Person, Question
from protocols.guidelines.running import run
from protocols.guidelines.words import word
from protocols.live.guidance import PackInUse
from protocols.records.display import clean_text

MEASURED = ("muac", "oedema")
"""Without one of these answered there is nothing to say."""

_ROLES = {"red": "bad", "yellow": "warn"}
GRAVEST = "red"
_CELLS = 78


def form_of(told: PackInUse) -> Guideline:
    """Return the pack as guidelines take it.

    Raises:
        SetupError: `bad_pack`.
    """
    return _form(told.text, told.approved_by)


def told_of(
    pack: Guideline, answers: Mapping[str, Answer], whom: Whom, words: Catalogue
) -> list[Line]:
    """Return the class in the pack's words, or what has to be known first; [] without a measure."""
    found = readings(answers)
    if not any(name in found for name in MEASURED):
        return []
    person = Person(whom.age, whom.pregnant, None, found)
    result, lacks = classed(pack, person)
    if result is None and lacks is None:
        return []
    if result is None:
        assert lacks is not None
        asks = clean_text(word(lacks.words, words.languages).text)
        return _rows(words("score.class_lacks", what=asks), "warn")
    caution = "" if pack.pack.approved else f"{words('protocols.not_approved')}  "
    said = clean_text(word(result.words, words.languages).text)
    return _rows(f"{caution}{said}", _ROLES.get(result.level, "plain"))


def refers(pack: Guideline, answers: Mapping[str, Answer], whom: Whom) -> bool:
    """Whether what was measured comes to a class of the gravest level: it is referred."""
    result, _ = classed(pack, Person(whom.age, whom.pregnant, None, readings(answers)))
    return result is not None and result.level == GRAVEST


def _rows(text: str, role: str) -> list[Line]:
    return [line(" ", Span(row, role)) for row in wrap(text, _CELLS)]


def classed(pack: Guideline, person: Person) -> tuple[Result | None, Question | None]:
    """Return what it comes to, or what is lacking.

    Where every answer to what is lacking comes to what is equally grave, it comes to the first.
    """
    progress = run(pack, {}, person)
    lacks = progress.next
    if progress.result is not None or lacks is None:
        return progress.result, None
    answers = [{lacks.id: choice.id} for choice in lacks.choices]
    found = [_result(pack, each, person) for each in answers]
    first = found[0] if found else None
    if first is not None and first.level and {one and one.level for one in found} == {first.level}:
        return first, None
    return None, lacks


def _result(pack: Guideline, answers: Answers, person: Person) -> Result | None:
    return run(pack, answers, person).result


@lru_cache(4)
def _form(text: str, approved_by: str) -> Guideline:
    found = read_guideline(text)
    head = msgspec.structs.replace(found.pack, approved_by=approved_by)
    return msgspec.structs.replace(found, pack=head)
