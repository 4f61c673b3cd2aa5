"""A line of the board with how its patient does."""

from __future__ import annotations

import msgspec

from protocols.live.api import BoardLine
from protocols.records.watch import Watch


def watched(
    line: BoardLine, watch: Watch, *, doses: int = 0, risk: str = "", bed_shared: bool = False
) -> BoardLine:
    """Return a line with how its patient does."""
    return msgspec.structs.replace(
        line,
        score=watch.score,
        score_least=watch.least,
        score_before=watch.before,
        trend=watch.trend,
        last_set_ms=watch.last_ms,
        due_ms=watch.due_ms,
        late_ms=watch.late_ms,
        alerts=watch.alerts,
        doses=doses,
        risk=risk,
        bed_shared=bed_shared,
    )
