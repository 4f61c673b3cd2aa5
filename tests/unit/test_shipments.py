"""Requests, approvals, reservations, dispatches and receipts: each step, and its refusals."""

from __future__ import annotations

from typing import Any

import pytest

from protocols.ids import DocId, SiteId
from protocols.records.history import History
from protocols.records.kinds import KindNo
from protocols.records.shipping import LINES_MAX, expired, shipping
from tests.unit.depots import ITEM, SURE, VACCINE, Depot, fill, line, meet, stores
from tests.unit.records_shelf import NOW_MS

DAY_MS = 86_400_000
TOMORROW = NOW_MS + DAY_MS


@pytest.fixture
def depots() -> list[Depot]:
    found = stores("a", "b", "c")
    fill(found[0], 100)
    meet(*found)
    return found


def requested(here: Depot, donor: Depot | None = None, units: int = 60, **data: object) -> str:
    said = {"lines": [{"item": ITEM, "units": units}], **data}
    if donor is not None:
        said["donor"] = donor.home
    return str(DocId(here.write("requisition.place", said, store=here.home).subject))


def test_a_request_goes_all_the_way_each_step_by_whose_it_is(depots: list[Depot]):
    donor, ward, office = depots
    asked = requested(ward, donor)
    subject = DocId.parse(asked)
    meet(*depots)
    lines = [{"item": ITEM, "units": 40}]
    office.write("requisition.approve", {"shipment": asked, "lines": lines})
    meet(*depots)
    assert donor.shipment(subject).state == "approved"

    donor.write("shipment.reserve", {"shipment": asked, "lines": [line(40)]}, store=donor.home)
    assert donor.shipment(subject).state == "reserved"
    assert donor.stock(donor.home) == 100, "what is set aside is still there"

    donor.write("shipment.dispatch", {"shipment": asked, "carrier": "car 3"})
    assert donor.shipment(subject).state == "dispatched"
    assert (donor.stock(donor.home), donor.stock(ward.home)) == (60, 0)

    meet(*depots)
    assert ward.shipment(subject).lines[1].transit == 40
    ward.write("shipment.receive", {"shipment": asked})
    meet(*depots)
    for depot in depots:
        now = depot.shipment(subject)
        assert now.state == "received" and not now.unsettled
        assert (depot.stock(donor.home), depot.stock(ward.home)) == (60, 40)
        assert [
            (each.item, each.lot, each.wanted, each.sent, each.arrived) for each in now.lines
        ] == [
            (ITEM, "", 60, 0, 0),
            (ITEM, "L1", 0, 40, 40),
        ]


def test_what_did_not_come_is_said_line_by_line_with_its_reason(depots: list[Depot]):
    donor, ward, _ = depots
    fill(donor, 50, "L2")
    lines = [line(30), line(20, "L2")]
    sent = donor.write("shipment.dispatch", {"to": ward.home, "lines": lines}, store=donor.home)
    meet(*depots)

    short = {"shipment": sent.fact, "lines": [line(28)]}
    assert ward.refuses("shipment.receive", short) == "reason_needed"
    short["lines"] = [line(28, why="damaged", text="wet", vvm=2)]
    ward.write("shipment.receive", short)

    now = ward.shipment(sent.subject)
    assert now.state == "received"
    assert [(each.lot, each.arrived, each.missing) for each in now.lines] == [
        ("L1", 28, 2),
        ("L2", 20, 0),
    ]
    first: Any
    (_, first, _) = ward.rows(sent.subject)
    assert (first.why, first.vvm) == ("damaged", 2)
    assert ward.stock(ward.home) == 48


def test_the_rest_may_come_later_and_counts_on_top(depots: list[Depot]):
    donor, ward, _ = depots
    sent = donor.write("shipment.dispatch", {"to": ward.home, "lines": [line(30)]})
    meet(*depots)
    part = {"shipment": sent.fact, "lines": [line(10, rest=True)]}
    assert ward.refuses("shipment.receive", {**part, "lines": [line(30, rest=True)]}) == (
        "nothing_left"
    )
    ward.write("shipment.receive", part)
    assert ward.shipment(sent.subject).state == "partly"

    ward.write("shipment.receive", {"shipment": sent.fact})

    assert ward.shipment(sent.subject).state == "received"
    assert ward.shipment(sent.subject).unsettled == 0
    assert ward.stock(ward.home) == 30


