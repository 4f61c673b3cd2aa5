"""What the page of peers is told: how far entries have travelled, and nothing that is not known."""

from protocols.live.answers import sync_state
from protocols.live.api import PeerLine
from tests.unit.stage import WALL_MS, Stage, camp, patient


def line_of(device, peer) -> PeerLine:
    (line,) = [each for each in sync_state(device.node, WALL_MS).peers if each.device == str(peer)]
    return line


def test_of_a_peer_never_met_it_is_not_said_what_it_needs():
    ann, ben = camp()
    ann.ledger.peers.note_holds_all(ben.id, 0)

    assert line_of(ann, ben.id).last_contact_ms is None
    assert line_of(ann, ben.id).they_need is None


def test_what_a_peer_wrote_itself_it_does_not_need():
    ann, ben = camp()
    stage = Stage()
    stage.link(ann, ben)
    stage.write(ben, *({**patient(f"P{at}"), "key": f"k{at}"} for at in range(5)))
    stage.run(2_000)
    assert line_of(ann, ben.id).they_need == 0

    stage.cut(ann, ben)
    stage.write(ann, {**patient("Awa"), "key": "mine"})
    assert line_of(ann, ben.id).they_need == 1
