"""Shipments, recalls and cold units in real books: what follows, what is asked, what is listed."""

from __future__ import annotations

from datetime import date
from random import Random
from typing import Any

import pytest

from protocols.errors import InputError
from protocols.guidelines.coldchain import Reading
from protocols.guidelines.items import shipped_items
from protocols.ids import DocId, PatientId, SiteId
from protocols.ledger import coldunits, recalls, shelves, shipments, stores
from protocols.ledger.practice import FREE
from protocols.ledger.view import BookView
from protocols.live import consigning
from protocols.live.consigned import RecallLine
from protocols.records import logistics
from protocols.records.movement import Movement
from protocols.records.reading import RUN_MAX, runs_of
from tests.unit.stage import WALL_MS, Device, Line, Stage, camp, line, patient

ITEM, VACCINE = "ors-1l-sachet", "vaccine-mr-10"
MINUTE = WALL_MS // 60_000


def camp_of(*names: str) -> tuple[Stage, list[Device], dict[str, str]]:
    """Linked devices, each at a site of its own that all know."""
    stage, devices = Stage(), camp(names)
    for other in devices[1:]:
        stage.link(devices[0], other)
    stage.run(1_000)
    sites = {
        device.name: wrote(stage, device, "site.register", {"name": device.name, "type": "store"})
        for device in devices
    }
    stage.run(2_000)
    return stage, devices, sites


def wrote(stage: Stage, device: Device, kind: str, data: dict[str, Any], **more: Any) -> str:
    """Write one line that is taken; return the id it is answered with."""
    (answer,) = stage.write(device, line(kind, data, **more))
    assert answer.ok, answer
    return answer.id or ""


def held(device: Device, site: str, item: str = ITEM) -> int:
    device.ledger.catch_up_all()
    found = device.store.one(
        "SELECT coalesce(sum(low), 0) FROM balance WHERE store = ? AND item = ?",
        (bytes(SiteId.parse(site)), item),
    )
    assert found is not None
    return int(found[0])


def road(device: Device) -> int:
    device.ledger.catch_up_all()
    return sum(way.units for way in shipments.on_the_way(device.store))


def lot(units: int, name: str = "L1", item: str = ITEM, **more: Any) -> dict[str, Any]:
    return {"item": item, "lot": name, "units": units, **more}


def test_a_shipment_across_a_partition_is_in_one_place_at_every_moment():
    stage, (donor, ward, other), sites = camp_of("donor", "ward", "other")
    wrote(stage, donor, "stock.receive", lot(100), store=sites["donor"])
    kept = {"to": sites["ward"], "lines": [lot(40)]}
    reserved = wrote(stage, donor, "shipment.reserve", kept)
    stage.run(2_000)
    (aside,) = shipments.set_aside(ward.store, WALL_MS)
    assert (aside.lot, aside.units) == ("L1", 40)

    wrote(stage, donor, "shipment.dispatch", {"shipment": reserved})
    stage.run(2_000)
    stage.cut(donor, ward)
    stage.cut(donor, other)
    said = {"shipment": reserved, "lines": [lot(37, why="damaged")]}
    wrote(stage, ward, "shipment.receive", said)
    stage.run(2_000)

    assert (held(donor, sites["donor"]), held(donor, sites["ward"]), road(donor)) == (60, 0, 40)
    assert (held(ward, sites["donor"]), held(ward, sites["ward"]), road(ward)) == (60, 37, 0)
    assert shipments.set_aside(donor.store, WALL_MS) == []
    stage.link(donor, ward)
    stage.link(donor, other)
    stage.run(3_000)
    for device in (donor, ward, other):
        assert (held(device, sites["donor"]), held(device, sites["ward"])) == (60, 37)
        assert road(device) == 0
    assert donor.care == ward.care == other.care


