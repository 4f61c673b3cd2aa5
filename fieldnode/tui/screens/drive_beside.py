"""What a drive's screen shows of vitamin A, deworming and arms: below the vaccines, by digits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from fieldnode.text.catalogue import Catalogue
from fieldnode.tui.acts import Act, Ask, Say
from fieldnode.tui.ages import age_of
from fieldnode.tui.cores.beside import Beside
from fieldnode.tui.cores.display import Line, Span, cells, cut, fit, line, line_cells, wrap
from fieldnode.tui.cores.drive import Do, DriveCore
from fieldnode.tui.cores.fields import Answer
from fieldnode.tui.desk import Desk
from fieldnode.tui.supply_words import whole
from fieldnode.tui.vaccine_words import vaccine_word
from fieldnode.tui.wording import value_text
from protocols.errors import FieldmeshError
from protocols.guidelines.ages import AgeSpan, of_shown
from protocols.live.drive import BesideLine, BesideSum, Box, Drive
from protocols.live.guidance import PackInUse
from protocols.records.display import clean_text

NAME_CELLS, STATE_CELLS = 22, 15
"""As of the vaccines above."""

_ROLES = {"due": "good", "too-soon": "warn", "unsure": "warn"}
UNKNOWN_SEX = 9


def rows(desk: Desk, core: DriveCore, width: int) -> list[Line]:
    """Return a row for each intervention of a child; none where its session has none."""
    words, child = desk.words, core.child
    if child is None or not core.beside.lines:
        return []
    approved = Span("" if child.beside_approved else words("value.not-approved"), "bad")
    label = Span(words("drive.beside_by", pack=clean_text(child.beside_pack)), "label")
    found = [line(" ", label, "  ", approved)]
    for digit, told in enumerate(core.beside.lines, len(core.lines) + 1):
        found.append(_row(words, core, digit, told, width))
    return [*found, *core.beside.said]


def _row(words: Catalogue, core: DriveCore, digit: int, told: BesideLine, width: int) -> Line:
    beside = core.beside
    value = beside.measured.get(told.code, "")
    ticked = told.code in beside.ticked or bool(value)
    amount = _amount(words, told, value)
    named, rest = vaccine_word(words, told.words), amount
    if amount and cells(f"{named} {amount}") <= NAME_CELLS:
        # An amount is shown whole or further on, and never cut.
        named, rest = f"{named} {amount}", ""
    box = "[-]" if ticked and core.stop and not value else "[x]" if ticked else "[ ]"
    left = line(
        " ",
        Span(str(digit), "key"),
        Span(f" {box} ", "title" if ticked else "plain"),
        Span(fit(named, NAME_CELLS), "title" if ticked else "plain"),
        " ",
        Span(fit(words(f"due_state.{told.state}"), STATE_CELLS), _ROLES.get(told.state, "dim")),
        " ",
    )
    note = "  ".join(part for part in (rest, *_notes(words, beside, told)) if part)
    return (*left, Span(cut(note, max(width - line_cells(left) - 1, 0)), "dim"))


def _notes(words: Catalogue, beside: Beside, told: BesideLine) -> list[str]:
    if told.state == "unsure":
        return [" / ".join(_of(words, *each.split(" ", 1)) for each in told.maybe)]
    last = words("drive.had_on", day=told.last) if told.last else ""
    if told.state == "too-soon":
        return [last, words("drive.from_day", day=told.day)]
    medicine = beside.medicine(told)
    if medicine is None:
        return [last]
    lot = medicine.lot if medicine.store else ""
    of_lot = words("drive.of_lot", lot=clean_text(lot)) if lot else ""
    stop = beside.stop_of(told)
    return [words(f"lot_stop.{stop}") if stop else "", of_lot, clean_text(medicine.substance), last]


def stopped(words: Catalogue, core: DriveCore, width: int) -> list[Line]:
    """Return why ticks of what stands beside the vaccines went: it must not be given."""
    found: list[Line] = []
    for told in core.beside.warned():
        digit = str(len(core.lines) + core.beside.lines.index(told) + 1)
        why = words(f"lot_stop.{core.beside.stop_of(told)}")
        text = words("drive.tick_gone", what=_of_lot(words, core, told), why=why, digit=digit)
        text += " " + words("drive.tick_other_box", digit=digit)
        found += [line(" ", Span(part, "bad")) for part in wrap(f"! {text}", width - 2)[:3]]
    return found


def doubted(words: Catalogue, core: DriveCore) -> str:
    """Return what the question is about, with its lot; '' where it is about something else."""
    told = core.doubted_beside()
    return "" if told is None else _of_lot(words, core, told)


def _of_lot(words: Catalogue, core: DriveCore, told: BesideLine) -> str:
    medicine = core.beside.medicine(told)
    lot = clean_text(medicine.lot) if medicine is not None else ""
    return f"{vaccine_word(words, told.words)} {lot}".strip()


def _amount(words: Catalogue, told: BesideLine, value: str) -> str:
    if told.medicine is not None:
        return _of(words, told.medicine.value, told.medicine.unit)
    return f"{value} mm" if value else ""


def _of(words: Catalogue, value: str, unit: str) -> str:
    """Return an amount as people read it: `200 000 IU`."""
    number, _, sign = value_text(words, f"{value} {unit}").partition(" ")
    return f"{whole(int(number)) if number.isdecimal() else number} {sign}".strip()


def given(words: Catalogue, beside: Beside) -> list[str]:
    """Return what Enter gave or wrote down, as the line of a save names it."""
    named = [*(told.code for told in beside.given()), *beside.measured]
    return [vaccine_word(words, told.words) for told in beside.lines if told.code in named]


def sums(words: Catalogue, told: Sequence[BesideSum]) -> list[str]:
    """Return what a session came to beside its vaccines, for its line of sums."""
    found = []
    for one in told:
        parts = [vaccine_word(words, one.short), str(one.number)]
        if one.twice:
            parts.append("(" + words("drive.beside_twice", n=one.twice) + ")")
        found.append(" ".join(parts))
    return found


def scanned(
    desk: Desk, core: DriveCore, told: Drive | None, found: Sequence[Box]
) -> list[Act] | None:
    """Take the lot of a box that was scanned for the children to come; None of any other box."""
    wanted = {item for one in (told.beside if told else ()) for item in one.items}
    box = found[0] if found else None
    item = next((each for each in (box.items if box else ()) if each in wanted), None)
    if box is None or item is None:
        return None
    if not box.lot:
        return [Say(desk.words("drive.no_lot_in_code"), "warn", bell=True)]
    why = core.beside.scanned(item, box.lot)
    if why:
        said = f"{clean_text(box.lot)}: {desk.words(f'lot_stop.{why}')}"
        return [Say(said, "bad", bell=True)]
    return [Say(desk.words("drive.lot_from_now", lot=clean_text(box.lot)), "good")]


# measuring


def measure(desk: Desk, core: DriveCore, do: Do) -> list[Act]:
    """Open the field of a measure, or ask what the value that was typed comes to."""
    if do.what == "measured":
        return _class(desk, core, do.text) if do.text else []
    # No start waits for the vitals form.
    from fieldnode.tui.screens.vitals import age_days, number_field
    from protocols.guidelines.observations import observations

    told = next(one for one in core.beside.lines if one.code == do.text)
    shown = core.head.age if core.head is not None else core.age
    field = number_field(observations().named(told.measure, ""), age_days(shown))
    # Who is not measured has no record of it: there is nothing to say that was not.
    core.measure(told.code, replace(field, absent=""))
    return []


def _class(desk: Desk, core: DriveCore, value: str) -> list[Act]:
    """Ask for the malnutrition pack in use; without it nothing is said of an upper arm."""
    from fieldnode.tui.malnutrition import form_of, refers, told_of
    from fieldnode.tui.scoring import MALNUTRITION, Whom, whom

    serial = core.serial
    answers = {"muac": Answer(value)}
    of = Whom(_age(core), UNKNOWN_SEX) if core.head is None else whom(core.head)

    def came(told: PackInUse) -> list[Act]:
        if core.serial != serial or value not in core.beside.measured.values():
            return []
        pack = form_of(told)
        lines = told_of(pack, answers, of, desk.words)
        if refers(pack, answers, of):
            lines.append(line(" ", Span(desk.words("drive.refer"), "bad")))
        core.beside.said = tuple(lines)
        return []

    return [Ask(lambda node: node.pack_in_use(MALNUTRITION), came, _unclassed, holds=False)]


def _age(core: DriveCore) -> AgeSpan:
    return of_shown(core.age) if core.head is None else age_of(core.head)


def _unclassed(_failure: FieldmeshError) -> list[Act]:
    """The value stands and is saved all the same."""
    return []
