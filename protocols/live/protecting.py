"""Concerns for somebody's safety: listed for whoever is entitled, and to nobody else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from protocols.ids import DeviceId, PatientId
from protocols.ledger import audit, persons, reading
from protocols.ledger.authors import Author, Authors
from protocols.ledger.book import Ledger
from protocols.live.audited import event
from protocols.live.crossing import ConcernLine, Concerns
from protocols.mesh.effects import Effect, Now
from protocols.mesh.node import Node
from protocols.records.display import clean_text
from protocols.records.protection import TEXT_CHARS_MAX
from protocols.trust.audit import What
from protocols.trust.charter import Sensitivity

CONCERNS_MAX = 200
"""In one answer, the newest."""


def why_not(ledger: Ledger, session: int) -> str:
    """Say why whoever sits here may not read concerns; '' when they may. See `Concerns`.

    A device may be shared: where the charter names the roles that read, it is the person's that
    count, and only where nobody is enrolled here the device's own.
    """
    authority = ledger.authority
    scope = authority.scope_for(Sensitivity.PROTECTION)
    charter = authority.roster.charter
    terms = charter.scope(scope) if charter and scope else None
    if terms is None or scope is None or authority.keyring.closed:
        return "device"
    if not authority.roster.reads(authority.device, scope):
        return "device"
    person = audit.sits_here(ledger, session)
    if person is None and persons.count(ledger):
        return "person"
    member = authority.roster.device(person or authority.device)
    if not terms.readers:
        return ""
    return "" if member and not member.roles.isdisjoint(terms.readers) else "role"


def listed(
    node: Node, now: Now, args: Mapping[str, Any], *, session: int = 0
) -> tuple[object, Sequence[Effect]]:
    """`concerns`: those recorded, the newest first; other teams' are in the audit trail."""
    ledger = node.ledger
    refused = why_not(ledger, session)
    if refused:
        return Concerns(why_not=refused), ()
    rows = ledger.store.all(
        "SELECT e.arrival, r.idx, e.hash, r.patient, r.concern, r.text, r.at_ms, r.standing,"
        " r.replaced, f.device FROM protection r JOIN entry e ON e.arrival = r.entry"
        " JOIN feed f ON f.no = e.feed ORDER BY r.at_ms DESC, e.hash, r.idx"
    )
    ours = audit.team_devices(ledger)
    shown = rows[:CONCERNS_MAX]
    foreign = sum(DeviceId(row[-1]) not in ours for row in shown)
    effects: Sequence[Effect] = ()
    if foreign:
        said = event(now, What.READ_OUTSIDE_TEAM, session=session, reason="protection")
        effects = node.audit([said], now)
    by = Authors(ledger).of_entries(row[0] for row in shown)
    lines = tuple(_line(ledger, by[row[0]], row) for row in shown)
    return Concerns(lines, len(rows)), effects


def _line(ledger: Ledger, author: Author, row: tuple[Any, ...]) -> ConcernLine:
    _, index, digest, patient, concern, text, at_ms, standing, replaced, _ = row
    known = reading.patient(ledger, PatientId(patient))
    return ConcernLine(
        fact=f"{digest.hex()}.{index}",
        patient=str(PatientId(patient)),
        code=clean_text(known.code) if known else "",
        name=clean_text(known.name) if known else "",
        concern=concern,
        text=clean_text(text, TEXT_CHARS_MAX),
        at_ms=at_ms,
        author=clean_text(author.label),
        device=clean_text(author.device_name),
        standing=standing,
        replaced=replaced,
    )


DEEDS = {"concerns": listed}
