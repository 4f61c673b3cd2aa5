"""Keys as the cores see them: one string each.

A string of one character is something typed; a longer one is a named key in lower case
(`enter`, `up`, `f1`, `ctrl+g`).
"""

from __future__ import annotations

import unicodedata

GROUP_SEPARATOR = "\x1d"
"""FNC1 of a GS1 barcode; no keyboard types it, a scanner does."""

AZERTY_DIGITS = dict(zip("&é\"'(è_çà", "123457890", strict=True))
"""The unshifted top row of a French keyboard, without `-`, which has its own meaning here."""

FORWARD = frozenset({"enter", "tab", "down"})
BACK = frozenset({"up", "shift+tab"})

BY_POSITION = dict(
    zip(
        "йцукенгшщзхъфывапролджэячсмитьбюіїєґёўضصثقفغعهخحجدشسيبلاتنمكطئءؤرﻻىةوزظذ",
        "qwertyuiop[]asdfghjkl;'zxcvbnm,.s]'\\`oqwertyuiop[]asdfghjkl;'zxcvbnm,./`",
        strict=True,
    )
)
"""Letters of Cyrillic and Arabic layouts by the key they sit on."""


def is_text(key: str) -> bool:
    """Whether the key types a character that can be seen."""
    return len(key) == 1 and (key == " " or (key.isprintable() and not key.isspace()))


def fold_digit(char: str) -> str:
    """Return an ASCII digit for a digit of any script, and the character itself otherwise."""
    value = unicodedata.decimal(char, None)
    return char if value is None else str(value)


def fold_single(char: str) -> str:
    """As `fold_digit`, where one digit is the whole answer: the French top row counts too."""
    return AZERTY_DIGITS.get(char) or fold_digit(char)


def action_key(key: str) -> str:
    """Return the Latin letter or the digit an action is bound to, whatever the layout."""
    if len(key) != 1:
        return key
    low = key.lower()
    return BY_POSITION.get(low) or fold_digit(low)
