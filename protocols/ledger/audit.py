"""The audit trail: items in the device's own control feed, listed from all feeds held.

What is audited is chained by the feed it stands in and travels with it: who takes an item out
breaks the chain, who writes another in its place forks it, and both are shown as that. Seals,
releases, erases and holds are control records themselves and are listed as what they are; an item
of the same kind right behind one says in which session it was written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import msgspec

from protocols.errors import LedgerError, PeerError
from protocols.feeds.lane import Lane
from protocols.ids import DeviceId, Epoch, FeedId, KeyId, PatientId
from protocols.ledger.book import Ledger
from protocols.ledger.chain import FeedState
from protocols.ledger.writing import Written
from protocols.trust.audit import Detail, What, open_detail, seal_detail
from protocols.trust.control import (
    AUDIT_ITEMS_MAX,
    Audit,
    AuditItem,
    Erase,
    Hold,
    Release,
    Seal,
    decode_control,
)

INSTANT_MAX = 2**48 - 1
COUNT_MAX = 2**32 - 1
NONCE_BYTES = 24
BATCH_MS = 15_000
"""What need not stand before it happens is written at most this often: a list of guessed
passphrases is one item with a count, not a feed of its own."""
WAITING_MAX = 256
"""Different events that wait; more come only where the disk takes nothing for long."""
LINES_MAX = 200
"""Lines of the trail in one answer."""

Entropy = Callable[[int], bytes]

_RECORDS: Mapping[type, What] = {
    Seal: What.SEAL,
    Erase: What.ERASE,
    Release: What.RELEASE,
    Hold: What.HOLD,
}
_FIRST_BYTES = (9, 10, 11, 12, 13)
"""Numbers of the control records that belong in the trail."""
_KEYS_BYTES = (4, 5)
"""Numbers of a rotation and its envelopes: a seal brings them with it."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing done, or about to be."""

    what: What
    at_ms: int
    """Wall clock, Unix milliseconds."""
    detail: Detail = field(default_factory=Detail)
    session: int = 0
    """Seq of the attestation in this epoch's control feed; 0 = nobody identified."""

    def again(self, times: int) -> Event:
        """Return it as having happened that many times more."""
        count = min(self.detail.count + times, COUNT_MAX)
        return replace(self, detail=msgspec.structs.replace(self.detail, count=count))

    @property
    def alike(self) -> tuple[object, ...]:
        """Events with this in common are one that happened several times."""
        return self.what, self.session, msgspec.structs.replace(self.detail, count=0)


def write(ledger: Ledger, events: Sequence[Event], wall_ms: int, entropy: Entropy) -> list[Written]:
    """Write items into our control feed. Inside the caller's `atomic`: durable with it.

    Without a key to seal with, as between joining and the first envelope, an item says what was
    done and when, and its detail is lost: nothing of a patient is ever written in clear.
    """
    author, sealing = ledger.authority.device, _sealing(ledger)
    items = [_item(event, author, sealing, entropy) for event in events]
    return [
        ledger.write_control(Audit(tuple(items[start : start + AUDIT_ITEMS_MAX])), wall_ms)
        for start in range(0, len(items), AUDIT_ITEMS_MAX)
    ]


def _item(
    event: Event, author: DeviceId, sealing: tuple[KeyId, bytes] | None, entropy: Entropy
) -> AuditItem:
    at_ms = min(max(event.at_ms, 0), INSTANT_MAX)
    item = AuditItem(int(event.what), at_ms, event.session)
    if sealing is None:
        return item
    sealed = seal_detail(event.detail, author, item, sealing, entropy(NONCE_BYTES))
    return AuditItem(item.what, item.at_ms, item.session, sealed)


def _sealing(ledger: Ledger) -> tuple[KeyId, bytes] | None:
    try:
        _, key_id, key = ledger.authority.writable_scope()
    except LedgerError:
        return None
    return key_id, key


class Waiting:
    """Events that are written together, soon; the same one again only counts up."""

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._tried_ms = -BATCH_MS

    @property
    def all(self) -> tuple[Event, ...]:
        """What waits, in its order."""
        return tuple(self._events)

    def add(self, event: Event) -> None:
        """Take one event; beyond `WAITING_MAX` it is one more of the last."""
        for at, held in enumerate(self._events):
            if held.alike == event.alike:
                self._events[at] = held.again(event.detail.count)
                return
        if len(self._events) < WAITING_MAX:
            self._events.append(event)
        else:
            self._events[-1] = self._events[-1].again(event.detail.count)

    def due_ms(self) -> int | None:
        """When they have to be written, on the clock of `tried`; None: there are none.

        The first after a pause at once, so that a plug that is pulled takes none away.
        """
        return self._tried_ms + BATCH_MS if self._events else None

    def tried(self, mono_ms: int) -> None:
        """Note that writing them was tried now."""
        self._tried_ms = mono_ms

    def forget_sessions(self) -> None:
        """Leave out whose session it was: the number means another epoch's."""
        self._events = [replace(event, session=0) for event in self._events]

    def clear(self) -> None:
        """Forget what is written."""
        self._events.clear()


