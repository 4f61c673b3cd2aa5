"""The page in a real browser: it comes alive, fits a phone, prints, and runs nothing foreign."""

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio
from aiohttp import web

from hq.accounts import Accounts
from hq.web import PageSettings, make_app, make_runner
from protocols.ids import PatientId
from protocols.live.audited import AuditLine, AuditPage
from protocols.live.guidance import PackPage, PackUser
from tests.browser.chrome import Tab, browser, chromium
from tests.screens.fake_guidance import published_packs
from tests.unit.hq_book import (
    CHEAP,
    NOW_MS,
    Entropy,
    TestBook,
    TestWitness,
    Watch,
    furnished,
    line,
    trail,
)
from tests.unit.hq_registry import TestRegistry, ordered

MENU = (
    "Picture", "Patients", "Results", "Devices", "Stock", "Vaccination", "Trust", "Audit",
    "Account",
)  # fmt: skip
TRUST = ("organisations", "members", "quarantine", "releases", "counts", "packs")
DECIDED = ("members/seal?member=dev_NORD-A00", "quarantine/extend?seal=ent_LOST")
PASSWORD = "four unrelated words"
HOSTILE = "<img src=x onerror=alert(1)>\u202e<script>alert(2)</script>"
SHOTS = os.environ.get("FIELDMESH_SHOTS")
"""A folder for pictures of the page, for the eye; none are kept without it."""

pytestmark = [
    pytest.mark.skipif(chromium() is None, reason="no Chromium is installed here"),
    pytest.mark.asyncio(loop_scope="module"),
]


@dataclass
class Opened:
    """A served page in a browser that is logged in."""

    tab: Tab
    book: TestBook
    watch: Watch
    accounts: Accounts
    runner: web.AppRunner
    url: str
    registry: TestRegistry

    async def shoot(self, name: str) -> None:
        if SHOTS:
            path = Path(SHOTS, f"{name}.png")
            await asyncio.to_thread(path.write_bytes, await self.tab.picture())


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def window(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Tab]:
    async with browser(str(chromium()), tmp_path_factory.mktemp("chromium")) as tab:
        yield tab


@pytest_asyncio.fixture(loop_scope="module")
async def opened(window: Tab) -> AsyncIterator[Opened]:
    book, watch = furnished(), Watch()
    book.patient(990, name=HOSTILE, code=HOSTILE, bed=HOSTILE, triage=1, site=book.site(9, HOSTILE))
    accounts = Accounts(book, entropy=Entropy(), cost=CHEAP)
    settings = PageSettings(title="Delta response", hint_gap_s=0.01)
    witness = TestWitness(book)
    witness.page = AuditPage(250, tuple(map(audited, range(100))))
    witness.all_trails = [trail(), trail(forked=True, unreadable=2, held=3, whole=False)]
    registry = ordered(TestRegistry())
    registry.pack_page = packs_of_many()
    runner = make_runner(make_app(book, accounts, witness, registry, now=watch, settings=settings))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield Opened(window, book, watch, accounts, runner, url, registry)
    await window.forget()
    await runner.cleanup()


def packs_of_many() -> PackPage:
    """Packs on which devices differ, one of a hostile name."""
    users = tuple(PackUser(f"dev_{n}", HOSTILE, None) for n in range(20))
    lines = (*published_packs(), *(msgspec.structs.replace(one, name=HOSTILE, users=users)
                                   for one in published_packs()[:1]))  # fmt: skip
    return PackPage(lines, users[:1], users[:3])


def audited(number: int) -> AuditLine:
    """One of many lines, each a little other."""
    whats = ("read_outside_team", "export", "passphrase_changed", "#99")
    return line(
        at_ms=NOW_MS - number * 3_000_000, what=whats[number % 4], account="j.cho",
        reason=("tracing", "a reason in many words " * 6, "")[number % 3], count=1 + number % 3,
        patient=str(PatientId((number + 1).to_bytes(16))) if number % 2 else "",
        org="Médecins Sans Frontières", sealed=number % 7 == 6, forked=number == 4,
    )  # fmt: skip


