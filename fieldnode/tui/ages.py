"""What is known of the age of somebody on the board, for whatever is scored or asked by it."""

from __future__ import annotations

from math import inf

from protocols.guidelines.ages import AgeSpan, of_shown
from protocols.live.api import BoardLine


def age_of(line: BoardLine) -> AgeSpan:
    """Return the age as the node takes it, so that a form scores whom the board scores."""
    if line.age_days is None:
        return of_shown(line.age)
    since, below = line.age_days
    return AgeSpan(since, inf if below is None else below)
