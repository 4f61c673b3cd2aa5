"""Stock sent to a store that did not ask for it: set aside, sent, received; nothing is lost."""

from __future__ import annotations

import pytest

from protocols.ids import DocId
from tests.unit.depots import ITEM, SURE, Depot, fill, line, meet, stores

MORPHINE = "morphine-10-amp"


@pytest.fixture
def depots() -> list[Depot]:
    found = stores("a", "b", "c")
    fill(found[0], 100)
    fill(found[0], 50, "L2")
    meet(*found)
    return found


def test_what_nobody_asked_for_is_set_aside_and_sent_by_the_store_that_gives(depots: list[Depot]):
    donor, tent, _ = depots
    data = {"to": tent.home, "lines": [line(30), line(10, "L2")]}
    aside = donor.write("shipment.reserve", data, store=donor.home)
    assert donor.shipment(aside.subject).state == "reserved"
    assert donor.stock(donor.home) == 150, "what is set aside is still there"

    donor.write("shipment.dispatch", {"shipment": str(DocId(aside.subject)), "carrier": "car 3"})
    assert donor.shipment(aside.subject).state == "dispatched"
    meet(*depots)
    assert [each.transit for each in tent.shipment(aside.subject).lines] == [30, 10]

    came = {"shipment": aside.fact, "lines": [line(28, why="damaged")]}
    tent.write("shipment.receive", came)
    meet(*depots)
    for depot in depots:
        now = depot.shipment(aside.subject)
        assert (now.state, now.unsettled) == ("received", 0)
        missing = sum(each.missing for each in now.lines)
        held = depot.stock(donor.home), depot.stock(tent.home)
        assert (held, missing) == ((110, 38), 2)
        assert sum(held) + missing == 150


def test_whoever_is_not_of_the_store_neither_sets_aside_nor_sends_from_it(depots: list[Depot]):
    donor, tent, other = depots
    data = {"to": tent.home, "lines": [line(5)]}
    for kind in ("shipment.reserve", "shipment.dispatch"):
        assert other.refuses(kind, data, store=donor.home) == "not_the_donor"


def test_what_is_promised_to_one_store_is_sent_to_another_only_once_it_was_asked_about(
    depots: list[Depot],
):
    donor, tent, other = depots
    promised = {"to": tent.home, "lines": [line(90)]}
    aside = donor.write("shipment.reserve", promised, store=donor.home)

    pushed = {"to": other.home, "lines": [line(20)]}
    assert donor.refuses("shipment.dispatch", pushed, store=donor.home) == "beyond_stock"
    assert donor.refuses("shipment.dispatch", {**pushed, "lines": [line(10)]}) == ""
    # Those for whom it was set aside take it without a question.
    assert donor.refuses("shipment.dispatch", {"shipment": str(DocId(aside.subject))}) == ""


def test_lots_of_one_item_come_from_one_allotment(depots: list[Depot]):
    donor, tent, _ = depots
    clerk = Depot("d", home=donor.home)
    share = {"item": ITEM, "to": [{"device": str(clerk.device), "units": 40}]}
    donor.write("allotment.grant", share, store=donor.home)
    clerk.receive(donor)

    both = {"to": tent.home, "lines": [line(30), line(30, "L2")]}
    assert clerk.refuses("shipment.dispatch", both, store=donor.home) == "over_allotment"
    sure = {"store": donor.home, "confirm": ["over_allotment"]}
    assert clerk.refuses("shipment.dispatch", both, **sure) == "reason_needed"
    assert clerk.refuses("shipment.dispatch", both, **sure, reason="cholera there") == ""
    donor.receive(clerk)
    account = next(
        row
        for subject in donor.kinds
        for row in donor.table(subject, "allotment")
        if row.device == bytes(clerk.device)
    )
    assert account.overdraft == 20


def test_something_controlled_leaves_before_a_witness_and_is_signed_for_on_another_device(
    depots: list[Depot],
):
    donor, tent, _ = depots
    fill(donor, 20, "M1", item=MORPHINE)
    data = {"to": tent.home, "lines": [line(5, "M1", MORPHINE)]}
    assert donor.refuses("shipment.dispatch", data, store=donor.home) == "witness_needed"
    seen = {**data, "witness": "A. Silva"}
    sent = donor.write("shipment.dispatch", seen, store=donor.home)
    assert donor.refuses("shipment.receive", {"shipment": sent.fact}, confirm=SURE) == (
        "own_dispatch"
    )
    meet(*depots)
    tent.write("shipment.receive", {"shipment": sent.fact})
    meet(*depots)
    assert (donor.stock(donor.home, MORPHINE), donor.stock(tent.home, MORPHINE)) == (15, 5)
