"""Closed lists of words whose positions are on the wire: they are only added to at the end."""

from __future__ import annotations

from protocols.errors import InputError


def position(text: str, words: tuple[str, ...], where: str) -> int:
    """Return the position of a word.

    Raises:
        InputError: `bad_value`, naming the words that would do.
    """
    if text not in words:
        raise InputError("bad_value", field=where, allowed=words)
    return words.index(text)


def word_at(words: tuple[str, ...], at: int) -> str:
    """Return the word at a position; `#n` when this software does not know it."""
    return words[at] if 0 <= at < len(words) else f"#{at}"
