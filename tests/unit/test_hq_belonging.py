"""HQ's pages about who belongs: each number with its age, and seals that take two pages."""

import re
from collections.abc import AsyncIterator

import msgspec
import pytest

from fieldnode.tui.cores import sealing
from hq.belonging import DEVICE_REASONS, PERSON_REASONS
from protocols.live.belonging import LinkRefused, ReviewPage
from tests.screens.fake_trust import roster
from tests.unit.hq_book import HOUR, NOW_MS, TestBook
from tests.unit.hq_registry import TestRegistry, hostile_registry, ordered
from tests.unit.test_hq_web import HOSTILE, House, house_of

PAGES = ("/organisations", "/members", "/quarantine", "/releases", "/counts", "/reviews")
TABLET = "dev_NORD-A00"
KENYA = "dev_HQNAIROB"
CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@pytest.fixture
async def house() -> AsyncIterator[House]:
    made = await house_of(TestBook(), registry=ordered(TestRegistry()))
    await made.enter()
    yield made
    await made.client.close()


async def text(house: House, path: str, language: str = "en") -> str:
    answer = await house.get(path, headers={"Accept-Language": language})
    assert answer.status == 200, path
    return await answer.text()


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("path", [*PAGES, f"/members/seal?member={TABLET}",
                                  "/quarantine/extend?seal=ent_LOST",
                                  "/reviews/act?fact=fct_r1.0"])  # fmt: skip
async def test_every_page_is_there_in_both_languages_and_links_the_others(
    house: House, path, language
):
    page = await text(house, path, language)
    if path in PAGES:
        for other in (*PAGES, "/audit"):
            assert f'href="{other}"' in page
    assert f'<html lang="{language}">' in page


async def test_organisations_say_fingerprint_and_how_old_what_is_known_is(house: House):
    page = await text(house, "/organisations")

    for words in ("Ministry of Health", "SVWX-SVWX-SVWX-SVWX", "Sierra Victor Whiskey Xray",
                  "Who decides", "2 d ago", "may not leave", "carry it, cannot"):  # fmt: skip
        assert words in page, words
    assert page.count("data-ms=") >= 3 * 2 + 4
    assert "never" in page, "an issuer that no entry came from"


async def test_devices_and_people_have_a_button_only_where_hq_may_seal(house: House):
    page = await text(house, "/members")
    able = {each.id for each in roster(NOW_MS) if not each.why_not}

    assert set(re.findall(r'name="member" value="([^"]+)"', page)) == able
    assert "It is of another organisation." in page and "Issuer KE" in page
    assert "Newest" not in page and "As known from other devices" in page


async def test_the_list_of_acts_says_who_when_why_and_what_came_of_it(house: House):
    page = await text(house, "/reviews")

    for words in ("Note", "Jun Cho", "nord-a", "licence ended", "ACD EFH 001", "nobody looked yet",
                  "2 acts nobody", "put right in the chart", "R. Amin", "by weight"):  # fmt: skip
        assert words in page, words
    assert page.count('name="fact"') == 3


async def test_a_review_is_kept_with_the_account_and_shown(house: House):
    said = {"fact": "fct_r1.0", "outcome": "follow_up", "note": "not seen since"}
    done = await house.post("/reviews/act", **said)

    assert (done.status, done.headers["Location"]) == (303, "/reviews?done=follow_up")
    assert house.registry.trust.reviewed == [("fct_r1.0", "follow_up", "not seen since")]
    assert house.registry.accounts == ["lead"]
    assert "not seen since" in await text(house, "/reviews")


async def test_a_review_without_an_outcome_or_of_nothing_listed_is_refused(house: House):
    lacking = await house.post("/reviews/act", fact="fct_r1.0", outcome="", note="")
    long = await house.post("/reviews/act", fact="fct_r1.0", outcome="stands", note="x" * 101)
    gone = await house.post("/reviews/act", fact="fct_zz.0", outcome="stands", note="")
    house.registry.full = True
    full = await house.post("/reviews/act", fact="fct_r1.0", outcome="stands", note="")

    assert (lacking.status, long.status, gone.status, full.status) == (422, 422, 404, 503)
    assert house.registry.trust.reviewed == []
    assert (await house.get("/reviews/act?fact=<b>")).status == 404