# Listing


@dataclass(frozen=True, slots=True)
class Asked:
    """Which lines of the trail; what is left as it is leaves nothing out."""

    since_ms: int = 0
    until_ms: int = INSTANT_MAX
    what: frozenset[int] = frozenset()
    person: str = ""
    """Part of a person's or an account's name."""
    device: str = ""
    """A printed device id, or part of a device's name."""


@dataclass(frozen=True, slots=True)
class Line:
    """One thing done, as the trail says it."""

    at_ms: int
    """By the clock of the device that wrote it."""
    what: int
    device: DeviceId
    device_name: str
    org: str
    person: DeviceId | None
    """Whom the session names."""
    person_name: str
    detail: Detail | None
    """None where it is sealed to others, or was never written."""
    feed: FeedId
    seq: int
    entry: bytes
    forked: bool
    """The feed has another branch: somebody wrote its history twice."""


@dataclass(frozen=True, slots=True)
class Trail:
    """The control feed of one life of a device: how much of it is here, and whether it is whole."""

    device: DeviceId
    device_name: str
    org: str
    epoch: Epoch
    held: int
    """Control entries here, from the first on: a chain has no holes."""
    known: int
    """Control entries that others have signed to hold, or that a later life of it names."""
    forked: bool
    unreadable: int
    """Entries whose body is missing or is no record."""
    newest_ms: int
    """When the newest entry held of the device, of any kind, says it was written."""

    @property
    def whole(self) -> bool:
        """Whether nothing of it is known to be missing or written twice."""
        return self.held >= self.known and not self.forked and not self.unreadable


def lines(ledger: Ledger, asked: Asked | None = None) -> Iterator[Line]:
    """Return the trail from all control feeds held, newest first."""
    asked = asked or Asked()
    found = [line for feed in _control_feeds(ledger) for line in _lines_of(ledger, feed)]
    found.sort(key=lambda line: (-line.at_ms, line.feed, -line.seq))
    return (line for line in found if _wanted(asked, line))


def trails(ledger: Ledger) -> list[Trail]:
    """Return every device's trail, with the age of what is known of it."""
    known = _known(ledger)
    newest: dict[DeviceId, int] = {}
    for feed, tip in ledger.chain.heads():
        device = feed.genesis.device
        newest[device] = max(newest.get(device, 0), tip.clock >> 16)
    unreadable = _unreadable(ledger)
    return [
        Trail(
            device=feed.genesis.device,
            device_name=ledger.authority.name_of(feed.genesis.device),
            org=_org(ledger, feed.genesis.device),
            epoch=feed.genesis.epoch,
            held=feed.seq,
            known=max(known.get(feed.feed_id, 0), feed.seq),
            forked=len(feed.tips) > 1,
            unreadable=unreadable.get(feed.no, 0),
            newest_ms=newest[feed.genesis.device],
        )
        for feed in _control_feeds(ledger)
        if feed.tips
    ]


def _control_feeds(ledger: Ledger) -> list[FeedState]:
    feeds = [f for f in ledger.chain.feeds.values() if f.genesis.lane == Lane.CONTROL]
    return sorted(feeds, key=lambda feed: (feed.genesis.device, feed.no))


def _known(ledger: Ledger) -> dict[bytes, int]:
    """How long feeds are said to be: by receipts, and by what a later life began with."""
    known: dict[bytes, int] = {}
    said = [head for receipt, _ in ledger.peers.receipts.values() for head in receipt.heads]
    begun = [head for feed in ledger.chain.feeds.values() for head in feed.genesis.earlier]
    for feed, seq in [(h.feed, h.seq) for h in said] + [(h.feed, h.seq) for h in begun]:
        known[feed] = max(known.get(feed, 0), seq)
    return known


def _unreadable(ledger: Ledger) -> dict[int, int]:
    rows = ledger.store.all(
        "SELECT e.feed, e.body FROM entry e JOIN feed f ON f.no = e.feed WHERE f.lane = ?",
        (int(Lane.CONTROL),),
    )
    found: dict[int, int] = {}
    for feed, body in rows:
        try:
            decode_control(body or b"")
        except PeerError:
            found[feed] = found.get(feed, 0) + 1
    return found


