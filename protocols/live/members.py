"""Calls of the local socket about who belongs: members, seals, and what seals keep back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from protocols.errors import InputError
from protocols.ids import DeviceId, EntryHash
from protocols.ledger import reading, sealing
from protocols.ledger.evidence import proof_of_fork
from protocols.ledger.sealing import SealOrder
from protocols.mesh.effects import Effect, Now
from protocols.mesh.node import Node
from protocols.trust.certificates import Rank
from protocols.trust.charter import Charter
from protocols.trust.control import SealReason
from protocols.trust.seals import Bound
from protocols.trust.standing import Standing

FORKS_MAX = 16
"""In one answer: a proof takes some ten kilobytes."""
ID_CHARS_MIN = 8
"""How much of an id names a member."""

Reader = Callable[[Node, Now, Mapping[str, Any]], object]
Doer = Callable[[Node, Now, Mapping[str, Any]], tuple[object, Sequence[Effect]]]


class SealLine(msgspec.Struct, frozen=True):
    """One seal on a member."""

    id: str
    reason: str
    """A `SealReason` in lower case, or its number when it is of later software."""
    since_ms: int
    feeds: int
    """How many feeds it names."""


class MemberLine(msgspec.Struct, frozen=True):
    """One device or person of the operation."""

    id: str
    name: str
    """'' when our keys do not open it."""
    org: str
    jurisdiction: str
    rank: str
    roles: tuple[str, ...]
    scopes: tuple[str, ...]
    here: bool
    """It is this device."""
    not_after_ms: int
    """0 = open."""
    sealed: str = ""
    """Why it may do nothing any more; '' when it may."""
    seals: tuple[SealLine, ...] = ()
    last_ms: int = 0
    """When it was last linked here, Unix milliseconds; 0 = never."""


class KeptLine(msgspec.Struct, frozen=True):
    """What one seal keeps back of one feed."""

    seal: str
    reason: str
    device: str
    name: str
    feed: str
    lane: int
    held: bool
    """The seal does not name the feed: a coordinator has to say whether it counts."""
    entries: int
    first_ms: int


class RefusedLine(msgspec.Struct, frozen=True):
    """A seal that does not count."""

    seal: str
    author: str
    author_name: str
    subject: str
    subject_name: str
    reason: str


class ForkLine(msgspec.Struct, frozen=True):
    """One feed of which a device wrote several histories."""

    feed: str
    device: str
    name: str
    lane: int
    branches: int
    proof: str
    """Hexadecimal; '' when no signature near the parting is kept. See `feeds.equivocation`."""


class Quarantine(msgspec.Struct, frozen=True):
    """What does not count because of a seal, and seals that do not count."""

    kept: tuple[KeptLine, ...]
    refused: tuple[RefusedLine, ...]


def members(node: Node, now: Now, args: Mapping[str, Any]) -> object:
    """Everybody with a certificate: this device first, then by organisation, rank and name."""
    authority = node.ledger.authority
    charter = authority.roster.charter
    lines = [_member(node, each, charter) for each in authority.roster.members()]
    return sorted(lines, key=lambda m: (not m.here, m.org, _rank_no(m.rank), m.name, m.id))


def quarantine(node: Node, now: Now, args: Mapping[str, Any]) -> object:
    """What seals keep back here, and seals that are refused."""
    authority = node.ledger.authority
    kept = [
        KeptLine(
            seal=str(each.seal),
            reason=reason_word(each.reason),
            device=str(each.device),
            name=authority.name_of(each.device),
            feed=str(each.feed.feed_id),
            lane=int(each.feed.genesis.lane),
            held=each.standing == Standing.HELD,
            entries=each.entries,
            first_ms=each.first_ms,
        )
        for each in sealing.kept_back(node.ledger)
    ]
    refused = [
        RefusedLine(
            str(each.seal),
            str(each.author),
            authority.name_of(each.author),
            str(each.subject),
            authority.name_of(each.subject),
            each.reason,
        )
        for each in authority.roster.refused_seals()
    ]
    return Quarantine(tuple(kept), tuple(refused))


def forks(node: Node, now: Now, args: Mapping[str, Any]) -> object:
    """Feeds that forked, each with the proof that its device wrote two histories."""
    return [
        ForkLine(
            feed=str(feed.feed_id),
            device=str(feed.genesis.device),
            name=node.ledger.authority.name_of(feed.genesis.device),
            lane=int(feed.genesis.lane),
            branches=len(feed.tips),
            proof=(proof_of_fork(node.ledger, feed) or b"").hex(),
        )
        for feed in reading.forks(node.ledger)[:FORKS_MAX]
    ]


def seal(node: Node, now: Now, args: Mapping[str, Any]) -> tuple[object, Sequence[Effect]]:
    """Seal a member: `member` (name or id), `reason`, `since_ms`, `roles`, `note`."""
    subject = member_named(node, _text(args, "member"))
    order = SealOrder(
        reason=_reason(_text(args, "reason")),
        since_ms=args.get("since_ms") if isinstance(args.get("since_ms"), int) else None,
        roles=tuple(_roles(node, args.get("roles") or ())),
        note=_text(args, "note") if args.get("note") else "",
    )
    effects = node.seal(subject, order, now)
    return _member(node, subject, node.ledger.authority.roster.charter), effects


def unseal(node: Node, now: Now, args: Mapping[str, Any]) -> tuple[object, Sequence[Effect]]:
    """Let through what a seal keeps back: `seal` (its id), `upto_ms`."""
    upto_ms = args.get("upto_ms")
    entry = EntryHash.parse(_text(args, "seal"))
    effects = node.extend_seal(entry, upto_ms if isinstance(upto_ms, int) else None, now)
    return quarantine(node, now, args), effects


READS: dict[str, Reader] = {"members": members, "quarantine": quarantine, "forks": forks}
DEEDS: dict[str, Doer] = {"seal": seal, "unseal": unseal}


def member_named(node: Node, said: str) -> DeviceId:
    """Return the one member of this name, or whose id begins so.

    Raises:
        InputError: `unknown_member`; `ambiguous` with those that fit.
    """
    authority = node.ledger.authority
    everybody = authority.roster.members()
    by_name = [each for each in everybody if authority.name_of(each).casefold() == said.casefold()]
    by_id = [each for each in everybody if len(said) >= ID_CHARS_MIN and str(each).startswith(said)]
    found = by_name or by_id
    if not found:
        raise InputError("unknown_member", field="member")
    if len(found) > 1:
        raise InputError("ambiguous", field="member", allowed=tuple(map(str, found[:9])))
    return found[0]


def reason_word(reason: int) -> str:
    """Return a seal's reason as people read it."""
    known = {int(each) for each in SealReason}
    return SealReason(reason).name.lower() if reason in known else f"#{reason}"


