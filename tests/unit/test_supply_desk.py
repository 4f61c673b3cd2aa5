"""What of supplies somebody has to look at, and the lots there are, asked of a real book."""

from __future__ import annotations

from protocols.live import consigning, settings, supplydesk
from tests.unit.stage import Device, Stage, camp, line
from tests.unit.test_supplies_book import camp_of, wrote

VACCINE, ITEM = "vaccine-mr-10", "ors-1l-sachet"
HOUR_MS = 3_600_000


class Depot:
    """One device with a store, a ward, a vaccine that needs a fridge and some sachets."""

    def __init__(self) -> None:
        self.stage, (self.ann,) = Stage(), camp(("ann",))
        self.store = self.said(line("site.register", {"name": "Depot", "type": "store"}))
        self.ward = self.said(line("site.register", {"name": "Ward"}))
        stocked = {"item": VACCINE, "lot": "V1", "units": 20}
        self.said(line("stock.receive", stocked, store=self.store, at="2000-06-01"))
        sachets = {"item": ITEM, "lot": "A1", "units": 100, "expiry": "2031-06-30"}
        self.said(line("stock.receive", sachets, store=self.store))

    def said(self, *lines: object) -> str:
        answers = self.stage.write(self.ann, *lines)  # type: ignore[arg-type]
        assert all(answer.ok for answer in answers), answers
        return answers[0].id or answers[0].facts[0]

    def ask(self, run, device: Device | None = None, **args: object):
        device = device or self.ann
        return run(device.node, self.stage.now(device), args)

    @property
    def alerts(self) -> list[tuple[str, int, bool]]:
        found = self.ask(supplydesk.alerts).lines
        return [(one.why, one.number, one.ours) for one in found]

    def reads(self, celsius: str, hours: int) -> None:
        at_ms = self.stage.now(self.ann).wall_ms
        for ago in range(hours, -1, -1):
            data = {"unit": "fridge 1", "celsius": celsius}
            at = at_ms - ago * HOUR_MS
            self.said(line("reading.record", data, store=self.store, at=at))


def test_nothing_is_to_be_looked_at_where_all_is_well():
    depot = Depot()
    depot.reads("5.1", 2)
    assert depot.alerts == []


def test_a_fridge_that_froze_stands_until_its_lots_were_looked_at_and_it_is_warm_again():
    depot = Depot()
    depot.reads("-1.1", 3)
    assert depot.alerts == [("excursion", 1, True)]

    held = {"item": VACCINE, "lot": "V1", "why": "excursion"}
    depot.said(line("lot.quarantine", held, store=depot.store))
    assert depot.alerts == [("excursion", 0, True)], "it still is too cold"

    depot.stage.run(2 * 60_000)
    depot.said(line("reading.record", {"unit": "fridge 1", "celsius": "4"}, store=depot.store))
    assert depot.alerts == []
    depot.said(line("lot.release", {"item": VACCINE, "lot": "V1"}, store=depot.store,
                    reason="shake test"))  # fmt: skip
    assert depot.alerts == [], "somebody looked at it and let it go"


def test_a_recall_stands_until_whoever_holds_it_held_it_back():
    depot = Depot()
    assert depot.alerts == []
    depot.said(line("lot.recall", {"item": ITEM, "lot": "A1", "why": "falsified"}))
    assert depot.alerts == [("recall", 1, True)]
    depot.said(line("lot.quarantine", {"item": ITEM, "lot": "A1", "why": "recall"},
                    store=depot.store))  # fmt: skip
    assert depot.alerts == []


def test_what_was_asked_and_lapsed_stands_until_it_is_approved_or_cancelled():
    depot = Depot()
    now_ms = depot.stage.now(depot.ann).wall_ms
    wanted = {"lines": [{"item": ITEM, "units": 5}], "donor": depot.store, "until": now_ms + 60_000}
    request = depot.said(line("requisition.place", wanted, store=depot.ward))
    assert depot.alerts == [("asked", 0, True)]
    depot.stage.run(2 * 60_000)
    assert depot.alerts == [("lapsed", 0, True)]
    depot.said(line("shipment.cancel", {"shipment": request}, reason="came otherwise"))
    assert depot.alerts == []


