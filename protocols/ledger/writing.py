"""Own entries: signed, chained, stored in the caller's transaction; merged in it or after it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from protocols.errors import LedgerError
from protocols.feeds.body import DEPENDENCIES_MAX, Body, encode_body
from protocols.feeds.clock import observe, tick
from protocols.feeds.entry import (
    ENTRY_BYTES_MAX,
    Entry,
    EntryKind,
    header_of,
    make_entry,
    seal_body,
    sign_entry,
)
from protocols.feeds.feed import Genesis, Head
from protocols.feeds.lane import Lane
from protocols.feeds.run import Line, Run
from protocols.ids import DocId, EncounterId, EntryHash, FactRef, FeedId, KeyId, ScopeId
from protocols.ledger.authority import Authority
from protocols.ledger.chain import Chain, FeedState, Stored
from protocols.ledger.merging import Merger
from protocols.ledger.opening import Opener, Sealed
from protocols.ledger.waiting import Waiting
from protocols.records.catalogue import encode_fact
from protocols.records.document import opening
from protocols.records.shape import Draft, Plan
from protocols.trust.charter import Sensitivity
from protocols.trust.control import Record, encode_control
from protocols.trust.sessions import NOBODY, Session


class Written(NamedTuple):
    """One own entry that is in the book."""

    feed: FeedState
    entry: Entry
    ref: FactRef
    """Its first fact that says something of the subject; of a control entry, index 0."""
    subject: DocId | None
    encounter: EncounterId | None


class Instant(NamedTuple):
    """When and by whom something is written, and the randomness it takes."""

    wall_ms: int
    salt: bytes
    """8 random bytes for each entry; control entries take none."""
    session: Session


class Writer:
    """Writes this device's feeds. All calls inside a transaction."""

    def __init__(
        self,
        chain: Chain,
        authority: Authority,
        opener: Opener,
        merger: Merger,
        waiting: Waiting,
    ) -> None:
        """Take the parts of the book; what is written of somebody takes up what waits of them."""
        self._chain = chain
        self._authority = authority
        self._opener = opener
        self._merger = merger
        self._waiting = waiting

    def control(self, record: Record, wall_ms: int) -> Written:
        """Write one control record into this epoch's control feed and take it to heart."""
        feed = self._own_feed(ScopeId.zero(), Lane.CONTROL)
        zero = KeyId.zero()
        place = self._next_place(feed, wall_ms)
        entry = make_entry(EntryKind.CONTROL, 0, place, zero, encode_control(record))
        self._append(feed, entry)
        self._authority.wrote(record, feed, entry)
        return Written(feed, entry, FactRef(entry.hash.prefix, 0), None, None)

    def record(
        self,
        plan: Plan,
        wall_ms: int,
        salts: Sequence[bytes],
        session: Session = NOBODY,
        *,
        rows_later: bool = False,
    ) -> tuple[list[Written], set[str]]:
        """Write the drafts of a plan; return them and the row tables that changed.

        Args:
            session: Who writes, as attested in this epoch's control feed.
            rows_later: Leave the rows to be made later, where nothing else waits to be merged of
                the subject; of one draft alone, since what goes on in a document needs it merged.
        """
        assert not rows_later or len(plan.drafts) == 1
        written: list[Written] = []
        tables: set[str] = set()
        for draft, salt in zip(plan.drafts, salts, strict=True):
            founded = written[0].subject if written else None
            encounter = next((each.encounter for each in written if each.encounter), None)
            at = Instant(wall_ms, salt, session)
            each, changed = self._draft(draft, founded, encounter, at, rows_later=rows_later)
            written.append(each)
            tables |= changed
        return written, tables

    def _draft(
        self,
        draft: Draft,
        founded: DocId | None,
        begun: EncounterId | None,
        at: Instant,
        *,
        rows_later: bool,
    ) -> tuple[Written, set[str]]:
        subject = founded if draft.subject is not None and not any(draft.subject) else draft.subject
        encounter = draft.encounter
        if encounter is not None and not any(encounter):
            encounter = begun
        scope, key_id, key = self._authority.writable_scope(Sensitivity(draft.sensitivity))
        known = None if draft.founds_encounter else self._document(draft, subject, encounter, scope)
        facts = list(draft.facts)
        dependencies: tuple[bytes, ...] = ()
        if known is None:
            facts.insert(0, opening(draft, subject, encounter))
        else:
            dependencies = self._merger.heads_of(known[0])[:DEPENDENCIES_MAX]
        document = None if known is None else DocId(known[2])
        values = tuple(
            [(fact.kind, encode_fact(fact.kind, fact.value, document)) for fact in facts]
        )
        plain = encode_body(at.session, dependencies, values)
        feed, no = self._own_feed(scope, draft.lane), known and known[0]
        sealed, entry = self._seal(feed, (key_id, key), plain, at, no)
        prefix = entry.hash.prefix
        body = Body(*at.session, dependencies, values)
        opened = self._opener.adopt(
            prefix, plain, body, sealed, known and known[:2], self._merger.begin
        )
        docs = {opened.doc: [opened.fresh]}
        # All rows are brought up to date, or a crash would leave out what waited.
        waited = self._waiting.take_up(opened.subject, docs)
        # HQ's pages read from the book when the newest happened, over a connection of their own.
        at_once = waited or self._authority.is_hq(self._authority.device)
        tables: set[str] = set()
        if rows_later and not at_once:
            self._waiting.leave(opened.subject, docs, sealed.arrival)
        else:
            written = None if at_once else sealed.arrival
            tables = self._merger.merge([(opened.subject, docs)], written=written)
        if draft.founds_encounter:
            encounter = EncounterId(prefix)
        spoken = FactRef(prefix, 1 if known is None and len(facts) > 1 else 0)
        return Written(sealed.feed, entry, spoken, subject or DocId(prefix), encounter), tables

    def alone(
        self, scope: ScopeId, lane: Lane, sealing: tuple[KeyId, bytes], plain: bytes, at: Instant
    ) -> tuple[Sealed, Entry]:
        """Write an entry that is not opened here: it waits for its key like another's."""
        sealed, entry = self._seal(self._own_feed(scope, lane), sealing, plain, at)
        self._opener.wait_for_key(sealed.arrival, sealing[0])
        return sealed, entry

    def _document(
        self, draft: Draft, subject: DocId | None, encounter: EncounterId | None, scope: ScopeId
    ) -> tuple[int, int, bytes] | None:
        """The document to go on in, as (number, its subject's number, id).

        It is the one with the smallest id below the limit, in this lane and scope.
        """
        found = None if subject is None else self._merger.subject(subject)
        if found is None:
            return None
        place = self._merger.open_document(found[0], int(draft.lane), encounter)
        if place is None or not self._authority.same_scope(place.scope, scope):
            return None
        return place.no, found[0], place.doc_id

    def _seal(
        self,
        feed: FeedState,
        sealing: tuple[KeyId, bytes],
        plain: bytes,
        at: Instant,
        doc: int | None = None,
    ) -> tuple[Sealed, Entry]:
        key_id, key = sealing
        place = self._next_place(feed, at.wall_ms)
        dictionary, body = seal_body(plain, key, key_id, place, at.salt)
        if len(body) > ENTRY_BYTES_MAX:
            raise LedgerError("entry_too_long", size=len(body))
        entry = make_entry(EntryKind.DATA, dictionary, place, key_id, body)
        stored = self._append(feed, entry, doc)
        return Sealed(stored.arrival, feed, stored.line.header, body, entry.hash), entry

    def _next_place(self, feed: FeedState, wall_ms: int) -> tuple[FeedId, int, bytes, int]:
        if not feed.tips:
            return feed.feed_id, 1, feed.feed_id, tick(self._chain.last_clock, wall_ms)
        tip = feed.tips[0]
        last = observe(self._chain.last_clock, tip.clock, wall_ms)
        return feed.feed_id, tip.seq + 1, tip.hash, tick(last, wall_ms)

    def _append(self, feed: FeedState, entry: Entry, doc: int | None = None) -> Stored:
        signature = sign_entry(self._authority.keys, entry)
        line = Line(
            entry.kind,
            entry.dictionary,
            entry.seq,
            entry.prev,
            entry.clock,
            entry.key_id,
            entry.body,
            entry.body_hash,
            entry.hash,
            header_of(entry),
            signature,
        )
        stored = self._chain.append(Run(feed.feed_id, feed.encoded, (line,)), doc)
        self._chain.last_clock = max(self._chain.last_clock, entry.clock)
        return stored[0]

    def _own_feed(self, scope: ScopeId, lane: Lane) -> FeedState:
        """This epoch's feed of a scope and lane, begun when first needed."""
        device, epoch = self._authority.device, self._authority.epoch
        for feed in self._chain.feeds.values():
            genesis = feed.genesis
            ours = (genesis.device, genesis.epoch) == (device, epoch)
            if ours and genesis.scope == scope and genesis.lane == lane:
                return feed
        genesis = Genesis(device, epoch, scope, lane, self._earlier(scope, lane))
        return self._chain.ensure_feed(genesis.feed_id, genesis.encode())

    def _earlier(self, scope: ScopeId, lane: Lane) -> tuple[Head, ...]:
        device, epoch = self._authority.device, self._authority.epoch
        return tuple(
            Head(feed.feed_id, tip.seq, EntryHash(tip.hash))
            for feed, tip in self._chain.heads()
            if feed.genesis.device == device
            and feed.genesis.epoch != epoch
            and feed.genesis.lane == lane
            and feed.genesis.scope == scope
        )[:8]
