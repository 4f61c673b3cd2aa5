"""What HQ's picture counts, what it leaves out, and up to when it is kept."""

from __future__ import annotations

from typing import Any

import pytest

from hq import queries
from hq.devices import all_known
from hq.hints import Hints
from hq.immunizing import ROUTES as VACCINATION
from hq.logistics import ROUTES as LOGISTICS
from hq.picture import KEPT_MS, Pictures, read_picture
from hq.queries import Filter
from hq.shown import iso
from hq.stores import ROUTES as STORES
from tests.unit.hq_book import HOUR, MINUTE, NOW_MS, TestBook, furnished
from tests.unit.hq_stores import DAY, ORS
from tests.unit.test_hq_belonging import text
from tests.unit.test_hq_web import house_of


def tablet() -> tuple[TestBook, bytes]:
    book = TestBook()
    book.device(1, "Tablet", NOW_MS - MINUTE)
    return book, book.site(1, "A")


def red(**more: Any) -> TestBook:
    book, a = tablet()
    book.patient(1, site=a, triage=1, triage_at_ms=NOW_MS - HOUR, **more)
    return book


async def test_a_site_of_which_only_times_ahead_are_known_is_among_the_silent_ones():
    book = TestBook()
    book.device(2, None)
    book.patient(1, site=book.site(2, "B"), feed=2, at_ms=NOW_MS + 9 * HOUR)

    picture = await read_picture(book, NOW_MS)

    assert [(site.name, site.known_ms) for site in picture.quiet(NOW_MS)] == [("B", None)]


async def test_the_site_that_is_named_as_the_oldest_is_the_one_known_least():
    book = TestBook()
    for number, name, back in ((1, "Near", 3), (2, "Far", 30), (3, "Middle", 9)):
        book.device(number, name, 0)
        book.patient(number, site=book.site(number, name), feed=number, at_ms=NOW_MS - back * HOUR)
    house = await house_of(book)
    await house.enter()
    page = await text(house, "/part/care", "en")
    await house.client.close()

    assert "3 sites not heard of" in page
    assert f'Far, <time datetime="{iso(NOW_MS - 30 * HOUR)}"' in page


async def test_a_picture_is_read_anew_after_a_minute_though_nothing_was_told():
    book, a = tablet()
    kept = Pictures(book, Hints(book, "run"))
    assert (await kept.now(NOW_MS)).patients == 0
    book.patient(1, site=a)

    assert (await kept.now(NOW_MS + KEPT_MS - 1)).patients == 0
    assert (await kept.now(NOW_MS + KEPT_MS)).patients == 1
    # A clock that was set back does not keep it for ever.
    book.patient(2, site=a)
    assert (await kept.now(NOW_MS - HOUR)).patients == 2


async def test_what_is_left_out_is_told_by_patients_not_by_sites():
    book, a = tablet()
    for number in (1, 2, 3):
        book.patient(number, site=a, standing=1)

    picture = await read_picture(book, NOW_MS)

    assert (picture.patients, picture.not_counted) == (0, 3)


@pytest.mark.parametrize("table", ["observation", "note"])
@pytest.mark.parametrize(
    ("more", "unseen"),
    [({}, 0), ({"standing": 1}, 1), ({"replaced": 2}, 1), ({"at_ms": NOW_MS - 2 * HOUR}, 1)],
)
async def test_a_red_patient_is_seen_only_by_what_stands_and_came_after_the_triage(
    table, more, unseen
):
    book = red()
    book.record(table, 1, **({"at_ms": NOW_MS - MINUTE} | more))

    (site,) = (await read_picture(book, NOW_MS)).stated

    assert site.unseen == unseen


async def test_what_was_taken_back_is_no_activity_and_gives_no_site_its_name():
    book, a = tablet()
    book.patient(1, site=a, at_ms=NOW_MS - 30 * HOUR)
    book.record("note", 1, NOW_MS - MINUTE)
    book.record("note", 1, NOW_MS - MINUTE, replaced=2)
    book.db.execute("UPDATE site SET standing = 1")

    assert sum(each.records for each in await queries.activity(book, NOW_MS)) == 1
    assert await queries.sites(book) == []


