"""What store-keepers write: received, issued, returned, lost, set right, dispensed; kits."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

from fieldnode.tui.acts import Act, Back, Open
from fieldnode.tui.cores.display import Line, Span
from fieldnode.tui.cores.fields import Answer, Choice, Coded, Field, Reason
from fieldnode.tui.cores.form import FormCore
from fieldnode.tui.cores.picked import Item, Picked, coded
from fieldnode.tui.cores.stock_fields import Expiry, Lot
from fieldnode.tui.cores.supply_fields import PACK_MOST, UNITS_MOST, Whole
from fieldnode.tui.desk import Desk
from fieldnode.tui.screens.stock_form import Room, StockForm, item_field, plain
from fieldnode.tui.stock_words import amount, number
from protocols.live.api import BoardLine, Recorded
from protocols.records.display import clean_text

RECEIVED = ("donation", "bought", "transfer", "opening-balance", "other")
ISSUED = ("to-ward", "transfer", "other")
LOST = ("expired", "damaged", "broken-cold-chain", "vvm", "theft", "spilled", "missing",
        "destroyed", "other")  # fmt: skip
RETURNED = ("unused", "other")

FOUND, MISSING = "found", "missing"
WAYS = (
    Choice("1", FOUND, "move.found", "F"),
    Choice("2", MISSING, "move.missing", "M"),
)


class MovePage(StockForm, ABC):
    """One movement. What it asks for is the class's; what speaks against it the node says."""

    kind: ClassVar[str] = ""

    def __init__(self, desk: Desk, room: Room, item: str = "") -> None:
        fields = self.fields_of(desk, room)
        last = next(at for at, field in enumerate(fields) if field.name == "units")
        form = FormCore(fields, optional_from=last + 1, swift=True)
        super().__init__(desk, room, form, None, item)

    @abstractmethod
    def fields_of(self, desk: Desk, room: Room) -> tuple[Field, ...]:
        """Return the fields, the quantity the last of those that are needed."""

    def record(self, answers: dict[str, Answer]) -> dict[str, Any]:
        """Return the movement."""
        return self.line_of(self.kind, answers)

    def check(self, answers: dict[str, Answer]) -> tuple[str, Reason] | None:
        """Ask for a reason where the word chosen says none."""
        if "why" in answers and coded(answers["why"])[0] == "other" and "reason" not in answers:
            return "reason", Reason("move.say_why")
        return None

    def after_save(self, recorded: Recorded) -> list[Act]:
        """Go on with the next item; back where it was opened for one item."""
        if self.preset:
            return [Back()]
        # Which item was asked for is no part of the next one.
        return [Open(type(self)(self.desk, self.room), instead=True)]


class ReceivePage(MovePage):
    """Stock came in: a scan says item, lot and expiry, the quantity and Enter save it."""

    name: ClassVar[str] = "stock_receive"
    title: ClassVar[str] = "move.receive"
    saved_word: ClassVar[str] = "kind.stock.receive"
    kind: ClassVar[str] = "stock.receive"
    kinds: ClassVar[tuple[str, ...]] = ("stock.receive",)

    def fields_of(self, desk: Desk, room: Room) -> tuple[Field, ...]:
        """Item, lot, expiry, pack size, quantity; then where from."""
        return (
            item_field(room),
            Lot("lot", "move.lot", hint="move.lot_hint"),
            Expiry("expiry", "move.expiry", hint="move.expiry_hint"),
            Whole("size", "move.size", hint="move.size_hint", swift=False, most=PACK_MOST),
            Whole("units", "move.packs", required=True, hint="move.packs_hint"),
            why_field(desk, RECEIVED),
            site_field(room, "move.from"),
            plain("reason", "move.reason"),
        )

    def beside(self) -> dict[str, Span]:
        """Return what one pack holds."""
        size, named = self.form.answers().get("size", Answer()).text, self.item_name
        if not size or named is None:
            return {}
        return {"size": Span(amount(self.desk.words, named.unit, int(size)), "dim")}

    def check(self, answers: dict[str, Answer]) -> tuple[str, Reason] | None:
        """Packs times their size may be a slip of the hand where neither looks like one."""
        if self.units > UNITS_MOST:
            limits = (("low", "1"), ("high", number(UNITS_MOST)), ("unit", ""))
            return "units", Reason("form.impossible", limits)
        return super().check(answers)


class IssuePage(MovePage):
    """Stock goes out to a ward, a team or another store: the lot that expires first is chosen."""

    name: ClassVar[str] = "stock_issue"
    title: ClassVar[str] = "move.issue"
    saved_word: ClassVar[str] = "kind.stock.issue"
    kind: ClassVar[str] = "stock.issue"
    kinds: ClassVar[tuple[str, ...]] = ("stock.issue",)
    offers_first: ClassVar[bool] = True

    def fields_of(self, desk: Desk, room: Room) -> tuple[Field, ...]:
        """Item, lot, quantity; then where to, and who saw it."""
        return (
            item_field(room),
            lot_there(),
            single_units(),
            site_field(room, "move.to"),
            why_field(desk, ISSUED),
            *seen_and_why(),
        )

    def told(self) -> list[Line]:
        """Say, once another store is named, that only a shipment is in its book as well."""
        named = coded(self.form.answers().get("other", Answer()))[0]
        other = next((each for each in self.room.stores if named and each.store == named), None)
        if other is None:
            return super().told()
        store = clean_text(other.name) or named[:8]
        return [
            *self.says(self.desk.words("move.not_added", store=store), "label"),
            *super().told(),
        ]


