"""Which facts had seen which, in long chains, and where somebody forged what they had seen."""

from __future__ import annotations

from itertools import pairwise
from time import process_time

from protocols.ids import DocId, EntryPrefix
from protocols.records.history import Ref
from protocols.records.note import NoteAdd
from protocols.records.references import Sight, ref_of
from protocols.records.shape import Fact


def chain(count: int) -> list[Fact]:
    return [
        Fact(at, 0, EntryPrefix(at.to_bytes(16)), 40, NoteAdd(), 1, DocId(bytes(16)), 1, 1, 0,
             (at, at.to_bytes(16)), 0)
        for at in range(1, count + 1)
    ]  # fmt: skip


def sight(facts: list[Fact], names: dict[int, list[int]], about: list[Fact] | None = None) -> Sight:
    seen: dict[Ref, list[Ref]] = {
        ref_of(facts[at]): [ref_of(facts[each]) for each in named] for at, named in names.items()
    }
    return Sight(facts, lambda fact: seen.get(ref_of(fact), []), about)


def test_a_long_chain_costs_what_it_is_long() -> None:
    facts = chain(20_000)
    names = {at: [before] for before, at in pairwise(range(len(facts)))}
    begun = process_time()

    known = sight(facts, names, [facts[0], facts[-1]])

    assert known.had_seen(facts[-1], facts[0])
    assert not known.had_seen(facts[0], facts[-1])
    assert process_time() - begun < 5
    assert sight(facts, names).heads(facts[-10:]) == (ref_of(facts[-1]),)


def test_what_waits_beside_is_seen_with_all_that_it_had_seen() -> None:
    facts = chain(5)
    # The last names the third beside the fourth, though the fourth had seen it.
    known = sight(facts, {1: [0], 2: [1], 3: [2], 4: [2, 3]})

    assert known.before(facts[4]) == {ref_of(fact) for fact in facts[:4]}
    assert known.before(facts[3]) == {ref_of(fact) for fact in facts[:3]}


def test_a_ring_of_names_ends() -> None:
    facts = chain(3)

    known = sight(facts, {0: [2], 1: [0], 2: [1, 2]})

    assert known.had_seen(facts[2], facts[1])
    assert ref_of(facts[2]) not in known.before(facts[2])
