"""What one data frame holds: whose runs, in which order, and how long."""

from __future__ import annotations

from random import Random
from types import SimpleNamespace
from typing import Any, cast

import pytest

from protocols.feeds.entry import Entry
from protocols.feeds.run import UNSIGNED_MAX, decode_run
from protocols.ledger.opening import Opener
from protocols.ledger.outgoing import ROWS_MIN
from protocols.mesh.frames import DATA_BYTES, DATA_HEAD_BYTES, FRAME_BYTES_MAX
from protocols.mesh.holdings import Holdings
from protocols.mesh.outbox import Outbox
from protocols.mesh.packing import Packer
from protocols.mesh.runs import RecentRuns
from tests.unit.forge import Author, device_keys, opening, saying
from tests.unit.stage import WALL_MS, Device, Stage, agree, camp, linked, size

Frame = tuple[int, int, int, list[int]]
"""Lane, aimed at bytes, bytes, feeds in order."""


def authors(device: Device, count: int) -> list[Author]:
    authority = device.ledger.authority
    sealing = (authority.care_scope, *authority.write_key(authority.care_scope))
    return [Author(device_keys(f"author {at}"), *sealing) for at in range(count)]


def ward(device: Device, writers: list[Author], rounds: int) -> None:
    """One opens a chart and all the others go on in it, chart after chart, as it comes here."""
    for at in range(rounds):
        first = writers[at % len(writers)]
        last = first.write([opening(), saying(f"patient {at} " + "x" * 40)])
        runs = [first.run(last)]
        for other in writers:
            if other is not first:
                last = other.write([saying(f"note {at} " + "y" * 60)], [last])
                runs.append(other.run(last))
        device.ledger.take(runs, WALL_MS)
        device.ledger.catch_up_all()


def packed(monkeypatch: pytest.MonkeyPatch) -> list[Frame]:
    """Every frame that anybody packs from now on."""
    frames: list[Frame] = []
    pack = Packer.next

    def next_frame(packer: Packer, lane: int):
        aim = packer._outbox.frame_bytes
        runs, positions = pack(packer, lane)
        if runs:
            frames.append((lane, aim, len(runs), [each.feed for each in positions]))
        return runs, positions

    monkeypatch.setattr(Packer, "next", next_frame)
    return frames


