"""Feeds as the book keeps them: signatures thinned, forks side by side, runs that fit a frame."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest
from sqlite_utils import Database

from protocols.errors import PeerError
from protocols.feeds.entry import KEPT_EVERY
from protocols.feeds.lane import Lane
from protocols.feeds.run import (
    RUN_ENTRIES_MAX,
    UNSIGNED_BYTES_MAX,
    UNSIGNED_MAX,
    Gap,
    decode_run,
)
from protocols.ids import KeyId
from protocols.ledger import chain as chain_of_book
from protocols.ledger.chain import BRANCHES_MAX, Chain, Tip
from protocols.ledger.schema import m006_branch_ends
from protocols.ledger.store import open_memory
from protocols.mesh.frames import DATA_BYTES, FRAME_BYTES_MAX
from tests.unit.forge import Author, device_keys, opening, saying
from tests.unit.stage import WALL_MS, Device, fill


def author_in(device: Device, name: str = "far") -> Author:
    """A device of the same scope that holds its key, and that nobody has certified."""
    authority = device.ledger.authority
    scope = authority.care_scope
    key_id, key = authority.write_key(scope)
    return Author(device_keys(name), scope, key_id, key)


def received(device: Device, author: Author, lane: Lane = Lane.ROUTINE, **cut: int) -> None:
    """Let the device take a stretch of a lane as a session would."""
    chain = device.ledger.chain
    run, _ = decode_run(author.encoded(lane, **cut), 0, chain.genesis_of, chain.prev_of)
    device.ledger.take([run], WALL_MS)


def relayed(here: Device, there: Device, lane: Lane = Lane.ROUTINE, room: int = DATA_BYTES) -> int:
    """Send every feed of a lane from one chain to another, run by run; return how many runs."""
    runs = 0
    source, target = here.ledger.chain, there.ledger.chain
    for feed in list(source.feeds.values()):
        if feed.genesis.lane is not lane:
            continue
        for tip in list(feed.tips):
            after = 0
            while (found := source.run_after(feed, tip, after, room)) is not None:
                encoded, after, *_ = found
                assert len(encoded) < FRAME_BYTES_MAX
                run, end = decode_run(encoded, 0, target.genesis_of, target.prev_of)
                assert end == len(encoded)
                there.ledger.take([run], WALL_MS)
                runs += 1
    return runs


def signed_places(device: Device, lane: Lane = Lane.ROUTINE) -> list[int]:
    return [
        seq
        for (seq,) in device.store.all(
            "SELECT e.seq FROM entry e JOIN feed f ON f.no = e.feed"
            " WHERE f.lane = ? AND e.signature IS NOT NULL ORDER BY e.seq",
            (int(lane),),
        )
    ]


def test_of_an_own_routine_feed_one_signature_in_32_is_kept_and_the_rest_still_sync():
    ann, ben = Device.found("ann"), Device.found("ben")
    author = author_in(ann)
    for number in range(70):
        author.write([opening(), saying(str(number))])
        received(ann, author, first=number + 1)

    assert signed_places(ann) == [32, *range(64, 71)]
    relayed(ann, ben)
    assert ben.entries >= {each.hash for each in author.chains[Lane.ROUTINE]}


def test_urgent_and_control_signatures_are_never_thinned():
    ann = Device.found("ann")
    author = author_in(ann)
    for _ in range(70):
        author.write([opening()], lane=Lane.URGENT)
    received(ann, author, Lane.URGENT)

    assert signed_places(ann, Lane.URGENT) == list(range(1, 71))


def test_bulk_signatures_are_thinned_as_routine_ones_are():
    ann = Device.found("ann")
    author = author_in(ann)
    for _ in range(70):
        author.write([opening()], lane=Lane.BULK)
    received(ann, author, Lane.BULK)

    assert len(signed_places(ann, Lane.BULK)) < 70


@pytest.mark.parametrize("every", [7, 31, 33, 50, UNSIGNED_MAX])
def test_whatever_places_an_author_signs_its_feed_can_be_passed_on(every: int):
    ann, ben, eve = Device.found("ann"), Device.found("ben"), Device.found("eve")
    author = author_in(ann)
    for _ in range(6 * UNSIGNED_MAX):
        author.write([opening()])
    total = len(author.chains[Lane.ROUTINE])
    for first in range(1, total + 1, every):
        received(ann, author, first=first, last=min(first + every - 1, total), every=every)

    relayed(ann, ben)
    relayed(ben, eve)

    assert eve.entries >= {each.hash for each in author.chains[Lane.ROUTINE]}
    gaps = [0, *signed_places(ann)]
    widest = max(later - one for one, later in pairwise(gaps))
    assert widest <= max(KEPT_EVERY, every)


def test_many_tiny_urgent_entries_never_make_a_run_that_no_frame_holds():
    ann, ben = Device.found("ann"), Device.found("ben")
    author = author_in(ann)
    for number in range(1000):
        author.clock ^= 1 << 61 | number % 7  # the dearest spelling of a clock
        author.raw(bytes(24), lane=Lane.URGENT, dictionary=9)
    for first in range(1, 1001, 200):
        received(ann, author, Lane.URGENT, first=first, last=first + 199)

    assert relayed(ann, ben, Lane.URGENT) > 1
    assert ben.entries >= {each.hash for each in author.chains[Lane.URGENT]}


def test_the_longest_group_between_two_signatures_fits_a_frame_and_one_byte_more_is_refused():
    ann, ben = Device.found("ann"), Device.found("ben")
    author = author_in(ann)
    names = [KeyId(bytes((number,)) * 32) for number in range(UNSIGNED_MAX)]
    sizes = [UNSIGNED_BYTES_MAX // UNSIGNED_MAX] * UNSIGNED_MAX
    for number, size in enumerate(sizes):
        author.clock ^= 1 << 61 | number % 7
        author.key_id = names[number]
        author.raw(bytes(size), dictionary=9)
    longer = author.twin()
    author.raw(bytes(24))
    longer.chains[Lane.ROUTINE] = longer.chains[Lane.ROUTINE][:-1]
    longer.raw(bytes(sizes[-1] + 1))
    longer.raw(bytes(24))

    received(ann, author, every=RUN_ENTRIES_MAX)
    relayed(ann, ben)

    assert ben.entries >= {each.hash for each in author.chains[Lane.ROUTINE]}
    with pytest.raises(PeerError, match="malformed what=unsigned"):
        received(ann, longer, every=RUN_ENTRIES_MAX)


def test_both_branches_of_a_fork_are_kept_and_passed_on_with_their_common_past():
    ann, ben = Device.found("ann"), Device.found("ben")
    author = author_in(ann)
    for number in range(40):
        author.write([opening(), saying(str(number))])
    twin = author.twin()
    for number in range(5):
        author.write([opening(), saying(f"one {number}")])
    for number in range(9):
        twin.write([opening(), saying(f"two {number}")])

    received(ann, author, every=32)
    received(ann, twin, first=41)

    feed = ann.ledger.chain.feeds[author.genesis().feed_id]
    assert [tip.seq for tip in feed.tips] == [49, 45]
    relayed(ann, ben)
    wanted = {each.hash for each in (*author.chains[Lane.ROUTINE], *twin.chains[Lane.ROUTINE])}
    assert ben.entries >= wanted
    again = Chain(ann.store).feeds[feed.feed_id]
    assert again.tips == feed.tips


@pytest.mark.parametrize("seed", range(8))
def test_where_branches_end_is_known_again_after_every_start(
    seed: int, monkeypatch: pytest.MonkeyPatch
):
    """Written down now and then, in between followed from the entries: forks too."""
    monkeypatch.setattr(chain_of_book, "ENDS_KEPT_MAX", 7)
    chance = Random(seed)
    ann = Device.found("ann")
    authors = [author_in(ann, name) for name in ("far", "near", "new")]
    for _ in range(40):
        author = chance.choice(authors)
        if chance.random() < 0.15 and author.chains:
            authors.append(author.twin())
        before = len(author.chains.get(Lane.ROUTINE, ()))
        for _ in range(chance.randint(1, 4)):
            author.write([opening(), saying(str(chance.random()))])
        received(ann, author, first=before + 1)
        if chance.random() < 0.3:
            fill(ann, 1)

        assert ends(Chain(ann.store)) == ends(ann.ledger.chain)
    assert ann.store.one("SELECT count(*) > 0 FROM branch_end") == (1,)
    assert any(len(tips) > 1 for tips in ends(ann.ledger.chain).values())


def ends(chain: Chain) -> dict[bytes, list[Tip]]:
    return {bytes(feed_id): feed.tips for feed_id, feed in chain.feeds.items()}


def test_where_branches_of_an_older_book_end_is_kept():
    store = open_memory()
    for statement in (
        "CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID",
        "CREATE TABLE entry (arrival INTEGER PRIMARY KEY)",
        "CREATE TABLE branch (feed INTEGER, hash BLOB)",
        "INSERT INTO entry VALUES (41)",
        "INSERT INTO branch VALUES (1, x'aa')",
    ):
        store.execute(statement)

    m006_branch_ends(Database(store.connection))

    assert store.all("SELECT * FROM branch_end") == [(1, b"\xaa")]
    assert store.one("SELECT value FROM meta WHERE name = 'ends_at'") == (b"41",)


def test_a_ninth_branch_is_not_kept_and_the_eight_go_on_growing():
    ann = Device.found("ann")
    author = author_in(ann)
    author.write([opening()])
    received(ann, author)
    twins = [author.twin() for _ in range(BRANCHES_MAX + 1)]
    for number, twin in enumerate(twins):
        twin.write([saying(str(number))], [author.chains[Lane.ROUTINE][0]])
        received(ann, twin, first=2)

    feed = ann.ledger.chain.feeds[author.genesis().feed_id]
    assert len(feed.tips) == BRANCHES_MAX
    twins[0].write([saying("on")], [author.chains[Lane.ROUTINE][0]])
    received(ann, twins[0], first=3)
    assert feed.tips[0].hash == twins[0].chains[Lane.ROUTINE][-1].hash
    twins[-1].write([saying("on")], [author.chains[Lane.ROUTINE][0]])
    with pytest.raises(Gap):
        received(ann, twins[-1], first=3)


def test_a_delivery_that_is_partly_known_adds_only_what_is_new():
    ann = Device.found("ann")
    author = author_in(ann)
    for _ in range(10):
        author.write([opening()])
    received(ann, author, last=6)
    before = ann.ledger.chain.last_arrival

    received(ann, author, first=3)
    received(ann, author)

    assert ann.ledger.chain.last_arrival == before + 4
    assert ann.ledger.chain.feeds[author.genesis().feed_id].seq == 10
