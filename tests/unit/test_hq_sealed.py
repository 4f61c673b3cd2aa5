"""A sealed HQ: its pages show no record, and say so instead of saying that nobody is in care."""

import re
from collections.abc import AsyncIterator

import pytest

from tests.unit.hq_book import TestBook, furnished
from tests.unit.test_hq_web import House, guarded, house_of


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


SHOWS_RECORDS = ("/", "/patients", "/results", "/devices", "/part/care", "/part/latest")


@pytest.mark.parametrize(("language", "said"), [("en", "This HQ is sealed"), ("fr", "scellé")])
async def test_a_sealed_hq_shows_no_record_and_says_so_instead_of_nobody_in_care(
    full: House, language, said
):
    asked = {"headers": {"Accept-Language": language}}
    before = await (await full.get("/patients", **asked)).text()
    assert "K7M" in before
    # The rows are still there: the page does not rely on their being gone.
    full.book.put("meta", name="closed", value=b"1")

    for path in SHOWS_RECORDS:
        answer = await full.get(path, **asked)
        page = await answer.text()
        assert answer.status == 200 and guarded(answer)
        assert "K7M" not in page, path
        assert (said in page) == (path != "/part/latest"), path
    assert not re.search(r"<strong>0</strong>", await (await full.get("/", **asked)).text())
    code = (1).to_bytes(16).hex()
    assert "K7M" not in await (await full.get(f"/patients/open?patient={code}", **asked)).text()
    counts = await (await full.get("/counts", **asked)).text()
    assert said in counts and "<td" not in counts
    for path in ("/organisations", "/members", "/quarantine", "/releases", "/audit", "/account"):
        answer = await full.get(path, **asked)
        assert answer.status == 200
        assert said in await answer.text(), path


async def test_an_hq_that_is_admitted_again_shows_its_records_again(full: House):
    full.book.put("meta", name="closed", value=b"1")
    assert "K7M" not in await (await full.get("/patients")).text()
    full.book.db.execute("DELETE FROM meta WHERE name = 'closed'")
    assert "K7M" in await (await full.get("/patients")).text()


async def test_whoever_is_not_logged_in_is_not_told_that_this_hq_is_sealed(house: House):
    house.book.put("meta", name="closed", value=b"1")
    page = await (await house.get("/login")).text()
    assert "sealed" not in page
    assert (await house.get("/")).status == 303
