"""One child's doses with what each counts for, and what comes next: what stands on the card."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from fieldnode.tui.acts import Act, Open
from fieldnode.tui.cores.display import Line, Size, Span, line
from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Action, Page
from fieldnode.tui.screens.glass import asked_first
from fieldnode.tui.screens.listing import Fetched
from fieldnode.tui.screens.printing import print_card, print_vaccination
from fieldnode.tui.vaccine_words import dose_span, lot_text, state, vaccine_word, why
from fieldnode.tui.widgets.list_view import Column
from fieldnode.tui.wording import full_identity
from protocols.errors import FieldmeshError
from protocols.live.api import BoardLine
from protocols.live.drive import Child, GivenLine, SeriesLine
from protocols.records.display import clean_text

if TYPE_CHECKING:
    from fieldnode.client import Node

CardLine = GivenLine | SeriesLine


class CardPage(Fetched[CardLine, Child]):
    """Doses by day, then every series of the schedule."""

    name: ClassVar[str] = "vaccine_card"
    about: ClassVar[tuple[str, ...]] = ()
    actions = (
        Action("a", "1", "vaccine_card.aefi"),
        Action("p", "2", "vaccine_card.card"),
        Action("v", "3", "vaccine_card.proof"),
        Action("d", "4", "vaccine_card.from_card"),
    )

    def __init__(self, desk: Desk, head: BoardLine, session: str = "") -> None:
        super().__init__(desk)
        self.head = head
        self._session = session

    async def ask(self, node: Node) -> Child:
        """Ask for the doses and the forecast."""
        return await node.child(self.head.patient, self._session)

    def refused(self, failure: FieldmeshError) -> list[Act]:
        """Another team's child: say why first."""
        asked = asked_first(self.desk, self.head.patient, failure)
        return [asked] if asked is not None else super().refused(failure)

    def rows_of(self, found: Child) -> Sequence[CardLine]:
        """Doses first."""
        return (*found.doses, *found.series)

    def name_of(self, row: CardLine) -> str:
        """The record of a dose, or the series."""
        return row.fact if isinstance(row, GivenLine) else f"series {row.series}"

    def key(self, key: str) -> list[Act]:
        """Report what followed a dose, or print the card or a signed proof."""
        if self.gone:
            return Page.key(self, key)
        if self.action(key) == "a" and self.found is not None:
            from fieldnode.tui.screens.aefi import AefiForm

            return [Open(AefiForm(self.desk, self.head, self.found.doses))]
        if self.action(key) == "d":
            from fieldnode.tui.screens.card_doses import CardDosesForm

            return [Open(CardDosesForm(self.desk, self.head, self._session))]
        prints = {"p": print_card, "v": print_vaccination}
        if (letter := self.action(key)) in prints:
            return prints[letter](self.desk, self.head)
        return super().key(key)

    def cells(self, row: CardLine) -> list[Span]:
        """Return a dose and what it counts for, or a series and what it needs."""
        words = self.desk.words
        if isinstance(row, SeriesLine):
            said = state(words, row.state)
            of = f"{row.number}/{row.doses}" if row.number else f"-/{row.doses}"
            unsure = "" if row.sure else " " + words("vaccine_card.unsure")
            note = f"{self._why(row)}{unsure}"
            return [
                Span(row.day or "-"),
                Span(vaccine_word(words, row.words)),
                Span(of),
                said,
                Span(note, "dim"),
            ]
        number = "" if row.dose is None else str(row.dose)
        said = dose_span(words, row)
        lot = lot_text(words, row)
        note = " ".join(part for part in (lot, clean_text(row.place), self._why(row)) if part)
        return [
            Span(row.day or "?", "title"),
            Span(vaccine_word(words, row.words), "title"),
            Span(number),
            said,
            Span(note, "bad" if row.recalled else "dim"),
        ]

    def _why(self, row: CardLine) -> str:
        return why(self.desk.words, row.rule, self.found.schedule if self.found else "")

    def draw(self, size: Size) -> list[Line]:
        """Draw who it is, a row for each dose and series, and the next visit."""
        words = self.desk.words
        if self.gone:
            return [(), line(" ", Span(words("chart.gone"), "bad"))]
        head = self.found.head if self.found is not None and self.found.head else self.head
        rows = full_identity(words, head)
        if self.found is not None:
            approved = "" if self.found.approved else words("value.not-approved")
            label = words("vaccine_card.by", schedule=self.found.schedule)
            rows.append(line(" ", Span(label, "label"), "  ", Span(approved, "bad")))
        columns = (
            Column(words("vaccine_card.day"), 11),
            Column(words("vaccine_card.what"), 24),
            Column(words("vaccine_card.number"), 5),
            Column(words("vaccine_card.state"), 15),
            Column(words("vaccine_card.why"), 0),
        )
        room = Size(size.width, size.height - len(rows) - 1)
        table = self.table(columns, room, "vaccine_card.none")
        low: Line = ()
        if self.found is not None and self.found.next_day:
            key = "vaccine_card.next" if self.found.next_sure else "vaccine_card.next_about"
            low = line(" ", Span(words(key, day=self.found.next_day), "good"))
        return [*rows, *table, low]
