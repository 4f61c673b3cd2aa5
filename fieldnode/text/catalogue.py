"""Every word a person sees, by key, one table for each language."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path

LANGUAGES = {"en": "English", "fr": "Français"}
"""Complete languages, each by its own name."""

FALLBACK = "en"
PSEUDO = "pseudo"

_FOLDER = Path(__file__).parent
_placeholder = re.compile(r"(\{[^{}]*\})")


class Catalogue:
    """The words of one language."""

    def __init__(self, language: str, words: dict[str, str]) -> None:
        self.language = language
        self._words = words

    def __call__(self, key: str, **values: object) -> str:
        """Return the sentence of a key with its values in place.

        Raises:
            KeyError: No language has this key: ours to mend, a test looks for it.
        """
        words = self._words.get(key)
        return (_read(FALLBACK)[key] if words is None else words).format(**values)

    def count(self, key: str, number: int, **values: object) -> str:
        """Return the sentence for so many: `key.one` or `key.many`."""
        # French says one of nothing, English many.
        alone = number == 1 or (number == 0 and self.language == "fr")
        return self(f"{key}.{'one' if alone else 'many'}", n=number, **values)

    def has(self, key: str) -> bool:
        """Whether there are words for a key that came from elsewhere, such as an error code."""
        return key in self._words or key in _read(FALLBACK)

    def help_of(self, page: str) -> str:
        """Return the help of a page, a line a key; '' for a page that has none."""
        known = self.language if self.language in LANGUAGES else FALLBACK
        text = _read(f"help.{known}").get(page, "")
        return _longer(text) if self.language == PSEUDO else text

    def keys(self) -> frozenset[str]:
        """All keys of this language."""
        return frozenset(self._words)


def load(language: str) -> Catalogue:
    """Return the words of a language; of English when the language is not one of ours."""
    known = language if language in LANGUAGES else FALLBACK
    return Catalogue(known, _read(known))


def pseudo() -> Catalogue:
    """Return English made 40 % longer with accents, to see what a long language breaks."""
    return Catalogue(PSEUDO, {key: _longer(words) for key, words in _read(FALLBACK).items()})


def language_of(locale: str) -> str:
    """Return our language for a POSIX locale such as `fr_BE.UTF-8`, or ''."""
    found = locale.partition("_")[0].partition(".")[0].lower()
    return found if found in LANGUAGES else ""


@cache
def _read(language: str) -> dict[str, str]:
    with (_FOLDER / f"{language}.toml").open("rb") as file:
        return dict(_flat(tomllib.load(file), ""))


def _flat(table: dict[str, object], prefix: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for name, value in table.items():
        if isinstance(value, dict):
            found += _flat(value, f"{prefix}{name}.")
        else:
            found.append((prefix + name, str(value)))
    return found


def _longer(words: str) -> str:
    accents = str.maketrans("aeiouAEIOU", "àéîöùÀÉÎÖÙ")
    parts = _placeholder.split(words)
    changed = [part if part.startswith("{") else part.translate(accents) for part in parts]
    plain = sum(len(part) for part in parts if not part.startswith("{"))
    return "".join(changed) + "~" * -(-plain * 2 // 5)
