"""What a newcomer is to be, and whether whoever admits it may grant that: never more than its own.

Judged before anything is signed, by the very rule that every other node will judge it by.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from protocols.errors import InputError
from protocols.ids import OperationId
from protocols.trust.certificates import CERTIFICATE_VERSION, Authority, Certificate, Rank, refusal
from protocols.trust.charter import Charter, Sensitivity, lawful
from protocols.trust.terms import DEVICE_ROLE, HQ_ROLE, RELAY_ROLE

POSTS = ("device", "coordinator", "hq", "relay")
"""What a device may be admitted as."""
COORDINATOR_COUNT = 10_000
"""Certificates one coordinator may issue, renewals not counted."""
COORDINATOR_DEPTH = 1
SERIAL_MAX = 2**16 - 1

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody is asked to be admitted as."""

    post: str = "device"
    """One of `POSTS`."""
    roles: tuple[str, ...] = ()
    """By name; empty: as the post usually has them."""
    scopes: tuple[str, ...] = ()
    """By name; empty: all that the admitter has."""
    not_after_ms: int = 0
    """When it ends, Unix milliseconds; 0 = with the admitter's own right."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What a certificate will say beside whose it is."""

    rank: Rank
    roles: tuple[int, ...]
    scopes: tuple[bytes, ...]
    depth: int
    count: int
    not_before_ms: int
    not_after_ms: int

    def certificate(
        self,
        operation: OperationId,
        subject: bytes,
        agree: bytes,
        *,
        serial: int,
        sealed_name: bytes = b"",
    ) -> Certificate:
        """Return the certificate of one subject."""
        return Certificate(
            version=CERTIFICATE_VERSION,
            operation=bytes(operation),
            subject=bytes(subject),
            agree=agree,
            rank=int(self.rank),
            roles=self.roles,
            scopes=self.scopes,
            depth=self.depth,
            count=self.count,
            serial=serial,
            not_before_ms=self.not_before_ms,
            not_after_ms=self.not_after_ms,
            sealed_name=sealed_name,
        )


def offer(
    charter: Charter, operation: OperationId, authorities: Iterable[Authority], wish: Wish
) -> Offer:
    """Return what whoever holds these authorities may grant of a wish.

    Raises:
        InputError: `may_not_admit`; `unknown_post`, `unknown_role`, `unknown_scope`; one of
            `certificates.REFUSALS` when it is more than the admitter may give.
    """
    if wish.post not in POSTS:
        raise InputError("unknown_post", field="as", allowed=POSTS)
    roles = _named({role.name: role.number for role in charter.roles}, wish.roles, "unknown_role")
    scopes = _named(
        {scope.name: scope.id for scope in charter.scopes}, wish.scopes, "unknown_scope"
    )
    able = sorted(
        (each for each in authorities if each.rank <= Rank.COORDINATOR),
        key=lambda each: (each.rank, each.root),
    )
    reasons = []
    for authority in able:
        made = _offer(authority, wish, roles, scopes or _usual(charter, authority, wish.post))
        # Any subject and the lowest number: whether the count is used up shows when it is given.
        probe = made.certificate(operation, bytes(32), b"", serial=1)
        reason = refusal(authority, probe, operation)
        if not reason:
            return made
        reasons.append(reason)
    raise InputError(reasons[0] if reasons else "may_not_admit")


def _offer(
    authority: Authority, wish: Wish, roles: Sequence[int], scopes: Sequence[bytes]
) -> Offer:
    coordinates = wish.post in ("coordinator", "hq")
    usual = {
        "device": {DEVICE_ROLE},
        "coordinator": set(authority.roles - {HQ_ROLE}),
        "hq": set(authority.roles | {HQ_ROLE}),
        "relay": set(authority.roles & {RELAY_ROLE}),
    }[wish.post]
    return Offer(
        rank=Rank.COORDINATOR if coordinates else Rank.DEVICE,
        roles=tuple(sorted(roles or usual)),
        scopes=tuple(sorted(scopes)),
        depth=COORDINATOR_DEPTH if coordinates else 0,
        count=COORDINATOR_COUNT if coordinates else 0,
        not_before_ms=authority.not_before_ms,
        not_after_ms=wish.not_after_ms or authority.not_after_ms,
    )


def _usual(charter: Charter, authority: Authority, post: str) -> list[bytes]:
    """The scopes that a post is given where none is named: a relay's none, else the admitter's.

    A device is not entrusted with protection by the way: where the charter does not say which roles
    read it, whoever admits the device has to name it.
    """
    if post == "relay":
        return []
    by_name = {
        scope.id
        for scope in charter.scopes
        if scope.sensitivity == Sensitivity.PROTECTION and not scope.readers and post == "device"
    }
    return [scope for scope in authority.scopes if scope not in by_name]


def _named(known: Mapping[str, Value], names: Sequence[str], code: str) -> list[Value]:
    for name in names:
        if name not in known:
            raise InputError(code, allowed=tuple(known))
    return [known[name] for name in dict.fromkeys(names)]


def entitled(charter: Charter, root: bytes) -> tuple[bytes, ...]:
    """The scopes that an organisation's devices may hold under its law; sorted by id."""
    org = charter.org_of(root)
    law = org.jurisdiction if org else ""
    return tuple(scope.id for scope in charter.scopes if lawful(scope, law))


def own_scope(
    charter: Charter, scopes: Iterable[bytes], jurisdiction: str, sensitivity: Sensitivity
) -> bytes | None:
    """The scope of one sensitivity that who is certified for several writes in, or None.

    Of several the one made for the writer's own law, then the one that the fewest laws share.
    """
    mine = frozenset(scopes)
    found = [
        scope for scope in charter.scopes if scope.sensitivity == sensitivity and scope.id in mine
    ]
    chosen = min(
        found,
        key=lambda each: (
            not lawful(each, jurisdiction),
            jurisdiction not in each.jurisdictions,
            len(each.jurisdictions),
            each.id,
        ),
        default=None,
    )
    return chosen.id if chosen else None


def root_serial(subject: bytes) -> int:
    """The number of what a root certifies: from the subject, for a root keeps no count."""
    digest = hashlib.blake2b(subject, digest_size=8, person=b"fm-serial-1").digest()
    return 1 + int.from_bytes(digest) % SERIAL_MAX