def _lines_of(ledger: Ledger, feed: FeedState) -> Iterator[Line]:
    wanted = (*_FIRST_BYTES, *_KEYS_BYTES)
    marks = ",".join("?" * len(wanted))
    rows = ledger.store.all(
        "SELECT seq, hash, clock, body FROM entry WHERE feed = ?"
        f" AND substr(body, 1, 1) IN ({marks}) ORDER BY seq, hash",
        (feed.no, *(bytes([number]) for number in wanted)),
    )
    bare: Line | None = None
    """A record of which no item has said yet in which session it was written."""
    last = 0
    """Where it stands, or the last of the new keys that a seal brings with it."""
    for seq, digest, clock, body in rows:
        if body[0] in _KEYS_BYTES:
            last = seq if seq == last + 1 else last
            continue
        record, place = _record(body), (seq, digest)
        what = _RECORDS.get(type(record))
        if not isinstance(record, Audit) and what is None:
            continue
        said: list[Line] = []
        if isinstance(record, Audit):
            said = [_line(ledger, feed, place, item) for item in record.items]
            if bare is not None and (bare.what, last + 1) == (said[0].what, seq):
                said[0], bare = replace(said[0], seq=bare.seq, entry=bare.entry), None
        if bare is not None:
            yield bare
        if what is not None:
            alone = _line(ledger, feed, place, AuditItem(int(what), clock >> 16, 0))
            bare, last = replace(alone, detail=Detail()), seq
        else:
            bare = None
        yield from said
    if bare is not None:
        yield bare


def _record(body: bytes) -> object:
    try:
        return decode_control(body)
    except PeerError:
        return None


def _line(ledger: Ledger, feed: FeedState, place: tuple[int, bytes], item: AuditItem) -> Line:
    device = feed.genesis.device
    person = _person(ledger, feed, item.session)
    return Line(
        at_ms=item.at_ms,
        what=item.what,
        device=device,
        device_name=ledger.authority.name_of(device),
        org=_org(ledger, device),
        person=person,
        person_name=ledger.authority.name_of(person) if person else "",
        detail=open_detail(item, device, ledger.authority.keyring.keys),
        feed=feed.feed_id,
        seq=place[0],
        entry=place[1],
        forked=len(feed.tips) > 1,
    )


def _person(ledger: Ledger, feed: FeedState, session: int) -> DeviceId | None:
    if not session:
        return None
    attested = ledger.store.all(
        "SELECT hash FROM entry WHERE feed = ? AND seq = ?", (feed.no, session)
    )
    for (digest,) in attested:
        named = ledger.authority.roster.person(
            feed.genesis.device, bytes(feed.genesis.epoch), (session, bytes(digest[:4]))
        )
        if named is not None:
            return named
    return None


def sits_here(ledger: Ledger, session: int) -> DeviceId | None:
    """Return whom a session of this device, in its present epoch, names; None for nobody's."""
    authority = ledger.authority
    for feed in _control_feeds(ledger):
        if (feed.genesis.device, feed.genesis.epoch) == (authority.device, authority.epoch):
            return _person(ledger, feed, session)
    return None


def _org(ledger: Ledger, device: DeviceId) -> str:
    member = ledger.authority.roster.device(device)
    return member.org if member else ""


def _wanted(asked: Asked, line: Line) -> bool:
    if not asked.since_ms <= line.at_ms < asked.until_ms:
        return False
    if asked.what and line.what not in asked.what:
        return False
    account = line.detail.account if line.detail else ""
    if asked.person and not _part(asked.person, (line.person_name, account)):
        return False
    return not asked.device or (
        asked.device == str(line.device) or _part(asked.device, (line.device_name,))
    )


def _part(text: str, names: Iterable[str]) -> bool:
    return any(text.casefold() in name.casefold() for name in names)


# Whose patient it is


def other_team(ledger: Ledger, patient: PatientId) -> tuple[str, ...]:
    """Return the organisations whose patient this is, when our own is none of them; else ().

    A patient is a team's whose organisation wrote about the patient: the organisation of the
    device that did. Who writes is the patient's carer and reads as one; who only reads is not.
    """
    own, _ = _team(ledger, ledger.authority.device)
    teams = dict(
        _team(ledger, DeviceId(device))
        for (device,) in ledger.store.all(
            "SELECT DISTINCT f.device FROM subject s JOIN document d ON d.subject = s.no"
            " JOIN strand t ON t.doc = d.no JOIN feed f ON f.no = t.feed WHERE s.id = ?",
            (bytes(patient),),
        )
    )
    return () if own in teams else tuple(sorted(teams.values()))


def _team(ledger: Ledger, device: DeviceId) -> tuple[bytes, str]:
    """The root key and the name of a device's organisation: two of one name stay two."""
    member = ledger.authority.roster.device(device)
    return (member.root, member.org) if member else (b"", "")


def team_devices(ledger: Ledger) -> frozenset[DeviceId]:
    """Return the devices of our own organisation, as far as they are known."""
    own, _ = _team(ledger, ledger.authority.device)
    members = ledger.authority.roster.members()
    ours = {each for each in members if own and _team(ledger, each)[0] == own}
    return frozenset(ours | {ledger.authority.device})
