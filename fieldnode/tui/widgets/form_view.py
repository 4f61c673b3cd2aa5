"""Drawing a form: one row a field, and below it what the open field wants or why it refuses."""

from __future__ import annotations

from collections.abc import Mapping

from fieldnode.text.catalogue import Catalogue
from fieldnode.tui.cores.display import Line, Size, Span, cells, cut, fill, fit, line, wrap
from fieldnode.tui.cores.fields import UNRECORDABLE, Coded, Date, Field, Number, Pressure, Tag, Time
from fieldnode.tui.cores.form import FormCore
from fieldnode.tui.cores.picked import Picked
from fieldnode.tui.wording import reason, unit
from protocols.records.display import clean_text

HELP_ROWS = 3
"""Rows under the fields for the hint of the open field or the reason of a refusal."""

LIST_ROWS = 6
"""Rows that a list to pick from takes of a form too long for both."""

TIE = "\u00a0"
"""In the place of a space at which no line is broken; it never reaches the screen."""

LABEL_CELLS = 17
BOX_CELLS = 15
"""Room for a short answer; a line of text takes what the screen leaves."""


def draw_form(
    form: FormCore, words: Catalogue, size: Size, beside: Mapping[str, Span] | None = None
) -> list[Line]:
    """Return the lines of a form in exactly `size.height` rows.

    Args:
        form: Fields and what was typed.
        words: The reader's.
        size: Of the room.
        beside: By field, what stands in the place of what it takes.
    """
    rows = _rows(form, words, size.width, beside or {})
    # A list to pick from takes what the fields leave, and of a long form as much as it needs to be
    # read: the fields then scroll around the open one.
    most = max(HELP_ROWS, size.height - len(rows) - 1, min(LIST_ROWS, size.height // 2))
    helped = help_lines(form, words, size.width, most)
    room = size.height - len(helped)
    open_row = form.place + (1 if form.place >= form.optional_from else 0)
    top = max(0, min(open_row - room // 2, len(rows) - room)) if len(rows) > room else 0
    shown = rows[top : top + room]
    shown += [()] * (room - len(shown))
    return [*shown, *helped]


def help_lines(form: FormCore, words: Catalogue, width: int, most: int = HELP_ROWS) -> list[Line]:
    """Return what to know about the open field: `HELP_ROWS` rows, for a list up to `most`."""
    field, text = form.open_field, form.text(form.place)
    found: list[Line] = []
    if form.reason is not None:
        # A cash register's bell, not an alarm: the mark makes it a refusal without colour.
        said = f"! {reason(words, form.reason)}"
        found = [line(" ", Span(part, "warn")) for part in wrap(said, width - 2)][:HELP_ROWS]
    elif not isinstance(field, Picked):
        said = hint(field, words)
        if isinstance(field, Coded):
            own = choices(field, words)
            said = _tied(own) + said[len(own) :]
        parts = [part.replace(TIE, " ").strip() for part in wrap(said, width - 2)]
        found = [line(" ", Span(part, "dim")) for part in parts][:HELP_ROWS]
    if isinstance(field, Picked):
        if field.hint and form.reason is None:
            said = words(field.hint)
            found = [line(" ", Span(part, "dim")) for part in wrap(said, width - 2)]
        found = [*found, *_listed(field, text, width)]
        if len(found) > most:
            found = [*found[: most - 1], line(" ", Span("…", "dim"))]
    return found + [()] * (HELP_ROWS - len(found))


def _listed(field: Picked, text: str, width: int) -> list[Line]:
    """Return what the next digits pick, a row never broken in its midst."""
    rows: list[list[Span]] = []
    used = width
    for digits, word in [] if field.is_picked(text) else field.offered(text):
        shown = cut(clean_text(word), width - 6)
        room = cells(digits) + 1 + cells(shown)
        if used + 2 + room > width - 1:
            rows.append([Span(" ")])
            used = 1
        else:
            rows[-1].append(Span("  "))
            used += 2
        rows[-1] += [Span(digits, "key"), Span(f" {shown}", "dim")]
        used += room
    return [tuple(row) for row in rows]


def hint(field: Field, words: Catalogue, text: str = "") -> str:
    """Return what a field takes, `text` standing in it."""
    parts = [choices(field, words)] if isinstance(field, Coded) else []
    if isinstance(field, Picked):
        parts += [offered(field, text)]
    if field.hint:
        parts.append(words(field.hint))
    if field.absent:
        parts.append(words("form.absent" if UNRECORDABLE in field.absent else "form.unmeasured"))
    return "   ".join(parts)


def choices(field: Coded, words: Catalogue) -> str:
    """Return `1 male  2 female …`."""
    return "  ".join(f"{choice.digit} {words(choice.word)}" for choice in field.choices)


def _tied(text: str) -> str:
    """Return choices whose digit stays with its words where a line is broken."""
    return "  ".join(part.replace(" ", TIE) for part in text.split("  "))


def offered(field: Picked, text: str) -> str:
    """Return what the next digits pick; '' once something is picked."""
    if field.is_picked(text):
        return ""
    return "  ".join(f"{digits} {clean_text(word)}" for digits, word in field.offered(text))


def value_text(field: Field, text: str, words: Catalogue) -> str:
    """Return what was typed as it is shown: coded answers with their word."""
    if text and text in field.absent:
        key = "form.unrecordable" if text == UNRECORDABLE else "form.not_measured"
        return f"{text} {words(key)}"
    if isinstance(field, Coded) and text:
        return f"{text} {words(field.choice(text).word)}"
    return clean_text(field.shown(text)) if field.is_picked(text) else text


def _rows(form: FormCore, words: Catalogue, width: int, beside: Mapping[str, Span]) -> list[Line]:
    rows: list[Line] = []
    for place, field in enumerate(form.fields):
        if place == form.optional_from:
            rows.append(line("  ", Span(words("form.optional"), "dim")))
        told = beside.get(field.name)
        note = None if told is None else (Span("  "), told)
        drawn = _field(form, place, field, words, width)
        rows.append(drawn if note is None else (*drawn[:-1], *note))
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
        Span(fit(field.called or words(field.label), LABEL_CELLS), "title" if is_open else "label"),
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
