"""A line of the board with how its patient does."""

from __future__ import annotations

import msgspec

from protocols.ledger.scales import Choice
from protocols.live.api import BoardLine
from protocols.records.display import clean_text
from protocols.records.watch import Watch


def watched(
    line: BoardLine,
    watch: Watch,
    *,
    doses: int = 0,
    risk: str = "",
    bed_shared: bool = False,
    chose: Choice | None = None,
) -> BoardLine:
    """Return a line with how its patient does.

    Args:
        line: Who it is.
        watch: How they do.
        doses: As the line has it.
        risk: As the line has it.
        bed_shared: As the line has it.
        chose: Who chose scale 2 for SpO2, where the score is of it.
    """
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
        scale2_by=clean_text(chose.who) if chose else "",
        scale2_ms=chose.at_ms if chose else 0,
    )
