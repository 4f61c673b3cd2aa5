"""HQ's page of what is on its way, of recalls and of cold units, over real books."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator

import pytest

from hq.logistics import read_logistics
from protocols.guidelines.coldchain import Reading
from protocols.ledger import shipments
from protocols.records.loggers import TENTHS_MAX
from protocols.records.movement import DAY_MS
from protocols.records.reading import runs_of
from tests.unit.hq_book import HOUR, NOW_MS, TestBook
from tests.unit.hq_registry import TestRegistry
from tests.unit.hq_stores import Campaign
from tests.unit.stage import WALL_MS, Device
from tests.unit.test_hq_belonging import text
from tests.unit.test_hq_vaccination import NodeBook, house_on
from tests.unit.test_hq_web import HOSTILE, House, house_of
from tests.unit.test_supplies_book import MINUTE, VACCINE, camp_of, lot, wrote


@pytest.fixture
def hq() -> Device:
    """One shipment on its way, one request, a recall of what is on it, a fridge that froze."""
    stage, (donor, ward, hq), sites = camp_of("donor", "ward", "hq")
    wrote(stage, donor, "stock.receive", lot(100, "V1", VACCINE), store=sites["donor"])
    wrote(stage, donor, "stock.receive", lot(60), store=sites["donor"])
    sent = {"to": sites["ward"], "lines": [lot(40, "V1", VACCINE)], "carrier": HOSTILE[:20]}
    wrote(stage, donor, "shipment.dispatch", sent)
    asked = {"lines": [{"item": "ors-1l-sachet", "units": 30}], "until": "2026-09-22T00:00Z"}
    wrote(stage, ward, "requisition.place", asked, store=sites["ward"])
    wrote(stage, donor, "stock.issue", lot(10, "V1", VACCINE, why="to-ward"), store=sites["donor"])
    said = {"item": VACCINE, "lot": "V1", "why": "contaminated", "level": "harmful"}
    wrote(stage, hq, "lot.recall", said)
    cold = [Reading(MINUTE + 10 * at, -8 if at >= 20 else 50) for at in range(40)]
    for began, run in runs_of(cold):
        data = {"unit": "Fridge 1", "began_min": began, "run": list(run), "cold": "fridge"}
        wrote(stage, donor, "reading.record", data, store=sites["donor"], source="import")
    stage.run(3_000)
    hq.ledger.catch_up_all()
    return hq


@pytest.fixture
async def house(hq: Device) -> AsyncIterator[House]:
    made = await house_on(hq, TestRegistry())
    await made.enter()
    yield made
    await made.client.close()


async def test_what_is_asked_and_on_its_way_is_listed_with_its_age(hq: Device, house: House):
    page = await text(house, "/logistics")

    assert sum(way.units for way in shipments.on_the_way(hq.store)) == 40
    assert "sent 40, arrived 0, <b>40 on the way</b>" in page
    assert "asked 30" in page and "donor" in page and "ward" in page
    assert "<script>" not in page.replace('<script src="/static', "")
    assert page.count('data-label="Last step"') == 2


async def test_a_recall_says_what_every_store_holds_and_gave(house: House):
    page = await text(house, "/logistics")

    assert "can do serious harm" in page and "40 on the way" in page
    found = list(
        csv.DictReader(io.StringIO(await (await house.get("/logistics/recalls.csv")).text()))
    )
    assert [(line["site_name"], line["holds_low"], line["gave"], line["sent_on"])
            for line in found] == [("donor", "50", "10", "40")]  # fmt: skip


async def test_a_unit_that_freezes_alarms_by_limits_nobody_approved(house: House):
    page = await text(house, "/logistics")

    assert "still so" in page and "too cold, worst -0.8 °C" in page
    assert "1 lot may be harmed, 0 held back" in page and "NOT APPROVED" in page
    table = await (await house.get("/logistics/cold.csv")).text()
    assert f"{VACCINE}:V1" in table and ",-0.8," in table


async def test_a_request_lapses_by_the_clock_of_who_looks(hq: Device):
    packs = await TestRegistry().supplies()

    for days, state in ((0, "requested"), (40, "expired")):
        found = await read_logistics(NodeBook(hq), packs, WALL_MS + days * DAY_MS)
        assert {each.state for each in found.moving} == {"dispatched", state}
        assert [each.on_the_way for each in found.recalled] == [40]


async def test_tables_and_parts_are_there_and_others_are_not(house: House):
    for table in ("shipments", "recalls", "cold"):
        assert (await house.get(f"/logistics/{table}.csv")).content_type == "text/csv"
    assert (await house.get("/logistics/patients.csv")).status == 404
    assert 'id="logistics"' in await text(house, "/part/logistics")
    assert "En route, rappels, froid" in await text(house, "/logistics", "fr")


async def test_a_recall_counts_what_is_on_its_way_of_its_own_lot_alone():
    stage, (donor, ward, hq), sites = camp_of("donor", "ward", "hq")
    for name in ("V1", "V2"):
        wrote(stage, donor, "stock.receive", lot(100, name, VACCINE), store=sites["donor"])
    lines = [lot(40, "V1", VACCINE), lot(7, "V2", VACCINE)]
    wrote(stage, donor, "shipment.dispatch", {"to": sites["ward"], "lines": lines})
    said = {"item": VACCINE, "lot": "V1", "why": "contaminated", "level": "harmful"}
    wrote(stage, hq, "lot.recall", said)
    stage.run(3_000)
    hq.ledger.catch_up_all()

    found = await read_logistics(NodeBook(hq), await TestRegistry().supplies(), WALL_MS)

    assert [each.on_the_way for each in found.recalled] == [40]


async def test_what_freezes_now_stands_first_and_the_table_tells_degrees_and_the_last_step():
    book = TestBook()
    book.device(1, "Tablet", NOW_MS)
    site, told = book.site(1, "Nord"), Campaign(book)
    minute = NOW_MS // 60_000 - 100
    run = b"".join(
        at.to_bytes(6) + (42 + TENTHS_MAX).to_bytes(2) for at in range(minute, minute + 50, 10)
    )
    when = {"since_ms": minute * 60_000, "until_ms": NOW_MS - HOUR}
    said = {"unit_id": b"a" * 16, "store": site, "unit": "A", "cold": "fridge"}
    told.put("reading", NOW_MS - HOUR, run=run, **said, **when)
    told.rest(b"p" * 16, 2, "Z")
    book.db.execute("UPDATE shipment SET requested_ms = ?", (NOW_MS - 9 * HOUR,))

    found = await read_logistics(book, await TestRegistry().supplies(), NOW_MS)
    made = await house_of(book)
    await made.enter()
    cold = list(csv.DictReader(io.StringIO(await (await made.get("/logistics/cold.csv")).text())))
    await made.client.close()

    assert [each.unit.unit for each in found.cold] == ["Z", "A"]
    assert {(row["unit"], row["celsius"]) for row in cold} == {("Z", "-0.8"), ("A", "4.2")}
    assert {row["worst_celsius"] for row in cold if row["unit"] == "Z"} == {"-0.8"}
    assert [each.since_ms for each in found.moving] == [NOW_MS - HOUR]
