"""HQ's pages of stores: what runs out first, how old every figure is, and what is in none."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from fractions import Fraction

import pytest

from hq import stockbook
from hq.depots import MARKS, SILENT_DAYS_MAX, Depots
from hq.hints import Hints
from hq.stores import Asked, card_lines
from hq.tables import csv_text
from protocols.records import cover
from protocols.records.shape import columns
from protocols.records.stock import MovementRow, StocktakeRow
from tests.unit.hq_book import HOUR, NOW_MS, TestBook
from tests.unit.hq_stores import AMOX, DAY, MR, ORS, TODAY, Shelves, depots, used_daily
from tests.unit.test_hq_belonging import text
from tests.unit.test_hq_web import HOSTILE, House, house_of


def two_stores() -> tuple[TestBook, bytes, bytes]:
    book = TestBook()
    for number, name, back in ((1, "tent-a", HOUR), (3, "tent-b", 7 * HOUR)):
        book.device(number, name, NOW_MS - back)
    return book, book.site(1, "Nord"), book.site(2, "Pont")


def reading(book: TestBook) -> Depots:
    return Depots(book, Hints(book, "run"))


@pytest.fixture
def stocked() -> tuple[TestBook, bytes, bytes]:
    book, nord, pont = two_stores()
    depots(book, nord, pont)
    return book, nord, pont


async def test_what_runs_out_first_comes_first_and_what_is_not_used_last(
    stocked: tuple[TestBook, bytes, bytes],
):
    book, nord, pont = stocked

    lines = (await reading(book).now(NOW_MS)).lines

    assert [(line.stock.store, line.stock.item) for line in lines] == [
        (pont, MR), (nord, AMOX), (nord, ORS), (pont, ORS),
    ]  # fmt: skip
    assert [line.days for line in lines] == [2, Fraction(5, 2), Fraction(19, 2), None]


async def test_days_are_by_what_may_be_given_and_what_may_not_is_named(
    stocked: tuple[TestBook, bytes, bytes],
):
    book, nord, pont = stocked
    lines = {(line.stock.store, line.stock.item): line
             for line in (await reading(book).now(NOW_MS)).lines}  # fmt: skip

    amox, measles = lines[nord, AMOX], lines[pont, MR]
    # 100 of lot A1; A2 is held back, A3 past its last day.
    assert (amox.usable, amox.quarantined, amox.expired, amox.expiring) == (100, 120, 80, 140)
    assert amox.marks == {"unsettled", "quarantined", "expired", "expiring"}
    assert (measles.recalled, measles.usable) == (0, 20)
    assert {"negative", "overdraft"} <= measles.marks
    assert lines[pont, ORS].marks == {"apart"}
    assert frozenset().union(*(line.marks for line in lines.values())) <= set(MARKS)


async def test_a_recalled_lot_is_in_no_days_of_cover():
    book, nord, _ = two_stores()
    shelves = Shelves(book)
    used_daily(shelves, nord, ORS, 10)
    lots = [("BAD", 90, 90, TODAY + 99, 0), ("OK", 30, 30, TODAY + 99, 0)]
    shelves.holds(nord, ORS, 120, NOW_MS - HOUR, lots=lots)
    shelves.recall(ORS, "BAD", NOW_MS)
    shelves.recall(ORS, "OK", NOW_MS, replaced=2)
    shelves.recall(AMOX, "OK", NOW_MS)

    (line,) = (await reading(book).now(NOW_MS)).lines

    assert (line.recalled, line.usable, line.days) == (90, 30, 3)


async def test_a_store_that_fell_silent_is_not_taken_for_one_that_uses_nothing():
    book, nord, pont = two_stores()
    shelves = Shelves(book)
    book.db.execute("UPDATE peer SET whole_ms = 0")
    for store, silent in ((nord, 4), (pont, SILENT_DAYS_MAX + 1)):
        shelves.move(store, ORS, 5000, NOW_MS - 60 * DAY)
        for back in range(silent, silent + 30):
            shelves.move(store, ORS, -10, NOW_MS - back * DAY)
        shelves.holds(store, ORS, 100, NOW_MS - silent * DAY)

    known, quiet = (await reading(book).now(NOW_MS)).lines

    # As of four days ago it lasted ten days, so six are left; and some of it is probably gone.
    assert (known.burn.rate, known.days, known.expected, known.silent_days) == (10, 6, 60, 4)
    assert (quiet.burn, quiet.days, quiet.expected) == (None, None, None)
    assert quiet.marks == {"silent"}


async def test_no_days_are_told_of_a_store_whose_times_all_lie_ahead_and_the_page_says_why():
    book, nord, _ = two_stores()
    book.db.execute("UPDATE peer SET whole_ms = 0")
    shelves = Shelves(book)
    used_daily(shelves, nord, ORS, 10)
    shelves.holds(nord, ORS, 60, NOW_MS + 3 * HOUR)

    lines = await reading(book).now(NOW_MS)
    (line,) = lines.lines

    # Others carried it: its clock was never compared with HQ's, so nothing says how old this is.
    assert (line.as_of, line.silent_days, line.burn, line.days) == (None, None, None, None)
    assert (line.marks, lines.undated()) == ({"silent"}, [nord])
    house = await house_of(book)
    await house.enter()
    for language, said in (("en", "nobody knows how old"), ("fr", "de quand datent")):
        page = await text(house, "/stock", language)
        assert f"{said} " in page and '<tr class="never">' in page
    await house.client.close()


async def test_what_expired_since_a_store_was_known_may_not_be_given_any_more():
    book, nord, _ = two_stores()
    shelves = Shelves(book)
    book.db.execute("UPDATE peer SET whole_ms = 0")
    lots = [("OVER", 90, 90, TODAY - 2, 0), ("LAST", 30, 30, TODAY, 0)]
    shelves.move(nord, ORS, 120, NOW_MS - 40 * DAY)
    shelves.holds(nord, ORS, 120, NOW_MS - 5 * DAY, lots=lots)

    (line,) = (await reading(book).now(NOW_MS)).lines

    assert (line.silent_days, line.usable, line.expired, line.expiring) == (5, 30, 90, 30)


async def test_a_link_to_who_wrote_there_says_that_nothing_was_used_since():
    book, nord, _ = two_stores()
    shelves = Shelves(book)
    shelves.move(nord, ORS, 500, NOW_MS - 40 * DAY)
    shelves.move(nord, ORS, -56, NOW_MS - 5 * DAY)
    shelves.holds(nord, ORS, 444, NOW_MS - 5 * DAY, feed=1)

    found = await reading(book).now(NOW_MS)

    assert found.known == {nord: NOW_MS - HOUR}
    assert found.lines[0].silent_days == 0


async def test_rates_are_those_of_the_rows_as_every_node_works_them_out(
    stocked: tuple[TestBook, bytes, bytes],
):
    book, nord, _ = stocked
    shelves = Shelves(book)
    shelves.pairs[nord, ORS] = next(
        subject for (subject,) in book.db.execute(
            "SELECT subject FROM stock WHERE store = ? AND item = ?", (nord, ORS))
    )  # fmt: skip
    # A later count took its place, and speaks of a book that it had set right; one is taken back.
    shelves.count(nord, ORS, 90, 800, NOW_MS - 10 * DAY, used=0)
    shelves.count(nord, ORS, 1, 800, NOW_MS - 12 * DAY, used=0, replaced=2)
    line = next(line for line in (await reading(book).now(NOW_MS)).lines
                if (line.stock.store, line.stock.item) == (nord, ORS))  # fmt: skip

    def rows(table):
        names = [name for name, _ in columns(table)]
        found = book.db.execute(
            f"SELECT {', '.join(names)} FROM {table.TABLE} WHERE store = ? AND item = ?",
            (nord, ORS),
        )
        return [table(**dict(zip(names, each, strict=True))) for each in found]

    changes = cover.changes(rows(MovementRow), rows(StocktakeRow))
    assert (TODAY - 10, -710, 0) in changes and not any(each.units == -799 for each in changes)
    assert line.burn == cover.burn(changes, line.stock.high, TODAY)


async def test_only_what_changed_is_read_again_and_it_comes_to_the_same(
    stocked: tuple[TestBook, bytes, bytes],
):
    book, nord, _ = stocked
    kept = reading(book)
    await kept.now(NOW_MS)
    asked: list[str] = []
    read = book.read

    async def noted(sql, params):
        asked.append(sql)
        return await read(sql, params)

    book.read = noted  # type: ignore[method-assign]
    shelves = Shelves(book)
    shelves.pairs[nord, ORS] = next(
        subject for (subject,) in book.db.execute(
            "SELECT subject FROM stock WHERE store = ? AND item = ?", (nord, ORS))
    )  # fmt: skip
    shelves.move(nord, ORS, -70, NOW_MS - DAY)
    book.db.execute("UPDATE stock SET low = 120, high = 120, changed = 99999 WHERE store = ? AND"
                    " item = ?", (nord, ORS))  # fmt: skip
    kept._kept = None
    again = await kept.now(NOW_MS)
    book.read = read  # type: ignore[method-assign]

    assert [" in (:s0)" in sql for sql in asked if "movement m" in sql and "subject" in sql]
    assert all("s1" not in sql for sql in asked)
    assert again.lines == (await reading(book).now(NOW_MS)).lines


async def test_a_card_says_what_was_left_after_each_back_to_the_last_count(
    stocked: tuple[TestBook, bytes, bytes],
):
    book, nord, _ = stocked
    line = next(line for line in (await reading(book).now(NOW_MS)).lines
                if (line.stock.store, line.stock.item) == (nord, ORS))  # fmt: skip
    pair = book.db.execute("SELECT id FROM subject WHERE no = ?", (line.stock.subject,)).fetchone()[
        0
    ]

    _, moves, counts = await stockbook.card(book, pair)
    lines = card_lines(moves, counts, line)

    assert [each.after for each in lines[:3]] == [190, 210, None]
    assert lines[2].taken is not None and all(each.after is None for each in lines[2:])
    assert [each.at_ms for each in lines] == sorted((e.at_ms for e in lines), reverse=True)


@pytest.fixture
async def house(stocked: tuple[TestBook, bytes, bytes]) -> AsyncIterator[House]:
    made = await house_of(stocked[0])
    await made.enter()
    yield made
    await made.client.close()


async def test_every_line_says_how_old_it_is_and_what_is_left_out_is_marked(house: House):
    page = await text(house, "/stock")

    assert page.count("<tr class=") == 4
    assert "300 – 340" in page and ">190<" in page
    for said in ("30 taken beyond an allotment", "below nothing", "120 held back", "80 expired",
                 "140 expire within 30 d", "2 things unsettled", "1 movement not counted",
                 "1 movement is not counted, and nothing else is known", "9 d", "at 20.0 a day",
                 "counted", "never counted", "ewma-7-in-stock-28"):  # fmt: skip
        assert said in page, said
    assert page.count('data-label="Newest record"><time') == 4


@pytest.mark.parametrize(
    ("query", "lines"),
    [("?item=ors-1l-sachet", 2), ("?item=rehydration", 2), ("?mark=negative", 1),
     (f"?site={(bytes([1]) * 16).hex()}", 2), ("?site=zz&mark=what&offset=x", 4),
     ("?item=nothing+of+it", 0), ("?offset=3", 1), ("?offset=99999999999", 4)],
)  # fmt: skip
async def test_lines_are_chosen_by_item_site_and_what_is_wrong(house: House, query, lines):
    page = await text(house, "/stock" + query)

    assert page.count("<tr class=") == lines


async def test_the_table_has_all_of_it_and_the_trail_says_who_took_it(house: House):
    answer = await house.get("/stock.csv?item=ors")

    assert answer.content_type == "text/csv"
    assert "attachment" in answer.headers["Content-Disposition"]
    found = list(csv.DictReader(io.StringIO(await answer.text())))
    assert [(line["site_name"], line["low"], line["days_of_cover"]) for line in found] == [
        ("Nord", "190", "9.50"), ("Pont", "500", ""),
    ]  # fmt: skip
    assert found[0]["as_of"].endswith("Z") and found[0]["method"] == cover.METHOD
    assert [said["reason"] for what, said in house.witness.kept if what.name == "EXPORT"] == [
        "stock.csv"
    ]


async def test_a_card_names_movements_that_count_nowhere_and_no_patient(house: House):
    store = (bytes([2]) * 16).hex()
    page = await text(house, f"/stock/card?site={store}&item={AMOX}")

    assert "Nothing that is known of it counts" in page
    assert 'class="gone"' in page and "device not admitted" in page
    for wrong in ("site=zz&item=x", f"site={store}&item=", f"site={store}&item=unheard"):
        assert (await house.get(f"/stock/card?{wrong}")).status == 404


async def test_hostile_words_are_only_words_on_pages_and_in_tables():
    book, nord, _ = two_stores()
    shelves = Shelves(book)
    item = "=cmd|'/c calc'!A0"
    shelves.holds(nord, item, 5, NOW_MS - HOUR, lots=[(HOSTILE, 5, 5, TODAY + 5, 0)])
    shelves.move(nord, item, 5, NOW_MS - HOUR, lot=HOSTILE, reason=HOSTILE, why=HOSTILE,
                 type=HOSTILE, witness=HOSTILE)  # fmt: skip
    house = await house_of(book)
    await house.enter()
    query = f"/stock/card?site={nord.hex()}&item=%3Dcmd%7C%27/c%20calc%27%21A0"

    for path in ("/stock", query):
        page = await text(house, path)
        assert "<script>alert" not in page and "\u202e" not in page
    table = await (await house.get("/stock.csv")).text()
    assert "\r\n'=cmd" in table
    await house.client.close()


async def test_it_is_there_in_french(house: House):
    page = await text(house, "/stock", "fr")

    assert "Stocks, tels que connus" in page and "à 20,0 par jour" in page


async def test_hints_of_stores_reach_their_part(house: House):
    house.book.tell("balance")
    answer = await house.get("/part/stock?item=ors")

    assert answer.status == 200
    assert (await answer.text()).count("<tr class=") == 2


async def test_a_sealed_hq_shows_nothing_of_any_store(house: House):
    pages = ("/stock", "/vaccination", "/logistics", "/part/stock", "/stock.csv",
             f"/stock/card?site={(bytes([1]) * 16).hex()}&item={ORS}", "/stock/card.csv",
             "/vaccination.csv", "/logistics/recalls.csv", "/part/logistics")  # fmt: skip
    assert "Pont" in await text(house, "/stock")
    house.book.put("meta", name="closed", value=b"1")

    for path in pages:
        page = await text(house, path)
        assert "It shows no records any more" in page, path
        assert "Pont" not in page and "site_name" not in page, path


def test_a_cell_that_would_be_a_formula_is_text():
    assert csv_text(("a",), [("=1+1",), ("+x",), ("-x",), ("@x",), (-5,), (None,)]) == (
        "a\r\n'=1+1\r\n'+x\r\n'-x\r\n'@x\r\n-5\r\n\r\n".replace("\r\n\r\n", '\r\n""\r\n')
    )


def test_an_address_comes_back_as_it_was():
    asked = Asked(bytes(range(16)), "ors & more", "negative", 50)

    assert asked.address(50) == (
        "site=000102030405060708090a0b0c0d0e0f&item=ors+%26+more&mark=negative&offset=50"
    )
