"""By how much each count set the book right: what a stock card adds up, from its first line to now.

A count says what the book had said when it was taken, other counts before it included. So all that
stand are added up, those too that a later one took the place of. What a later correction changed of
what a count had seen is not in its words: the last count that a balance stands on makes up for it,
so that a card ends with what is there.
"""

from __future__ import annotations

from protocols.records.balance import Pair
from protocols.records.counts import StockCount
from protocols.records.history import Ref
from protocols.records.movement import signed
from protocols.records.references import ref_of
from protocols.records.shape import Fact

# no records of its own: `counts.py` has those of counts, `balance.py` what they come to


def righted(pair: Pair) -> dict[Ref, int]:
    """Return by how many units each count that stands set the book right, of all its lots.

    With all movements that count they come to what is there; what may have been counted is taken to
    be on top. Where lots have counts made apart that differ, nothing is known to make up for.
    """
    found = {ref_of(fact): _said(fact) for fact in pair.counts}
    based = [fact for lot in pair.lots for fact in lot.counts]
    if based and not any(lot.apart for lot in pair.lots):
        on_top = {ref_of(each.movement): signed(each.movement) for each in pair.opened}
        there = pair.low + sum(units for units in on_top.values() if units > 0)
        last = max(based, key=lambda fact: (fact.order, fact.index))
        told = sum(map(signed, pair.moves)) + sum(found.values())
        found[ref_of(last)] += there - told
    return found


def _said(fact: Fact) -> int:
    """Return what a count says itself; 0 where its writer's book was a range."""
    count = fact.record
    assert isinstance(count, StockCount)
    if count.book_low != count.book_high:
        return 0
    return sum(each.units for each in count.lots) - count.book_low