def test_what_is_asked_of_our_store_stands_until_it_is_sent_and_then_with_whom_it_goes_to():
    depot = Depot()
    wanted = {"lines": [{"item": ITEM, "units": 5}], "donor": depot.store}
    request = depot.said(line("requisition.place", wanted, store=depot.ward))
    for kind, data in (
        ("requisition.approve", {"lines": [{"item": ITEM, "units": 5}], "donor": depot.store}),
        ("shipment.reserve", {"lines": [{"item": ITEM, "lot": "A1", "units": 5}]}),
        ("shipment.dispatch", {}),
    ):
        assert depot.alerts == [("asked", 0, True)]
        own = {"store": depot.store} if kind == "shipment.reserve" else {}
        depot.said(line(kind, {"shipment": request, **data}, **own))
    assert depot.alerts == [], "it is another's to take it in"

    coming = {"to": depot.store, "lines": [{"item": ITEM, "units": 9}]}
    depot.said(line("stock.receive", {"item": ITEM, "units": 9}, store=depot.ward))
    depot.said(line("shipment.dispatch", coming, store=depot.ward, confirm=["lot_unstated"]))
    assert ("coming", 0, True) in depot.alerts


def test_a_device_that_only_chose_a_store_is_told_what_is_on_its_way_there():
    stage, (donor, ward), sites = camp_of("donor", "ward")
    lines = [{"item": ITEM, "lot": "L1", "units": 30}]
    wrote(stage, donor, "stock.receive", dict(lines[0]), store=sites["donor"])
    kitchen = wrote(stage, donor, "site.register", {"name": "Far ward"})
    wrote(stage, donor, "shipment.dispatch", {"to": kitchen, "lines": lines})
    stage.run(2_000)

    def told():
        found = supplydesk.alerts(ward.node, stage.now(ward), {}).lines
        return [(one.why, one.place) for one in found]

    assert told() == []
    settings.settings(ward.node, stage.now(ward), {"store": kitchen})
    assert told() == [("coming", "donor > Far ward")]


def test_what_anybody_may_give_is_shown_to_whoever_did_not_ask_for_it():
    depot = Depot()
    wanted = {"lines": [{"item": ITEM, "units": 5}]}
    depot.said(line("requisition.place", wanted, store=depot.ward))
    assert depot.alerts == [("asked", 0, True)]
    depot.said(line("requisition.place", wanted, store=depot.store))
    assert depot.alerts == [("asked", 0, True)], "what we ask for is no work for us"


def test_what_two_stores_took_in_of_one_shipment_is_an_alert_until_one_takes_it_back():
    stage, (donor, ward, tent), sites = camp_of("donor", "ward", "tent")
    lines = [{"item": ITEM, "lot": "L1", "units": 30}]
    wrote(stage, donor, "stock.receive", dict(lines[0]), store=sites["donor"])
    sent = wrote(stage, donor, "shipment.dispatch", {"to": sites["ward"], "lines": lines})
    stage.run(2_000)
    stage.cut(donor, ward)
    stage.cut(donor, tent)
    wrote(stage, ward, "shipment.receive", {"shipment": sent})
    sure = {"store": sites["tent"], "confirm": ["received_elsewhere"]}
    wrong = wrote(stage, tent, "shipment.receive", {"shipment": sent}, **sure)
    stage.link(donor, ward)
    stage.link(donor, tent)
    stage.run(3_000)

    def told(device):
        return [
            one
            for one in supplydesk.alerts(device.node, stage.now(device), {}).lines
            if one.why == "twice"
        ]

    for device in (donor, ward, tent):
        (one,) = told(device)
        assert one.about.removeprefix("doc_") == sent.removeprefix("fct_").partition(".")[0]
        assert (one.item, one.lot, one.number) == (ITEM, "L1", 30)
        assert sorted(one.place.split(" + ")) == ["tent", "ward"]
    wrote(stage, tent, "entry.retract", {"fact": wrong}, reason="it went to the ward")
    stage.run(2_000)
    assert [told(device) for device in (donor, ward, tent)] == [[], [], []]


