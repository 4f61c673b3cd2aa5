"""What another jurisdiction is told of counts: sums from five on, and never a single encounter."""

from __future__ import annotations

import pytest

from protocols.ids import ScopeId
from protocols.ledger.counting import Counts, counts
from protocols.live import answers, counting
from protocols.records.suppressed import Left
from protocols.trust.certificates import Rank
from protocols.trust.charter import Scope, Sensitivity
from tests.unit.camps import CARE, CARE_ROLE, HQ_ROLE, Camp, know, new_key
from tests.unit.stage import Device, Stage, line

SUMS = Scope(b"sums" * 4, "sums", Sensitivity.AGGREGATE, (), True, (CARE_ROLE, HQ_ROLE))


@pytest.fixture
def camp() -> tuple[Stage, Device, Device, Device]:
    """Ann and Ben of Kenya, Hal of Japan who reads counts; all share the aggregate scope."""
    camp = Camp(CARE, SUMS)
    ann = camp.device("ann", "ministry", rank=Rank.COORDINATOR)
    ben = camp.device("ben", "ministry")
    hal = camp.device("hal", "japan", rank=Rank.COORDINATOR)
    know(ann, ben, hal)
    for scope in (CARE, SUMS):
        new_key(ann, ScopeId(scope.id))
    stage = Stage()
    stage.link(ann, ben)
    stage.link(ann, hal)
    stage.run(3_000)
    return stage, ann, ben, hal


def seen(stage: Stage, device: Device, *categories: str) -> None:
    for category in categories:
        data = {"category": category, "sex": "female", "band": 4}
        assert stage.write(device, line("triage.record", data))[0].ok
    stage.run(3_000)


def told(device: Device) -> dict[str, Counts]:
    device.ledger.catch_up_all()
    return {each.jurisdiction: each for each in counts(device.ledger)}


def listed(device: Device) -> list[dict[str, object]]:
    """Every row of the table, page by page of two."""
    rows, cursor = [], 0
    while page := answers.rows_page(device.ledger, "counted", cursor, 2)["rows"]:
        rows += page
        cursor = page[-1]["cursor"]
    return rows


def test_at_home_everything_is_told(camp: tuple[Stage, Device, Device, Device]):
    stage, ann, ben, _ = camp
    seen(stage, ann, "red", "red", "green")
    for each in (ann, ben):
        (own,) = told(each).values()
        assert own.home and own.left.total == 3
        assert own.left.margins["category"] == {"red": 2, "green": 1}
        assert len(listed(each)) == 3


def test_fewer_than_five_are_not_told_abroad(camp: tuple[Stage, Device, Device, Device]):
    stage, ann, _, hal = camp
    seen(stage, ann, "red", "red", "green", "green")
    (away,) = told(hal).values()
    assert not away.home and away.left == Left(None, dict.fromkeys(away.left.margins))
    assert hal.store.one("SELECT count(*) FROM counted") == (4,)
    assert listed(hal) == []


def test_abroad_small_counts_are_hidden_and_each_law_is_told_apart(
    camp: tuple[Stage, Device, Device, Device],
):
    stage, ann, ben, hal = camp
    seen(stage, ann, *["green"] * 6, "red")
    seen(stage, ben, *["green"] * 6)
    seen(stage, hal, "red", "yellow")
    found = told(hal)
    assert list(found) == ["JP", "KE"] and found["JP"].home
    assert found["JP"].left.margins["category"] == {"red": 1, "yellow": 1}
    assert found["KE"].left.total == 13
    assert found["KE"].left.margins["category"] == {"green": None, "red": None}
    assert found["KE"].left.margins["sex"] == {2: 13}
    assert len(listed(hal)) == 2 and len(listed(ann)) == 13
    assert told(ann)["JP"].left.total is None


def test_what_is_restated_abroad_stays_under_the_law_it_was_founded_under(
    camp: tuple[Stage, Device, Device, Device],
):
    stage, ann, _, hal = camp
    seen(stage, ann, "red")
    code = ann.store.one("SELECT code FROM patient")[0]
    assert stage.write(hal, line("triage.record", {"category": "green"}, patient=code))[0].ok
    stage.run(3_000)
    (away,) = told(hal).values()
    assert (away.jurisdiction, away.home, away.left.total) == ("KE", False, None)
    (own,) = told(ann).values()
    assert own.home and own.left.margins["category"] == {"green": 1}


def test_the_call_tells_values_in_words_and_in_order(camp: tuple[Stage, Device, Device, Device]):
    stage, ann, _, hal = camp
    seen(stage, ann, *["green"] * 6)
    listed = counting.listed(ann.node, stage.now(ann), {})
    assert isinstance(listed, list)
    (told_home,) = listed
    assert told_home.by["category"] == [("green", 6)]
    assert told_home.by["sex"] == [("female", 6)]
    assert told_home.by["band"] == [("18-64 y", 6)]
    assert told_home.by["outcome"] == [("unstated", 6)]
    ((day, n),) = told_home.by["day"]
    assert day == "2026-09-21" and n == 6
