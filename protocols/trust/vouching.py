"""What vouches for one life of a device, where no seal weighs on any of it.

Without seals standing only ever grows, and a part of the certificates never lets more stand than
all of them. So this much may be shown ahead of everything else; whom a seal concerns has to wait.
"""

from __future__ import annotations

from typing import NamedTuple

from protocols.ids import StatementHash
from protocols.trust.control import Place
from protocols.trust.membership import Membership
from protocols.trust.sessions import Sessions
from protocols.trust.statements import SignedStatement


class Vouched(NamedTuple):
    """A device as a newcomer may judge it."""

    certificates: tuple[SignedStatement, ...]
    """Of the device, of whoever took it, and of all above them, issuers first."""
    attestations: tuple[Place, ...]
    """Where it says who took it in this life, all of them."""


def vouching(
    membership: Membership, sessions: Sessions, device: bytes, epoch: bytes
) -> Vouched | None:
    """Return what vouches for a device in one life of it.

    None while a seal bears on it, on somebody who took it or on anybody above them, and while a
    person who is named does not stand: a part of the records would say more than all of them.
    """
    found: dict[StatementHash, SignedStatement] = {}
    if not _gather(membership, device, found):
        return None
    attested = sessions.attested(device, epoch)
    for _, record in attested:
        name = StatementHash(record.person)
        person = membership.held_by(name)
        if person is None:
            continue
        if not _gather(membership, person.subject, found) or name not in found:
            return None
    return Vouched(tuple(found.values()), tuple(place for place, _ in attested))


def _gather(
    membership: Membership, key: bytes, found: dict[StatementHash, SignedStatement]
) -> bool:
    """Add a key's standing certificates and all above them; return whether no seal is on any."""
    ways = membership.ways(key)
    if not ways or any(way for _, way in ways):
        return False
    for name, _ in membership.named_certificates(key):
        statement = membership.statement(name)
        if name in found or statement is None:
            continue
        if not _gather(membership, statement.issuer, found):
            return False
        found[name] = statement
    return True
