"""The page over real HTTP: doors, headers, forms, hints, and hostile names."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from aiohttp import ClientResponse, ClientSession, CookieJar
from aiohttp.test_utils import TestClient, TestServer

from hq.accounts import IDLE_MS, form_token
from hq.security import HEADERS, PUBLIC, QUIET, same_origin
from hq.web import RUNNER, PageSettings, make_app
from protocols.trust.audit import What
from tests.unit.hq_book import MINUTE, NOW_MS, TestBook, TestWitness, Watch, accounts_on, furnished
from tests.unit.hq_registry import TestRegistry

PASSWORD = "four unrelated words"
HOSTILE = "<script>alert(1)</script>\u202eevil\x1b[31m\x00\"'><img src=x onerror=alert(1)>"


@dataclass
class House:
    """A served page and a browser-like client."""

    book: TestBook
    watch: Watch
    client: TestClient
    link: str
    witness: TestWitness
    registry: TestRegistry

    @property
    def origin(self) -> str:
        return str(self.client.make_url("")).rstrip("/")

    @property
    def token(self) -> str:
        found = self.client.session.cookie_jar.filter_cookies(self.client.make_url("/"))
        return found["fieldmesh"].value

    async def get(self, path: str, **more) -> ClientResponse:
        return await self.client.get(path, allow_redirects=False, **more)

    async def post(self, path: str, *, origin: str | None = "", form: str = "", **fields: str):
        headers = {"Origin": self.origin if origin == "" else origin} if origin is not None else {}
        fields["form"] = form or form_token(self.token)
        return await self.client.post(path, data=fields, headers=headers, allow_redirects=False)

    async def enter(self) -> None:
        await self.get(f"/first/{self.link}")
        answer = await self.post(
            f"/first/{self.link}", name="lead", password=PASSWORD, again=PASSWORD
        )
        assert (answer.status, answer.headers["Location"]) == (303, "/")


async def house_of(
    book: TestBook, *, https: bool = False, registry: TestRegistry | None = None
) -> House:
    watch, accounts = Watch(), accounts_on(book)
    link = await accounts.issue_link(NOW_MS)
    settings = PageSettings(title="Delta", https=https, hint_gap_s=0.01)
    witness = TestWitness(book)
    registry = registry or TestRegistry()
    app = make_app(book, accounts, witness, registry, now=watch, settings=settings)
    server = TestServer(app)
    await server.start_server(**RUNNER)
    client = TestClient(server, cookie_jar=CookieJar(unsafe=True))
    return House(book, watch, client, link, witness, registry)


@pytest.fixture
async def house() -> AsyncIterator[House]:
    made = await house_of(TestBook())
    yield made
    await made.client.close()


@pytest.fixture
async def full() -> AsyncIterator[House]:
    made = await house_of(furnished())
    await made.enter()
    yield made
    await made.client.close()


def guarded(response: ClientResponse) -> bool:
    return all(response.headers.get(name) == value for name, value in HEADERS.items())


async def test_every_route_but_the_doors_asks_for_a_login(house: House):
    await house.get("/login")
    asked = set()
    for route in house.client.app.router.routes():
        assert route.name, f"{route} has no name, so the guard could not judge it"
        if route.name in PUBLIC or route.method == "HEAD":
            continue
        path = route.resource.canonical.replace("{part}", "care")
        if route.method == "GET":
            answer = await house.get(path)
        else:
            answer = await house.post(path)
        wanted = 401 if route.name in QUIET else 303
        assert answer.status == wanted, (route.method, path)
        if wanted == 303:
            assert answer.headers["Location"] == "/login"
        assert guarded(answer)
        asked.add(route.name)

    assert asked >= {
        "picture",
        "patients",
        "results",
        "devices",
        "part",
        "events",
        "account",
        "logout",
        "audit",
        "open",
    }


@pytest.mark.parametrize(("language", "unsigned"), [("en", "NOT APPROVED"), ("fr", "NON APPROUVÉ")])
async def test_what_an_unsigned_guideline_says_is_marked_wherever_it_stands(
    full: House, language, unsigned
):
    pages = {
        path: await (await full.get(path, headers={"Accept-Language": language})).text()
        for path in ("/", "/results", "/patients?triage=2", "/patients?triage=1", "/devices")
    }

    # The value outside a range, the newest triage, and the patient whose category it is.
    assert pages["/results"].count(unsigned) == 1
    assert pages["/"].count(unsigned) == 1
    assert sum(page.count(unsigned) for path, page in pages.items() if "?" in path) <= 1
    assert pages["/devices"].count(unsigned) == 0
    before, _, _ = pages["/results"].partition(unsigned)
    assert before.rindex("<tr") < before.rindex(">44<")


async def test_results_without_a_patient_are_a_page_of_their_own_and_said_on_the_picture(
    full: House,
):
    picture = await (await full.get("/")).text()
    page = await (await full.get("/results")).text()

    assert 'href="/results">2 results wait for a patient' in picture
    assert "B-1207" in page
    assert page.count("spo2") == 1
    assert page.index("spo2") < page.index("temperature")
    assert f'data-ms="{NOW_MS - 3 * 60 * MINUTE}"' in page


async def test_what_a_device_claims_is_shown_as_text_alone(full: House):
    full.book.unassigned(803, NOW_MS, (HOSTILE, HOSTILE, HOSTILE), claimed=HOSTILE)

    page = await (await full.get("/results")).text()

    assert "<script>alert" not in page
    assert not any(sign in page for sign in "\u202e\x1b\x00")


@pytest.mark.parametrize(
    "path", ["/", "/login", "/nowhere", "/static/page.css", "/static/none", "/first/x", "/events"]
)
async def test_every_answer_carries_the_guarding_headers(house: House, path):
    answer = await house.get(path)

    assert guarded(answer)
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert "Server" not in answer.headers
    if not path.startswith("/static/p"):
        assert answer.headers["Cache-Control"] == "no-store"


async def test_a_link_is_used_by_sending_the_form_and_only_once(house: House):
    for _ in range(2):
        assert (await house.get(f"/first/{house.link}")).status == 200
    await house.enter()

    assert (await house.get("/")).status == 200
    assert (await house.get(f"/first/{house.link}")).status == 410
    again = await house.post(f"/first/{house.link}", name="b2", password=PASSWORD, again=PASSWORD)
    assert again.status == 410


async def test_an_account_is_made_once_the_trail_says_so_and_not_without():
    house = await house_of(TestBook())
    await house.get(f"/first/{house.link}")
    house.witness.full = True
    said = {"name": "lead", "password": PASSWORD, "again": PASSWORD}
    refused = await house.post(f"/first/{house.link}", **said)
    assert refused.status == 503 and "audit trail" in await refused.text()
    assert (await house.get("/")).status == 303
    assert [what for what, _ in house.witness.kept if what == What.ACCOUNT_ADDED] == []
    assert house.witness.book.db.execute("SELECT name FROM hq_account").fetchall() == []
    await house.client.close()

    house = await house_of(TestBook())
    await house.enter()
    assert (What.ACCOUNT_ADDED, {"account": "lead"}) in house.witness.kept
    await house.client.close()


async def test_a_bad_first_password_is_said_and_keeps_the_link(house: House):
    await house.get(f"/first/{house.link}")

    short = await house.post(f"/first/{house.link}", name="lead", password="short", again="short")
    differs = await house.post(f"/first/{house.link}", name="lead", password=PASSWORD, again="x")

    assert (short.status, differs.status) == (422, 422)
    assert "12 characters" in await short.text()
    await house.enter()


async def test_login_changes_the_token_and_logout_ends_it(house: House):
    await house.enter()
    first = house.token
    await house.post("/logout")
    assert (await house.get("/")).status == 303

    await house.get("/login")
    anonymous = house.token
    assert (await house.post("/login", name="LEAD ", password=PASSWORD)).status == 303
    assert len({first, anonymous, house.token}) == 3
    assert (await house.get("/")).status == 200

    async with ClientSession(cookies={"fieldmesh": first}) as thief:
        answer = await thief.get(house.client.make_url("/"), allow_redirects=False)
        assert answer.status == 303


async def test_a_wrong_name_and_a_wrong_password_read_the_same(house: House):
    await house.enter()
    await house.post("/logout")
    await house.get("/login")

    texts = []
    for name in ("lead", "nobody"):
        answer = await house.post("/login", name=name, password="not it at all")
        texts.append((answer.status, await answer.text()))

    assert texts[0] == texts[1]
    assert texts[0][0] == 403


async def test_the_right_password_too_soon_reads_like_a_wrong_one(house: House):
    await house.enter()
    await house.post("/logout")
    await house.get("/login")
    for _ in range(3):
        wrong = await house.post("/login", name="lead", password="not it at all")
    soon = await house.post("/login", name="lead", password=PASSWORD)

    assert (soon.status, await soon.text()) == (wrong.status, await wrong.text())
    house.watch.ms += 1000
    assert (await house.post("/login", name="lead", password=PASSWORD)).status == 303


@pytest.mark.parametrize(
    "sent",
    [
        {"form": "0" * 32},
        {"form": "é"},
        {"origin": "http://elsewhere.example"},
        {"origin": "null"},
        {"origin": None},
        {"origin": "http://[bad"},
    ],
)
async def test_a_form_from_elsewhere_is_refused(house: House, sent):
    await house.enter()

    answer = await house.post("/logout", **sent)

    assert answer.status == 403
    assert (await house.get("/")).status == 200


def test_an_origin_is_ours_only_with_host_and_port():
    assert same_origin("http://hq.local:8080", "HQ.local:8080")
    assert same_origin("https://hq.local", "hq.local")
    assert not same_origin("http://hq.local:8081", "hq.local:8080")
    assert not same_origin("http://hq.local.evil:8080", "hq.local:8080")
    assert not same_origin("file://hq.local", "hq.local")


async def test_compressed_and_oversized_and_foreign_bodies_are_refused(house: House):
    await house.get("/login")
    ours = {"Origin": house.origin, "X-Form": form_token(house.token)}

    packed = await house.client.post(
        "/login", data=b"x", headers={**ours, "Content-Encoding": "deflate"}
    )
    large = await house.post("/login", name="a" * 20_000)
    json = await house.client.post("/login", json={}, headers=ours)

    assert (packed.status, large.status, json.status) == (415, 413, 415)


async def test_the_cookie_is_strict_and_over_https_bound_to_the_host(house: House):
    plain = (await house.get("/login")).headers["Set-Cookie"]
    assert plain.startswith("fieldmesh=")
    assert "HttpOnly" in plain and "SameSite=Strict" in plain and "Path=/" in plain
    assert "Domain" not in plain

    secure = await house_of(TestBook(), https=True)
    answer = await secure.get("/login")
    assert answer.headers["Set-Cookie"].startswith("__Host-fieldmesh=")
    assert "Secure" in answer.headers["Set-Cookie"]
    assert "max-age" in answer.headers["Strict-Transport-Security"]
    await secure.client.close()


async def test_what_a_page_fetches_by_itself_keeps_no_session_alive(full: House):
    full.watch.ms += IDLE_MS - MINUTE
    assert (await full.get("/part/care")).status == 200
    full.watch.ms += 2 * MINUTE

    answer = await full.get("/part/care")

    assert answer.status == 401
    assert answer.headers["HX-Redirect"] == "/login?ended"


async def test_a_touch_keeps_the_session_alive(full: House):
    full.watch.ms += IDLE_MS - MINUTE
    assert (await full.post("/alive")).status == 204
    full.watch.ms += 2 * MINUTE

    assert (await full.get("/part/care")).status == 200


async def next_event(stream: ClientResponse) -> dict[str, str]:
    event: dict[str, str] = {}
    while True:
        line = (await asyncio.wait_for(stream.content.readline(), 5)).decode().rstrip("\n")
        if not line and "event" in event:
            return event
        name, _, value = line.partition(": ")
        event[name] = value


def seen_in(text: str) -> str:
    found = re.search(r"seen=([0-9a-f-]+)", text)
    assert found
    return found[1]


async def test_a_change_in_the_book_reaches_an_open_page_as_a_small_hint(full: House):
    seen = seen_in(await (await full.get("/")).text())
    async with full.client.get(f"/events?seen={seen}") as stream:
        assert stream.content_type == "text/event-stream"
        full.book.tell("answered")
        full.book.tell("receipt")
        event = await next_event(stream)

    assert event["event"] == event["data"] == "devices"


async def test_a_page_that_missed_a_hint_is_told_at_once(full: House):
    async with full.client.get("/events", headers={"Last-Event-ID": "earlier-9"}) as stream:
        parts = [(await next_event(stream))["event"] for _ in range(4)]

    assert parts == ["care", "sites", "latest", "devices"]


async def test_a_hint_makes_the_next_fetch_new(full: House):
    before = await (await full.get("/part/care")).text()
    full.book.db.execute("update patient set standing = 0, triage = 1")
    assert await (await full.get("/part/care")).text() == before
    async with full.client.get("/events?seen=x") as stream:
        for _ in range(4):
            await next_event(stream)
        full.book.tell("patient")
        await next_event(stream)

    assert await (await full.get("/part/care")).text() != before


async def test_an_ended_session_ends_its_stream(full: House):
    seen = seen_in(await (await full.get("/")).text())
    async with full.client.get(f"/events?seen={seen}") as stream:
        await stream.content.readline()
        full.watch.ms += IDLE_MS
        full.book.tell("patient")
        assert (await next_event(stream))["event"] == "ended"
        assert await stream.content.read() == b""


async def test_when_the_book_falls_silent_nothing_is_called_live(full: House):
    seen = seen_in(await (await full.get("/")).text())
    async with full.client.get(f"/events?seen={seen}") as stream:
        full.book.told.put_nowait(None)
        assert b"event" not in await asyncio.wait_for(stream.content.read(), 5)

    assert (await full.get("/events")).status == 503


async def test_hostile_names_come_out_as_text_on_every_page():
    book = TestBook()
    book.device(1, HOSTILE, NOW_MS)
    site = book.site(1, HOSTILE)
    book.patient(7, site=site, name=HOSTILE, code=HOSTILE, bed=HOSTILE, tag=HOSTILE, triage=1)
    book.record("note", 7, NOW_MS)
    house = await house_of(book)
    await house.enter()

    for path in (
        "/",
        "/patients",
        "/devices",
        "/account",
        "/part/latest",
        f"/patients?site={HOSTILE}",
    ):
        text = await (await house.get(path)).text()
        assert "<script>alert" not in text
        assert "<img" not in text
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text), path
        if path in ("/", "/patients", "/devices"):
            assert "&lt;script&gt;alert(1)" in text
    await house.client.close()


async def test_no_page_carries_inline_code_or_an_address_outside(full: House):
    for path in ("/", "/patients", "/devices", "/account", "/login", "/nowhere", "/first/x"):
        text = await (await full.get(path)).text()
        assert not re.search(r"<script(?! src=\"/static/)", text), path
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", text), path
        assert not re.search(r"(href|src|action)=\"(?!/|#)", text), path


@pytest.mark.parametrize(("lang", "word"), [("fr", "Pris en charge"), ("en", "In care now")])
async def test_the_reader_chooses_the_language(full: House, lang, word):
    answer = await full.post("/language", lang=lang, back="/patients")
    assert (answer.status, answer.headers["Location"]) == (303, "/patients")

    text = await (await full.get("/")).text()

    assert word in text
    assert f'<html lang="{lang}"' in text


async def test_nobody_is_sent_away_by_the_language_form(full: House):
    answer = await full.post("/language", lang="fr", back="//elsewhere.example")

    assert answer.headers["Location"] == "/"


async def test_the_browsers_language_is_taken_first(house: House):
    answer = await house.get("/login", headers={"Accept-Language": "fr-CH, en;q=0.8"})

    assert "Mot de passe" in await answer.text()


async def test_a_fault_shows_no_secret_and_keeps_the_guard(full: House, caplog):
    full.book.db.execute("drop table patient")

    answer = await full.get("/patients")

    assert answer.status == 500
    assert guarded(answer)
    assert "no such table" not in await answer.text()
    assert "code=OperationalError" in caplog.text
    assert "no such table" not in caplog.text
