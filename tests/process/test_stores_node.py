"""Stores over the socket of a real node: what they hold, whose they are, what was counted."""

import asyncio
import time

import pytest

from tests.process.live_desk import Clocks, made, served, terminal

DAY_MS = 86_400_000
ORS = "ors-1l-sachet"
PARACETAMOL = "paracetamol-500-tab"
EN = ("en",)


@pytest.fixture
def folder(tmp_path):
    return made(tmp_path / "node")


class Keeper:
    """A terminal of one node, and one of its stores."""

    def __init__(self, node, clocks):
        self.node, self.clocks = node, clocks
        self.store = ""
        self._keys = iter(range(10_000))

    async def say(self, kind, data, **more):
        line = {"v": 1, "kind": kind, "key": f"k{next(self._keys)}", "data": data, **more}
        (answer,) = await self.node.record([line])
        return answer

    async def moved(self, kind, **data):
        more = {name: data.pop(name) for name in ("reason", "at", "confirm") if name in data}
        answer = await self.say(kind, data, store=self.store, **more)
        assert answer.ok, (kind, answer)
        return answer.facts[0] if answer.facts else answer.id

    async def shelf(self, text="", sort=""):
        return await self.node.shelf(self.store, 0, 64, text, sort, EN)

    async def item(self, item):
        return await self.node.stock_item(self.store, item, EN)


