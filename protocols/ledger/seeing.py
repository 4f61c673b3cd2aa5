"""Who has seen which alert of whom, for boards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from protocols.ledger.authors import Authors
from protocols.ledger.book import Ledger
from protocols.records.acknowledged import Seen

SEEN_MAX = 12
"""Of one patient, the last ones: what alerts now was seen lately or not at all."""


class SeenBy(NamedTuple):
    """One alert that somebody saw."""

    seen: Seen
    who: str
    """The person's name, else the device's."""
    at_ms: int


_ASKED = """
WITH ranked AS (
  SELECT patient, why, of_ms, about, entry, at_ms,
    row_number() OVER (PARTITION BY patient ORDER BY at_ms DESC, entry DESC, idx) AS back
  FROM alert_seen WHERE patient IN ({who}) AND standing = 0 AND replaced = 0
)
SELECT patient, why, of_ms, about, entry, at_ms FROM ranked WHERE back <= {most}
ORDER BY at_ms, entry
"""


def seen(ledger: Ledger, patients: Sequence[bytes]) -> dict[bytes, list[SeenBy]]:
    """Return what was seen of some patients, the oldest first.

    Args:
        ledger: The book.
        patients: Ids, as many as one question of the book takes.
    """
    if not patients:
        return {}
    marks = ",".join("?" * len(patients))
    rows = ledger.store.all(_ASKED.format(who=marks, most=SEEN_MAX), tuple(patients))
    if not rows:
        return {}
    who = Authors(ledger).of_entries(row[4] for row in rows)
    found: dict[bytes, list[SeenBy]] = {}
    for patient, why, of_ms, about, entry, at_ms in rows:
        one = SeenBy(Seen(why, of_ms, frozenset(about.split())), who[entry].label, at_ms)
        found.setdefault(bytes(patient), []).append(one)
    return found
