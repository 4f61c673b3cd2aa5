"""Scope keys: who can open what, and under which generation new entries go."""

from __future__ import annotations

import itertools

import msgspec
import pytest

from protocols.ids import DeviceId, EntryHash, KeyId, ScopeId
from protocols.trust.control import Record, Rotation, decode_control, encode_control
from protocols.trust.identity import DeviceKeys
from protocols.trust.keyring import Keyring, bridge, commitment, envelopes_for, rotate
from tests.unit.trust_operation import CARE, COUNTS, OLD, entropy, keys

COORDINATOR, TENT, LATE = keys("coordinator"), keys("tent"), keys("late")
Placed = tuple[Record, DeviceId, EntryHash]


def reader(device: DeviceKeys) -> tuple[DeviceId, bytes]:
    return device.device, device.agree_public


def key_of(label: str) -> bytes:
    return entropy(f"scope key {label}")


def id_of(label: str) -> KeyId:
    return KeyId(entropy(f"key id {label}"))


def rotation(
    label: str,
    *readers: DeviceKeys,
    parents: tuple[str, ...] = (),
    author: DeviceKeys = COORDINATOR,
    scope: ScopeId = CARE,
) -> Placed:
    record = rotate(
        scope,
        key_of(label),
        parents={id_of(parent): key_of(parent) for parent in parents},
        readers=[reader(each) for each in readers],
        ephemeral_secret=entropy(f"ephemeral {label}"),
    )
    return record, author.device, EntryHash(id_of(label))


def anybody(key_id: KeyId, device: DeviceId) -> bool:
    return True


def test_the_newest_key_opens_all_history_in_whatever_order_it_comes():
    records = [
        rotation("1", COORDINATOR),
        rotation("2", COORDINATOR, parents=("1",)),
        rotation("3", COORDINATOR, TENT, parents=("2",)),
    ]
    for order in itertools.permutations(records):
        ring, opened = Keyring(TENT), []
        for placed in order:
            opened += ring.add(*placed)

        assert sorted(opened) == sorted(map(id_of, "123"))
        assert dict(ring.keys) == {id_of(each): key_of(each) for each in "123"}
        assert ring.heads(CARE) == [id_of("3")]
        assert ring.write_key(CARE, anybody) == id_of("3")


def test_what_is_not_for_us_stays_shut_until_somebody_hands_it_over():
    ring = Keyring(LATE)
    assert ring.add(*rotation("1", COORDINATOR, TENT)) == []
    assert ring.key(id_of("1")) is None
    assert ring.generations(CARE) == [id_of("1")]
    assert ring.write_key(CARE, anybody) is None
    assert ring.without_envelope(id_of("1"), [reader(TENT), reader(LATE)]) == [reader(LATE)]

    handed = envelopes_for(id_of("1"), key_of("1"), [reader(LATE)], entropy("another ephemeral"))

    assert ring.add(handed, TENT.device, EntryHash(entropy("e"))) == [id_of("1")]
    assert ring.key(id_of("1")) == key_of("1")
    assert ring.without_envelope(id_of("1"), [reader(LATE)]) == []


def test_an_envelope_before_its_rotation_waits_for_it():
    ring = Keyring(LATE)
    handed = envelopes_for(id_of("1"), key_of("1"), [reader(LATE)], entropy("another ephemeral"))

    assert ring.add(handed, TENT.device, EntryHash(entropy("e"))) == []
    assert ring.add(*rotation("1", COORDINATOR)) == [id_of("1")]


def test_a_key_that_fails_its_commitment_is_ignored_and_the_true_one_still_taken():
    ring = Keyring(LATE)
    ring.add(*rotation("1", COORDINATOR))
    false = envelopes_for(id_of("1"), key_of("false"), [reader(LATE)], entropy("e1"))
    junk = msgspec.structs.replace(false, envelopes=((LATE.device[:8], bytes(48)),))
    true = envelopes_for(id_of("1"), key_of("1"), [reader(LATE)], entropy("e2"))

    assert ring.add(false, TENT.device, EntryHash(entropy("a"))) == []
    assert ring.add(junk, TENT.device, EntryHash(entropy("b"))) == []
    assert ring.add(true, TENT.device, EntryHash(entropy("c"))) == [id_of("1")]


