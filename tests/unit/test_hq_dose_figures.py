"""Each figure of HQ's page of vaccination: what it counts, and how old it is told to be."""

from __future__ import annotations

import csv
import io

import pytest

from hq.drives import KEPT_MS, Drives, Known
from hq.hints import Hints
from hq.immunizing import percent, places
from hq.shown import iso
from protocols.ledger.coverage import Covered
from tests.unit.hq_book import HOUR, MINUTE, NOW_MS, TestBook
from tests.unit.hq_registry import TestRegistry
from tests.unit.hq_stores import DAY, Campaign
from tests.unit.test_hq_belonging import text
from tests.unit.test_hq_web import house_of

GONE = [{"standing": 1}, {"replaced": 2}]


def session() -> tuple[TestBook, Campaign, bytes, bytes]:
    book = TestBook()
    book.device(1, "Tablet", NOW_MS - MINUTE)
    site, told = book.site(1, "Kome"), Campaign(book)
    return book, told, site, told.session(1, site, 40)


async def known_of(book: TestBook) -> Known:
    return await Drives(book, Hints(book, "run"), TestRegistry()).now(NOW_MS)


@pytest.mark.parametrize("more", GONE)
async def test_what_counts_nowhere_makes_no_site_look_younger(more):
    book, told, site, held = session()
    dose = {"session": held, "vaccine": "mr", "dose": 1, "status": "given", "series": "measles"}
    tally = {"session": held, "vaccine": "mr", "n": 3, "dose": 1, "band": 2, "day": 1, "digit": 1}
    told.put("dose", NOW_MS - 9 * HOUR, patient=b"a" * 16, **dose)
    told.put("dose", NOW_MS - HOUR, patient=b"b" * 16, **dose, **more)
    told.put("tally", NOW_MS - 8 * HOUR, **tally)
    told.put("tally", NOW_MS - HOUR, **tally, **more)

    assert (await known_of(book)).newest == {site: NOW_MS - 8 * HOUR}


@pytest.mark.parametrize("more", GONE)
async def test_a_report_that_does_not_hold_is_in_no_count_of_them(more):
    book, told, *_ = session()
    book.patient(2)
    said = {"subject": 2, "patient": b"p" * 16, "severity": "severe", "serious": 1}
    told.put("aefi", NOW_MS - HOUR, **said)
    told.put("aefi", NOW_MS - HOUR, **said, **more)

    assert (await known_of(book)).aefi_counts == [("severe", 1, 1)]


async def test_only_sessions_that_go_on_are_open():
    book, told, site, _ = session()
    for number, more in enumerate(({"closed_ms": NOW_MS}, {"standing": 1}, {"replaced": 2}), 2):
        told.session(number, site, 40)
        for column, value in more.items():
            book.db.execute(
                f"UPDATE session SET {column} = ? WHERE id = ?", (value, bytes([number]) * 16)
            )

    assert (await known_of(book)).open_sessions == 1


async def test_what_does_not_stand_is_told_in_doses_and_vitamin_a_is_none():
    book, told, _, held = session()
    tally = {"session": held, "n": 4, "dose": 1, "band": 2, "day": 1, "digit": 1, "standing": 1}
    told.put("tally", NOW_MS - HOUR, vaccine="mr", **tally)
    told.put("tally", NOW_MS - HOUR, vaccine="", intervention="vitamin-a", **tally)
    told.put("dose", NOW_MS - HOUR, patient=b"a" * 16, session=held, vaccine="mr", standing=1)

    assert (await known_of(book)).apart == (1, 4)


async def test_sums_are_read_anew_after_a_minute_though_nothing_was_told():
    book, told, _, held = session()
    kept = Drives(book, Hints(book, "run"), TestRegistry())
    assert (await kept.now(NOW_MS)).doses == (0, 0)
    told.doses(held, 0, 5)

    assert (await kept.now(NOW_MS + KEPT_MS - 1)).doses == (0, 0)
    assert (await kept.now(NOW_MS + KEPT_MS)).doses == (0, 5)


@pytest.mark.parametrize(
    ("doses", "target", "said"),
    [(999, 1000, 99), (1000, 1000, 100), (1001, 1000, 100), (3, 0, None)],
)
def test_not_quite_all_is_not_a_hundred_percent(doses, target, said):
    named = dict.fromkeys(Covered.__annotations__, 0) | {"doses": doses, "target": target}
    assert percent(Covered(**named)) == said


@pytest.mark.parametrize(
    ("language", "said"), [("en", "longest without one"), ("fr", "depuis le plus longtemps")]
)
@pytest.mark.parametrize("several", [False, True])
async def test_the_sum_over_sites_names_the_one_it_is_oldest_of(language, said, several):
    book, told, _, held = session()
    tally = {"vaccine": "mr", "n": 3, "dose": 1, "band": 2, "day": 1, "digit": 1}
    told.put("tally", NOW_MS - HOUR, session=held, **tally)
    if several:
        far = told.session(2, book.site(2, "Far"), 40)
        told.put("tally", NOW_MS - 5 * DAY, session=far, **tally)
    house = await house_of(book)
    await house.enter()
    page = await text(house, "/part/vaccination", language)
    await house.client.close()

    assert (said in page) == several
    if several:
        assert (await known_of(book)).least_known == (bytes([2]) * 16, NOW_MS - 5 * DAY)
        assert page.index(said) < page.index("Far") < page.index(f'data-ms="{NOW_MS - 5 * DAY}"')


async def test_a_place_tells_by_name_and_tallied_apart_and_its_table_how_old_it_is():
    book, told, site, held = session()
    told.put("tally", NOW_MS - 7 * HOUR, session=held, vaccine="mr", n=3, dose=1, band=2, day=1,
             digit=1)  # fmt: skip
    known = await known_of(book)
    house = await house_of(book)
    await house.enter()
    raw = await (await house.get("/vaccination.csv")).text()
    await house.client.close()

    assert {(each.named, each.tallied, each.whole.doses) for each in places(known)} == {(0, 3, 3)}
    rows = list(csv.DictReader(io.StringIO(raw)))
    assert {row["site_newest_record"] for row in rows} == {iso(NOW_MS - 7 * HOUR)}


async def test_a_serious_report_stands_before_a_newer_one_that_is_not():
    book, told, *_ = session()
    book.patient(2)
    for serious, back in ((0, 1), (1, 9), (0, 2), (1, 8)):
        told.put("aefi", NOW_MS - back * HOUR, subject=2, patient=b"p" * 16, severity="x",
                 serious=serious)  # fmt: skip

    aefi = (await known_of(book)).aefi
    assert [(each.serious, (NOW_MS - each.at_ms) // HOUR) for each in aefi] == [
        (1, 8), (1, 9), (0, 1), (0, 2),
    ]  # fmt: skip
