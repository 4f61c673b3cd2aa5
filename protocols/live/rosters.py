"""Calls of the local socket behind the screens of trust: roster, scopes, what is kept apart.

What they answer is in `belonging`. Times are those of whoever wrote: a seal that has not come yet
cannot be known of, so everything here says how old it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from protocols.errors import InputError, LedgerError
from protocols.feeds.lane import Lane
from protocols.ids import DeviceId, ScopeId
from protocols.ledger import apart as ledger_apart
from protocols.ledger import persons, reading, sealing
from protocols.ledger.book import Ledger
from protocols.ledger.sealing import KeptBack
from protocols.live import members
from protocols.live.belonging import (
    ROSTER_MAX,
    Apart,
    ApartLine,
    Belonging,
    CoordinatorLine,
    ForkLine,
    KeptLine,
    MemberLine,
    OrgLine,
    RefusedLine,
    RosterLine,
    RosterPage,
    ScopeLine,
    ScopePeer,
    SealLook,
)
from protocols.live.members import (
    Reader,
    links_refused,
    member_line,
    member_named,
    reason_word,
    refused_line,
)
from protocols.mesh.effects import Now
from protocols.mesh.node import Node
from protocols.trust.certificates import Rank
from protocols.trust.charter import Scope, Sensitivity
from protocols.trust.fingerprint import fingerprint, spoken
from protocols.trust.standing import Standing

ASK_MAX = 4
"""Of those who could seal somebody, so many are named."""
PEERS_MAX = 24
"""Devices named at one scope."""
FORKS_MAX = 64


@dataclass(frozen=True)
class _Known:
    """What one answer looks up again and again."""

    node: Node

    @property
    def ledger(self) -> Ledger:
        return self.node.ledger

    @cached_property
    def linked(self) -> frozenset[DeviceId]:
        return frozenset(self.node.linked)

    @cached_property
    def known_ms(self) -> dict[DeviceId, int]:
        """When the newest entry held of each device says it was written."""
        return self._newest(lambda lane: True)

    @cached_property
    def control_ms(self) -> dict[DeviceId, int]:
        """The same of control records alone."""
        return self._newest(lambda lane: lane == Lane.CONTROL)

    def _newest(self, wanted: Any) -> dict[DeviceId, int]:
        found: dict[DeviceId, int] = {}
        for feed, tip in self.ledger.chain.heads():
            if wanted(feed.genesis.lane):
                device = feed.genesis.device
                found[device] = max(found.get(device, 0), tip.clock >> 16)
        return found

    @cached_property
    def coordinators(self) -> list[DeviceId]:
        """Who certifies and seals, sealed ones too: by organisation, rank and name."""
        roster = self.ledger.authority.roster
        found = [
            (member.org, int(member.rank), self.name(key), key)
            for key in roster.members()
            if (member := roster.device(key)) is not None and member.rank <= Rank.COORDINATOR
        ]
        return [key for *_, key in sorted(found)]

    def name(self, key: DeviceId) -> str:
        return self.ledger.authority.name_of(key)

    def shown(self, key: DeviceId) -> str:
        return self.name(key) or str(key)[:16]

    def last_ms(self, key: DeviceId) -> int:
        peer = self.ledger.peers.all.get(key)
        return peer.last_contact_ms if peer else 0

    def why_not(self, key: DeviceId) -> str:
        """Why a seal by this device would not count."""
        authority = self.ledger.authority
        return authority.roster.why_not_seal(authority.device, key)

    def ask(self, key: DeviceId) -> tuple[str, ...]:
        """Who else could seal it."""
        roster = self.ledger.authority.roster
        able = (each for each in self.coordinators if not roster.why_not_seal(each, key))
        return tuple(self.shown(each) for each, _ in zip(able, range(ASK_MAX), strict=False))


def belonging(node: Node, now: Now, args: Mapping[str, Any]) -> Belonging:
    """The operation, its organisations, coordinators and scopes, and how old all this is."""
    known, authority = _Known(node), node.ledger.authority
    charter = authority.roster.charter
    others = {
        device: at
        for device, at in known.control_ms.items()
        if device != authority.device and authority.roster.device(device) is not None
    }
    newest = max(others, key=lambda each: others[each], default=None)
    own = authority.roster.device(authority.device)
    return Belonging(
        operation=charter.name if charter else "",
        fingerprint=fingerprint(authority.operation),
        spoken=spoken(fingerprint(authority.operation)),
        orgs=tuple(_orgs(known)),
        coordinators=tuple(_coordinator(known, each) for each in known.coordinators),
        scopes=tuple(_scope(known, each) for each in (charter.scopes if charter else ())),
        control_ms=others[newest] if newest is not None else 0,
        control_from=known.shown(newest) if newest is not None else "",
        may_seal=any(not known.why_not(each) for each in authority.roster.members()),
        sealed=reason_word(own.sealed) if own and own.sealed else "",
    )


def roster(node: Node, now: Now, args: Mapping[str, Any]) -> RosterPage:
    """One page of everybody: this device first, then by organisation, rank and name."""
    known = _Known(node)
    text = str(args.get("text") or "").casefold().strip()
    offset = _number(args, "offset", 0)
    limit = min(_number(args, "limit", ROSTER_MAX), ROSTER_MAX)
    found = [each for each in members.listed(node) if _matches(each, text)]
    page = found[offset : offset + limit]
    return RosterPage(
        len(found), offset, tuple(_line(known, DeviceId.parse(each.id)) for each in page)
    )


def seal_look(node: Node, now: Now, args: Mapping[str, Any]) -> SealLook:
    """What sealing a member would do: args member, since_ms.

    Raises:
        InputError: `unknown_member`, `ambiguous`.
    """
    known = _Known(node)
    key = member_named(node, members.text_of(args, "member"))
    since_ms = args.get("since_ms")
    feeds = sealing.feeds_of(node.ledger, key)
    own = all(feed.genesis.device == key for feed in feeds)
    line = _line(known, key)
    return SealLook(
        member=line,
        feeds=len(feeds),
        entries=sum(feed.seq for feed in feeds) if own else -1,
        later=_later(node.ledger, feeds, since_ms) if own else -1,
        roles=line.roles,
    )


def apart(node: Node, now: Now, args: Mapping[str, Any]) -> Apart:
    """Everything that is here and does not count, with the reason."""
    known, ledger = _Known(node), node.ledger
    authors, more = ledger_apart.apart(ledger)
    return Apart(
        kept=tuple(_kept(known, each) for each in sealing.kept_back(ledger)),
        seals=tuple(_refused(known)),
        authors=tuple(_author(known, each) for each in authors),
        forks=tuple(
            ForkLine(
                feed=str(feed.feed_id),
                device=str(feed.genesis.device),
                name=known.name(feed.genesis.device),
                lane=int(feed.genesis.lane),
                branches=len(feed.tips),
                proof="",
            )
            for feed in reading.forks(ledger)[:FORKS_MAX]
        ),
        more=more,
        links=links_refused(node),
    )


READS: dict[str, Reader] = {
    "belonging": belonging,
    "roster": roster,
    "seal_look": seal_look,
    "apart": apart,
}


def _orgs(known: _Known) -> Iterator[OrgLine]:
    authority = known.ledger.authority
    charter = authority.roster.charter
    own = authority.roster.device(authority.device)
    everybody = [
        (key, member)
        for key in authority.roster.members()
        if (member := authority.roster.device(key)) is not None
    ]
    for org in charter.orgs if charter else ():
        theirs = [(key, member) for key, member in everybody if member.root == org.root]
        keys = [key for key, _ in theirs]
        print_of = fingerprint(org.root)
        yield OrgLine(
            name=org.name,
            jurisdiction=org.jurisdiction,
            fingerprint=print_of,
            spoken=spoken(print_of),
            ours=own is not None and own.root == org.root,
            devices=sum(member.rank != Rank.PERSON for _, member in theirs),
            persons=sum(member.rank == Rank.PERSON for _, member in theirs),
            sealed=sum(bool(member.sealed) for _, member in theirs),
            control_ms=max((known.control_ms.get(key, 0) for key in keys), default=0),
            known_ms=max((known.known_ms.get(key, 0) for key in keys), default=0),
            last_ms=max(map(known.last_ms, keys), default=0),
        )


def _coordinator(known: _Known, key: DeviceId) -> CoordinatorLine:
    authority = known.ledger.authority
    member = authority.roster.device(key)
    assert member is not None
    return CoordinatorLine(
        id=str(key),
        name=known.name(key),
        org=member.org,
        rank=member.rank.name.lower(),
        here=key == authority.device,
        linked=key in known.linked,
        sealed=reason_word(member.sealed) if member.sealed else "",
        control_ms=known.control_ms.get(key, 0),
        known_ms=known.known_ms.get(key, 0),
        last_ms=known.last_ms(key),
    )


def _scope(known: _Known, terms: Scope) -> ScopeLine:
    authority, scope = known.ledger.authority, ScopeId(terms.id)
    charter = authority.roster.charter
    names = {role.number: role.name for role in charter.roles} if charter else {}
    readers = {device for device, _ in authority.roster.readers(scope)}
    peers = [
        each
        for each in authority.member_devices()
        if each != authority.device and (each in known.linked or known.last_ms(each))
    ]
    peers.sort(key=lambda each: (each not in known.linked, -known.last_ms(each), each))
    own = authority.roster.device(authority.device)
    return ScopeLine(
        id=str(scope),
        name=terms.name,
        sensitivity=Sensitivity(terms.sensitivity).name.lower(),
        jurisdictions=terms.jurisdictions,
        may_leave=terms.leaves,
        readers=tuple(names.get(number, f"#{number}") for number in terms.readers),
        reading=len(readers),
        writes=own is not None and terms.id in own.scopes,
        reads=_has_key(known.ledger, scope),
        peers=tuple(_scope_peer(known, each, scope, readers) for each in peers[:PEERS_MAX]),
    )


def _scope_peer(
    known: _Known, device: DeviceId, scope: ScopeId, readers: set[DeviceId]
) -> ScopePeer:
    authority = known.ledger.authority
    member = authority.roster.device(device)
    assert member is not None
    gets = "reads" if device in readers else "carries"
    return ScopePeer(
        device=str(device),
        name=known.name(device),
        org=member.org,
        jurisdiction=member.jurisdiction,
        linked=device in known.linked,
        gets=gets if authority.roster.may_hold(device, scope) else "nothing",
    )


def _has_key(ledger: Ledger, scope: ScopeId) -> bool:
    try:
        ledger.authority.write_key(scope)
    except LedgerError:
        return False
    return True


def _line(known: _Known, key: DeviceId) -> RosterLine:
    plain = member_line(known.node, key)
    why_not = known.why_not(key)
    print_of = fingerprint(key)
    profile = persons.profile_of(known.ledger, key) if plain.rank == "person" else None
    return RosterLine(
        **{name: getattr(plain, name) for name in plain.__struct_fields__},
        linked=key in known.linked,
        profession=profile.profession if profile else "",
        fingerprint=print_of,
        spoken=spoken(print_of),
        known_ms=known.known_ms.get(key, 0),
        why_not=why_not,
        ask=known.ask(key) if why_not else (),
    )


def _matches(line: MemberLine, text: str) -> bool:
    said = (line.name, line.org, line.rank, line.jurisdiction, *line.roles)
    return not text or any(text in each.casefold() for each in said)


def _kept(known: _Known, each: KeptBack) -> KeptLine:
    authority = known.ledger.authority
    member, why_not = authority.roster.device(each.device), known.why_not(each.device)
    bounds = authority.roster.bounds(each.device)
    return KeptLine(
        seal=str(each.seal),
        reason=reason_word(each.reason),
        device=str(each.device),
        name=known.name(each.device),
        feed=str(each.feed.feed_id),
        lane=int(each.feed.genesis.lane),
        held=each.standing == Standing.HELD,
        entries=each.entries,
        first_ms=each.first_ms,
        org=member.org if member else "",
        since_ms=next((bound.since_ms for bound in bounds if bound.seal == each.seal), 0),
        why_not=why_not,
        ask=known.ask(each.device) if why_not else (),
    )


def _refused(known: _Known) -> Iterator[RefusedLine]:
    for each in known.ledger.authority.roster.refused_seals():
        yield refused_line(known.node, each)


def _author(known: _Known, each: ledger_apart.Apart) -> ApartLine:
    author = each.author
    member = known.ledger.authority.roster.device(author.device)
    return ApartLine(
        device=str(author.device),
        device_name=author.device_name,
        org=member.org if member else "",
        person=str(author.person) if author.person else "",
        person_name=author.name,
        standing=int(each.standing),
        entries=each.entries,
        newest_ms=each.newest_ms,
    )


def _later(ledger: Ledger, feeds: Sequence[Any], since_ms: object) -> int:
    if not isinstance(since_ms, int):
        return 0
    marks = ",".join("?" * len(feeds))
    row = ledger.store.one(
        f"SELECT count(*) FROM entry WHERE feed IN ({marks}) AND clock >= ?",
        (*(feed.no for feed in feeds), max(since_ms, 0) << 16),
    )
    return int(row[0]) if row else 0


def _number(args: Mapping[str, Any], name: str, default: int) -> int:
    value = args.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise InputError("bad_line", field=f"args.{name}")
    return value
