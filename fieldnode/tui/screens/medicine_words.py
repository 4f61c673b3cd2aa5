"""A medicine in words: its name, how often, when it is due, what became of the last dose."""

from __future__ import annotations

from fieldnode.text.catalogue import Catalogue
from fieldnode.tui.cores.display import Span
from fieldnode.tui.desk import Desk
from fieldnode.tui.screens.picks import often
from fieldnode.tui.wording import clock, span_of, value_text
from protocols.live.bedside import MedicineLine
from protocols.records.display import clean_text


def medicine_name(row: MedicineLine) -> str:
    """Return the substance, form and strength in brackets: no strength is taken for a dose."""
    package = " ".join(part for part in (row.form, row.strength) if part)
    return f"{row.substance} ({package})" if package else row.substance


def measure(words: Catalogue, text: str) -> str:
    """Return an amount with its unit in words: `1 tablet`."""
    return value_text(words, text)


def how_often(desk: Desk, row: MedicineLine) -> str:
    """Return how often: `3 times a day`."""
    number = row.max_a_day if row.way == "as-needed" else row.every
    return often(desk, f"{row.way} {number}" if number else row.way)


def due(desk: Desk, row: MedicineLine) -> Span:
    """Return when the next dose is due, or why none is."""
    words = desk.words
    if row.state == "late" and row.due_ms is not None:
        waited = span_of(words, desk.now_ms - row.due_ms)
        return Span(words("medicine_state.late", n=waited), "bad")
    if row.state in ("due", "later") and row.due_ms is not None:
        at = clock(row.due_ms, desk.now_ms, desk.zone)
        role = "warn" if row.state == "due" else "plain"
        return Span(words(f"medicine_state.{row.state}", at=at), role)
    role = "plain" if row.state in ("due", "running", "as-needed") else "dim"
    return Span(
        _said(words, "medicine_state", "due_now" if row.state == "due" else row.state), role
    )


def warning(words: Catalogue, code: str) -> str:
    """Return what to know before a dose; a code of later software as it is."""
    return _said(words, "medicine_warning", code)


def _said(words: Catalogue, room: str, code: str) -> str:
    return words(f"{room}.{code}") if words.has(f"{room}.{code}") else clean_text(code)


def last_short(desk: Desk, row: MedicineLine) -> str:
    """Return when it was last given, or what became of the last dose instead."""
    last = row.last
    if last is None:
        return desk.words("medicines.never")
    at = clock(last.at_ms, desk.now_ms, desk.zone)
    return at if last.status == "given" else f"{value_text(desk.words, last.status)} {at}"


def last_words(desk: Desk, row: MedicineLine) -> str:
    """Return the last dose in full: given or not, when, by whom, why; and how many in a day."""
    words, last = desk.words, row.last
    if last is None:
        return words("medicines.never_given")
    at = clock(last.at_ms, desk.now_ms, desk.zone)
    status = value_text(words, last.status)
    said = words(
        "medicines.last", status=status, dose=measure(words, last.dose), at=at, by=last.author
    )
    said = " ".join(said.split())
    if last.reason:
        said += f" ({value_text(words, clean_text(last.reason))})"
    if last.status != "given" and row.last_given_ms is not None:
        given = clock(row.last_given_ms, desk.now_ms, desk.zone)
        said += "  " + words("medicines.last_given", at=given)
    return said + "  " + words.count("medicines.a_day", row.given_a_day)
