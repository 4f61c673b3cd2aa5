"""Receipts: whatever happens on the way, whoever wrote hears that HQ holds it, and never that it
holds what it lost."""

from __future__ import annotations

import pytest

from protocols.ids import Epoch
from protocols.ledger.founding import new_epoch
from protocols.ledger.reading import own_feeds, saved_where, travelled
from protocols.ledger.sealing import SealOrder
from protocols.mesh.receipts import RECEIPT_MS, REST_MS
from protocols.trust.control import SealReason
from tests.unit.stage import Device, Stage, admit, copied, linked, meshed, patient, triage
from tests.unit.test_erase import coordinator, erase, order
from tests.unit.test_ledger_chain import relayed
from tests.unit.test_mesh_receipts import newest, receipts

SOON_MS = RECEIPT_MS + 1_000
"""In this time whoever wrote has HQ's receipt, over lines that work."""


def told(device: Device) -> bool:
    """Whether its terminal says of all that it wrote that HQ has it."""
    arrivals = [
        arrival
        for feed in own_feeds(device.ledger)
        for (arrival,) in device.store.all("SELECT arrival FROM entry WHERE feed = ?", (feed.no,))
    ]
    said = travelled(device.ledger).at_hq_until_ms
    hq = set(saved_where(device.ledger, arrivals).values()) == {"hq"}
    return hq and said is not None


def power_cut(stage: Stage, device: Device, *others: Device) -> None:
    """The disk is as it is now; what was in memory alone is gone. It starts again, unlinked."""
    for other in others:
        stage.cut(device, other)
    device.store = copied(device.store)
    device.restarted()
    stage.carry(device, device.node.start(stage.now(device)))


def test_hq_that_lost_power_between_taking_and_giving_gives_when_it_is_back():
    stage, (hq, ann) = linked("hq", "ann", hq=True)
    stage.run(2 * REST_MS)
    stage.write(ann, patient("just before the cut"))
    stage.run(50)
    assert ann.entries <= hq.entries and not told(ann)
    power_cut(stage, hq, ann)
    stage.run(20_000)

    stage.link(hq, ann)
    stage.run(SOON_MS)

    assert told(ann)


def test_what_hq_says_after_a_power_cut_is_newer_than_all_it_said_before():
    stage, (hq, ann) = linked("hq", "ann", hq=True)
    stage.run(2 * REST_MS)
    for number in range(8):
        stage.write(ann, patient(f"P{number}"))
        stage.run(SOON_MS)
    assert told(ann)
    power_cut(stage, hq, ann)
    stage.link(hq, ann)
    stage.write(ann, patient("after the cut"))
    stage.run(SOON_MS)

    assert told(ann)


def test_who_never_meets_hq_hears_that_it_began_another_life_and_believes_the_old_one_no_more():
    stage, (hq, ben, eve) = linked("hq", "ben", "eve", hq=True)
    stage.cut(hq, eve)
    stage.link(ben, eve)
    stage.run(1_000)
    backup = copied(hq.store)
    stage.write(eve, patient("in no backup of HQ"))
    stage.run(SOON_MS)
    assert told(eve)
    stage.cut(ben, eve)
    ben.node.stop()

    # HQ's disk is lost; an older backup is opened, which begins another life; who brings receipts
    # has not been met.
    stage.cut(hq, ben)
    hq.store = backup
    new_epoch(hq.store, b"22334455")
    hq.restarted()
    stage.carry(hq, hq.node.start(stage.now(hq)))
    stage.write(hq, patient("in its new life"))
    joe = Device.found("joe")
    admit(hq, joe)
    stage.link(hq, joe)
    stage.run(SOON_MS)
    stage.cut(hq, joe)
    stage.link(joe, eve)
    stage.run(50)

    assert eve.ledger.chain.superseded(hq.id, own_epoch(hq)) is False
    assert hq.entries <= eve.entries
    assert not eve.entries <= hq.entries
    assert not told(eve)


