"""What passes over a link: how much, how often, in which order, and what is refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import pytest

from protocols.errors import LedgerError
from protocols.feeds.feed import Genesis
from protocols.feeds.lane import Lane
from protocols.feeds.run import Outgoing, Run, encode_run
from protocols.ids import Epoch, FeedId
from protocols.ledger import waiting
from protocols.mesh.awaiting import AWAITED_MAX
from protocols.mesh.effects import Effect, WakeAt
from protocols.mesh.frames import (
    DATA_BYTES,
    HEADS_MAX,
    Data,
    Have,
    Ladder,
    Place,
    Want,
    encode_frame,
)
from protocols.mesh.holdings import PLACES_MAX
from protocols.mesh.outbox import FRAME_MS, WINDOW_FRAMES_MIN
from protocols.mesh.places import LADDER_PLACES_MAX
from tests.unit.forge import Author, device_keys, opening, saying
from tests.unit.stage import (
    Device,
    Stage,
    agree,
    camp,
    copied,
    fill,
    linked,
    meshed,
    note,
    patient,
    size,
    speak,
    triage,
)

WINDOW_BYTES = 2 * DATA_BYTES
"""What may be under way on a line that is not long."""


def mallory(device: Device, name: str = "mallory", *, keys: bool = True) -> Author:
    """A device that writes under the scope's key, or under one of its own device."""
    authority = device.ledger.authority
    key_id, key = authority.write_key(authority.care_scope)
    own = authority.keys if keys else device_keys(name)
    return Author(own, authority.care_scope, key_id, key)


# how often and how much


def test_a_hundred_edits_on_each_side_cross_in_two_round_trips():
    stage, (ann, ben) = linked(one_way_ms=100)
    stage.cut(ann, ben)
    fill(ann, 100)
    fill(ben, 100, start=500)
    began, bytes_before, whole = stage.at_ms, stage.carried_bytes, size(ann) + 100

    stage.link(ann, ben)
    stage.run(5_000, until=lambda: size(ann) == size(ben) == whole)

    assert ann.entries == ben.entries
    assert stage.at_ms - began <= 400  # two round trips of 200 ms, the handshake's included
    assert agree(ann, ben)
    stage.run(2_000)
    assert stage.carried_bytes - bytes_before <= 48_000


def test_nothing_to_sync_costs_the_same_however_much_there_is():
    costs = []
    for patients in (1, 400):
        stage, (ann, ben) = linked()
        fill(ann, patients)
        stage.cut(ann, ben)
        stage.link(ann, ben)
        stage.run(3_000)
        assert agree(ann, ben)
        stage.cut(ann, ben)
        before = stage.carried_bytes
        stage.link(ann, ben)
        stage.run(10_000)
        costs.append(stage.carried_bytes - before)

    assert max(costs) <= 1_500
    assert abs(costs[0] - costs[1]) <= 60


def test_a_cold_sync_over_a_long_line_takes_few_round_trips():
    stage, (ann, ben) = linked(one_way_ms=100)
    stage.cut(ann, ben)
    fill(ann, 800)
    began = stage.at_ms

    stage.link(ann, ben)
    stage.run(60_000, until=lambda: size(ann) == size(ben))

    assert stage.at_ms - began <= 200 * 7


