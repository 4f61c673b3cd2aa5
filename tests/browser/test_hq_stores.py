"""Stock, vaccination and logistics in a real browser: live, at every width and on paper."""

import pytest

from tests.browser.chrome import chromium
from tests.browser.test_hq_page import HOSTILE, enter, opened, window  # noqa: F401 - fixtures
from tests.unit.hq_book import HOUR, NOW_MS
from tests.unit.hq_stores import DAY, MR, ORS, TODAY, Campaign, Shelves, depots

PAGES = ("stock", "vaccination", "logistics")

pytestmark = [
    pytest.mark.skipif(chromium() is None, reason="no Chromium is installed here"),
    pytest.mark.asyncio(loop_scope="module"),
]


def furnish(book) -> Shelves:
    """Stores, sessions and all that their pages name, with hostile words wherever words may be."""
    nord, pont, hostile = (bytes([number]) * 16 for number in (1, 3, 9))
    shelves = depots(book, nord, pont)
    shelves.move(hostile, ORS, 40, NOW_MS - DAY, reason=HOSTILE, witness=HOSTILE, lot=HOSTILE[:20])
    lots = [(HOSTILE[:20], 40, 40, TODAY + 5, 0)]
    shelves.holds(hostile, ORS, 40, NOW_MS - DAY, feed=4, lots=lots)
    shelves.recall(MR, "MR-2", NOW_MS - HOUR, issuer=HOSTILE, text=HOSTILE)
    drive = Campaign(book)
    for number, site in ((1, nord), (3, pont), (9, hostile)):
        drive.doses(drive.session(number, site, 40 * number), 9 + number, 30)
    drive.rest((990).to_bytes(16), 990, HOSTILE)
    return shelves


@pytest.mark.parametrize(("scheme", "language"), [("light", "en"), ("dark", "fr")])
async def test_pages_fit_every_width_and_run_nothing_foreign(opened, scheme, language):  # noqa: F811
    furnish(opened.book)
    await enter(opened)
    tab = opened.tab
    await tab.cookie(opened.url, "lang", language)
    await tab.media(scheme=scheme)
    card = f"stock/card?site={'01' * 16}&item={ORS}"
    for name in (*PAGES, card):
        await tab.open(f"{opened.url}/{name}")
        if name in PAGES:
            await tab.until("document.querySelector('#live.on')")
        for width in (1280, 768, 390, 320):
            await tab.size(width)
            root = "document.documentElement"
            over = await tab.ask(f"{root}.scrollWidth - Math.min({width}, {root}.clientWidth)")
            assert over <= 0, (name, width)
            nav = "document.querySelector('nav')"
            assert await tab.ask(f"{nav}.scrollWidth - {nav}.clientWidth") <= 0, (name, width)
            shot = name.partition("?")[0].replace("/", "-")
            await opened.shoot(f"{shot}-{width}-{scheme}")

    assert tab.complaints == []
    assert await tab.ask("document.querySelectorAll('img, script:not([src])').length") == 0


async def test_a_movement_reaches_the_open_page_and_what_was_typed_stays(opened):  # noqa: F811
    shelves = furnish(opened.book)
    await enter(opened)
    tab = opened.tab
    await tab.open(f"{opened.url}/stock?site={'01' * 16}")
    await tab.until("document.querySelector('#live.on')")
    first = "document.querySelector('#stock .amount b').textContent"
    assert await tab.ask(first) == "300 – 340"
    await tab.ask("document.querySelector('input[name=item]').value = 'half a wo'")

    opened.book.db.execute("UPDATE stock SET low = 120, high = 120, changed = 99999 WHERE item = ?"
                           " AND store = ?", (ORS, b"\x01" * 16))  # fmt: skip
    opened.book.db.execute("UPDATE balance SET low = 120, high = 120 WHERE item = ?", (ORS,))
    shelves.recall(ORS, "L1", NOW_MS)
    opened.book.tell("stock", "balance", "recall")
    await tab.until("document.querySelector('#stock').textContent.includes('120 recalled')")

    assert await tab.ask("document.querySelector('input[name=item]').value") == "half a wo"
    assert await tab.ask("document.querySelectorAll('#stock tbody tr').length") == 2
    assert tab.complaints == []


async def test_a_dose_reaches_the_open_page_of_vaccination(opened):  # noqa: F811
    furnish(opened.book)
    await enter(opened)
    tab = opened.tab
    await tab.open(f"{opened.url}/vaccination?antigen=measles")
    await tab.until("document.querySelector('#live.on')")
    said = "document.querySelector('#vaccination .includes').textContent"
    before = await tab.ask(said)
    assert "90 in crowd tallies" in before

    Campaign(opened.book).put("tally", NOW_MS, session=bytes([1]) * 16, vaccine="mr", n=5, dose=1,
                              band=2, day=TODAY, digit=2)  # fmt: skip
    opened.book.tell("tally")
    await tab.until(f"{said}.includes('95 in crowd tallies')")

    assert tab.complaints == []


@pytest.mark.parametrize("name", PAGES)
async def test_pages_print_whole_and_without_controls(opened, name):  # noqa: F811
    furnish(opened.book)
    await enter(opened)
    tab = opened.tab
    await tab.open(f"{opened.url}/{name}")
    await tab.media(kind="print")
    await tab.size(980)
    cut = "[...document.querySelectorAll('.scroll')].filter(e => e.scrollWidth > e.clientWidth)"
    assert await tab.ask(f"{cut}.length") == 0
    shown = "[...document.querySelectorAll('nav, .rooms, button')].filter(e => e.offsetParent)"
    assert await tab.ask(f"{shown}.length") == 0
    await opened.shoot(f"{name}-print")


async def test_from_the_list_to_the_card_and_back_by_links_without_a_script(opened):  # noqa: F811
    furnish(opened.book)
    await enter(opened)
    tab = opened.tab
    await tab.scripts(False)
    try:
        await tab.open(f"{opened.url}/stock?item={ORS}")
        await tab.follow("document.querySelector('#stock tbody a').click()")
        assert await tab.ask("location.pathname") == "/stock/card"
        assert "Balance after" in await tab.ask("document.body.textContent")
        await tab.follow("document.querySelector('.rooms a').click()")
        assert await tab.ask("location.pathname") == "/stock"
    finally:
        await tab.scripts(True)
