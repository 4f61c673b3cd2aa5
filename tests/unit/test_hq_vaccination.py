"""HQ's page of vaccination over real books: sums, coverage, doubles once, and no child's name."""

from __future__ import annotations

import asyncio
import csv
import io
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import pytest

from hq.registry import NodeRegistry, Vaccinations
from protocols.ledger import coverage, immunization, vials
from tests.unit.hq_registry import TestRegistry
from tests.unit.stage import WALL_MS, Device, Stage
from tests.unit.test_hq_belonging import text
from tests.unit.test_hq_web import House, house_of
from tests.unit.test_vaccination_book import BORN, Team, meet, two

FAMILY = "Nkurunziza"


class NodeBook:
    """A `Book` over a real node's store."""

    def __init__(self, device: Device) -> None:
        self.store = device.store
        self.told: asyncio.Queue[frozenset[str] | None] = asyncio.Queue()

    async def read(self, sql: str, params: Mapping[str, Any]) -> Sequence[tuple[Any, ...]]:
        return self.store.all(sql, params)

    async def ask(self, question: Any) -> Any:
        return question(self.store)

    async def write(self, sql: str, params: Mapping[str, Any]) -> int:
        return int(self.store.execute(sql, params).rowcount)

    async def changes(self) -> AsyncIterator[frozenset[str]]:
        while (tables := await self.told.get()) is not None:
            yield tables


class NodeSums(TestRegistry):
    """A registry that tells of doses what the node says."""

    def __init__(self, device: Device) -> None:
        super().__init__()
        self.ledger = device.ledger

    async def vaccinations(self) -> Vaccinations:
        found = immunization.doubts(self.ledger, immunization.in_doubt(self.ledger))
        return Vaccinations(coverage.beside(self.ledger, found.spare), found.doubled)


@pytest.fixture
def campaign() -> tuple[Team, Team]:
    """Two teams that met one child apart, a crowd, a vial wasted, reports, a dose taken back."""
    stage, ann, ben = two()
    site = ann("site.register", {"name": "Kome school"}).id
    target = [{"antigen": "measles", "number": 20, "band": 2}]
    mine = ann.session(site=site, targets=target, team=["R. Amin"])
    child = ann.child(family_name=FAMILY, given_name="Aline")
    meet(stage, ann, ben)
    theirs = ben.session(site=site)
    bottle, other = ann.vial(mine), ben.vial(theirs)
    ann.dose(child, vial=bottle, dose=1)
    first = ben.dose(child, vial=other, dose=1)
    ann.tally(mine, 1, 6)
    ann.tally(mine, 2)
    gone = ann.dose(ann.child(), vial=bottle)
    ann.retract(gone)
    ann("vial.discard", {"vial": bottle, "reason": "time-limit", "doses": 9})
    ben.dose(ben.child(birth_date=BORN), vial=other)
    for severity, symptom in (("minor", "fever"), ("serious", "anaphylaxis")):
        said = {"severity": severity, "symptoms": [symptom], "doses": [first], "text": FAMILY}
        ben("aefi.report", said, patient=child)
    meet(stage, ann, ben)
    return ann, ben


async def house_on(device: Device, registry: TestRegistry | None = None) -> House:
    """The page of a real node."""
    book: Any = NodeBook(device)
    return await house_of(book, registry=registry or NodeSums(device))


@pytest.fixture
async def house(campaign: tuple[Team, Team]) -> AsyncIterator[House]:
    device = campaign[0].device
    made = await house_on(device)
    await made.enter()
    yield made
    await made.client.close()


def test_asked_over_another_connection_every_sum_is_the_same(campaign: tuple[Team, Team]):
    for team in campaign:
        ledger = team.device.ledger
        found = immunization.doubts(ledger, immunization.in_doubt(ledger))
        beside = coverage.beside(ledger, found.spare)

        assert found.spare == immunization.not_counted(ledger) and len(found.spare) == 1
        assert list(found.doubled) == immunization.doubled(ledger)
        assert coverage.counts(beside) == coverage.counts(ledger)
        assert coverage.coverage(beside) == coverage.coverage(ledger)
        assert coverage.drop_out(beside) == coverage.drop_out(ledger)
        every = [row.id for row in beside.plans[""].schedule.series]
        assert coverage.zero_doses(beside, every) == coverage.zero_doses(ledger, every)
        assert vials.wastage(beside, WALL_MS) == vials.wastage(ledger, WALL_MS)
        (told,) = vials.wastage(beside, WALL_MS)
        each = vials.vials(ledger, WALL_MS)
        assert told[1:5] == (
            len(each), sum(v.doses for v in each), sum(v.drawn for v in each),
            sum(v.wasted for v in each),
        )  # fmt: skip


