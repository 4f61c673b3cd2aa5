"""Stock asked for in one tent and given in another: real nodes, real terminals, every key struck.

Request, approve, set aside, send; the cables are cut, two people write down what came, apart; the
cables heal, both stand, the smaller amount counts, and one of them takes theirs back.
"""

import re
import threading
import time
from collections.abc import Iterator

import pytest

from tests.process.test_walk import PATIENCE_S, RunningCamp
from tests.screens.harness import OpenedTerminal

ITEM = "ringer-lactate-1l"
VACCINE = "vaccine-mr-10"
SALTS = "ors-1l-sachet"


def line(key, kind, data, **more):
    return {"v": 1, "kind": kind, "key": key, "data": data, **more}


@pytest.fixture(scope="module")
def running(tmp_path_factory) -> Iterator[RunningCamp]:
    running = RunningCamp(tmp_path_factory.mktemp("camp"))
    try:
        running.do(running.camp.build())
        yield running
    finally:
        running.close()


def written(running, name, *lines):
    answers = running.do(running.camp.record(name, list(lines)))
    assert all(each["ok"] for each in answers), answers
    return answers


def asked(running, name, call, **args):
    return running.do(running.camp.ask(name, call, **args))


def until(running, name, call, fits, **args):
    """Wait until a member's answer fits; return it."""
    deadline, pause = time.monotonic() + PATIENCE_S, threading.Event()
    while not fits(found := asked(running, name, call, **args)):
        assert time.monotonic() < deadline, found
        pause.wait(0.1)
    return found


def shipment(running, name):
    lines = asked(running, name, "shipments", closed=True)["lines"]
    return lines[0] if lines else None


def state(running, name, wanted):
    return until(
        running, name, "shipments", lambda f: f["lines"] and f["lines"][0]["state"] == wanted,
        closed=True,
    )["lines"][0]  # fmt: skip


def look(terminal, *keys):
    """Strike keys one at a time, each once what stands there was read."""
    for key in keys:
        terminal.look()
        terminal.send(key)


@pytest.fixture(scope="module")
def stores(running: RunningCamp):
    """A depot that tent-a keeps, and a ward of tent-b's, known in every tent."""
    depot = written(
        running, "tent-a", line("s1", "site.register", {"name": "Depot", "type": "store"})
    )
    ward = written(running, "tent-b", line("s2", "site.register", {"name": "Ward", "type": "ward"}))
    depot, ward = depot[0]["id"], ward[0]["id"]
    written(
        running, "tent-a",
        line("r1", "stock.receive", {"item": ITEM, "lot": "A77", "units": 40,
                                     "expiry": "2027-06-30"}, store=depot),
        line("r2", "stock.receive", {"item": ITEM, "lot": "B02", "units": 40,
                                     "expiry": "2028-06-30"}, store=depot),
        line("r3", "stock.receive", {"item": VACCINE, "lot": "0119X2", "units": 100},
             store=depot, at="2026-01-01"),
    )  # fmt: skip
    for name in ("tent-a", "tent-b", "post"):
        if name in running.camp.members:
            until(
                running, name, "stores", lambda f: {depot, ward} <= {s["store"] for s in f["lines"]}
            )
    return depot, ward


