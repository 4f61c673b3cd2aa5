"""Printing from the terminal: a wristband, a hand-over sheet, a signed summary, the ward list.

Nothing waits for paper: keys go on, and what became of a print is said when it is known.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

import msgspec

from fieldnode.text.catalogue import Catalogue, on_label
from fieldnode.tui import printer
from fieldnode.tui.acts import Act, Ask, Back, Open, Say
from fieldnode.tui.cores.display import Line, Size, Span, line
from fieldnode.tui.cores.fields import Answer, Choice, Coded, Field
from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Action, Hint, Page
from fieldnode.tui.screens.fields_page import FieldsPage
from fieldnode.tui.screens.glass import asked_first
from fieldnode.tui.wording import error, identity, safety_line, short_identity
from protocols.errors import FieldmeshError
from protocols.live.api import BoardLine
from protocols.records.display import clean_text

PRINT_KEY = "ctrl+p"
"""On a chart and on the board: the wristband of who is there, with this one key."""
TARGET_CHARS_MAX = 96

_KINDS = (
    Choice("1", "zpl", "printing.kind.zpl"),
    Choice("2", "escpos", "printing.kind.escpos"),
    Choice("3", "png", "printing.kind.png"),
    Choice("4", "text", "printing.kind.text"),
)


class PrintPage(Page):
    """What can be printed, one a line."""

    name: ClassVar[str] = "printing"
    actions = (
        Action("w", "1", "printing.wristband"),
        Action("h", "2", "printing.handover"),
        Action("s", "3", "printing.summary"),
        Action("l", "4", "printing.ward"),
        Action("p", "5", "printing.setting"),
        Action("r", "6", "printing.letter"),
        Action("v", "7", "printing.vaccination"),
        Action("c", "8", "printing.card"),
    )

    def __init__(self, desk: Desk, head: BoardLine | None = None) -> None:
        super().__init__(desk)
        self._head = head

    def key(self, key: str) -> list[Act]:
        """Print one and leave."""
        letter, head = self.action(key), self._head
        if letter == "l":
            return [Back(), *print_ward(self.desk)]
        if letter == "p":
            return [Open(PrinterPage(self.desk))]
        prints = {
            "w": print_wristband,
            "h": print_handover,
            "s": print_summary,
            "r": print_letter,
            "v": print_vaccination,
            "c": print_card,
        }
        if letter and head is None:
            return [Say(self.desk.words("board.nobody"), "warn", bell=True)]
        if letter and head is not None:
            return [Back(), *prints[letter](self.desk, head)]
        return super().key(key)

    def draw(self, size: Size) -> list[Line]:
        """Draw who it is about, where it goes, and what there is."""
        desk, words = self.desk, self.desk.words
        top: list[Line] = []
        if self._head is not None:
            top = [identity(words, self._head), safety_line(words, self._head, size.width)]
        target = clean_text(desk.greeting.printer) or words("printing.not_set")
        rows = [
            line("   ", Span(f"{one.digit} {one.letter}", "key"), f"  {words(one.word)}")
            for one in self.actions
            if self._head is not None or one.letter in "lp"
        ]
        return [
            *top,
            line(" ", Span(words("printing.title"), "title")),
            line(" ", Span(words("printing.to", to=target), "dim")),
            (),
            *rows,
        ]

    def hints(self) -> list[Hint]:
        """The lines say what their keys do."""
        return []


class PrinterPage(FieldsPage):
    """Which printer, and what it speaks: kept by the node for all its terminals."""

    name: ClassVar[str] = "printer"
    title: ClassVar[str] = "printing.setting"

    def __init__(self, desk: Desk) -> None:
        target = Field("to", "printing.field_to", chars_max=TARGET_CHARS_MAX)
        kind = Coded("kind", "printing.field_kind", choices=_KINDS)
        super().__init__(desk, (target, kind))
        digits = {choice.value: choice.digit for choice in _KINDS}
        held = desk.greeting.printer_kind
        known = {"kind": digits[held]} if held in digits else {}
        self.form.restore({"to": desk.greeting.printer, **known})

    def explained(self) -> str:
        """Say what may be written there."""
        return self.desk.words("printing.explained")

    def done(self, answers: dict[str, Answer]) -> list[Act]:
        """Keep it on the node."""
        desk = self.desk
        to = answers["to"].text if "to" in answers else ""
        kind = answers["kind"].text if "kind" in answers else printer.KINDS[0]
        desk.greeting = msgspec.structs.replace(desk.greeting, printer=to, printer_kind=kind)

        def kept(_result: object) -> list[Act]:
            return []

        keep = Ask(
            lambda node: node.settings(printer=to, printer_kind=kind), kept, kept, holds=False
        )
        return [Back(), keep]


def print_wristband(desk: Desk, head: BoardLine) -> list[Act]:
    """Print a wristband, once the trail says so."""
    exercise = exercise_of(desk)

    async def run(node: Any) -> str:
        _, chart = await printer.chart(node, head.patient, printer.WRISTBAND)
        words, kind = worded(desk), kind_of(desk)
        raw = printer.wristband(words, kind, chart.head, exercise)
        return await printer.give_out(raw, desk.greeting.printer, kind, desk.now_ms)

    return _asked(desk, head, "printing.wristband", run)


def print_handover(desk: Desk, head: BoardLine) -> list[Act]:
    """Print a hand-over sheet."""

    async def run(node: Any) -> str:
        place, chart = await printer.chart(node, head.patient, printer.HANDOVER)
        raw = printer.handover(desk, place, chart)
        return await printer.give_out(raw, desk.greeting.printer, "text", desk.now_ms)

    return _asked(desk, head, "printing.handover", run)


def print_letter(desk: Desk, head: BoardLine) -> list[Act]:
    """Print a referral letter, its signed summary as groups to type at the end."""

    async def run(node: Any) -> str:
        place, chart = await printer.chart(node, head.patient, printer.LETTER)
        text, said = await printer.signed(node, head.patient)
        raw = printer.letter(desk, place, chart, text, said)
        return await printer.give_out(raw, desk.greeting.printer, "text", desk.now_ms)

    return _asked(desk, head, "printing.letter", run)


def print_summary(desk: Desk, head: BoardLine) -> list[Act]:
    """Sign a summary and print it."""

    async def run(node: Any) -> str:
        text, said = await printer.signed(node, head.patient)
        kind = kind_of(desk)
        raw = printer.signed_summary(worded(desk), kind, text, said)
        return await printer.give_out(raw, desk.greeting.printer, kind, desk.now_ms)

    return _asked(desk, head, "printing.summary", run)


def print_vaccination(desk: Desk, head: BoardLine) -> list[Act]:
    """Sign a proof of vaccination and print it."""
    return _vaccinated(desk, head, printer.VACCINATION, "printing.vaccination")


def print_card(desk: Desk, head: BoardLine) -> list[Act]:
    """Print a vaccination card: doses with their lots, what is due next and when."""
    return _vaccinated(desk, head, printer.CARD, "printing.card")


def _vaccinated(desk: Desk, head: BoardLine, sheet: str, what: str) -> list[Act]:
    exercise = exercise_of(desk)

    async def run(node: Any) -> str:
        made = await printer.vaccinated(node, head.patient, sheet)
        kind = kind_of(desk)
        raw = printer.vaccinations(desk, worded(desk), kind, made, exercise)
        wrote = kind if made.text or kind == "escpos" else "text"
        return await printer.give_out(raw, desk.greeting.printer, wrote, desk.now_ms)

    return _asked(desk, head, what, run)


def print_ward(desk: Desk) -> list[Act]:
    """Print everybody in care."""

    async def run(node: Any) -> str:
        place, lines = await printer.everybody(node)
        raw = printer.ward(desk, place, lines)
        return await printer.give_out(raw, desk.greeting.printer, "text", desk.now_ms)

    return _asked(desk, None, "printing.ward", run)


def _asked(
    desk: Desk, head: BoardLine | None, what: str, run: Callable[[Any], Awaitable[str]]
) -> list[Act]:
    words = desk.words
    if not desk.greeting.printer:
        return [Say(words("printing.none"), "warn", bell=True)]
    who = short_identity(words, head) if head is not None else ""

    def done(wrong: str) -> list[Act]:
        if wrong:
            return [Say(words(wrong), "bad", bell=True)]
        said = words("printing.done", what=words(what))
        return [Say(f"{said} {who}".strip(), "good")]

    def failed(failure: FieldmeshError) -> list[Act]:
        asked = None if head is None else asked_first(desk, head.patient, failure)
        return [asked] if asked is not None else [Say(error(words, failure), "bad", bell=True)]

    sent = Say(words("printing.sent", what=words(what)), "plain")
    return [sent, Ask(run, done, failed, holds=False)]


def worded(desk: Desk) -> Catalogue:
    """Return the words that the printer set here can print."""
    words = desk.paper_words
    return words if kind_of(desk) == "text" else on_label(words)


def kind_of(desk: Desk) -> str:
    """Return what the printer set here speaks."""
    held = desk.greeting.printer_kind
    return held if held in printer.KINDS else printer.KINDS[0]


def exercise_of(desk: Desk) -> str:
    """Return what every print of a drill says; '' = real work."""
    drill = desk.greeting.drill
    return f"{worded(desk)('drill.word')} {clean_text(drill)}" if drill else ""