async def test_where_hq_may_not_review_the_page_names_who_may(house: House):
    held = house.registry.trust.reviews
    house.registry.trust.reviews = msgspec.structs.replace(
        held, why_not="review_rank", ask=("Issuer KE",)
    )
    page = await text(house, "/reviews")

    assert "Issuer KE" in page and 'name="fact"' not in page
    assert "<form method" not in (await text(house, "/reviews/act?fact=fct_r1.0")).split("Ask:")[1]


async def test_where_hq_may_seal_nobody_it_says_so(house: House):
    house.registry.trust.known = msgspec.structs.replace(house.registry.trust.known, may_seal=False)
    assert "may seal nobody" in await text(house, "/members")


async def test_a_seal_takes_two_pages_and_the_trail_is_told_the_account(house: House):
    sure = await house.post(
        "/members/seal", member=TABLET, reason="lost", since="2023-11-14T20:13", note="bus"
    )
    said = await sure.text()
    assert sure.status == 200 and house.registry.trust.sealed == []
    for words in ("Seal this?", "nord-a", "119 entries", "12 entries since then", "bus"):
        assert words in said, words

    done = await house.post(
        "/members/seal/do", member=TABLET, reason="lost", since="2023-11-14T20:13", note="bus"
    )
    assert (done.status, done.headers["Location"]) == (303, "/members?done=lost")
    (sealed,) = house.registry.trust.sealed
    assert sealed == {
        "member": TABLET, "reason": "lost", "since_ms": NOW_MS - 2 * HOUR - 20_000,
        "roles": [], "note": "bus",
    }  # fmt: skip
    assert house.registry.accounts == ["lead"]
    assert "Sealed: lost" in await text(house, "/members?done=lost")


@pytest.mark.parametrize("path", ["/members/seal", "/members/seal/do"])
@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "Say why."),
        ({"reason": "boredom"}, "Say why."),
        ({"reason": "lost", "since": "noon"}, "not a time"),
        ({"reason": "lost", "since": "2099-01-01T00:00"}, "not come yet"),
        ({"reason": "lost", "since": "2023-11-14T20:13+09:00"}, "not a time"),
        ({"reason": "role_reduced"}, "as what it may go on"),
        ({"reason": "lost", "note": "x" * 201}, "too long"),
    ],
)
async def test_what_is_missing_is_said_and_nothing_is_sealed(house: House, path, fields, words):
    answer = await house.post(path, member=TABLET, **fields)

    assert answer.status == 422 and words in await answer.text()
    assert house.registry.trust.sealed == []


async def test_a_reduction_names_the_roles_that_stay(house: House):
    fields = {"member": "dev_AMINAOKO", "reason": "role_reduced", "roles": "triage"}
    assert "triage" in await (await house.post("/members/seal", **fields)).text()
    await house.post("/members/seal/do", **fields)
    assert house.registry.trust.sealed[0]["roles"] == ["triage"]


async def test_roles_sent_with_another_reason_reduce_nothing(house: House):
    await house.post("/members/seal/do", member=TABLET, reason="lost", roles="clinic")
    assert house.registry.trust.sealed[0]["roles"] == []


async def test_whom_hq_may_not_seal_it_offers_no_form_for(house: House):
    page = await text(house, f"/members/seal?member={KENYA}")
    assert "another organisation" in page and 'action="/members/seal"' not in page
    for path in ("/members/seal", "/members/seal/do"):
        answer = await house.post(path, member=KENYA, reason="lost")
        assert answer.status == 422 and "would not count" in await answer.text()


