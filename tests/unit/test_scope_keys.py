"""Scope keys among real nodes: nobody entitled is stranded, nobody else is let in, few records."""

from __future__ import annotations

from random import Random

import pytest

from protocols.feeds.run import decode_run
from protocols.ids import DeviceId, KeyId, ScopeId
from protocols.ledger.sealing import SealOrder
from protocols.mesh.frames import Lacks, encode_frame
from protocols.mesh.handing import HAND_ON_MS, ROTATE_MS
from protocols.trust.certificates import Rank
from protocols.trust.control import (
    Envelopes,
    Record,
    Rotation,
    Seal,
    SealReason,
    UnknownControl,
    decode_control,
)
from protocols.trust.identity import DeviceKeys
from protocols.trust.keyring import envelopes_for, rotate
from tests.unit.camps import CARE, CARE_ROLE, RELAY_ROLE, Camp, know, new_key, tell
from tests.unit.stage import WALL_MS, Device, Stage, patient

SCOPE = ScopeId(CARE.id)
LOST = SealOrder(SealReason.LOST)


def founded(*tents: str, coordinators: tuple[str, ...] = ("ann",)) -> tuple[Camp, list[Device]]:
    """Coordinators that know everybody, and tents; the first coordinator made the key."""
    camp = Camp(CARE)
    devices = [camp.device(name, "ministry", rank=Rank.COORDINATOR) for name in coordinators]
    devices += [camp.device(name, "ministry") for name in tents]
    for coordinator in devices[: len(coordinators)]:
        know(coordinator, *[each for each in devices if each is not coordinator])
    new_key(devices[0], SCOPE)
    return camp, devices


def records(device: Device) -> list[tuple[DeviceId, KeyId, Record | UnknownControl]]:
    rows = device.store.all(
        "SELECT f.device, e.hash, e.body FROM entry e JOIN feed f ON f.no = e.feed"
        " WHERE f.lane = 0 ORDER BY e.arrival"
    )
    return [(DeviceId(who), KeyId(entry), decode_control(body)) for who, entry, body in rows]


def given_to(device: Device, whom: Device) -> list[DeviceId]:
    """Who wrote a late envelope for somebody, once for each."""
    return [
        who
        for who, _, record in records(device)
        if isinstance(record, Envelopes) and any(p == whom.id[:8] for p, _ in record.envelopes)
    ]


def rotations(device: Device) -> list[DeviceId]:
    return [who for who, _, record in records(device) if isinstance(record, Rotation)]


def reads(device: Device, key_id: KeyId) -> bool:
    return device.ledger.authority.keyring.key(key_id) is not None


def mesh(stage: Stage, *devices: Device) -> None:
    for at, here in enumerate(devices):
        for there in devices[at + 1 :]:
            stage.link(here, there)


def written_under(device: Device) -> KeyId:
    return device.ledger.authority.write_key(SCOPE)[0]


def own_keys(device: Device) -> DeviceKeys:
    return device.ledger.authority.keys


def unread(device: Device) -> int:
    device.ledger.catch_up_all()
    row = device.store.one("SELECT count(*) FROM unopened")
    return row[0] if row else 0


@pytest.mark.parametrize("seed", range(5))
def test_a_late_comer_is_handed_the_key_by_one_or_two_of_all_who_could(seed: int):
    camp, devices = founded("ben", "eve", "gus", "ida", "jon", "kim")
    late = camp.device("late", "japan")
    late.chance = Random(seed)
    stage = Stage(one_way_ms=50)
    for device in devices:
        device.chance = Random(f"{seed}-{device.name}")
    mesh(stage, *devices)
    stage.write(devices[0], patient("Amina"))
    stage.run(20_000)

    for device in devices:
        stage.link(late, device)
    stage.run(HAND_ON_MS[1] + 2_000)

    assert reads(late, written_under(devices[0])) and unread(late) == 0
    assert 1 <= len(given_to(devices[0], late)) <= 2
    stage.run(60_000)
    assert 1 <= len(given_to(devices[0], late)) <= 2


def test_only_a_reader_is_handed_a_key_and_only_a_reader_hands_one_on():
    camp, (ann, ben) = founded("ben")
    relay = camp.device("relay", "mules", roles=(RELAY_ROLE,))
    stranger = camp.device("stranger", "japan", scopes=())
    stage = Stage()
    mesh(stage, ann, ben, relay, stranger)
    stage.run(2 * ROTATE_MS[1])

    assert not given_to(ann, relay) and not given_to(ann, stranger)
    assert relay.ledger.authority.scope_keys.lacking(relay.id) == []
    assert rotations(ann) == [ann.id]


def junk(author: Device, key_id: KeyId, whom: Device) -> None:
    """An envelope that says it holds a key, and holds something else."""
    record = envelopes_for(key_id, b"not the key" + bytes(21), [reader(whom)], b"e" * 32)
    with author.ledger.atomic():
        author.ledger.write_control(record, WALL_MS)


def reader(device: Device) -> tuple[DeviceId, bytes]:
    return device.id, own_keys(device).agree_public


