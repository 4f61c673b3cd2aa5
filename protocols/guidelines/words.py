"""Clinical words: code to word per language, with how far each language has been checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

Words = Mapping[str, str]
"""Language, two letters, to the word or sentence."""

COMPLETE = ("en", "fr")
"""Languages that every word of a shipped pack has."""


class Word(NamedTuple):
    """A word as it can be shown."""

    text: str
    language: str
    """What it is written in; not what was asked for when that is lacking."""


def word(words: Words, language: str | tuple[str, ...], code: str = "") -> Word:
    """Return the word in a language, else in English, else the code itself.

    Args:
        words: By language.
        language: The reader's; of several the first that has a word.
        code: Shown where there is no word at all.
    """
    for found in (*((language,) if isinstance(language, str) else language), *COMPLETE):
        if words.get(found):
            return Word(words[found], found)
    return Word(code, "")


def lacking(words: Words) -> list[str]:
    """Return the languages that have to be there and are not."""
    return [language for language in COMPLETE if not words.get(language)]