def test_merging_presses_once_half_of_what_may_be_kept_waits(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(waiting, "FRESH_MAX", 200)
    stage, (ann, ben) = linked(one_way_ms=100)
    stage.cut(ann, ben)
    fill(ann, 800)
    alarms: list[tuple[WakeAt, bool]] = []
    carry = stage.carry

    def watching(device: Device, effects: Sequence[Effect]) -> None:
        kept = ben.ledger._waiting.at_hand
        alarms.extend((e, kept >= 100) for e in effects if isinstance(e, WakeAt) and device is ben)
        carry(device, effects)

    monkeypatch.setattr(stage, "carry", watching)
    stage.link(ann, ben)
    stage.run(60_000, until=lambda: size(ann) == size(ben) and not ben.ledger.behind)

    assert {many for _, many in alarms} == {False, True}
    assert all(alarm.pressing is many for alarm, many in alarms)
    assert ann.care == ben.care


def test_an_urgent_record_overtakes_a_cold_sync():
    stage, (ann, ben) = linked(one_way_ms=20)
    stage.cut(ann, ben)
    people = fill(ann, 800)
    stage.bytes_a_ms = 3  # the whole takes some fifteen seconds
    stage.link(ann, ben)
    stage.run(3_000)
    ahead = size(ben)

    stage.write(ann, triage(people[0].code or ""))
    urgent = "SELECT 1 FROM feed f JOIN entry e ON e.feed = f.no WHERE f.lane = 1"
    began = stage.at_ms
    stage.run(20_000, until=lambda: ben.store.one(urgent) is not None)

    assert stage.at_ms - began <= (WINDOW_FRAMES_MIN + 1) * FRAME_MS + 40
    assert 12 < ahead < size(ben) < size(ann)
    stage.run(20_000)
    assert agree(ann, ben)


def test_ten_nodes_on_one_lan_get_each_entry_hardly_more_than_once():
    stage, devices = meshed([f"n{number}" for number in range(10)])
    arrived = [0]
    for device in devices:
        take = device.ledger.take

        def counting(runs: Sequence[Run], wall_ms: int, take: Any = take) -> Any:
            arrived[0] += sum(len(run.lines) for run in runs)
            return take(runs, wall_ms)

        device.ledger.take = counting  # type: ignore[method-assign]
    before = len(devices[0].entries)
    people: list[str] = []
    for number in range(30):
        line = triage(people[number % 7]) if number > 20 else patient(f"P{number}")
        people += [each.code for each in stage.write(devices[number % 10], line) if each.code]
        stage.run(300)
    stage.run(30_000)

    assert agree(*devices)
    assert arrived[0] <= 1.5 * 9 * (len(devices[0].entries) - before)


def test_a_chain_of_nodes_passes_on_what_the_ends_never_meet():
    stage, devices = Stage(), camp(("ann", "ben", "eve", "dan"))
    for here, there in pairwise(devices):
        stage.link(here, there)
    stage.run(3_000)

    stage.write(devices[0], patient("Far"))
    stage.write(devices[-1], patient("Near"))
    stage.run(3_000)

    assert agree(*devices)


# cut, and take up again


@pytest.mark.parametrize(
    "cut_at",
    [at if at % 12 == 1 else pytest.param(at, marks=pytest.mark.slow) for at in range(1, 40, 3)],
)
def test_wherever_a_link_breaks_the_next_one_brings_the_rest(cut_at: int):
    stage, (ann, ben, eve) = linked("ann", "ben", "eve")
    people = fill(ann, 3)
    stage.cut(ann, ben)
    fill(ann, 300, start=10)
    fill(ben, 20, start=1_000)
    stage.link(ann, ben)
    passed = stage.messages + cut_at
    stage.write(eve, patient("offered"))
    stage.write(ann, note(people[0].code or ""))
    stage.run(400, until=lambda: stage.messages >= passed)
    stage.cut(ann, ben)
    stage.run(3_000)

    for _ in range(2):
        stage.link(ann, ben)
        stage.run(3_000)
        stage.cut(ann, ben)

    assert ann.entries == ben.entries == eve.entries
    assert agree(ann, ben, eve)


@pytest.mark.parametrize("pause_ms", range(0, 260, 20))
def test_an_offer_that_was_not_fetched_is_made_again(pause_ms: int):
    stage, (ann, ben, eve) = linked("ann", "ben", "eve", one_way_ms=20)
    stage.write(eve, patient("offered"))
    stage.run(60)
    stage.write(ann, patient("pushed"))
    stage.run(pause_ms)
    stage.cut(ann, ben)
    stage.run(1_000)

    stage.link(ann, ben)
    stage.run(3_000)

    assert ann.entries == ben.entries == eve.entries


def as_large(one: Device, other: Device) -> Callable[[], bool]:
    return lambda: size(one) == size(other)


def test_a_cut_in_the_middle_sends_at_most_one_window_again():
    sent = []
    for cut in (False, True):
        stage, (ann, ben) = linked(one_way_ms=20)
        stage.cut(ann, ben)
        fill(ann, 600)
        before, stage.bytes_a_ms = stage.carried_bytes, 6
        stage.link(ann, ben)
        if cut:
            stage.run(3_000)
            assert 12 < len(ben.entries) < len(ann.entries) - 100
            stage.cut(ann, ben)
            stage.link(ann, ben)
        stage.run(60_000, until=as_large(ann, ben))
        assert ann.entries == ben.entries
        sent.append(stage.carried_bytes - before)

    assert sent[1] - sent[0] <= WINDOW_BYTES + DATA_BYTES


def test_a_device_that_lost_its_book_since_is_given_everything_again():
    stage, (ann, ben, eve) = linked("ann", "ben", "eve")
    old = copied(ben.store)
    stage.write(eve, *[patient(f"after the backup {at}") for at in range(10)])
    stage.run(2_000)
    stage.cut(ann, ben)
    ben.store = old
    ben.restarted()
    stage.carry(ben, ben.node.start(stage.now(ben)))
    for start, count in ((70, 1), (80, 3), (90, 30)):
        fill(ben, count, start=start)
        stage.cut(ann, ben)
        stage.link(ann, ben)
        stage.run(2_000)
        assert ann.entries == ben.entries


def test_a_restored_copy_opens_a_new_epoch_and_both_branches_live():
    stage, (ann, ben) = linked()
    first = stage.write(ben, patient("first"))[0].code or ""
    stage.run(1_000)
    old = copied(ben.store)
    stage.write(ben, note(first, "kept by ann"), patient("second"))
    stage.run(1_000)
    stage.cut(ann, ben)
    ben.store = old
    ben.restarted()
    epoch = ben.ledger.authority.epoch
    stage.write(ben, note(first, "written by the copy"))

    stage.link(ann, ben)
    stage.run(3_000)
    stage.write(ben, patient("third"))
    stage.run(3_000)

    assert ben.ledger.authority.epoch != epoch
    assert ann.entries == ben.entries
    assert agree(ann, ben)
    texts = {row[0] for row in ann.store.all("SELECT text FROM note")}
    assert {"kept by ann", "written by the copy"} <= texts
    assert any(each.code == "new_epoch" for each in ben.notices)


def test_a_peer_that_only_claims_to_know_more_of_us_changes_nothing():
    stage, (ann, ben) = linked()
    stage.write(ben, patient())
    stage.run(1_000)
    link = next(iter(ann.links))
    epoch = ben.ledger.authority.epoch
    feed = next(f for f in ben.ledger.chain.feeds.values() if f.genesis.device == ben.id and f.tips)

    lie = Have(False, 0, (Place(feed.feed_id, feed.seq + 1_000, b"lies" * 2),))
    speak(stage, ann, link, encode_frame(lie))

    assert ben.ledger.authority.epoch == epoch
    assert ben.node.linked == [ann.id]


# what is refused


def test_entries_signed_by_another_key_are_refused_and_nothing_is_stored():
    stage, (ann, ben) = linked()
    author = mallory(ann, keys=False)
    entry = author.write([opening(), saying("forged")])
    genesis = Genesis(ben.id, Epoch(b"stolen!!"), author.scope, Lane.ROUTINE)
    forged = encode_run(
        genesis.feed_id, genesis.encode(), 1, genesis.feed_id, [author.outgoing(entry)]
    )
    before = ben.entries

    speak(stage, ann, next(iter(ann.links)), encode_frame(Data(forged)))

    assert ben.entries == before
    assert "bad_signature" in ben.hangups.values()


def test_a_run_that_does_not_end_in_a_signature_is_refused():
    stage, (ann, ben) = linked()
    author = mallory(ann)
    out = [author.outgoing(author.write([opening()]), signed=at < 2) for at in range(3)]
    genesis = author.genesis()
    raw = encode_run(genesis.feed_id, genesis.encode(), 1, genesis.feed_id, out)
    before = ben.entries

    speak(stage, ann, next(iter(ann.links)), encode_frame(Data(raw)))

    assert ben.entries == before
    assert "malformed" in ben.hangups.values()


def test_a_member_that_strips_a_body_on_its_way_is_refused():
    stage, (ann, ben) = linked()
    author = mallory(ann)
    whole = author.outgoing(author.write([opening(), saying("kept")]))
    genesis = author.genesis()
    bare: Outgoing = whole._replace(body=None)
    before = ben.entries

    for out in (bare, whole):
        raw = encode_run(genesis.feed_id, genesis.encode(), 1, genesis.feed_id, [out])
        speak(stage, ann, next(iter(ann.links), 0) or stage.link(ann, ben), encode_frame(Data(raw)))
        stage.link(ann, ben)
        stage.run(500)

    assert len(ben.entries) == len(before) + 1
    assert ben.unopened() == []


def test_a_run_with_a_gap_does_not_cost_the_runs_behind_it():
    stage, (ann, ben) = linked()
    one, two = mallory(ann), mallory(ann)
    two.epoch = Epoch(b"another!")
    for author in (one, two):
        for number in range(3):
            author.write([opening(), saying(str(number))])
    raw = one.encoded(first=2) + two.encoded()

    speak(stage, ann, next(iter(ann.links)), encode_frame(Data(raw)))

    assert ben.node.linked == [ann.id]
    assert ben.entries >= {each.hash for each in two.chains[Lane.ROUTINE]}
    assert not ben.entries & {each.hash for each in one.chains[Lane.ROUTINE]}


def test_what_a_peer_lists_and_asks_for_is_bounded():
    stage, (ann, ben) = linked()
    stage.write(ben, patient())
    stage.run(500)
    feed = next(f for f in ben.ledger.chain.feeds.values() if f.genesis.device == ben.id and f.tips)
    link = next(iter(ann.links))
    rungs = Place(feed.feed_id, 1, b"another!")

    sent = len(ben.sent)
    speak(stage, ann, link, encode_frame(Have(False, 0, (rungs,) * HEADS_MAX)))
    assert len(ben.sent) - sent <= 3
    speak(stage, ann, link, encode_frame(Want((rungs,) * HEADS_MAX)))
    assert len(ben.sent) - sent <= 6
    assert ben.node.linked == [ann.id]
    speak(stage, ann, link, encode_frame(Ladder((rungs,) * (LADDER_PLACES_MAX + 1))))
    assert "malformed" in ben.hangups.values()

    link = stage.link(ann, ben)
    stage.run(500)
    for start in range(0, AWAITED_MAX + HEADS_MAX, HEADS_MAX):
        made_up = [
            Place(FeedId(number.to_bytes(32)), 9, b"made up!")
            for number in range(start, start + HEADS_MAX)
        ]
        if link in ann.links:
            speak(stage, ann, link, encode_frame(Have(False, 0, tuple(made_up))))
    assert "too_many" in ben.hangups.values()


def test_more_offers_than_one_frame_holds_are_all_made():
    stage, (ann, ben, eve) = linked("ann", "ben", "eve")
    stage.cut(ann, ben)
    author = mallory(ann)
    runs = []
    for number in range(HEADS_MAX + 50):
        author.epoch, author.chains = Epoch(number.to_bytes(8)), {}
        author.write([opening()])
        runs.append(author.encoded())
    stage.link(ann, ben)
    stage.run(1_000)
    link = next(link for link, (far, _) in eve.links.items() if far is ann)
    for start in range(0, len(runs), 100):
        # All of it within a moment, so that one offer has to name everything.
        speak(stage, eve, link, encode_frame(Data(b"".join(runs[start : start + 100]))), 0)
    stage.run(5_000)

    assert len(ben.entries) == len(ann.entries)


def test_a_disk_that_fails_while_storing_costs_the_link_and_nothing_else():
    stage, (ann, ben) = linked()
    stage.cut(ann, ben)
    fill(ann, 50)
    fault = [True]
    execute = ben.store.execute

    def failing(sql: str, values: object = ()) -> object:
        if fault and sql == "COMMIT":
            fault.clear()
            raise LedgerError("disk_full")
        return execute(sql, values)  # type: ignore[arg-type]

    ben.store.execute = failing  # type: ignore[method-assign]
    before = ben.care
    stage.link(ann, ben)
    stage.run(2_000)
    assert not fault
    assert "disk_full" in ben.hangups.values()
    assert ben.care == before

    stage.link(ann, ben)
    stage.run(2_000)
    assert agree(ann, ben)


def test_a_link_that_stays_up_for_long_remembers_a_bounded_number_of_places():
    stage, (ann, ben) = linked("ann", "ben")
    whom = stage.write(ann, patient("Amina"))[0].patient
    for number in range(PLACES_MAX + 40):
        stage.write(ann, note(whom, f"note {number}"))
        stage.run(100)

    assert agree(ann, ben)
    for device in (ann, ben):
        (session,) = device.node._board.sessions()
        places = [len(held) for held in session._holdings._held.values()]
        assert max(places) == PLACES_MAX, places
