"""Whether an alert is one that somebody has seen: the rule, for boards on any node."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Seen(NamedTuple):
    """What somebody saw, as it is compared with what alerts now."""

    why: str
    """One of `seen.WHY`."""
    of_ms: int
    """The instant it was of, Unix milliseconds."""
    about: frozenset[str]
    """What alerted then."""


def covers(seen: Seen, why: str, of_ms: int, about: Iterable[str]) -> bool:
    """Return whether this very alert was seen.

    One of another instant was not: the value was measured again. Nor one about anything more.
    """
    return (seen.why, seen.of_ms) == (why, of_ms) and seen.about.issuperset(about)