def in_a_store(folder, story):
    """Tell a story in the store of a node that runs."""
    clocks = Clocks(time.time_ns() // 1_000_000)

    async def told():
        async with served(folder, clocks.clock()), terminal(folder) as node:
            keeper = Keeper(node, clocks)
            site = await keeper.say("site.register", {"name": "Camp Nord"})
            keeper.store = (await node.stores()).lines[0].store
            assert site.ok
            return await story(keeper)

    return asyncio.run(told())


def test_our_own_site_comes_first_and_its_parts_behind_it(folder):
    async def story(keeper):
        await keeper.say("site.register", {"name": "A far hospital"})
        await keeper.say("site.register", {"name": "Pharmacy", "part_of": keeper.store})
        return await keeper.node.stores()

    found = in_a_store(folder, story)
    said = [(line.name, line.ours) for line in found.lines]
    assert said == [("Camp Nord", True), ("Pharmacy", True), ("A far hospital", False)]


def test_a_shelf_lists_what_runs_out_first_in_words_with_what_is_the_matter(folder):
    async def story(keeper):
        soon = time.strftime("%Y-%m-%d", time.gmtime(keeper.clocks.wall_ms / 1000 + 10 * 86_400))
        await keeper.moved("stock.receive", item=ORS, lot="A1", expiry="2031-03", units=1000)
        await keeper.moved("stock.receive", item=PARACETAMOL, lot="P1", expiry=soon, units=60)
        await keeper.moved("stock.receive", item=PARACETAMOL, lot="P2", expiry="2031-03", units=40)
        keeper.clocks.go_on(DAY_MS)
        await keeper.moved("stock.issue", item=PARACETAMOL, lot="P1", units=40)
        keeper.clocks.go_on(DAY_MS)
        return await keeper.shelf(), await keeper.shelf("rehy"), await keeper.item(PARACETAMOL)

    shelf, filtered, card = in_a_store(folder, story)
    first, second = shelf.lines
    assert (first.item, first.low, first.high, first.unit) == (PARACETAMOL, 60, 60, "tablet")
    assert first.name == "Paracetamol 500 mg, tablet"
    assert first.marks == ("low", "expiring") and first.guess and first.days
    assert (second.item, second.days, second.marks) == (ORS, "", ())
    assert [line.item for line in filtered.lines] == [ORS]
    assert (filtered.total, filtered.items) == (1, 2)
    assert shelf.marked == {"low": 1, "expiring": 1}
    assert card.first == "P1"
    assert [(lot.lot, lot.low) for lot in card.lots] == [("P1", 20), ("P2", 40)]
    assert [(move.type, move.units) for move in card.moves] == [
        ("issue", -40), ("receive", 40), ("receive", 60),
    ]  # fmt: skip
    assert card.rate


def test_movements_that_may_have_been_counted_make_a_range_until_they_are_settled(folder):
    async def story(keeper):
        await keeper.moved("stock.receive", item=ORS, lot="A1", expiry="2031-03", units=100)
        first = keeper.clocks.wall_ms
        keeper.clocks.go_on(60_000)
        await keeper.moved("stock.count", item=ORS, lots=[{"lot": "A1", "units": 96}])
        return await keeper.item(ORS), first

    card, _ = in_a_store(folder, story)
    assert (card.line.low, card.line.high) == (96, 96)
    count, receipt = card.moves
    assert (count.type, count.units, count.counts) == ("count", 96, True)
    assert receipt.type == "receive" and not receipt.maybe
    assert card.line.counted_ms == count.at_ms


def test_a_lot_held_back_or_over_is_not_the_one_to_give_first(folder):
    async def story(keeper):
        await keeper.moved("stock.receive", item=ORS, lot="A1", expiry="2031-01", units=10)
        await keeper.moved("stock.receive", item=ORS, lot="A2", expiry="2031-02", units=10)
        await keeper.moved("stock.receive", item=ORS, lot="A3", expiry="2031-03", units=10)
        await keeper.moved("lot.quarantine", item=ORS, lot="A1", why="damaged")
        held = await keeper.item(ORS)
        recalled = await keeper.say("lot.recall", {"item": ORS, "lot": "A2", "why": "falsified"})
        return held, await keeper.item(ORS), recalled

    held, recalled, said = in_a_store(folder, story)
    assert held.first == "A2"
    assert {lot.lot: lot.marks for lot in held.lots}["A1"] == ("held",)
    assert said.ok, said
    assert recalled.first == "A3"
    assert "recalled" in recalled.line.marks and "held" in recalled.line.marks


def test_a_code_is_known_once_it_was_taught(folder):
    async def story(keeper):
        code = "]C100012345600012"
        before = await keeper.node.code_means("]E05012345678900")
        taught = await keeper.say(
            "barcode.teach", {"barcode": "]E05012345678900", "item": ORS, "units": 20}
        )
        after = await keeper.node.code_means("]E05012345678900")
        return before, taught, after, code

    before, taught, after, _ = in_a_store(folder, story)
    assert not before.means and taught.ok
    assert [(each.item, each.units, each.taught) for each in after.means] == [(ORS, 20, True)]


def test_what_a_dose_takes_is_worked_out_in_whole_units_of_the_lot_that_expires_first(folder):
    async def story(keeper):
        item = "amoxicillin-250-tab"
        await keeper.moved("stock.receive", item=item, lot="X2", expiry="2031-02", units=50)
        await keeper.moved("stock.receive", item=item, lot="X1", expiry="2031-01", units=50)
        ask = keeper.node.dose_stock
        known = await ask(keeper.store, "Amoxicillin", "375", "mg", EN)
        odd = await ask(keeper.store, "Amoxicillin", "a lot", "mg", EN)
        other = await ask(keeper.store, "Unobtainium", "1", "mg", EN)
        return known, odd, other

    known, odd, other = in_a_store(folder, story)
    first = known.lines[0]
    assert (first.known.item, first.units, first.discarded) == ("amoxicillin-250-tab", 2, "125 mg")
    assert (first.first, first.high) == ("X1", 100)
    assert [line.high for line in known.lines[1:]] == [0] * (len(known.lines) - 1)
    assert odd.lines[0].units == 0
    assert other.lines == ()


def test_what_is_below_nothing_or_beyond_an_allotment_is_an_alert(folder):
    async def story(keeper):
        await keeper.moved("stock.receive", item=ORS, lot="A1", expiry="2031-01", units=10)
        asked = await keeper.say(
            "stock.issue", {"item": ORS, "lot": "A1", "units": 13}, store=keeper.store
        )
        await keeper.moved("stock.issue", item=ORS, lot="A1", units=13, confirm=["beyond_stock"])
        return asked, await keeper.node.supply_alerts(), await keeper.item(ORS), keeper.store

    asked, alerts, card, store = in_a_store(folder, story)
    assert asked.confirm == "beyond_stock"
    (alert,) = alerts.lines
    assert (alert.why, alert.about, alert.number) == ("negative", f"{store} {ORS}", 3)
    assert (alert.place, alert.ours) == ("Camp Nord", True)
    assert card.line.marks[0] == "negative"
    assert [move.below for move in card.moves if move.type == "issue"] == [True]


@pytest.mark.safety(23)
def test_the_store_chosen_is_greeted_with_its_name_after_a_restart_while_it_is_known(folder):
    async def story(keeper):
        await keeper.node.settings(store=keeper.store)
        return keeper.store

    store = in_a_store(folder, story)

    async def again(choice=None):
        async with served(folder), terminal(folder) as node:
            before = await node.hello()
            if choice is not None:
                await node.settings(store=choice)
            return before, await node.hello()

    greeted, unknown = asyncio.run(again("sit_00000000000000000000000000"))
    assert (greeted.store, greeted.store_name) == (store, "Camp Nord")
    assert (unknown.store, unknown.store_name) == ("", "")
    assert asyncio.run(again("no id"))[1].store == ""
