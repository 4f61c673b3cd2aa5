"""Codes of guideline packs in a timeline, with the pack's own words for them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import msgspec

from protocols.errors import SetupError
from protocols.guidelines.guideline import Guideline, read_guideline
from protocols.ledger import packs
from protocols.ledger.book import Ledger
from protocols.ledger.packs import HeldPack
from protocols.live.api import ChartLine
from protocols.records.display import clean_text
from protocols.records.guideline import GuidelineStep
from protocols.records.shape import Fact

Words = dict[str, dict[str, str]]
"""Code as the record has it, to its words by language."""


def worded(
    ledger: Ledger, facts: Sequence[Fact], lines: Sequence[ChartLine]
) -> tuple[ChartLine, ...]:
    """Return the lines of some facts, each with the words of its codes.

    They are those of the very version it was done by, or, where that is not here, of the one in
    use. Packs are looked up only where a line names one.
    """
    if not any(isinstance(fact.record, GuidelineStep) for fact in facts):
        return tuple(lines)
    held = packs.held(ledger)
    return tuple(
        msgspec.structs.replace(line, codes=_codes(held, fact.record))
        if isinstance(fact.record, GuidelineStep)
        else line
        for fact, line in zip(facts, lines, strict=True)
    )


def _codes(held: Sequence[HeldPack], record: GuidelineStep) -> Words:
    named = [one for one in held if one.name == record.name]
    same = [one.text for one in named if one.digest == record.digest]
    texts = same or [one.text for one in named if one.usable] or [""]
    pack = _guideline(texts[0])
    if pack is None:
        return {}
    found = {one.id: one.words for one in pack.step if one.id == record.step}
    found |= {one.id: one.words for one in pack.result if one.id == record.result}
    found |= {one.id: one.words for one in pack.stop if one.id == record.result}
    return {clean_text(f"{record.name} {record.version}"): pack.guideline.words} | found


@lru_cache(64)
def _guideline(text: str) -> Guideline | None:
    try:
        return read_guideline(text) if text else None
    except (SetupError, msgspec.DecodeError):
        return None
