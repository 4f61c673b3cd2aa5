"""Who may not hold a scope learns nothing of it, whatever it asks for, and the sync still ends."""

from __future__ import annotations

import pytest

from protocols.feeds.lane import Lane
from protocols.ids import DeviceId, FeedId, ScopeId
from protocols.ledger.reading import at_hq_until
from protocols.mesh.frames import Frame, Have, Ladder, Place, Want, encode_frame
from protocols.mesh.keeping import REMARK_MS
from protocols.trust.certificates import Rank
from protocols.trust.control import Seal
from protocols.trust.identity import DeviceKeys
from tests.unit.camps import AT_HOME, CARE, HQ_ROLE, Camp, know, new_key, overheard, publish, tell
from tests.unit.stage import WALL_MS, Device, Stage, note, patient, triage

HOME = ScopeId(AT_HOME.id)


def at_home(*, hq: bool = False) -> tuple[Camp, list[Device]]:
    """A coordinator and a tent of the ministry, and a Japanese tent: care stays in the country."""
    camp = Camp(AT_HOME)
    roles = (1, HQ_ROLE) if hq else (1,)
    ann = camp.device("ann", "ministry", rank=Rank.COORDINATOR, roles=roles)
    ben, joe = camp.device("ben", "ministry"), camp.device("joe", "japan")
    know(ann, ben, joe)
    new_key(ann, HOME)
    return camp, [ann, ben, joe]


def data_feeds(device: Device) -> set[bytes]:
    feeds = device.ledger.chain.feeds.values()
    return {bytes(f.feed_id) for f in feeds if f.genesis.lane != Lane.CONTROL}


def said_to(peer: Device, said: list[tuple[DeviceId, bytes]]) -> bytes:
    return b"".join(frame for whom, frame in said if whom == peer.id)


def nothing_of(device: Device, said: bytes) -> bool:
    """Whether no feed of the device's data, and no entry in one, is named in these bytes."""
    hashes = device.store.all(
        "SELECT e.hash FROM entry e JOIN feed f ON f.no = e.feed WHERE f.lane > 0"
    )
    named = [*data_feeds(device), *(digest[:8] for (digest,) in hashes)]
    return bool(named) and not any(each in said for each in named)


def even(here: Device, there: Device) -> bool:
    """Whether each knows that it has all that the other has for it."""
    return all(
        one.ledger.peers.all[other.id].we_hold == other.ledger.chain.last_arrival
        for one, other in ((here, there), (there, here))
    )


def own_keys(device: Device) -> DeviceKeys:
    return device.ledger.authority.keys


def test_who_may_not_hold_a_scope_learns_nothing_of_it_and_the_sync_still_ends():
    _, (ann, ben, joe) = at_home()
    stage, said = Stage(), overheard(ann)
    stage.write(ann, patient("Before"))
    stage.link(ann, ben)
    stage.link(ann, joe)
    stage.run(3_000)

    someone = stage.write(ann, patient("Amina"))[0].patient or ""
    stage.write(ann, triage(someone), note(someone))
    stage.run(3_000)
    stage.write(ben, note(someone, "by ben"))
    stage.run(3 * 3600_000)

    assert data_feeds(ben) == data_feeds(ann) and len(data_feeds(ann)) == 3
    assert data_feeds(joe) == set()
    assert nothing_of(ann, said_to(joe, said))
    assert not nothing_of(ann, said_to(ben, said))
    assert even(ann, ben) and even(ann, joe)


