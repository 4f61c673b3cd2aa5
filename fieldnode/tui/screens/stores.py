"""The store that this terminal works in: chosen once, and shown wherever it matters (SAFETY 23)."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import TYPE_CHECKING, ClassVar

from fieldnode.tui.acts import Act, Ask, Back, Open, Say
from fieldnode.tui.cores.display import Line, Size, Span, line, wrap
from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Action, Hint
from fieldnode.tui.screens.listing import Fetched
from fieldnode.tui.widgets.list_view import Column
from protocols.live.shelf import StoreLine, Stores
from protocols.records.display import clean_text

if TYPE_CHECKING:
    from fieldnode.client import Node


class StoresPage(Fetched[StoreLine, Stores]):
    """Our own store first, its parts, then all others; Enter works in the marked one."""

    name: ClassVar[str] = "stores"
    actions = (Action("n", "1", "stores.new"),)

    def name_of(self, row: StoreLine) -> str:
        """Return its id."""
        return row.store

    def ask(self, node: Node) -> Awaitable[Stores]:
        """Ask for all of them."""
        return node.stores()

    def rows_of(self, found: Stores) -> Sequence[StoreLine]:
        """Return them."""
        return found.lines

    def key(self, key: str) -> list[Act]:
        """Name a new one; else as every list."""
        if self.action(key) == "n":
            from fieldnode.tui.screens.site_form import SitePage

            return [Open(SitePage(self.desk, self.found.lines if self.found else ()))]
        return super().key(key)

    def act(self, _key: str, row: StoreLine) -> list[Act]:
        """Work in it from now on, after a restart too, and go back."""
        chosen(self.desk, row)
        return [Back(), _keep(row.store)]

    def draw(self, size: Size) -> list[Line]:
        """Draw what is asked, and the stores."""
        words = self.desk.words
        asks = [line(" ", part) for part in wrap(words("stores.asks"), size.width - 2)]
        columns = (
            Column(words("stores.name"), 40),
            Column(words("stores.items"), 14),
            Column(words("stores.whose"), 0),
        )
        room = Size(size.width, size.height - 2 - len(asks))
        title = line(" ", Span(words("stores.title"), "title"))
        return [title, *asks, (), *self.table(columns, room, "stores.none")]

    def cells(self, row: StoreLine) -> list[Span]:
        """Return name, how many items, and whether it is ours."""
        words = self.desk.words
        here = row.store == self.desk.store
        whose = words("stores.here" if here else "stores.ours") if here or row.ours else ""
        return [Span(clean_text(row.name), "title"), Span(str(row.items)), Span(whose, "good")]

    def hints(self) -> list[Hint]:
        """Say what Enter does."""
        words = self.desk.words
        return [Hint(words("keys.enter"), words("stores.choose")), *super().hints()]


def chosen(desk: Desk, row: StoreLine) -> None:
    """Let this terminal work in a store from now on."""
    desk.store, desk.store_name = row.store, clean_text(row.name)
    desk.store_kept = False


def _keep(store: str) -> Ask:
    """Remember the choice on the node; it holds here whether or not that works."""
    return Ask(lambda node: node.settings(store=store), _kept, _kept, holds=False)


def _kept(_result: object) -> list[Act]:
    return []


def taken_up(desk: Desk) -> list[Act]:
    """Name the store that is the choice of an earlier day, once."""
    if not desk.store_kept:
        return []
    desk.store_kept = False
    return [Say(desk.words("stores.kept", store=desk.store_name))]


def settled_on(desk: Desk, found: Stores) -> bool:
    """Take the store without asking where there is one only; return whether one is chosen."""
    if not desk.store:
        ours = [row for row in found.lines if row.ours]
        if len(ours) == 1:
            chosen(desk, ours[0])
    return bool(desk.store)
