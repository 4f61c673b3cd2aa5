"""What a full mesh says of entries that everybody has: once, and to one side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from random import Random
from typing import Any, cast

import pytest

from protocols.errors import LedgerError
from protocols.feeds.lane import Lane
from protocols.ids import ScopeId
from protocols.ledger.book import Taken
from protocols.mesh import links
from protocols.mesh.door import own_control
from protocols.mesh.frames import Frame, Have, encode_frame
from protocols.mesh.holdings import Holdings
from protocols.mesh.offers import MARK_RESTS_MAX_MS, MARK_RESTS_MS, Offers
from protocols.mesh.passing import SUPPRESSED_OFFER_MS, URGENT_OFFER_MS
from protocols.mesh.runs import KEPT_RUNS_MAX, RecentRuns
from protocols.mesh.session import Session
from protocols.trust.roster import Roster
from tests.unit.stage import Device, Stage, admit, agree, camp, fill, meshed, patient, triage

MINUTE_MS = 60_000


def urgent(device: Device) -> int:
    """How many urgent entries it holds."""
    feeds = device.ledger.chain.feeds.values()
    return sum(feed.seq for feed in feeds if feed.genesis.lane == Lane.URGENT)


@pytest.mark.parametrize("seed", range(8))
def test_of_two_who_heard_the_same_entry_one_offers_it_and_it_is_settled_for_both(seed: int):
    stage, (ann, ben, eve) = meshed(("ann", "ben", "eve"), seed=seed)
    stage.run(SUPPRESSED_OFFER_MS[1] + 5 * MINUTE_MS)
    stage.write(ann, patient("heard by two"))
    stage.run(5 * MINUTE_MS)
    before = stage.messages

    stage.run(SUPPRESSED_OFFER_MS[1])

    assert agree(ann, ben, eve)
    assert stage.messages - before == 3  # what I have, my mark, and your mark with its answer
    for here, there in ((ben, eve), (eve, ben)):
        assert here.ledger.peers.all[there.id].we_hold == there.ledger.chain.last_arrival


def test_who_never_got_an_entry_is_offered_it_in_the_end():
    stage, (ann, ben, eve) = meshed(("ann", "ben", "eve"))
    # Whatever ann sends eve from now on is lost, and neither notices.
    stage.spoil = lambda here, there, each: () if (here, there) == (ann, eve) else (each,)
    stage.write(ann, patient("lost on the way"))
    stage.run(SUPPRESSED_OFFER_MS[0] - MINUTE_MS)
    assert len(eve.entries) < len(ann.entries)

    stage.run(SUPPRESSED_OFFER_MS[1])

    assert eve.entries == ben.entries == ann.entries
    # And it is acknowledged: the mark that came before it is said again behind it.
    assert eve.ledger.peers.all[ben.id].we_hold == ben.ledger.chain.last_arrival


def test_what_a_peer_may_hold_no_longer_is_not_offered_to_it_either(
    monkeypatch: pytest.MonkeyPatch,
):
    stage, (ann, ben, eve) = meshed(("ann", "ben", "eve"))
    stage.write(ann, patient("to be offered"))
    stage.run(1_000)
    (session,) = [each for each in ben.node._board.sessions() if each.peer == eve.id]
    assert session.offers
    monkeypatch.setattr(Roster, "may_hold", lambda _, __, scope, *___: scope == ScopeId.zero())

    ben.ledger.authority.version += 1
    session.reauthorise()
    session.offer(stage.at_ms)

    assert not session.offers
    assert not [each for each in session.out if isinstance(each, Have)]


def swallowing(*way: Device) -> Callable[[Device, Device, bytes], Iterable[bytes]]:
    """What a line does that is dead from the first device to the second."""
    return lambda here, there, each: () if (here, there) == way else (each,)


@pytest.mark.parametrize("names", [("ann", "ben", "eve"), ("ann", "ben", "eve", "joe", "zoe")])
def test_an_urgent_entry_that_a_dead_line_swallows_comes_from_another_within_seconds(names):
    for lost in range(1, len(names)):
        stage, (ann, *others) = meshed(names, seed=lost)
        there = others[lost - 1]
        (answer,) = stage.write(ann, patient("on the way"))
        stage.run(1_000)
        stage.spoil = swallowing(ann, there)
        stage.write(ann, triage(answer.patient))
        stage.run(URGENT_OFFER_MS[1] + 800)

        assert urgent(there) == urgent(ann)


@pytest.mark.parametrize("where", ["_build_bridge", "_merge_now"])
def test_what_a_disk_took_before_it_was_full_is_offered_all_the_same(
    where: str, monkeypatch: pytest.MonkeyPatch
):
    stage, (ann, ben, eve) = meshed(("ann", "ben", "eve"))
    stage.cut(ann, eve)
    stage.run(MINUTE_MS)

    def full(*_: object) -> None:
        raise LedgerError("disk_full")

    monkeypatch.setattr(ben.node, where, full)
    admit(ann, Device.found("fay"))
    ann.node._board.grew(own_control(ann.ledger))
    stage.carry(ann, ann.node.tick(stage.now(ann)))
    stage.run(100)
    monkeypatch.undo()
    assert [*ben.hangups.values()] == ["disk_full"]
    assert ben.entries == ann.entries

    stage.run(MINUTE_MS)

    assert eve.entries == ann.entries


def test_what_waits_for_the_author_is_offered_once_the_peer_has_lost_the_author():
    stage, (ann, ben, eve) = meshed(("ann", "ben", "eve"))
    stage.spoil = lambda here, there, each: () if (here, there) == (ann, eve) else (each,)
    stage.write(ann, patient("lost on the way"))
    stage.run(2_000)
    assert len(eve.entries) < len(ann.entries)

    stage.cut(ann, eve)
    stage.run(5_000)

    assert eve.entries == ben.entries == ann.entries


def test_what_a_peer_lacks_is_offered_although_it_holds_what_grew_before():
    stage, (ann, ben) = meshed(("ann", "ben"))
    stage.write(ann, patient("there"))
    stage.run(2_000)
    (session,) = ann.node._board.sessions()
    chain = ann.ledger.chain
    held = [feed.no for feed in chain.feeds.values() if not session._holdings.lacks(feed)]
    fill(ann, 1)
    (lacked,) = [feed.no for feed in chain.feeds.values() if session._holdings.lacks(feed)]
    held.remove(lacked)

    for nos in ([*held, lacked], [lacked, *held]):
        session.offers.clear()
        for no in nos:
            session.offers.add(no, 1)
        session.offers.drop_held()
        assert [*session.offers] == nos
    session.offers.drop(lacked)
    session.offers.drop_held()
    assert held and not session.offers
    assert session.offers.at_ms is None


def test_each_offer_keeps_its_own_time():
    (ann,) = camp(("ann",))
    for seed in range(60):
        chance = Random(seed)
        offers, due = Offers(ann.ledger, cast(Holdings, None)), dict[int, int]()
        looks: set[int] = set()
        for _ in range(40):
            no, at_ms = chance.randrange(6), chance.randrange(50)
            if chance.random() < 0.5:
                offers.add(no, at_ms, second_look=at_ms < 10)
                due[no] = min(at_ms, due.get(no, at_ms))
                looks |= {no} if at_ms < 10 else set()
            else:
                offers.drop(no)
                due.pop(no, None)
                looks.discard(no)

            assert offers.second_looks == looks
            assert [*offers] == [*due]
            assert offers.at_ms == min(due.values(), default=None)
            no, at_ms = chance.randrange(6), chance.randrange(50)
            assert offers.due_by(no, at_ms) == (no in due and due[no] <= at_ms)


def said(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count the frames that anybody says from now on, by kind."""
    frames: Counter[str] = Counter()

    def counted(frame: Frame) -> bytes:
        frames.update([type(frame).__name__])
        return encode_frame(frame)

    monkeypatch.setattr(links, "encode_frame", counted)
    return frames