def _reason(word: str) -> SealReason:
    words = {each.name.lower(): each for each in SealReason}
    found = words.get(word.lower().replace("-", "_"))
    if found is None:
        raise InputError("bad_value", field="reason", allowed=tuple(words))
    return found


def _roles(node: Node, said: Sequence[object]) -> list[int]:
    charter = node.ledger.authority.roster.charter
    by_name = {role.name: role.number for role in charter.roles} if charter else {}
    for each in said:
        if each not in by_name:
            raise InputError("bad_value", field="roles", allowed=tuple(by_name))
    return [by_name[str(each)] for each in said]


def _member(node: Node, key: DeviceId, charter: Charter | None) -> MemberLine:
    authority = node.ledger.authority
    member = authority.roster.device(key)
    assert member is not None
    roles = {role.number: role.name for role in charter.roles} if charter else {}
    scopes = {scope.id: scope.name for scope in charter.scopes} if charter else {}
    peer = node.ledger.peers.all.get(key)
    return MemberLine(
        id=str(key),
        name=authority.name_of(key),
        org=member.org,
        jurisdiction=member.jurisdiction,
        rank=member.rank.name.lower(),
        roles=tuple(roles.get(each, f"#{each}") for each in sorted(member.roles)),
        scopes=tuple(scopes.get(each, "?") for each in sorted(member.scopes)),
        here=key == authority.device,
        not_after_ms=member.not_after_ms,
        sealed=reason_word(member.sealed) if member.sealed else "",
        seals=tuple(map(_seal, authority.roster.bounds(key))),
        last_ms=peer.last_contact_ms if peer else 0,
    )


def _seal(bound: Bound) -> SealLine:
    return SealLine(str(bound.seal), reason_word(bound.reason), bound.since_ms, len(bound.heads))


def _rank_no(word: str) -> int:
    return int(Rank[word.upper()])


def _text(args: Mapping[str, Any], name: str) -> str:
    value = args.get(name)
    if not isinstance(value, str) or not value.strip():
        raise InputError("missing_field", field=name)
    return value.strip()
