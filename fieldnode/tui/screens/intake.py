"""Intake and output: what went in, what came out, and the balance of it."""

from __future__ import annotations

from typing import Any, ClassVar

from fieldnode.tui.acts import Act, Ask, Open, Say
from fieldnode.tui.cores.display import Line, Size, Span, line
from fieldnode.tui.cores.fields import AboutNumber, Answer, Choice, Coded, Field, Number, Reason
from fieldnode.tui.cores.form import FormCore
from fieldnode.tui.cores.list import ListCore
from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Action, Hint, Page
from fieldnode.tui.screens.form_page import FormPage
from fieldnode.tui.screens.glass import asked_first
from fieldnode.tui.widgets.list_view import Column, draw_list
from fieldnode.tui.wording import clock, error, identity, safety_line
from protocols.errors import FieldmeshError
from protocols.guidelines.vocabulary import Fluid, rows_of
from protocols.guidelines.vocabulary import word as vocabulary_word
from protocols.live.api import BoardLine
from protocols.live.observed import FluidLine, Observed, Sums
from protocols.records.display import clean_text

KIND = "intake.record"

DIGITS = (
    ("1", "ors"),
    ("2", "iv-fluid"),
    ("3", "oral"),
    ("4", "tube-feed"),
    ("5", "blood"),
    ("6", "urine"),
    ("7", "stool"),
    ("8", "vomit"),
    ("9", "drain"),
    ("0", "other-out"),
)
"""One digit a fluid; what came out from 6 on."""

TIMES = ("1", "200")
"""How often may be said in one record."""


class IntakePage(Page):
    """The balance over 24 hours and since the arrival, and each record."""

    name: ClassVar[str] = "intake"
    actions = (Action("n", "1", "intake.new"),)

    def __init__(self, desk: Desk, head: BoardLine) -> None:
        super().__init__(desk)
        self._head = head
        self._found: Observed | None = None
        self._rows: ListCore[FluidLine] = ListCore(lambda row: f"{row.at_ms} {row.what}")

    def opened(self) -> list[Act]:
        """Fetch it; keys wait."""
        return [self._fetch(holds=True)]

    def resumed(self) -> list[Act]:
        """Fetch it again: something was just written."""
        return self.opened()

    def changed(self) -> list[Act]:
        """Fetch it again."""
        return [self._fetch(holds=False)]

    def key(self, key: str) -> list[Act]:
        """Move, or write one down."""
        if self._rows.key(key):
            return []
        if self.action(key) == "n":
            return [Open(IntakeForm(self.desk, self._head))]
        return super().key(key)

    def draw(self, size: Size) -> list[Line]:
        """Draw who it is, both balances, and the records."""
        words = self.desk.words
        head = self._found.head if self._found else self._head
        top = [identity(words, head), safety_line(words, head, size.width)]
        if self._found is None:
            return [*top, line(" ", Span(words("chart.loading"), "dim"))]
        top += [
            line(" ", Span(words("intake.title"), "title")),
            *self._sums(words("intake.day"), self._found.day),
            *self._sums(words("intake.stay"), self._found.stay),
        ]
        columns = (
            Column(words("chart.at"), 11),
            Column(words("intake.what"), 24),
            Column(words("intake.in"), 9),
            Column(words("intake.out"), 9),
            Column(words("intake.times"), 6),
            Column("", 0),
        )
        room = Size(size.width, size.height - len(top))
        return [*top, *draw_list(self._rows, columns, self._cells, room, words("intake.none"))]

    def hints(self) -> list[Hint]:
        """Say how to write one down."""
        return super().hints()

    def _fetch(self, *, holds: bool) -> Ask:
        desk, patient = self.desk, self._head.patient

        def came(found: Observed) -> list[Act]:
            self._found = found
            self._rows.take_all(found.fluids)
            return []

        def refused(failure: FieldmeshError) -> list[Act]:
            asked = asked_first(desk, patient, failure)
            said = Say(error(desk.words, failure), "bad", bell=True)
            return [said] if asked is None else [asked]

        return Ask(lambda node: node.observed(patient), came, refused, holds=holds)

    def _sums(self, label: str, sums: Sums) -> list[Line]:
        """Return one balance: in, out, the difference, and what it is without."""
        words = self.desk.words
        about = "~" if sums.estimated else ""
        balance = sums.in_tenths - sums.out_tenths
        told = words(
            "intake.balance",
            taken=f"{about}{millilitres(sums.in_tenths)}",
            given=f"{about}{millilitres(sums.out_tenths)}",
            balance=f"{about}{'+' if balance > 0 else ''}{millilitres(balance)}",
        )
        rows = [line(" ", Span(label, "label"), Span(f"  {told}", "title"))]
        parts = [words("intake.unmeasured", n=sums.unmeasured)] if sums.unmeasured else []
        parts += [f"{self._named(name)} {millilitres(tenths)}" for name, tenths in sums.by_what]
        parts += [f"{self._named(name)} x{often}" for name, often in sums.times]
        return [*rows, line("   ", Span("   ".join(parts), "dim"))] if parts else rows

    def _named(self, name: str) -> str:
        return clean_text(vocabulary_word(name, *self.desk.words.languages) or name)

    def _cells(self, row: FluidLine) -> list[Span]:
        desk = self.desk
        volume = f"{'~' if row.estimated and row.volume_ml else ''}{clean_text(row.volume_ml)}"
        into = row.direction == "in"
        return [
            Span(clock(row.at_ms, desk.now_ms, desk.zone)),
            Span(self._named(row.what), "title"),
            Span(volume if into else ""),
            Span("" if into else volume),
            Span(f"x{row.times}" if row.times else ""),
            Span(clean_text(row.text)),
        ]


