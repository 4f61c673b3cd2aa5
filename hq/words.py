"""The words on the page, in the reader's language.

One TOML table per language; every language holds the same keys, a test sees to it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from markupsafe import Markup, escape

from protocols.records.display import clean_text

LANGUAGES = {"en": "English", "fr": "Français"}
"""Code and own name of every language, the default first."""


@dataclass(frozen=True, slots=True)
class Words:
    """One language's words."""

    language: str
    table: Mapping[str, str]

    def __call__(self, key: str, **values: object) -> Markup:
        """Return the words of a key, ready for the page; what is filled in is made safe.

        With `n` the key's `.one` or `.other` form is taken; French counts 0 as one.
        """
        if "n" in values and key not in self.table:
            one = values["n"] == 1 or (self.language == "fr" and values["n"] == 0)
            key = f"{key}.{'one' if one else 'other'}"
        safe = {name: _safe(value) for name, value in values.items()}
        return Markup(self.table[key].format(**safe))  # noqa: S704  our own words


@cache
def words(language: str) -> Words:
    """Return the words of a language, of English when we do not speak it."""
    known = language if language in LANGUAGES else next(iter(LANGUAGES))
    text = files("hq").joinpath("text", f"{known}.toml").read_text("utf-8")
    return Words(known, _flat(tomllib.loads(text)))


def preferred(cookie: str | None, accepted: str) -> str:
    """Return the language to answer in.

    Args:
        cookie: What the reader chose, if anything.
        accepted: The browser's Accept-Language header.
    """
    if cookie in LANGUAGES:
        return cookie
    for part in accepted[:200].split(","):
        code = part.split(";")[0].strip().lower()[:2]
        if code in LANGUAGES:
            return code
    return next(iter(LANGUAGES))


def _safe(value: object) -> Markup:
    return value if isinstance(value, Markup) else escape(clean_text(str(value)))


def _flat(table: Mapping[str, object], prefix: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for key, value in table.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = str(value)
    return flat
