"""From a shipment, or a draft of a step of it, to the form of that step."""

from __future__ import annotations

from fieldnode.client import Node
from fieldnode.tui.acts import Act, Ask, Open, Say
from fieldnode.tui.desk import Desk
from fieldnode.tui.screens.arrival_form import ReceivePage
from fieldnode.tui.screens.reserve_form import ReservePage, needed_of, why_not
from fieldnode.tui.screens.shipment_forms import ApprovePage, CancelPage, DispatchPage, StepForm
from fieldnode.tui.screens.supply_form import our_store
from protocols.live.api import Draft
from protocols.live.consigned import HeldLots, ItemWords, ShipmentLine, Shipments
from protocols.live.shelf import StoreLine
from protocols.records.display import clean_text


def step(
    desk: Desk, letter: str, one: ShipmentLine, items: tuple[ItemWords, ...],
    draft: Draft | None = None,
) -> list[Act]:  # fmt: skip
    """Open the form of a step by its letter on the page of a shipment; a draft is taken up."""

    def opened(page: StepForm) -> list[Act]:
        if draft is not None:
            page.take_up(draft)
        return [Open(page, instead=draft is not None)]

    match letter:
        case "d":
            return opened(DispatchPage(desk, one, items))
        case "c":
            return opened(ReceivePage(desk, one, items))
        case "x":
            return opened(CancelPage(desk, one, items))

    async def fetch(node: Node) -> tuple[tuple[StoreLine, ...], str, HeldLots]:
        stores = (await node.stores()).lines
        store = one.donor or our_store(desk, [each for each in stores if each.store != one.to])
        asks = letter == "r" and bool(store)
        held = await node.lots_held(store, list(needed_of(one))) if asks else HeldLots(())
        return stores, store, held

    def go_on(found: tuple[tuple[StoreLine, ...], str, HeldLots]) -> list[Act]:
        stores, store, held = found
        if letter == "a":
            return opened(ApprovePage(desk, one, items, stores))
        if not any(not why_not(each) for each in held.lines):
            refused = [f"{clean_text(e.lot)} {desk.words(f'reserve.{why_not(e)}')}"
                       for e in held.lines]  # fmt: skip
            key = "reserve.only_refused" if refused else "reserve.none_there"
            said = desk.words(key, what="; ".join(refused[:3]))
            return [Say(said, "warn", bell=True)]
        return opened(ReservePage(desk, one, (*items, *held.items), store, held.lines))

    return [Ask(fetch, go_on)]


LETTERS = {
    page.name: letter
    for page, letter in (
        (ApprovePage, "a"),
        (ReservePage, "r"),
        (DispatchPage, "d"),
        (ReceivePage, "c"),
        (CancelPage, "x"),
    )
}
"""Forms that begin from a shipment, by the letter that opens them."""


def taken_up(desk: Desk, draft: Draft) -> list[Act]:
    """Go on with a draft of a step, as the shipment stands now."""

    def came(found: Shipments) -> list[Act]:
        if not found.lines:
            return [Say(desk.words("drafts.gone"), "warn", bell=True)]
        return step(desk, LETTERS[draft.form], found.lines[0], found.items, draft)

    return [Ask(lambda node: node.shipment(draft.fields.get("shipment", "")), came)]