def taken_in_apart(at: str, **more: object):
    """A shipment received by the ward and, cut off from it, by the tent; then all meet again."""
    stage, (donor, ward, tent), sites = camp_of("donor", "ward", "tent")
    lines = [{"item": ITEM, "lot": "L1", "units": 30}]
    wrote(stage, donor, "stock.receive", dict(lines[0]), store=sites["donor"])
    sent = wrote(stage, donor, "shipment.dispatch", {"to": sites["ward"], "lines": lines})
    stage.run(2_000)
    stage.cut(donor, ward)
    stage.cut(donor, tent)
    wrote(stage, ward, "shipment.receive", {"shipment": sent})
    stage.run(60_000)
    short = {"shipment": sent, "lines": [{**lines[0], "units": 28, "why": "damaged"}]}
    wrong = wrote(stage, tent, "shipment.receive", short, store=sites[at], **more)
    stage.link(donor, ward)
    stage.link(donor, tent)
    stage.run(3_000)
    shipment = "doc_" + sent.removeprefix("fct_").partition(".")[0]

    def page(device: Device):
        (line,) = consigning.listed(device.node, stage.now(device), {"shipment": shipment}).lines
        return line

    return stage, (donor, ward, tent), page, wrong


def test_a_shipment_says_who_took_it_in_twice_and_which_receipt_counts():
    stage, devices, page, wrong = taken_in_apart("ward")
    for device in devices:
        one = page(device)
        told = [(r.place, r.device, r.units, r.counts) for r in one.twice]
        assert told == [("ward", "ward", 30, 0), ("ward", "tent", 28, 28)]
        assert one.twice[1].at_ms - one.twice[0].at_ms >= 60_000
        assert one.twice[1].fact == wrong and one.beyond == 0
        assert {r.fact for r in one.twice} <= {step.fact for step in one.steps}
    wrote(stage, devices[2], "entry.retract", {"fact": wrong}, reason="it was the other tent's")
    stage.run(2_000)
    assert [page(device).twice for device in devices] == [(), (), ()]


def test_of_a_shipment_that_two_stores_took_in_both_receipts_count_and_the_page_says_how_many():
    sure = {"confirm": ["received_elsewhere"]}
    stage, devices, page, wrong = taken_in_apart("tent", **sure)
    for device in devices:
        one = page(device)
        told = [(r.place, r.units, r.counts) for r in one.twice]
        assert (told, one.beyond) == ([("ward", 30, 30), ("tent", 28, 28)], 28)
    wrote(stage, devices[2], "entry.retract", {"fact": wrong}, reason="it went to the ward")
    stage.run(2_000)
    assert [(page(d).twice, page(d).beyond) for d in devices] == [((), 0)] * 3


def test_lots_say_what_is_set_aside_held_recalled_and_over():
    depot = Depot()
    aside = {"to": depot.ward, "lines": [{"item": ITEM, "lot": "A1", "units": 30}]}
    depot.said(line("shipment.reserve", aside, store=depot.store))
    depot.said(line("lot.recall", {"item": VACCINE, "lot": "V1", "why": "falsified"}))

    found = depot.ask(supplydesk.lots, store=depot.store)
    told = {one.lot: (one.high, one.aside, one.held, one.recalled, one.expired)
            for one in found.lines}  # fmt: skip
    assert told == {"A1": (100, 30, False, False, False), "V1": (20, 0, False, True, False)}
    assert {one.code for one in found.items} == {ITEM, VACCINE}
    only = depot.ask(supplydesk.lots, store=depot.store, items=[ITEM])
    assert [one.lot for one in only.lines] == ["A1"]


def test_a_shipment_says_who_did_what_and_what_was_taken_back():
    depot = Depot()
    wanted = {"lines": [{"item": ITEM, "units": 5}], "donor": depot.store}
    depot.said(line("requisition.place", wanted, store=depot.ward))
    (one,) = depot.ask(consigning.listed).lines
    depot.said(line("requisition.approve", {"shipment": one.shipment}))
    assert one.steps == (), "a list says nothing of steps"

    (told,) = depot.ask(consigning.listed, shipment=one.shipment).lines
    assert [(each.kind, each.ours, each.counts) for each in told.steps] == [
        ("requisition.place", True, True), ("requisition.approve", True, True),
    ]  # fmt: skip
    depot.said(line("entry.retract", {"fact": told.steps[1].fact}, reason="slip"))
    (after,) = depot.ask(consigning.listed, shipment=one.shipment).lines
    assert after.state == "requested"
    assert [each.counts for each in after.steps] == [True, False]
    assert depot.ask(consigning.listed, shipment="doc_" + "0" * 26).lines == ()
