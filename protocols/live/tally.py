"""What `tally` answers, for both ends: numbers of the present run of triage."""

from __future__ import annotations

import msgspec


class Tally(msgspec.Struct, frozen=True):
    """`tally`: no args. Numbers alone, so a locked terminal, which may triage, is told them too."""

    since_ms: int | None = None
    """When the run began; None while nobody was triaged lately."""
    counts: dict[str, int] = {}
    """Patients of the run by the category used now: keys '0' to '4'."""
    last_minute: int = 0
    """Categories given within the last 60 s, by anybody."""