def test_only_a_device_of_the_store_that_gives_sets_aside_and_sends(depots: list[Depot]):
    donor, ward, office = depots
    asked = requested(ward, donor)
    meet(*depots)
    data = {"shipment": asked, "lines": [line(10)]}

    for other in (ward, office):
        assert other.refuses("shipment.reserve", data, store=donor.home) == "not_the_donor"
        assert other.refuses("shipment.dispatch", data, store=donor.home) == "not_the_donor"
    second = Depot("d")
    second.receive(donor)
    assert second.refuses("shipment.reserve", data, store=donor.home) == "not_the_donor"
    # Whoever counted there works there.
    second.write(
        "stock.count", {"item": ITEM, "lots": [{"lot": "L1", "units": 100}]}, store=donor.home
    )
    second.write("shipment.reserve", data, store=donor.home)


def test_a_store_that_is_a_part_of_ones_own_gives_too(depots: list[Depot]):
    donor, ward, _ = depots
    part = donor.write("site.register", {"name": "Pharmacy", "part_of": donor.home})
    pharmacy = str(SiteId(part.subject))
    donor.write("stock.receive", line(20), store=pharmacy)
    clerk = Depot("d", home=donor.home)
    clerk.receive(donor)

    data = {"to": ward.home, "lines": [line(10)]}
    assert clerk.refuses("shipment.dispatch", data, store=pharmacy) == ""


def test_the_second_signature_is_given_on_another_device(depots: list[Depot]):
    donor, ward, _ = depots
    sent = donor.write("shipment.dispatch", {"to": ward.home, "lines": [line(10)]})

    there = {"shipment": sent.fact}
    assert donor.refuses("shipment.receive", there) == "own_dispatch"
    assert donor.refuses("shipment.receive", there, store=donor.home) == "received_elsewhere"
    # It turned round: what left is back, signed by the only one who can.
    donor.write("shipment.receive", there, store=donor.home, confirm=SURE)
    assert donor.stock(donor.home) == 100
    assert donor.shipment(sent.subject).state == "received"


def test_more_than_is_there_less_what_is_set_aside_is_asked_about(depots: list[Depot]):
    donor, ward, office = depots
    data = {"to": ward.home, "lines": [line(70)]}
    donor.write("shipment.reserve", data)
    other = {"to": office.home, "lines": [line(40)]}

    assert donor.refuses("shipment.reserve", other) == "beyond_stock"
    assert donor.refuses("shipment.reserve", {**other, "lines": [line(30)]}) == ""


def test_what_is_set_aside_anew_is_not_held_against_itself(depots: list[Depot]):
    donor, ward, _ = depots
    named = {"shipment": requested(ward, donor)}
    meet(*depots)
    first = donor.write("shipment.reserve", {**named, "lines": [line(60)]})
    more = {**named, "lines": [line(70)]}
    assert donor.refuses("shipment.reserve", more, supersedes=[first.fact]) == ""
    other = {"to": ward.home, "lines": [line(31)]}
    assert donor.refuses("shipment.reserve", other) == "beyond_stock"


def test_what_was_approved_lapses_and_what_was_set_aside_is_free_again(depots: list[Depot]):
    donor, ward, office = depots
    asked = requested(ward, donor)
    subject = DocId.parse(asked)
    meet(*depots)
    office.write("requisition.approve", {"shipment": asked, "until": TOMORROW})
    meet(*depots)
    now = donor.shipment(subject)
    assert now.until_s is not None
    assert not expired(now.state, now.until_s * 1000, TOMORROW - 1)
    assert expired(now.state, now.until_s * 1000, TOMORROW)

    donor.now_ms = TOMORROW
    data = {"shipment": asked, "lines": [line(40)]}
    assert donor.refuses("shipment.reserve", data) == "shipment_expired"
    donor.now_ms = TOMORROW - 1
    donor.write("shipment.reserve", {**data, "until": TOMORROW + DAY_MS})
    donor.now_ms = TOMORROW + DAY_MS
    assert donor.refuses("shipment.reserve", {"to": ward.home, "lines": [line(90)]}) == ""
    assert donor.refuses("shipment.dispatch", {"shipment": asked}) == "shipment_lapsed"
    donor.write("shipment.dispatch", {"shipment": asked}, confirm=SURE)
    assert not expired(donor.shipment(subject).state, 0, TOMORROW * 2), "what left does not lapse"


def test_an_end_in_the_past_is_refused_and_a_date_holds_to_its_last_second(depots: list[Depot]):
    _, ward, _ = depots
    data = {"lines": [{"item": ITEM, "units": 1}]}

    assert ward.refuses("requisition.place", {**data, "until": NOW_MS}) == "in_the_past"
    assert ward.refuses("requisition.place", {**data, "until": "2027"}) == "bad_time"
    made = ward.write("requisition.place", {**data, "until": "2027-01-01"}, store=ward.home)
    assert ward.shipment(made.subject).until_s == 1_798_847_999


