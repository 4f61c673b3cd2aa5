"""The languages there are words in, their scripts, and whether a terminal can draw them."""

from __future__ import annotations

from typing import Literal, NamedTuple

Hindrance = Literal["", "right_to_left", "encoding", "console"]
"""Why a terminal cannot draw a language; '' when nothing is known against it."""


class Language(NamedTuple):
    """A language as its speakers and its script name it."""

    name: str
    """Its own."""
    latin: str
    """In letters that every terminal has."""
    script: str
    """ISO 15924."""
    sample: str
    """Letters that its words need beyond ASCII."""
    right_to_left: bool = False


LANGUAGES = {
    "en": Language("English", "English", "Latn", ""),
    "fr": Language("Français", "Francais", "Latn", "éèêàçôîûùÉÀ"),
    "es": Language("Español", "Espanol", "Latn", "áéíóúñü¿¡Ñ"),
    "pt": Language("Português", "Portugues", "Latn", "ãõáéíóúçâêô"),
    "uk": Language("Українська", "Ukrainian", "Cyrl", "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя"),
    "ar": Language("العربية", "Arabic", "Arab", "ابتثجحخدذرزسشصضطظعغفقكلمنهوي", True),
}
"""By code, in the order they are offered."""

CONSOLE_LACKS = frozenset({"Arab", "Hans", "Jpan", "Kore", "Deva", "Beng", "Mymr", "Khmr", "Taml"})
"""Scripts that no font of the Linux console has: it holds 512 signs at most."""

CONSOLE_DOUBTS = frozenset({"Cyrl", "Grek", "Ethi"})
"""Scripts that only some of its fonts have."""


def hindrance(code: str, term: str, encoding: str) -> Hindrance:
    """Return why a terminal cannot draw a language.

    Args:
        code: One of `LANGUAGES`.
        term: As in TERM.
        encoding: Of the terminal's character set, as Python names it; '' = not known.
    """
    language = LANGUAGES[code]
    if language.right_to_left:
        return "right_to_left"
    try:
        language.sample.encode(encoding or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return "encoding"
    return "console" if term == "linux" and language.script in CONSOLE_LACKS else ""


def doubtful(code: str, term: str) -> bool:
    """Whether it depends on the font of this console whether a language can be read."""
    return term == "linux" and LANGUAGES[code].script in CONSOLE_DOUBTS
