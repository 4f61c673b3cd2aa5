"""The drill of a stolen device, small, and with the cut taken out of the software."""

import pytest

from protocols.mesh.links import Switchboard
from protocols.sim.scenarios import fifty_nodes
from protocols.trust.roster import Roster

NODES = 10


def test_a_seal_is_known_at_once_and_the_sealed_device_gets_nothing_more():
    result = fifty_nodes.run(3, nodes=NODES)

    assert result.ok, {name: each for name, each in result.checks.items() if not each.ok}
    assert result.notes["seal_known_ms"] <= 1_000


def test_data_that_goes_on_to_a_sealed_device_is_found_by_the_drill(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(Switchboard, "cut_sealed", lambda self: None)
    monkeypatch.setattr(Roster, "may_hold", lambda *_: True)

    result = fifty_nodes.run(3, nodes=NODES)

    assert not result.checks["sealed_gets_nothing"].ok