def test_that_hq_began_another_life_is_enough_to_believe_the_old_one_no_more():
    stage, (hq, ann) = linked("hq", "ann", hq=True)
    backup = copied(hq.store)
    stage.write(ann, patient("in no backup of HQ"))
    stage.run(SOON_MS)
    assert told(ann)
    stage.cut(hq, ann)

    hq.store = backup
    new_epoch(hq.store, b"22334455")
    hq.restarted()
    stage.write(hq, patient("in its new life"))
    # Nothing that it signed in it has come yet, or its clock has stood still since.
    relayed(hq, ann)

    assert not told(ann)


def test_of_a_card_and_its_copy_the_one_that_was_met_last_is_believed_again():
    stage, (hq, ann) = linked("hq", "ann", hq=True)
    stage.cut(hq, ann)
    twin = hq.copy("twin")
    new_epoch(twin.store, b"22334455")
    twin.restarted()
    for turn in range(3):
        for each in (hq, twin):
            stage.link(each, ann)
            stage.write(ann, patient(f"P{turn}"))
            stage.run(SOON_MS)
            assert told(ann), (turn, each.name)
            stage.cut(each, ann)


def test_of_an_author_who_wrote_two_histories_hq_is_said_to_have_the_one_that_it_has():
    stage, (hq, ann) = linked("hq", "ann", hq=True)
    twin = ann.copy("twin")
    stage.write(ann, patient("one"), patient("two"))
    stage.run(SOON_MS)
    stage.write(twin, patient("another"))
    for receipt, raw in hq.ledger.peers.receipts.values():
        assert twin.ledger.peers.take_receipt(raw) == receipt

    assert told(ann)
    assert not told(twin) and travelled(twin.ledger).at_hq_until_ms is None


def own_epoch(device: Device) -> Epoch:
    return device.ledger.authority.epoch


def test_a_receipt_goes_on_to_an_author_whose_own_line_to_hq_was_dead():
    stage, (hq, ann, ben) = linked("hq", "ann", "ben", hq=True)
    stage.link(ann, ben)
    (answer,) = stage.write(ann, patient("over the other"))
    stage.run(2 * REST_MS)
    stage.write(ann, patient("so that others than authors have to wait"))
    stage.run(SOON_MS)
    dead = {("hq", "ann"), ("ann", "hq")}
    stage.spoil = lambda here, there, raw: () if (here.name, there.name) in dead else (raw,)
    stage.write(ann, triage(answer.code))
    # Who is told that the author is linked offers what is urgent even so.
    stage.run(SOON_MS)
    assert ann.entries <= hq.entries
    assert not told(ann)

    # Half a minute later both have noticed.
    stage.run(20_000)
    stage.cut(hq, ann)
    stage.run(1_000)

    assert told(ann)


def test_who_loses_its_line_to_hq_is_handed_the_receipt_by_two_others_and_not_by_all():
    stage, (hq, ann, *others) = meshed([f"n{number}" for number in range(9)], hq=True)
    for _ in range(20):
        stage.write(ann, patient("P"))
        stage.run(SOON_MS)
    stage.run(REST_MS)
    (receipt,) = receipts(ann)
    size = 100 + 72 * len(receipt.heads)
    came: list[str] = []

    def tally(here: Device, there: Device, message: bytes) -> tuple[bytes, ...]:
        if there is ann and len(message) > size:
            came.append(here.name)
        return (message,)

    stage.spoil = tally
    stage.cut(hq, ann)
    stage.run(2_000)

    assert len(others) == 7 and len(came) == len(set(came)) <= 2
    assert told(ann)


