"""What the pages ask, answered by a real SQLite; and how the answers become a picture."""

from datetime import UTC
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from hq import devices, queries
from hq.guides import guided, judged
from hq.picture import read_picture
from hq.queries import Filter, Patient, Unassigned
from hq.shown import AHEAD_MS, Clock, age_text
from hq.strip import strip
from hq.web import parse_filter
from hq.words import LANGUAGES, preferred, words
from tests.unit.hq_book import HOUR, MINUTE, NOW_MS, TestBook, furnished, row
from tests.unit.stage import Device

EN = words("en")


def two_sites() -> tuple[TestBook, bytes, bytes]:
    book = TestBook()
    book.device(1, "Tablet A", NOW_MS - MINUTE)
    book.device(2, None)
    return book, book.site(1, "A"), book.site(2, "B")


async def test_only_open_standing_patients_are_counted_and_the_rest_is_named():
    book, a, _ = two_sites()
    book.patient(1, site=a, triage=1)
    book.patient(2, site=a, triage=1, unsettled=2)
    book.patient(3, site=a, triage=1, closed_ms=NOW_MS)
    book.patient(4, site=a, triage=1, standing=1)
    book.patient(5, site=a, encounter=None)

    picture = await read_picture(book, NOW_MS)

    assert {tile.triage: tile.patients for tile in picture.tiles if tile.patients} == {1: 2}
    assert (picture.not_counted, picture.unsettled) == (1, 1)


async def test_triage_that_nobody_signed_waits_until_it_is_confirmed_or_superseded():
    book, a, _ = two_sites()
    book.patient(1, site=a, triage=1)
    for back, more in (
        (9, {"unconfirmed": 1}),
        (8, {"unconfirmed": 1}),
        (30, {"unconfirmed": 0}),
        (31, {"unconfirmed": 1, "replaced": 1}),
        (32, {"unconfirmed": 1, "replaced": 2}),
        (33, {"unconfirmed": 1, "standing": 2}),
    ):
        book.record("triage", 1, NOW_MS - back * MINUTE, category=1, **more)

    picture = await read_picture(book, NOW_MS)

    assert picture.unconfirmed == (2, NOW_MS - 9 * MINUTE)


async def test_what_is_unsettled_is_counted_by_risk_and_custody_by_patients_in_care():
    book, a, _ = two_sites()
    book.patient(1, site=a, triage=1, custody=4)
    book.patient(2, site=a, triage=2, custody=3)
    book.patient(3, site=a, triage=2, custody=2)
    book.patient(4, site=a, triage=2, custody=3, closed_ms=NOW_MS)
    book.patient(5, site=a, triage=2, custody=3, standing=1)
    for subject, number, risk, standing in (
        (1, 1, "custody", 0), (1, 1, "custody", 0), (1, 2, "weight", 0), (2, 1, "allergy", 0),
        (2, 2, "weight", 0), (3, 1, "allergy", 1), (3, 2, "later", 0),
    ):  # fmt: skip
        more: dict[str, Any] = {
            "number": number,
            "risk": risk,
            "rank": 0,
            "what": risk,
            "of_what": "",
        }
        book.record("conflict", subject, NOW_MS, value="", used=0, standing=standing, **more)

    picture = await read_picture(book, NOW_MS)

    assert picture.custody_unclear == 2
    assert picture.doubts == (("allergy", 1), ("custody", 1), ("weight", 2), ("later", 1))


async def test_a_tag_on_two_patients_is_named_with_all_who_carry_it():
    book, a, b = two_sites()
    book.patient(1, site=a, triage=1, tag="TG-77")
    book.patient(2, site=b, triage=2, tag="TG-90")
    book.patient(3, site=b, tag="TG-91")
    book.patient(4, site=b, tag="tg-91", standing=2)
    book.patient(5, site=b, tag="tG-91", encounter=None)
    book.patient(6, site=b, tag="TG-92", closed_ms=NOW_MS)
    book.patient(7, site=b, tag="TG-92", closed_ms=NOW_MS)
    book.patient(8, site=b, tag="")
    book.patient(9, site=b, tag="")
    book.put("tag", **row(book.entry(1, NOW_MS, 2)), patient=b"", tag="tg-77")
    refused = row(book.entry(1, NOW_MS, 3)) | {"standing": 2}
    book.put("tag", **refused, patient=b"", tag="TG-77")

    picture = await read_picture(book, NOW_MS)
    _, rows = await queries.patients(book, Filter())

    assert picture.carriers() == [
        ("TG-77", "K7M 001 (A), K7M 002 (B)"),
        ("TG-91", "K7M 003 (B), K7M 005 (B)"),
    ]
    marked = {one.code for one in rows if picture.shares_tag(one.id)}
    assert marked == {"K7M 001", "K7M 002", "K7M 003"}