async def enter(opened: Opened) -> None:
    link = await opened.accounts.issue_link(NOW_MS)
    token = await opened.accounts.create(link, "lead", PASSWORD, NOW_MS)
    await opened.tab.cookie(opened.url, "fieldmesh", token)
    await opened.tab.open(opened.url)
    await opened.tab.until("document.querySelector('#live.on')")


async def test_from_the_link_to_a_live_picture_by_keyboard_alone(opened: Opened):
    tab = opened.tab
    await tab.open(f"{opened.url}/first/{await opened.accounts.issue_link(NOW_MS)}")
    await tab.until("document.activeElement.name === 'name'")
    for text in ("lead", PASSWORD, PASSWORD):
        await tab.type(text)
        await tab.press("Tab", 9)
    await tab.press(" ", 32)
    await tab.until("location.pathname === '/' && document.querySelector('#live.on')")
    before = await tab.ask("document.querySelector('#care strong').textContent")

    opened.book.patient(991, triage=1)
    opened.book.tell("patient")
    await tab.until(f"document.querySelector('#care strong').textContent === '{int(before) + 1}'")

    assert tab.complaints == []


async def test_a_tag_on_two_patients_is_said_as_it_comes_and_gone_when_it_is_off_one(
    opened: Opened,
):
    await enter(opened)
    tab, book = opened.tab, opened.book
    said = "[...document.querySelectorAll('#care .warn')].map(e => e.textContent).join('|')"
    assert "One tag" not in await tab.ask(said)

    book.patient(995, triage=1, tag=HOSTILE)
    book.patient(996, triage=2, tag=HOSTILE)
    book.tell("tag")
    await tab.until(f"{said}.includes('on K7M 995, K7M 996')")
    await opened.shoot("picture-shared-tag")
    await tab.size(390)
    await opened.shoot("picture-shared-tag-390")
    await tab.open(f"{opened.url}/patients?triage=1")
    assert "tag on several patients" in await tab.ask("document.body.textContent")

    await tab.open(opened.url)
    await tab.until(f"document.querySelector('#live.on') && {said}.includes('K7M 996')")
    book.db.execute("UPDATE patient SET tag = '' WHERE code = 'K7M 996'")
    book.tell("patient")
    await tab.until(f"!{said}.includes('K7M 996')")

    assert tab.complaints == []


async def test_ages_go_on_and_a_lost_connection_is_said(opened: Opened):
    await enter(opened)
    tab = opened.tab
    assert await tab.ask("getComputedStyle(document.querySelector('#lost')).display") == "none"

    await opened.runner.cleanup()

    await tab.until("!document.querySelector('#lost').hidden")
    assert "Connection to HQ lost" in await tab.ask("document.querySelector('#lost').textContent")
    assert not await tab.ask("document.querySelector('#live').classList.contains('on')")


async def test_an_ended_session_leaves_no_names_on_the_screen(opened: Opened):
    await enter(opened)
    shown = "!!document.querySelector('#care, table')"
    assert await opened.tab.ask(shown)

    opened.watch.ms += 24 * 3_600_000
    opened.book.tell("patient")

    await opened.tab.until("location.pathname === '/login'")
    await opened.tab.until("document.readyState === 'complete'")
    assert not await opened.tab.ask(shown)