async def test_of_one_category_who_came_first_stands_first_and_a_guide_taken_back_is_not_named():
    book, a = tablet()
    for number, back in ((1, 1), (2, 3), (3, 2)):
        book.patient(number, site=a, triage=2, arrived_ms=NOW_MS - back * HOUR)
    book.record("triage", 2, NOW_MS - HOUR, category=2, algorithm="iitt", replaced=2)
    book.record("triage", 3, NOW_MS - HOUR, category=2, algorithm="iitt", standing=1)
    book.record("triage", 1, NOW_MS - HOUR, category=2, algorithm="start")

    _, rows = await queries.patients(book, Filter())

    assert [row.id[-1] for row in rows] == [2, 3, 1]
    assert [row.algorithm for row in rows] == [None, None, "start"]


async def test_a_device_s_entries_are_those_of_all_its_feeds_and_what_was_erased_is_no_trouble():
    book, a = tablet()
    book.patient(1, site=a)
    device = bytes([201]) * 32
    book.put("feed", no=2, feed_id=b"f" * 32, device=device)
    book.head(1, 10, NOW_MS)
    book.head(2, 7, NOW_MS)
    for entry, reason in ((1, "erased"), (2, "body")):
        book.put("unopened", entry=entry, void=0, reason=reason)

    (one,) = await all_known(book)

    assert (one.entries, one.unopened) == (17, 0)


async def test_a_sealed_hq_shows_nothing_of_stores_and_doses_and_gives_out_no_table():
    book = furnished()
    house = await house_of(book)
    await house.enter()
    book.put("meta", name="closed", value=b"1")
    site = bytes([1]) * 16
    asked = f"?site={site.hex()}&item={ORS}"
    for route in (*STORES, *VACCINATION, *LOGISTICS):
        answer = await house.get(route.path + (asked if "card" in route.path else ""))
        page = await answer.text()
        assert (answer.status, answer.content_type) == (200, "text/html"), route.path
        assert "This HQ is sealed" in page and "<td" not in page, route.path
    await house.client.close()


async def test_a_category_tells_since_when_who_waits_longest_does():
    book, a = tablet()
    for number, back in ((1, 2), (2, 9), (3, 4)):
        book.patient(number, site=a, triage=1, arrived_ms=NOW_MS - back * HOUR)
    book.patient(4, site=book.site(2, "B"), triage=1, arrived_ms=NOW_MS - 5 * HOUR)

    assert (await read_picture(book, NOW_MS)).tiles[0].arrived_ms == NOW_MS - 9 * HOUR


@pytest.mark.parametrize(
    ("linked", "wrote", "opened", "silent"),
    [
        (5 * HOUR, 6 * HOUR, 6 * HOUR, (5 * HOUR,)),
        (HOUR, 6 * HOUR, 6 * HOUR, ()),
        # What others carried of it is as good as a link.
        (None, HOUR, 6 * HOUR, ()),
        (None, 3 * HOUR, 3 * HOUR, (3 * HOUR,)),
        # Times that lie ahead tell nothing.
        (None, -9 * HOUR, -9 * HOUR, (None,)),
        # Who went elsewhere long ago is not missed.
        (9 * DAY, 9 * DAY, 8 * DAY, ()),
    ],
)
async def test_a_site_known_by_one_device_says_which_others_fell_silent(
    linked, wrote, opened, silent
):
    book, a = tablet()
    book.device(2, None if linked is None else "Second", NOW_MS - (linked or 0))
    for number, feed, back in ((1, 1, HOUR), (2, 2, opened)):
        book.patient(number, site=a, feed=feed, at_ms=NOW_MS - back)
        book.record("encounter", number, NOW_MS - back, feed)
    book.head(1, 1, NOW_MS - HOUR)
    book.head(2, 2, NOW_MS - wrote)

    (site,) = (await read_picture(book, NOW_MS)).stated

    assert site.known_ms == NOW_MS - MINUTE
    assert site.silent == tuple(None if back is None else NOW_MS - back for back in silent)


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "2 devices there not heard of for over 2 h"),
        ("fr", "2 appareils de ce site sans nouvelles"),
    ],
)
async def test_the_page_says_how_many_fell_silent_there_and_since_when_the_first(language, said):
    book, a = tablet()
    book.patient(1, site=a)
    book.record("encounter", 1, NOW_MS - HOUR, 1)
    for number, back in ((2, 5), (3, 40)):
        book.device(number, f"Tablet {number}", NOW_MS - back * HOUR)
        book.record("encounter", 1, NOW_MS - back * HOUR, number)
    house = await house_of(book)
    await house.enter()
    page = await text(house, "/part/sites", language)
    await house.client.close()

    assert said in page
    assert page.index(said) < page.index(f'data-ms="{NOW_MS - 40 * HOUR}"')
    assert f'data-ms="{NOW_MS - 5 * HOUR}"' not in page
