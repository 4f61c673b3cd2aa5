"""Recalled lots: what every store holds and gave, our own held back, and who received of it."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import Any, ClassVar

from fieldnode.client import Node
from fieldnode.tui.acts import Act, Ask, Open, Say
from fieldnode.tui.cores.display import Line, Size, Span, cut, line, wrap
from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Action, Hint
from fieldnode.tui.screens.chart import ChartPage
from fieldnode.tui.screens.glass import GlassPage
from fieldnode.tui.screens.hold_back import hold_back
from fieldnode.tui.screens.listing import Fetched
from fieldnode.tui.screens.retract import RetractPage
from fieldnode.tui.supply_words import age, between, coded, item, some, whole
from fieldnode.tui.widgets.list_view import Column
from fieldnode.tui.wording import clock, error
from protocols.errors import FieldmeshError
from protocols.live.consigned import (
    RecallLine,
    Recalls,
    RecipientLine,
    Recipients,
    StoreAnswer,
)
from protocols.records.display import clean_text

TEXT_ROWS = 3


class RecallsPage(Fetched[RecallLine, Recalls]):
    """Recalls that hold, the newest first."""

    name: ClassVar[str] = "recalls"
    actions = (Action("n", "1", "recalls.new"),)

    def name_of(self, row: RecallLine) -> str:
        """Return the fact: two people may recall one lot."""
        return row.fact

    def ask(self, node: Node) -> Awaitable[Recalls]:
        """Ask for all."""
        return node.recalls()

    def rows_of(self, found: Recalls) -> Sequence[RecallLine]:
        """Return all."""
        return found.lines

    def key(self, key: str) -> list[Act]:
        """Recall a lot; else as every list."""
        if self.action(key) == "n":
            from fieldnode.tui.screens.recall_form import recalling

            return recalling(self.desk)
        return super().key(key)

    def act(self, _key: str, row: RecallLine) -> list[Act]:
        """Open one."""
        return [Open(RecallPage(self.desk, row.fact))]

    def draw(self, size: Size) -> list[Line]:
        """Draw one row each."""
        words = self.desk.words
        title = line(" ", Span(words("recalls.title"), "title"))
        columns = (
            Column(words("supply.age"), 8),
            Column(words("supply.item"), 24),
            Column(words("supply.lot"), 12),
            Column(words("recalls.why"), 13),
            Column(words("recalls.left"), 0),
        )
        return [title, *self.table(columns, Size(size.width, size.height - 1), "recalls.none")]

    def hints(self) -> list[Hint]:
        """Say what Enter does."""
        words = self.desk.words
        return [Hint(words("keys.enter"), words("board.open")), *super().hints()]

    def cells(self, row: RecallLine) -> list[Span]:
        """Return how old, of what, why, and whether anybody still holds some freely."""
        words, items = self.desk.words, self.found.items if self.found else ()
        loose = [one for one in row.stores if _loose(one)]
        ours = any(one.ours for one in loose)
        key = "recalls.ours_loose" if ours else "recalls.loose" if loose else "recalls.all_held"
        return [
            Span(age(words, row.at_ms, self.desk.now_ms)),
            Span(item(words, items, row.item), "title"),
            Span(clean_text(row.lot)),
            Span(coded(words, "recall_why", row.why)),
            Span(words(key, n=len(loose)), "bad" if loose else "plain"),
        ]


def _loose(said: StoreAnswer) -> bool:
    """Whether a store holds some of it that it may still give."""
    return said.high > 0 and not said.quarantined


class RecallPage(Fetched[StoreAnswer, Recalls]):
    """One recall: each store's answer, and how old it is."""

    name: ClassVar[str] = "recall"
    about: ClassVar[tuple[str, ...]] = ()
    actions = (
        Action("q", "1", "recall.hold"),
        Action("p", "2", "recall.patients"),
        Action("e", "3", "recall.take_back"),
    )

    def __init__(self, desk: Desk, fact: str) -> None:
        super().__init__(desk)
        self._fact = fact

    @property
    def line(self) -> RecallLine | None:
        """The recall as it was last told; None once it was taken back."""
        lines = self.found.lines if self.found else ()
        return next((one for one in lines if one.fact == self._fact), None)

    def name_of(self, row: StoreAnswer) -> str:
        """Return the store."""
        return row.store

    def ask(self, node: Node) -> Awaitable[Recalls]:
        """Ask for all: a recall is one of few."""
        return node.recalls()

    def rows_of(self, found: Recalls) -> Sequence[StoreAnswer]:
        """Return its stores: ours first, then those that still hold some freely."""
        one = next((line for line in found.lines if line.fact == self._fact), None)
        if one is None:
            return ()
        return sorted(one.stores, key=lambda each: (not each.ours, not _loose(each), -each.high))

    def key(self, key: str) -> list[Act]:
        """Hold ours back, name patients, or take it back."""
        one, desk = self.line, self.desk
        letter = self.action(key)
        if not letter or one is None:
            return super().key(key)
        if letter == "p":
            return [Open(RecipientsPage(desk, one, self._named(one)))]
        if letter == "e":
            what = desk.words("recall.named", what=self._named(one))
            return [Open(RetractPage(desk, what, (one.fact,)))]
        loose = [each for each in one.stores if each.ours and each.high > 0]
        lots = [(each.store, one.item, one.lot) for each in loose if not each.quarantined]
        if not lots:
            key = "recall.held_already" if loose else "recall.none_here"
            return [Say(desk.words(key), "warn", bell=True)]
        label = desk.words("recall.held", what=self._named(one))
        return [hold_back(desk, lots, "recall", label, lambda: [self.fetch(holds=True)])]

    def draw(self, size: Size) -> list[Line]:
        """Draw what is recalled and why, and what each store answers."""
        words, one = self.desk.words, self.line
        if one is None:
            said = "chart.loading" if self.found is None else "recall.over"
            return [line(" ", Span(words(said), "dim"))]
        top = self._top(one, size.width)
        columns = (
            Column(words("recall.store"), 20),
            Column(words("recall.holds"), 11),
            Column(words("recall.state"), 12),
            Column(words("recall.gave"), 8),
            Column(words("recall.sent"), 8),
            Column(words("recall.lost"), 6),
            Column(words("supply.age"), 0),
        )
        room = Size(size.width, size.height - len(top))
        return [*top, *self.table(columns, room, "recall.nobody")]

    def cells(self, row: StoreAnswer) -> list[Span]:
        """Return holds n, gave m, and how old that is."""
        words = self.desk.words
        name = clean_text(row.name) or clean_text(row.store)
        state = Span("")
        if row.high > 0:
            key = "recall.is_held" if row.quarantined else "recall.is_loose"
            state = Span(words(key), "plain" if row.quarantined else "bad")
        return [
            Span(words("recall.ours", name=name) if row.ours else name, "title"),
            Span(between(row.low, row.high)),
            state,
            Span(some(row.gave)),
            Span(some(row.sent)),
            Span(some(row.lost)),
            Span(age(words, row.at_ms, self.desk.now_ms)),
        ]

    def _named(self, one: RecallLine) -> str:
        items = self.found.items if self.found else ()
        return f"{item(self.desk.words, items, one.item)} ({clean_text(one.lot)})"

    def _top(self, one: RecallLine, width: int) -> list[Line]:
        desk, words = self.desk, self.desk.words
        said = words(
            "recall.said",
            why=coded(words, "recall_why", one.why),
            level=coded(words, "recall_level", one.level),
            who=clean_text(one.author),
            at=clock(one.at_ms, desk.now_ms, desk.zone),
        )
        told = [said, words("recall.issuer", who=clean_text(one.issuer)) if one.issuer else ""]
        told.append(clean_text(one.text))
        rows: list[Line] = [line(" ", Span(cut(self._named(one), width - 2), "bad"))]
        for text in filter(None, told):
            rows += [line(" ", Span(part)) for part in wrap(text, width - 2)[:TEXT_ROWS]]
        beside = words("recall.beside", n=one.patients, transit=whole(max(one.transit, 0)))
        return [*rows, line(" ", Span(cut(beside, width - 2), "warn"))]


