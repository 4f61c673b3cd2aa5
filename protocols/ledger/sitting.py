"""A person taking this device: what a person's key signs, and what entries then name.

The key signs one attestation a shift, is opened for that moment and not kept.
"""

from __future__ import annotations

from dataclasses import dataclass

from protocols.errors import InputError
from protocols.ids import DeviceId, PersonId, StatementHash
from protocols.ledger.book import Ledger
from protocols.trust.control import Attestation, attested
from protocols.trust.persons import person_keys
from protocols.trust.sessions import Session

SHIFT_MS = 12 * 3_600_000
"""One attestation serves a person for so long: a terminal that locks a hundred times a day does not
fill the control feed, which everybody carries."""


@dataclass(frozen=True, slots=True)
class Sitting:
    """A person took this device: what their entries are written under."""

    person: PersonId
    certificate: StatementHash
    epoch: bytes
    session: Session


def sit_down(ledger: Ledger, person: PersonId, seed: bytes, wall_ms: int) -> Sitting:
    """Let a person take this device; durable on return. One attestation serves a shift.

    Raises:
        InputError: `not_certified`, `person_sealed`.
    """
    authority, key = ledger.authority, DeviceId(person)
    certificates = authority.roster.certificates(key)
    member = authority.roster.device(key)
    if not certificates or member is None:
        raise InputError("not_certified")
    if member.sealed:
        raise InputError("person_sealed")
    name, epoch = certificates[0][0], bytes(authority.epoch)
    session = _kept_session(ledger, person, name, wall_ms)
    if session is None:
        started_ms = max(wall_ms, 0)
        text = attested(authority.device, epoch, name, started_ms)
        record = Attestation(bytes(name), started_ms, person_keys(seed).sign(text))
        with ledger.atomic():
            entry = ledger.write_control(record, wall_ms).entry
            ledger.store.execute(
                "UPDATE person SET session = ? WHERE key = ?",
                (_session_bytes(epoch, name, started_ms, entry.seq, entry.hash), bytes(person)),
            )
        session = (entry.seq, bytes(entry.hash[:4]))
    return Sitting(person, name, epoch, session)


def still(ledger: Ledger, sitting: Sitting) -> bool:
    """Whether entries may still name a sitting: its device has begun no other epoch since."""
    return sitting.epoch == ledger.authority.epoch


def _session_bytes(epoch: bytes, name: bytes, started_ms: int, seq: int, entry: bytes) -> bytes:
    return epoch + name + started_ms.to_bytes(8) + seq.to_bytes(8) + entry[:4]


def _kept_session(
    ledger: Ledger, person: PersonId, name: StatementHash, wall_ms: int
) -> Session | None:
    """Return this shift's session of a person, where it is this epoch's and certificate's."""
    row = ledger.store.one("SELECT session FROM person WHERE key = ?", (bytes(person),))
    held = row[0] if row else None
    begins = bytes(ledger.authority.epoch) + name
    if not held or not held.startswith(begins):
        return None
    rest = held[len(begins) :]
    since_ms = wall_ms - int.from_bytes(rest[:8])
    return (int.from_bytes(rest[8:16]), rest[16:20]) if 0 <= since_ms < SHIFT_MS else None
