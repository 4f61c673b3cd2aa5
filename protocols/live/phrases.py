"""The words of commands by which organisations meet: one TOML table a language, `text/*.toml`."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from protocols.records.display import clean_text

LANGUAGES = ("en", "fr")
VALUE_CHARS_MAX = 2000
"""Of one value in a sentence; longer ones end in an ellipsis."""
_ASKED = ("FIELDMESH_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
_FOLDER = Path(__file__).parent / "text"

Phrases = Mapping[str, Mapping[str, str]]


@cache
def phrases(language: str) -> Phrases:
    """Return the words of a language by table and key; of English when it is not one of ours."""
    known = language if language in LANGUAGES else LANGUAGES[0]
    with (_FOLDER / f"{known}.toml").open("rb") as file:
        return tomllib.load(file)


def spoken_language() -> str:
    """Return the language this person's environment asks for, English when it is none of ours."""
    asked = next((os.environ[name] for name in _ASKED if os.environ.get(name)), "")
    found = asked.partition("_")[0].partition(".")[0].lower()
    return found if found in LANGUAGES else LANGUAGES[0]


def phrase(table: str, key: str, **values: object) -> str:
    """Return one sentence in this person's language, with its values in place.

    Only a value may hold what a stranger wrote: it comes as one line that is only drawn.
    """
    shown = {
        name: clean_text(value, VALUE_CHARS_MAX) if isinstance(value, str) else value
        for name, value in values.items()
    }
    return phrases(spoken_language())[table][key].format(**shown)
