"""Receipts on their way: taken and carried on for others, given by HQ for what it holds."""

from __future__ import annotations

from protocols.ids import EntryHash
from protocols.ledger.book import Ledger
from protocols.mesh.effects import Changed, Now
from protocols.mesh.frames import Receipt as ReceiptFrame
from protocols.mesh.links import Switchboard
from protocols.mesh.session import Session
from protocols.trust.receipts import Receipt, ReceiptHead, sign_receipt

RECEIPT_MS = 5_000
"""A giver of receipts signs at most one in this time."""
RECEIPT_SOON_MS = 100
RECEIPT_HEADS_MAX = 880
"""Heads in one receipt frame; the newest go first when there are more."""


class Receipts:
    """What this node does with receipts."""

    def __init__(self, ledger: Ledger, board: Switchboard) -> None:
        self._ledger = ledger
        self._board = board
        self.at_ms: int | None = None
        """When to give the next one, monotonic milliseconds."""
        self._given_ms = -RECEIPT_MS

    def take(self, session: Session, frame: ReceiptFrame) -> None:
        """Keep what a peer brought when it is news, and carry it to whoever cannot have it yet."""
        receipt = self._ledger.peers.take_receipt(frame.statement)
        if receipt is None:
            return
        self._board.effects.append(Changed(frozenset(("receipt",))))
        for other in self._board.sessions():
            told = other is session or other.peer == receipt.giver
            if not told and receipt.giver not in other.links:
                other.out.append(frame)

    def took(self, now: Now) -> None:
        """Something new is durably here: say so soon, if ours are the receipts that count."""
        if self.at_ms is None and self._ledger.authority.is_hq(self._ledger.authority.device):
            self.at_ms = max(now.mono_ms + RECEIPT_SOON_MS, self._given_ms + RECEIPT_MS)

    def tick(self, now: Now) -> None:
        """Give the receipt that is due."""
        if self.at_ms is not None and self.at_ms <= now.mono_ms:
            self.at_ms, self._given_ms = None, now.mono_ms
            self._give(now)

    def _give(self, now: Now) -> None:
        ledger = self._ledger
        heads = sorted(ledger.chain.heads(), key=lambda head: -head[1].arrival)
        listed = sorted(
            ReceiptHead(feed.feed_id, tip.seq, EntryHash(tip.hash))
            for feed, tip in heads[:RECEIPT_HEADS_MAX]
        )
        device, epoch = ledger.authority.device, ledger.authority.epoch
        kept = ledger.peers.receipts.get((device, epoch))
        number = kept[0].number + 1 if kept else 1
        receipt = Receipt(device, epoch, number, max(now.wall_ms, 0), tuple(listed))
        raw = sign_receipt(receipt, ledger.authority.keys)
        ledger.peers.keep_receipt(receipt, raw)
        for session in self._board.sessions():
            session.out.append(ReceiptFrame(raw))
