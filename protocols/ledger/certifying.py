"""A person's certificate: what a coordinator may say of somebody, and whether it counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from protocols.errors import InputError
from protocols.ids import DeviceId, PersonId
from protocols.ledger.book import Ledger
from protocols.trust.certificates import (
    CERTIFICATE_VERSION,
    Certificate,
    Rank,
    seal_name,
    sign_certificate,
)
from protocols.trust.identity import NONCE_BYTES
from protocols.trust.persons import Profile, profile_text
from protocols.trust.statements import SignedStatement, statement_hash, unpack

Entropy = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Grant:
    """What a coordinator certifies a person for."""

    roles: tuple[int, ...]
    scopes: tuple[bytes, ...] = ()
    """Empty: all of the coordinator's."""
    until_ms: int = 0
    """0 = as long as the coordinator's own certificate."""


def certificate_of(
    ledger: Ledger,
    person: PersonId,
    said: tuple[Profile, Grant, int],
    entropy: Entropy,
    wall_ms: int,
) -> SignedStatement:
    """Return a person's certificate by this device, not written yet.

    Args:
        said: Their papers, what they are certified for, and its number.

    Raises:
        InputError: `may_not_admit`, `may_not_grant`, or of the profile.
    """
    (profile, grant, serial), authority, key = said, ledger.authority, DeviceId(person)
    own = _granting(ledger, grant)
    scopes = grant.scopes or own.scopes
    ends = [each for each in (grant.until_ms, own.not_after_ms) if each]
    key_id, scope_key = authority.write_key(authority.care_scope)
    certificate = Certificate(
        version=CERTIFICATE_VERSION,
        operation=bytes(authority.operation),
        subject=bytes(person),
        agree=b"",
        rank=int(Rank.PERSON),
        roles=tuple(sorted(set(grant.roles))),
        scopes=tuple(sorted(set(scopes))),
        serial=serial,
        not_before_ms=_begins(own, wall_ms, min(ends, default=0)),
        not_after_ms=min(ends, default=0),
        sealed_name=seal_name(
            profile_text(profile),
            subject=key,
            key=scope_key,
            key_id=key_id,
            nonce=entropy(NONCE_BYTES),
        ),
    )
    return sign_certificate(certificate, authority.keys)


def must_hold(ledger: Ledger, statement: SignedStatement) -> None:
    """Refuse a certificate that would not count; undone with the caller's `atomic`."""
    if not held_already(ledger, statement):
        raise InputError("may_not_grant")


def _granting(ledger: Ledger, grant: Grant) -> Certificate:
    """Return the certificate of this device by which it may grant this."""
    roster = ledger.authority.roster
    own = [each for _, each in roster.certificates(ledger.authority.device)]
    able = [each for each in own if each.rank <= Rank.COORDINATOR and each.depth > 0]
    if not able:
        raise InputError("may_not_admit")
    for each in able:
        inside = set(each.roles) >= set(grant.roles) and set(each.scopes) >= set(grant.scopes)
        if grant.roles and inside:
            return each
    raise InputError("may_not_grant")


def _begins(own: Certificate, wall_ms: int, ends_ms: int) -> int:
    """Return from when on: now, so that a renewal is known for the newer, where the clock fits."""
    fits = wall_ms >= own.not_before_ms and not 0 < ends_ms <= wall_ms
    return wall_ms if fits else own.not_before_ms


def held_already(ledger: Ledger, statement: SignedStatement) -> bool:
    """Whether a certificate stands here already."""
    subject = DeviceId(unpack(Certificate, statement.body).subject)
    name = statement_hash(statement)
    return any(held == name for held, _ in ledger.authority.roster.certificates(subject))
