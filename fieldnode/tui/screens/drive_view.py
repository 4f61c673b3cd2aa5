"""The drive screen's lines: session and vials, the child with what is due, and what went before."""

from __future__ import annotations

from collections.abc import Sequence

from fieldnode.text.catalogue import Catalogue
from fieldnode.tui.cores.display import (
    Line,
    Size,
    Span,
    between,
    cells,
    cut,
    fit,
    line,
    line_cells,
    wrap,
)
from fieldnode.tui.cores.drive import (
    ASK,
    CARD,
    CHILD,
    HAD_KEYS,
    LOT_STOPS,
    MEASURE,
    NAME,
    NEW,
    STOP,
    STOPS,
    DriveCore,
)
from fieldnode.tui.cores.form import FormCore
from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Hint
from fieldnode.tui.screens import drive_beside
from fieldnode.tui.vaccine_words import state, vaccine_word, vial_text, why
from fieldnode.tui.widgets.form_view import draw_form
from fieldnode.tui.wording import age, clock, code_sentence, name, sex, short_identity
from protocols.live.drive import Child, Drive, GiveLine
from protocols.records.display import clean_text

LAST_ROWS = 10


def draw(
    desk: Desk,
    core: DriveCore,
    told: Drive | None,
    after: tuple[str, Child] | None,
    size: Size,
    stated: str = "",
) -> list[Line]:
    """Return the body in at most `size.height` rows.

    Args:
        desk: Shared by all pages.
        core: What stands.
        told: The session.
        after: Whose card was saved last, and what they need next.
        size: Of the body.
        stated: When it happened and who did it, where that is not now and by whoever types.
    """
    if told is None:
        return [line(" ", Span(desk.words("drive.title"), "title"))]
    head = _head(desk, told, size.width)
    if stated and core.child is not None:
        head.append(line(" ", Span(cut(stated, size.width - 2), "warn")))
    foot = _totals(desk.words, told, size.width)
    room = Size(size.width, size.height - len(head) - len(foot))
    shown = {CARD: _at_card, NEW: _at_new, NAME: _at_name}.get(core.stage, _at_child)
    body = shown(desk, core, told, after, room)[: room.height]
    return [*head, *body, *[()] * (room.height - len(body)), *foot]


