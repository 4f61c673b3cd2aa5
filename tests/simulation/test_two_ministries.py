"""Two organisations and a relay organisation: the whole drill, and with bugs planted in it."""

from __future__ import annotations

import json
import sys

import pytest

from protocols.ledger import releasing
from protocols.ledger.authority import Authority
from protocols.ledger.book import Ledger
from protocols.ledger.erasing import Eraser
from protocols.mesh.entitlement import Entitlement
from protocols.mesh.handing import Handing
from protocols.mesh.links import Switchboard
from protocols.sim.machine import Computer
from protocols.sim.report import Result, in_words
from protocols.sim.scenarios import two_ministries
from protocols.trust import roster, seals
from protocols.trust.keyring import Keyring
from protocols.trust.roster import Roster
from tests.simulation.test_drill_command import traces

QUIET = 8.0
"""Writes an hour and device."""


def quiet(computer: type[Computer] = Computer) -> Result:
    return two_ministries.run(3, computer=computer, per_hour=QUIET)


def failed(result: Result) -> set[str]:
    return {name for name, finding in result.checks.items() if not finding.ok}


def test_two_ministries_found_work_part_seal_release_and_erase():
    result = quiet()

    assert result.ok, in_words(result)
    told = json.loads(json.dumps(result.as_dict()))["holdings"]
    nodes = {node["node"]: node for node in told}
    assert list(nodes) == [
        "moh-hq", "jp-lead", "mule-base", "moh-second", "moh-tent-1", "moh-tent-2",
        "jp-deputy", "jp-ward", "jp-tablet", "jp-laptop", "mule", "jp-late",
    ]  # fmt: skip
    assert set(nodes["mule"]) == {
        "node", "org", "honest", "may_hold", "may_read", "holds", "without_body", "reads",
        "released_to_it", "not_counted", "not_merged", "refused_seals", "refused_lines",
        "notices", "erases_confirmed",
    }  # fmt: skip
    assert nodes["mule"]["may_hold"] == ["control", "counts", "team care"]
    assert nodes["mule"]["reads"] == {}
    assert nodes["moh-tent-1"]["holds"]["team care"] == nodes["jp-ward"]["holds"]["team care"]
    assert set(nodes["moh-tent-1"]["reads"]) == {"counts", "ministry care"}
    assert set(nodes["jp-ward"]["reads"]) == {"counts", "ministry care", "safety", "team care"}
    assert nodes["jp-ward"]["released_to_it"] == nodes["jp-ward"]["reads"]["ministry care"]
    assert "ministry care" not in nodes["jp-late"]["holds"]
    assert nodes["jp-ward"]["not_counted"]["quarantined"]
    assert {"by": "jp-laptop", "on": "jp-lead", "why": "seal_rank"} in nodes["mule"][
        "refused_seals"
    ]
    assert [node["honest"] for node in told].count(False) == 1
    said = in_words(result)
    assert "  mule (Mules)\n    holds: control " in said
    assert "    reads: nothing\n" in said
    assert "  jp-laptop (Team, stolen)\n" in said


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10, 16))
def test_two_ministries_pass_whatever_the_seed(seed):
    result = two_ministries.run(seed)

    assert result.ok, in_words(result)


@pytest.mark.slow
def test_one_seed_leaves_one_trace_of_two_ministries_whatever_the_hash_seed():
    program = (
        "from protocols.sim.scenarios import two_ministries;"
        f"result = two_ministries.run(1, per_hour={QUIET});"
        "print(result.trace_hash, result.written, result.ok, result.holdings)"
    )

    assert len(traces([sys.executable, "-c", program])) == 1


# Bugs in the real software


def software(name: str, eraser: type[Eraser]) -> type[Computer]:
    """Software that erases in a way of its own on the device of this name."""

    class Book(Ledger):
        def _load(self, sums=None):
            super()._load(sums)
            if self.authority.secret("name") == name.encode():
                self.eraser.__class__ = eraser

    class Software(Computer):
        def open_ledger(self):
            return Book(self.disk)

    return Software


