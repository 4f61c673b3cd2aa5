"""Patients of other teams: who came to us by a release, and whose a list of patients holds."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from protocols.ids import DeviceId, PatientId, ScopeId
from protocols.ledger.audit import team_devices
from protocols.ledger.book import Ledger

ASKED_AT_ONCE = 500


class Came(NamedTuple):
    """From where a patient whom we know by a release was shown to us."""

    org: str
    at_ms: int
    """When the newest release of the patient was written, by its author's clock."""


def came(ledger: Ledger, patients: Sequence[PatientId]) -> dict[PatientId, Came]:
    """Return which of these patients are known here by a release, with whose it was and since when.

    Of a scope that this device reads anyway, nothing comes by a release.
    """
    shown = _released(ledger)
    found: dict[PatientId, Came] = {}
    for patient, document in _documents(ledger, patients) if shown else ():
        here = shown.get(document)
        if here is not None and here.at_ms >= found.get(patient, Came("", -1)).at_ms:
            found[patient] = here
    return found


def others(ledger: Ledger, patients: Sequence[PatientId]) -> set[PatientId]:
    """Return those of these patients about whom nobody of our organisation has written."""
    charter = ledger.authority.roster.charter
    if charter is None or len(charter.orgs) < 2 or not patients:
        return set()
    ours = team_devices(ledger)
    found = set()
    for at in range(0, len(patients), ASKED_AT_ONCE):
        some = [bytes(each) for each in patients[at : at + ASKED_AT_ONCE]]
        by: dict[bytes, bool] = {}
        for patient, device in ledger.store.all(
            "SELECT s.id, f.device FROM subject s JOIN document d ON d.subject = s.no"
            " JOIN strand t ON t.doc = d.no JOIN feed f ON f.no = t.feed"
            f" WHERE s.id IN ({','.join('?' * len(some))}) GROUP BY 1, 2",
            some,
        ):
            by[patient] = by.get(patient, False) or DeviceId(device) in ours
        found |= {PatientId(patient) for patient, own in by.items() if not own}
    return found


def _released(ledger: Ledger) -> dict[bytes, Came]:
    """Documents that a release which counts opens to us, in scopes that we do not read."""
    authority = ledger.authority
    found: dict[bytes, Came] = {}
    for entry in authority.releases.all() if authority.releases.any else ():
        held = authority.releases.release(entry)
        unread = not authority.keyring.heads(ScopeId(held.record.scope))
        if not (held.keys and unread and authority.releases.counts(entry, authority.roster)):
            continue
        member = authority.roster.device(held.place.author)
        arrival = ledger.chain.names.find(entry[:16])
        at_ms = ledger.chain.clock_of(arrival) >> 16 if arrival else 0
        here = Came(member.org if member else "", at_ms)
        for document in held.record.documents:
            found[document] = max(found.get(document, here), here, key=lambda each: each.at_ms)
    return found


def _documents(ledger: Ledger, patients: Collection[PatientId]) -> list[tuple[PatientId, bytes]]:
    asked = [bytes(each) for each in patients]
    return [
        (PatientId(patient), document)
        for at in range(0, len(asked), ASKED_AT_ONCE)
        for patient, document in ledger.store.all(
            "SELECT s.id, d.doc_id FROM subject s JOIN document d ON d.subject = s.no"
            f" WHERE s.id IN ({','.join('?' * len(asked[at : at + ASKED_AT_ONCE]))})",
            asked[at : at + ASKED_AT_ONCE],
        )
    ]