def test_where_all_are_linked_to_hq_nobody_else_hands_its_receipts_on():
    stage, (hq, ann, *others) = meshed([f"n{number}" for number in range(6)], hq=True)
    stage.run(2 * REST_MS)
    size = 100 + 72 * max(len(receipt.heads) for receipt in receipts(ann))
    came: list[str] = []

    def tally(here: Device, there: Device, message: bytes) -> tuple[bytes, ...]:
        if len(message) > size:
            came.append(here.name)
        return (message,)

    stage.spoil = tally
    for _ in range(5):
        stage.write(ann, patient("P"))
        stage.run(SOON_MS)
    assert len(others) == 4 and told(ann) and set(came) == {hq.name} and len(came) <= 10


def test_what_was_taken_of_hq_is_not_forgotten_when_the_book_is_read_anew():
    stage, (hq, ann) = linked("hq", "ann", hq=True)
    stage.run(2 * REST_MS)
    stage.write(ann, patient("P"))
    stage.run(SOON_MS)
    assert told(ann)

    with pytest.raises(ZeroDivisionError), ann.ledger.atomic():
        1 / 0  # noqa: B018

    assert told(ann)


def test_a_receipt_of_a_new_hq_that_comes_before_who_it_is_counts_once_that_is_known():
    stage, (hq, ben, eve) = linked("hq", "ben", "eve", hq=True)
    stage.cut(hq, eve)
    second = Device.found("second")
    admit(hq, second, hq=True)
    stage.write(eve, patient("P"))
    stage.link(ben, eve)
    stage.run(2_000)
    # From now on the first HQ says nothing that eve hears.
    stage.cut(ben, eve)
    stage.cut(hq, ben)
    stage.write(eve, patient("Q"))
    relayed(eve, ben)
    stage.link(second, ben)
    stage.run(SOON_MS)
    assert second.id in {each.giver for each in receipts(ben)}
    assert second.id not in eve.ledger.peers.all

    stage.link(ben, eve)
    stage.run(2_000)

    assert told(eve)


def test_members_are_known_after_a_power_cut_and_what_their_receipts_say():
    stage, (hq, ann, ben) = linked("hq", "ann", "ben", hq=True)
    stage.cut(hq, ann)
    ann.store.execute("DELETE FROM peer")
    ann.restarted()
    stage.link(ann, ben)
    stage.write(ann, patient("P"))
    stage.run(SOON_MS)

    assert told(ann)


def test_of_twelve_linked_to_hq_who_wrote_nothing_gets_one_receipt_in_five_minutes():
    names = [f"n{number}" for number in range(12)]
    stage, (hq, busy, *quiet) = linked("hq", *names, hq=True)
    stage.run(2 * REST_MS)
    came = {device.name: [newest(device)] for device in quiet}

    for minute in range(30):
        for _ in range(6):
            stage.write(busy, patient(f"P{minute}"))
            stage.run(10_000)
            for device in quiet:
                came[device.name].append(newest(device))
    assert told(busy)

    for name, numbers in came.items():
        assert 5 <= len(set(numbers)) - 1 <= 7, name
    stage.run(REST_MS)
    assert {newest(device) for device in quiet} == {newest(hq)}


def test_who_waits_for_a_receipt_has_it_though_others_come_and_go_meanwhile():
    stage, (hq, ann, ben, eve) = linked("hq", "ann", "ben", "eve", hq=True)
    stage.run(2 * REST_MS)
    stage.write(ann, patient("so that others than authors have to wait"))
    stage.run(SOON_MS)
    stage.write(ann, patient("P"))
    stage.run(SOON_MS)
    assert newest(ben) < newest(hq)
    stage.cut(hq, eve)
    stage.run(1_000)
    stage.link(hq, eve)
    stage.run(REST_MS)

    assert newest(ben) == newest(eve) == newest(hq)


def test_over_a_satellite_that_is_up_a_minute_a_day_a_relay_brings_the_receipts_on():
    stage, (hq, ben, eve) = linked("hq", "ben", "eve", hq=True)
    stage.cut(hq, eve)
    stage.cut(hq, ben)
    stage.link(ben, eve)
    for day in range(3):
        stage.write(eve, patient(f"P{day}"))
        stage.run(86_340_000)
        stage.link(hq, ben)
        stage.run(60_000)
        assert told(eve)
        stage.cut(hq, ben)