def test_asked_for_given_short_and_settled(running: RunningCamp, stores):
    third = next(name for name in running.camp.members if name not in ("tent-a", "tent-b", "hq"))
    with (
        OpenedTerminal(running.folder("tent-a")) as a,
        OpenedTerminal(running.folder("tent-b")) as b,
    ):
        for terminal in (a, b):
            terminal.wait_for("Nobody is in care")
            terminal.send("f10", "9", "5")
            terminal.wait_for("REQUESTS AND SHIPMENTS")

        b.send("n")
        b.wait_for("ASK FOR STOCK", ">Item", "Ward")
        b.send(*"ringer1", *"5x10", "enter")
        b.wait_for("5 x 10 = 50 bags", ">For")
        b.send("enter", "enter")
        b.wait_for("SAVED HERE", "Asked for")

        state(running, "tent-a", "requested")
        a.wait_for("requested")
        look(a, "enter")
        a.wait_for("a/1 approve")
        a.send("a")
        a.wait_for("APPROVE", "50 x 1 = 50", "Depot")
        a.send("enter", "enter", "enter")
        a.wait_for("SAVED HERE", "Approved")
        a.send("r")
        shown = a.wait_for("SET ASIDE", "A77", "B02")
        assert "50 of 50" in shown, "what expires first is proposed: 40 of one lot, 10 of the next"
        a.send("enter", "enter", "enter")
        a.wait_for("SAVED HERE", "Set aside")
        a.send("d")
        a.wait_for("Leaves now", "x 40", "x 10")
        a.send(*"car 3", "enter", "enter")
        a.wait_for("SAVED HERE", "Sent", "ON ITS WAY")

        for name in ("tent-b", third):
            state(running, name, "dispatched")
        running.cut()
        with OpenedTerminal(running.folder(third)) as c:
            c.wait_for("Nobody is in care")
            for terminal, keep in ((b, "36"), (c, "40")):
                if terminal is c:
                    terminal.send("f10", "9", "5")
                terminal.wait_for("ON ITS WAY")
                look(terminal, "enter")
                terminal.wait_for("c/4 it came")
                terminal.send("c")
                terminal.wait_for("IT CAME", "sent: 40", "sent: 10")
                terminal.send("2", "enter", *keep)
                if keep == "36":
                    terminal.send("enter", "1", "enter", "enter")
                else:
                    terminal.send("enter", "enter")
                terminal.wait_for("SAVED HERE", "Received")
        running.heal()
        one = until(
            running, "tent-b", "shipments", lambda f: f["lines"] and f["lines"][0]["unsettled"],
            closed=True,
        )["lines"][0]  # fmt: skip
        parts = {part["lot"]: part for part in one["parts"] if part["lot"]}
        assert (parts["A77"]["sent"], parts["A77"]["arrived"]) == (40, 36), "the smaller one counts"

        b.send("f6")
        b.wait_for("Shipment NOT SETTLED", "Depot > Ward")
        look(b, "enter")
        b.wait_for("TAKEN IN TWICE", "46 units", "50 units", "i/6")
        b.send("i")
        b.wait_for("WHO DID WHAT", "Arrived")
        b.send(*["down"] * 5)
        # Of the two receipts the last one listed is taken back, named first.
        look(b, "enter")
        b.wait_for("Arrived by")
        look(b, "enter")
        until(running, "tent-a", "shipments", lambda f: not f["lines"][0]["unsettled"], closed=True)
    held = asked(running, "tent-a", "lots_held", store=stores[0], items=[ITEM])["lines"]
    assert [(each["lot"], each["high"]) for each in held] == [("B02", 30)]


def held(running, name, store, item):
    lines = asked(running, name, "lots_held", store=store, items=[item])["lines"]
    return {each["lot"]: each["high"] for each in lines}


def test_a_kit_is_pushed_to_a_tent_that_asked_for_nothing(running: RunningCamp, stores):
    """Fourteen keys beside the words; one unit is damaged, and every unit is accounted for."""
    depot, ward = stores
    kit = "kit-rehydration"
    written(
        running, "tent-a",
        line("k1", "stock.receive", {"item": kit, "lot": "K9", "units": 6}, store=depot),
        line("k2", "stock.receive", {"item": SALTS, "lot": "S1", "units": 300,
                                     "expiry": "2027-01-31"}, store=depot),
        line("k3", "stock.receive", {"item": SALTS, "lot": "S2", "units": 300,
                                     "expiry": "2029-01-31"}, store=depot),
    )  # fmt: skip
    known = {
        each["shipment"] for each in asked(running, "tent-b", "shipments", closed=True)["lines"]
    }
    with (
        OpenedTerminal(running.folder("tent-a")) as a,
        OpenedTerminal(running.folder("tent-b")) as b,
    ):
        for terminal in (a, b):
            terminal.wait_for("Nobody is in care")
        a.send("f5")
        a.wait_for("STOCK   Depot", "m/5 more")
        a.send("s")
        a.wait_for("SEND FROM Depot", ">To", "Ward")
        a.send(*"ward1", *"rehydration k", "1", "2", "ctrl+n")
        a.wait_for("On the list (1)", "Rehydration kit, 10 severe cases (K9) x 2")
        a.send(*"oral reh", "1", *"4x100", "enter")
        a.wait_for("4 x 100 = 400 sachets", "S1 x 300", "S2 x 100")
        a.send("tab", *"car 7", "enter", "enter")
        a.wait_for("SAVED HERE", "Sent Ward")

        one = until(
            running, "tent-b", "shipments",
            lambda f: [e for e in f["lines"] if e["shipment"] not in known], closed=True,
        )["lines"][0]  # fmt: skip
        assert (one["state"], one["carrier"], one["ours"]) == ("dispatched", "car 7", "in")
        assert sum(part["transit"] for part in one["parts"]) == 402
        b.send("f6")
        b.wait_for("On its way to us", "Depot > Ward")
        look(b, "enter")
        b.wait_for("With: car 7", "c/4 it came")
        b.send("c")
        b.wait_for("IT CAME", "sent: 300")
        # The kits came whole; of the second lot one packet was torn.
        b.send("2", "enter")
        b.send(*["down"] * 4)
        b.wait_for(">S2")
        b.send(*"99", "enter", "2", "enter", "enter")
        b.wait_for("SAVED HERE", "Received")
    until(
        running, "tent-a", "lots_held",
        lambda f: sum(each["high"] for each in f["lines"]) == 399, store=ward, items=[SALTS],
    )  # fmt: skip
    for name in ("tent-a", "tent-b"):
        assert held(running, name, depot, kit) == {"K9": 4}
        assert held(running, name, ward, kit) == {"K9": 2}
        assert held(running, name, depot, SALTS) == {"S2": 200}
        assert held(running, name, ward, SALTS) == {"S1": 300, "S2": 99}
        (came,) = asked(running, name, "shipments", closed=True, shipment=one["shipment"])["lines"]
        assert came["state"] == "received"
        assert sum(part["missing"] for part in came["parts"]) == 1
        assert 200 + 399 + 1 == 600, "in the stores and given up: what came in"


