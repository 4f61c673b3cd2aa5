"""HQ's page of vaccination tells what sessions gave beside vaccines, in a table of its own."""

from __future__ import annotations

import csv
import io

import pytest

from tests.unit.test_hq_belonging import text
from tests.unit.test_hq_vaccination import house_on
from tests.unit.test_vaccination_book import meet, two

CELLS = [{"vaccine": "mr", "dose": 1, "band": 2}, {"intervention": "vitamin-a", "band": 2}]


@pytest.fixture
async def house():
    """Two teams gave one child vitamin A apart, one a crowd of seven, and one measured an arm."""
    stage, ann, ben = two()
    site = ann("site.register", {"name": "Kome school"}).id
    more = {"interventions": ["vitamin-a", "muac"], "cells": CELLS, "place": "Under the tree"}
    child = ann.child(family_name="Nkurunziza")
    meet(stage, ann, ben)
    for team in (ann, ben):
        session = team.session(site=site, **more)
        of = {"session": session, "intervention": "vitamin-a"}
        team("administration.record", of, patient=child)
        if team is ann:
            team.tally(session, 2, 7)
            arm = {"code": "muac", "value": "112", "unit": "mm", "session": session}
            team("observation.record", arm | {"intervention": "muac"}, patient=child)
    meet(stage, ann, ben)
    made = await house_on(ann.device)
    await made.enter()
    yield made
    await made.client.close()


@pytest.mark.safety(12)
async def test_it_is_told_apart_from_doses_and_is_in_no_coverage(house):
    page = await text(house, "/vaccination")

    assert "Other interventions" in page and "None of it is a dose" in page
    assert "0 doses are counted: 0 by name, 0 in crowd tallies" in page
    assert "Vitamin A" in page and "Upper arm (MUAC)" in page and "Under the tree" in page
    assert "1 may be one written or given twice" in page
    assert "Nkurunziza" not in page


async def test_the_table_has_a_line_a_session_day_and_intervention(house):
    answer = await house.get("/interventions.csv")
    found = list(csv.DictReader(io.StringIO(await answer.text())))

    said = sorted((one["intervention"], one["by_name"], one["tallied"], one["number"],
                   one["maybe_twice"]) for one in found)  # fmt: skip
    assert said == [
        ("muac", "1", "0", "1", "0"),
        ("vitamin-a", "1", "0", "1", "1"),
        ("vitamin-a", "1", "7", "8", "1"),
    ]
    assert {one["site_name"] for one in found} == {"Kome school"}
    assert "Nkurunziza" not in str(found)


@pytest.mark.parametrize(("query", "lines"), [("?day=2001-01-01", 0), (f"?site={'0' * 32}", 0)])
async def test_lines_are_chosen_by_site_and_day(house, query, lines):
    answer = await house.get(f"/interventions.csv{query}")

    assert len(list(csv.DictReader(io.StringIO(await answer.text())))) == lines


async def test_it_is_there_in_french(house):
    page = await text(house, "/vaccination", "fr")

    assert "Autres interventions" in page and "Vitamine A" in page


async def test_a_page_without_any_says_nothing_of_it():
    _, ann, _ = two()
    ann.dose(ann.child(), session=ann.session())
    made = await house_on(ann.device)
    await made.enter()

    assert "Other interventions" not in await text(made, "/vaccination")
    await made.client.close()
