"""Calls of the local socket about who belongs: members, seals, and what seals keep back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from protocols.errors import InputError
from protocols.ids import DeviceId, EntryHash
from protocols.ledger import reading, sealing
from protocols.ledger.audit import Event
from protocols.ledger.evidence import proof_of_fork
from protocols.ledger.sealing import SealOrder
from protocols.live.audited import event
from protocols.live.belonging import (
    ForkLine,
    KeptLine,
    LinkRefused,
    MemberLine,
    Quarantine,
    RefusedLine,
    SealLine,
)
from protocols.mesh.effects import Effect, Now
from protocols.mesh.node import Node
from protocols.trust.audit import What
from protocols.trust.certificates import Rank
from protocols.trust.control import SealReason
from protocols.trust.seals import Bound, Refused
from protocols.trust.standing import Standing

FORKS_MAX = 16
"""In one answer: a proof takes some ten kilobytes."""
ID_CHARS_MIN = 8
"""How much of an id names a member."""

Reader = Callable[[Node, Now, Mapping[str, Any]], object]
Doer = Callable[[Node, Now, Mapping[str, Any]], tuple[object, Sequence[Effect]]]


def members(node: Node, now: Now, args: Mapping[str, Any]) -> object:
    """Everybody with a certificate: this device first, then by organisation, rank and name.

    With `limit` so many at most, with `after` those that follow this id in the list.

    Raises:
        InputError: `unknown_member` when nobody has this id.
    """
    after, limit = args.get("after"), args.get("limit")
    lines = listed(node)
    first = 0
    if isinstance(after, str) and after:
        first = 1 + next((at for at, each in enumerate(lines) if each.id == after), -1)
        if not first:
            raise InputError("unknown_member")
    size = limit if isinstance(limit, int) and limit > 0 else len(lines)
    return lines[first : first + size]


def listed(node: Node) -> list[MemberLine]:
    """As `members`."""
    lines = [member_line(node, each) for each in node.ledger.authority.roster.members()]
    return sorted(lines, key=lambda m: (not m.here, m.org, _rank_no(m.rank), m.name, m.id))


def quarantine(node: Node, now: Now, args: Mapping[str, Any]) -> object:
    """What seals keep back here, seals that are refused, and why links were."""
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
    refused = tuple(refused_line(node, each) for each in authority.roster.refused_seals())
    return Quarantine(tuple(kept), refused, links_refused(node))


def links_refused(node: Node) -> tuple[LinkRefused, ...]:
    """Say why links were refused since the node was started, the latest first."""
    name_of = node.ledger.authority.name_of
    return tuple(
        LinkRefused(
            each.code,
            str(each.peer) if each.peer else "",
            name_of(each.peer) if each.peer else "",
            each.address,
            each.times,
            each.last_ms,
        )
        for each in node.refusals.all()
    )


def refused_line(node: Node, refused: Refused) -> RefusedLine:
    """Say of a seal that it does not count, and why."""
    name_of = node.ledger.authority.name_of
    return RefusedLine(
        str(refused.seal),
        str(refused.author),
        name_of(refused.author),
        str(refused.subject),
        name_of(refused.subject),
        refused.reason,
    )


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


def seal(
    node: Node, now: Now, args: Mapping[str, Any], *, session: int = 0, account: str = ""
) -> tuple[object, Sequence[Effect]]:
    """Seal a member: `member` (name or id), `reason`, `since_ms`, `roles`, `note`.

    Args:
        session: Who sits at the terminal; account: who is logged in at a page. The trail says it.
    """
    subject = member_named(node, text_of(args, "member"))
    order = SealOrder(
        reason=_reason(text_of(args, "reason")),
        since_ms=args.get("since_ms") if isinstance(args.get("since_ms"), int) else None,
        roles=tuple(_roles(node, args.get("roles") or ())),
        note=text_of(args, "note") if args.get("note") else "",
    )
    effects = node.seal(subject, order, now, said=_said(now, session, account))
    return member_line(node, subject), effects


def unseal(
    node: Node, now: Now, args: Mapping[str, Any], *, session: int = 0, account: str = ""
) -> tuple[object, Sequence[Effect]]:
    """Let through what a seal keeps back: `seal` (its id), `upto_ms`, `entries`.

    With `entries` nothing is let through unless that many are kept back, as somebody was shown.

    Raises:
        InputError: `kept_more` when it is another number by now; as `sealing.extend`.
    """
    upto_ms, shown = args.get("upto_ms"), args.get("entries")
    entry = EntryHash.parse(text_of(args, "seal"))
    if isinstance(shown, int):
        kept = sum(each.entries for each in sealing.kept_back(node.ledger) if each.seal == entry)
        if kept != shown:
            raise InputError("kept_more", field="entries")
    said = _said(now, session, account)
    upto = upto_ms if isinstance(upto_ms, int) else None
    effects = node.extend_seal(entry, upto, now, said=said)
    return quarantine(node, now, args), effects


def _said(now: Now, session: int, account: str) -> list[Event]:
    """What the trail says beside a seal: who it was, where anybody is known to have been."""
    known = session or account
    return [event(now, What.SEAL, session=session, account=account)] if known else []


READS: dict[str, Reader] = {"members": members, "quarantine": quarantine, "forks": forks}
DEEDS: dict[str, Callable[..., tuple[object, Sequence[Effect]]]] = {"seal": seal, "unseal": unseal}


def member_named(node: Node, said: str) -> DeviceId:
    """Return the one member of this name, or whose id begins so.

    Raises:
        InputError: `unknown_member`; `ambiguous` with those that fit.
    """
    authority = node.ledger.authority
    everybody = authority.roster.members()
    by_name = [each for each in everybody if authority.name_of(each).casefold() == said.casefold()]
    by_id = [each for each in everybody if len(said) >= ID_CHARS_MIN and str(each).startswith(said)]
    # A whole id is nobody's name, whatever somebody calls a device.
    found = [each for each in everybody if str(each) == said] or by_name or by_id
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


def member_line(node: Node, key: DeviceId) -> MemberLine:
    """Return what is known of a member."""
    authority = node.ledger.authority
    charter, member = authority.roster.charter, authority.roster.device(key)
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


def text_of(args: Mapping[str, Any], name: str) -> str:
    """Return a text of a call's arguments.

    Raises:
        InputError: `missing_field`.
    """
    value = args.get(name)
    if not isinstance(value, str) or not value.strip():
        raise InputError("missing_field", field=name)
    return value.strip()