async def test_results_without_a_patient_are_listed_by_how_long_they_wait():
    book, _, _ = two_sites()
    book.unassigned(7, NOW_MS - HOUR, ("spo2", "94", "%"))
    book.unassigned(
        8, NOW_MS - 3 * HOUR, ("spo2", "90", "%"), ("x", "1", ""), claimed="B-7", feed=2
    )
    book.unassigned(9, NOW_MS - 4 * HOUR, ("spo2", "91", "%"), unassigned=0, patient=b"p" * 16)
    book.unassigned(10, NOW_MS - 5 * HOUR, ("spo2", "92", "%"), replaced=2)
    book.record("observation", 1, NOW_MS)

    waiting = (await read_picture(book, NOW_MS)).waiting

    assert (waiting.results, waiting.since_ms) == (2, NOW_MS - 3 * HOUR)
    assert [value.value for value in waiting.values] == ["90", "1", "94"]
    assert [value.device_name for value in waiting.values] == [None, None, "Tablet A"]
    assert waiting.values[0].claimed == "B-7"


async def test_nothing_waits_in_an_empty_book():
    waiting = (await read_picture(TestBook(), NOW_MS)).waiting

    assert (waiting.results, waiting.since_ms, waiting.values) == (0, None, ())


def unassigned(code: str, value: str, unit: str) -> Unassigned:
    return Unassigned(code, value, unit, "", "", NOW_MS, 0, b"", None)


@pytest.mark.parametrize(
    ("row", "outside"),
    [
        (("spo2", "44", "%"), True),
        (("spo2", "97", "%"), False),
        (("temperature", "43.5", "Cel"), True),
        (("temperature", "108", "[degF]"), None),
        (("#77", "9", ""), None),
        (("spo2", "", ""), None),
        (("spo2", "71", "mmHg"), None),
        (("spo2", "\u202e", "%"), None),
    ],
)
def test_a_value_is_judged_by_all_ages_at_once_and_never_as_approved(row, outside):
    found = judged(unassigned(*row))

    assert (found is not None) is bool(outside)
    assert found is None or not found.approved


def test_a_category_that_no_signed_pack_gave_is_not_approved():
    assert guided("") is guided(None) is None
    assert guided("iitt") is guided("observations") is False


async def test_untriaged_patients_stand_before_expectant():
    book, a, _ = two_sites()
    for number, triage in enumerate((0, 4, None, 3, 2, 1), 1):
        book.patient(number, site=a, triage=triage)

    picture = await read_picture(book, NOW_MS)
    _, rows = await queries.patients(book, Filter())

    order = [1, 2, 3, None, 4, 0]
    assert [tile.triage for tile in picture.tiles] == order
    assert [row.triage for row in rows] == order


async def test_a_site_is_known_up_to_its_last_link_or_its_newest_record():
    book, a, b = two_sites()
    book.patient(1, site=a, at_ms=NOW_MS - HOUR)
    book.record("encounter", 1, NOW_MS - HOUR)
    book.patient(2, site=b, feed=2, at_ms=NOW_MS - 3 * HOUR)
    book.record("encounter", 2, NOW_MS - 3 * HOUR, 2)

    sites = {line.name: line for line in (await read_picture(book, NOW_MS)).sites}

    assert (sites["A"].heard_ms, sites["A"].known_ms) == (NOW_MS - MINUTE, NOW_MS - MINUTE)
    assert (sites["B"].heard_ms, sites["B"].known_ms) == (None, NOW_MS - 3 * HOUR)


async def test_the_site_least_known_stands_first_and_counts_as_quiet():
    picture = await read_picture(furnished(), NOW_MS)

    assert picture.sites[0].name == "Pont Sud"
    assert [site.name for site in picture.quiet(NOW_MS)] == ["Pont Sud"]


async def test_a_clock_ahead_makes_no_site_look_fresh():
    book, a, _ = two_sites()
    book.patient(1, site=a, at_ms=NOW_MS + 5 * HOUR, feed=2)

    line = next(s for s in (await read_picture(book, NOW_MS)).sites if s.id == a)

    assert line.known_ms is None
    assert Clock(NOW_MS, UTC, EN).age(line.newest_ms or 0) == "its clock is ahead"


async def test_red_is_unseen_until_something_is_recorded_after_the_triage():
    book, a, b = two_sites()
    at = NOW_MS - 10 * MINUTE
    for number in (1, 2, 3, 4):
        book.patient(number, site=a, triage=1, triage_at_ms=at)
    book.patient(5, site=b, triage=2, triage_at_ms=at)
    book.record("observation", 1, at + MINUTE)
    book.record("note", 2, at - MINUTE)
    book.record("observation", 3, at + MINUTE, standing=1)
    book.record("note", 4, at + MINUTE, replaced=2)

    (red,) = await queries.unseen(book)

    assert (red.site, red.patients, red.since_ms) == (a, 3, at)


