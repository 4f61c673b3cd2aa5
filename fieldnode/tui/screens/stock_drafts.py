"""A draft about a store taken up again, in the store that it was typed in."""

from __future__ import annotations

from fieldnode.tui.acts import Act, Ask, Open, Say
from fieldnode.tui.desk import Desk
from fieldnode.tui.screens.allotments import GrantPage, other_devices
from fieldnode.tui.screens.form_page import FormPage
from fieldnode.tui.screens.lot_hold import DatePage, HoldPage, ReleasePage
from fieldnode.tui.screens.moves import (
    AdjustPage,
    BreakPage,
    DispensePage,
    IssuePage,
    LossPage,
    ReceivePage,
    ReturnPage,
)
from fieldnode.tui.screens.stock_count import CountPage
from fieldnode.tui.screens.stock_form import Room, with_room
from fieldnode.tui.screens.teach import TeachPage
from protocols.live.api import Chart, Draft
from protocols.live.belonging import RosterPage
from protocols.live.shelf import StockItem

MOVES = {
    page.name: page
    for page in (ReceivePage, IssuePage, ReturnPage, LossPage, AdjustPage, BreakPage)
}
HOLDS = {page.name: page for page in (HoldPage, ReleasePage, DatePage)}
DEVICES_MAX = 200


def taken_up(desk: Desk, draft: Draft) -> list[Act]:
    """Open the form of a draft with what was typed; keys wait for what it begins from."""
    kept = draft.fields
    where = (kept.get("store", ""), kept.get("store_name", ""))
    if not where[0]:
        return [Say(desk.words("drafts.gone"), "warn", bell=True)]

    def on(page: FormPage) -> list[Act]:
        page.take_up(draft)
        return [Open(page, instead=True)]

    if draft.form in HOLDS:
        about = (kept.get(f"about_{part}", "") for part in ("item", "name", "lot"))
        page = HOLDS[draft.form](desk, *about)
        page.store, page.store_name = where
        return on(page)
    if draft.form in (CountPage.name, GrantPage.name):
        return [_of_item(desk, draft)]
    if draft.form == DispensePage.name:

        def came(chart: Chart) -> list[Act]:
            return with_room(desk, lambda room: on(DispensePage(desk, room, chart.head)), where)

        return [Ask(lambda node: node.chart(draft.patient, 0, 1), came)]

    def opened(room: Room) -> list[Act]:
        if draft.form == TeachPage.name:
            return on(TeachPage(desk, room, kept.get("code", ""), list))
        return on(MOVES[draft.form](desk, room))

    return with_room(desk, opened, where)


def _of_item(desk: Desk, draft: Draft) -> Ask:
    """Return the way to a form that begins from an item as its store has it now."""
    kept = draft.fields
    store, item = kept["store"], kept.get("about_item", "")

    def came(known: StockItem) -> list[Act]:
        if draft.form == CountPage.name:
            page = CountPage(desk, known, asked=tuple(kept.get("about_lots", "").split("\n")[:-1]))
            page.take_up(draft)
            return [Open(page, instead=True)]

        def listed(found: RosterPage) -> list[Act]:
            grant = GrantPage(desk, known, other_devices(desk, found))
            grant.take_up(draft)
            return [Open(grant, instead=True)]

        return [Ask(lambda node: node.roster(0, DEVICES_MAX), listed)]

    return Ask(lambda node: node.stock_item(store, item, desk.words.languages), came)