def _head(desk: Desk, told: Drive, width: int) -> list[Line]:
    """Return the session, and its open vials in at most two rows."""
    words, session = desk.words, told.session
    place = clean_text(session.place or session.site)
    title: Line = line(" ", Span(words("drive.title"), "title"), Span(f"  {place}", "title"))
    closed = session.closed_ms is not None
    right = Span(
        words("drive.closed") if closed else clean_text(session.team), "bad" if closed else "dim"
    )
    rows = [between(title, line(Span(cut(right.text, width // 2), right.role), " "), width)]
    spans = [vial_text(words, vial, desk.now_ms, desk.zone) for vial in told.vials]
    if not spans:
        return [*rows, line(" ", Span(words("drive.no_vials"), "warn"))]
    return [*rows, *packed(spans, width)][:4]


def _totals(words: Catalogue, told: Drive, width: int) -> list[Line]:
    """Return what the session came to so far."""
    parts = [words.count("drive.children", told.children)]
    if told.seconds_a_child is not None:
        parts.append(words("drive.pace", n=told.seconds_a_child))
    if told.not_given:
        parts.append(words("drive.not_given", n=told.not_given))
    if told.wasted:
        parts.append(words("drive.wasted", n=told.wasted))
    parts += [f"{vaccine_word(words, one.words)} {one.given}" for one in told.vaccines]
    parts += drive_beside.sums(words, told.beside)
    return packed([Span(part, "value") for part in parts], width)[: 3 if told.beside else 2]


def packed(spans: Sequence[Span], width: int) -> list[Line]:
    """Return spans side by side, in as many rows as they take; none is broken."""
    rows: list[list[Span | str]] = [[" "]]
    for span in spans:
        if len(rows[-1]) > 1 and line_cells(line(*rows[-1])) + cells(span.text) + 1 > width:
            rows.append([" "])
        rows[-1] += [span, "   "]
    return [line(*row) for row in rows]


def _at_card(
    desk: Desk, core: DriveCore, told: Drive, after: tuple[str, Child] | None, room: Size
) -> list[Line]:
    rows = draw_form(core.form, desk.words, Size(room.width, 4))
    rows += _card_text(desk.words, after, room.width)
    left = room.height - len(rows) - 1
    rows.append(line(" ", Span(desk.words("drive.last"), "label")))
    return [*rows, *last_rows(desk, told, min(LAST_ROWS, left), room.width)]


def _card_text(words: Catalogue, after: tuple[str, Child] | None, width: int) -> list[Line]:
    """Return what to write on the card of the child saved last."""
    if after is None:
        return [()]
    card, child = after
    still = ", ".join(vaccine_word(words, one) for one in child.still)
    if still:
        still = "  " + words("drive.still", what=still)
    if not child.next_day and not still:
        return [line(" ", Span(words("drive.card_done", card=card), "good"))]
    what = ", ".join(vaccine_word(words, one) for one in child.next_series)
    key = "drive.card_next" if child.next_sure else "drive.card_next_about"
    text = words(key, card=card, day=child.next_day, what=what) if child.next_day else card
    return [line(" ", Span(part, "good")) for part in wrap(f"{text}{still}", width - 2)[:2]]


def last_rows(desk: Desk, told: Drive, count: int, width: int) -> list[Line]:
    """Return the children seen last, the newest first."""
    words, rows = desk.words, []
    known = {one.code: one.words for one in told.vaccines}
    known |= {one.code: one.short for one in told.beside}
    for one in told.last[: max(count, 0)]:
        given = ", ".join(
            f"{vaccine_word(words, known.get(code, {'en': code}))} {'' if n is None else n}".strip()
            for code, n in one.given
        )
        what = given or words(f"dose_status.{one.status}")
        at = clock(one.at_ms, desk.now_ms, desk.zone)
        who = fit(clean_text(one.tag or one.code), 16)
        rows.append(line("   ", Span(f"{at}  {who} ", "value"), cut(what, width - 30)))
    return rows


def _at_new(
    desk: Desk, core: DriveCore, told: Drive, after: tuple[str, Child] | None, room: Size
) -> list[Line]:
    words = desk.words
    card = words("drive.new_card", card=core.card) if core.card else words("drive.new_no_card")
    form = draw_form(core.form, words, Size(room.width, 7))
    rows: list[Line] = [line(" ", Span(card, "title")), *form]
    left = room.height - len(rows) - 1
    last = last_rows(desk, told, left, room.width)
    return [*rows, line(" ", Span(words("drive.last"), "label")), *last]


def _at_name(
    desk: Desk, core: DriveCore, told: Drive, after: tuple[str, Child] | None, room: Size
) -> list[Line]:
    form: FormCore = core.form
    return [*_who(desk, core), *draw_form(form, desk.words, Size(room.width, 5))]


def _who(desk: Desk, core: DriveCore) -> list[Line]:
    """Return who the child is: name, tag and age stay on the screen (SAFETY 18)."""
    words = desk.words
    if core.head is not None:
        head = core.head
        known = (age(words, clean_text(head.age)) or words("age.unknown"), sex(words, head.sex),
                 clean_text(head.tag), clean_text(head.code))  # fmt: skip
        return [line(" ", Span("  ".join(part for part in known if part), "value"), "  ",
                     Span(name(words, head.name), "title"))]  # fmt: skip
    card = words("drive.new_card", card=core.card) if core.card else words("drive.new_no_card")
    about = f"{age(words, core.age)}  {words(f'sex.{core.sex}')}" if core.sex else ""
    return [line(" ", Span(card, "title"), Span(f"  {about}  ", "value"), Span(core.name, "title"))]


def _at_child(
    desk: Desk, core: DriveCore, told: Drive, after: tuple[str, Child] | None, room: Size
) -> list[Line]:
    """Return the child, a row for each vaccine, and the stop or the question below."""
    words, child = desk.words, core.child
    if child is None:
        return _asks(desk, core, told, room.width)
    approved = Span("" if child.approved else words("value.not-approved"), "bad")
    label = Span(words("drive.due_by", schedule=child.schedule), "label")
    rows = [*_who(desk, core), *_stopped(words, core, room.width)]
    rows.append(line(" ", label, "  ", approved))
    for digit, give in enumerate(core.lines, 1):
        rows.append(_give(words, core, digit, give, room.width))
    if not (core.lines or child.beside):
        rows.append(line("   ", Span(words("drive.nothing"), "dim")))
    drawn = _drawn_from(words, core, room.width)
    beside = drive_beside.rows(desk, core, room.width)
    asks = dict.fromkeys(
        vaccine_word(words, one)
        for give in core.lines
        if give.vaccine in core.ticked
        for one in give.ask
    )
    first: list[Line] = []
    if asks and not core.stop:
        text = words("drive.ask_first", what=", ".join(asks))
        first = [line(" ", Span(part, "warn")) for part in wrap(text, room.width - 2)[:2]]
    if core.stage == STOP:
        low = _stops(words, room.width)
    elif core.stage == ASK:
        low = _asks(desk, core, told, room.width)
    elif core.stage == MEASURE:
        low = list(draw_form(core.form, words, Size(room.width, 4)))
    else:
        low = _low(words, core, room.width)
    rows = _fitted(core, [*rows, *drawn, *beside, *first], low, [*rows, *beside], room.height)
    # Whose child was saved by this scan still waits for what is written on the card.
    card = _card_text(words, after, room.width) if after is not None else []
    free = room.height - len(rows) - len(card)
    return [*rows, *[()] * free, *card] if free >= 0 else rows


def _fitted(
    core: DriveCore, rows: list[Line], low: list[Line], least: list[Line], height: int
) -> list[Line]:
    """Return what stands above and what is asked or said below it, in a height if that is asked.

    Nobody answers what they do not see: from which vial, and what to ask first, make room for it.
    """
    if len(rows) + len(low) <= height or core.stage == CHILD:
        return [*rows, *low]
    low = [one for one in low if one]
    rows = rows if len(rows) + len(low) <= height else least
    return [*rows[: max(height - len(low), 0)], *low]


def _stopped(words: Catalogue, core: DriveCore, width: int) -> list[Line]:
    """Return why ticks of this child went, above everything else: it must not be given."""
    digits = {give.vaccine: str(digit) for digit, give in enumerate(core.lines, 1)}
    rows: list[Line] = []
    for give in core.drawn.warned():
        if give.vaccine in core.ticked or give.vaccine not in digits:
            continue
        vial = core.drawn.told(give)
        named = vaccine_word(words, give.words)
        what = f"{named} {clean_text(vial.lot)}" if vial is not None else named
        digit, why_not = digits[give.vaccine], words(f"lot_stop.{give.stop}")
        text = words("drive.tick_gone", what=what, why=why_not, digit=digit)
        if core.drawn.good(give):
            text += " " + words("drive.tick_other", digit=digit)
        rows += [line(" ", Span(part, "bad")) for part in wrap(f"! {text}", width - 2)[:3]]
    return [*rows, *drive_beside.stopped(words, core, width)]


def _drawn_from(words: Catalogue, core: DriveCore, width: int) -> list[Line]:
    """Return from which vial each dose is drawn, by its digit, and which of them `v` changes."""
    spans: list[Span] = []
    steps = core.steps
    for digit, give in enumerate(core.lines, 1):
        vial = core.drawn.told(give)
        if vial is None or not (give.wanted or give.vaccine in core.ticked):
            continue
        text = f"{digit}: {clean_text(vial.lot)} {vial.left}/{vial.doses}"
        if steps is not None and steps.vaccine == give.vaccine:
            known = core.drawn.choices(give)
            if give.vial in known:
                at = known.index(give.vial) + 1
                text += " (" + words("drive.vial_of", at=at, n=len(known)) + ")"
        spans.append(Span(text, "bad" if give.stop else "value"))
    if not spans:
        return []
    return packed([Span(words("drive.drawn_from"), "label"), *spans], width)[:2]


def _give(words: Catalogue, core: DriveCore, digit: int, give: GiveLine, width: int) -> Line:
    ticked = give.vaccine in core.ticked
    named = vaccine_word(words, give.words)
    number = f" {give.number}" if give.number else ""
    said = state(words, give.state)
    note = ""
    if give.wanted and not give.vial:
        note = words("drive.no_vial_short")
    elif give.state == "not-yet":
        note = words("drive.from_day", day=give.day) if give.day else ""
    if give.state not in ("due", "complete"):
        shown = why(words, give.rule, "" if core.child is None else core.child.schedule)
        note = f"{note}  {shown}".strip()
    elif give.wanted and give.day:
        # Since when it is due stands beside that word: nobody takes it for the vial's.
        note = "  ".join(part for part in (words("drive.since_day", day=give.day), note) if part)
    if give.stop:
        note = f"{words(f'lot_stop.{give.stop}')}  {note}".strip()
    stopped = core.stopped(give.vaccine)
    if stopped is not None and give.wanted:
        # Said before the rule: who must not have it is not due because of a day.
        note = f"{stopped.day} {words(f'dose_status.{stopped.status}')}  {note}".strip()
    box = "[x]" if ticked else "[ ]"
    if core.stop and give in core.chosen:
        box = "[-]"
    left = line(
        " ",
        Span(str(digit), "key"),
        Span(f" {box} ", "title" if ticked else "plain"),
        Span(fit(f"{named}{number}", 22), "title" if ticked else "plain"),
        " ",
        Span(fit(said.text, 15), said.role),
        " ",
    )
    role = "bad" if stopped is not None or give.stop else "dim"
    return (*left, Span(cut(note, max(width - line_cells(left) - 1, 0)), role))


def _low(words: Catalogue, core: DriveCore, width: int) -> list[Line]:
    rows: list[Line] = [()]
    if core.stop:
        said = words("drive.stopped", why=words(f"dose_status.{core.stop}"))
        rows.append(line(" ", Span(said, "warn")))
        if core.stop == "fever":
            fever = wrap(words("drive.fever"), width - 2)
            rows += [line(" ", Span(part, "warn")) for part in fever]
    elif not (core.ticked or core.beside.any):
        key = "drive.nothing_ticked" if core.head else "drive.only_registered"
        rows += [line(" ", Span(part, "warn")) for part in wrap(words(key), width - 2)]
    if core.reason:
        rows += [
            line(" ", Span(part, "warn")) for part in wrap(f"! {words(core.reason)}", width - 2)
        ]
    return rows


def label(words: Catalogue, core: DriveCore, code: str, room: int = 999) -> str:
    """Return what was saved of the child that stands, and who it is, in so many cells.

    Args:
        words: Of the reader.
        core: What was sent.
        code: The short code of somebody new.
        room: Cells at most; who it is is never cut.
    """
    who = words("drive.of_card", card=core.card) if core.card else ""
    if not who:
        who = short_identity(words, core.head) if core.head else code
    if core.stop:
        return f"{words(f'dose_status.{core.stop}')} {who}".strip()
    given = [
        f"{vaccine_word(words, give.words)} {give.number or ''}".strip()
        for give in core.lines
        if give.vaccine in core.ticked
    ]
    given += drive_beside.given(words, core.beside)
    what = cut(", ".join(given) or words("drive.registered"), max(room - len(who) - 1, 8))
    return f"{what} {who}".strip()


def _stops(words: Catalogue, width: int) -> list[Line]:
    parts = ["0 " + words("drive.no_stop")]
    parts += [f"{digit} {words(f'dose_status.{why_not}')}" for digit, why_not in STOPS]
    text = "   ".join((words("drive.stop_asks"), *parts))
    return [(), *(line(" ", Span(part, "warn")) for part in wrap(text, width - 2))]


def _asks(desk: Desk, core: DriveCore, told: Drive, width: int) -> list[Line]:
    """Return the question that only Enter answers, or of a stopped lot not even that."""
    words, code = desk.words, core.asked
    key = f"confirm.{code}"
    if code == "other_team":
        text = words("drive.other_team")
    elif code in LOT_STOPS:
        give = core.doubted()
        lots = [vial.lot for vial in told.vials if give is not None and vial.id == give.vial]
        named = "" if give is None else vaccine_word(words, give.words)
        what = " ".join((named, *lots)).strip() or drive_beside.doubted(words, core)
        text = words("drive.lot_stop", what=what, why=words(f"lot_stop.{code}"))
    else:
        text = words(key) if words.has(key) else code_sentence(words, code)
    return [(), *(line(" ", Span(part, "warn")) for part in wrap(f"! {text}", width - 2))]


def hints(words: Catalogue, core: DriveCore) -> list[Hint]:
    """Return what the keys do at a stage."""
    enter = words("keys.enter")
    if core.stage == CARD:
        return [
            Hint(enter, words("drive.hint_card")),
            Hint("/", words("drive.hint_find")),
            Hint("*", words("drive.hint_more")),
        ]
    if core.stage == CHILD:
        found = [
            Hint(enter, words("drive.hint_give")),
            Hint("1-9", words("drive.hint_tick")),
            Hint("0", words("drive.hint_stop")),
        ]
        paper = Hint("d", words("drive.hint_paper"))
        if core.head is None:
            return [*found, Hint("n", words("drive.hint_name")), paper]
        return [*found, Hint("c", words("drive.hint_chart")), paper]
    if core.stage == STOP:
        return [Hint("0-8", words("drive.hint_why"))]
    if core.stage == MEASURE:
        return [Hint(enter, words("drive.hint_measured"))]
    if core.stage == ASK and core.asked in LOT_STOPS:
        return [Hint("/".join(HAD_KEYS), words("drive.hint_had"))]
    if core.stage == ASK:
        return [Hint(enter, words("drive.hint_agree"))]
    return [Hint(enter, words("keys.next_or_save")), Hint("↑", words("keys.previous"))]
