"""A store among members who write whatever they like: nothing raises, nobody else's share grows."""

from __future__ import annotations

from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from protocols.ids import EntryPrefix, SiteId
from protocols.records.balance import pair_of
from protocols.records.correction import EntryRetract
from protocols.records.counts import StockCount, StockSettle
from protocols.records.history import History, Ref
from protocols.records.kinds import KindNo
from protocols.records.lots import LotRelease
from protocols.records.movement import UNITS_MAX, VALUES
from protocols.records.note import NoteAdd
from protocols.records.projection import project
from protocols.records.references import ref_of
from protocols.records.shape import Circumstances, Fact, Statement
from tests.property.test_stock_merging import ITEM, LOTS, SURE, Depot, told
from tests.unit.records_shelf import gather

SEEDS = st.integers(0, 2**32)
MALLORY = b"m" * 32


class Forger:
    """One member who signs what no software of ours would write."""

    def __init__(self, depot: Depot, seed: int, *, standing: int = 0) -> None:
        self.chance = Random(seed)
        self.depot = depot
        depot.try_line(
            depot.shelves[0],
            "stock.receive",
            {"item": ITEM, "units": 9},
            store=depot.store,
            confirm=list(SURE),
        )
        gather(depot.shelves)
        self.facts = list(depot.shelves[0].facts(depot.subject))
        self.known: list[Ref] = [ref_of(fact) for fact in self.facts]
        self.standing = standing
        self.store = bytes(SiteId.parse(depot.store))

    def any_refs(self) -> tuple[Ref, ...]:
        strange = (self.chance.randbytes(16), self.chance.randrange(9))
        return tuple(self.chance.sample([*self.known, strange], self.chance.randrange(3)))

    def fact(self, kind: int, record: Statement) -> Fact:
        prefix = EntryPrefix(self.chance.randbytes(16))
        whole = self.facts[-1]
        made = replace(
            whole,
            entry=self.chance.randrange(2**40),
            index=self.chance.randrange(3),
            prefix=prefix,
            kind=kind,
            record=record,
            clock_ms=self.chance.choice(
                (0, whole.clock_ms, whole.clock_ms + 40 * 365 * 86_400_000)
            ),
            order=(self.chance.choice((0, whole.order[0], 2**60)), prefix),
            standing=self.standing,
            device=MALLORY,
        )
        self.known.append(ref_of(made))
        return made

    def said(self) -> Circumstances | None:
        at_s = self.chance.choice((None, -(2**36), 0, 2**36))
        return None if at_s is None else Circumstances(at_s=at_s)

    def movement(self, *, foreign: bool = False) -> Fact:
        kind = self.chance.choice(list(VALUES))
        signed = kind in (KindNo.STOCK_ADJUST, KindNo.STOCK_BREAK)
        units = self.chance.choice((1, 5, UNITS_MAX, -UNITS_MAX if signed else 3))
        record = VALUES[kind](
            self.said(),
            self.any_refs() if foreign else (),
            self.store,
            "zinc-20-tab" if foreign else ITEM,
            self.chance.choice((*LOTS, "", "\u202ex\x00")),
            units=units,
            why=self.chance.choice((0, 3, 2**31 - 1)),
            shipment=self.chance.choice((None, b"s" * 16)),
            cause=self.chance.choice((None, (bytes(16), 0))),
            seen=self.any_refs(),
        )
        return self.fact(int(kind), record)

    def release(self) -> Fact:
        record = LotRelease(None, tuple(self.known), self.store, "zinc-20-tab", "L1")
        return self.fact(int(KindNo.LOT_RELEASE), record)

    def settle(self) -> Fact:
        """Marks what a count had seen, and so was never open."""
        pair = pair_of(History(self.depot.subject, self.facts))
        settled = [
            (move, count)
            for count in pair.counts
            for move in pair.moves
            if pair.had_seen(count, move)
        ]
        if not settled:
            return self.movement(foreign=True)
        move, count = self.chance.choice(settled)
        record = StockSettle(None, (), self.store, ITEM, ref_of(move), ref_of(count), 1)
        return self.fact(int(KindNo.STOCK_SETTLE), record)

    def misplaced(self) -> Fact:
        """A kind that has no business here, or one that takes back what took something back."""
        if self.chance.random() < 0.5:
            return self.fact(int(KindNo.NOTE_ADD), NoteAdd())
        of = self.chance.choice((None, self.chance.choice(self.known)))
        return self.fact(int(KindNo.ENTRY_RETRACT), EntryRetract(None, self.any_refs(), of))

    def count(self) -> Fact:
        record = StockCount(
            self.said(), (), self.store, ITEM, whole=1, book_low=-UNITS_MAX, seen=self.any_refs()
        )
        return self.fact(int(KindNo.STOCK_COUNT), record)


def rows(depot: Depot, facts: list[Fact]) -> set[Any]:
    return set(project(7, depot.subject, facts))


def left(depot: Depot, facts: list[Fact]) -> dict[bytes, int]:
    pair = pair_of(History(depot.subject, facts))
    return {each.device: each.left for each in pair.holdings if each.device != MALLORY}


@settings(max_examples=60, deadline=None)
@given(seed=SEEDS)
def test_whatever_is_forged_the_rows_are_the_same_for_every_order(seed: int) -> None:
    depot = told(seed, steps=25)
    forger = Forger(depot, seed)
    acts = (forger.movement, forger.release, forger.settle, forger.misplaced, forger.count)
    forged = [forger.chance.choice(acts)() for _ in range(12)]
    facts = [*forger.facts, *forged]

    expected = rows(depot, facts)

    for _ in range(3):
        forger.chance.shuffle(facts)
        assert rows(depot, facts) == expected


@settings(max_examples=60, deadline=None)
@given(seed=SEEDS)
def test_what_does_not_stand_moves_nothing(seed: int) -> None:
    depot = told(seed, steps=25)
    forger = Forger(depot, seed, standing=2)
    acts = (forger.movement, forger.release, forger.settle, forger.misplaced, forger.count)
    forged = [forger.chance.choice(acts)() for _ in range(8)]

    after = rows(depot, [*forger.facts, *forged])

    kept = {row for row in after if row.standing == 0}
    assert kept == rows(depot, forger.facts)


@settings(max_examples=60, deadline=None)
@given(seed=SEEDS)
def test_nobody_raises_what_another_may_issue_by_what_is_not_a_grant(seed: int) -> None:
    depot = told(seed, steps=25)
    forger = Forger(depot, seed)
    before = left(depot, forger.facts)
    acts = (
        forger.movement,
        lambda: forger.movement(foreign=True),
        forger.release,
        forger.settle,
        forger.count,
    )
    forged = [forger.chance.choice(acts)() for _ in range(8)]

    after = left(depot, [*forger.facts, *forged])

    assert all(after.get(device, 0) <= units for device, units in before.items())