def test_what_everybody_has_is_said_once_a_half_hour_and_to_neighbours_when_urgent(
    monkeypatch: pytest.MonkeyPatch,
):
    stage, devices = meshed([f"n{number}" for number in range(6)])
    (answer,) = stage.write(devices[0], patient("in the mesh"))
    stage.run(SUPPRESSED_OFFER_MS[1] + 10 * MINUTE_MS)
    frames, hours, written = said(monkeypatch), 4, 0
    for step in range(hours * 30):
        author = devices[step % len(devices)]
        stage.write(author, triage(answer.patient) if step % 2 == 1 else patient(f"P{step}"))
        written += step % 2 == 1
        stage.run(2 * MINUTE_MS)

    pairs, half_hours = len(devices) * (len(devices) - 1) // 2, 2 * hours
    # All others stand in a ring, and of two neighbours the first to offer is enough.
    looks = written * (len(devices) - 1)
    assert looks <= frames["Have"] <= looks + pairs * half_hours
    assert frames["Mark"] <= pairs * half_hours
    assert frames["Ack"] == frames["Data"] + frames["Mark"]


def test_marks_behind_a_second_look_are_said_within_minutes_where_nothing_else_is():
    stage, devices = meshed(("ann", "ben", "eve", "joe", "zoe"))
    (answer,) = stage.write(devices[0], patient("there"))
    stage.run(SUPPRESSED_OFFER_MS[1] + 10 * MINUTE_MS)
    stage.write(devices[0], triage(answer.patient))
    stage.run(1_500)
    # Those next to each other have settled their offers; a mark on its own is still to come.
    neighbours = [
        (here, there)
        for here in devices
        for there in devices
        if here is not there and not any(each.offers for each in between(here, there))
    ]
    assert len(neighbours) >= 2 * (len(devices) - 1)

    stage.run(MARK_RESTS_MS + 2 * MINUTE_MS)

    for here, there in neighbours:
        assert here.ledger.peers.all[there.id].we_hold == there.ledger.chain.last_arrival