@pytest.mark.parametrize("entitled", [False, True], ids=["relay", "reader"])
def test_an_insiders_junk_envelope_hides_no_missing_key(entitled: bool):
    camp, (ann, ben) = founded("ben")
    role = CARE_ROLE if entitled else RELAY_ROLE
    mallory, late = camp.device("mallory", "mules", roles=(role,)), camp.device("late", "japan")
    key_id = written_under(ann)
    junk(mallory, key_id, late)
    stage = Stage()
    stage.link(mallory, ann)
    stage.run(500)
    know(ann, late)
    assert late.id[:8] in ann.ledger.authority.keyring._addressed[key_id]

    stage.link(late, ann)
    stage.run(4 * HAND_ON_MS[1])

    assert reads(late, key_id)
    assert given_to(ann, late).count(ann.id) == 1


def test_who_says_for_ever_that_it_lacks_a_key_is_given_it_once_by_each_reader():
    _, (ann, ben, eve) = founded("ben", "eve")
    stage = Stage()
    stage.link(ann, ben)
    stage.run(1_000)
    link = stage.link(eve, ben)
    stage.run(1_000)
    key_id = written_under(ann)

    for _ in range(6):
        channel = eve.node._links[link].greeting.channel
        assert channel is not None
        for keys in ((key_id,), ()):
            stage._send(eve, link, channel.encrypt(encode_frame(Lacks(keys))))
            stage.run(2_000)
        stage._send(eve, link, channel.encrypt(encode_frame(Lacks((key_id,)))))
        stage.run(3 * HAND_ON_MS[1])

    assert given_to(ben, eve) == [ben.id]


def test_whoever_seals_a_reader_rotates_at_once_and_the_sealed_reads_no_more():
    _, (ann, ben, eve) = founded("ben", "eve")
    stage = Stage()
    mesh(stage, ann, ben, eve)
    stage.run(1_000)
    old = written_under(ann)

    stage.carry(ann, ann.node.seal(ben.id, LOST, stage.now(ann)))
    new = written_under(ann)
    stage.write(ann, patient("After"))
    stage.run(1_000)
    give(ann, ben)

    assert new != old and rotations(ann) == [ann.id, ann.id]
    assert reads(eve, new) and written_under(eve) == new and unread(eve) == 0
    assert not reads(ben, new) and unread(ben) == 1
    stage.run(3 * ROTATE_MS[1])
    assert rotations(eve) == [ann.id, ann.id]


def give(here: Device, there: Device) -> None:
    """Carry all that one device holds to another past any link."""
    for feed, tip in here.ledger.chain.heads():
        found = here.ledger.chain.run_after(feed, tip, 0, 1 << 20)
        assert found is not None
        chain = there.ledger.chain
        run, _ = decode_run(found[0], 0, chain.genesis_of, chain.prev_of)
        there.ledger.take([run], WALL_MS)


def test_where_the_sealer_could_not_another_coordinator_rotates_and_not_all_of_them():
    """The seal is written past the sealer's node, as by one that crashed behind it."""
    names = ("ann", "amy", "abe")
    _, (ann, amy, abe, ben) = founded("ben", coordinators=names)
    stage = Stage()
    mesh(stage, ann, amy, abe)
    stage.link(ann, ben)
    stage.run(1_000)
    with ann.ledger.atomic():
        ann.ledger.write_control(Seal(bytes(ben.id), 2, ()), WALL_MS)
    tell(stage, ann)
    stage.cut(ann, ben)
    stage.run(3 * ROTATE_MS[1])

    assert 2 <= len(rotations(abe)) <= 3
    assert len({written_under(each) for each in (ann, amy, abe)}) == 1
    assert not reads(ben, written_under(abe))
    assert abe.ledger.authority.scope_keys.due(abe.id) == []


def test_a_rotation_is_due_when_a_reader_is_sealed_and_for_no_junk_that_an_outsider_writes():
    camp, (ann, ben) = founded("ben")
    keys = ann.ledger.authority.scope_keys
    relay = camp.device("relay", "mules", roles=(RELAY_ROLE,))
    know(ann, relay)
    assert keys.due(ann.id) == keys.due(ben.id) == []

    junk(relay, written_under(ann), relay)
    give(relay, ann)
    assert keys.due(ann.id) == []

    with ann.ledger.atomic():
        ann.ledger.write_control(Seal(bytes(ben.id), 2, ()), WALL_MS)
    assert keys.due(ann.id) == [SCOPE] and keys.due(ben.id) == []
    new_key(ann, SCOPE)
    assert keys.due(ann.id) == []
    junk(relay, written_under(ann), ben)
    give(relay, ann)
    assert keys.due(ann.id) == []
    assert reader(ann) in keys.readers(SCOPE) and reader(ben) not in keys.readers(SCOPE)


