"""Records that may be of one person: both in full, and one key says what they are."""

from __future__ import annotations

from collections.abc import Hashable
from typing import ClassVar

from fieldnode.tui.acts import Act, Ask, Open, Say
from fieldnode.tui.cores.display import Line, Size, Span, line, wrap
from fieldnode.tui.cores.list import ListCore
from fieldnode.tui.cores.scan import Scan
from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Action, Hint, Page
from fieldnode.tui.screens.candidates import why_alike
from fieldnode.tui.screens.gate import ask_gate
from fieldnode.tui.screens.links import LINK, UNLINK, PairPage
from fieldnode.tui.widgets.list_view import Column, draw_list
from fieldnode.tui.wording import age, called, sex
from protocols.live.alike import Alike, AlikeLine
from protocols.live.api import BoardLine
from protocols.records.display import clean_text

PAIRS_MAX = 50


class DoublesPage(Page):
    """Pairs, the likest first."""

    name: ClassVar[str] = "doubles"

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._rows: ListCore[AlikeLine] = ListCore(_name_of)
        self._found = Alike(())
        self._listed = 0

    def opened(self) -> list[Act]:
        """Fetch them; keys wait."""
        return [self._fetch()]

    def resumed(self) -> list[Act]:
        """Fetch them again: one may be told apart or linked."""
        return [self._fetch()]

    def key(self, key: str) -> list[Act]:
        """Move, or look at both."""
        if self._rows.key(key):
            return []
        chosen = self._rows.selected
        if key != "enter" or chosen is None or chosen.other is None:
            return super().key(key)
        return [Open(DoublePage(self.desk, chosen, chosen.other))]

    @property
    def question(self) -> Hashable | None:
        """Which of them."""
        return self._listed

    def answers(self, item: str | Scan) -> bool:
        """Enter is about the selected one."""
        return item == "enter"

    def draw(self, size: Size) -> list[Line]:
        """Draw a row for each pair."""
        words, found = self.desk.words, self._found
        rows: list[Line] = [line(" ", Span(words("doubles.title"), "title"))]
        if found.in_care > found.looked_at:
            said = words("doubles.more", n=found.looked_at)
            rows.append(line(" ", Span(said, "warn")))
        columns = (
            Column(words("doubles.points"), 6),
            Column(words("doubles.one"), 34),
            Column(words("doubles.other"), 0),
        )
        room = Size(size.width, size.height - len(rows))
        return [*rows, *draw_list(self._rows, columns, self._cells, room, words("doubles.none"))]

    def hints(self) -> list[Hint]:
        """Say what Enter does."""
        words = self.desk.words
        return [Hint(words("keys.enter"), words("doubles.look")), Hint("↑ ↓", "")]

    def _cells(self, row: AlikeLine) -> list[Span]:
        one, two = self._brief(row.head), self._brief(row.other or row.head)
        return [Span(str(row.points)), Span(one, "title"), Span(two, "title")]

    def _brief(self, head: BoardLine) -> str:
        words = self.desk.words
        shown = age(words, clean_text(head.age)) or "?"
        return f"{clean_text(head.code)} {shown} {sex(words, head.sex)} {called(words, head)}"

    def _fetch(self) -> Ask:
        def came(found: Alike) -> list[Act]:
            self._rows.take_all(found.lines)
            self._found = found
            self._listed += 1
            return []

        return Ask(lambda node: node.lookalikes(PAIRS_MAX), came)


class DoublePage(PairPage):
    """Two records; the same person or two, with one key. Either can be taken back."""

    name: ClassVar[str] = "double"
    kind: ClassVar[str] = LINK
    actions = (Action("s", "1", "doubles.same"), Action("x", "2", "doubles.two"))

    def __init__(self, desk: Desk, pair: AlikeLine, other: BoardLine) -> None:
        super().__init__(desk, pair.head, other)
        self._pair = pair

    def opened(self) -> list[Act]:
        """Ask whether whoever is here may say it."""
        return ask_gate(self.desk, (LINK, UNLINK), self.head.patient)

    def key(self, key: str) -> list[Act]:
        """Say what they are."""
        words = self.desk.words
        match self.action(key):
            case "s":
                return [self.write("same", words("links.same"))]
            case "x":
                said = words("doubles.apart")
                return [self.write("same", said, kind=UNLINK, reason=words("doubles.reason"))]
        if key == "enter":
            return [Say(words("doubles.which"), "warn", bell=True)]
        return super().key(key)

    @property
    def question(self) -> Hashable | None:
        """Whether they are one person."""
        return self.head.patient, self.other.patient

    def answers(self, item: str | Scan) -> bool:
        """Either of the actions."""
        return isinstance(item, str) and bool(self.action(item))

    def draw(self, size: Size) -> list[Line]:
        """Draw both in full, why they look alike, and what each key means."""
        words, pair = self.desk.words, self._pair
        rows = self.both()
        why = words("doubles.why", points=pair.points, why=why_alike(words, pair.reasons))
        rows += [line(" ", Span(part, "warn")) for part in wrap(why, size.width - 2)]
        rows.append(())
        for key in ("doubles.same_means", "doubles.two_means"):
            rows += [line(" ", part) for part in wrap(words(key), size.width - 2)]
        return rows[: size.height]


def _name_of(row: AlikeLine) -> str:
    return f"{row.head.patient} {row.other.patient if row.other else ''}"