class RecipientsPage(Fetched[RecipientLine, Recipients]):
    """Who is known to have received of it; the trail says that they were named."""

    name: ClassVar[str] = "recipients"

    def __init__(self, desk: Desk, recall: RecallLine, named: str, reason: str = "") -> None:
        super().__init__(desk)
        self._recall, self._named, self._reason = recall, named, reason

    def name_of(self, row: RecipientLine) -> str:
        """Return the patient, and how."""
        return f"{row.patient} {row.how}"

    def ask(self, node: Node) -> Awaitable[Recipients]:
        """Ask; other teams' patients stand in the trail first."""
        return node.recall_patients(self._recall.item, self._recall.lot, self._reason)

    def rows_of(self, found: Recipients) -> Sequence[RecipientLine]:
        """Return all."""
        return found.lines

    def refused(self, failure: FieldmeshError) -> list[Act]:
        """Ask why, where patients of other teams are among them."""
        if failure.code != "other_team":
            return [Say(error(self.desk.words, failure), "bad", bell=True)]
        teams = failure.values.get("teams")
        named = tuple(map(str, teams)) if isinstance(teams, list | tuple) else ()
        return [Open(RecallGlass(self.desk, self._recall, self._named, named), instead=True)]

    def changed(self) -> list[Act]:
        """Nothing: it is not asked again unseen, since each time is one more line in the trail."""
        return []

    def resumed(self) -> list[Act]:
        """Nothing: what was shown stands in the trail once."""
        return []

    def act(self, _key: str, row: RecipientLine) -> list[Act]:
        """Open the chart; another team's asks for its own reason."""
        return [Open(ChartPage(self.desk, row.patient))]

    def draw(self, size: Size) -> list[Line]:
        """Draw one row a patient."""
        words, found = self.desk.words, self.found
        title = words("recipients.title", what=self._named)
        rows: list[Line] = [line(" ", Span(cut(title, size.width - 2), "title"))]
        told = words("recipients.told", n=found.total if found else 0)
        rows += [line(" ", Span(part, "dim")) for part in wrap(told, size.width - 2)]
        columns = (
            Column(words("chart.at"), 11),
            Column(words("board.code"), 13),
            Column(words("recipients.how"), 16),
            Column(words("recipients.units"), 8),
            Column(words("board.name"), 0),
        )
        room = Size(size.width, size.height - len(rows))
        return [*rows, *self.table(columns, room, "recipients.none")]

    def hints(self) -> list[Hint]:
        """Say what Enter does."""
        words = self.desk.words
        return [Hint(words("keys.enter"), words("board.open")), *super().hints()]

    def cells(self, row: RecipientLine) -> list[Span]:
        """Return when, whom, how and how much."""
        desk, words = self.desk, self.desk.words
        return [
            Span(clock(row.at_ms, desk.now_ms, desk.zone)),
            Span(clean_text(row.code)),
            Span(coded(words, "recipient_how", row.how)),
            Span(some(row.units)),
            Span(clean_text(row.name) or words("patient.unknown"), "title"),
        ]


class RecallGlass(GlassPage):
    """Asks why other teams' patients are named: one key, or a reason typed."""

    name: ClassVar[str] = "recall_glass"
    whose: ClassVar[str] = "recipients.others"
    asks: ClassVar[str] = "recipients.asks"
    does: ClassVar[str] = "recipients.do"

    def __init__(self, desk: Desk, recall: RecallLine, named: str, teams: tuple[str, ...]) -> None:
        super().__init__(desk, recall.recall, teams)
        self._recall, self._named = recall, named

    def _break(self, reason: str) -> Ask:
        def opened(_result: object) -> list[Act]:
            page = RecipientsPage(self.desk, self._recall, self._named, reason)
            return [Open(page, instead=True)]

        # The reason goes with the question: the node writes it down before it names anybody.
        return Ask(_nothing, opened)


async def _nothing(_node: Any) -> None:
    return None