def test_a_recalled_lot_is_held_back_with_one_key(running: RunningCamp, stores):
    with OpenedTerminal(running.folder("tent-a")) as a:
        a.wait_for("Nobody is in care")
        a.send("f10", "9", "6")
        a.wait_for("RECALLED LOTS")
        a.send("n")
        a.wait_for("RECALL A LOT EVERYWHERE", ">Item")
        a.send(*"measles rub", "1", *"0119x2", "enter", "1")
        a.wait_for(">How bad")
        a.send("1", "enter", "enter")
        a.wait_for("SAVED HERE", "Recalled")
        a.wait_for("OURS: NOT HELD")
        look(a, "enter")
        a.wait_for("Depot *", "100", "NOT HELD")
        a.send("q")
        a.wait_for("Held back:", "F8 takes it")
        a.wait_until(lambda: a.read(0.05) or re.search(r"Depot \* +100 +held back", a.text))
    found = until(
        running,
        "tent-b",
        "recalls",
        lambda f: f["lines"] and f["lines"][0]["stores"][0]["quarantined"],
    )
    assert found["lines"][0]["stores"][0]["low"] == 100


def test_a_fridge_that_froze_is_asked_about_once_with_its_lots(running: RunningCamp, stores):
    depot, _ = stores
    at = time.time() - 3 * 3600
    stamps = [time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at + 1800 * n)) for n in range(6)]
    written(
        running, "tent-a",
        line("x1", "stock.receive", {"item": VACCINE, "lot": "0120Y1", "units": 30}, store=depot,
             at="2026-01-01"),
        *(line(f"t{n}", "reading.record", {"unit": "fridge 1", "celsius": "-1.1"}, store=depot,
               at=stamp) for n, stamp in enumerate(stamps)),
    )  # fmt: skip
    with OpenedTerminal(running.folder("tent-a")) as a:
        a.wait_for("Nobody is in care")
        a.send("f6")
        a.wait_for("COLD CHAIN: fridge 1 (Depot)")
        a.send("f10", "9", "7")
        a.wait_for("COLD CHAIN", "TOO COLD", "NOT APPROVED")
        a.send("n")
        a.wait_for("A TEMPERATURE", ">Unit")
        a.send("1", *"-1.4", "enter", "enter")
        a.wait_for("SAVED HERE", "-1.4 °C")
        look(a, "enter")
        a.wait_for("fridge 1, Depot", "ALARM", "May be harmed")
        a.send("q")
        shown = a.wait_for("HOLD LOTS BACK", "0120Y1")
        assert "0119X2" not in shown, "that one is held back already"
        look(a, "enter")
        a.wait_for("Held back: fridge 1, Depot, lots: 1", "F8 takes it")
        a.send("f8")
        a.wait_for("Held back: fridge 1, Depot, lots: 1")
