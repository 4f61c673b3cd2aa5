"""A clock that is off is said at HQ, and no age looks younger for it than it may be."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from hq.clocks import DEVICE_DAYS, clocks, furthest
from hq.depots import Depots
from hq.devices import all_known
from hq.drives import Drives
from hq.hints import Hints
from hq.logistics import read_logistics
from hq.picture import read_picture
from protocols.ledger.store import Store
from protocols.live.clocks import CLOCKS_APART_MS
from protocols.mesh.keeping import FLUSH_MS
from tests.unit.hq_book import HOUR, MINUTE, NOW_MS, TestBook
from tests.unit.hq_registry import TestRegistry
from tests.unit.hq_stores import ORS, Campaign, Shelves
from tests.unit.stage import patient
from tests.unit.test_hq_belonging import text
from tests.unit.test_hq_web import HOSTILE, house_of
from tests.unit.test_live_clocks import met as met_at

DAY = 24 * HOUR
THREE_H = 3 * HOUR
LIVE_PAGES = ("/", "/patients", "/results", "/devices", "/stock", "/logistics", "/vaccination")


class Real(TestBook):
    """The book of a node, read as the pages do."""

    def __init__(self, store: Store) -> None:
        self.store = store

    async def read(self, sql: str, params: Mapping[str, Any]) -> Sequence[tuple[Any, ...]]:
        return self.store.all(sql, dict(params))


def camp_of(ahead_ms: int | None, *, ago_ms: int = 20 * MINUTE) -> tuple[TestBook, bytes]:
    """A camp with one tent whose clock is off, among others that are right; and its site."""
    book = TestBook()
    for number, name, ahead in ((1, "Tent A", 0), (2, "Tent B", ahead_ms), (3, "Tent C", 90_000)):
        book.device(number, name, NOW_MS - 5 * HOUR, ahead_ms=ahead)
    north = book.site(1, "North")
    book.patient(2, site=north, feed=2, at_ms=NOW_MS - ago_ms)
    book.record("encounter", 2, NOW_MS - ago_ms, feed=2)
    book.head(2, 9, NOW_MS - ago_ms)
    return book, north


async def test_whose_clock_is_off_by_how_much_and_which_way():
    book, _ = camp_of(-THREE_H)

    found = await clocks(book, NOW_MS)

    assert [(each.name, each.ahead_ms) for each in found.off] == [("Tent B", -THREE_H)]
    assert found.own_ms == 0


async def test_what_a_device_greets_with_is_what_the_pages_read_once_hq_wrote_it_down():
    stage, (hq, *tents) = met_at("hq ann ben eve", eve=THREE_H)
    stage.run(FLUSH_MS)
    now_ms = stage.now(hq).wall_ms

    found = await clocks(Real(hq.store), now_ms)
    (eve,) = (each for each in await all_known(Real(hq.store)) if each.device == tents[-1].id)

    assert [(each.name, round(each.ahead_ms / HOUR)) for each in found.off] == [("eve", 3)]
    assert found.own_ms == 0
    assert round(eve.off_ms / HOUR) == 3


async def test_hqs_own_device_is_named_as_that_and_not_as_one_that_never_linked():
    stage, (hq, _) = met_at("hq ann")
    stage.write(hq, patient("Amina"))
    stage.run(FLUSH_MS)

    (own,) = (each for each in await all_known(Real(hq.store)) if each.device == hq.id)
    assert own.here
    assert sum(each.here for each in await all_known(Real(hq.store))) == 1

    book, _ = camp_of(0)
    book.put("meta", name="epoch", value=b"e" * 16)
    book.put("feed", no=77, feed_id=b"o" * 32, device=b"o" * 32, epoch=b"e" * 16)
    house = await house_of(book)
    await house.enter()
    said = await text(house, "/devices", "en")
    assert "this HQ" in said
    assert "others carried" not in said
    await house.client.close()


async def test_one_device_alone_cannot_tell_whose_clock_is_wrong_and_is_named():
    book = TestBook()
    book.device(1, "Tent A", NOW_MS - HOUR, ahead_ms=THREE_H)

    found = await clocks(book, NOW_MS)

    assert found.own_ms == 0
    assert [each.name for each in found.named] == ["Tent A"]


async def test_a_clock_at_the_limit_is_right_and_one_that_never_greeted_is_not_judged():
    for ahead in (None, CLOCKS_APART_MS, -CLOCKS_APART_MS):
        book, _ = camp_of(ahead)
        assert (await clocks(book, NOW_MS)).off == ()
    book, _ = camp_of(CLOCKS_APART_MS + 1)
    assert len((await clocks(book, NOW_MS)).off) == 1


async def test_where_most_clocks_differ_it_is_hqs_own_that_is_doubted():
    book = TestBook()
    for number in (1, 2, 3):
        book.device(number, f"Tent {number}", NOW_MS - HOUR, ahead_ms=THREE_H + number)
    assert (await clocks(book, NOW_MS)).own_ms == THREE_H + 2


async def test_what_was_last_linked_long_ago_does_not_say_whether_hqs_clock_is_right_now():
    book = TestBook()
    for number in (1, 2, 3):
        back = DEVICE_DAYS * DAY + MINUTE
        book.device(number, f"Tent {number}", NOW_MS - back, ahead_ms=THREE_H)
    assert (await clocks(book, NOW_MS)).own_ms == 0


async def test_a_site_is_not_known_up_to_a_time_by_a_clock_that_is_ahead():
    book, north = camp_of(THREE_H)

    (line,) = (await read_picture(book, NOW_MS)).stated

    assert line.id == north
    assert line.newest_ms == line.known_ms == NOW_MS - 20 * MINUTE - THREE_H
    assert line.ahead_ms == THREE_H


async def test_a_time_that_lies_ahead_of_us_is_of_use_once_it_is_known_by_how_much_it_is_off():
    book, _ = camp_of(THREE_H, ago_ms=-2 * HOUR)

    (line,) = (await read_picture(book, NOW_MS)).stated

    assert line.known_ms == NOW_MS - HOUR


async def test_a_clock_that_is_behind_makes_nothing_younger():
    book, _ = camp_of(-THREE_H)

    (line,) = (await read_picture(book, NOW_MS)).stated

    assert line.newest_ms == line.known_ms == NOW_MS - 20 * MINUTE
    assert line.ahead_ms == -THREE_H


async def test_up_to_when_a_device_is_known_counts_that_others_times_follow_a_clock_ahead():
    book, _ = camp_of(THREE_H)
    book.head(1, 4, NOW_MS - MINUTE)

    devices = {each.name: each for each in (await read_picture(book, NOW_MS)).devices}

    assert devices["Tent B"].newest_ms == NOW_MS - 20 * MINUTE - THREE_H
    # Entries are numbered by a clock that never goes back behind one that was seen.
    assert devices["Tent A"].newest_ms == NOW_MS - MINUTE - THREE_H


async def test_a_clock_half_a_day_ahead_is_followed_by_nobody():
    book, _ = camp_of(13 * HOUR)
    book.head(1, 4, NOW_MS - MINUTE)

    devices = {each.name: each for each in (await read_picture(book, NOW_MS)).devices}

    assert devices["Tent A"].newest_ms == NOW_MS - MINUTE
    assert devices["Tent B"].newest_ms == NOW_MS - 20 * MINUTE - 13 * HOUR


async def test_a_store_is_known_up_to_no_later_than_its_clock_allows():
    book, north = camp_of(2 * DAY)
    Shelves(book).holds(north, ORS, 40, NOW_MS - HOUR, feed=2)

    lines = await Depots(book, Hints(book, "run")).now(NOW_MS)

    assert lines.known[north] == NOW_MS - 5 * HOUR, "the last link, by HQ's own clock"
    assert lines.ahead == {north: 2 * DAY}


@pytest.mark.parametrize("ahead_ms", [THREE_H, CLOCKS_APART_MS, -THREE_H, None])
async def test_no_age_of_the_picture_is_younger_for_a_clock_that_is_ahead(ahead_ms):
    book, north = camp_of(ahead_ms, ago_ms=HOUR)
    book.db.execute("UPDATE patient SET triage = 1, triage_at_ms = :at", {"at": NOW_MS - HOUR})
    book.record("triage", 2, NOW_MS - HOUR, feed=2, category=1, unconfirmed=1)
    book.unassigned(70, NOW_MS - HOUR, ("pulse", "88", "/min"), feed=2)
    book.unassigned(71, NOW_MS - HOUR, ("pulse", "88", "/min"), feed=1)
    then = NOW_MS - HOUR - (THREE_H if ahead_ms == THREE_H else 0)

    picture = await read_picture(book, NOW_MS)

    assert picture.tiles[0].arrived_ms == picture.sites[0].unseen_since_ms == then
    assert picture.unconfirmed == (1, then)
    assert (picture.waiting.results, picture.waiting.since_ms) == (2, then)
    assert [one.at_ms for one in picture.waiting.values] == [then, NOW_MS - HOUR]
    assert {one.at_ms for one in picture.latest} == {then}
    assert picture.not_younger(north, NOW_MS - HOUR) == then
    assert picture.not_younger(None, NOW_MS) == NOW_MS and picture.not_younger(north, None) is None


@pytest.mark.parametrize("ahead_ms", [THREE_H, 0])
async def test_no_age_of_vaccination_or_of_what_moves_is_younger_for_it_either(ahead_ms):
    book, north = camp_of(ahead_ms)
    shelves, told = Shelves(book), Campaign(book)
    shelves.holds(north, ORS, 40, NOW_MS - HOUR, feed=2)
    shelves.recall(ORS, "L1", NOW_MS - HOUR)
    shelves.move(north, ORS, 40, NOW_MS - HOUR, feed=2)
    session = told.session(1, north, 40)
    dose = {"session": session, "vaccine": "mr", "dose": 1, "status": "given", "band": 2}
    told.put("dose", NOW_MS - HOUR, patient=b"c" * 16, series="measles", day=1, feed=2, **dose)
    told.put("tally", NOW_MS - 3 * HOUR, session=session, vaccine="mr", n=3, dose=1, band=2, day=1,
             digit=1, feed=2)  # fmt: skip
    said = {"subject": 2, "patient": b"p" * 16, "severity": "minor", "serious": 0}
    told.put("aefi", NOW_MS - HOUR, onset_ms=NOW_MS - 2 * HOUR, feed=2, **said)
    told.put("shipment", NOW_MS - HOUR, shipment=b"s" * 16, state="dispatched", donor=None,
             to_store=north, sent_ms=NOW_MS - HOUR, lines=0)  # fmt: skip
    then = NOW_MS - HOUR - ahead_ms

    logistics = await read_logistics(book, await TestRegistry().supplies(), NOW_MS)
    drives = await Drives(book, Hints(book, "run"), TestRegistry()).now(NOW_MS)
    house = await house_of(book)
    await house.enter()
    page = await text(house, "/patients", "en")
    await house.client.close()

    assert [each.since_ms for each in logistics.moving] == [then]
    assert [each.last_ms for each in logistics.recalled[0].answers] == [then]
    assert drives.newest == {north: then}
    assert [each.at_ms for each in drives.aefi] == [then]
    assert page.count(f'data-ms="{NOW_MS - 20 * MINUTE - ahead_ms}"') == 2


async def test_the_last_reading_of_a_cold_unit_is_that_much_older_too():
    read = []
    for ahead_ms in (0, THREE_H):
        book, north = camp_of(ahead_ms)
        Shelves(book).holds(north, ORS, 40, NOW_MS - HOUR, feed=2)
        Campaign(book).rest(b"p" * 16, 2, "Fridge 1")
        found = await read_logistics(book, await TestRegistry().supplies(), NOW_MS)
        read.append(found.cold[0].newest_ms)
    assert read[0] - read[1] == THREE_H


@pytest.mark.parametrize("path", LIVE_PAGES)
@pytest.mark.parametrize("language", ["en", "fr"])
async def test_every_page_of_numbers_says_whose_clock_is_off(path, language):
    book, north = camp_of(THREE_H)
    Shelves(book).holds(north, ORS, 40, NOW_MS - HOUR, feed=2)
    house = await house_of(book)
    await house.enter()

    said = await text(house, path, language)

    by = "about 3 h ahead" if language == "en" else "d’environ 3 h"
    assert "Tent B" in said
    assert by in said
    await house.client.close()


async def test_pages_say_nothing_of_clocks_that_are_right():
    house = await house_of(camp_of(MINUTE)[0])
    await house.enter()
    for path in LIVE_PAGES:
        assert "about" not in await text(house, path, "en")
    await house.client.close()


async def test_an_own_clock_in_doubt_is_said_once_instead_of_every_device():
    book = TestBook()
    for number in range(1, 6):
        book.device(number, f"Tent {number}", NOW_MS - HOUR, ahead_ms=-THREE_H)
    house = await house_of(book)
    await house.enter()

    said = await text(house, "/", "en")

    assert "HQ's own clock is about 3 h ahead" in said
    assert "Tent 1" not in said
    await house.client.close()


async def test_more_clocks_than_fit_are_counted():
    book = TestBook()
    for number in range(1, 13):
        book.device(number, f"Tent {number}", NOW_MS - HOUR, ahead_ms=THREE_H if number < 6 else 0)
    house = await house_of(book)
    await house.enter()

    assert "2 further clocks are off" in await text(house, "/", "en")
    await house.client.close()


async def test_a_hostile_name_is_text_where_its_clock_is_named():
    book = TestBook()
    for number, ahead in ((1, 0), (2, 0), (3, THREE_H)):
        book.device(number, HOSTILE, NOW_MS - HOUR, ahead_ms=ahead)
    house = await house_of(book)
    await house.enter()
    for path in LIVE_PAGES:
        raw = await (await house.get(path)).text()
        assert "<script>alert" not in raw
        assert "&lt;script&gt;alert(1)" in raw
        assert "\x1b" not in raw
    await house.client.close()


async def test_the_table_says_by_how_much_a_stores_clock_is_off():
    book, north = camp_of(THREE_H)
    Shelves(book).holds(north, ORS, 40, NOW_MS - HOUR, feed=2)
    house = await house_of(book)
    await house.enter()

    raw = await (await house.get("/stock.csv")).text()
    (row,) = csv.DictReader(io.StringIO(raw.lstrip("\ufeff")))

    assert row["clock_ahead_min"] == "180"
    await house.client.close()


def test_of_several_clocks_the_one_that_misleads_most_is_told():
    hour = 3_600_000
    assert furthest([None, 5, -5]) == 0
    assert furthest([-hour, -9 * hour, None]) == -9 * hour
    assert furthest([-9 * hour, hour, 2 * hour]) == 2 * hour