async def test_a_child_of_two_teams_counts_once_and_is_listed(house: House):
    page = await text(house, "/vaccination")

    # One child once, another, and seven in tallies: nine of twenty against measles.
    assert "9 of 20: <b>45 %</b>" in page
    assert "2 by name, 7 in tallies" in page
    # Against two diseases each, and still nine doses.
    assert "9 doses are counted: 2 by name, 7 in crowd tallies" in page
    assert "1 case may be one dose written twice; it counts once" in page
    assert page.count("(counted)") == 1 and "both say to be the same dose" in page


async def test_vials_zero_dose_and_reports_are_told_serious_first(house: House):
    page = await text(house, "/vaccination")

    assert "20 doses in 2 vials" in page and "open too long 9" in page
    assert "children" in page and "NOT APPROVED" in page
    assert page.index("anaphylaxis") < page.index("fever")
    assert "serious: <b>1</b>" in page


async def test_safety_no_child_is_named_on_the_page_or_in_the_table(house: House):
    for path in ("/vaccination", "/part/vaccination", "/vaccination.csv"):
        answer = await house.get(path)
        assert answer.status == 200
        said = await answer.text()
        assert FAMILY not in said and "Aline" not in said, path


async def test_the_table_has_a_line_a_day_site_and_antigen(house: House):
    found = list(csv.DictReader(io.StringIO(await (await house.get("/vaccination.csv")).text())))

    measles = [line for line in found if line["antigen"] == "measles"]
    assert [(line["site_name"], line["doses_by_name"], line["doses_tallied"], line["doses"],
             line["site_target"], line["site_coverage_percent"]) for line in measles] == [
        ("Kome school", "2", "7", "9", "20", "45")
    ]  # fmt: skip
    assert {line["antigen"] for line in found} == {"measles", "rubella"}


@pytest.mark.parametrize(
    ("query", "lines"),
    [("?antigen=measles", 1), ("?antigen=none", 0), (f"?site={'0' * 32}", 0),
     ("?day=2026-99-99&site=x&offset=y", 2)],
)  # fmt: skip
async def test_lines_are_chosen_by_antigen_and_site(house: House, query, lines):
    page = await text(house, "/vaccination" + query)

    assert page.count(' data-label="Of these"') == 2 * lines


async def test_it_is_there_in_french(house: House):
    page = await text(house, "/vaccination", "fr")

    assert "Vaccination, telle que connue" in page and "9 sur 20 : <b>45 %</b>" in page


async def test_what_does_not_stand_is_in_no_sum_and_said(campaign: tuple[Team, Team]):
    device = campaign[0].device
    device.store.execute("UPDATE tally SET standing = 1 WHERE n = 6")
    made = await house_on(device)
    await made.enter()

    page = await text(made, "/vaccination")

    assert "6 doses are not counted" in page and "2 by name, 1 in tallies" in page
    await made.client.close()


async def test_a_combined_dose_is_one_dose_and_reaches_every_disease_it_is_against():
    _, ann, _ = two()
    session = ann.session(vaccines=["penta"])
    ann.dose(ann.child(), vaccine="penta", session=session)
    ann.child()
    made = await house_on(ann.device)
    await made.enter()

    page = await text(made, "/vaccination")
    table = list(csv.DictReader(io.StringIO(await (await made.get("/vaccination.csv")).text())))

    assert "1 dose is counted: 1 by name, 0 in crowd tallies" in page
    series = page[page.index('id="zero-title"') :]
    rows = re.findall(r"<bdi>([^<]*)</bdi></th>\s*<td[^>]*>([^<]*)</td>\s*<td[^>]*>([^<]*)", series)
    said = {name: (none, dropped) for name, none, dropped in rows}
    hib = next(name for name in said if "Hib" in name and "booster" not in name)
    diseases = [hib, *(name for name in said if name.startswith(("Hepatitis B", "Diphtheria")))]
    assert len(diseases) == 3
    for name in diseases:
        assert said[name][0].startswith("1 of 2") and said[name][1].startswith("1 began"), said
    # What a session gave is told by disease, each of them against one dose.
    assert {line["antigen"]: line["doses"] for line in table} == dict.fromkeys(
        ("diphtheria", "tetanus", "pertussis", "hepatitis-b", "hib"), "1"
    )
    await made.client.close()


class Calling:
    """What a registry asks of a service, answered by a node at once."""

    def __init__(self, stage: Stage, device: Device) -> None:
        self.stage, self.device = stage, device

    async def call(self, run: Any) -> Any:
        return run(self.device.node, self.stage.now(self.device))[0]


async def test_what_a_running_hq_tells_of_doses_counts_a_doubled_one_once(
    campaign: tuple[Team, Team],
):
    device = campaign[0].device
    registry: Any = NodeRegistry(Calling(Stage(), device))  # type: ignore[arg-type]

    told, asked = await registry.vaccinations(), await NodeSums(device).vaccinations()

    assert told.doubled == asked.doubled and len(told.doubled) == 1
    assert coverage.counts(told.beside) == coverage.counts(asked.beside)
    assert sum(each.doses for each in coverage.counts(told.beside)) == 9