@pytest.mark.parametrize("bridge_first", [True, False])
def test_a_parent_key_that_lies_opens_nothing(bridge_first):
    honest = rotation("1", COORDINATOR)
    record, author, entry = rotation("2", TENT, parents=("1",))
    assert isinstance(record, Rotation)
    liar = rotate(
        CARE,
        key_of("2"),
        parents={id_of("1"): key_of("false")},
        readers=[reader(TENT)],
        ephemeral_secret=entropy("ephemeral 2"),
    )
    order = [(liar, author, entry), honest]
    ring = Keyring(TENT)
    for placed in order if bridge_first else order[::-1]:
        ring.add(*placed)

    assert set(ring.keys) == {id_of("2")}


def test_a_joiners_old_keys_open_to_the_operations_readers():
    old = [rotation("old 1", LATE, scope=OLD), rotation("old 2", LATE, scope=OLD)]
    crossing = bridge(
        id_of("1"), key_of("1"), {id_of(each): key_of(each) for each in ("old 1", "old 2")}
    )
    records = [
        rotation("1", COORDINATOR, TENT),
        *old,
        (crossing, LATE.device, EntryHash(entropy("bridge"))),
    ]
    for order in itertools.permutations(records):
        ring = Keyring(TENT)
        for placed in order:
            ring.add(*placed)

        assert ring.key(id_of("old 1")) == key_of("old 1")
        assert ring.key(id_of("old 2")) == key_of("old 2")


def test_two_rotations_apart_strand_nobody_and_everybody_writes_under_the_same():
    base = rotation("1", COORDINATOR, TENT, LATE)
    apart = [
        rotation("2a", COORDINATOR, TENT, parents=("1",)),
        rotation("2b", COORDINATOR, TENT, parents=("1",), author=LATE),
    ]
    choices = set()
    for order in itertools.permutations([base, *apart]):
        ring = Keyring(TENT)
        for placed in order:
            ring.add(*placed)
        choices.add(ring.write_key(CARE, anybody))
        assert ring.heads(CARE) == sorted([id_of("2a"), id_of("2b")])

    assert choices == {min(id_of("2a"), id_of("2b"))}


def test_nobody_writes_under_the_rotation_of_a_device_that_may_not_rotate():
    ring = Keyring(TENT)
    ring.add(*rotation("1", TENT))
    ring.add(*rotation("2", TENT, parents=("1",), author=LATE))

    chosen = ring.write_key(CARE, lambda _, device: device == COORDINATOR.device)

    assert chosen == id_of("1")
    assert ring.key(id_of("2")) == key_of("2")


def test_a_generation_without_the_sealed_device_comes_first():
    ring = Keyring(TENT)
    labels = sorted(("2a", "2b"), key=id_of)
    ring.add(*rotation("1", TENT, LATE))
    ring.add(*rotation(labels[0], TENT, LATE, parents=("1",)))
    ring.add(*rotation(labels[1], TENT, parents=("1",)))

    assert ring.write_key(CARE, anybody) == id_of(labels[0])
    chosen = ring.write_key(CARE, anybody, avoid=[LATE.device])
    assert chosen == id_of(labels[1])
    assert ring.clean(id_of(labels[1]), [LATE.device])
    assert not ring.clean(id_of(labels[0]), [LATE.device])


def test_a_key_from_our_own_book_is_open_at_once_with_its_history():
    ring = Keyring(COORDINATOR)
    ring.add(*rotation("1"))
    ring.add(*rotation("2", parents=("1",)))

    assert sorted(ring.put(id_of("2"), key_of("2"))) == sorted([id_of("1"), id_of("2")])
    assert ring.put(id_of("2"), key_of("2")) == []
    assert ring.heads(COUNTS) == []


def test_a_reader_with_a_key_of_low_order_gets_no_envelope_and_harms_nobody():
    weak = (DeviceId(entropy("weak")), bytes(32))
    record = rotate(
        CARE,
        key_of("1"),
        parents={},
        readers=[weak, reader(TENT)],
        ephemeral_secret=entropy("ephemeral"),
    )

    assert [prefix for prefix, _ in record.envelopes] == [TENT.device[:8]]
    assert decode_control(encode_control(record)) == record
    assert record.commitment == commitment(key_of("1"))