class IntakeForm(FormPage):
    """One thing that went in or came out."""

    name: ClassVar[str] = "intake_form"
    title: ClassVar[str] = "intake.title"
    saved_word: ClassVar[str] = "intake.saved"
    kinds: ClassVar[tuple[str, ...]] = (KIND,)

    def __init__(self, desk: Desk, head: BoardLine) -> None:
        fluids = {row.name: row for row in rows_of("fluid") if isinstance(row, Fluid)}
        choices = tuple(
            Choice(digit, name, f"fluid.{name}") for digit, name in DIGITS if name in fluids
        )
        most = max(row.ml_max for row in fluids.values())
        fields = (
            Coded("what", "intake.what", required=True, choices=choices),
            AboutNumber(
                "volume_ml",
                "intake.volume",
                hint="intake.volume_hint",
                unit="mL",
                decimals=1,
                possible=("0.1", str(most)),
            ),
            Number("times", "intake.times_field", hint="intake.times_hint", possible=TIMES),
            Field("text", "intake.remark"),
        )
        super().__init__(desk, FormCore(fields, optional_from=2), head)

    def check(self, answers: dict[str, Answer]) -> tuple[str, Reason] | None:
        """A volume or how often: one of them has to be there."""
        known = "volume_ml" in answers or "times" in answers
        return None if known else ("volume_ml", Reason("intake.how_much"))

    def record(self, answers: dict[str, Answer]) -> dict[str, Any]:
        """Return what went in or came out."""
        assert self.head is not None
        data: dict[str, Any] = {"what": answers["what"].text}
        if "volume_ml" in answers:
            text = answers["volume_ml"].text
            data["volume_ml"] = text.removeprefix("~")
            if text.startswith("~"):
                data["estimated"] = True
        if "times" in answers:
            data["times"] = int(answers["times"].text)
        if "text" in answers:
            data["text"] = answers["text"].text
        return {"kind": KIND, "patient": self.head.patient, "data": data}


def millilitres(tenths: int) -> str:
    """Return tenths as millilitres, thousands apart (SAFETY 3)."""
    sign, whole, rest = "-" if tenths < 0 else "", abs(tenths) // 10, abs(tenths) % 10
    grouped = f"{whole:,}".replace(",", " ")
    return f"{sign}{grouped}{f'.{rest}' if rest else ''} mL"
