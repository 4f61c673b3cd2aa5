"""What a node tells other programs of itself."""

from __future__ import annotations

from protocols.live.answers import STATUS_KEYS, status
from tests.unit.stage import WALL_MS, camp, linked


def test_a_peer_that_was_never_met_has_no_last_contact():
    ann, ben = camp()
    ann.ledger.peers.meet(ben.id, ben.ledger.authority.epoch, 0)

    (peer,) = status(ann.node, WALL_MS)["peers"]

    assert (peer["device"], peer["last_contact"]) == (str(ben.id), None)


def test_a_peer_that_was_met_has_the_time_of_it():
    stage, (ann, _) = linked("ann", "ben")
    stage.run()

    (peer,) = status(ann.node, WALL_MS)["peers"]

    assert peer["last_contact"].startswith("20")


def test_a_closed_folder_tells_the_same_keys_as_an_open_one():
    ann, _ = camp()

    assert tuple(status(ann.node, WALL_MS)) == STATUS_KEYS
