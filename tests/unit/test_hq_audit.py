"""What HQ's pages keep of who did what, and the names of other teams' patients."""

import re
from collections.abc import AsyncIterator

import pytest

from hq.auditing import AskedPage
from hq.web import PageSettings
from protocols.ids import PatientId
from protocols.live.audited import AuditPage
from protocols.trust.audit import What
from tests.unit.hq_book import HOUR, NOW_MS, TestBook, line, trail
from tests.unit.test_hq_web import HOSTILE, PASSWORD, House, house_of

RED = bytes([201]) * 32
"""Device of the first feed."""
ONE = (1).to_bytes(16)


@pytest.fixture
async def house() -> AsyncIterator[House]:
    book = TestBook()
    book.device(1, "Red Cross tablet", NOW_MS)
    book.device(2, "ours", NOW_MS)
    book.patient(1, name="Haddad Nour", feed=1)
    book.patient(2, name="Okoro Blessing", feed=2)
    made = await house_of(book)
    made.witness.foreign = {RED}
    await made.enter()
    made.witness.kept.clear()
    yield made
    await made.client.close()


async def names(house: House) -> set[str]:
    page = await (await house.get("/patients")).text()
    return {name for name in ("Haddad", "Okoro") if name in page}


async def test_a_name_of_another_team_is_shown_to_whoever_says_why_once_it_is_kept(house: House):
    assert await names(house) == {"Okoro"}
    asked = await (await house.get(f"/patients/open?patient={ONE.hex()}")).text()
    assert "K7M 001" in asked and "Haddad" not in asked

    answer = await house.post("/patients/open", patient=ONE.hex(), reason="tracing")

    assert (answer.status, answer.headers["Location"]) == (303, "/patients")
    told = {"patient": ONE, "reason": "tracing", "account": "lead"}
    assert house.witness.kept == [(What.READ_OUTSIDE_TEAM, told)]
    assert await names(house) == {"Haddad", "Okoro"}

    await house.post("/logout")
    await house.get("/login")
    await house.post("/login", name="lead", password=PASSWORD)
    assert await names(house) == {"Okoro"}


async def test_who_wrote_about_a_patient_too_is_of_the_patients_team(house: House):
    house.book.record("note", 1, NOW_MS - HOUR, feed=2)
    assert await names(house) == {"Haddad", "Okoro"}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "Say why."),
        ({"reason": "breakfast"}, "Say why."),
        ({"words": "  "}, "Say why."),
        ({"words": "x" * 141}, "too long"),
    ],
)
async def test_without_a_reason_the_name_stays_hidden(house: House, fields, words):
    answer = await house.post("/patients/open", patient=ONE.hex(), **fields)
    assert answer.status == 422 and words in await answer.text()
    assert house.witness.kept == []
    assert await names(house) == {"Okoro"}


async def test_a_reason_that_cannot_be_kept_shows_nothing(house: House):
    house.witness.full = True
    answer = await house.post("/patients/open", patient=ONE.hex(), words="his mother asks")
    assert answer.status == 503 and "could not be written" in await answer.text()
    assert await names(house) == {"Okoro"}


@pytest.mark.parametrize("patient", ["", "x", "0" * 31, "0" * 32, "f" * 32, "%00" * 16])
async def test_a_patient_nobody_knows_is_not_found(house: House, patient):
    assert (await house.get(f"/patients/open?patient={patient}")).status == 404
    assert (await house.post("/patients/open", patient=patient, reason="care")).status == 404


async def test_logins_and_failed_ones_are_kept_but_never_what_stood_in_a_wrong_field(house: House):
    await house.post("/logout")
    await house.get("/login")
    for name in ("LEAD", PASSWORD):
        await house.post("/login", name=name, password="not it at all")
    house.watch.ms += 60_000
    await house.post("/login", name="lead", password=PASSWORD)
    await house.post(
        "/account/password", old="wrong", password="x" * 3 + "yzabcdefgh", again="xxxyzabcdefgh"
    )

    assert house.witness.kept == [
        (What.LOGOUT, {"account": "lead"}),
        (What.FAILED_LOGIN, {"account": "lead"}),
        (What.FAILED_LOGIN, {"account": ""}),
        (What.LOGIN, {"account": "lead"}),
        (What.FAILED_LOGIN, {"account": "lead"}),
    ]


async def test_the_trail_is_a_page_with_codes_for_patients_and_the_age_of_each_trail(house: House):
    lines = (
        line(
            account="lead", patient=str(PatientId(ONE)), reason="handover", what="read_outside_team"
        ),
        line(reason="rows note", count=3, what="#99"),
        line(sealed=True, forked=True, what="seal"),
    )
    house.witness.page = AuditPage(3, lines)
    house.witness.all_trails = [
        trail(newest_ms=NOW_MS - 3 * HOUR),
        trail(held=3, whole=False),
        trail(forked=True, unreadable=2, whole=False),
    ]
    page = await (await house.get("/audit")).text()

    assert "K7M 001" in page and str(PatientId(ONE)) not in page and "Haddad" not in page
    for words in (
        "Read outside the team", "handover", "known to newer software", "×3", "sealed to others",
        "forked: written twice", "last 2 entries missing", "2 entries unreadable",
        "2 trails are not whole", "3 h ago",
    ):  # fmt: skip
        assert words in page, words


async def test_names_in_the_trail_are_text_alone(house: House):
    house.witness.page = AuditPage(
        1,
        (
            line(
                account=HOSTILE,
                person_name=HOSTILE,
                device_name=HOSTILE,
                org=HOSTILE,
                reason=HOSTILE,
            ),
        ),
    )
    house.witness.all_trails = [trail(device_name=HOSTILE, org=HOSTILE)]
    page = await (await house.get(f"/audit?person={'%3Cscript%3E'}&device=%22%3E")).text()
    assert "<script>" not in re.sub(r"<script src", "", page)
    assert not any(sign in page for sign in "\u202e\x1b\x00")


async def test_what_is_asked_of_the_trail_reaches_the_node_and_nonsense_does_not(house: House):
    await house.get(
        "/audit?since=2026-05-20&until=2026-05-20&what=export&person=j&device=t&offset=100"
    )
    await house.get("/audit?since=x&until=9999-12-31&what=breakfast&offset=-1")
    good, bad = house.witness.told
    assert good["until_ms"] - good["since_ms"] == 24 * HOUR
    assert (good["what"], good["person"], good["offset"]) == (["export"], "j", 100)
    assert (bad["what"], bad["offset"], "since_ms" in bad) == ([], 0, False)


def test_a_day_is_a_day_of_the_zone_on_the_page():
    from zoneinfo import ZoneInfo

    asked = AskedPage({"since": "2026-05-20"}, ZoneInfo("Africa/Bujumbura"))
    utc = AskedPage({"since": "2026-05-20"}, PageSettings().zone)
    assert utc.call()["since_ms"] - asked.call()["since_ms"] == 2 * HOUR


async def test_pages_of_the_trail_follow_each_other(house: House):
    house.witness.page = AuditPage(250, tuple(line() for _ in range(100)))
    page = await (await house.get("/audit?what=export&offset=100")).text()
    assert 'href="/audit?what=export&amp;offset=200"' in page
    assert 'href="/audit?what=export&amp;offset=0"' in page
