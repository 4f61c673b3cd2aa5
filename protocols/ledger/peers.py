"""What is known of other devices' books: who holds what, and since when.

Kept in memory and written with the next transaction: after a crash we know a little less of what
others hold, never more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from protocols.ids import DeviceId, Epoch, ScopeId
from protocols.ledger.authority import Authority
from protocols.ledger.chain import Chain, FeedState
from protocols.ledger.store import Store
from protocols.trust.receipts import Receipt, newer, open_receipt

ReceiptPlace = tuple[DeviceId, Epoch, ScopeId]
"""Of whom, of which life of it, and about which scope: zero for all that everybody may carry."""
RECEIPT_EPOCHS_MAX = 4
"""Epochs of one giver whose receipts are kept: a card, its copy, and what they began anew."""


@dataclass(slots=True)
class Peer:
    """One other device this book has met."""

    device: DeviceId
    agree: bytes = b""
    """Its X25519 key as proved; lets the next handshake be the short one."""
    address: str = ""
    """Where it answered last; '' when it only ever dialled us."""
    epoch: Epoch = field(default_factory=Epoch.zero)
    they_hold: int = 0
    """It holds everything of ours up to this arrival number of ours."""
    we_hold: int = 0
    """We hold everything of it up to this arrival number of its epoch."""
    last_contact_ms: int = 0
    """When it greeted last or, at HQ, was seen to be linked still."""
    whole_ms: int = 0
    """When all that it had was here last, by our clock; 0 = not known. A link alone proves nothing:
    it may end before anything came over it."""
    held: dict[int, int] = field(default_factory=dict)
    """Local feed number → seq it acknowledged."""
    clock_ahead_ms: int | None = None
    """How far its clock was ahead of ours as it last greeted; None = it never did."""
    covers: set[bytes] = field(default_factory=set)
    """Scopes that `they_hold` speaks of: those it could hold, and was told of, all along."""


class PeerBook:
    """All peers, and the newest receipts of everybody."""

    def __init__(self, store: Store, authority: Authority, before: PeerBook | None = None) -> None:
        self._store = store
        self._authority = authority
        self._own = authority.device
        self._name_of = authority.name_of
        self._dirty: set[DeviceId] = set()
        self.newly_met = False
        """Whether somebody was met for the first time since things were last written down."""
        self._fresh_receipts: dict[ReceiptPlace, tuple[Receipt, bytes]] = {}
        self._fresh_held: dict[tuple[DeviceId, int], int] = {}
        self._gone_receipts: list[tuple[DeviceId, Epoch]] = []
        self._fresh_covers: list[tuple[DeviceId, bytes]] = []
        self._taken_back: set[tuple[DeviceId, Epoch]] = set()
        """Lives of givers that were met in another one since: who has not heard may still carry
        their receipts."""
        self.all: dict[DeviceId, Peer] = {}
        for device, agree, address, epoch, they, we, contact, ahead, whole in store.all(
            "SELECT device, agree, address, epoch, they_hold, we_hold, last_contact_ms,"
            " clock_ahead_ms, whole_ms FROM peer"
        ):
            peer = Peer(DeviceId(device), agree, address, Epoch(epoch), they, we, contact)
            peer.clock_ahead_ms, peer.whole_ms = ahead, whole
            self.all[peer.device] = peer
        for device, feed, seq in store.all("SELECT device, feed, seq FROM held"):
            if device in self.all:
                self.all[DeviceId(device)].held[feed] = seq
        for device, scope in store.all("SELECT device, scope FROM covered"):
            if device in self.all:
                self.all[DeviceId(device)].covers.add(scope)
        self.receipts: dict[ReceiptPlace, tuple[Receipt, bytes]] = {}
        for about, raw in store.all("SELECT about, statement FROM receipt"):
            receipt = open_receipt(raw)
            self.receipts[receipt.giver, receipt.epoch, ScopeId(about)] = (receipt, raw)
        if before is not None:
            self._remember(before)
        # A power cut may have come before those let in were written down.
        unmet = {*authority.roster.members()} - self.all.keys()
        self.introduce(authority.member_devices(unmet))

    def _remember(self, before: PeerBook) -> None:
        """Keep receipts that were not written down yet when the book was read anew.

        Who handed them has done so, and would hand them again only at the next greeting.
        """
        self._taken_back = before._taken_back
        for (giver, epoch, about), (receipt, raw) in before.receipts.items():
            kept = self.receipts.get((giver, epoch, about))
            if newer(receipt, kept[0] if kept else None):
                self.keep_receipt(receipt, raw, about)

    def meet(self, device: DeviceId, epoch: Epoch, wall_ms: int) -> Peer:
        """Return the peer, new or known; a new epoch of it starts what we hold of it afresh."""
        peer = self.all.setdefault(device, Peer(device))
        if peer.epoch != epoch:
            peer.epoch, peer.we_hold = epoch, 0
            # Another life of it may be a copy from before it was told of some scope.
            self.uncover(device, set(peer.covers))
            self._begin_epoch(device, epoch)
        self.newly_met |= not peer.last_contact_ms
        peer.last_contact_ms = max(wall_ms, 0)
        self._dirty.add(device)
        return peer

    def note_whole(self, device: DeviceId, wall_ms: int) -> None:
        """All that a peer has is here at this moment; of a sealed one nothing of it counts."""
        peer = self._peer(device)
        if not self._authority.roster.cut(device, peer.epoch):
            peer.whole_ms = max(wall_ms, 0)
            self._dirty.add(device)

    def note_linked(self, device: DeviceId, wall_ms: int) -> None:
        """A peer is linked at this moment."""
        self._peer(device).last_contact_ms = max(wall_ms, 0)
        self._dirty.add(device)

    def doubt_book(self, device: DeviceId, epoch: Epoch, arrival: int) -> None:
        """A peer that has numbered less than we hold of it lost entries: start afresh with it."""
        peer = self.all.get(device)
        if peer is not None and peer.epoch == epoch and arrival < peer.we_hold:
            peer.we_hold = 0
            self._dirty.add(device)

    def introduce(self, devices: Iterable[DeviceId]) -> None:
        """Know of members before they are met, and write their names down anew."""
        for device in devices:
            if device != self._own:
                self.all.setdefault(device, Peer(device))
                self._dirty.add(device)

    def note_address(self, device: DeviceId, agree: bytes, address: str) -> None:
        """Keep where and under which key a peer answers."""
        peer = self._peer(device)
        peer.agree, peer.address = agree, address or peer.address
        self._dirty.add(device)

    def note_held_of(self, device: DeviceId, epoch: Epoch, upto: int) -> None:
        """We durably hold everything of a peer up to its arrival number in this epoch.

        What another epoch says, a copy of that device, counts in other numbers and is let go.
        """
        peer = self._peer(device)
        if peer.epoch == epoch and upto > peer.we_hold:
            peer.we_hold = upto
            self._dirty.add(device)

    def note_holds_all(self, device: DeviceId, upto: int) -> None:
        """A peer says it holds everything of ours up to our arrival number."""
        self._peer(device).they_hold = upto
        self._dirty.add(device)

    def note_covers(self, device: DeviceId, scopes: Iterable[bytes]) -> None:
        """What a peer acknowledges speaks of these scopes too from now on."""
        covers = self._peer(device).covers
        fresh = [bytes(scope) for scope in scopes if scope not in covers]
        covers.update(fresh)
        self._fresh_covers += [(device, scope) for scope in fresh]
        self._dirty.add(device)

    def uncover(self, device: DeviceId, scopes: Iterable[bytes]) -> None:
        """What a peer acknowledges speaks of these scopes no longer; durable on return."""
        peer = self._peer(device)
        gone = [(device, bytes(scope)) for scope in scopes if scope in peer.covers]
        if not gone:
            return
        peer.covers -= {scope for _, scope in gone}
        self._fresh_covers = [each for each in self._fresh_covers if each not in gone]
        with self._store.atomic():
            self._store.executemany("DELETE FROM covered WHERE device = ? AND scope = ?", gone)

    def spoken_for(self, device: DeviceId, feed: FeedState) -> int:
        """Arrival number of ours up to which a peer holds a feed, by its acknowledgements."""
        peer = self.all[device]
        return peer.they_hold if feed.genesis.scope in peer.covers else 0

    def note_holds(self, device: DeviceId, feed: int, seq: int) -> None:
        """A peer acknowledged a feed up to here."""
        held = self._peer(device).held
        if seq > held.get(feed, 0):
            held[feed] = self._fresh_held[device, feed] = seq
            self._dirty.add(device)

    def take_receipt(
        self,
        raw: bytes,
        about: Callable[[Receipt], ScopeId | None] = lambda _: ScopeId.zero(),
    ) -> Receipt | None:
        """Keep a receipt when it is news of a device we know of; return it then.

        Args:
            about: Says which scope it speaks of; None: that cannot be told here.

        Raises:
            PeerError: it is not a receipt that its giver signed.
        """
        receipt = open_receipt(raw)
        if receipt.giver == self._own or receipt.giver not in self.all:
            return None
        if (receipt.giver, receipt.epoch) in self._taken_back:
            return None
        scope = about(receipt)
        if scope is None:
            return None
        place = (receipt.giver, receipt.epoch, scope)
        kept = self.receipts.get(place)
        if not newer(receipt, kept[0] if kept else None):
            return None
        self.keep_receipt(receipt, raw, scope)
        self._forget_oldest(receipt.giver)
        return receipt if place in self.receipts else None

    def keep_receipt(self, receipt: Receipt, raw: bytes, about: ScopeId) -> None:
        """Keep a receipt as the newest of its giver, epoch and scope, our own included."""
        place = (receipt.giver, receipt.epoch, about)
        self.receipts[place] = self._fresh_receipts[place] = (receipt, raw)

    def _forget_oldest(self, giver: DeviceId) -> None:
        given: dict[Epoch, int] = {}
        for (device, epoch, _), (receipt, _) in self.receipts.items():
            if device == giver:
                given[epoch] = max(given.get(epoch, 0), receipt.given_ms)
        if len(given) > RECEIPT_EPOCHS_MAX:
            oldest = min(given, key=lambda epoch: (given[epoch], epoch))
            self._drop_receipts(giver, oldest)
            self._gone_receipts.append((giver, oldest))

    def _drop_receipts(self, giver: DeviceId, epoch: Epoch) -> None:
        for receipts in (self.receipts, self._fresh_receipts):
            for place in [each for each in receipts if each[:2] == (giver, epoch)]:
                del receipts[place]

    def _peer(self, device: DeviceId) -> Peer:
        """A peer that is linked; anew when a failed transaction took what was not written yet."""
        return self.all.setdefault(device, Peer(device))

    def holds(self, device: DeviceId, feed: FeedState) -> bool:
        """Whether a peer is known to hold a feed to its end."""
        peer, upto = self.all[device], self.spoken_for(device, feed)
        return all(tip.arrival <= upto or tip.seq <= peer.held.get(feed.no, 0) for tip in feed.tips)

    def said_to_hold(self, giver: DeviceId, chain: Chain, feed: FeedState) -> tuple[int, int]:
        """Return (seq, when) up to which the giver's newest receipt covers our branch of a feed."""
        held = [
            (head.seq, receipt.given_ms)
            for receipt in self.counting(giver, chain)
            for head in receipt.heads
            if head.feed == feed.feed_id and chain.prev_of(head.feed, head.seq, head.hash)
        ]
        return max(held, default=(0, 0))

    def counting(self, giver: DeviceId, chain: Chain) -> list[Receipt]:
        """Return the giver's newest receipts, one for each scope apart, of the life it is in.

        In a later life it took back what it said before: it may have lost its book. So it may when
        it is under a seal: what it holds is then in nobody's hands that we know of.
        """
        given = [
            receipt
            for (device, epoch, _), (receipt, _) in self.receipts.items()
            if device == giver
            and not self._superseded(giver, epoch, chain)
            and not self._authority.roster.cut(giver, epoch)
        ]
        if not given:
            return []
        life = max(given, key=lambda receipt: (receipt.given_ms, receipt.epoch)).epoch
        return [receipt for receipt in given if receipt.epoch == life]

    def _superseded(self, giver: DeviceId, epoch: Epoch, chain: Chain) -> bool:
        """Whether a later life of the giver is known by what it wrote there.

        A feed names what went before it in its scope and lane alone. Of others the clock says it:
        whoever begins a life goes on after all clocks in its book.
        """
        began: dict[bytes, int] = {}
        for feed in chain.feeds.values():
            if feed.genesis.device == giver:
                row = self._store.one(
                    "SELECT clock FROM entry WHERE feed = ? AND seq = 1 LIMIT 1", (feed.no,)
                )
                life, clock = bytes(feed.genesis.epoch), row[0] if row else 0
                began[life] = min(began.get(life, clock), clock)
        if epoch not in began or len(began) == 1:
            return False
        return max(began.values()) > began[epoch] or chain.superseded(giver, epoch)

    @property
    def dirty(self) -> bool:
        """Whether there is something to write down."""
        return bool(self._dirty or self._fresh_receipts or self._fresh_held)

    def flush(self) -> None:
        """Write down what changed. Inside a transaction."""
        dirty, self._dirty, self.newly_met = self._dirty, set(), False
        fresh, self._fresh_receipts = self._fresh_receipts, {}
        held, self._fresh_held = self._fresh_held, {}
        self._store.executemany(
            "INSERT OR REPLACE INTO peer (device, name, agree, address, epoch, they_hold,"
            " we_hold, last_contact_ms, clock_ahead_ms, whole_ms) VALUES (?,?,?,?,?,?,?,?,?,?)",
            [self._row_of(self.all[device]) for device in dirty],
        )
        self._store.executemany(
            "INSERT OR REPLACE INTO held VALUES (?,?,?)",
            [(*place, seq) for place, seq in held.items()],
        )
        covers, self._fresh_covers = self._fresh_covers, []
        self._store.executemany("INSERT OR REPLACE INTO covered VALUES (?,?)", covers)
        gone, self._gone_receipts = self._gone_receipts, []
        self._store.executemany("DELETE FROM receipt WHERE giver = ? AND epoch = ?", gone)
        self._store.executemany(
            "INSERT OR REPLACE INTO receipt VALUES (?,?,?,?,?)",
            [(*place, receipt.number, raw) for place, (receipt, raw) in fresh.items()],
        )

    def _row_of(self, peer: Peer) -> tuple[object, ...]:
        return (
            peer.device,
            self._name_of(peer.device),
            peer.agree,
            peer.address,
            peer.epoch,
            peer.they_hold,
            peer.we_hold,
            peer.last_contact_ms,
            peer.clock_ahead_ms,
            peer.whole_ms,
        )

    def _begin_epoch(self, giver: DeviceId, epoch: Epoch) -> None:
        """What a giver said in its earlier epochs is void: it may have lost what it held."""
        self._taken_back.discard((giver, epoch))
        for old in {each[1] for each in self.receipts if each[0] == giver and each[1] != epoch}:
            self._taken_back.add((giver, old))
            self._drop_receipts(giver, old)
            self._store.execute("DELETE FROM receipt WHERE giver = ? AND epoch = ?", (giver, old))
