"""To whom stock is dispensed: found by name, code or tag, or scanned at the wrist."""

from __future__ import annotations

from typing import ClassVar

from fieldnode.tui.acts import Act, Open
from fieldnode.tui.cores.display import Line, Size, Span, line
from fieldnode.tui.desk import Desk
from fieldnode.tui.screens.moves import DispensePage
from fieldnode.tui.screens.search import SearchPage
from fieldnode.tui.screens.stock_form import Room, with_room
from protocols.live.api import BoardLine


class DispenseToPage(SearchPage):
    """Whoever it is; Enter goes on to what they are given."""

    name: ClassVar[str] = "dispense_to"

    def chosen(self, row: BoardLine) -> list[Act]:
        """Go on with them."""
        return handed_out(self.desk, row, instead=True)

    def draw(self, size: Size) -> list[Line]:
        """Draw what is asked above the search."""
        top = [line(" ", Span(self.desk.words("move.to_whom"), "title")), ()]
        return [*top, *super().draw(Size(size.width, size.height - len(top)))]


def handed_out(desk: Desk, head: BoardLine, *, instead: bool = False) -> list[Act]:
    """Open the form in which somebody is given something out of the store of this terminal."""

    def go_on(room: Room) -> list[Act]:
        return [Open(DispensePage(desk, room, head), instead=instead)]

    return with_room(desk, go_on)