def test_what_left_is_on_its_way_though_it_was_cancelled_apart():
    stage, (donor, ward), sites = camp_of("donor", "ward")
    home, there = sites["donor"], sites["ward"]
    wrote(stage, donor, "stock.receive", lot(50), store=home)
    asked = {"lines": [{"item": ITEM, "units": 20}], "donor": home}
    request = wrote(stage, ward, "requisition.place", asked, store=there)
    stage.run(2_000)
    stage.cut(donor, ward)
    wrote(stage, ward, "shipment.cancel", {"shipment": request}, reason="not needed")
    wrote(stage, donor, "shipment.dispatch", {"shipment": request, "lines": [lot(20)]}, store=home)
    stage.link(donor, ward)
    stage.run(5_000)
    place = SiteId.parse(there)
    for device in (donor, ward):
        device.ledger.catch_up_all()
        assert (held(device, home), road(device)) == (30, 20)
        assert stores.on_way(device.ledger, place) == {ITEM: 20}
    other = wrote(stage, ward, "requisition.place", asked, store=there)
    wrote(stage, ward, "shipment.cancel", {"shipment": other}, reason="not needed")
    assert stores.on_way(ward.ledger, place) == {ITEM: 20}


def test_taking_a_receipt_back_takes_its_movement_back_with_it():
    stage, (donor, ward), sites = camp_of("donor", "ward")
    wrote(stage, donor, "stock.receive", lot(100), store=sites["donor"])
    sent = wrote(stage, donor, "shipment.dispatch", {"to": sites["ward"], "lines": [lot(40)]})
    stage.run(2_000)
    came = wrote(stage, ward, "shipment.receive", {"shipment": sent})
    assert (held(ward, sites["ward"]), road(ward)) == (40, 0)

    undone = wrote(stage, ward, "entry.retract", {"fact": came}, reason="wrong box")
    assert (held(ward, sites["ward"]), road(ward)) == (0, 40)
    wrote(stage, ward, "entry.retract", {"fact": undone}, reason="the right box after all")
    assert (held(ward, sites["ward"]), road(ward)) == (40, 0)


@pytest.mark.parametrize("seed", range(6))
def test_any_order_of_delivery_adds_up_at_every_step(seed):
    """A node that hears of a receipt before the dispatch counts nothing twice: the road owes."""
    stage, devices, sites = camp_of("a", "b", "c")
    chance = Random(seed)
    names = [device.name for device in devices]
    for device in devices:
        wrote(stage, device, "stock.receive", lot(50), store=sites[device.name])
    stage.run(3_000)
    for _ in range(24):
        device = chance.choice(devices)
        if chance.random() < 0.25:
            far = chance.choice([each for each in devices if each is not device])
            stage.cut(device, far)
            if chance.random() < 0.7:
                stage.link(device, far)
            stage.run(chance.randint(1, 400))
        elif chance.random() < 0.5:
            to = sites[chance.choice([name for name in names if name != device.name])]
            data = {"to": to, "lines": [lot(chance.randint(1, 9))]}
            stage.write(device, line("shipment.dispatch", data))
        else:
            device.ledger.catch_up_all()
            waiting = [
                each
                for each in shipments.heads(
                    device.store, (bytes(SiteId.parse(sites[device.name])),)
                )
                if each.to_store == bytes(SiteId.parse(sites[device.name]))
                and each.state in ("dispatched", "partly")
            ]
            for head in waiting[:1]:
                data = {"shipment": str(DocId(head.shipment))}
                stage.write(device, line("shipment.receive", data))
        for each in devices:
            stocked = sum(held(each, site) for site in sites.values())
            assert stocked + road(each) == 150
    for one in devices:
        for other in devices:
            if one is not other:
                stage.cut(one, other)
    stage.link(devices[0], devices[1])
    stage.link(devices[0], devices[2])
    stage.link(devices[1], devices[2])
    stage.run(5_000)
    assert devices[0].care == devices[1].care == devices[2].care
    assert all(way.units > 0 for way in shipments.on_the_way(devices[0].store))


