"""Facts that name other facts they are about or had seen, beside those they replace."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

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
    """Which facts had seen which, as far as they say so: directly or through others.

    It costs in proportion to what is named, times the facts that are asked about (64 at once).
    """

    def __init__(
        self,
        facts: Iterable[Fact],
        seen: Callable[[Fact], Sequence[Ref]],
        about: Iterable[Fact] | None = None,
    ) -> None:
        """Read what facts say they had seen.

        Args:
            facts: All that can name each other, those that do not stand too: what somebody who
                stands had seen through them was seen all the same.
            seen: Returns what a fact names.
            about: Those that will be asked for as seen; None: all of them.
        """
        self._names = {ref_of(fact): seen(fact) for fact in facts}
        asked = self._names if about is None else map(ref_of, about)
        self._bits = {ref: 1 << at for at, ref in enumerate(dict.fromkeys(asked))}
        self._known: dict[Ref, int] = {}
        """What each fact had seen, one bit for each that is asked about."""

    def before(self, fact: Fact) -> frozenset[Ref]:
        """Return everything that a fact had seen, itself not among it."""
        known = self._before(ref_of(fact))
        return frozenset(ref for ref, bit in self._bits.items() if known & bit)

    def had_seen(self, later: Fact, earlier: Fact) -> bool:
        """Whether the writer of one knew of the other."""
        return bool(self._before(ref_of(later)) & self._bits.get(ref_of(earlier), 0))

    def apart(self, one: Fact, other: Fact) -> bool:
        """Whether neither writer knew of the other's."""
        return one is not other and not self.had_seen(one, other) and not self.had_seen(other, one)

    def heads(self, facts: Sequence[Fact]) -> tuple[Ref, ...]:
        """Return those of some facts that none of them had seen: what the next writer names."""
        known = 0
        for fact in facts:
            known |= self._before(ref_of(fact))
        newest = [ref for ref in map(ref_of, facts) if not known & self._bits.get(ref, 0)]
        return tuple(newest[-SEEN_MAX:])

    def _before(self, asked: Ref) -> int:
        """Return everything that a fact had seen, itself not among it."""
        known, names, bits = self._known, self._names, self._bits
        waiting, entered = [asked], set[Ref]()
        while waiting:
            ref = waiting[-1]
            if ref in known:
                waiting.pop()
                continue
            entered.add(ref)
            named = [each for each in names.get(ref, ()) if each in names]
            # A forged ring of names ends where it began: what was entered is not entered again.
            missing = [each for each in named if each not in known and each not in entered]
            if missing:
                waiting += missing
                continue
            found = 0
            for each in named:
                found |= known.get(each, 0) | bits.get(each, 0)
            known[ref] = found & ~bits.get(ref, 0)
            waiting.pop()
        return known[asked]


def reached(start: Ref, step: Mapping[Ref, Iterable[Ref]]) -> set[Ref]:
    """Return everything that is reached from one reference, itself not among it."""
    found: set[Ref] = set()
    due = [start]
    while due:
        for each in step.get(due.pop(), ()):
            if each not in found:
                found.add(each)
                due.append(each)
    found.discard(start)
    return found
