"""How much is there: sums over what stands, from the last count on, and how sure they are.

A count replaces what its writer had seen. What its writer had not seen and what happened before it
may have been counted already: until a person marks it in or out, the balance is a range. Two counts
made apart are a range over both. Nothing here is an error, and no clock decides who knew of what.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from protocols.records.counts import AllotmentGrant, StockCount, StockSettle
from protocols.records.history import History, Ref
from protocols.records.kinds import KindNo
from protocols.records.movement import (
    SIGN,
    Movement,
    stock_subject,
)
from protocols.records.references import reached, ref_of
from protocols.records.shape import Fact
from protocols.records.shipping import doubled, sight
from protocols.records.stated import stated, until

NAMED_MAX = 16
"""Movements named as those that took more than there was; the latest ones."""

# fields: `counts.py` and `movement.py`

# rows: `stock.py` has them; here is what they come to


class Open(NamedTuple):
    """A movement that may have been in a count already."""

    movement: Fact
    by: Fact
    """The count."""


class LotBalance(NamedTuple):
    """One lot of an item in a store."""

    lot: str
    expiry: int | None
    """The earliest day that is stated and was not corrected, days since 1970."""
    low: int
    high: int
    counts: tuple[Fact, ...]
    """The counts it stands on: none, one, or several made apart."""
    opened: tuple[Open, ...]
    """What may have been counted already."""
    taken: tuple[Fact, ...]
    """What took from it since, where it may be below nothing; the latest `NAMED_MAX`."""
    last: Fact
    """The latest record of it that counts."""

    @property
    def apart(self) -> bool:
        """Whether counts made apart come to different numbers."""
        return len(self.counts) > 1 and self.low != self.high


class Account(NamedTuple):
    """What one device may issue of an item, once anything of it was allotted."""

    device: bytes
    brought: int
    """What it brought in, found and was given; a count may leave it below 0."""
    given: int
    """What it gave on."""
    used: int
    """What it took out."""
    last: Fact
    """The latest record that bears on it."""

    @property
    def granted(self) -> int:
        """What it brought in and was given, less what it gave on."""
        return self.brought - self.given

    @property
    def left(self) -> int:
        """What it may still issue; below 0 where it took or gave more."""
        return self.granted - self.used

    @property
    def overdraft(self) -> int:
        """How much more it took and gave on than it had; 0 where it kept to it."""
        return max(0, self.used + self.given - max(self.brought, 0))


class Pair:
    """One item in one store, read from all its facts; the same for every order of arrival."""

    def __init__(self, history: History) -> None:
        """Read a subject.

        Args:
            history: Of the subject that `stock_subject` names.
        """
        self.store, self.item = _pair_of(history)
        self._history = history = self._own(history)
        store, item, replaced = self.store, self.item, history.replaced
        moves = [
            fact
            for fact in history.facts
            if isinstance(record := fact.record, Movement)
            and fact.standing == 0
            and record.store == store
            and record.item == item
            and not replaced(fact)
        ]
        self.doubles = doubled(history.facts, moves)
        """Movements of a shipment that somebody else wrote apart; see `shipping.doubled`."""
        if self.doubles:
            moves = [fact for fact in moves if ref_of(fact) not in self.doubles]
        self.moves = moves
        """Movements that count, in display order."""
        self._moved = [
            (fact, fact.record.units * SIGN.get(fact.kind, 1))  # type: ignore[union-attr]
            for fact in moves
        ]
        self.counts = self._kind(KindNo.STOCK_COUNT)
        self.grants = self._kind(KindNo.ALLOTMENT_GRANT)
        self.quarantines = self._kind(KindNo.LOT_QUARANTINE)
        self.dated = [
            fact
            for fact in self._kind(KindNo.LOT_RELEASE)
            if fact.record.expiry is not None  # type: ignore[union-attr]
        ]
        """Corrections of a lot's last day."""
        self._before: dict[Ref, set[Ref]] = {}
        self._after: dict[Ref, set[Ref]] = {}

    def _own(self, history: History) -> History:
        """Return the history without what names another pair: it corrects nothing here either."""
        store, item = self.store, self.item
        foreign = False
        for fact in history.facts:
            record: Any = fact.record
            if hasattr(record, "seen") and (record.store != store or record.item != item):
                foreign = True
                break
        if not foreign:
            return history
        kept = [
            fact for fact in history.facts if not hasattr(fact.record, "seen") or self.ours(fact)
        ]
        return History(history.subject, kept)

    @property
    def history(self) -> History:
        """All facts of the pair: those that name another are left out."""
        return self._history

    def ours(self, fact: Fact) -> bool:
        """Whether a fact is of this pair: whoever forges a subject's name adds nothing to it."""
        record = fact.record
        return (
            getattr(record, "store", None) == self.store
            and getattr(record, "item", None) == self.item
        )

    @cached_property
    def lots(self) -> tuple[LotBalance, ...]:
        """Every lot that anybody moved or counted, in the order of its name."""
        moves: dict[str, list[tuple[Fact, int]]] = {}
        for each in self._moved:
            lot = each[0].record.lot  # type: ignore[union-attr]
            if lot in moves:
                moves[lot].append(each)
            else:
                moves[lot] = [each]
        named = {each.lot for fact in self.counts for each in _counted(fact).lots}
        return tuple(self._lot(lot, moves.get(lot, [])) for lot in sorted(moves.keys() | named))

    @cached_property
    def low(self) -> int:
        """The least that may be there, of all lots."""
        return sum(each.low for each in self.lots)

    @cached_property
    def high(self) -> int:
        """The most that may be there."""
        return sum(each.high for each in self.lots)

    @cached_property
    def largest(self) -> int:
        """The most units that one movement had so far; 0 while there is none."""
        return max((abs(units) for _, units in self._moved), default=0)

    def lot(self, name: str) -> LotBalance | None:
        """Return one lot, or None when nobody moved or counted it here."""
        return next((each for each in self.lots if each.lot == name), None)

    def usable(self) -> list[LotBalance]:
        """Return named lots that may be there and are not held back, the first to expire first."""
        held = self.held_back
        found = [each for each in self.lots if each.lot and each.high > 0 and each.lot not in held]
        return sorted(found, key=lambda each: (each.expiry is None, each.expiry or 0, each.lot))

    @cached_property
    def held_back(self) -> frozenset[str]:
        """Lots in quarantine."""
        return frozenset(fact.record.lot for fact in self.quarantines)  # type: ignore[union-attr]

    @cached_property
    def opened(self) -> tuple[Open, ...]:
        """Everything that may have been in a count already."""
        return tuple(each for lot in self.lots for each in lot.opened)

    def had_seen(self, count: Fact, fact: Fact) -> bool:
        """Whether the writer of a count knew of a fact, itself or through what it names."""
        return ref_of(fact) in self._seen_by(count)

    @cached_property
    def accounts(self) -> tuple[Account, ...]:
        """What each device may issue, by device; none while nothing is allotted."""
        return self.holdings if self.grants else ()

    @cached_property
    def holdings(self) -> tuple[Account, ...]:
        """What each device holds, whether anything is allotted or not.

        Whoever brings stock in holds it, and only its holder can give it on; so what all devices
        hold is what is there, and nobody who keeps to it can issue what another issues too. A count
        gives its device what it found, or takes what it missed.
        """
        brought, used = defaultdict[bytes, int](int), defaultdict[bytes, int](int)
        given = defaultdict[bytes, int](int)
        last: dict[bytes, Fact] = {}
        for fact, units in self._moved:
            device = fact.device
            if units > 0:
                brought[device] += units
            else:
                used[device] -= units
            last[device] = fact
        bearing: list[tuple[bytes, Fact]] = []
        for fact in self.counts:
            brought[fact.device] += self._found_by[ref_of(fact)] - self._settled_in[ref_of(fact)]
            bearing.append((fact.device, fact))
        for fact in self.grants:
            for each in _granted(fact).to:
                brought[each.device] += each.units
                given[fact.device] += each.units
                bearing.append((each.device, fact))
            bearing.append((fact.device, fact))
        for device, fact in bearing:
            held = last.get(device)
            if held is None or _place(held) < _place(fact):
                last[device] = fact
        return tuple(
            Account(device, brought[device], given[device], used[device], last[device])
            for device in sorted(last)
        )

    def account(self, device: bytes) -> Account | None:
        """Return what one device may issue; None while it holds nothing and never did."""
        return next((each for each in self.accounts if each.device == device), None)

    @cached_property
    def _found_by(self) -> dict[Ref, int]:
        """By count, what its device holds by it: what was there beyond the book, or less.

        Two who find more of one lot apart have found the same: together they hold what the one who
        found most did, the first of them first.
        """
        beyond = {ref_of(fact): _counted(fact).found for fact in self.counts}
        if sum(units > 0 for units in beyond.values()) < 2:
            return beyond
        known, found = sight(self._history.facts, self.counts), dict(beyond)
        for at, fact in enumerate(self.counts):
            told = [
                beyond[ref_of(other)]
                for other in self.counts[:at]
                if _counted(fact).of_one_lot(_counted(other)) and known.apart(fact, other)
            ]
            units = beyond[ref_of(fact)]
            if units > 0:
                found[ref_of(fact)] = max(0, units - max(0, *told, 0))
        return found

    @cached_property
    def _settled_in(self) -> defaultdict[Ref, int]:
        """By count, the sum of movements that people marked as counted already in it.

        Only of those that the count had left open: else whoever marks could give a device units.
        """
        found = defaultdict[Ref, int](int)
        if self._verdicts:
            moved = {ref_of(fact): (fact, units) for fact, units in self._moved}
            counts = {ref_of(fact): fact for fact in self.counts}
            for (movement, of), verdict in self._verdicts.items():
                if not (verdict and movement in moved and of in counts):
                    continue
                (fact, units), count = moved[movement], counts[of]
                looked_for = _counted(count).covers(fact.record.lot)  # type: ignore[union-attr]
                unseen = movement not in self._seen_by(count)
                if looked_for and unseen and self._came_before(fact, count):
                    found[of] += units
        return found

    def _lot(self, lot: str, moves: Sequence[tuple[Fact, int]]) -> LotBalance:
        counts = self._latest_counts(lot)
        sums = [self._since(count, lot, moves) for count in counts]
        if not counts:
            total = sum(units for _, units in moves)
            sums = [_Sum(total, total, [], moves)]
        low, high = min(each.low for each in sums), max(each.high for each in sums)
        # Named only where there is too little: most lots have plenty, and many movements.
        added = [each for total in sums for each in total.added] if low < 0 else []
        taken = {ref_of(fact): fact for fact, units in added if units < 0}
        # Those that were moved and counted last: both are in display order.
        bearing = [*(fact for fact, _ in moves[-1:]), *counts[-1:]] or self.counts[-1:]
        return LotBalance(
            lot,
            self._expiry(lot, moves, counts),
            low,
            high,
            tuple(counts),
            tuple(opened for each in sums for opened in each.opened),
            tuple(sorted(taken.values(), key=_place)[-NAMED_MAX:]),
            max(bearing, key=_place),
        )

    def _expiry(
        self, lot: str, moves: Sequence[tuple[Fact, int]], counts: Sequence[Fact]
    ) -> int | None:
        """Return the earliest last day that is stated of a lot and was not corrected since."""
        right = [fact for fact in self.dated if fact.record.lot == lot]  # type: ignore[union-attr]
        corrected = {ref for fact in right for ref in self._seen_by(fact)}

        def stands(fact: Fact) -> bool:
            return not corrected or ref_of(fact) not in corrected

        stated = {fact.record.expiry for fact, _ in moves if stands(fact)}  # type: ignore[union-attr]
        stated |= {fact.record.expiry for fact in right if stands(fact)}  # type: ignore[union-attr]
        stated |= {
            each.expiry
            for fact in counts
            if stands(fact)
            for each in _counted(fact).lots
            if each.lot == lot
        }
        return min((day for day in stated if day is not None), default=None)

    def _since(self, count: Fact, lot: str, moves: Iterable[tuple[Fact, int]]) -> _Sum:
        """Return what a lot comes to from one count on."""
        low = high = _counted(count).units_of(lot)
        opened, added = [], []
        seen, until_ms = self._seen_by(count), until(_counted(count).circumstances)
        for each in moves:
            fact, units = each
            if (fact.prefix, fact.index) in seen:
                # What its writer knew of is in it, but for what came after a time that they stated.
                if until_ms is None or fact.at_ms < count.at_ms:
                    continue
                maybe = fact.at_ms < until_ms
            else:
                maybe = self._came_before(fact, count)
            verdict = True
            if maybe:
                marked = self._verdicts.get((ref_of(fact), ref_of(count)))
                if marked is None:
                    opened.append(Open(fact, count))
                    low, high = low + min(units, 0), high + max(units, 0)
                    added.append(each)
                    continue
                verdict = not marked
            if verdict:
                low, high = low + units, high + units
                added.append(each)
        return _Sum(low, high, opened, added)

    def _came_before(self, fact: Fact, count: Fact) -> bool:
        """Whether a movement that a count had not seen may have been before it.

        Who knew of the count and states no other time moved something after it, whatever the clocks
        say. Who corrects what is in the count, and states none, speaks of the same movement.
        """
        if fact.at_ms >= count.at_ms:
            seen, doc = self._seen_by(count), fact.doc_id
            return not stated(fact) and any(
                (ref[0] or doc, ref[1]) in seen
                for ref in fact.record.supersedes  # type: ignore[union-attr]
            )
        return stated(fact) or not self._saw(fact, count)

    def _latest_counts(self, lot: str) -> list[Fact]:
        """Return the counts of a lot that no other count of it had seen.

        Who states an earlier time than another count's takes no place of it: both stand.
        """
        found: list[Fact] = []
        for count in reversed(self.counts):
            if _counted(count).covers(lot) and not any(
                ref_of(count) in self._seen_by(later)
                and not (stated(later) and later.at_ms < count.at_ms)
                for later in found
            ):
                found.append(count)
        return found[::-1]

    @cached_property
    def _verdicts(self) -> dict[tuple[Ref, Ref], bool]:
        """(movement, count) → whether it was counted; not where people say both."""
        said: dict[tuple[Ref, Ref], set[bool]] = {}
        for fact in self._kind(KindNo.STOCK_SETTLE):
            assert isinstance(fact.record, StockSettle)
            key = (fact.record.movement, fact.record.count)
            said.setdefault(key, set()).add(bool(fact.record.counted))
        return {key: verdicts.pop() for key, verdicts in said.items() if len(verdicts) == 1}

    @cached_property
    def _names(self) -> dict[Ref, tuple[Ref, ...]]:
        """What each record of the pair had seen, those that do not count too."""
        return {
            (fact.prefix, fact.index): seen
            for fact in self._history.facts
            if (seen := getattr(fact.record, "seen", ()))
        }

    @cached_property
    def _named_by(self) -> dict[Ref, list[Ref]]:
        found: dict[Ref, list[Ref]] = {}
        for ref, seen in self._names.items():
            for each in seen:
                found.setdefault(each, []).append(ref)
        return found

    def _seen_by(self, count: Fact) -> set[Ref]:
        ref = ref_of(count)
        if ref not in self._before:
            self._before[ref] = reached(ref, self._names)
        return self._before[ref]

    def _saw(self, fact: Fact, count: Fact) -> bool:
        ref = ref_of(count)
        if ref not in self._after:
            self._after[ref] = reached(ref, self._named_by)
        return ref_of(fact) in self._after[ref]

    def _kind(self, kind: int) -> list[Fact]:
        return [fact for fact in self._history.of_kind.get(kind, ()) if self._counts(fact)]

    def _counts(self, fact: Fact) -> bool:
        """Whether a fact of this pair stands, and nobody replaced it or took it back."""
        return fact.standing == 0 and self.ours(fact) and not self._history.replaced(fact)


class _Sum(NamedTuple):
    """What a lot comes to from one count on."""

    low: int
    high: int
    opened: list[Open]
    added: Sequence[tuple[Fact, int]]
    """The movements it is made of."""


def _pair_of(history: History) -> tuple[bytes, str]:
    """Return the store and item whose subject this is; (b"", "") when no fact says so."""
    for fact in history.facts:
        store, item = getattr(fact.record, "store", None), getattr(fact.record, "item", None)
        if store and item and stock_subject(store, item) == history.subject:
            return bytes(store), item
    return b"", ""


def pair_of(history: History) -> Pair:
    """Return what the history of a pair comes to, worked out once."""
    held = history.worked_out.get(Pair)
    if held is None:
        held = history.worked_out[Pair] = Pair(history)
    assert isinstance(held, Pair)
    return held


def _place(fact: Fact) -> tuple[tuple[int, bytes], int]:
    return fact.order, fact.index


def _counted(fact: Fact) -> StockCount:
    assert isinstance(fact.record, StockCount)
    return fact.record


def _granted(fact: Fact) -> AllotmentGrant:
    assert isinstance(fact.record, AllotmentGrant)
    return fact.record