def test_a_reader_reduced_to_a_role_that_does_not_read_is_left_out_of_the_next_key():
    camp, (ann,) = founded()
    both = camp.device("both", "ministry", roles=(CARE_ROLE, RELAY_ROLE))
    know(ann, both)
    new_key(ann, SCOPE)
    keys = ann.ledger.authority.scope_keys
    assert reader(both) in keys.readers(SCOPE)

    with ann.ledger.atomic():
        ann.ledger.write_control(Seal(bytes(both.id), 5, (), (RELAY_ROLE,)), WALL_MS)

    assert reader(both) not in keys.readers(SCOPE) and keys.due(ann.id) == [SCOPE]


@pytest.mark.parametrize("seed", range(6))
def test_of_two_keys_made_apart_the_one_the_sealed_device_never_had_is_written_under(seed):
    camp = Camp(CARE, seed=seed)
    ann, bea = (camp.device(each, "ministry", rank=Rank.COORDINATOR) for each in ("ann", "bea"))
    tom = camp.device("tom", "ministry")
    know(ann, bea, tom)
    know(bea, ann)
    old, clean = new_key(ann, SCOPE), new_key(bea, SCOPE)
    stage = Stage()
    stage.link(ann, bea)
    stage.run(2_000)
    # By their ids one comes first or the other, as it happens.
    stage.carry(ann, ann.node.seal(tom.id, LOST, stage.now(ann)))
    stage.run(2_000)

    for device in (ann, bea):
        keys = device.ledger.authority.scope_keys
        assert keys.write_key(SCOPE) == clean != old
        assert keys.due(device.id) == []
    made = [entry for _, entry, record in records(ann) if isinstance(record, Rotation)]
    assert sorted(made) == sorted((old, clean))


def test_nobody_writes_under_what_a_sealed_coordinator_made_above_its_seal():
    camp, (ann, bad, ben) = founded("ben", coordinators=("ann", "bad"))
    give(ann, bad)
    give(ann, ben)
    old = written_under(ben)
    heads = tuple(
        (bytes(feed.feed_id), tip.seq, bytes(tip.hash))
        for feed, tip in bad.ledger.chain.heads()
        if feed.genesis.device == bad.id
    )
    made = new_key(bad, SCOPE)
    give(bad, ben)
    assert written_under(ben) == made

    chief = camp.issuer("ministry")
    give(ben, chief)
    with chief.ledger.atomic():
        chief.ledger.write_control(Seal(bytes(bad.id), 3, heads), WALL_MS)
    give(chief, ben)

    assert written_under(ben) == old and reads(ben, made)


@pytest.mark.parametrize("seed", range(6))
def test_rotations_apart_and_away_strand_nobody(seed: int):
    """Two coordinators part, each seals a tent and rotates thrice; one tent is away all along."""
    camp, devices = founded("ben", "eve", "gus", "x1", "x2", coordinators=("ann", "amy"))
    ann, amy, ben, eve, away, lost, gone = devices
    chance, stage = Random(seed), Stage(one_way_ms=5)
    mesh(stage, *devices)
    stage.run(2_000)
    for at, one in enumerate(devices):
        for other in devices[at + 1 :]:
            stage.cut(one, other)

    mesh(stage, ann, ben)
    mesh(stage, amy, eve)
    late = camp.device("late", "japan")
    stage.link(late, eve)
    stage.carry(ann, ann.node.seal(lost.id, LOST, stage.now(ann)))
    stage.carry(amy, amy.node.seal(gone.id, LOST, stage.now(amy)))
    for _ in range(3):
        for coordinator, tent in ((ann, ben), (amy, eve)):
            if chance.random() < 0.8:
                new_key(coordinator, SCOPE)
                tell(stage, coordinator)
            stage.write(chance.choice((coordinator, tent)), patient(f"P{chance.random()}"))
            stage.run(chance.randrange(2_000))
    stage.write(away, patient("Alone"))
    stage.run(5_000)

    mesh(stage, ann, amy)
    stage.link(away, ben)
    stage.link(late, away)
    stage.run(4 * ROTATE_MS[1])

    staying = (ann, amy, ben, eve, away, late)
    assert {unread(each) for each in staying} == {0}
    assert len({each.care for each in staying}) == 1
    assert len({written_under(each) for each in staying}) == 1
    chosen = written_under(ann)
    for thief in (lost, gone):
        give(ann, thief)
        assert not reads(thief, chosen)
    assert ann.ledger.authority.scope_keys.due(ann.id) == []


def test_a_rotation_that_lies_about_the_one_before_hides_nothing():
    """A reader makes a key of its own that claims to open the others; it is passed over."""
    camp, (ann, ben) = founded("ben")
    old = written_under(ann)
    liar = rotate(
        SCOPE,
        b"l" * 32,
        parents={old: b"not it" + bytes(26)},
        readers=[reader(ann), reader(ben)],
        ephemeral_secret=b"m" * 32,
    )
    give(ann, ben)
    with ben.ledger.atomic():
        made = KeyId(ben.ledger.write_control(liar, WALL_MS).entry.hash)
    give(ben, ann)
    late = camp.device("late", "japan")
    stage = Stage()
    stage.link(late, ann)
    stage.run(2 * HAND_ON_MS[1])

    assert reads(ann, made) and reads(late, old)
    assert written_under(ann) == written_under(late) == old
