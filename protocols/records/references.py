"""Facts that name other facts they are about or had seen, beside those they replace."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from protocols.ids import PREFIX_BYTES
from protocols.records.history import Ref
from protocols.records.planning import SUPERSEDES_MAX
from protocols.records.shape import Fact

SEEN_MAX = SUPERSEDES_MAX
"""Facts one record may name as seen."""


def must_name(*references: Ref) -> None:
    """Refuse what cannot be a reference, where a value is read.

    Raises:
        ValueError: an entry's prefix of another length, or an index that no entry has.
    """
    for prefix, index in references:
        if len(prefix) != PREFIX_BYTES or not 0 <= index < 2**16:
            raise ValueError("reference")


def ref_of(fact: Fact) -> Ref:
    """Return how other facts name this one."""
    return bytes(fact.prefix), fact.index


def packed(reference: Ref) -> bytes:
    """Return a reference as a row column holds it: 18 bytes."""
    return reference[0] + reference[1].to_bytes(2)


class Sight:
    """Which facts had seen which, as far as they say so: directly or through others."""

    def __init__(self, facts: Iterable[Fact], seen: Callable[[Fact], Sequence[Ref]]) -> None:
        """Read what facts say they had seen.

        Args:
            facts: All that can name each other, those that do not stand too: what somebody who
                stands had seen through them was seen all the same.
            seen: Returns what a fact names.
        """
        self._facts = {ref_of(fact): fact for fact in facts}
        self._seen = seen
        self._before: dict[Ref, frozenset[Ref]] = {}

    def before(self, fact: Fact) -> frozenset[Ref]:
        """Return everything that a fact had seen, itself not among it."""
        asked = [ref_of(fact)]
        while asked:
            ref = asked[-1]
            if ref in self._before:
                asked.pop()
                continue
            held = self._facts.get(ref)
            named = [] if held is None else [n for n in self._seen(held) if n != ref]
            # A forged ring of names ends where it began: what is being asked already is left out.
            open_now = set(asked)
            missing = [n for n in named if n not in self._before and n not in open_now]
            if missing:
                asked += missing
                continue
            found = {n for n in named if n in self._facts}
            found.update(*(self._before.get(n, ()) for n in named))
            found.discard(ref)
            self._before[ref] = frozenset(found)
            asked.pop()
        return self._before[ref_of(fact)]

    def had_seen(self, later: Fact, earlier: Fact) -> bool:
        """Whether the writer of one knew of the other."""
        return ref_of(earlier) in self.before(later)

    def apart(self, one: Fact, other: Fact) -> bool:
        """Whether neither writer knew of the other's."""
        return one is not other and not self.had_seen(one, other) and not self.had_seen(other, one)

    def heads(self, facts: Sequence[Fact]) -> tuple[Ref, ...]:
        """Return those of some facts that none of them had seen: what the next writer names."""
        known: set[Ref] = set()
        for fact in facts:
            known |= self.before(fact)
        newest = [ref_of(fact) for fact in facts if ref_of(fact) not in known]
        return tuple(newest[-SEEN_MAX:])