async def test_patients_without_a_site_have_a_line_of_their_own_at_the_end():
    book, a, _ = two_sites()
    book.patient(1, site=a)
    book.patient(2, triage=2)

    last = (await read_picture(book, NOW_MS)).sites[-1]

    assert (last.id, last.patients) == (None, 1)


async def test_latest_records_come_in_the_order_of_their_arrival():
    book, a, _ = two_sites()
    book.patient(1, site=a)
    book.record("note", 1, NOW_MS - HOUR)
    book.record("triage", 1, NOW_MS - 2 * HOUR, 2, category=3, standing=1)

    rows = await queries.latest(book)

    assert [row.sort_name for row in rows] == ["triage", "note"]
    assert (rows[0].category, rows[0].standing, rows[0].device_name) == (3, 1, None)
    assert (rows[1].device_name, rows[1].site) == ("Tablet A", a)


async def test_a_set_of_vitals_is_one_line():
    book, a, _ = two_sites()
    book.patient(1, site=a)
    book.record("observation", 1, NOW_MS)
    place = {"subject": 1, "entry": book.arrival, "at_ms": NOW_MS}
    book.put("observation", **(row(place) | {"idx": 1}))

    (line,) = await queries.latest(book)

    assert (line.sort_name, line.records) == ("observation", 2)


async def test_a_long_book_lists_only_the_newest():
    book, a, _ = two_sites()
    book.patient(1, site=a)
    for _ in range(queries.LATEST_MAX + 1):
        book.record("note", 1, NOW_MS)

    assert len(await queries.latest(book)) == queries.LATEST_MAX


async def test_a_device_shows_forks_what_it_lacks_and_what_cannot_be_read():
    book, a, _ = two_sites()
    book.patient(1, site=a)
    book.head(1, 10, NOW_MS - MINUTE)
    book.head(2, 5, NOW_MS)
    book.head(2, 4, NOW_MS)
    book.put("unopened", entry=1, void=0, reason="key")
    book.db.execute("update peer set they_hold = 1")

    met, carried = await devices.all_known(book)

    assert (met.name, met.entries, met.lacks, met.forks, met.unopened) == ("Tablet A", 10, 2, 0, 1)
    assert met.newest_ms == NOW_MS - MINUTE
    assert (carried.name, carried.entries, carried.forks, carried.lacks) == (None, 5, 1, None)


async def test_what_came_since_branch_ends_were_written_down_is_followed():
    book, *_ = two_sites()
    at = book.arrival
    book.head(2, at, NOW_MS - HOUR)
    book.db.execute("update meta set value = ? where name = 'ends_at'", (b"%d" % at,))
    # Two go on from there apart, and one of the two once more.
    for arrival, parent, seq in (
        (at + 1, at, at + 1),
        (at + 2, at, at + 1),
        (at + 3, at + 1, at + 2),
    ):
        clock = (NOW_MS + arrival) << 16
        book.put("entry", arrival=arrival, parent=parent, feed=2, seq=seq, clock=clock)

    carried = next(one for one in await devices.all_known(book) if one.entries is not None)

    assert (carried.entries, carried.forks, carried.newest_ms) == (at + 2, 1, NOW_MS + at + 3)


async def test_activity_counts_the_hours_of_the_last_day():
    book, a, _ = two_sites()
    book.patient(1, site=a, at_ms=NOW_MS - 30 * HOUR)
    for at in (NOW_MS - 25 * HOUR, NOW_MS - 24 * HOUR, NOW_MS - 1, NOW_MS - 1, NOW_MS + 1):
        book.record("note", 1, at)

    line = next(s for s in (await read_picture(book, NOW_MS)).sites if s.id == a)

    assert (line.bars[0], line.bars[-1], sum(line.bars)) == (1, 2, 3)


async def test_the_strip_is_hatched_from_where_knowledge_ends():
    picture = await read_picture(furnished(), NOW_MS)
    lines = {site.name: strip(site, NOW_MS) for site in picture.sites}

    assert lines["Pont Sud"].unknown_x == (24 * 60 - 7 * 60 - 12) * 10 // 60
    assert lines["Camp Nord"].unknown_x > lines["Camp Nord"].width - 2
    assert all(
        bar.y >= 0 and bar.y + bar.height == 32 for line in lines.values() for bar in line.bars
    )


