"""Who is entitled to a scope's keys: by role, by law, and by what seals leave of both."""

from __future__ import annotations

from collections.abc import Iterable

from protocols.ids import DeviceId
from protocols.trust.certificates import Authority, Rank
from protocols.trust.charter import Scope
from protocols.trust.control import Place
from protocols.trust.membership import Membership, cut


def readers(membership: Membership, terms: Scope) -> list[tuple[DeviceId, bytes]]:
    """Return every entitled device with its X25519 key, sorted."""
    return sorted(
        {
            (device, certificate.agree)
            for device in membership.subjects()
            if reads(membership, device, terms)
            for certificate in membership.certificates(device)
            if certificate.agree and terms.id in certificate.scopes
        }
    )


def reads(membership: Membership, device: bytes, terms: Scope) -> bool:
    """Whether a device is entitled to the keys of a scope now."""
    held = [(each, way) for each, way in membership.ways(device) if not cut(way, None)]
    left = [
        (each, each.roles.intersection(*(bound.roles for bound in way if bound.reduces)))
        for each, way in held
    ]
    return under_law(membership, (each for each, _ in held), terms) and any(
        terms.id in each.scopes and _role_reads(roles, terms) for each, roles in left
    )


def gave_at(membership: Membership, place: Place, terms: Scope) -> bool:
    """Whether the author of a control entry could give the keys of a scope when it wrote it.

    Envelopes of anybody else are opened where they open, and never taken to mean that their
    addressee has the key.
    """
    then = membership.authorities_at(place)
    return under_law(membership, then, terms) and any(
        terms.id in each.scopes
        and (each.rank <= Rank.COORDINATOR or _role_reads(each.roles, terms))
        for each in then
    )


def under_law(membership: Membership, held: Iterable[Authority], terms: Scope) -> bool:
    """Whether the law that one of these stands under is one that may hold the scope."""
    laws = {membership.org(each).jurisdiction for each in held}
    return not terms.jurisdictions or not laws.isdisjoint(terms.jurisdictions)


def _role_reads(roles: frozenset[int], terms: Scope) -> bool:
    return not terms.readers or not roles.isdisjoint(terms.readers)