def test_a_shipment_is_cancelled_until_it_left_and_never_after(depots: list[Depot]):
    donor, ward, _ = depots
    asked = requested(ward, donor)
    assert ward.refuses("shipment.cancel", {"shipment": asked}) == "reason_needed"
    ward.write("shipment.cancel", {"shipment": asked}, reason="not needed")
    assert ward.shipment(DocId.parse(asked)).state == "cancelled"
    assert ward.refuses("shipment.cancel", {"shipment": asked}, reason="x") == "shipment_closed"

    sent = donor.write("shipment.dispatch", {"to": ward.home, "lines": [line(10)]})
    assert donor.refuses("shipment.cancel", {"shipment": sent.fact}, reason="x") == (
        "shipment_closed"
    )


def test_a_cancellation_apart_from_a_dispatch_brings_nothing_back(depots: list[Depot]):
    donor, ward, _ = depots
    asked = requested(ward, donor)
    meet(*depots)
    ward.write("shipment.cancel", {"shipment": asked}, reason="not needed")
    donor.write("shipment.dispatch", {"shipment": asked, "lines": [line(10)]})
    meet(*depots)

    for depot in depots:
        now = depot.shipment(DocId.parse(asked))
        assert (now.state, now.unsettled) == ("dispatched", 1)
        assert depot.stock(donor.home) == 90


def test_recalled_quarantined_and_expired_lots_are_not_sent(depots: list[Depot]):
    donor, ward, office = depots
    fill(donor, 10, "OLD", expiry="2020-01-31")
    to = {"to": ward.home}
    for kind in ("shipment.reserve", "shipment.dispatch"):
        assert donor.refuses(kind, {**to, "lines": [line(1, "OLD")]}) == "lot_expired"
    held = {"item": ITEM, "lot": "L1", "why": "excursion"}
    donor.write("lot.quarantine", held, store=donor.home)
    assert donor.refuses("shipment.dispatch", {**to, "lines": [line(1)]}) == "lot_quarantined"
    office.write("lot.recall", {"item": ITEM, "lot": " l1 ", "why": "contaminated"})
    meet(*depots)
    for kind in ("shipment.reserve", "shipment.dispatch"):
        assert donor.refuses(kind, {**to, "lines": [line(1)]}) == "lot_recalled"


def test_a_recalled_lot_is_not_issued_nor_dispensed_and_may_be_lost_or_counted(depots: list[Depot]):
    donor, _, office = depots
    recall = {"item": ITEM, "lot": "L1", "why": "contaminated", "level": "harmful"}
    made = office.write("lot.recall", recall)
    assert office.refuses("lot.recall", recall) == "recalled_already"
    meet(*depots)

    data = line(1)
    assert donor.refuses("stock.issue", data, store=donor.home) == "lot_recalled"
    assert donor.refuses("stock.loss", {**data, "why": "destroyed"}, store=donor.home) == ""
    fill(donor, 5, "L2")
    assert donor.refuses("stock.issue", line(1, "L2"), store=donor.home) == ""
    # Taken back, it is issued again.
    office.write("entry.retract", {"fact": made.fact}, reason="another lot was meant")
    meet(*depots)
    assert donor.refuses("stock.issue", data, store=donor.home) == ""


def test_two_recalls_of_one_lot_hold_until_both_are_taken_back(depots: list[Depot]):
    donor, ward, office = depots
    recall = {"item": ITEM, "lot": "L1", "why": "contaminated"}
    first, second = ward.write("lot.recall", recall), office.write("lot.recall", recall)
    meet(*depots)
    ward.write("entry.retract", {"fact": first.fact}, reason="in error")
    meet(*depots)
    assert donor.refuses("stock.issue", line(1), store=donor.home) == "lot_recalled"
    office.write("entry.retract", {"fact": second.fact}, reason="in error")
    meet(*depots)
    assert donor.refuses("stock.issue", line(1), store=donor.home) == ""