class ReturnPage(MovePage):
    """Stock came back unused."""

    name: ClassVar[str] = "stock_return"
    title: ClassVar[str] = "move.return"
    saved_word: ClassVar[str] = "kind.stock.return"
    kind: ClassVar[str] = "stock.return"
    kinds: ClassVar[tuple[str, ...]] = ("stock.return",)

    def fields_of(self, desk: Desk, room: Room) -> tuple[Field, ...]:
        """Item, lot, expiry, quantity; then where from."""
        return (
            item_field(room),
            lot_there(),
            Expiry("expiry", "move.expiry", hint="move.expiry_hint"),
            single_units(),
            why_field(desk, RETURNED),
            site_field(room, "move.from"),
            plain("reason", "move.reason"),
        )


class LossPage(MovePage):
    """Stock is gone and helped nobody: why is needed."""

    name: ClassVar[str] = "stock_loss"
    title: ClassVar[str] = "move.loss"
    saved_word: ClassVar[str] = "kind.stock.loss"
    kind: ClassVar[str] = "stock.loss"
    kinds: ClassVar[tuple[str, ...]] = ("stock.loss",)

    def fields_of(self, desk: Desk, room: Room) -> tuple[Field, ...]:
        """Item, lot, why, quantity; then who saw it."""
        return (
            item_field(room),
            lot_there(),
            why_field(desk, LOST, required=True),
            single_units(),
            *seen_and_why(),
        )


class AdjustPage(MovePage):
    """The book is set right by what was found or is missing, with a reason."""

    name: ClassVar[str] = "stock_adjust"
    title: ClassVar[str] = "move.adjust"
    saved_word: ClassVar[str] = "kind.stock.adjust"
    kind: ClassVar[str] = "stock.adjust"
    kinds: ClassVar[tuple[str, ...]] = ("stock.adjust",)

    def fields_of(self, desk: Desk, room: Room) -> tuple[Field, ...]:
        """Item, lot, which way, why in words, quantity."""
        return (
            item_field(room),
            lot_there(),
            Coded("way", "move.way", required=True, choices=WAYS),
            Field("reason", "move.reason", required=True, hint="move.adjust_why", chars_max=80),
            single_units(),
            plain("witness", "move.witness", "move.witness_hint"),
        )

    def record(self, answers: dict[str, Answer]) -> dict[str, Any]:
        """Return the difference with its sign."""
        found = super().record(answers)
        way = answers["way"].text
        found["data"]["why"] = way
        if way == MISSING:
            found["data"]["units"] = -found["data"]["units"]
        return found


class BreakPage(MovePage):
    """A kit is opened: what it holds is there afterwards."""

    name: ClassVar[str] = "stock_break"
    title: ClassVar[str] = "move.break"
    saved_word: ClassVar[str] = "kind.stock.break"
    kind: ClassVar[str] = "stock.break"
    kinds: ClassVar[tuple[str, ...]] = ("stock.break",)
    offers_first: ClassVar[bool] = True

    def fields_of(self, desk: Desk, room: Room) -> tuple[Field, ...]:
        """Item, lot, how many kits."""
        kits = room._replace(items=tuple(item for item in room.items if item.kit))
        return (
            item_field(kits),
            lot_there(),
            Whole("units", "move.kits", required=True),
            *seen_and_why(),
        )


class DispensePage(StockForm):
    """Stock goes out for one patient: a scan, how many, Enter."""

    name: ClassVar[str] = "stock_dispense"
    title: ClassVar[str] = "move.dispense"
    saved_word: ClassVar[str] = "kind.stock.dispense"
    kinds: ClassVar[tuple[str, ...]] = ("stock.dispense",)
    offers_first: ClassVar[bool] = True

    def __init__(self, desk: Desk, room: Room, head: BoardLine, item: str = "") -> None:
        fields = (
            item_field(room),
            lot_there(),
            single_units(),
            *seen_and_why(),
        )
        form = FormCore(fields, optional_from=3, swift=True)
        super().__init__(desk, room, form, head, item)

    def record(self, answers: dict[str, Answer]) -> dict[str, Any]:
        """Return what the patient was given to take along."""
        assert self.head is not None
        return {**self.line_of("stock.dispense", answers), "patient": self.head.patient}


def lot_there() -> Lot:
    """Return the field of a lot that is in the store: typed, or one of those listed."""
    return Lot("lot", "move.lot", hint="move.lot_pick")


def single_units() -> Whole:
    """Return the field of a quantity without packs."""
    return Whole("units", "move.units", required=True, hint="move.units_hint")


def seen_and_why() -> tuple[Field, ...]:
    """Return who saw it, which controlled items need, and why in words."""
    witness = plain("witness", "move.witness", "move.witness_hint")
    return witness, plain("reason", "move.reason")


def why_field(desk: Desk, names: Sequence[str], *, required: bool = False) -> Picked:
    """Return the field that says why, by a digit."""
    items = tuple(
        Item(str(at), name, desk.words(f"move_why.{name}")) for at, name in enumerate(names, 1)
    )
    return Picked("why", "move.why", required=required, items=items)


def site_field(room: Room, label: str) -> Picked:
    """Return the field that names another store."""
    others = [each for each in room.stores if each.store != room.store]
    items = tuple(
        Item(str(at) if at < 10 else "", each.store, clean_text(each.name) or each.store[:8])
        for at, each in enumerate(others, 1)
    )
    return Picked("other", label, items=items)
