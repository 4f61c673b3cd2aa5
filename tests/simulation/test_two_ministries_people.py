"""Persons, concerns, a hold and a device that came back, in the camp of the two ministries.

Each check is seen to fail with a bug planted in the real software.
"""

from __future__ import annotations

import pytest

from protocols.ledger import practice
from protocols.ledger.book import Ledger
from protocols.records import protection
from protocols.records.shape import Sensitivity
from protocols.sim.report import Result, in_words
from protocols.sim.scenarios import two_ministries
from protocols.trust import erasure, seals
from protocols.trust.sessions import NOBODY

CHECKS = {
    "persons_are_named",
    "acts_in_doubt_are_listed",
    "concerns_are_for_those_entitled",
    "a_hold_stops_an_erase",
    "readmitted_syncs",
}


def quiet() -> Result:
    return two_ministries.run(3, per_hour=8.0)


def failed(result: Result) -> set[str]:
    return {name for name, finding in result.checks.items() if not finding.ok}


def test_what_people_do_is_judged_with_all_the_rest():
    result = quiet()

    assert result.ok, in_words(result)
    assert set(result.checks) >= CHECKS
    holdings = result.as_dict()["holdings"]
    assert isinstance(holdings, list)
    nodes = {node["node"]: node for node in holdings}
    assert "safety" in nodes["jp-ward"]["reads"]
    assert "safety" not in nodes["jp-tablet"]["reads"]
    assert "safety" not in nodes["moh-hq"]["holds"]


@pytest.mark.slow
def test_software_that_forgets_who_sits_there_is_found(monkeypatch):
    honest = Ledger.write
    monkeypatch.setattr(
        Ledger,
        "write",
        lambda self, plan, wall_ms, entropy, session=NOBODY: honest(self, plan, wall_ms, entropy),
    )

    assert {"persons_are_named", "acts_in_doubt_are_listed"} <= failed(quiet())


@pytest.mark.slow
def test_acts_that_nobody_is_asked_to_look_at_again_are_found(monkeypatch):
    monkeypatch.setattr(practice, "_doubted", lambda ledger: iter(()))

    assert failed(quiet()) == {"acts_in_doubt_are_listed"}


@pytest.mark.slow
def test_acts_of_before_the_licence_ended_that_are_flagged_too_are_found(monkeypatch):
    honest = practice._acts
    monkeypatch.setattr(
        practice, "_acts", lambda ledger, person, since_ms, why: honest(ledger, person, 0, why)
    )

    assert failed(quiet()) == {"acts_in_doubt_are_listed"}


@pytest.mark.slow
def test_a_concern_written_among_the_care_is_found(monkeypatch):
    class Careless:
        PROTECTION = Sensitivity.IDENTIFIED

    monkeypatch.setattr(protection, "Sensitivity", Careless)

    assert "concerns_are_for_those_entitled" in failed(quiet())


@pytest.mark.slow
def test_an_erase_that_heeds_no_hold_is_found(monkeypatch):
    monkeypatch.setattr(erasure.Erasures, "_suspended", lambda *_: False)

    found = quiet().checks["a_hold_stops_an_erase"]
    assert not found.ok
    assert found.detail.startswith("erased against a hold at ")


@pytest.mark.slow
def test_a_hold_that_can_never_be_lifted_is_found(monkeypatch):
    monkeypatch.setattr(erasure.Erasures, "holds", lambda self, scope, who: list(self._holds))

    found = quiet().checks["a_hold_stops_an_erase"]
    assert not found.ok
    assert found.detail.startswith("still there after the hold was lifted")


@pytest.mark.slow
def test_a_seal_that_no_readmission_opens_is_found(monkeypatch):
    honest = seals.within

    def within(bound, feed, epoch, covers):
        return honest(bound, feed, b"", covers)

    monkeypatch.setattr("protocols.trust.seals.within", within)

    assert "readmitted_syncs" in failed(quiet())