@pytest.mark.slow
def test_a_sender_that_asks_no_law_is_found(monkeypatch):
    monkeypatch.setattr(Entitlement, "_may", lambda self, scope: True)

    assert "nobody_holds_what_its_law_forbids" in failed(quiet())


@pytest.mark.slow
def test_a_seal_that_everybody_ignores_is_found(monkeypatch):
    monkeypatch.setattr(Roster, "cut", lambda *_: False)
    monkeypatch.setattr(Switchboard, "cut_sealed", lambda self: None)
    monkeypatch.setattr(seals, "outranks", lambda *_: "seal_rank")
    monkeypatch.setattr("protocols.trust.membership.outranks", lambda *_: "seal_rank")

    assert {"nothing_above_the_seal_counts", "sealed_gets_nothing"} <= failed(quiet())


@pytest.mark.slow
def test_a_seal_across_organisations_that_counts_is_found(monkeypatch):
    honest = seals.outranks

    def outranks(sealer, sealed):
        reason = honest(sealer, sealed)
        return "" if reason == "seal_org" else reason

    monkeypatch.setattr("protocols.trust.membership.outranks", outranks)

    assert "sealing_each_other_changes_nothing" in failed(quiet())


@pytest.mark.slow
def test_one_node_that_confirms_an_erase_and_keeps_the_words_is_found():
    class Keeps(Eraser):
        def take_piece(self):
            gone = super().take_piece()
            self._store.execute(
                "INSERT INTO draft VALUES ('note', 'kept', 'Yxloschira was seen', 0)"
                " ON CONFLICT DO NOTHING"
            )
            return gone

    found = quiet(software("jp-ward", Keeps)).checks["erased_is_gone"]

    assert not found.ok
    assert "jp-ward" in found.detail


@pytest.mark.slow
def test_one_node_that_erases_nothing_is_found():
    class Deaf(Eraser):
        def look(self):
            pass

        def bare(self, run):
            return run

    found = quiet(software("mule", Deaf)).checks["erased_is_gone"]

    assert not found.ok
    assert "mule" in found.detail


@pytest.mark.slow
def test_a_release_file_with_more_than_was_released_is_found(monkeypatch):
    honest = releasing._runs
    monkeypatch.setattr(
        releasing, "_runs", lambda ledger, feed, _, last: honest(ledger, feed, None, last)
    )
    monkeypatch.setattr(releasing, "_take_run", _take_all)

    assert "nobody_holds_what_its_law_forbids" in failed(quiet())


def _take_all(ledger: Ledger, raw: bytes, wall_ms: int) -> int:
    run = releasing._decoded(ledger, raw)
    ledger.attach(run)
    ledger.take([run], wall_ms)
    return len(run.lines)


@pytest.mark.slow
def test_keys_that_are_never_renewed_after_a_seal_are_found(monkeypatch):
    monkeypatch.setattr(Handing, "rotate", lambda self, now: [])
    monkeypatch.setattr(two_ministries._TwoMinistries, "_rotate", lambda self, host: None)

    assert "new_keys_are_kept_from_it" in failed(quiet())


@pytest.mark.slow
def test_a_relay_organisation_that_is_handed_keys_is_found(monkeypatch):
    honest = Roster.readers

    def readers(self, scope):
        everybody = [
            (device, member.agree[0])
            for device in self.members()
            if (member := self.device(device)) is not None and member.agree
        ]
        return sorted({*honest(self, scope), *everybody})

    monkeypatch.setattr(roster.Roster, "readers", readers)

    assert {"only_readers_read", "carriers_are_blind"} & failed(quiet())


@pytest.mark.slow
def test_a_sealed_laptop_that_goes_on_showing_patients_is_found(monkeypatch):
    monkeypatch.setattr(Authority, "sealed_here", property(lambda self: False))

    assert "sealed_reads_nothing_and_still_writes" in failed(quiet())


@pytest.mark.slow
def test_a_latecomer_who_is_handed_no_keys_of_captured_entries_is_found(monkeypatch):
    monkeypatch.setattr(Keyring, "captured", lambda self, scope: [])

    assert {"sealed_reads_nothing_and_still_writes", "all_agree"} <= failed(quiet())
