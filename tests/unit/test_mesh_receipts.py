"""Receipts: how often they are given, how far they travel, and which are kept."""

from __future__ import annotations

from protocols.feeds.lane import Lane
from protocols.ids import DeviceId, EntryHash, Epoch
from protocols.ledger.chain import FeedState
from protocols.mesh.frames import Receipt as ReceiptFrame
from protocols.mesh.frames import encode_frame
from protocols.mesh.receipts import ASKED_KEPT, RECEIPT_MS, REST_MS
from protocols.trust.receipts import Receipt, ReceiptHead, sign_receipt
from tests.unit.forge import device_keys
from tests.unit.stage import Device, admit, fill, linked, patient, speak
from tests.unit.test_ledger_chain import relayed


def own_feed(device: Device, lane: Lane) -> FeedState:
    feeds = device.ledger.chain.feeds.values()
    return next(
        each for each in feeds if (each.genesis.device, each.genesis.lane) == (device.id, lane)
    )


def receipts(device: Device) -> list[Receipt]:
    return [held for held, _ in device.ledger.peers.receipts.values()]


def test_hq_signs_at_most_one_receipt_in_five_seconds_and_each_says_all():
    stage, (hq, ben) = linked("hq", "ben", hq=True)
    stage.run(6_000)
    numbers = [receipts(ben)[0].number]

    for number in range(20):
        stage.write(ben, patient(f"P{number}"))
        stage.run(500)
        numbers += [each.number for each in receipts(ben)]
    stage.run(RECEIPT_MS + 500)

    (last,) = receipts(ben)
    numbers.append(last.number)
    assert numbers == sorted(numbers) and 3 <= len(set(numbers)) <= 5
    feed = next(
        f for f in ben.ledger.chain.feeds.values() if f.genesis.device == ben.id and f.seq > 19
    )
    assert ReceiptHead(feed.feed_id, feed.seq, EntryHash(feed.tips[0].hash)) in last.heads
    assert ben.ledger.peers.said_to_hold(hq.id, ben.ledger.chain, feed)[0] == feed.seq


def test_who_wrote_has_hqs_receipt_at_once_and_others_soon_enough():
    stage, (hq, ann, ben) = linked("hq", "ann", "ben", hq=True)
    stage.run(2 * REST_MS)
    stage.write(ann, patient("after a long time everybody has it at once"))
    stage.run(2_000)
    (first,) = {newest(device) for device in (hq, ann, ben)}
    numbers = [first]

    for turn in range(1, 4):
        stage.write(ann, patient(f"P{turn}"))
        stage.run(RECEIPT_MS + 1_000)
        assert newest(ann) == newest(hq) > numbers[-1]
        assert newest(ben) == first
        numbers.append(newest(hq))
    feed = own_feed(ann, Lane.ROUTINE)
    assert ann.ledger.peers.said_to_hold(hq.id, ann.ledger.chain, feed)[0] == feed.seq
    stage.write(ben, patient("of the other"))
    stage.run(RECEIPT_MS + 1_000)
    assert newest(ben) == newest(hq) > newest(ann)

    stage.run(REST_MS)

    assert newest(ann) == newest(ben) == newest(hq) > numbers[-1]
    assert hq.node._receipts.at_ms is None


def newest(device: Device) -> int:
    return max(receipt.number for receipt in receipts(device))


def test_only_hq_signs_what_it_holds():
    stage, (ann, ben) = linked("ann", "ben")
    stage.write(ben, patient("Amina"))

    stage.run(RECEIPT_MS + 2_000)

    assert receipts(ann) == receipts(ben) == []