def test_every_store_answers_a_recall_and_patients_are_named_to_who_asks():
    stage, (donor, ward), sites = camp_of("donor", "ward")
    wrote(stage, donor, "stock.receive", lot(100), store=sites["donor"])
    wrote(stage, donor, "stock.receive", lot(70, "L2"), store=sites["donor"])
    sent = wrote(stage, donor, "shipment.dispatch", {"to": sites["ward"], "lines": [lot(40)]})
    stage.run(2_000)
    wrote(stage, ward, "shipment.receive", {"shipment": sent})
    (who,) = stage.write(ward, patient("Amina"))
    to = {"patient": who.code, "store": sites["ward"]}
    wrote(stage, ward, "stock.dispense", lot(4), **to)
    wrote(stage, ward, "stock.issue", lot(6, why="to-ward"), store=sites["ward"])
    wrote(stage, donor, "lot.recall", {"item": ITEM, "lot": "l1", "why": "falsified"})
    stage.run(2_000)

    for device in (donor, ward):
        (found,) = consigning.recalled(device.node, stage.now(device), {}).lines
        assert isinstance(found, RecallLine)
        said = {each.name: (each.low, each.gave, each.sent) for each in found.stores}
        assert said == {"donor": (60, 0, 40), "ward": (30, 10, 0)}
        assert (found.transit, found.patients, found.why) == (0, 1, "falsified")
        asked = {"item": ITEM, "lot": "L1"}
        listed, _ = consigning.patients(device.node, stage.now(device), asked)
        (one,) = listed.lines
        assert (one.patient, one.how, one.units) == (
            str(PatientId.parse(who.id or "")),
            "dispensed",
            4,
        )
    (refused,) = stage.write(ward, line("stock.issue", lot(1), store=sites["ward"]))
    assert (refused.error, refused.allowed) == ("lot_recalled", ("falsified",))


def test_an_answer_to_a_recall_counts_what_came_back_and_is_as_old_as_what_it_rests_on():
    stage, (device,), sites = camp_of("store")
    home = sites["store"]
    wrote(stage, device, "stock.receive", lot(100), store=home)
    wrote(stage, device, "stock.issue", lot(30), store=home)
    wrote(stage, device, "stock.return", lot(4), store=home)
    wrote(stage, device, "stock.loss", lot(1, why="spilled"), store=home)
    (moved,) = recalls.answers(device.store, ITEM, "L1")
    assert (moved.received, moved.gave, moved.lost, moved.low) == (100, 26, 1, 73)
    stage.run(60_000)
    counted = {"item": ITEM, "lots": [{"lot": "L1", "units": 70}]}
    wrote(stage, device, "stock.count", counted, store=home)
    (answer,) = recalls.answers(device.store, ITEM, "L1")
    assert (answer.low, answer.gave) == (70, 26)
    assert answer.last_ms >= moved.last_ms + 60_000


