"""What supplies are called on screens: items, lots, amounts, ages, temperatures."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from fieldnode.text.catalogue import Catalogue
from fieldnode.tui.wording import span_of
from protocols.live.consigned import EpisodeLine, ItemWords
from protocols.records.display import clean_text

DAYS_SHOWN_MAX = 2_900_000
"""Days since 1970 that a calendar still has."""
ALARMS = "cold.alarms"


def item(words: Catalogue, items: Iterable[ItemWords], code: str) -> str:
    """Return an item's name in the reader's language; its code where the catalogue has none."""
    known = next((one for one in items if one.code == code), None)
    if known is None:
        return clean_text(code)
    said = (known.words.get(language) for language in words.languages)
    return clean_text(next(filter(None, said), code))


def whole(number: int) -> str:
    """Return a number with its thousands apart (SAFETY 3)."""
    return f"{number:,}".replace(",", " ")


def between(low: int, high: int) -> str:
    """Return how many there are, a range while something is unsettled."""
    return whole(low) if low == high else f"{whole(low)}-{whole(high)}"


def some(number: int) -> str:
    """Return a number; nothing for none, so that a table shows what is there."""
    return whole(number) if number else ""


def last_day(words: Catalogue, day: int | None) -> str:
    """Return the last day something may be used, or that nobody said."""
    if day is None or not 0 <= day <= DAYS_SHOWN_MAX:
        return words("supply.no_expiry")
    return (date(1970, 1, 1) + timedelta(days=day)).isoformat()


def lot(words: Catalogue, text: str) -> str:
    """Return a lot, or that none is stated."""
    return clean_text(text) or words("supply.no_lot")


def age(words: Catalogue, at_ms: int | None, now_ms: int) -> str:
    """Return how long ago something was: `3 h 05`; '' where it never was."""
    return span_of(words, now_ms - at_ms) if at_ms else ""


def coded(words: Catalogue, table: str, code: str) -> str:
    """Return the word for a code of a closed list; one of later software as it is."""
    key = f"{table}.{code}"
    return words(key) if code and words.has(key) else clean_text(code)


def degrees(tenths: int) -> str:
    """Return tenths of a degree as `4.1`, `-18`, with a point (SAFETY 3)."""
    sign, rest = "-" if tenths < 0 else "", abs(tenths)
    return f"{sign}{rest // 10}.{rest % 10}".removesuffix(".0")


def episode(words: Catalogue, one: EpisodeLine) -> str:
    """Return which way something was out, and beyond what: `TOO COLD, below -0.5 °C`."""
    key = "cold.too_cold" if one.freezing else "cold.too_warm"
    said = words(key, celsius=clean_text(one.celsius))
    return words("cold.summed", what=said) if one.limit.endswith("-sum") else said
