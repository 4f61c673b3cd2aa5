"""A person with several records in care is one patient in HQ's sums, and the page says so."""

from __future__ import annotations

import asyncio
from itertools import permutations
from typing import Any

import pytest

from hq.depots import Depots
from hq.drives import Drives
from hq.hints import Hints
from hq.picture import Picture, read_picture
from tests.unit.hq_book import HOUR, MINUTE, NOW_MS, TestBook, row
from tests.unit.hq_registry import TestRegistry
from tests.unit.hq_stores import ORS, Campaign, Shelves
from tests.unit.test_hq_belonging import text
from tests.unit.test_hq_web import house_of


def link(book: TestBook, one: int, other: int, **more: int) -> None:
    made = row(book.entry(1, NOW_MS - HOUR, one)) | {"relation": 0, "linked": 1} | more
    book.put("link", **made, patient=one.to_bytes(16), other=other.to_bytes(16))


def two_sites(*triage: int | None) -> tuple[TestBook, bytes, bytes]:
    """Patients 1, 2, ... in care, in turn at A and at B."""
    book = TestBook()
    book.device(1, "Tablet", NOW_MS - MINUTE)
    a, b = book.site(1, "A"), book.site(2, "B")
    for number, category in enumerate(triage, 1):
        book.patient(number, site=a if number % 2 else b, triage=category)
    return book, a, b


def tiles(picture: Picture, site: bytes | None = None) -> dict[int | None, int]:
    held = picture.tiles if site is None else next(s for s in picture.sites if s.id == site).tiles
    return {tile.triage: tile.patients for tile in held if tile.patients}


async def test_two_linked_records_are_one_patient_by_the_more_urgent_and_one_at_each_site():
    book, a, b = two_sites(3, 1, 2)
    link(book, 1, 2)

    picture = await read_picture(book, NOW_MS)

    assert picture.patients == 2 and tiles(picture) == {1: 1, 2: 1}
    assert (tiles(picture, a), tiles(picture, b)) == ({3: 1, 2: 1}, {1: 1})
    assert picture.twice.records == {(1).to_bytes(16), (2).to_bytes(16)}


async def test_two_linked_records_at_one_site_are_one_there_too():
    book, a, _ = two_sites(None, 4, 1)
    link(book, 3, 1)

    picture = await read_picture(book, NOW_MS)

    assert (tiles(picture), tiles(picture, a)) == ({1: 1, 4: 1}, {1: 1})


@pytest.mark.parametrize("order", list(permutations([(1, 9), (9, 3), (3, 2)])))
async def test_records_linked_in_a_chain_over_one_that_is_not_in_care_are_one_patient(order):
    book, a, b = two_sites(0, 2, 4)
    book.patient(9, closed_ms=NOW_MS - HOUR, site=a, triage=1)
    for one, other in order:
        link(book, one, other)

    picture = await read_picture(book, NOW_MS)

    assert (picture.patients, tiles(picture)) == (1, {2: 1})
    assert (tiles(picture, a), tiles(picture, b)) == ({4: 1}, {2: 1})
    assert len(picture.twice.overall) == 2


@pytest.mark.parametrize(
    "more", [{"linked": 0}, {"relation": 1}, {"replaced": 2}, {"replaced": 1}, {"standing": 1}]
)
async def test_what_is_no_link_of_one_person_takes_nobody_off(more):
    book, *_ = two_sites(1, 1)
    link(book, 1, 2, **more)

    picture = await read_picture(book, NOW_MS)

    assert (picture.patients, picture.twice.overall) == (2, ())


async def test_a_record_that_is_closed_or_does_not_stand_takes_nobody_off():
    for more in ({"closed_ms": NOW_MS}, {"standing": 1}, {"encounter": None}):
        book, *_ = two_sites(1)
        book.patient(2, **more)
        link(book, 1, 2)
        assert (await read_picture(book, NOW_MS)).patients == 1


@pytest.mark.parametrize(
    ("language", "said", "flag"),
    [
        ("en", "1 record is of somebody in care under another one too", "of this person"),
        ("fr", "1 dossier est celui d’une personne présente aussi", "de cette personne"),
    ],
)
async def test_the_page_says_how_many_are_counted_once_and_the_list_which(language, said, flag):
    apart, *_ = two_sites(1, 2, 3)
    house = await house_of(apart)
    await house.enter()
    assert said not in await text(house, "/", language)
    assert flag not in await text(house, "/patients", language)
    await house.client.close()
    book, *_ = two_sites(1, 2, 3)
    link(book, 1, 2)
    house = await house_of(book)
    await house.enter()

    page, listed = await text(house, "/", language), await text(house, "/patients", language)

    assert said in page and "<strong>2</strong>" in page
    assert listed.count(flag) == 2
    await house.client.close()


@pytest.mark.parametrize(
    ("table", "part"),
    [
        ("link", "care"), ("link", "sites"), ("custody", "care"), ("conflict", "care"),
        ("tag", "care"), ("triage_confirmed", "care"), ("site", "sites"), ("peer", "sites"),
        ("recall", "stock"), ("stocktake", "stock"), ("balance", "stock"), ("peer", "stock"),
        ("tally", "vaccination"), ("dose_decision", "vaccination"), ("link", "vaccination"),
        ("vial", "vaccination"), ("aefi", "vaccination"), ("intervention", "vaccination"),
        ("reading", "logistics"), ("shipment_line", "logistics"), ("recall", "logistics"),
        ("peer", "results"), ("peer", "latest"), ("unopened", "devices"), ("receipt", "devices"),
    ],
)  # fmt: skip
async def test_whatever_a_part_of_a_page_is_read_from_makes_it_stale(table, part):
    book = TestBook()
    hints = Hints(book, "run", gap_s=0)
    following = asyncio.create_task(hints.follow())
    with hints.listen(hints.mark) as listener:
        book.tell(table)
        await asyncio.wait_for(listener.waiting.wait(), 5)
        told = listener.take()
    following.cancel()

    assert part in told and hints.turn_of(part) == 1


@pytest.mark.parametrize("part", ["stock", "vaccination"])
async def test_what_is_kept_of_stores_and_doses_is_read_anew_as_soon_as_something_was_told(part):
    book = TestBook()
    book.device(1, "Tablet", NOW_MS - MINUTE)
    site, told = book.site(1, "A"), Campaign(book)
    hints = Hints(book, "run", gap_s=0)
    readers: dict[str, Any] = {
        "stock": Depots(book, hints),
        "vaccination": Drives(book, hints, TestRegistry()),
    }
    kept = readers[part]
    before = await kept.now(NOW_MS)
    Shelves(book).holds(site, ORS, 40, NOW_MS - HOUR)
    told.doses(told.session(1, site, 40), 0, 5)
    assert await kept.now(NOW_MS + 1) is before
    following = asyncio.create_task(hints.follow())
    with hints.listen(hints.mark) as listener:
        book.tell({"stock": "stock", "vaccination": "tally"}[part])
        await asyncio.wait_for(listener.waiting.wait(), 5)
    following.cancel()

    found = await kept.now(NOW_MS + 2)

    assert len(found.lines) == 1 if part == "stock" else found.doses == (0, 5)
