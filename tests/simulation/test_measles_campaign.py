"""The measles campaign: stock and doses reconcile to the unit, and the drill notices when not."""

import json

import pytest

from protocols.ledger import interventions
from protocols.records import intervention, movement, recall, stopped
from protocols.records.kinds import KindNo
from protocols.sim.report import Result
from protocols.sim.scenarios import measles_campaign


def run(seed=1) -> Result:
    return measles_campaign.run(seed, teams=6, children=6)


@pytest.fixture(scope="module")
def result() -> Result:
    return run()


def failed(result):
    return {name for name, finding in result.checks.items() if not finding.ok}


def test_stock_and_doses_are_what_happened_on_the_ground(result: Result):
    assert failed(result) == set()
    told = json.loads(json.dumps(result.as_dict()))
    assert told["movements"]["expected"] == told["movements"]["found"] > 0
    assert told["doses"]["given"] == told["doses"]["counted"] == 84
    assert told["vitamin_a"]["given"] == told["vitamin_a"]["counted"] > 0


def test_it_met_what_it_is_there_for(result: Result):
    """Children written down twice, a recall that raced, vaccine sent behind a cut."""
    assert int(result.checks["children_met_twice_are_listed"].detail.split()[0]) > 0
    assert int(result.checks["no_vial_after_the_recall"].detail.split()[0]) > 0
    assert result.notes["refused_lot_recalled"] > 0
    assert int(result.checks["vitamin_a_is_what_was_given"].detail.split()[2]) > 0, "by two teams"


@pytest.mark.slow
def test_the_same_seed_gives_the_same_trace(result: Result):
    assert run().trace_hash == result.trace_hash


@pytest.mark.slow
def test_it_notices_vials_that_take_nothing_from_their_store(monkeypatch):
    monkeypatch.delitem(movement.FOLLOWERS, KindNo.VIAL_OPEN)
    assert "stock_is_what_lies_there" in failed(run())


@pytest.mark.slow
def test_it_notices_doses_that_count_twice(monkeypatch):
    monkeypatch.setattr(measles_campaign, "not_counted", lambda ledger: set())
    assert failed(run()) == {"doses_are_what_was_given"}


@pytest.mark.slow
def test_it_notices_vitamin_a_that_is_not_what_was_given(monkeypatch):
    """That takes nothing from its store, that is not marked where two gave it, that is lost."""
    with monkeypatch.context() as planted:
        planted.delitem(movement.FOLLOWERS, KindNo.ADMINISTRATION_RECORD)
        assert failed(run()) == {"vitamin_a_is_what_was_given"}
    with monkeypatch.context() as planted:
        planted.setattr(intervention, "duplicates", lambda history: [])
        assert failed(run()) == {"vitamin_a_is_what_was_given"}
    counts = interventions.counts
    monkeypatch.setattr(interventions, "counts", lambda ledger: counts(ledger)[1:])
    assert failed(run()) == {"vitamin_a_is_what_was_given"}


@pytest.mark.slow
def test_it_notices_a_recall_that_stops_nobody(monkeypatch):
    monkeypatch.setattr(recall, "recalls", lambda view, item, lot: [])
    monkeypatch.setattr(stopped, "standing", lambda view, item, lot: [])
    assert "no_vial_after_the_recall" in failed(run())


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 6))
def test_the_whole_campaign(seed):
    assert failed(measles_campaign.run(seed)) == set()
