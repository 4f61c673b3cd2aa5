"""Triage that nobody identified wrote, as the messages of `api`; who stands by what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from protocols.ids import FactRef
from protocols.ledger import unconfirmed as triages
from protocols.ledger.book import Ledger
from protocols.live.api import Unconfirmed, UnconfirmedLine
from protocols.records.acceptance import acceptances, of_device
from protocols.records.confirmation import confirmations
from protocols.records.history import History
from protocols.records.rows import iso
from protocols.records.shape import Fact
from protocols.records.triage import TriageRow


def unconfirmed(ledger: Ledger, limit: int) -> Unconfirmed:
    """Triage that waits for a person, the oldest first; with a limit of 0 only how many."""
    lines = [
        UnconfirmedLine(
            str(each.fact),
            each.code,
            each.tag,
            each.category,
            each.at_ms,
            ledger.authority.name_of(each.device) or str(each.device)[:12],
        )
        for each in (triages.waiting(ledger, limit) if limit else ())
    ]
    return Unconfirmed(triages.count(ledger.store), tuple(lines))


def stood_by(ledger: Ledger, row: TriageRow, triage: FactRef) -> list[dict[str, Any]]:
    """Return who stands by a triage, for other programs."""
    held = triages.stood_by(ledger, row.patient, triage) if row.confirmed else []
    return [
        {
            "person": str(author.person) if author.person else None,
            "person_name": author.name or None,
            "at": iso(at_ms),
        }
        for author, at_ms in held
    ]


def who_stands_by(history: History, fact: Fact, *, nobodys: bool) -> Sequence[Fact]:
    """Return who stands by a triage that nobody identified wrote, or by a device's value."""
    if nobodys:
        return confirmations(history).get((fact.prefix, fact.index), ())
    return acceptances(history).get((fact.prefix, fact.index), ()) if of_device(fact) else ()