def test_two_people_who_receive_one_shipment_apart_count_once_until_one_is_taken_back(
    depots: list[Depot],
):
    donor, ward, _ = depots
    colleague = Depot("d", home=ward.home)
    sent = donor.write("shipment.dispatch", {"to": ward.home, "lines": [line(30)]})
    meet(donor, ward, colleague)
    first = ward.write("shipment.receive", {"shipment": sent.fact})
    short = {"shipment": sent.fact, "lines": [line(28, why="short")]}
    colleague.write("shipment.receive", short)
    everybody = [*depots, colleague]
    meet(*everybody)

    for depot in everybody:
        now = depot.shipment(sent.subject)
        assert depot.stock(ward.home) == 28, "the smaller of both"
        assert (now.unsettled, now.lines[0].arrived, now.lines[0].missing) == (1, 28, 2)
        assert depot.stock(donor.home) + depot.stock(ward.home) + now.lines[0].missing == 100
    ward.retract(first)
    meet(*everybody)
    assert all(depot.shipment(sent.subject).unsettled == 0 for depot in everybody)
    assert all(depot.stock(ward.home) == 28 for depot in everybody)


def test_two_who_send_one_reservation_apart_count_once(depots: list[Depot]):
    donor, ward, _ = depots
    clerk = Depot("d", home=donor.home)
    kept = donor.write("shipment.reserve", {"to": ward.home, "lines": [line(30)]})
    meet(donor, ward, clerk)
    for depot in (donor, clerk):
        depot.write("shipment.dispatch", {"shipment": kept.fact})
    meet(donor, ward, clerk)

    for depot in (donor, ward, clerk):
        assert depot.stock(donor.home) == 70
        assert depot.shipment(kept.subject).lines[0].sent == 30
        assert depot.shipment(kept.subject).unsettled == 1


def test_of_two_approvals_apart_the_smaller_one_is_used(depots: list[Depot]):
    donor, ward, office = depots
    asked = requested(ward, donor)
    meet(*depots)
    for depot, units in ((office, 50), (donor, 20)):
        lines = [{"item": ITEM, "units": units}]
        depot.write("requisition.approve", {"shipment": asked, "lines": lines})
    meet(*depots)
    now = ward.shipment(DocId.parse(asked))
    assert (now.lines[0].approved, now.unsettled) == (20, 1)

    lines = [{"item": ITEM, "units": 45}]
    office.write("requisition.approve", {"shipment": asked, "lines": lines})
    now = office.shipment(DocId.parse(asked))
    assert (now.lines[0].approved, now.unsettled) == (45, 0)


def test_bad_lines_are_refused_with_their_place(depots: list[Depot]):
    donor, ward, _ = depots
    to = {"to": ward.home}

    def refusal(*lines: object) -> str:
        return donor.refuses("shipment.dispatch", {**to, "lines": list(lines)})

    assert refusal(line(1), line(2)) == "line_twice"
    assert refusal(line(0)) == "out_of_range"
    assert refusal(line(-4)) == "out_of_range"
    assert refusal(line(1, item="snake-oil")) == "unknown_item"
    assert refusal(*(line(1, f"L{at}") for at in range(LINES_MAX + 1))) == "too_many"
    assert refusal(line(1) | {"units": 1.5}) == "wrong_type"
    assert donor.refuses("shipment.dispatch", to) == "missing_field"
    assert donor.refuses("shipment.dispatch", {"lines": [line(1)]}) == "missing_field"
    assert donor.refuses("shipment.dispatch", {"to": donor.home, "lines": [line(1)]}) == (
        "same_store"
    )
    assert donor.refuses("shipment.receive", {"shipment": "doc_0"}) == "bad_id"
    assert donor.refuses("shipment.receive", {"shipment": str(DocId(b"x" * 16))}) == "not_found"


def test_the_last_part_of_several_says_whether_more_is_expected(depots: list[Depot]):
    donor, ward, third = depots
    aside = {"to": ward.home, "lines": [line(30)]}
    sent = donor.write("shipment.reserve", aside)
    donor.write("shipment.dispatch", {"shipment": str(DocId(sent.subject))})
    meet(*depots)
    (whole,) = ward.shipment(sent.subject).lines
    # What left is not set aside any more.
    assert (whole.reserved, whole.sent, whole.transit) == (0, 30, 30)

    named = {"shipment": str(DocId(sent.subject))}
    ward.write("shipment.receive", {**named, "lines": [line(10, rest=True)]})
    assert ward.shipment(sent.subject).lines[0].missing == 0
    ward.write("shipment.receive", {**named, "lines": [line(17, why="damaged")]})

    now = ward.shipment(sent.subject)
    assert (now.state, now.lines[0].arrived, now.lines[0].missing) == ("received", 27, 3)
    assert ward.stock(ward.home) == 27


