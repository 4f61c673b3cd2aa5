"""What somebody has to look at: found in what a board says, the most dangerous first.

Pure: the hour is the caller's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from protocols.live.api import AlertSeen, BoardLine, BoardPage
from protocols.live.consigned import SupplyAlert
from protocols.records.acknowledged import Seen, covers

RED = 1
ABOUT_CHARS = 64
"""Of what an alert is about, in the record that somebody saw it."""
CUSTODY_UNCLEAR = 3
"""From here on the custody of a line is unclear or in conflict."""
TWICE, STOPPED = 1, 2
"""Bits of `BoardLine.doses`."""


class Alert(NamedTuple):
    """One thing to look at."""

    why: str
    """Catalogue key."""
    head: BoardLine | None
    """None: results that wait for a patient."""
    at_ms: int = 0
    """Since when it is so, as far as that is known."""
    waiting: int = 0
    what: str = ""
    """Catalogue key of what is added to the reason; '' for nothing."""
    about: tuple[str, ...] = ()
    """What alerts: names of values, the score."""
    seen: AlertSeen | None = None
    """Who saw this very one last; of what is settled rather than seen, nobody."""
    supply: SupplyAlert | None = None
    """What of supplies it is about; None: of a patient."""

    @property
    def identity(self) -> str:
        """What a list keeps its selection by."""
        about = self.supply.about if self.supply else ""
        return f"{self.why} {self.what} {self.head.patient if self.head else about}"


SEEABLE = {
    "alerts.rise": "rise",
    "alerts.single": "single",
    "alerts.late": "late",
    "alerts.red": "red",
    "alerts.dose": "dose",
}
"""What can be seen and left: it is of an instant, and comes again with the next one. All else
stands until somebody settles it."""


OF_SUPPLIES = {
    "excursion": "alerts.excursion",
    "recall": "alerts.recall_open",
    "negative": "alerts.stock_below",
    "overdraft": "alerts.stock_over",
    "twice": "alerts.taken_twice",
    "lapsed": "alerts.lapsed",
    "apart": "alerts.apart",
    "asked": "alerts.asked",
    "coming": "alerts.coming",
}
"""Reasons of supplies, by the node's word; those of later software are not shown here."""


def alerts_of(
    page: BoardPage, now_ms: int, supplies: Sequence[SupplyAlert] = ()
) -> Sequence[Alert]:
    """Return what has to be looked at: who may be in danger before what is untidy.

    What somebody has seen stands behind, whoever it was.
    """
    found = [_marked(alert) for line in page.lines for alert in _of(line, now_ms)]
    order = {why: rank for rank, why in enumerate(ORDER)}
    if page.unassigned:
        found.append(Alert("alerts.results", None, waiting=page.unassigned))
    found += [
        Alert(OF_SUPPLIES[one.why], None, one.at_ms, supply=one)
        for one in supplies
        if one.why in OF_SUPPLIES
    ]
    last = len(order)
    found.sort(key=lambda alert: (alert.seen is not None, order.get(alert.why, last), -alert.at_ms))
    return found


def _marked(alert: Alert) -> Alert:
    """Return an alert with who saw it last, if anybody did."""
    why = SEEABLE.get(alert.why)
    if why is None or alert.head is None or not alert.at_ms:
        return alert
    by = [
        one
        for one in alert.head.seen
        if covers(Seen(one.why, one.of_ms, frozenset(one.about)), why, alert.at_ms, alert.about)
    ]
    return alert._replace(seen=by[-1]) if by else alert


ORDER = (
    "alerts.reassess",
    "alerts.rise",
    "alerts.single",
    "alerts.stopped",
    "alerts.twice",
    "alerts.late",
    "alerts.dose",
    "alerts.red",
    "alerts.recall_open",
    "alerts.excursion",
    "alerts.custody",
    "alerts.tag",
    "alerts.bed",
    "alerts.unsettled",
    "alerts.stock_below",
    "alerts.stock_over",
    "alerts.taken_twice",
    "alerts.apart",
    "alerts.lapsed",
    "alerts.asked",
    "alerts.coming",
)
"""The reasons, the most dangerous first."""


def newest(alerts: Sequence[Alert]) -> Alert | None:
    """Return what changed last of what is known by its hour; None where nothing is.

    What nobody has seen goes before what somebody has.
    """
    timed = [alert for alert in alerts if alert.at_ms and alert.head is not None]
    return max(timed, key=lambda alert: (alert.seen is None, alert.at_ms), default=None)


def late(line: BoardLine, now_ms: int) -> bool:
    """Whether observations of somebody are overdue."""
    return line.late_ms is not None and now_ms >= line.late_ms


def late_doses(line: BoardLine, now_ms: int) -> Sequence[tuple[int, str]]:
    """Return the doses of somebody that are overdue: since when, and of what; the latest first."""
    return [dose for dose in line.late_doses if now_ms >= dose[0]]


def _of(line: BoardLine, now_ms: int) -> list[Alert]:
    found = _of_how(line, now_ms)
    if line.custody >= CUSTODY_UNCLEAR:
        found.append(Alert("alerts.custody", line))
    if line.tag_shared:
        found.append(Alert("alerts.tag", line))
    if line.bed_shared:
        found.append(Alert("alerts.bed", line))
    if line.unsettled:
        found.append(Alert("alerts.unsettled", line, what=f"risk.{line.risk}" if line.risk else ""))
    return found


def _of_how(line: BoardLine, now_ms: int) -> list[Alert]:
    """Return what alerts of how somebody does, and of what is to be done for them here."""
    if not line.in_care:
        return []
    found = []
    if line.triage_open:
        found.append(Alert("alerts.reassess", line))
    if line.trend > 0:
        about = (f"score.{line.score}", *line.alerts)
        found.append(Alert("alerts.rise", line, line.last_set_ms or 0, about=about))
    elif line.alerts:
        found.append(Alert("alerts.single", line, line.last_set_ms or 0, about=line.alerts))
    if line.doses & STOPPED:
        found.append(Alert("alerts.stopped", line))
    if line.doses & TWICE:
        found.append(Alert("alerts.twice", line))
    if late(line, now_ms):
        found.append(Alert("alerts.late", line, line.late_ms or 0))
    if doses := late_doses(line, now_ms):
        about = tuple(what.replace(" ", "")[:ABOUT_CHARS] for _, what in doses)
        found.append(Alert("alerts.dose", line, doses[0][0], about=about))
    if line.triage == RED and line.last_set_ms is None:
        found.append(Alert("alerts.red", line, line.waiting_since_ms or 0))
    return found
