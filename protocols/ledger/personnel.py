"""Many persons certified together: one record of the control feed holds their certificates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from protocols.errors import InputError
from protocols.ids import PersonId
from protocols.ledger import persons
from protocols.ledger.admitting import batches
from protocols.ledger.book import Ledger
from protocols.ledger.certifying import Grant, certificate_of, must_hold
from protocols.trust.control import Certificates
from protocols.trust.persons import Profile, Request


@dataclass(frozen=True, slots=True)
class Asked:
    """One person of a roster: who asks, their papers as the roster has them, and for what."""

    request: Request
    profile: Profile
    grant: Grant


def certify_all(
    ledger: Ledger, rows: Sequence[Asked], entropy: Callable[[int], bytes], wall_ms: int
) -> list[bytes]:
    """Certify several persons, all of them or none; return the certificate files in order.

    Raises:
        InputError: As `persons.add`, `person_twice`; `field` says which row.
    """
    authority = ledger.authority
    serial, statements, seen = authority.roster.next_serial(authority.device), [], set[bytes]()
    for at, row in enumerate(rows, 1):
        person = PersonId(row.request.person)
        try:
            if bytes(person) in seen:
                raise InputError("person_twice")
            said = (row.profile, row.grant, serial + at - 1)
            statements.append(certificate_of(ledger, person, said, entropy, wall_ms))
        except InputError as error:
            raise error.at(f"row {at}") from None
        seen.add(bytes(person))
    with ledger.atomic():
        for batch in batches(statements):
            ledger.write_control(Certificates(batch), wall_ms)
        for at, statement in enumerate(statements, 1):
            try:
                must_hold(ledger, statement)
            except InputError as error:
                raise error.at(f"row {at}") from None
    return [persons.credential_of(ledger, PersonId(row.request.person)) for row in rows]