def test_a_store_is_shown_as_it_is_after_each_movement_and_each_recall():
    stage, (device,), sites = camp_of("store")
    home, catalogue = SiteId.parse(sites["store"]), shipped_items()
    said = {"store": sites["store"]}

    def shown(days: int = 0) -> Any:
        now_ms = stage.now(device).wall_ms + days * 86_400_000
        (row,) = shelves.kept(device.ledger, home, catalogue, now_ms)
        return row

    last = date.fromordinal(date(1970, 1, 1).toordinal() + WALL_MS // 86_400_000).isoformat()
    wrote(stage, device, "stock.receive", lot(100, expiry=last), **said)
    assert (shown().low, shown().marks) == (100, ("expiring",))
    wrote(stage, device, "stock.issue", lot(30), **said)
    assert shown().low == 70
    recalled = {"item": ITEM, "lot": "L1", "level": "harmful", "why": "contaminated"}
    wrote(stage, device, "lot.recall", recalled)
    assert shown().marks == ("recalled", "expiring")
    assert shown(days=2).marks == ("recalled", "low", "expired")
    assert shown().marks == ("recalled", "expiring")
    wrote(stage, device, "stock.loss", lot(70, why="destroyed"), **said)
    assert (shown().low, shown().marks) == (0, ("out",))


def test_days_of_cover_at_a_store_are_of_what_may_be_given_at_least():
    stage, (device,), sites = camp_of("store")
    said, day_ms = {"store": sites["store"]}, 86_400_000
    for name in ("L1", "L2", "L3"):
        came = lot(200, name, expiry="2039-12-31")
        wrote(stage, device, "stock.receive", came, at=WALL_MS - 20 * day_ms, **said)
    for back in range(10, 0, -1):
        gone = lot(10, "L1", why="to-ward")
        wrote(stage, device, "stock.issue", gone, at=WALL_MS - back * day_ms, **said)

    def days() -> int:
        home, now_ms = SiteId.parse(sites["store"]), stage.now(device).wall_ms
        (row,) = shelves.kept(device.ledger, home, shipped_items(), now_ms)
        assert row.rate and row.days is not None
        return round(row.days * row.rate)

    assert days() == 500
    wrote(stage, device, "lot.recall", {"item": ITEM, "lot": "L2", "why": "contaminated"})
    assert days() == 300
    wrote(stage, device, "lot.quarantine", {"item": ITEM, "lot": "L3", "why": "damaged"}, **said)
    assert days() == 100
    counted = {"item": ITEM, "lots": [{"lot": "L1", "units": 100}], "whole": False}
    wrote(stage, device, "stock.count", counted, **said)
    # It may have been counted already: 80 to 100 are there.
    wrote(stage, device, "stock.issue", lot(20), at=WALL_MS - 60_000, **said)
    assert days() == 80


def test_a_dose_of_the_recalled_lot_is_found_with_who_received_it():
    stage, (device,), _ = camp_of("team")
    (who,) = stage.write(device, patient("Baby"))
    dose = {"vaccine": "mr", "lot": "0119X2"}
    (given,) = stage.write(
        device, line("dose.record", dose, patient=who.code, source="paper", at="2026-02-03")
    )
    if not given.ok:
        pytest.skip(f"doses are not written here: {given.error}")
    found = recalls.recipients(device.ledger, VACCINE, "0119X2")
    assert [(each.patient, each.how) for each in found] == [
        (bytes(PatientId.parse(who.id or "")), "vaccinated")
    ]
    assert recalls.recipients(device.ledger, VACCINE, "OTHER") == []


def test_weeks_of_readings_are_few_records_and_an_alarm_names_the_lots_that_need_cold():
    stage, (device,), sites = camp_of("store")
    home = sites["store"]
    wrote(stage, device, "stock.receive", lot(20, "V1", VACCINE), store=home)
    wrote(stage, device, "stock.receive", lot(20, "D1"), store=home)
    start = MINUTE
    readings = [(start + 10 * at, -8 if 3000 <= at < 3010 else 50) for at in range(4032)]
    runs = runs_of([Reading(*each) for each in readings])
    assert len(runs) == -(-len(readings) // RUN_MAX) == 8
    before = device.store.one("SELECT sum(length(body)) FROM entry")
    for began, run in runs:
        data = {"unit": "Fridge 1", "began_min": began, "run": list(run), "cold": "fridge"}
        wrote(stage, device, "reading.record", data, store=home, source="import")
    after = device.store.one("SELECT sum(length(body)) FROM entry")
    assert before and after and after[0] - before[0] < 8_000, "four weeks are a few kilobytes"
    # Imported once more, by another name of the line: it counts once.
    began, run = runs[0]
    again = {"unit": "fridge  1", "began_min": began, "run": list(run)}
    wrote(stage, device, "reading.record", again, store=home, source="import")

    (unit,) = consigning.cold(device.node, stage.now(device), {"store": home}).lines
    assert (unit.readings, unit.low_tenths, unit.high_tenths) == (4032, -8, 50)
    (freeze,) = [each for each in unit.episodes if each.limit == "freeze"]
    assert (freeze.minutes, freeze.worst_tenths, freeze.alarms) == (100, -8, True)
    assert [(each.item, each.lot, each.quarantined) for each in freeze.lots] == [
        (VACCINE, "V1", False)
    ]
    held_back = {"item": VACCINE, "lot": "V1", "why": "excursion"}
    wrote(stage, device, "lot.quarantine", held_back, store=home)
    (unit,) = consigning.cold(device.node, stage.now(device), {}).lines
    assert all(each.quarantined for one in unit.episodes for each in one.lots)
    known = consigning.known(device.node, stage.now(device), {"store": home, "unit": "FRIDGE 1"})
    assert known == readings


@pytest.mark.parametrize("over", [True, False])
def test_an_alarm_names_what_was_there_however_it_came_into_the_book(over: bool):
    stage, (device,), sites = camp_of("store")
    home, hour = sites["store"], 60
    warm = MINUTE - 40 * hour

    def at(hours: int) -> dict[str, Any]:
        """So many hours after it became warm."""
        return {"store": home, "at": (warm + hours * hour) * 60_000}

    counted = [{"lot": "COUNTED", "units": 20}, {"lot": "STILL", "units": 5}]
    wrote(stage, device, "stock.count", {"item": VACCINE, "lots": counted}, **at(-9))
    sure = {"confirm": ["beyond_stock", "lot_unknown", "large_quantity"]}
    wrote(stage, device, "stock.issue", lot(2, "TAKEN", VACCINE), **at(-8), **sure)
    for name, gone in (("CAME", 0), ("USED", 5), ("BEFORE", -1)):
        wrote(stage, device, "stock.receive", lot(20, name, VACCINE), **at(-7))
        if gone:
            wrote(stage, device, "stock.issue", lot(20, name, VACCINE), **at(gone), **sure)
    wrote(stage, device, "stock.issue", lot(2, "COUNTED", VACCINE), **at(20))
    for name in ("COUNTED", "TAKEN", "CAME", "LATER"):
        wrote(stage, device, "stock.receive", lot(20, name, VACCINE), **at(21))
    looked = {"item": VACCINE, "lots": [{"lot": "LATER", "units": 20}], "whole": False}
    wrote(stage, device, "stock.count", looked, **at(22))
    run = [0, 120, *[60, 120] * 11, 60, 50 if over else 120]
    data = {"unit": "Fridge 1", "began_min": warm, "run": run, "cold": "fridge"}
    wrote(stage, device, "reading.record", data, store=home, source="import")

    (unit,) = coldunits.units(device.ledger)
    (heat,) = [each for each in unit.episodes if each.alarms]
    named = coldunits.affected(device.ledger, unit, heat)
    # While it goes on, what comes in is put where it is too warm.
    later = [] if over else ["LATER"]
    assert [each.lot for each in named] == ["CAME", "COUNTED", *later, "STILL", "TAKEN", "USED"]


def logged(readings: list[tuple[int, int]], serial: str = "", cold: str = "") -> Line:
    """What a logger, or nobody knows which, says of one fridge; minutes before now, tenths."""
    ((began, run),) = runs_of([Reading(MINUTE - ago, tenths) for ago, tenths in readings])
    data = {"unit": "fridge 1", "began_min": began, "run": list(run)}
    data |= {"cold": cold} if cold else {}
    return line(
        "reading.record", data, device={"make": "Onset HOBO", "model": "", "serial": serial or "1"}
    )


def test_what_a_second_thermometer_says_ends_no_episode_of_the_first():
    stage, (device,), _ = camp_of("store")
    warm = [(ago, 120) for ago in range(1500, 800, -20)]
    door = [(ago, 50) for ago in range(1490, 790, -20)]
    for said in (logged(warm, "inside"), logged([*door, (60, 50), (0, 50)], "door")):
        (answer,) = stage.write(device, said)
        assert answer.ok, answer
    (unit,) = coldunits.units(device.ledger)
    (heat,) = unit.episodes
    assert (heat.minutes, heat.alarms, heat.worst_tenths) == (680, True, 120)
    # The one inside was not read for long: that it is too warm now, nobody knows.
    assert (heat.ongoing, unit.newest.tenths, unit.readings) == (False, 50, 72)


def test_a_reading_that_is_taken_back_is_in_no_figure_of_its_unit():
    stage, (device,), _ = camp_of("store")
    (kept, wrong) = stage.write(device, logged([(60, 50)]), logged([(30, 250)]))
    (gone,) = stage.write(
        device, line("entry.retract", {"fact": wrong.facts[0]}, reason="another fridge's")
    )
    assert kept.ok and gone.ok, (kept, gone)
    (unit,) = coldunits.units(device.ledger)
    assert (unit.readings, unit.high_tenths, unit.episodes) == (1, 50, ())


def test_a_unit_is_what_it_was_said_to_be_however_long_ago():
    stage, (device,), _ = camp_of("store")
    days = 24 * 60
    first = logged([(200 * days, -200)], cold="freezer")
    for said in (first, logged([(ago, 40) for ago in range(200, -1, -20)])):
        (answer,) = stage.write(device, said)
        assert answer.ok, answer
    (unit,) = coldunits.units(device.ledger)
    assert (unit.cold, unit.readings) == ("freezer", 11)
    assert [(each.limit.id, each.ongoing) for each in unit.episodes if each.alarms] == [
        ("heat", True)
    ]


def test_an_alarm_is_told_however_often_the_door_stood_open_since():
    stage, (device,), sites = camp_of("store")
    wrote(stage, device, "stock.receive", lot(20, "V1", VACCINE), store=sites["store"],
          at=(MINUTE - 2000) * 60_000)  # fmt: skip
    frozen = [(ago, -20) for ago in range(1900, 1700, -20)]
    opened = [(ago, 50 if ago % 20 else 90) for ago in range(1650, -1, -10)]
    (answer,) = stage.write(device, logged([*frozen, *opened]))
    assert answer.ok, answer
    (unit,) = consigning.cold(device.node, stage.now(device), {}).lines
    assert len(unit.episodes) == consigning.EPISODES_MAX
    (freeze, *_) = [each for each in unit.episodes if each.alarms and each.freezing]
    assert [each.lot for each in freeze.lots] == ["V1"]
    assert [each.since_ms for each in unit.episodes] == sorted(e.since_ms for e in unit.episodes)


def test_a_typed_temperature_is_one_reading_and_what_is_impossible_is_refused():
    stage, (device,), sites = camp_of("store")

    def answer(**data: Any) -> Any:
        (found,) = stage.write(device, line("reading.record", {"unit": "fridge 1", **data}))
        return found

    assert answer(celsius="-0,6").ok
    assert answer(celsius="5.25").error == "too_precise"
    assert answer(celsius="400").error == "impossible"
    assert answer(celsius="warm").error == "bad_number"
    assert answer().error == "missing_field"
    assert answer(celsius="5", cold="cellar").error == "bad_value"
    assert answer(began_min=MINUTE, run=[0, 50, 5]).error == "bad_value"
    assert answer(began_min=MINUTE, run=[3, 50]).error == "bad_value"
    assert answer(began_min=MINUTE, run=[0, 50] * (RUN_MAX + 1)).error == "too_many"
    (unit,) = coldunits.units(device.ledger, bytes(SiteId.parse(sites["store"])))
    assert unit.newest.tenths == -6
    (episode,) = unit.episodes
    assert (episode.minutes, episode.ongoing, episode.alarms) == (0, True, False)


def test_lists_say_whose_a_shipment_is_and_refuse_bad_questions():
    stage, (donor, ward), sites = camp_of("donor", "ward")
    wrote(stage, donor, "stock.receive", lot(10), store=sites["donor"])
    asked = {"lines": [{"item": ITEM, "units": 5}], "donor": sites["donor"]}
    until = WALL_MS + 60_000
    wrote(stage, ward, "requisition.place", {**asked, "until": until}, store=sites["ward"])
    stage.run(2_000)

    (ours,) = consigning.listed(ward.node, stage.now(ward), {}).lines
    (theirs,) = consigning.listed(donor.node, stage.now(donor), {"store": sites["donor"]}).lines
    assert (ours.ours, theirs.ours, ours.state) == ("in", "out", "requested")
    assert (ours.donor_name, ours.to_name) == ("donor", "ward")
    assert ours.parts[0].wanted == 5
    stage.run(120_000)
    (late,) = consigning.listed(ward.node, stage.now(ward), {}).lines
    assert late.state == "expired"
    for args in ({"store": 5}, {"store": "nowhere"}, {"limit": -1}):
        with pytest.raises(InputError):
            consigning.listed(ward.node, stage.now(ward), args)
    assert BookView(ward.ledger, WALL_MS).home_site == SiteId.parse(sites["ward"])


def test_whoever_keeps_a_store_needs_no_licence_for_it():
    assert {int(kind.number) for kind in logistics.KINDS} <= FREE


def test_a_recall_that_races_an_issue_keeps_both_and_lists_who_got_it():
    stage, (donor, ward), sites = camp_of("donor", "ward")
    wrote(stage, ward, "stock.receive", lot(10), store=sites["ward"])
    (who,) = stage.write(ward, patient("Amina"))
    stage.run(2_000)
    stage.cut(donor, ward)
    wrote(stage, donor, "lot.recall", {"item": ITEM, "lot": "L1", "why": "contaminated"})
    wrote(stage, ward, "stock.dispense", lot(2), patient=who.code, store=sites["ward"])
    stage.link(donor, ward)
    stage.run(2_000)

    for device in (donor, ward):
        assert held(device, sites["ward"]) == 8
        (one,) = recalls.recipients(device.ledger, ITEM, "L1")
        assert one.patient == bytes(PatientId.parse(who.id or ""))
        again = line("stock.dispense", lot(1), patient=who.code, store=sites["ward"])
        assert stage.write(device, again)[0].error == "lot_recalled"


@pytest.mark.parametrize("aside", [True, False])
def test_the_last_day_of_a_lot_goes_with_it_to_the_store_that_takes_it_in(aside):
    stage, (donor, ward), sites = camp_of("donor", "ward")
    wrote(stage, donor, "stock.receive", lot(50, expiry="2031-03"), store=sites["donor"])
    data = {"to": sites["ward"], "lines": [lot(30)]}
    if aside:
        kept = wrote(stage, donor, "shipment.reserve", data)
        data = {"shipment": kept}
    sent = wrote(stage, donor, "shipment.dispatch", data)
    stage.run(2_000)
    come = {"shipment": sent, "lines": [lot(28, why="short")]} if aside else {"shipment": sent}
    wrote(stage, ward, "shipment.receive", come)
    stage.run(2_000)

    for device in (donor, ward):
        (there,) = device.store.all(
            "SELECT expiry_day FROM balance WHERE store = ? AND lot = 'L1'",
            (bytes(SiteId.parse(sites["ward"])),),
        )
        assert there == ((date(2031, 3, 31) - date(1970, 1, 1)).days,)


def test_two_devices_of_one_store_receive_a_shipment_apart_and_it_counts_once():
    stage, (donor, ward, clerk), sites = camp_of("donor", "ward", "clerk")
    wrote(stage, donor, "stock.receive", lot(50), store=sites["donor"])
    sent = wrote(stage, donor, "shipment.dispatch", {"to": sites["ward"], "lines": [lot(30)]})
    stage.run(2_000)
    stage.cut(donor, ward)
    stage.cut(donor, clerk)
    came = wrote(stage, ward, "shipment.receive", {"shipment": sent})
    short = {"shipment": sent, "lines": [lot(28, why="short")]}
    wrote(stage, clerk, "shipment.receive", short)
    stage.link(donor, ward)
    stage.link(donor, clerk)
    stage.run(3_000)

    for device in (donor, ward, clerk):
        assert (held(device, sites["donor"]), held(device, sites["ward"])) == (20, 28)
        assert road(device) == 0
        (head,) = shipments.heads(device.store)
        assert (head.state, head.unsettled) == ("received", 1), "shown until it is settled"
    wrote(stage, ward, "entry.retract", {"fact": came}, reason="counted again: two lack")
    stage.run(2_000)
    for device in (donor, ward, clerk):
        assert held(device, sites["ward"]) == 28
        assert shipments.heads(device.store) == []


def test_two_stores_that_take_in_one_shipment_apart_are_listed_with_their_movements():
    stage, (donor, ward, tent), sites = camp_of("donor", "ward", "tent")
    wrote(stage, donor, "stock.receive", lot(50), store=sites["donor"])
    sent = wrote(stage, donor, "shipment.dispatch", {"to": sites["ward"], "lines": [lot(30)]})
    stage.run(2_000)
    stage.cut(donor, ward)
    stage.cut(donor, tent)
    wrote(stage, ward, "shipment.receive", {"shipment": sent})
    sure = {"store": sites["tent"], "confirm": ["received_elsewhere"]}
    wrong = wrote(stage, tent, "shipment.receive", {"shipment": sent}, **sure)
    assert shipments.taken_twice(ward.store) == shipments.taken_twice(tent.store) == []
    stage.link(donor, ward)
    stage.link(donor, tent)
    stage.run(3_000)

    for device in (donor, ward, tent):
        assert (held(device, sites["ward"]), held(device, sites["tent"])) == (30, 30)
        (twice,) = shipments.taken_twice(device.store)
        assert (twice.item, twice.lot, twice.sent, twice.came) == (ITEM, "L1", 30, 60)
        view = BookView(device.ledger, WALL_MS)
        stores = set()
        for ref in twice.movements:
            facts = view.facts(view.subject_of(ref) or DocId.zero())
            (fact,) = [each for each in facts if each.ref == ref]
            assert isinstance(fact.record, Movement)
            stores.add(str(SiteId(fact.record.store)))
        assert stores == {sites["ward"], sites["tent"]}
    wrote(stage, tent, "entry.retract", {"fact": wrong}, reason="it went to the ward")
    stage.run(2_000)
    for device in (donor, ward, tent):
        assert shipments.taken_twice(device.store) == []
        assert held(device, sites["tent"]) == 0