@pytest.mark.parametrize("path", ["/members/seal", "/members/seal/do"])
@pytest.mark.parametrize("member", ["", "nord-a", "dev_NOBODY", "dev_%00", "x" * 500, HOSTILE])
async def test_a_member_nobody_knows_is_not_found(house: House, path, member):
    assert (await house.get(f"/members/seal?member={member[:40]}")).status == 404
    assert (await house.post(path, member=member, reason="lost")).status == 404


async def test_a_device_that_is_called_like_an_id_is_not_sealed_for_another(house: House):
    called = msgspec.structs.replace(house.registry.trust.members[2], name="dev_SOMEBODY")
    house.registry.trust.members[2] = called
    answer = await house.post("/members/seal/do", member="dev_SOMEBODY", reason="lost")
    assert answer.status == 404 and house.registry.trust.sealed == []


async def test_a_form_without_its_token_or_from_elsewhere_seals_nothing(house: House):
    fields = {"member": TABLET, "reason": "lost"}
    assert (await house.post("/members/seal/do", form="0" * 32, **fields)).status == 403
    for origin in ("http://elsewhere.example", "null", None):
        answer = await house.post("/members/seal/do", origin=origin, **fields)
        assert answer.status == 403
    assert (await house.get("/members/seal/do")).status == 405
    assert house.registry.trust.sealed == []


async def test_a_disk_that_takes_nothing_seals_nothing_and_says_so(house: House):
    house.registry.full = True
    answer = await house.post("/members/seal/do", member=TABLET, reason="lost")
    assert answer.status == 503 and "nothing was changed" in await answer.text()


async def test_what_seals_keep_back_is_let_count_by_two_pages_and_only_as_much_as_was_shown(
    house: House,
):
    assert "12" in await text(house, "/quarantine")
    asked = await text(house, "/quarantine/extend?seal=ent_LOST")
    assert "15 entries will count again" in asked and "of a feed the seal does not name" in asked

    for entries in ("14", "", "x", "-1", "1" * 40):
        answer = await house.post("/quarantine/extend", seal="ent_LOST", entries=entries)
        assert answer.status == 409 and "Look again" in await answer.text()
    done = await house.post("/quarantine/extend", seal="ent_LOST", entries="15")
    assert (done.status, done.headers["Location"]) == (303, "/quarantine?done=15")
    assert house.registry.trust.extended == [("ent_LOST", 15)]
    assert house.registry.accounts[-1] == "lead"
    assert "15 entries count again" in await text(house, "/quarantine?done=15")
    assert (await house.get("/quarantine/extend?seal=ent_LOST")).status == 404


async def test_what_another_organisation_has_to_decide_has_no_button(house: House):
    page = await text(house, "/quarantine")
    assert re.findall(r'name="seal" value="([^"]+)"', page) == ["ent_LOST"] * 2
    assert "HQ Nairobi" in page
    asked = await text(house, "/quarantine/extend?seal=ent_KE")
    assert "<button" not in asked.partition("<main")[2]


async def test_quarantine_lists_authors_seals_that_do_not_count_and_forks(house: House):
    page = await text(house, "/quarantine")
    for words in ("the role does not allow", "not admitted", "person unchecked", "Amina Okoro",
                  "does not count", "2 histories", "more entries of this kind"):  # fmt: skip
        assert words in page, words


@pytest.mark.parametrize(
    ("language", "said"), [("en", "Have a coordinator admit it."), ("fr", "Faites-le admettre")]
)
async def test_links_that_were_refused_say_why_and_what_to_do(house: House, language, said):
    refused = LinkRefused("unknown_device", "", "", "192.0.2.7", 3, NOW_MS)
    trust = house.registry.trust
    trust.apart = msgspec.structs.replace(trust.apart, links=(refused,))
    asked = {"headers": {"Accept-Language": language}}
    page = await (await house.get("/quarantine", **asked)).text()
    assert "192.0.2.7" in page and said in page
    assert ("refused 3 times" in page) == (language == "en")