def parked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many entries each batch left behind that came before what they go on from."""
    counts: list[int] = []
    opens = Opener.open

    def opened(opener: Opener, *given):
        found = opens(opener, *given)
        counts.append(opener.parked)
        return found

    monkeypatch.setattr(Opener, "open", opened)
    return counts


def test_feeds_share_a_full_frame_so_entries_come_after_what_they_go_on_from(monkeypatch):
    stage, (ann, ben) = linked()
    stage.cut(ann, ben)
    ward(ann, authors(ann, 5), 400)
    frames, waiting = packed(monkeypatch), parked(monkeypatch)

    stage.link(ann, ben)
    stage.run(60_000, until=lambda: size(ben) == size(ann))

    assert agree(ann, ben) and ann.entries == ben.entries
    full = [frame for frame in frames if frame[1] == DATA_BYTES]
    assert len(full) > 3
    assert all(len(set(feeds)) == len(feeds) for *_, feeds in frames)
    assert all(len(feeds) > 2 for *_, feeds in full[:-1])
    assert all(used > DATA_BYTES * 3 // 4 for _, _, used, _ in full[:-1])
    # Where each frame is of one feed, two of five wait.
    assert max(waiting) < size(ann) // 10


def test_on_a_slow_line_a_frame_holds_one_run(monkeypatch):
    stage = Stage(one_way_ms=100, bytes_a_ms=1.2)
    ann, ben = camp()
    ward(ann, authors(ann, 4), 60)
    frames = packed(monkeypatch)

    stage.link(ann, ben)
    stage.run(600_000, until=lambda: size(ben) == size(ann))

    assert agree(ann, ben)
    slow = [frame for frame in frames if frame[1] < DATA_BYTES and frame[0] == 2]
    assert len(slow) > 5
    # A feed that ends leaves its room to the next; nothing else makes a frame longer.
    assert all(used <= 2 * max(aim, 4096) for _, aim, used, _ in slow)
    assert sum(len(feeds) == 1 for *_, feeds in slow) > len(slow) // 2


def test_a_feed_is_not_done_before_each_of_its_branches_left():
    ann = Device.found("ann")
    (whole,) = authors(ann, 1)
    twin = Author(whole.keys, whole.scope, whole.key_id, whole.key)
    # Each fills a share by itself, and is the end of its branch.
    for at, one in enumerate((whole, twin)):
        long = Random(at).randbytes(1500).hex()
        ann.ledger.take([one.run(one.write([opening(), saying(long)]))], WALL_MS)
    ann.ledger.catch_up_all()
    forked = ann.ledger.chain.feeds[whole.genesis().feed_id]
    assert len(forked.tips) == 2
    to_all = SimpleNamespace(bare=lambda _: False, covered=lambda _: True)
    holdings = Holdings(ann.ledger, cast(Any, to_all), 0)
    outbox = Outbox(frame_bytes=1024)
    outbox.add(forked.genesis.lane, forked.no)
    packer = Packer(ann.ledger, RecentRuns(ann.ledger), outbox, holdings)

    lengths = []
    while (lane := next((no for no, feeds in enumerate(outbox.lanes) if feeds), None)) is not None:
        runs, _ = packer.next(lane)
        lengths.append(len(runs or b""))

    assert len(lengths) == 2 and min(lengths) > 1024
    assert not holdings.lacks(forked)


def test_a_forked_feed_leaves_though_its_first_branch_took_more_frames_than_places_are_kept():
    stage, (ann, ben) = Stage(), camp()
    chance = Random(1)

    def grown(writer: Author, count: int, start: Entry) -> None:
        texts = [chance.randbytes(500).hex() for _ in range(count)]
        entries = [writer.write([saying(text)], [start]) for text in texts]
        for at in range(0, count, 200):
            ann.ledger.take([writer.run(*entries[at : at + 200])], WALL_MS)

    for at, writer in enumerate(authors(ann, 4)):
        start = writer.write([opening(), saying("start")])
        ann.ledger.take([writer.run(start)], WALL_MS)
        twin = None if at else writer.twin()
        grown(writer, 1200, start)
        if twin:
            grown(twin, 150, start)
    ann.ledger.catch_up_all()

    stage.link(ann, ben)
    stage.run(60_000, until=lambda: size(ben) >= size(ann) or stage.carried_bytes > 8_000_000)

    assert ann.entries == ben.entries and stage.carried_bytes < 4_000_000


def test_what_is_too_long_for_this_frame_goes_in_the_next():
    ann = Device.found("ann")
    chance, feeds = Random(1), []
    for writer, (count, length) in zip(authors(ann, 2), ((1, 10_000), (45, 1_000)), strict=True):
        for _ in range(count + 1):
            writer.write([opening(), saying(chance.randbytes(length).hex())])
        # One signature at its end: nothing of it can go alone.
        run, _ = decode_run(writer.encoded(every=1000), 0, lambda _: None, lambda *_: None)
        ann.ledger.take([run], WALL_MS)
        feeds.append(ann.ledger.chain.feeds[writer.genesis().feed_id])
    ann.ledger.catch_up_all()
    to_all = SimpleNamespace(bare=lambda _: False, covered=lambda _: True)
    holdings = Holdings(ann.ledger, cast(Any, to_all), 0)
    outbox = Outbox(frame_bytes=DATA_BYTES)
    for feed in feeds:
        outbox.add(feed.genesis.lane, feed.no)
    packer = Packer(ann.ledger, RecentRuns(ann.ledger), outbox, holdings)

    lengths = []
    while not outbox.empty:
        lengths.append(len(packer.next(feeds[0].genesis.lane)[0] or b""))

    assert max(lengths) <= FRAME_BYTES_MAX - DATA_HEAD_BYTES
    assert not any(map(holdings.lacks, feeds))


@pytest.mark.parametrize("room", [1, 400, 4096, DATA_BYTES])
def test_a_run_reaches_its_next_signature_however_little_room_there_is(room: int):
    ann = Device.found("ann")
    (one,) = authors(ann, 1)
    chance = Random(room)
    entries = [one.write([opening(), saying("start")])]
    for at in range(150):
        text = "x" * chance.randrange(1, 90)
        entries.append(one.write([saying(f"{at} {text}")], [entries[-1]]))
    ann.ledger.take([one.run(*entries)], WALL_MS)
    chain = ann.ledger.chain
    feed = chain.feeds[one.genesis().feed_id]
    (tip,) = feed.tips

    after, runs = 0, 0
    while after < tip.seq:
        found = chain.run_after(feed, tip, after, room)
        assert found is not None and found[1] > after
        assert len(found[0]) <= max(room, 64 * 250)
        after, runs = found[1], runs + 1

    assert ROWS_MIN > UNSIGNED_MAX
    assert runs >= (4 if room < DATA_BYTES else 1)