def test_a_receipt_reaches_who_never_met_hq_and_is_void_in_its_next_epoch():
    stage, (hq, ben, eve) = linked("hq", "ben", "eve", hq=True)
    stage.run(6_000)
    stage.cut(hq, eve)
    stage.link(ben, eve)
    stage.run(1_000)
    stage.write(eve, patient("far away"))
    stage.run(RECEIPT_MS + 2_000)

    feed = own_feed(eve, Lane.ROUTINE)
    assert eve.ledger.peers.said_to_hold(hq.id, eve.ledger.chain, feed)[0] == feed.seq

    stage.cut(hq, ben)
    with hq.store.atomic():
        hq.store.execute("UPDATE meta SET value = x'1122334455667788' WHERE name = 'epoch'")
    hq.restarted()
    stage.write(hq, patient("in the new life"))
    _, said_ms = eve.ledger.peers.said_to_hold(hq.id, eve.ledger.chain, feed)
    stage.link(hq, ben)
    stage.run(30)
    assert ben.ledger.peers.said_to_hold(hq.id, ben.ledger.chain, feed) == (0, 0)
    stage.write(ben, patient("so that there is something to receipt"))
    stage.run(RECEIPT_MS + 2_000)
    assert eve.ledger.peers.said_to_hold(hq.id, eve.ledger.chain, feed)[1] > said_ms
    assert {each.epoch for each in receipts(hq)} >= {hq.ledger.authority.epoch}


def test_receipts_of_strangers_and_of_made_up_epochs_do_not_pile_up():
    stage, (ann, ben) = linked()
    stranger = device_keys("stranger")
    link = next(iter(ann.links))

    for number in range(30):
        for keys in (stranger, ann.ledger.authority.keys):
            epoch = Epoch(number.to_bytes(8))
            raw = sign_receipt(Receipt(DeviceId(keys.device), epoch, 1, number, ()), keys)
            speak(stage, ann, link, encode_frame(ReceiptFrame(raw)))
    stage.run(3_000)

    assert ben.node.linked == [ann.id]
    assert {each.giver for each in receipts(ben)} == {ann.id}
    assert len(receipts(ben)) <= 4
    assert ben.store.one("SELECT count(*) FROM receipt")[0] <= 4


def test_hq_says_what_it_holds_of_a_device_from_when_it_is_admitted_and_not_before():
    stage, (hq, ben) = linked("hq", "ben", hq=True)
    eve = Device.found("eve")
    stage.write(eve, patient("written alone"))
    old = own_feed(eve, Lane.ROUTINE)
    relayed(eve, hq)
    stage.write(ben, patient("so that there is something to receipt"))
    stage.run(RECEIPT_MS + 2_000)
    held = hq.ledger.chain.feeds[old.feed_id]
    # The scope of its feed is nobody's that HQ knows of: whom it may be named to is not known.
    assert held.seq == old.seq
    assert ben.ledger.peers.receipts
    assert old.feed_id not in named(hq) | named(ben)

    admit(hq, eve)
    stage.link(hq, eve)
    stage.write(ben, patient("so that there is something to receipt again"))
    stage.run(RECEIPT_MS + 2_000)

    for device in (ben, eve):
        assert old.feed_id in named(device)
        assert device.ledger.peers.said_to_hold(hq.id, device.ledger.chain, old)[0] == old.seq


def test_scopes_of_feeds_are_asked_anew_once_one_of_them_is_known_and_few_answers_are_kept():
    ben, eve = Device.found("ben"), Device.found("eve")
    asked = ben.node._receipts
    fill(eve, 1)
    feed = own_feed(eve, Lane.ROUTINE)
    assert asked._scopes_of([feed.feed_id]) == set()

    relayed(eve, ben)

    assert asked._scopes_of([feed.feed_id]) == {feed.genesis.scope}
    gathered = asked._scope_of
    for number in range(2 * ASKED_KEPT):
        asked._scopes_of([bytes((number,)) * 32])
        assert len(asked._scopes_found) <= ASKED_KEPT
        assert asked._scope_of is gathered
    assert asked._scopes_of([feed.feed_id]) == {feed.genesis.scope}


def named(device: Device) -> set[bytes]:
    """Every feed that some receipt here speaks of."""
    return {bytes(head.feed) for receipt in receipts(device) for head in receipt.heads}
