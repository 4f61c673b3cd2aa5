"""What a node tells other programs of itself."""

from __future__ import annotations

from typing import Any

import pytest

from protocols.feeds.run import decode_run
from protocols.ledger.book import TOGETHER_MAX
from protocols.ledger.sealing import SealOrder
from protocols.live.answers import STATUS_KEYS, status
from protocols.records.rows import iso
from protocols.trust.control import SealReason
from tests.unit.stage import (
    WALL_MS,
    Device,
    Stage,
    camp,
    fill,
    line,
    linked,
    meshed,
    note,
    patient,
    triage,
)
from tests.unit.test_ledger_sealing import give


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


def of(device: Device) -> dict[str, Any]:
    return status(device.node, WALL_MS)


def test_what_a_peer_said_it_holds_is_told_by_feed():
    stage, (ann, ben) = linked("ann", "ben")
    stage.write(ann, patient("Amina"), patient("Bahir"))
    stage.run(3_000)

    (peer,) = of(ann)["peers"]

    (mine,) = (feed for feed in of(ann)["feeds"] if feed["lane"] == "routine")
    assert peer["acknowledged"][mine["feed"]] == mine["seq"] == 2


def test_what_people_wrote_differently_apart_is_counted_until_it_is_settled():
    stage, (ann, ben) = linked("ann", "ben")
    whom = stage.write(ann, patient("Amina"))[0].code or ""
    stage.run(2_000)
    assert of(ben)["unsettled"] == 0
    stage.cut(ann, ben)
    stage.write(ann, line("patient.identify", {"village": "Kani"}, patient=whom))
    stage.write(ben, line("patient.identify", {"village": "Ouro"}, patient=whom))
    stage.link(ann, ben)
    stage.run(3_000)

    assert of(ann)["unsettled"] == of(ben)["unsettled"] == 1


def test_what_a_seal_keeps_back_is_counted_entry_by_entry_whoever_it_is_about():
    stage, (ann, ben, _) = meshed(("ann", "ben", "eve"))
    whom = stage.write(ann, patient("Amina"))[0].code or ""
    stage.run(1_000)
    stage.cut(ben, ann)
    stage.carry(ann, ann.node.seal(ben.id, SealOrder(SealReason.LOST), stage.now(ann)))
    assert of(ann)["quarantined"] == 0
    stage.write(ben, note(whom, "of somebody who counts"), patient("Nobody known"))

    give(ben, ann)

    assert of(ann)["quarantined"] == 2


def test_a_copied_card_is_a_fork_of_its_feed():
    stage, (ann, ben) = linked("ann", "ben")
    stage.write(ann, patient("Amina"))
    stage.run(2_000)
    twin = ann.copy("twin")
    stage.cut(ann, ben)
    stage.write(ann, patient("Bahir"))
    stage.write(twin, patient("Chaza"))
    for each in (ann, twin):
        give(each, ben)

    (mine,) = (feed["feed"] for feed in of(ann)["feeds"] if feed["lane"] == "routine")
    assert of(ben)["forks"] == [mine]
    assert of(ann)["forks"] == []


def taken(giver: Device, to: Device) -> dict[str, Any]:
    """Have all that one wrote stored by another and nothing of it merged; return what that says."""
    chain, there = giver.ledger.chain, to.ledger.chain
    for feed, tip in chain.heads():
        found = chain.run_after(feed, tip, 0, 1 << 20)
        if found is not None:
            run, _ = decode_run(found[0], 0, there.genesis_of, there.prev_of)
            to.ledger.take([run], WALL_MS)
    return of(to)


def test_what_is_stored_and_not_merged_yet_is_pending():
    ann, ben = camp()
    fill(ann, TOGETHER_MAX + 1)
    assert of(ben)["pending"] == 0

    assert taken(ann, ben)["pending"] > 0
    ben.ledger.catch_up_all()

    assert of(ben)["pending"] == 0
    assert of(ben)["waiting"] == of(ben)["void"] == {}


def test_what_cannot_be_opened_is_told_by_reason():
    ann, stranger = Device.found("ann"), Device.found("late")
    Stage().write(ann, patient("Amina"), patient("Bahir"))

    taken(ann, stranger)
    stranger.ledger.catch_up_all()

    assert of(stranger)["waiting"] == {"waiting_key": 2}


@pytest.mark.parametrize("first", ["routine", "urgent"])
def test_the_oldest_unsent_is_the_oldest_of_all_lanes(first):
    stage, (ann, ben) = linked("ann", "ben")
    whom = stage.write(ann, patient("Amina"))[0].code or ""
    both = {"routine": note(whom), "urgent": triage(whom)}
    stage.run(3_000)
    stage.cut(ann, ben)
    assert of(ann)["oldest_unsent"] is None

    stage.write(ann, both.pop(first))
    began_ms = WALL_MS + stage.at_ms
    stage.run(3_600_000)
    stage.write(ann, *both.values())

    assert of(ann)["oldest_unsent"] == iso(began_ms)
