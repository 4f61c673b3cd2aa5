"""Stock as a person reads it: units, ranges, days of expiry, what is the matter."""

from __future__ import annotations

from datetime import date, timedelta

from fieldnode.text.catalogue import Catalogue
from fieldnode.tui.cores.display import Span
from fieldnode.tui.desk import Desk
from fieldnode.tui.wording import clock
from protocols.live.shelf import LotLine, ShelfLine
from protocols.records.display import clean_text

GRAVE = frozenset(("negative", "recalled", "overdraft", "out", "expired"))
"""Marks that stand out most."""

_DAYS_MAX = 80_000


IN_GENERAL = 100
"""So many of a unit, where it is named and no number stands beside it: in every language the form
that most numbers take, such as the Ukrainian one of 5 and more."""


def units_of(words: Catalogue, unit: str, count: int) -> str:
    """Return the word for so many of a unit."""
    key = f"item_unit.{unit}"
    return words.count(key, abs(count)) if words.has(f"{key}.one") else clean_text(unit)


def number(count: int) -> str:
    """Return a number with its thousands apart (SAFETY 3)."""
    return f"{count:,}".replace(",", " ")


def amount(words: Catalogue, unit: str, count: int) -> str:
    """Return `4 200 tablets`."""
    return f"{number(count)} {units_of(words, unit, count)}".rstrip()


def figure(low: int, high: int) -> str:
    """Return what there is, a range while it is unsettled: `64..66`."""
    return number(low) if low == high else f"{number(low)}..{number(high)}"


def month(day: int | None) -> str:
    """Return the month in which something expires; '-' for none, `?` beyond any calendar."""
    return "-" if day is None else (iso_day(day)[:7] or "?")


def iso_day(day: int | None) -> str:
    """Return a day since 1970 as ISO; '' for none."""
    if day is None or not 0 <= day <= _DAYS_MAX:
        return ""
    return (date(1970, 1, 1) + timedelta(days=day)).isoformat()


def last_day(day: int | None) -> str:
    """Return the last day of use as packages have it: a month where it is the end of one."""
    text = iso_day(day)
    return text[:7] if day is not None and iso_day(day + 1)[8:] == "01" else text or "-"


def mark_word(words: Catalogue, mark: str) -> str:
    """Return the word of what is the matter."""
    key = f"stock_mark.{mark}"
    return words(key) if words.has(key) else clean_text(mark)


def status(words: Catalogue, line: ShelfLine) -> Span:
    """Return what is the matter with an item, the gravest first."""
    if not line.marks:
        return Span(words("shelf.ok"), "dim")
    said = ", ".join(mark_word(words, mark) for mark in line.marks)
    return Span(said, "bad" if GRAVE & set(line.marks) else "warn")


def days(line: ShelfLine) -> str:
    """Return days of cover, `~` in front where they rest on too few days."""
    return f"~{line.days}" if line.guess else line.days or "-"


def lot_name(words: Catalogue, lot: str) -> str:
    """Return a lot, or that none was stated."""
    return clean_text(lot) or words("shelf.no_lot")


def lot_text(words: Catalogue, lot: LotLine) -> str:
    """Return a lot with what is there of it, its expiry and what is the matter."""
    parts = [lot_name(words, lot.lot), f"x{figure(lot.low, lot.high)}"]
    if lot.expiry_day is not None:
        parts.append(words("shelf.expires", day=last_day(lot.expiry_day)))
    parts += [mark_word(words, mark) for mark in lot.marks]
    return " ".join(parts)


def as_of(desk: Desk, line: ShelfLine) -> str:
    """Return how old a figure is: its newest record, and when it was last counted."""
    words = desk.words
    if not line.last_ms:
        return words("shelf.never_stocked")
    at = clock(line.last_ms, desk.now_ms, desk.zone)
    if line.counted_ms is None:
        return words("shelf.as_of_uncounted", at=at)
    counted = clock(line.counted_ms, desk.now_ms, desk.zone)
    return words("shelf.as_of", at=at, counted=counted)
