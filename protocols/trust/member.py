"""One device as its standing certificates show it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from protocols.ids import DeviceId, KeyId
from protocols.trust.certificates import Rank, open_name
from protocols.trust.membership import Membership, cut
from protocols.trust.persons import shown_name


@dataclass(frozen=True, slots=True)
class Member:
    """What is known of one device through its standing certificates."""

    device: DeviceId
    name: str
    """'' when it has none that our keys open."""
    org: str
    jurisdiction: str
    root: bytes
    """Root key of its organisation: two of one name stay two."""
    rank: Rank
    """The highest it holds."""
    roles: frozenset[int]
    scopes: frozenset[bytes]
    agree: tuple[bytes, ...]
    """Its X25519 keys, those of the newest certificate first."""
    not_after_ms: int
    """When the last of its certificates ends, Unix milliseconds; 0 = open."""
    sealed: int = 0
    """The reason of a seal that ends all it may do, a `SealReason`; 0 = none."""


def member_of(
    membership: Membership, device: DeviceId, keys: Mapping[KeyId, bytes]
) -> Member | None:
    """Return what is known of a device; None while no certificate of it stands.

    Args:
        membership: Which certificates stand, as of now.
        device: Its id.
        keys: Scope keys that may open its name.
    """
    ways = membership.ways(device)
    if not ways:
        return None
    # Of a sealed device it still shows what it was.
    authorities = membership.authorities(device) or [each for each, _ in ways]
    seals = [bound.reason for _, way in ways for bound in way if cut((bound,), None)]
    certificates = membership.certificates(device)
    names = (
        shown_name(open_name(each.sealed_name, subject=device, keys=keys)) for each in certificates
    )
    highest = min(authorities, key=lambda each: (each.rank, each.root))
    org = membership.org(highest)
    ends = [authority.not_after_ms for authority in authorities]
    return Member(
        device=device,
        name=next(filter(None, names), ""),
        org=org.name,
        jurisdiction=org.jurisdiction,
        root=org.root,
        rank=highest.rank,
        roles=frozenset().union(*(each.roles for each in authorities)),
        scopes=frozenset().union(*(each.scopes for each in authorities)),
        agree=tuple(dict.fromkeys(each.agree for each in certificates if each.agree)),
        not_after_ms=max(ends) if all(ends) else 0,
        sealed=0 if membership.authorities(device) else max(seals, default=0),
    )
