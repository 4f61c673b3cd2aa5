"""Drawing a form: one row a field, and below it what the open field wants or why it refuses."""

from __future__ import annotations

from fieldnode.text.catalogue import Catalogue
from fieldnode.tui.cores.display import Line, Size, Span, cells, fill, fit, line, wrap
from fieldnode.tui.cores.fields import UNRECORDABLE, Coded, Date, Field, Number, Pressure, Tag, Time
from fieldnode.tui.cores.form import FormCore
from fieldnode.tui.wording import reason, unit
from protocols.records.display import clean_text

HELP_ROWS = 3
"""Rows under the fields for the hint of the open field or the reason of a refusal."""

LABEL_CELLS = 17
BOX_CELLS = 15
"""Room for a short answer; a line of text takes what the screen leaves."""


def draw_form(form: FormCore, words: Catalogue, size: Size) -> list[Line]:
    """Return the lines of a form in exactly `size.height` rows."""
    room = size.height - HELP_ROWS
    rows = _rows(form, words, size.width)
    open_row = form.place + (1 if form.place >= form.optional_from else 0)
    top = max(0, min(open_row - room // 2, len(rows) - room)) if len(rows) > room else 0
    shown = rows[top : top + room]
    shown += [()] * (room - len(shown))
    return [*shown, *help_lines(form, words, size.width)]


def help_lines(form: FormCore, words: Catalogue, width: int) -> list[Line]:
    """Return what to know about the open field, in `HELP_ROWS` rows."""
    if form.reason is not None:
        text, role = reason(words, form.reason), "warn"
        # A cash register's bell, not an alarm: the mark makes it a refusal without colour.
        text = f"! {text}"
    else:
        text, role = hint(form.open_field, words), "dim"
    found = [line(" ", Span(part, role)) for part in wrap(text, width - 2)][:HELP_ROWS]
    return found + [()] * (HELP_ROWS - len(found))


def hint(field: Field, words: Catalogue) -> str:
    """Return what the open field takes."""
    parts = [choices(field, words)] if isinstance(field, Coded) else []
    if field.hint:
        parts.append(words(field.hint))
    if field.absent:
        parts.append(words("form.absent" if UNRECORDABLE in field.absent else "form.unmeasured"))
    return "   ".join(parts)


def choices(field: Coded, words: Catalogue) -> str:
    """Return `1 male  2 female …`."""
    return "  ".join(f"{choice.digit} {words(choice.word)}" for choice in field.choices)


def value_text(field: Field, text: str, words: Catalogue) -> str:
    """Return what was typed as it is shown: coded answers with their word."""
    if text and text in field.absent:
        key = "form.unrecordable" if text == UNRECORDABLE else "form.not_measured"
        return f"{text} {words(key)}"
    if isinstance(field, Coded) and text:
        return f"{text} {words(field.choice(text).word)}"
    return text


def _rows(form: FormCore, words: Catalogue, width: int) -> list[Line]:
    rows: list[Line] = []
    for place, field in enumerate(form.fields):
        if place == form.optional_from:
            rows.append(line("  ", Span(words("form.optional"), "dim")))
        rows.append(_field(form, place, field, words, width))
    return rows


def _field(form: FormCore, place: int, field: Field, words: Catalogue, width: int) -> Line:
    is_open = place == form.place
    wide = not isinstance(field, Coded | Number | Pressure | Date | Tag | Time)
    room = width - LABEL_CELLS - 7 if wide else BOX_CELLS
    box = _box(form, place, field, words, room)
    note = "" if wide else _note(field, words)
    left = width - LABEL_CELLS - room - 8  # the open field's choices are below in any case
    return line(
        Span(">" if is_open else " ", "cursor_mark"),
        Span(fit(words(field.label), LABEL_CELLS), "title" if is_open else "label"),
        Span(" [ "),
        *box,
        Span(" ]"),
        Span(f"  {note}" if note and cells(note) <= left else "", "dim"),
    )


def _box(form: FormCore, place: int, field: Field, words: Catalogue, room: int) -> Line:
    """Return the answer in exactly `room` cells; the open one with its cursor in view."""
    text = value_text(field, form.text(place), words)
    if place != form.place:
        return line(Span(fit(text, room), "value"))
    at = form.cursor if text == form.text(place) else len(text)
    before, after = text[:at], text[at:]
    while cells(before) > room - 1:
        before = before[1:]
    here, after = (after[:1] or " "), after[1:]
    spans = (Span(before, "open"), Span(here, "cursor"), Span(after, "open"))
    return fill(spans, room, "open")


def _note(field: Field, words: Catalogue) -> str:
    if isinstance(field, Coded):
        return choices(field, words)
    if isinstance(field, Number):
        return unit(field.unit)
    if isinstance(field, Pressure):
        return unit("mm[Hg]")
    if isinstance(field, Tag):
        return f"{clean_text(field.prefix)}…" if field.prefix else ""
    return words("form.date_example") if isinstance(field, Date) else ""
