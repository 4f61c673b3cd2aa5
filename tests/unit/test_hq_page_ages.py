"""No number stands on HQ's pages without its age, its unit and how far it may be off."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC
from importlib.resources import files

import pytest

from hq.shown import FRESH_MS, OLD_MS, Clock
from hq.words import words
from tests.unit.hq_book import HOUR, MINUTE, NOW_MS, TestBook
from tests.unit.hq_stores import DAY, ORS, TODAY, Campaign, Shelves
from tests.unit.test_hq_belonging import text
from tests.unit.test_hq_web import House, house_of

KNOWN, WROTE = NOW_MS - 5 * HOUR, NOW_MS - 7 * HOUR


@pytest.fixture
async def house() -> AsyncIterator[House]:
    """One site known up to five hours ago; whatever it wrote is seven hours old or older."""
    book = TestBook()
    book.device(1, "Tablet", NOW_MS - MINUTE, whole_ms=KNOWN)
    site, shelves, told = book.site(1, "Nord"), Shelves(book), Campaign(book)
    book.patient(2, site=site, triage=1, triage_at_ms=WROTE, at_ms=WROTE)
    book.record("encounter", 2, WROTE)
    book.unassigned(70, NOW_MS - 8 * HOUR, ("pulse", "88", "/min"))
    shelves.holds(site, ORS, 60, WROTE, high=80, lots=[("L1", 60, 80, TODAY + 99, 0)])
    shelves.recall(ORS, "L1", NOW_MS - 6 * HOUR)
    tally = {"session": told.session(1, site, 40), "vaccine": "mr", "dose": 1, "band": 2, "day": 1}
    told.put("tally", NOW_MS - 9 * HOUR, n=3, digit=1, **tally)
    told.rest(b"p" * 16, 2, "Fridge")
    made = await house_of(book)
    await made.enter()
    yield made
    await made.client.close()


def cell(page: str, label: str) -> str:
    """The one table cell of a label."""
    (found,) = re.findall(rf'<td data-label="{label}"[^>]*>(.*?)</td>', page, re.DOTALL)
    return found


def age(at_ms: int) -> str:
    return f'data-ms="{at_ms}"'


async def test_the_stock_page_tells_range_unit_age_and_that_the_store_is_silent(house: House):
    page = await text(house, "/stock", "en")

    assert '<tr class="old">' in page and "Not heard of for over 2 h" in page
    assert re.search(r"<b>60 – 80</b> <small>sachets</small>", cell(page, "There"))
    assert age(WROTE) in cell(page, "Newest record") and age(KNOWN) in page


async def test_the_card_tells_them_too_and_up_to_when_the_store_is_known(house: House):
    page = await text(house, f"/stock/card?site={'01' * 16}&item={ORS}", "en")

    figure = page[page.index('class="figure"') : page.index('class="includes"')]
    assert "<strong>60 – 80</strong>" in figure and "<span>sachets</span>" in figure
    assert age(WROTE) in figure
    assert f"{age(KNOWN)}" in page[page.index('class="includes"') :]


async def test_the_picture_tells_how_old_each_sum_is_and_what_waits_since_when(house: House):
    page = await text(house, "/", "en")
    care, sites = page[: page.index('id="sites"')], page[page.index('id="sites"') :]

    assert "newest record <time" in care and age(WROTE) in care
    assert "1 result waits" in care and age(NOW_MS - 8 * HOUR) in care
    assert "1 site not heard of" in care and age(KNOWN) in care
    assert '<tr class="old">' in sites and age(KNOWN) in cell(sites, "Picture from")
    assert age(NOW_MS - MINUTE) in cell(sites, "Last link")
    assert age(WROTE) in cell(sites, "Newest record")


async def test_recalls_and_cold_units_tell_range_and_age(house: House):
    page = await text(house, "/logistics", "en")

    assert "<b>60 – 80</b>" in cell(page, "Holds")
    assert age(WROTE) in cell(page, "Newest record")
    assert re.search(r"<b>-0\.8 °C</b> <time [^>]*data-ms=", cell(page, "Last reading"))


async def test_coverage_tells_how_old_it_is(house: House):
    page = await text(house, "/vaccination", "en")
    found = re.findall(r'<td data-label="Newest record">(.*?)</td>', page, re.DOTALL)

    assert found and all(age(NOW_MS - 9 * HOUR) in one for one in found)


async def test_a_clock_that_is_ahead_is_named_beside_the_age_it_makes_older(house: House):
    house.book.db.execute("UPDATE peer SET clock_ahead_ms = ?", (3 * HOUR,))
    for path, label in (("/stock", "Newest record"), ("/part/sites", "Newest record")):
        said = cell(await text(house, path, "en"), label)
        assert age(WROTE - 3 * HOUR) in said and "a clock there is about 3 h ahead" in said, path


async def test_a_store_known_today_is_drawn_as_that(house: House):
    house.book.db.execute("UPDATE peer SET whole_ms = ?", (NOW_MS - MINUTE,))
    house.book.db.execute("UPDATE stock SET last_ms = ?", (NOW_MS - 3 * DAY,))
    page = await text(house, "/stock", "en")

    assert '<tr class="fresh">' in page and age(NOW_MS - 3 * DAY) in cell(page, "Newest record")


@pytest.mark.parametrize(
    ("back_ms", "said"),
    [
        (0, "fresh"),
        (FRESH_MS, "fresh"),
        (FRESH_MS + 1, "ageing"),
        (OLD_MS - 1, "ageing"),
        (OLD_MS, "old"),
        (None, "never"),
    ],
)
def test_what_is_called_current_is_a_quarter_of_an_hour_old_at_most(back_ms, said):
    at_ms = None if back_ms is None else NOW_MS - back_ms
    assert Clock(NOW_MS, UTC, words("en")).freshness(at_ms) == said
    assert (FRESH_MS, OLD_MS) == (15 * MINUTE, 2 * HOUR)


def test_no_page_lets_words_through_unescaped():
    pages = [each for each in files("hq").joinpath("pages").iterdir() if each.is_file()]
    assert len(pages) > 30
    for each in pages:
        said = each.read_text("utf-8")
        assert not re.search(r"\|\s*safe\b|autoescape|Markup|%-?\s*raw", said), each.name