async def test_clocks_that_are_off_are_said_as_they_link_and_fit_every_width(opened: Opened):
    await enter(opened)
    tab, book = opened.tab, opened.book
    said = "[...document.querySelectorAll('#care .warn')].map(e => e.textContent).join('|')"
    assert "clock" not in await tab.ask(said)

    off = {1: 3 * 3_600_000, 2: -26 * 3_600_000, 4: 12 * 60_000}
    for number, ahead_ms in off.items():
        book.db.execute(
            "UPDATE peer SET clock_ahead_ms = ? WHERE device = ?",
            (ahead_ms, bytes([200 + number]) * 32),
        )
    for number in range(20, 27):
        book.device(number, f"Tablet {number}", NOW_MS - 60_000, ahead_ms=0)
    book.tell("peer")
    await tab.until(f"{said}.includes('about 26 h behind')")
    for name in ("", "devices", "results", "patients"):
        await tab.open(f"{opened.url}/{name}")
        for width in (1280, 390, 320):
            await tab.size(width)
            root = "document.documentElement"
            over = await tab.ask(f"{root}.scrollWidth - Math.min({width}, {root}.clientWidth)")
            assert over <= 0, (name, width)
            await opened.shoot(f"clocks-{name or 'picture'}-{width}")

    assert tab.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_pages_fit_every_width_and_run_nothing_foreign(opened: Opened, scheme):
    await enter(opened)
    tab = opened.tab
    await tab.media(scheme=scheme)
    for name in ("", "patients", "results", "devices", "audit", "account", *TRUST, *DECIDED):
        await tab.open(f"{opened.url}/{name}")
        if name in ("", "results", "devices"):
            await tab.until("document.querySelector('#live.on')")
        for width in (1280, 768, 390, 320):
            await tab.size(width)
            root = "document.documentElement"
            over = await tab.ask(f"{root}.scrollWidth - Math.min({width}, {root}.clientWidth)")
            assert over <= 0, (name, width)
            nav = "document.querySelector('nav')"
            cut = await tab.ask(f"{nav}.scrollWidth - {nav}.clientWidth")
            assert cut <= 0, (name, width)
            shot = name.replace("/", "-").partition("?")[0] or "picture"
            await opened.shoot(f"{shot}-{width}-{scheme}")

    assert tab.complaints == []
    assert await tab.ask("document.querySelectorAll('img, script:not([src])').length") == 0


async def test_the_picture_prints_without_its_controls(opened: Opened):
    await enter(opened)
    await opened.tab.media(kind="print")
    await opened.tab.size(700)
    cut = "[...document.querySelectorAll('.scroll')].filter(e => e.scrollWidth > e.clientWidth)"
    assert await opened.tab.ask(f"{cut}.length") == 0

    shown = "[...document.querySelectorAll('nav, .language, .pulse')].filter(e => e.offsetParent)"
    assert await opened.tab.ask(f"{shown}.length") == 0
    assert (await opened.tab.pdf()).startswith(b"%PDF")
    await opened.shoot("picture-print")


async def test_every_control_is_reached_by_tab_in_reading_order(opened: Opened):
    await enter(opened)
    tab = opened.tab
    seen = []
    for _ in range(12):
        await tab.press("Tab", 9)
        seen.append(await tab.ask("document.activeElement.textContent.trim().slice(0, 12)"))

    assert seen[0].startswith("Skip")
    assert [text for text in seen if text in MENU] == list(MENU)


@pytest.mark.parametrize("name", TRUST)
async def test_pages_about_who_belongs_print_whole_and_without_controls(opened: Opened, name):
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


async def test_a_device_is_sealed_in_two_pages_without_a_script(opened: Opened):
    await enter(opened)
    tab, trust = opened.tab, opened.registry.trust
    await tab.scripts(False)
    try:
        await tab.open(f"{opened.url}/members")
        await tab.open(f"{opened.url}/members/seal?member=dev_NORD-A00")
        await tab.ask("document.querySelector('input[value=lost]').click()")
        await tab.follow("document.querySelector('button.main').click()")
        assert trust.sealed == []
        assert "What will happen" in await tab.ask("document.body.textContent")
        await opened.shoot("members-seal-sure")
        await tab.follow("document.querySelector('button.grave').click()")
        assert await tab.ask("location.pathname") == "/members"
    finally:
        await tab.scripts(True)
    assert [each["reason"] for each in trust.sealed] == ["lost"]
    assert opened.registry.accounts == ["lead"]


async def test_an_open_page_drops_its_names_when_hq_is_sealed_and_says_so(opened: Opened):
    await enter(opened)
    assert "K7M" in await opened.tab.ask("document.body.textContent")

    opened.book.put("meta", name="closed", value=b"1")
    opened.book.tell("patient", "encounter", "triage", "note")

    await opened.tab.until("document.body.textContent.includes('This HQ is sealed')")
    await opened.tab.until("!document.body.textContent.includes('K7M')")
    await opened.shoot("sealed")
    await opened.tab.open(f"{opened.url}/patients")
    assert "K7M" not in await opened.tab.ask("document.body.textContent")
    assert "nobody is in care" in await opened.tab.ask("document.body.textContent")