async def test_erases_and_releases_say_who_has_and_who_has_not(house: House):
    page = await text(house, "/releases")
    for words in ("Japan Relief Team", "MoU 2026, art. 4", "transfer", "does not count",
                  "the person asked", "tablet 7", "last link", "legal hold on 2 entries",
                  "4 entries came late", "#9", "2 documents"):  # fmt: skip
        assert words in page, words


@pytest.mark.parametrize("path", PAGES)
async def test_an_empty_operation_is_said_in_words(path):
    registry = TestRegistry()
    trust = registry.trust
    trust.members = []
    trust.known = msgspec.structs.replace(
        trust.known, orgs=(), coordinators=(), scopes=(), control_ms=0, control_from=""
    )
    trust.apart = msgspec.structs.replace(trust.apart, kept=(), seals=(), authors=(), forks=())
    trust.reviews = ReviewPage(0, 0, ())
    registry.count_lines = []
    house = await house_of(TestBook(), registry=registry)
    await house.enter()
    assert 'class="empty"' in await text(house, path)
    await house.client.close()


@pytest.mark.parametrize(
    "path", [*PAGES, "/members/seal?member=dev_1", "/quarantine/extend?seal=ent_1"]
)
async def test_names_of_others_are_text_alone(path):
    house = await house_of(TestBook(), registry=hostile_registry(HOSTILE))
    await house.enter()
    page = await text(house, path)
    assert "<script>alert" not in page and "<img" not in page
    assert not CONTROLS.search(page)
    assert "&lt;script&gt;alert(1)" in page
    await house.client.close()


async def test_a_form_full_of_signs_is_shown_as_text(house: House):
    fields = {"member": TABLET, "reason": "lost", "note": HOSTILE}
    page = await (await house.post("/members/seal", **fields)).text()
    assert "<script>alert" not in page and "&lt;script&gt;" in page and not CONTROLS.search(page)


async def test_a_long_roster_comes_by_pages_and_by_words(house: House):
    one = house.registry.trust.members[1]
    house.registry.trust.members = [
        msgspec.structs.replace(one, id=f"dev_{number:04}", name=f"tablet {number:04}")
        for number in range(250)
    ]
    first = await text(house, "/members")
    assert "1 to 100 of 250" in first and 'href="/members?offset=100"' in first
    last = await text(house, "/members?offset=200&text=tablet")
    assert "201 to 250 of 250" in last and "offset=100" in last and 'rel="next"' not in last
    assert "Nobody matches" in await text(house, "/members?offset=9999999")


async def test_pages_that_are_decided_on_do_not_reload_themselves(house: House):
    for path in (f"/members/seal?member={TABLET}", "/quarantine/extend?seal=ent_LOST"):
        assert "http-equiv" not in await text(house, path)
    assert 'http-equiv="refresh"' in await text(house, "/members")


def test_reasons_are_those_of_the_terminal():
    assert tuple(each.name for each in sealing.DEVICE_REASONS) == DEVICE_REASONS
    assert tuple(each.name for each in sealing.PERSON_REASONS) == PERSON_REASONS


async def test_counts_say_whose_law_and_mark_what_is_left_out(house: House):
    page = await text(house, "/counts")
    for part in (
        "Here, under the law of <bdi>CH</bdi>: 9",
        "From <bdi>KE</bdi>: 31",
        "From <bdi>JP</bdi>: &lt;5",
        "nothing below five may be told",
        "female, pregnant",
        "not stated",
    ):
        assert part in page, part
    rows = re.findall(r"<tr>.*?</tr>", page, re.S)
    assert sum("&lt;5" in row for row in rows) == 2


async def test_counts_are_said_in_french_too(house: House):
    page = await text(house, "/counts", language="fr")
    assert "femme enceinte" in page and "rien sous cinq" in page and "moins de 1 an" in page