def test_who_may_not_hold_what_is_written_is_told_each_time_that_there_is_nothing_for_it():
    _, (ann, _, joe) = at_home()
    stage = Stage()
    stage.link(ann, joe)
    stage.run(2 * REMARK_MS)

    for number in range(3):
        stage.write(ann, patient(f"P{number}"))
        stage.run(REMARK_MS // 2)
        # Nothing was said of it; only the count of what Ann holds can tell Joe that he lacks none.
        assert not even(ann, joe)
        stage.run(REMARK_MS)

        assert even(ann, joe), number
        assert data_feeds(joe) == set()


def test_what_cannot_be_told_travels_round_who_may_not_carry_it():
    _, (ann, ben, joe) = at_home()
    stage = Stage()
    stage.write(ann, patient("Amina"))
    stage.link(ann, joe)
    stage.link(joe, ben)
    stage.run(3_000)
    assert ben.ledger.chain.last_arrival > 0 and data_feeds(ben) == data_feeds(joe) == set()

    stage.link(ann, ben)
    stage.run(3_000)

    assert data_feeds(ben) == data_feeds(ann) != set()
    assert ben.care == ann.care


@pytest.mark.parametrize("apart", [False, True], ids=["linked", "apart"])
@pytest.mark.parametrize("restart", [False, True], ids=["running", "restarted"])
def test_who_may_hold_a_scope_from_now_on_is_offered_all_of_it(apart: bool, restart: bool):
    camp, (ann, ben, joe) = at_home()
    stage = Stage()
    stage.link(ann, joe)
    stage.run(1_000)
    stage.write(ann, patient("Early"))
    stage.run(90_000)
    assert even(ann, joe)
    if apart:
        stage.cut(ann, joe)
    if restart:
        stage.cut(ann, joe)
        ann.node.stop()
        joe.node.stop()
        ann.restarted()
        joe.restarted()
        if not apart:
            stage.link(ann, joe)
            stage.run(1_000)

    publish(ann, camp.certificate(own_keys(joe), "ministry"))
    tell(stage, ann)
    if apart:
        stage.link(ann, joe)
    stage.run(3_000)

    assert data_feeds(joe) == data_feeds(ann) != set()
    assert joe.entries >= {e for (e,) in ann.store.all("SELECT hash FROM entry WHERE kind = 0")}
    stage.run(3_000)
    assert even(ann, joe)
    stage.cut(ann, joe)
    before = stage.carried_bytes
    stage.link(ann, joe)
    stage.run(3_000)
    assert stage.carried_bytes - before < 1_500


def test_a_device_that_may_hold_a_scope_no_longer_is_told_no_more_of_it_at_once():
    camp, (ann, ben, joe) = at_home()
    stage = Stage()
    publish(ann, camp.certificate(own_keys(joe), "ministry"))
    stage.link(ann, joe)
    stage.link(ann, ben)
    stage.write(ann, patient("Before"))
    stage.run(1_000)
    held = joe.entries
    assert data_feeds(joe) == data_feeds(ann) != set()

    seal_by_ministry(ann, joe)
    said = overheard(ann)
    stage.write(ann, patient("After"))
    stage.run(5_000)

    assert ann.node.linked == sorted([joe.id, ben.id])
    assert data_feeds(ben) == data_feeds(ann)
    (care,) = [f for f in ann.ledger.chain.feeds.values() if f.genesis.lane == Lane.ROUTINE]
    assert bytes(care.feed_id) not in said_to(joe, said)
    assert not [e for e in joe.entries - held if e in care_entries(ann)]
    assert ann.ledger.peers.spoken_for(joe.id, care) == 0
    assert even(ann, joe)


def seal_by_ministry(ann: Device, joe: Device) -> None:
    """End all that the ministry gave joe; what Japan gave it stays."""
    with ann.ledger.atomic():
        ann.ledger.write_control(Seal(bytes(joe.id), 1, ()), WALL_MS)


def care_entries(device: Device) -> set[bytes]:
    return {row[0] for row in device.store.all("SELECT hash FROM entry WHERE kind = 0")}


def places(device: Device) -> list[Place]:
    """Every kind of place that an insider could name of a feed it may not hold."""
    chain = device.ledger.chain
    found = []
    for feed_id in data_feeds(device):
        feed = chain.feeds[feed_id]
        found += [
            Place(FeedId(feed_id), 0, bytes(8)),
            Place(FeedId(feed_id), feed.seq, feed.tips[0].hash[:8]),
            Place(FeedId(feed_id), 1, b"made up!"),
            Place(FeedId(feed_id), feed.seq + 5, b"made up!"),
        ]
    return found


@pytest.mark.parametrize("frame", [Want, Ladder, Have], ids=lambda each: each.__name__)
def test_whoever_asks_for_what_it_may_not_hold_is_sent_nothing_and_it_is_noted(frame):
    _, (ann, ben, joe) = at_home()
    stage = Stage()
    link = stage.link(joe, ann)
    stage.run(1_000)
    someone = stage.write(ann, patient("Amina"))[0].patient or ""
    stage.write(ann, triage(someone))
    stage.run(1_000)
    said = overheard(ann)
    asked = places(ann)

    for place in asked:
        frames: dict[type, Frame] = {
            Want: Want((place,)),
            Ladder: Ladder((place,)),
            Have: Have(False, 0, (place,)),
        }
        channel = joe.node._links[link].greeting.channel
        assert channel is not None
        stage._send(joe, link, channel.encrypt(encode_frame(frames[frame])))
        stage.run(200)

    answered = said_to(joe, said)
    tips = [f.tips[0].hash[:8] for f in ann.ledger.chain.feeds.values() if f.genesis.lane]
    assert ann.node.linked == [joe.id]
    assert data_feeds(joe) == set() and not any(tip in answered for tip in tips)
    if frame is Want:
        assert answered == b""
        noted = [n for n in ann.notices if n.code == "scope_withheld"]
        assert {n.values["peer"] for n in noted} == {str(joe.id)}
        assert len(noted) == len(data_feeds(ann))
    else:
        # What a peer says it holds is asked for from the start, as if nothing of it were here.
        assert nothing_known(answered, asked)


def nothing_known(answered: bytes, asked: list[Place]) -> bool:
    wants = [encode_frame(Want((Place(place.feed, 0, bytes(8)),))) for place in asked]
    while answered:
        fitting = [want for want in wants if answered.startswith(want)]
        if not fitting:
            return False
        answered = answered[len(fitting[0]) :]
    return True


def test_what_a_device_wrote_that_may_hold_it_no_longer_still_comes_in():
    """Nothing locks a medic out: what it has is taken; what others have is kept from it."""
    camp, (ann, ben, joe) = at_home()
    stage = Stage()
    publish(ann, camp.certificate(own_keys(joe), "ministry"))
    new_key(ann, HOME)
    stage.link(joe, ann)
    stage.run(1_000)
    stage.cut(joe, ann)
    stage.write(joe, patient("Amina"))
    seal_by_ministry(ann, joe)
    stage.write(ann, patient("Not for joe"))
    written = care_entries(joe)
    assert len(written) == 1

    stage.link(joe, ann)
    stage.run(1_000)
    assert written < care_entries(ann)
    someone = stage.write(joe, patient("Brian"))[0].patient or ""
    stage.write(joe, triage(someone))
    stage.run(5_000)

    assert ann.node.linked == [joe.id]
    assert care_entries(joe) < care_entries(ann) and len(care_entries(joe)) == 3
    stage.run(90_000)
    assert even(ann, joe)


def test_a_scope_that_may_leave_is_carried_by_everybody():
    camp = Camp(CARE)
    ann = camp.device("ann", "ministry", rank=Rank.COORDINATOR)
    joe = camp.device("joe", "japan", scopes=(), roles=(3,))
    know(ann, joe)
    new_key(ann, ScopeId(CARE.id))
    stage = Stage()
    stage.link(ann, joe)
    stage.write(ann, patient("Amina"))
    stage.run(1_000)

    assert data_feeds(joe) == data_feeds(ann) != set()


def receipts(device: Device) -> set[bytes]:
    """Every feed that some receipt here speaks of."""
    return {
        bytes(head.feed)
        for receipt, _ in device.ledger.peers.receipts.values()
        for head in receipt.heads
    }


def test_what_hq_says_it_holds_names_nothing_that_the_hearer_may_not_know_of():
    camp, (hq, ben, joe) = at_home(hq=True)
    amy = camp.device("amy", "ministry")
    know(hq, amy)
    new_key(hq, HOME)
    stage, said = Stage(), overheard(hq)
    stage.link(hq, ben)
    stage.link(hq, joe)
    stage.write(hq, patient("Amina"))
    stage.run(10_000)
    for number in range(3):
        stage.write(ben, patient(f"P{number}"))
        stage.run(7_000)

    care = data_feeds(hq)
    assert len(care) == 2 and receipts(ben) >= care
    assert receipts(joe) and not receipts(joe) & care
    assert nothing_of(hq, said_to(joe, said))
    own = [f for f in ben.ledger.chain.feeds.values() if f.genesis.device == ben.id]
    assert at_hq_until(ben.ledger, own) == max(
        receipt.given_ms for receipt, _ in ben.ledger.peers.receipts.values()
    )

    # Joe may carry what everybody may know of, to whom never met HQ; and ben tells joe no more.
    told = overheard(ben)
    stage.cut(hq, joe)
    stage.link(ben, joe)
    stage.link(ben, amy)
    stage.run(5_000)
    assert nothing_of(ben, said_to(joe, told)) and receipts(amy) >= care
    ben.node.stop()
    ben.restarted()
    assert receipts(ben) >= care
