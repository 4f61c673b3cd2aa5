"""HQ's page of guideline packs: who works by which version, and who has not said so."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from hq.packs import by_name, named
from protocols.live.guidance import PackLine, PackPage, PackUser
from tests.screens.fake_guidance import published_packs
from tests.unit.hq_book import TestBook
from tests.unit.hq_registry import TestRegistry, ordered
from tests.unit.test_hq_belonging import text
from tests.unit.test_hq_web import HOSTILE, House, house_of

SILENT = (PackUser("dev_S", "tent-quiet", None),)
ELSEWHERE = (PackUser("dev_E", "tent-old", "2026-05-01T00:00:00Z"),)


@pytest.fixture
async def house() -> AsyncIterator[House]:
    registry = ordered(TestRegistry())
    registry.pack_page = PackPage(tuple(published_packs()), ELSEWHERE, SILENT)
    made = await house_of(TestBook(), registry=registry)
    await made.enter()
    yield made
    await made.client.close()


async def test_each_version_says_who_gave_it_out_who_approved_it_and_who_works_by_it(house: House):
    page = await text(house, "/packs")

    for words in ("cholera-c", "MoH", "Dr. Silva, clinical lead", "8 devices", "tent-0", "tent-7",
                  "the software", "tent-9", "1 device"):  # fmt: skip
        assert words in page, words


async def test_where_devices_differ_the_pack_says_so_and_comes_first(house: House):
    page = await text(house, "/packs")

    assert page.count(">devices differ<") == 1
    assert page.index("cholera-c") < page.index("dehydration")


async def test_safety_8_what_nobody_approved_says_so(house: House):
    page = await text(house, "/packs")

    assert page.count("NOT APPROVED") == sum(
        not line.approved for pack in by_name(tuple(published_packs())) for line in pack.versions
    )


async def test_who_has_not_said_and_who_has_other_software_is_named(house: House):
    page = await text(house, "/packs")

    assert "1 device has not said what it works by:" in page and "tent-quiet" in page
    assert "1 device has software that brings other packs:" in page and "tent-old" in page


async def test_it_is_there_in_french_and_the_pages_beside_it_link_it(house: House):
    page = await text(house, "/packs", "fr")

    assert "Protocoles et listes" in page and "NON APPROUVÉ" in page
    assert 'href="/packs"' in await text(house, "/organisations")


async def test_hostile_names_are_only_text(house: House):
    hostile = HOSTILE
    users = (PackUser(hostile, hostile, None),) * 20
    line = PackLine(hostile, hostile, hostile, hostile, hostile, hostile, False, True, "", True,
                    hostile, None, users)  # fmt: skip
    house.registry.pack_page = PackPage((line,), users, users)
    page = await text(house, "/packs")

    assert "<script>alert" not in page and "<img" not in page
    assert "and 8 more" in page


def test_versions_nobody_works_by_are_counted_and_the_one_in_use_is_always_shown():
    first = by_name(tuple(published_packs()))[0]

    assert [line.version for line in first.versions] == ["2", "1"]
    assert (first.split, first.idle) == (True, 1)
    assert named(()) == ((), 0)
