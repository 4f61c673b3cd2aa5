"""Every word a person sees, by key, one table for each language."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from fieldnode.text import languages
from fieldnode.text.plurals import every_form, forms

LANGUAGES = {code: language.name for code, language in languages.LANGUAGES.items()}
"""Languages that can be chosen, each by its own name."""

COMPLETE = ("en", "fr")
"""Languages that have every word: what another one lacks is said in one of these."""

CRITICAL_TABLES = frozenset(
    {"age", "unit", "sex", "band", "acvpu", "absent", "count", "drill", "obs", "saved",
     "saved_long", "form", "confirm"}
)  # fmt: skip
"""Tables in which no word of a language may be lacking: half of a refusal is no refusal."""

CRITICAL_KEYS = frozenset(
    {
        *(f"triage.{one}" for one in ("none", "red", "yellow", "green", "expectant", "dead",
                                      "dead_sure", "tag_known", "tag_several", "scan_other")),
        *(f"error.{one}" for one in ("bad_code", "bad_date", "bad_number", "bad_text", "bad_time",
                                     "bad_value", "confirm_needed", "empty", "future_date",
                                     "grouping_mark", "impossible", "locked",
                                     "looks_centimetres", "looks_fahrenheit", "missing_field",
                                     "not_taken", "not_writable", "out_of_range",
                                     "reason_needed", "too_long", "too_precise", "unit_refused",
                                     "disk_full", "disk_failed", "unnamed")),
    }
)  # fmt: skip
"""Single words of which the same holds: categories, and why a value was refused."""

FALLBACK = "en"
PSEUDO = "pseudo"

_COUNTED = every_form(FALLBACK)
_FOLDER = Path(__file__).parent
_placeholder = re.compile(r"(\{[^{}]*\})")


class Catalogue:
    """The words of one language, and of a second one for what it lacks."""

    def __init__(
        self, language: str, words: Mapping[str, str], second: Catalogue | None = None
    ) -> None:
        """Speak a language.

        Args:
            language: Its code.
            words: By key; some may be lacking.
            second: Says what is lacking; English when None.
        """
        self.language = language
        self._words = words
        self._second = second

    def __call__(self, key: str, **values: object) -> str:
        """Return the sentence of a key with its values in place.

        Raises:
            KeyError: No language has this key: ours to mend, a test looks for it.
        """
        for one in self._chain():
            words = one._words.get(key)
            if words is not None:
                return words.format(**values)
        raise KeyError(key)

    def count(self, key: str, number: int, **values: object) -> str:
        """Return the sentence for so many, in the form that the language has for the number."""
        for one in self._chain():
            for form in forms(one.language, number):
                words = one._words.get(f"{key}.{form}")
                if words is not None:
                    return words.format(n=number, **values)
        raise KeyError(key)

    def has(self, key: str) -> bool:
        """Whether there are words for a key that came from elsewhere, such as an error code."""
        return any(key in one._words for one in self._chain())

    def help_of(self, page: str) -> str:
        """Return the help of a page, a line a key; '' for a page that has none."""
        told = (_help(one.language).get(page, "") for one in self._chain())
        text = next(filter(None, told), "")
        return _longer(text) if self.language == PSEUDO else text

    def keys(self) -> frozenset[str]:
        """All keys of this language."""
        return frozenset(self._words)

    @property
    def languages(self) -> tuple[str, ...]:
        """In which languages something is said, the preferred one first."""
        return tuple(one.language for one in self._chain())

    @property
    def choice(self) -> str:
        """What was chosen, as it is kept: `es`, or `es:fr` with the language for what it lacks."""
        return ":".join(dict.fromkeys(self.languages[:2])) if self._second else self.language

    @property
    def draft(self) -> bool:
        """Whether words of this language wait for somebody to review them."""
        if self.language not in LANGUAGES:
            return False
        told = status_table(self.language)
        excepted = told.get("except", [])
        states = {told.get("default", "draft")}
        states |= {one.get("state") for one in excepted if isinstance(one, dict)}
        return not states <= {"own words", "reviewed"}

    def _chain(self) -> Iterator[Catalogue]:
        """Yield this one, the second, and English."""
        yield self
        if self._second is not None:
            yield self._second
        if FALLBACK not in (self.language, self._second and self._second.language):
            yield Catalogue(FALLBACK, _read(FALLBACK))


def load(choice: str) -> Catalogue:
    """Return the words of a choice, `es` or `es:fr`; of English when the language is not ours.

    A language that lacks a critical word is not spoken: its second one is.
    """
    language, _, second = choice.partition(":")
    behind = None
    if second in COMPLETE and second != language:
        behind = Catalogue(second, _read(second))
    if language not in LANGUAGES or lacking(language):
        return behind or Catalogue(FALLBACK, _read(FALLBACK))
    return Catalogue(language, _read(language), behind)


def drawable(choice: str, term: str, encoding: str) -> Catalogue:
    """Return the words for a terminal: of the second language where it cannot draw the first."""
    language, _, second = choice.partition(":")
    if language in LANGUAGES and languages.hindrance(language, term, encoding):
        # English needs no letter that some terminal has not.
        known = second in COMPLETE and not languages.hindrance(second, term, encoding)
        return load(second if known else FALLBACK)
    return load(choice)


def on_label(words: Catalogue) -> Catalogue:
    """Return the words for a wristband or receipt: printers' fonts are sure of Latin letters alone.

    What they lack would come out as signs that nobody can read, an allergy among them.
    """
    spoken = languages.LANGUAGES.get(words.language)
    if spoken is None or spoken.script == "Latn":
        return words
    return load(words.languages[1])


def pseudo() -> Catalogue:
    """Return English made 40 % longer with accents, to see what a long language breaks."""
    return Catalogue(PSEUDO, {key: _longer(words) for key, words in _read(FALLBACK).items()})


def language_of(locale: str) -> str:
    """Return our language for a POSIX locale such as `fr_BE.UTF-8`, or ''.

    Only a complete one: a draft is spoken to those alone who chose it.
    """
    found = locale.partition("_")[0].partition(".")[0].lower()
    return found if found in COMPLETE else ""


def lacking(language: str) -> frozenset[str]:
    """Return the critical words that a language has not; empty for one that can be spoken."""
    return frozenset() if language in COMPLETE else missing(language, _read(language))


def missing(language: str, words: Mapping[str, str]) -> frozenset[str]:
    """Return the critical words that are not among these, each in every form of the language."""
    return frozenset(key for key in critical() if not _among(words, language, key))


def critical() -> frozenset[str]:
    """Return the keys that a language must have before anybody can choose it."""
    tabled = {key for key in _read(FALLBACK) if key.partition(".")[0] in CRITICAL_TABLES}
    return CRITICAL_KEYS | tabled


def said(language: str, key: str) -> bool:
    """Whether a language has words for a key of English, in each of its forms where it counts."""
    return _among(_read(language), language, key)


def tables() -> dict[str, tuple[str, ...]]:
    """Return the keys of English by the table they stand in."""
    found: dict[str, list[str]] = {}
    for key in _read(FALLBACK):
        found.setdefault(key.partition(".")[0], []).append(key)
    return {name: tuple(keys) for name, keys in found.items()}


def status_table(language: str) -> Mapping[str, Any]:
    """Return what a language's file says about itself, as it stands there."""
    found = _parsed(language).get("status")
    return found if isinstance(found, dict) else {}


def _among(words: Mapping[str, str], language: str, key: str) -> bool:
    stem, _, form = key.rpartition(".")
    if form in ("one", "many") and all(f"{stem}.{each}" in _read(FALLBACK) for each in _COUNTED):
        return all(f"{stem}.{each}" in words for each in every_form(language))
    return key in words


@cache
def _read(language: str) -> dict[str, str]:
    tabled = {name: value for name, value in _parsed(language).items() if name != "status"}
    return dict(_flat(tabled, ""))


@cache
def _help(language: str) -> dict[str, str]:
    known = FALLBACK if language == PSEUDO else language
    path = _FOLDER / f"help.{known}.toml"
    return dict(_flat(tomllib.loads(path.read_text("utf-8")), "")) if path.exists() else {}


@cache
def _parsed(language: str) -> dict[str, object]:
    with (_FOLDER / f"{language}.toml").open("rb") as file:
        return tomllib.load(file)


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