@pytest.mark.parametrize("up_ms", [300, 1_000, 4_000])
def test_a_line_that_never_lives_long_brings_the_receipt_the_next_time(up_ms):
    stage, (hq, ben, eve) = linked("hq", "ben", "eve", hq=True)
    stage.cut(hq, eve)
    stage.link(ben, eve)
    for turn in range(4):
        stage.write(eve, patient(f"P{turn}"))
        stage.run(1_000)
        for _ in range(2):
            stage.cut(hq, ben)
            stage.run(10_000)
            stage.link(hq, ben)
            stage.run(up_ms)
        assert told(eve), turn


def test_an_author_who_reaches_hq_through_another_than_brought_the_entry_has_the_receipt_at_once():
    stage, (hq, ann, ben, eve) = linked("hq", "ann", "ben", "eve", hq=True)
    stage.cut(hq, eve)
    stage.link(ann, eve)
    stage.run(2 * REST_MS)
    stage.write(ben, patient("so that others than authors have to wait"))
    stage.run(SOON_MS)
    stage.write(ben, patient("so that the next receipt has to wait"))
    stage.run(500)
    stage.write(eve, patient("brought by ann"))
    stage.run(500)
    stage.cut(ann, eve)
    stage.link(ben, eve)
    assert eve.entries <= hq.entries and not told(eve)

    stage.run(RECEIPT_MS)

    assert told(eve)


def test_who_is_linked_only_after_its_entry_came_by_another_has_the_receipt_at_once():
    stage, (hq, ann, ben) = linked("hq", "ann", "ben", hq=True)
    stage.run(2 * REST_MS)
    stage.cut(hq, ann)
    stage.write(ben, patient("so that the next receipt has to wait"))
    stage.run(500)
    stage.write(ann, patient("by another"))
    stage.link(ann, ben)
    stage.run(500)
    stage.cut(ann, ben)
    assert ann.entries <= hq.entries and not told(ann)

    stage.link(hq, ann)
    stage.run(RECEIPT_MS)

    assert told(ann)


def test_what_an_hq_says_counts_no_more_once_it_is_sealed_as_lost():
    stage, (root, ann) = linked("root", "ann", hq=True)
    second = Device.found("second")
    admit(root, second, hq=True)
    stage.link(root, second)
    stage.run(2_000)
    stage.cut(root, second)
    stage.cut(root, ann)
    stage.link(second, ann)
    stage.write(ann, patient("held by one HQ alone"))
    stage.run(SOON_MS)
    assert told(ann) and not ann.entries <= root.entries
    stage.cut(second, ann)

    stage.carry(root, root.node.seal(second.id, SealOrder(SealReason.LOST), stage.now(root)))
    stage.link(root, ann)
    stage.run(2_000, until=lambda: ann.ledger.authority.roster.cut(second.id))
    assert ann.ledger.authority.roster.cut(second.id)
    assert not told(ann)

    stage.run(SOON_MS)
    assert told(ann) and ann.entries <= root.entries


def test_what_an_erase_takes_is_at_hq_all_the_same_and_so_is_what_comes_after():
    stage, (hq, ann, ben) = linked("hq", "ann", "ben", hq=True)
    coordinator(hq, ben)
    (answer,) = stage.write(ann, patient("P"))
    stage.run(SOON_MS)
    assert told(ann)

    erase(stage, hq, order(hq, ben, str(answer.id)))
    stage.run(SOON_MS)
    assert not ann.store.all("SELECT 1 FROM strand") and told(ann)

    stage.write(ann, patient("Q"))
    stage.run(SOON_MS)
    assert told(ann)
    power_cut(stage, hq, ann, ben)
    stage.link(hq, ann)
    stage.write(ann, patient("R"))
    stage.run(SOON_MS)
    assert told(ann)
