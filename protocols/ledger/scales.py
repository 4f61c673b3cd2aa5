"""Of whom SpO2 is scored on scale 2, and who chose that (SAFETY 7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from protocols.ledger.authors import Authors
from protocols.ledger.book import Ledger
from protocols.records.scale import SECOND
from protocols.records.watch import Watch


class Choice(NamedTuple):
    """Whose choice it is that holds."""

    who: str
    """The person's name, else the device's."""
    at_ms: int


def second(ledger: Ledger, patients: Sequence[bytes]) -> dict[bytes, tuple[int, int]]:
    """Return those of some patients who are scored on scale 2: entry and time of the last choice.

    Args:
        ledger: The book.
        patients: Ids, as many as one question of the book takes.
    """
    if not patients:
        return {}
    marks = ",".join("?" * len(patients))
    return {
        bytes(patient): (entry, at_ms)
        for patient, entry, at_ms in ledger.store.all(
            "SELECT patient, entry, at_ms FROM spo2_scale"
            f" WHERE patient IN ({marks}) AND used = 1 AND scale = ? ORDER BY at_ms, entry",
            (*patients, SECOND),
        )
    }


def choosers(ledger: Ledger, watches: Mapping[bytes, Watch]) -> dict[bytes, Choice]:
    """Return who chose scale 2, of those patients who are scored on it."""
    found = second(ledger, [each for each, watch in watches.items() if watch.scale == SECOND])
    if not found:
        return {}
    who = Authors(ledger).of_entries(entry for entry, _ in found.values())
    return {each: Choice(who[entry].label, at_ms) for each, (entry, at_ms) in found.items()}