def test_who_has_the_receipt_alone_is_told_what_was_missing_of_what_was_sent(depots: list[Depot]):
    donor, ward, _ = depots
    sent = donor.write("shipment.dispatch", {"to": ward.home, "lines": [line(30)]})
    meet(*depots)
    short = [line(28, why="short")]
    ward.write("shipment.receive", {"shipment": sent.fact, "lines": short})
    # That it was sent is on its way still.
    alone = [fact for fact in ward.facts(sent.subject) if fact.kind != KindNo.SHIPMENT_DISPATCH]
    now = shipping(History(sent.subject, alone))
    assert now is not None
    (part,) = now.lines
    assert (part.sent, part.arrived, part.missing) == (0, 28, 2)


def test_of_two_parts_the_worse_monitor_is_told(depots: list[Depot]):
    donor, ward, _ = depots
    fill(donor, 10, "V1", VACCINE)
    lines = [line(10, "V1", VACCINE)]
    sent = donor.write("shipment.dispatch", {"to": ward.home, "lines": lines})
    meet(*depots)
    part = line(4, "V1", VACCINE, vvm=2, rest=True)
    ward.write("shipment.receive", {"shipment": sent.fact, "lines": [part]})
    rest = line(6, "V1", VACCINE, vvm=1)
    ward.write("shipment.receive", {"shipment": sent.fact, "lines": [rest]})
    assert ward.shipment(sent.subject).lines[0].vvm == 2


def test_a_vial_whose_monitor_is_past_use_is_asked_about_when_it_is_kept(depots: list[Depot]):
    donor, ward, _ = depots
    fill(donor, 10, "V1", VACCINE)
    lines = [line(10, "V1", VACCINE)]
    sent = donor.write("shipment.dispatch", {"to": ward.home, "lines": lines})
    meet(*depots)

    bad = {"shipment": sent.fact, "lines": [line(10, "V1", VACCINE, vvm=3)]}
    assert ward.refuses("shipment.receive", bad) == "vvm_past"
    assert ward.refuses("shipment.receive", {**bad, "lines": [line(0, "V1", VACCINE, vvm=3)]}) == (
        "reason_needed"
    )
    assert ward.refuses("shipment.receive", {**bad, "lines": [line(1, "V1", VACCINE, vvm=9)]}) == (
        "reason_needed"
    )
    gone = [line(0, "V1", VACCINE, vvm=4, why="vvm")]
    ward.write("shipment.receive", {"shipment": sent.fact, "lines": gone})
    assert ward.stock(ward.home, VACCINE) == 0
    assert ward.shipment(sent.subject).lines[0].missing == 10


def test_a_van_that_is_faster_than_the_network_is_received_and_meets_the_dispatch_later(
    depots: list[Depot],
):
    donor, ward, office = depots
    asked = requested(ward, donor)
    meet(*depots)
    donor.write("shipment.dispatch", {"shipment": asked, "lines": [line(40)]})
    came = {"shipment": asked, "lines": [line(38)]}
    assert ward.refuses("shipment.receive", came) == "not_sent_yet"
    nothing = {"shipment": asked}
    sure = {"confirm": ["not_sent_yet"]}
    assert ward.refuses("shipment.receive", nothing, **sure) == "nothing_stated"
    ward.write("shipment.receive", came, **sure)
    subject = DocId.parse(asked)
    assert (ward.stock(ward.home), ward.shipment(subject).state) == (38, "received")
    assert sum(each.transit for each in ward.shipment(subject).lines) == 0

    meet(*depots)
    for depot in depots:
        (_, lot) = depot.shipment(subject).lines
        assert (lot.sent, lot.arrived, lot.missing, lot.transit) == (40, 38, 2, 0)
        assert (depot.stock(donor.home), depot.stock(ward.home)) == (60, 38)
        assert depot.shipment(subject).unsettled == 0


def test_what_was_sent_is_written_down_after_it_came_too(depots: list[Depot]):
    donor, ward, _ = depots
    asked = requested(ward, donor)
    came = {"shipment": asked, "lines": [line(38)]}
    ward.write("shipment.receive", came, confirm=["not_sent_yet"])
    meet(*depots)
    assert donor.stock(donor.home) == 100

    data = {"shipment": asked, "lines": [line(38)]}
    assert donor.refuses("shipment.reserve", data) == "shipment_closed"
    donor.write("shipment.dispatch", data)
    assert donor.stock(donor.home) == 62
    assert donor.shipment(DocId.parse(asked)).lines[1].missing == 0
    assert donor.refuses("shipment.dispatch", data) == "shipment_closed"
