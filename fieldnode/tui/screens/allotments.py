"""Who may issue how much of an item: what each device holds, and giving some of it on."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from fieldnode.tui.acts import Act, Ask, Open
from fieldnode.tui.cores.display import Line, Size, Span, fit_right, line, wrap
from fieldnode.tui.cores.fields import Answer, Field
from fieldnode.tui.cores.form import FormCore
from fieldnode.tui.cores.picked import Item, Picked, coded
from fieldnode.tui.cores.supply_fields import Whole
from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Action
from fieldnode.tui.screens.form_page import FormPage
from fieldnode.tui.screens.listing import Fetched
from fieldnode.tui.stock_words import amount, number
from fieldnode.tui.widgets.list_view import Column
from protocols.live.api import Recorded
from protocols.live.belonging import RosterPage
from protocols.live.shelf import AccountLine, StockItem
from protocols.records.display import clean_text

if TYPE_CHECKING:
    from fieldnode.client import Node

DEVICES_MAX = 200
NUMBERED = 9


class AllotmentsPage(Fetched[AccountLine, StockItem]):
    """What each device holds of one item, has used, and has left."""

    name: ClassVar[str] = "allotments"
    actions = (Action("g", "1", "allot.grant"),)
    about: ClassVar[tuple[str, ...]] = ()

    def __init__(self, desk: Desk, item: str) -> None:
        super().__init__(desk)
        self.item = item

    def name_of(self, row: AccountLine) -> str:
        """Return the device."""
        return row.device

    def ask(self, node: Node) -> Awaitable[StockItem]:
        """Ask for the item."""
        return node.stock_item(self.desk.store, self.item, self.desk.words.languages)

    def rows_of(self, found: StockItem) -> Sequence[AccountLine]:
        """Return them."""
        return found.accounts

    def key(self, key: str) -> list[Act]:
        """Give some on."""
        if self.action(key) != "g" or self.found is None:
            return super().key(key)
        known = self.found

        def came(found: RosterPage) -> list[Act]:
            devices = other_devices(self.desk, found)
            return [Open(GrantPage(self.desk, known, devices))]

        return [Ask(lambda node: node.roster(0, DEVICES_MAX), came)]

    def draw(self, size: Size) -> list[Line]:
        """Draw the item, how it works, and the devices."""
        words, found = self.desk.words, self.found
        if found is None:
            return []
        asks = [line(" ", Span(part, "dim")) for part in wrap(words("allot.asks"), size.width - 2)]
        title = line(" ", Span(words("allot.title", item=clean_text(found.line.name)), "title"))
        columns = (
            Column(words("allot.device"), 34),
            Column(fit_right(words("allot.granted"), 12), 12),
            Column(fit_right(words("allot.used"), 12), 12),
            Column(fit_right(words("allot.left"), 12), 12),
        )
        room = Size(size.width, size.height - 2 - len(asks))
        return [title, *asks, (), *self.table(columns, room, "allot.none")]

    def cells(self, row: AccountLine) -> list[Span]:
        """Return the device and its figures."""
        name = clean_text(row.name)
        own = self.desk.words("allot.here")
        here = f"{name} ({own})" if row.ours else name
        return [
            Span(here, "title"),
            Span(fit_right(number(row.granted), 12)),
            Span(fit_right(number(row.used), 12)),
            Span(fit_right(number(row.left), 12), "bad" if row.left < 0 else "plain"),
        ]


def other_devices(desk: Desk, found: RosterPage) -> tuple[tuple[str, str], ...]:
    """Return id and name of every device but this one."""
    mine = desk.greeting.device
    return tuple(
        (one.id, clean_text(one.name))
        for one in found.lines
        if one.id.startswith("dev_") and one.id != mine
    )


class GrantPage(FormPage):
    """So much of what this device may issue becomes another's."""

    name: ClassVar[str] = "grant"
    title: ClassVar[str] = "allot.grant_title"
    saved_word: ClassVar[str] = "kind.allotment.grant"
    kinds: ClassVar[tuple[str, ...]] = ("allotment.grant",)

    def __init__(self, desk: Desk, known: StockItem, devices: tuple[tuple[str, str], ...]) -> None:
        items = tuple(
            Item(str(at) if at <= NUMBERED else "", device, name or device)
            for at, (device, name) in enumerate(devices, 1)
        )
        fields = (
            Picked("device", "allot.device", required=True, items=items),
            Whole("units", "move.units", required=True, hint="move.units_hint"),
            Field("reason", "move.reason", chars_max=80),
        )
        super().__init__(desk, FormCore(fields, optional_from=2, swift=True))
        self.known = known

    def record(self, answers: dict[str, Answer]) -> dict[str, Any]:
        """Return the grant."""
        share = {"device": coded(answers["device"])[0], "units": int(answers["units"].text)}
        found: dict[str, Any] = {
            "kind": "allotment.grant",
            "store": self.known.store,
            "data": {"item": self.known.line.item, "to": [share]},
        }
        return found | ({"reason": answers["reason"].text} if "reason" in answers else {})

    def field_of(self, path: str) -> str:
        """What is wrong with the share is its number, or its device."""
        if path.endswith(".device"):
            return "device"
        return "units" if path.startswith("data.to") else super().field_of(path)

    def draw(self, size: Size) -> list[Line]:
        """Draw the item above the form, and what this device has left."""
        words, known = self.desk.words, self.known
        mine = next((one for one in known.accounts if one.ours), None)
        left = known.line.low if mine is None else mine.left
        told = words("allot.yours", left=amount(words, known.line.unit, left))
        top = [
            line(" ", Span(clean_text(known.line.name), "title")),
            line(" ", Span(told, "dim")),
        ]
        return [*top, *super().draw(Size(size.width, size.height - len(top)))]

    def beside(self) -> dict[str, Span]:
        """Return what the quantity comes to."""
        answers = self.form.answers()
        if "units" not in answers:
            return {}
        said = amount(self.desk.words, self.known.line.unit, int(answers["units"].text))
        return {"units": Span(said, "title")}

    def draft_label(self) -> str:
        """Return the item."""
        return clean_text(self.known.line.name)

    def more_draft(self) -> dict[str, str]:
        """Keep item and store."""
        return {"store": self.known.store, "about_item": self.known.line.item}

    def _label(self, recorded: Recorded) -> str:
        answers = self.form.answers()
        units = int(answers["units"].text)
        return f"{amount(self.desk.words, self.known.line.unit, units)}  {self.draft_label()}"
