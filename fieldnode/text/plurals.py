"""Which form of a sentence a whole number takes, by language.

Source: Unicode CLDR, `common/supplemental/plurals.xml`, cardinal rules for integers. Its form
`other` is the table's `.many` wherever a language has no `many` of its own below a million.
Portuguese follows `pt_PT`, which Angola and Mozambique inherit: our words are in that spelling.
"""

from __future__ import annotations

from collections.abc import Callable


def forms(language: str, number: int) -> tuple[str, ...]:
    """Return the endings of the keys that would do for so many, the right one first."""
    form = _RULES.get(language, _english)(abs(number))
    return (form,) if form == "many" else (form, "many")


def every_form(language: str) -> tuple[str, ...]:
    """Return the endings that a complete table of a language has."""
    return _FORMS.get(language, ("one", "many"))


def _english(number: int) -> str:
    """English, Spanish, European Portuguese: one is 1."""
    return "one" if number == 1 else "many"


def _french(number: int) -> str:
    """French: nothing is one, too."""
    return "one" if number in (0, 1) else "many"


def _ukrainian(number: int) -> str:
    last, two = number % 10, number % 100
    if last == 1 and two != 11:
        return "one"
    return "few" if 2 <= last <= 4 and not 12 <= two <= 14 else "many"


def _arabic(number: int) -> str:
    if number < 3:
        return ("zero", "one", "two")[number]
    two = number % 100
    if 3 <= two <= 10:
        return "few"
    return "many" if two >= 11 else "other"


_RULES: dict[str, Callable[[int], str]] = {
    "fr": _french,
    "uk": _ukrainian,
    "ar": _arabic,
}

_FORMS = {
    "uk": ("one", "few", "many"),
    "ar": ("zero", "one", "two", "few", "many", "other"),
}
