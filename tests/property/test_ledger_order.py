"""Void, waiting and merged are the same for the same entries, in whatever order they came."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.feeds.body import encode_body
from protocols.feeds.entry import Entry
from protocols.feeds.lane import Lane
from protocols.feeds.run import Gap, Run, decode_run
from protocols.feeds.varint import put_varint
from protocols.ids import KeyId, ScopeId
from protocols.ledger.book import Ledger
from tests.unit.forge import Author, device_keys, doc_of, opening, saying
from tests.unit.stage import WALL_MS, Device, copied

NEWER_KIND = 60_000
BASE = Device.found("ann")


def author(name: str, scope: ScopeId | None = None) -> Author:
    authority = BASE.ledger.authority
    key_id, key = authority.write_key(authority.care_scope)
    return Author(device_keys(name), scope or authority.care_scope, key_id, key)


class Tangle:
    """Three authors, and everything that may be wrong with an entry."""

    def __init__(self, seed: int, size: int = 24) -> None:
        self.chance = Random(seed)
        self.authors = [author(name) for name in ("one", "two", "three")]
        self.written: list[tuple[Author, Entry]] = []
        foreign = author("four", ScopeId(b"another scope 16"))
        self.foreign = foreign.write([opening()])
        self.lost = author("five").write([opening()])
        for _ in range(size):
            who = self.chance.choice(self.authors)
            self.written.append((who, self._entry(who)))
        if self.chance.random() < 0.5:
            self.written.append((foreign, self.foreign))

    def _entry(self, who: Author) -> Entry:
        lane = self.chance.choice((Lane.ROUTINE, Lane.ROUTINE, Lane.URGENT))
        known = [entry for _, entry in self.written]
        fact = saying(f"n{self.chance.random()}")
        turn = self.chance.randrange(14)
        deps = self.chance.sample(known, min(len(known), self.chance.choice((1, 1, 1, 2))))
        if turn < 3 or not known:
            return who.write([opening(), fact], lane=lane)
        if turn < 7:
            return who.write([fact], deps, lane=lane)
        prefixes = sorted(bytes(dep.hash.prefix) for dep in deps)
        match turn:
            case 7:
                return who.write([fact], [self.lost], lane=lane)
            case 8:
                return who.write([fact], lane=lane, key_id=KeyId(b"k" * 32))
            case 9:
                return who.seal(b"\xff" + encode_body((0, b""), prefixes, [fact]), lane=lane)
            case 10:
                return who.seal(encode_body((0, b""), prefixes, [fact]), lane=lane, key=b"w" * 32)
            case 11:
                return who.write([fact, (NEWER_KIND, b"newer"), (2**40, b"")], deps, lane=lane)
            case 12:
                return who.write([opening(bytes(doc_of(deps[0])), 2), fact], lane=lane)
        return who.write([fact], [*deps, self.foreign], lane=lane)

    def runs(self) -> list[Run]:
        return [who.run(entry) for who, entry in self.written]


def deliver(runs: Sequence[Run], order: Sequence[int], pieces: Sequence[int]) -> Device:
    """A fresh device that takes these runs in this order, so many at a time.

    What comes before its predecessor waits its turn, as it does on a link.
    """
    device = Device("ann", copied(BASE.store), 0)
    due = [runs[at] for at in order]
    turn = 0
    while due:
        batch: list[Run] = []
        late: list[Run] = []
        tops = {feed.feed_id: feed.seq for feed in device.ledger.chain.feeds.values()}
        for run in due:
            first = run.lines[0].seq
            if first == tops.get(run.feed, 0) + 1 and len(batch) < pieces[turn % len(pieces)]:
                batch.append(run)
                tops[run.feed] = first
            else:
                late.append(run)
        device.ledger.take(batch, WALL_MS)
        if pieces[turn % len(pieces)] % 2:
            device.ledger.catch_up_all()
        elif device.ledger.behind:
            device.ledger.catch_up(merge=False)
        turn, due = turn + 1, late
    return device


def said(device: Device) -> tuple[object, ...]:
    care = device.care
    return care, device.unopened()


@settings(max_examples=settings.default.max_examples // 2)
@given(
    st.integers(0, 2**32),
    st.randoms(use_true_random=False),
    st.lists(st.integers(1, 9), min_size=1),
)
def test_any_order_of_delivery_is_judged_and_merged_alike(seed, chance, pieces):
    runs = Tangle(seed).runs()
    order = list(range(len(runs)))
    sorted_one = deliver(runs, order, [len(runs)])
    chance.shuffle(order)

    shuffled = deliver(runs, order, pieces)

    assert said(shuffled) == said(sorted_one)
    assert said(Device("ann", copied(shuffled.store), 0)) == said(sorted_one)


@pytest.mark.slow
def test_a_thousand_tangles():
    for seed in range(1000):
        chance = Random(seed)
        runs = Tangle(seed, size=60).runs()
        order = list(range(len(runs)))
        straight = deliver(runs, order, [len(runs)])
        chance.shuffle(order)
        crooked = deliver(runs, order, [chance.randint(1, 9) for _ in range(9)])
        assert said(straight) == said(crooked), seed


def test_every_order_of_a_document_with_a_void_and_a_missing_part_ends_the_same():
    one, two, three = author("one"), author("two"), author("three")
    start = one.write([opening(), saying("start")])
    void = two.seal(b"\xff\xff", key=None)
    runs = [
        one.run(start),
        two.run(void),
        three.run(three.write([saying("on void")], [void])),
    ]
    four = author("four")
    runs.append(four.run(four.write([saying("on both")], [start, void])))
    five = author("five")
    runs.append(five.run(five.write([saying("fine")], [start])))
    outcomes = set()
    for order in permutations(range(len(runs))):
        device = deliver(runs, order, [1])
        outcomes.add(repr(said(device)))
        reasons = {(row[1], row[2]) for row in device.unopened()}
        assert reasons == {(1, "layout"), (1, "depends_on_void")}
    assert len(outcomes) == 1


@pytest.mark.parametrize(
    "wrong", ["another lane", "another scope", "two documents", "a control entry"]
)
def test_a_dependency_that_leaves_its_document_is_void_or_waits_for_ever(wrong: str):
    one, two = author("one"), author("two")
    start = one.write([opening(), saying("start")])
    runs = [one.run(start)]
    match wrong:
        case "another lane":
            bad = two.write([saying("x")], [start], lane=Lane.URGENT)
        case "another scope":
            far = author("far", ScopeId(b"another scope 16"))
            bad = far.write([saying("x")], [start])
            two = far
        case "two documents":
            other = one.write([opening(), saying("other")])
            runs.append(one.run(other))
            bad = two.write([saying("x")], [start, other])
        case _:
            control = one.control(b"\x63\x90")
            runs.append(one.run(control))
            bad = two.write([saying("x")], [control])
    runs.append(two.run(bad))
    outcomes = {repr(said(deliver(runs, order, [1]))) for order in permutations(range(len(runs)))}
    device = deliver(runs, range(len(runs)), [9])

    assert len(outcomes) == 1
    ((_, void, reason),) = device.unopened()
    expected = {
        "another scope": (0, "admission"),
        "a control entry": (0, "dependency"),
    }.get(wrong, (1, "dependencies"))
    assert (void, reason) == expected


def test_a_kind_of_a_newer_version_is_merged_kept_and_shown_and_costs_no_neighbour():
    one = author("one")
    bad = (saying("x")[0], b"\xc1 not msgpack")
    start = one.write([opening(), saying("readable"), (NEWER_KIND, b"from tomorrow"), bad])
    device = deliver([one.run(start)], [0], [1])
    device.ledger.catch_up_all()

    assert device.unopened() == []
    assert device.store.all("SELECT text FROM note") == [("readable",)]
    kinds = {row[0] for row in device.store.all("SELECT kind FROM unreadable")}
    assert kinds == {NEWER_KIND, bad[0]}
    (doc,) = device.store.one("SELECT no FROM document")
    exported = device.ledger.merger.export(doc)
    for value in (b"from tomorrow", bad[1]):
        assert put_varint(NEWER_KIND) in exported and value in exported


@pytest.mark.parametrize("count", [1, 300])
def test_what_a_document_says_it_is_about_does_not_depend_on_who_was_first(count: int):
    subject = bytes(range(16))
    makers = [author(f"a{kind}") for kind in (1, 2, 3)]
    runs = [
        maker.run(maker.write([opening(subject, kind), saying(f"{number}")]))
        for kind, maker in enumerate(makers, 1)
        for number in range(count if kind == 1 else 1)
    ]
    order = list(range(len(runs)))
    devices = [deliver(runs, each, [99]) for each in (order, order[::-1])]

    assert said(devices[0]) == said(devices[1])


def test_a_subject_known_from_another_document_is_one_after_a_start_too():
    first, second = author("first"), author("second")
    founding = first.write([opening(), saying("who")])
    about = second.write([opening(bytes(doc_of(founding)), 1), saying("red")], lane=Lane.URGENT)
    device = deliver([second.run(about)], [0], [1])
    device.ledger.catch_up_all()
    device.ledger.reload()
    device.ledger.take([first.run(founding)], WALL_MS)
    device.ledger.catch_up_all()
    named = device.ledger.store.all(
        "SELECT s.no FROM subject s JOIN document d ON d.subject = s.no WHERE s.id = ?",
        (bytes(doc_of(founding)),),
    )
    assert len(named) == 2


def test_tens_of_thousands_waiting_for_one_entry_are_let_go_in_bounded_questions():
    one, two = author("one"), author("two")
    start = one.write([opening()])
    waiting = [two.write([], [start]) for _ in range(4_000)]
    device = Device("ann", copied(BASE.store), 0)
    for first in range(0, len(waiting), 500):
        device.ledger.take([two.run(*waiting[first : first + 500])], WALL_MS)
        device.ledger.catch_up_all()
    device.ledger.take([one.run(start)], WALL_MS)
    device.ledger.catch_up_all()

    assert device.unopened() == []
    assert device.store.one("SELECT count(*) FROM strand")[0] == 4_001


def test_a_run_before_its_feed_is_a_gap_and_stores_nothing():
    one = author("one")
    for _ in range(3):
        one.write([opening()])
    ledger = Ledger(copied(BASE.store))
    with pytest.raises(Gap):
        decode_run(one.encoded(first=2), 0, ledger.chain.genesis_of, ledger.chain.prev_of)
