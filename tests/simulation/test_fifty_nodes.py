"""The drill of a stolen device, small, and with the cut taken out of the software."""

import pytest

from protocols.mesh.links import Switchboard
from protocols.sim.scenarios import fifty_nodes

NODES = 10


def test_a_seal_is_known_at_once_and_the_sealed_device_gets_nothing_more():
    result = fifty_nodes.run(3, nodes=NODES)

    assert result.ok, {name: each for name, each in result.checks.items() if not each.ok}
    assert result.notes["seal_known_ms"] <= 1_000


def test_links_that_outlive_a_seal_are_found_by_the_drill(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Switchboard, "cut_sealed", lambda self: None)

    result = fifty_nodes.run(3, nodes=NODES)

    assert not result.checks["sealed_gets_nothing"].ok
