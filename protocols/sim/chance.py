"""All chance of a drill, from one seed."""

from __future__ import annotations

from random import Random


def seeded(seed: int, *purpose: object) -> Random:
    """Return a generator of its own for one purpose; it depends on nothing but its words."""
    return Random(" ".join(map(str, (seed, *purpose))))  # noqa: S311 - a drill must repeat