async def test_paging_and_filters_agree_with_their_total():
    book, a, b = two_sites()
    for number in range(queries.PATIENTS_PAGE + 5):
        book.patient(number + 1, site=a if number % 2 else b, triage=3 if number % 3 else None)

    total, first = await queries.patients(book, Filter())
    _, second = await queries.patients(book, Filter(offset=queries.PATIENTS_PAGE))
    only_a, rows = await queries.patients(book, Filter(triage=-1, site=a))

    assert (total, len(first), len(second)) == (55, 50, 5)
    assert not {row.id for row in first} & {row.id for row in second}
    assert only_a == len(rows)
    assert all(row.site == a and row.triage is None for row in rows)


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ({}, Filter()),
        ({"triage": "none"}, Filter(triage=-1)),
        ({"triage": "0", "offset": "50"}, Filter(triage=0, offset=50)),
        ({"triage": "-1", "site": "zz" * 16, "offset": "-5"}, Filter()),
        ({"triage": "9", "site": "ab", "offset": "٣"}, Filter()),
        ({"offset": "9" * 30}, Filter()),
        ({"site": "ab" * 16}, Filter(site=b"\xab" * 16)),
    ],
)
def test_a_filter_takes_only_what_it_knows(query, wanted):
    assert parse_filter(query) == wanted


@pytest.mark.parametrize(
    ("past", "said"),
    [
        (0, "just now"),
        (59_999, "just now"),
        (MINUTE, "1 min ago"),
        (2 * HOUR - 1, "119 min ago"),
        (2 * HOUR, "2 h ago"),
        (48 * HOUR - 1, "47 h ago"),
        (48 * HOUR, "2 d ago"),
        (-AHEAD_MS, "just now"),
        (-AHEAD_MS - 1, "its clock is ahead"),
    ],
)
def test_ages_in_words(past, said):
    assert Clock(NOW_MS, UTC, EN).age(NOW_MS - past) == said


def test_a_time_of_another_day_says_its_date_and_the_zone_is_named():
    clock = Clock(NOW_MS, ZoneInfo("Africa/Lagos"), EN)

    assert clock.zone_name == "WAT"
    assert clock.time(NOW_MS) == "23:13"
    assert clock.time(NOW_MS - 24 * HOUR) == "2023-11-13 23:13"


def test_absurd_times_are_shown_not_raised():
    clock = Clock(NOW_MS, UTC, EN)

    assert clock.time(-5) == "1970-01-01 00:00"
    assert clock.time(2**62).startswith("9999")
    assert "just now" not in str(clock.ago(2**62))


def patient(**values) -> Patient:
    empty = dict.fromkeys(Patient.__slots__)
    return Patient(**(empty | values))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"age_value": 7, "age_unit": 0, "age_estimated": 1}, "~7 y"),
        ({"age_value": 22, "age_unit": 1, "age_estimated": 0}, "22 mo"),
        ({"age_value": 5, "age_unit": 9, "band": 3}, "5–17 y"),
        ({"band": 3}, "5–17 y"),
        ({}, "not known"),
        ({"band": 77}, "not known"),
        ({"birth_date": "2023-11-10", "age_value": 4, "age_unit": 0}, "4 d"),
        ({"birth_date": "2022-11-15"}, "11 mo"),
        ({"birth_date": "1980-11-14"}, "43 y"),
        ({"birth_date": "1980-11-15"}, "42 y"),
        ({"birth_date": "1980", "age_value": 43, "age_unit": 0, "age_estimated": 1}, "~43 y"),
        ({"birth_date": "2030-01-01", "band": 1}, "under 1 y"),
    ],
)
def test_an_age_always_has_its_unit(values, said):
    assert age_text(patient(**values), NOW_MS, EN) == said


def test_every_language_says_everything_with_the_same_gaps():
    import string

    def gaps(text: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    for code in LANGUAGES:
        table = words(code).table
        assert table.keys() == EN.table.keys(), code
        assert {k: gaps(v) for k, v in table.items()} == {k: gaps(v) for k, v in EN.table.items()}


def test_french_counts_nothing_as_one():
    assert words("fr")("care.total", n=0) == "0 patient pris en charge"
    assert EN("care.total", n=0) == "0 patients in care"


def test_words_escape_what_is_filled_in():
    assert EN("account.who", name="<b>\u202e") == "Logged in as &lt;b&gt;"


def test_a_language_we_do_not_speak_becomes_english():
    assert preferred("xx", "de, es") == "en"
    assert preferred(None, "de, fr;q=0.5, en;q=0.4") == "fr"
    assert preferred("en", "fr") == "en"


def test_when_the_newest_of_each_site_happened_is_asked_without_a_walk_by_tags() -> None:
    store = Device.found("hq", hq=True).store
    plan = [row[3] for row in store.all("EXPLAIN QUERY PLAN " + queries.NEWEST)]
    assert "SCAN p" in plan