@pytest.mark.parametrize("names", [("ann", "ben", "eve"), ("ann", "ben", "eve", "joe", "zoe")])
def test_marks_behind_second_looks_are_said_each_half_hour_however_many_there_are(names):
    stage, (ann, *others) = meshed(names)
    (answer,) = stage.write(ann, patient("there"))
    stage.run(SUPPRESSED_OFFER_MS[1] + 10 * MINUTE_MS)
    ends = list[dict[str, int]]()
    for _ in range(50):
        stage.write(ann, triage(answer.patient))
        stage.run(2 * MINUTE_MS)
        ends.append({device.name: device.ledger.chain.last_arrival for device in others})

    long_ago = ends[-1 - (MARK_RESTS_MAX_MS // MINUTE_MS + 4) // 2]
    for here in others:
        for there in others:
            if here is not there:
                assert here.ledger.peers.all[there.id].we_hold >= long_ago[there.name]


@pytest.mark.parametrize("gap_ms", [500, 20_000, 59_100, 59_600, 60_400])
def test_a_mark_that_rests_is_said_whenever_the_look_before_it_was(gap_ms: int):
    """Also where peers were told what they hold between an entry and the look at it."""
    stage, (ann, ben, eve) = meshed(("ann", "ben", "eve"))
    (answer,) = stage.write(ann, patient("there"))
    stage.run(SUPPRESSED_OFFER_MS[1] + 10 * MINUTE_MS)
    stage.write(ann, patient("nobody looks at it"))
    stage.run(gap_ms)
    stage.write(ann, triage(answer.patient))
    stage.run(MARK_RESTS_MS + 3 * MINUTE_MS)

    for here, there in ((ben, eve), (eve, ben)):
        assert here.ledger.peers.all[there.id].we_hold == there.ledger.chain.last_arrival


def test_a_mark_that_rides_says_what_was_offered_before_what_is_still_to_be():
    stage, (ann, ben, eve) = meshed(("ann", "ben", "eve"))
    (answer,) = stage.write(ann, patient("there"))
    stage.run(SUPPRESSED_OFFER_MS[1] + 10 * MINUTE_MS)
    stage.write(ann, triage(answer.patient))
    stage.run(2_000)
    offered = {each.id: each.ledger.chain.last_arrival for each in (ben, eve)}
    stage.write(ann, patient("to be offered in half an hour"))
    stage.run(1_000)
    assert all(each.offers for each in between(ben, eve))
    for here, there in ((ben, eve), (eve, ben)):
        assert here.ledger.peers.all[there.id].we_hold < offered[there.id]

    stage.write(ben, patient("goes anyway"))
    stage.run(1_000)

    assert eve.ledger.peers.all[ben.id].we_hold == offered[ben.id]


@pytest.mark.parametrize("seed", range(5))
def test_no_mark_in_a_long_delivery_says_more_than_was_sent_before_it(seed: int):
    chance = Random(seed)
    ann, ben = camp(("ann", "ben"), seed=seed)
    fill(ann, 400)
    stage = Stage(bytes_a_ms=20)
    cuts = 0
    while cuts < 12 and ben.entries != ann.entries:
        stage.link(ann, ben)
        stage.run(chance.randrange(200, 900))
        stage.write(ann, patient(f"meanwhile {cuts}"))
        stage.run(chance.randrange(1, 400))
        upto = ben.ledger.peers.all[ann.id].we_hold if ann.id in ben.ledger.peers.all else 0
        spoken = ann.store.all("SELECT hash FROM entry WHERE arrival <= ?", (upto,))
        assert {digest for (digest,) in spoken} <= ben.entries
        stage.cut(ann, ben)
        cuts += 1
    assert cuts > 2
    stage.link(ann, ben)
    stage.run(30_000)
    assert ben.entries == ann.entries


def between(here: Device, there: Device) -> list[Session]:
    """The sessions of two devices with each other."""
    return [
        session
        for one, other in ((here, there), (there, here))
        for session in one.node._board.sessions()
        if session.peer == other.id
    ]


@pytest.mark.parametrize("seed", range(6))
def test_no_mark_says_more_than_its_receiver_holds(seed: int):
    stage, devices = meshed(("ann", "ben", "eve", "joe", "zoe"), seed=seed)
    chance, dead = Random(seed), set[tuple[str, str]]()
    (answer,) = stage.write(devices[0], patient("there"))
    stage.run(2_000)
    stage.spoil = lambda a, b, each: () if (a.name, b.name) in dead else (each,)
    for _ in range(3):
        here, there = chance.sample(devices, 2)
        dead.add((here.name, there.name))
    marked = 0
    for step in range(40):
        author = chance.choice(devices)
        urgent_now = chance.random() < 0.5
        stage.write(author, triage(answer.patient) if urgent_now else patient(f"P{step}"))
        stage.run(chance.choice((100, 700, 1_500, MINUTE_MS, 7 * MINUTE_MS)))
        for here in devices:
            for there in devices:
                if here is there:
                    continue
                upto = here.ledger.peers.all[there.id].we_hold
                spoken = there.store.all("SELECT hash FROM entry WHERE arrival <= ?", (upto,))
                held = {digest for (digest,) in here.store.all("SELECT hash FROM entry")}
                assert {digest for (digest,) in spoken} <= held
                marked += bool(upto)
            wakes_ms = here.node._passing.at_ms
            for session in here.node._board.sessions():
                at_ms = session.offers.at_ms
                assert at_ms is None or (wakes_ms is not None and wakes_ms <= at_ms)
    assert marked


@pytest.mark.parametrize("count", [3, 4, 7])
def test_two_look_after_each_device_when_something_is_urgent(count: int):
    stage, devices = meshed([f"n{number}" for number in range(count)])
    (answer,) = stage.write(devices[0], patient("there"))
    stage.run(5_000)
    stage.write(devices[0], triage(answer.patient))
    stage.run(100)

    looking = Counter(
        session.peer
        for device in devices
        for session in device.node._board.sessions()
        if session.offers.second_looks
    )
    assert looking == {device.id: min(2, count - 2) for device in devices[1:]}


def test_our_own_feed_ahead_of_us_is_seen_wherever_it_stands_in_a_delivery():
    _, (ann, ben) = meshed(("ann", "ben"))
    (session,) = ann.node._board.sessions()
    feeds = ann.ledger.chain.feeds.values()
    own, others = (
        tuple(feed for feed in feeds if (feed.genesis.device == device.id)) for device in (ann, ben)
    )

    session._meet_own(Taken(others, 1, urgent=False))
    assert others and not session.own_ahead
    session._meet_own(Taken((*own, *others), 2, urgent=False))
    assert session.own_ahead


def test_an_entry_is_read_and_encoded_once_for_all_peers():
    stage, devices = meshed([f"n{number}" for number in range(6)])
    chain, asked = devices[0].ledger.chain, []
    run_after = chain.run_after

    def counting(*place: Any) -> Any:
        asked.append(place)
        return run_after(*place)

    chain.run_after = counting  # type: ignore[assignment, method-assign]
    for number in range(3):
        stage.write(devices[0], patient(f"P{number}"))
        stage.run(1_000)

    assert agree(*devices)
    assert len(asked) == 3


def test_a_kept_run_is_never_given_where_less_may_be_sent():
    (ann,) = camp(("ann",))
    fill(ann, 12)
    chain = ann.ledger.chain
    feed = max(chain.feeds.values(), key=lambda each: each.seq)
    tip, runs = feed.tips[0], RecentRuns(ann.ledger)

    whole = runs.after(feed, tip, 0, 32_000)
    part = runs.after(feed, tip, 0, 500)

    assert whole is not None
    assert part is not None
    assert whole.hash == tip.hash
    assert part == chain.run_after(feed, tip, 0, 500) != whole
    assert runs.after(feed, tip, 0, len(whole.run)) is whole
    for after in range(1, KEPT_RUNS_MAX + 2):
        runs.after(feed, tip, min(after, tip.seq - 1), 32_000)
    assert len(runs._kept) <= KEPT_RUNS_MAX
