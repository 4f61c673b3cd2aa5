"""Which doses of whom are late, or will be: for boards, from the rows of orders and doses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from protocols.guidelines.vocabulary import vocabulary
from protocols.ids import PREFIX_BYTES
from protocols.ledger.book import Ledger
from protocols.records.order import OrderRow
from protocols.records.schedule import late_from_ms

MINUTE_MS = 60_000
TOLD_MAX = 8
"""Of one patient, those that are late first."""


class LateDose(NamedTuple):
    """One order whose next dose is late from an instant on, unless something is recorded of it."""

    from_ms: int
    substance: str


_ORDERS = """
SELECT o.patient, o.substance, o.way, o.every, o.max_a_day, o.start_ms, o.until_ms, o.idx, e.hash
FROM order_placed o JOIN entry e ON e.arrival = o.entry
WHERE o.patient IN ({who}) AND o.standing = 0 AND o.replaced = 0 AND o.stopped_ms IS NULL
"""
_ANSWERED = """
SELECT about, max(at_ms) FROM administration
WHERE patient IN ({who}) AND about IS NOT NULL AND standing = 0 AND replaced = 0 GROUP BY about
"""


def late_doses(
    ledger: Ledger, patients: Sequence[bytes], now_ms: int
) -> dict[bytes, tuple[LateDose, ...]]:
    """Return the doses of some patients that are due by the clock, the first to be late first.

    What is late is told as an instant, so that a board goes on saying it as time passes.

    Args:
        ledger: The book.
        patients: Ids, as many as one question of the book takes.
        now_ms: Unix milliseconds; of an order that is over by then nothing is due.
    """
    if not patients:
        return {}
    marks, who = ",".join("?" * len(patients)), tuple(patients)
    placed = ledger.store.all(_ORDERS.format(who=marks), who)
    if not placed:
        return {}
    answered = {
        bytes(about): at for about, at in ledger.store.all(_ANSWERED.format(who=marks), who)
    }
    grace_ms = vocabulary().doubt.late_minutes * MINUTE_MS
    found: dict[bytes, list[LateDose]] = {}
    for patient, substance, way, every, most, start_ms, until_ms, index, digest in placed:
        if until_ms is not None and until_ms <= now_ms:
            continue
        order = OrderRow(
            entry=0, idx=index, kind=0, standing=0, at_ms=start_ms, patient=patient,
            encounter=None, substance=substance, way=way, every=every, max_a_day=most,
            start_ms=start_ms, until_ms=until_ms,
        )  # fmt: skip
        ref = bytes(digest[:PREFIX_BYTES]) + index.to_bytes(2)
        from_ms = late_from_ms(order, answered.get(ref), grace_ms)
        if from_ms is not None:
            found.setdefault(bytes(patient), []).append(LateDose(from_ms, substance))
    return {who: tuple(sorted(doses)[:TOLD_MAX]) for who, doses in found.items()}
