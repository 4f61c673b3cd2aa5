"""Receipts on their way: taken and carried on for others, given by HQ for what it holds."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from operator import itemgetter

from protocols.ids import DeviceId, EntryHash, Epoch, ScopeId
from protocols.ledger.authority import Authority
from protocols.ledger.book import Ledger
from protocols.ledger.chain import Chain
from protocols.mesh.effects import Changed, Now
from protocols.mesh.frames import Receipt as ReceiptFrame
from protocols.mesh.links import Switchboard
from protocols.mesh.session import Session
from protocols.trust.charter import Scope
from protocols.trust.receipts import Receipt, ReceiptHead, open_receipt, sign_receipt

RECEIPT_MS = 5_000
"""A giver of receipts signs at most one in this time."""
RECEIPT_SOON_MS = 100
REST_MS = 300_000
"""Whoever wrote nothing that is new in a receipt has it at most this much later. A receipt names
every feed: of ten devices linked to HQ nine would learn nothing of their own from each."""
NUMBERS_AN_ENTRY = 1 << 16
"""Receipts that may be signed of one state of the book, one for each scope apart."""
ASKED_KEPT = 8
"""Lists of feeds whose scopes are remembered: one that a peer sent is 30 kB at most."""
UNCLEAR_MAX = 8
"""Receipts that wait for what makes them clear, 65 kB each at most."""
RECEIPT_HEADS_MAX = 880
"""Heads in one receipt frame; the newest go first when there are more."""
_feed_of = itemgetter(ReceiptHead._fields.index("feed"))
"""Of a head: a receipt names every feed there is."""


class Receipts:
    """What this node does with receipts."""

    def __init__(self, ledger: Ledger, board: Switchboard) -> None:
        self._ledger = ledger
        self._board = board
        self._give_at: int | None = None
        """When to give the next one, monotonic milliseconds."""
        self._given_ms = -RECEIPT_MS
        self._rest_at: int | None = None
        """When those have the newest one whom it told nothing new of their own."""
        self._all_had_ms = -REST_MS
        self._without: set[DeviceId] = set()
        """Who they are."""
        self._brought: set[DeviceId] = set()
        """Who handed us what the next one will say: an author's own line may be dead, and nobody
        know it yet."""
        self._unclear: dict[tuple[DeviceId, Epoch, DeviceId], ReceiptFrame] = {}
        """Receipts whose giver or feeds are not known here yet, by who handed them."""
        self._known: tuple[Chain, int] | None = None
        self._scope_of: dict[bytes, ScopeId] = {}
        """The scopes of all feeds here as these name them: asked for at each receipt."""
        self._scopes_found: dict[bytes, set[ScopeId]] = {}
        """What was asked last, by the feeds one after another: one receipt names those of the
        last one."""
        self._judged_by: tuple[Authority, int] | None = None
        self._found_apart: dict[ScopeId, ScopeId | None] = {}
        """What `_apart` says, as long as nobody's rights change."""

    def take(self, source: DeviceId, frame: ReceiptFrame) -> None:
        """Keep what a peer brought when it is news, and carry it to whoever cannot have it yet."""
        receipt = self._ledger.peers.take_receipt(frame.statement, self._about)
        if receipt is None:
            self._put_off(source, frame)
            return
        self._board.effects.append(Changed(frozenset(("receipt",))))
        lacking = [
            other
            for other in self._board.sessions()
            if other.peer not in (source, receipt.giver) and receipt.giver not in other.links
        ]
        self._hand_out(receipt, frame, lacking)

    def _put_off(self, source: DeviceId, frame: ReceiptFrame) -> None:
        """Keep for a while what cannot be judged yet.

        A peer hands receipts before its entries, which may say who gave them or of what they are.
        """
        receipt = open_receipt(frame.statement)
        known = receipt.giver in self._ledger.peers.all and self._about(receipt) is not None
        if not known and receipt.giver != self._ledger.authority.device:
            self._unclear[receipt.giver, receipt.epoch, source] = frame
            if len(self._unclear) > UNCLEAR_MAX:
                del self._unclear[next(iter(self._unclear))]

    def look_again(self) -> None:
        """Entries came: take what could not be judged without them."""
        unclear, self._unclear = self._unclear, {}
        for (*_, source), frame in unclear.items():
            self.take(source, frame)

    @property
    def at_ms(self) -> int | None:
        """When something is due next, monotonic milliseconds."""
        if self._give_at is None or self._rest_at is None:
            return self._rest_at if self._give_at is None else self._give_at
        return min(self._give_at, self._rest_at)

    def carry_on(self, session: Session, lost: Collection[DeviceId]) -> None:
        """Hand a peer what we hold about its own feeds of givers that it was linked to.

        It was theirs to hand it, and their line may have been dead for a while.
        """
        feeds = self._ledger.chain.feeds
        for (giver, *_), (receipt, raw) in self._ledger.peers.receipts.items():
            if giver in lost and any(
                feed.genesis.device == session.peer
                for feed in map(feeds.get, map(_feed_of, receipt.heads))
                if feed is not None
            ):
                self._hand_out(receipt, ReceiptFrame(raw), [session])

    def start(self, now: Now) -> None:
        """Begin: a power cut may have come between taking something and saying so."""
        self._soon(now)

    def took(self, now: Now, source: DeviceId) -> None:
        """Something new is durably here: say so soon, if ours are the receipts that count."""
        if self._soon(now):
            self._brought.add(source)

    def _soon(self, now: Now) -> bool:
        """Give a receipt soon; whether ours count."""
        counts = self._ledger.authority.is_hq(self._ledger.authority.device)
        if counts and self._give_at is None:
            self._give_at = max(now.mono_ms + RECEIPT_SOON_MS, self._given_ms + RECEIPT_MS)
        return counts

    def tick(self, now: Now) -> None:
        """Give the receipt that is due, or the newest to whoever does not have it yet."""
        if self._give_at is not None and self._give_at <= now.mono_ms:
            self._give_at, self._given_ms = None, now.mono_ms
            self._give(now)
        if self._rest_at is not None and self._rest_at <= now.mono_ms:
            self._give_rest(now)

    def _give(self, now: Now) -> None:
        """Sign what we hold: in one receipt for everybody, and in one for each scope apart."""
        ledger = self._ledger
        device, epoch = ledger.authority.device, ledger.authority.epoch
        given = ledger.peers.receipts.items()
        own = [receipt for place, (receipt, _) in given if place[:2] == (device, epoch)]
        last = max((receipt.number for receipt in own), default=0)
        # After a power cut our last ones may not be written down: what is here orders them, it is.
        first = max(last + 1, ledger.chain.last_arrival * NUMBERS_AN_ENTRY)
        heads: dict[ScopeId, list[ReceiptHead]] = {}
        apart = {scope: self._apart(scope) for scope in self._scopes_of(ledger.chain.feeds)}
        # A whole hash has the id's length already.
        new = bytes.__new__
        for feed, tip in sorted(ledger.chain.heads(), key=lambda head: -head[1].arrival):
            if feed.feed_id in ledger.chain.hollow:
                continue
            about = apart[feed.genesis.scope]
            listed = heads.setdefault(about, []) if about is not None else []
            if len(listed) < RECEIPT_HEADS_MAX:
                listed.append(ReceiptHead(feed.feed_id, tip.seq, new(EntryHash, tip.hash)))
        signed: dict[ScopeId, tuple[Receipt, bytes]] = {}
        authors: set[DeviceId] = set()
        for number, about in enumerate(sorted(heads), first):
            receipt = Receipt(
                device, epoch, number, max(now.wall_ms, 0), tuple(sorted(heads[about]))
            )
            signed[about] = receipt, sign_receipt(receipt, ledger.authority.keys)
            authors |= self._authors_of_news(receipt, about)
            ledger.peers.keep_receipt(*signed[about], about)
        self._give_to_authors(now, list(signed.values()), authors)

    def _give_to_authors(
        self, now: Now, signed: Sequence[tuple[Receipt, bytes]], authors: set[DeviceId]
    ) -> None:
        """Hand receipts, all of one moment, to whom they tell news of their own; others wait.

        Nobody waits where an author is not linked and somebody has to carry it there, nor when
        all have waited long.
        """
        sessions, linked = self._board.sessions(), set(self._board.linked)
        if now.mono_ms >= self._all_had_ms + REST_MS:
            authors, self._all_had_ms = linked, now.mono_ms
        elif not authors <= linked:
            authors = linked
        authors = authors | self._brought
        self._brought = set()
        self._without = linked - authors
        self._rest_at = self._all_had_ms + REST_MS if self._without else None
        at_once = [each for each in sessions if each.peer in authors]
        for receipt, raw in signed:
            self._hand_out(receipt, ReceiptFrame(raw), at_once)

    def _authors_of_news(self, receipt: Receipt, about: ScopeId) -> set[DeviceId]:
        """Return the others who wrote what our last receipt did not say yet."""
        before = self._ledger.peers.receipts.get((receipt.giver, receipt.epoch, about))
        known = set(before[0].heads) if before else set()
        feeds = self._ledger.chain.feeds
        new = [head.feed for head in receipt.heads if head not in known]
        return {DeviceId(feeds[feed].genesis.device) for feed in new} - {receipt.giver}

    def _give_rest(self, now: Now) -> None:
        """Give the newest receipts to whoever does not have them."""
        life = self._ledger.authority.device, self._ledger.authority.epoch
        self._rest_at, self._all_had_ms = None, now.mono_ms
        waited = [each for each in self._board.sessions() if each.peer in self._without]
        self._without = set()
        for place, (receipt, raw) in self._ledger.peers.receipts.items():
            if place[:2] == life:
                self._hand_out(receipt, ReceiptFrame(raw), waited)

    def bring(self, session: Session) -> None:
        """Begin a session with the receipts of others, and our own of this life."""
        own = self._ledger.authority.device, self._ledger.authority.epoch
        for (giver, epoch, _), (receipt, raw) in self._ledger.peers.receipts.items():
            ours_now = giver != own[0] or epoch == own[1]
            if giver != session.peer and ours_now:
                self._hand_out(receipt, ReceiptFrame(raw), [session])

    def _hand_out(self, receipt: Receipt, frame: ReceiptFrame, sessions: Sequence[Session]) -> None:
        """Give a receipt to those of these peers who may know of every feed that it names."""
        scopes = self._scopes_of(map(_feed_of, receipt.heads)) if sessions else set()
        for session in sessions:
            if session.entitlement.may_hear_of(scopes):
                session.out.append(frame)

    def _about(self, receipt: Receipt) -> ScopeId | None:
        """Which scope a receipt speaks of, by the feeds in it that are known here."""
        known = [self._apart(scope) for scope in self._scopes_of(map(_feed_of, receipt.heads))]
        if not known and any(not scope.leaves for scope in self._scopes):
            return None
        return max((each for each in known if each is not None), default=ScopeId.zero())

    def _scopes_of(self, feeds: Iterable[bytes]) -> set[ScopeId]:
        """Return the scopes of these feeds as they name them: few, however many feeds."""
        chain = self._ledger.chain
        known = (chain, len(chain.feeds))
        if self._known != known:
            self._known = known
            self._scope_of = {each: feed.genesis.scope for each, feed in chain.feeds.items()}
            self._scopes_found.clear()
        feeds = [*feeds]
        asked = b"".join(feeds)
        found = self._scopes_found.get(asked)
        if found is None:
            scopes = set(map(self._scope_of.get, feeds))
            found = {scope for scope in scopes if scope is not None}
            if len(self._scopes_found) >= ASKED_KEPT:
                self._scopes_found.clear()
            self._scopes_found[asked] = found
        return found

    def _apart(self, named: ScopeId) -> ScopeId | None:
        """The scope of feeds that not everybody may carry; zero when all may, None when none."""
        authority = self._ledger.authority
        judged_by = (authority, authority.version)
        if self._judged_by != judged_by:
            self._judged_by = judged_by
            self._found_apart.clear()
        if named not in self._found_apart:
            scope = authority.scope_of(named)
            terms = next((each for each in self._scopes if each.id == scope), None)
            everybody = terms is None or terms.leaves
            self._found_apart[named] = ScopeId.zero() if scope and everybody else scope
        return self._found_apart[named]

    @property
    def _scopes(self) -> Sequence[Scope]:
        charter = self._ledger.authority.roster.charter
        return charter.scopes if charter else ()
