"""The ledger of one device: what comes in, what is written, what it all adds up to.

Received entries are stored and acknowledged first, then opened, merged and projected; whatever a
crash leaves undone is taken up at the next start. Own writes do all of it in one transaction, or
leave the rows to the next where whoever writes is answered before (`write`, `catch_up_left`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from typing import NamedTuple

from msgspec.structs import replace

from protocols.errors import LedgerError
from protocols.feeds.lane import Lane
from protocols.feeds.run import Run
from protocols.ids import DeviceId, ScopeId
from protocols.ledger import capture
from protocols.ledger.answers import Answers
from protocols.ledger.authority import Authority
from protocols.ledger.chain import Chain, FeedState, Stored
from protocols.ledger.digest import Digest, digest_of
from protocols.ledger.erasing import PIECE_ENTRIES, Eraser, Gone
from protocols.ledger.merging import Merger
from protocols.ledger.opening import ERASED, Fresh, Opened, Opener, Sealed
from protocols.ledger.peers import PeerBook
from protocols.ledger.rowbook import RowBook
from protocols.ledger.schema import build_again, prepare
from protocols.ledger.store import Store
from protocols.ledger.sums import Sums
from protocols.ledger.waiting import Waiting
from protocols.ledger.writing import Writer, Written
from protocols.records.catalogue import ROW_TABLES
from protocols.records.shape import Plan
from protocols.trust.control import Record
from protocols.trust.sessions import NOBODY, Session
from protocols.trust.statements import SignedStatement

OPEN_BATCH = 256
"""Entries opened in one transaction: about 5 ms, so that an urgent one waits no longer."""
MERGE_BATCH = 72
"""Subjects merged in one transaction, about 18 ms of six entries each."""
PASSING_FROM = 1024
"""Opened entries waiting to be merged from which on nothing of what is merged is kept at hand."""
TOGETHER_MAX = 8
"""Entries of one delivery that are stored and merged in one transaction."""


class Taken(NamedTuple):
    """What a delivery brought."""

    feeds: tuple[FeedState, ...]
    """Feeds that grew."""
    entries: int
    """Entries that were new."""
    urgent: bool
    """Some of them urgent or control."""
    tables: frozenset[str] = frozenset()
    """Row tables that changed, where it was merged at once."""


class Ledger:
    """One book, opened. Every public call is durable when it returns, but for rows to catch up."""

    def __init__(self, store: Store) -> None:
        self.store = store
        prepare(store, ROW_TABLES)
        self._load()

    def reload(self) -> None:
        """Read everything anew from the file, as at a start."""
        self._load()

    def _undone(self) -> None:
        """Read everything anew after a transaction failed."""
        # A part that failed may have been given up alone: what it wrote stands then.
        stands = self.store.depth or self.store.unsure
        # What an earlier one left is in the book: it is found again as after a crash.
        self._load(None if stands or self._waiting.left_before else self.sums.undone())

    def _load(self, sums: Sums | None = None) -> None:
        """Read from the book what is kept in memory.

        Args:
            sums: What subjects come to by the entries that are in the book, where that is known
                and none of them waits for its rows.
        """
        self._whole = False
        """Whether memory says what the book does: not while it could not be read anew."""
        before: Chain | None = getattr(self, "chain", None)
        self.chain = Chain(self.store)
        if before is not None:
            # What a failed transaction undid was seen all the same.
            self.chain.last_clock = before.last_clock
        self.authority = Authority(self.store, self.chain)
        self._released: dict[bytes, bytes] = {}
        """Full hash → body key, of what is released to this device."""
        self.eraser = Eraser(self.store, self.chain, self.authority)
        self._make_readers(sums)
        self.peers = PeerBook(self.store, self.authority, getattr(self, "peers", None))
        self._resume()
        if self.authority.keyring.closed != capture.is_closed(self.store):
            self._mind_own_seal()
        self._whole = True

    def _make_readers(self, sums: Sums | None = None) -> None:
        """Begin with nothing opened, merged or at hand."""
        self.opener = Opener(
            self.store,
            self.chain.names,
            self.authority.key_of,
            self.authority.scope_of,
            self.eraser.founds_erased,
            self._released.get,
            self.eraser.why_lacking,
            lambda begun: self.merger.expect(begun),
        )
        self.rows = RowBook(self.store, ROW_TABLES)
        self.answers = Answers(self.store)
        self.sums = sums or Sums(self.store)
        self.merger = Merger(
            self.store,
            self.chain,
            self.rows,
            self.sums,
            self.authority,
            self.authority.code_tag_of,
        )
        self._sealed: tuple[deque[Sealed], deque[Sealed]] = (deque(), deque())
        self._waiting = Waiting(self.store, self.sums)
        self._owes = False
        """Whether this device wrote, before a crash, about whom that waits first."""
        self.writer = Writer(self.chain, self.authority, self.opener, self.merger, self._waiting)

    def _mind_own_seal(self) -> None:
        """Close the book of a sealed device, or open it again; what is in memory follows."""
        with self.store.atomic():
            if self.authority.keyring.closed:
                capture.close(self.store, self.chain.last_arrival)
            else:
                capture.reopen(self.store)
            self._released.clear()
            self._make_readers()
            self._resume()

    @property
    def reopens(self) -> bool:
        """Whether the keys were forgotten for a seal that does not count any more: load anew."""
        return self.authority.keyring.closed and not self.authority.sealed_here

    def _resume(self) -> None:
        """Take up what the last run stored but did not open or merge."""
        row = self.store.one("SELECT value FROM meta WHERE name = 'opened'")
        opened = int(row[0]) if row else 0
        rows = self.store.all(
            "SELECT e.arrival FROM entry e LEFT JOIN unopened u ON u.entry = e.arrival"
            " WHERE e.arrival > ? AND e.kind = 0 AND e.doc IS NULL AND u.entry IS NULL"
            " ORDER BY e.arrival",
            (opened,),
        )
        self._queue(self._sealed_again([arrival for (arrival,) in rows]))
        own = [f.no for f in self.chain.feeds.values() if f.genesis.device == self.authority.device]
        for subject, doc in self.sums.owed(own):
            self._waiting.know(subject, doc)
        self._owes = len(self._waiting) > 0
        for subject, doc in self.store.all(
            "SELECT s.no, d.no FROM subject s JOIN document d ON d.subject = s.no WHERE s.dirty = 1"
        ):
            self._waiting.know(subject, doc)
        self.authority.orders_changed = False
        self.eraser.look()
        self._released.update(self.authority.released())

    def atomic(self, *, derived: bool = False) -> AbstractContextManager[None]:
        """Everything inside is durable or undone, in the file and in memory; see the store's.

        Raises:
            LedgerError: `disk_failed` and the like where the book still cannot be read anew after
                what was undone: nothing is written on top of that.
        """
        if not self._whole and not self.store.depth:
            self._load()
        if self.rows_left and not self.store.depth and not derived:
            # No driver lets anything in between. What goes on in a document needs it merged.
            self.catch_up_left()
        return self.store.atomic(derived=derived, failed=self._undone)

    # Taking in

    def take(self, runs: Sequence[Run], wall_ms: int) -> Taken:
        """Store verified runs durably and open them; merging is left to `catch_up`.

        What is urgent, and a few entries that come while nothing is behind, are merged in the
        same transaction.
        """
        stored: list[Stored] = []
        tables: set[str] = set()
        with self.atomic():
            even = not self.behind
            for run in runs:
                new = self.chain.append(self.eraser.bare(run))
                stored += new
                if new and new[0].feed.genesis.lane == Lane.CONTROL:
                    self.authority.take(new)
                elif new:
                    self.authority.note_grown(new[0].feed, new[0].line.seq)
            self.apply_control()
            for each in stored:
                if not (line := each.line).kind:
                    sealed = Sealed(each.arrival, each.feed, line.header, line.body, line.hash)
                    self._sealed[each.feed.genesis.lane != Lane.URGENT].append(sealed)
            if even and len(stored) <= TOGETHER_MAX and self.eraser.due <= PIECE_ENTRIES:
                tables = self.catch_up_all()
            else:
                # In the same transaction: the pages they lie on would else be written twice.
                tables = self._open_all()
        for each in stored[-1:]:
            self.chain.observe(each.line.clock, wall_ms)
        feeds = tuple({each.feed.no: each.feed for each in stored}.values())
        urgent = any(feed.genesis.lane <= Lane.URGENT for feed in feeds)
        return Taken(feeds, len(stored), urgent, frozenset(tables))

    def _queue(self, sealed: Sequence[Sealed]) -> None:
        for each in sealed:
            self._sealed[each.feed.genesis.lane != Lane.URGENT].append(each)

    @property
    def behind(self) -> int:
        """Entries and subjects that are stored but not merged yet."""
        waiting = len(self._sealed[0]) + len(self._sealed[1]) + len(self._waiting)
        return waiting + self.opener.parked + self.eraser.due

    @property
    def rows_left(self) -> bool:
        """Whether `write` has left rows for `catch_up_left`."""
        return self._waiting.left

    def behind_in(self, *, urgent_only: bool) -> bool:
        """Whether something is behind, of what is urgent or at all."""
        return bool(self._sealed[0]) if urgent_only else self.behind > 0

    @property
    def full(self) -> bool:
        """Whether about as much waits to be merged as is kept at hand: more is read again."""
        return self._waiting.full

    def make_room(self) -> set[str]:
        """Merge one bounded piece of what waits longest; return the row tables that changed.

        Entries come in about the order they were written, so little is still to come of those.
        """
        return self._merge_some() if self._waiting else set()

    @property
    def only_merging_left(self) -> bool:
        """Whether everything is opened, and what has to be erased is gone."""
        return not any(self._sealed) and not self.eraser.due

    def catch_up(self, *, urgent_only: bool = False, merge: bool = True) -> set[str]:
        """Do one bounded piece of what is behind; return the row tables that changed.

        Args:
            urgent_only: Only what is urgent.
            merge: False while a long delivery goes on: open, but merge each document only
                once all of it is here.
        """
        urgent, routine = self._sealed
        if self.rows_left:
            return self.catch_up_left()
        if urgent:
            return self._open_some(urgent, merge=True)
        if urgent_only:
            return set()
        if self.eraser.due:
            return self._erase_some()
        if routine:
            return self._open_some(routine, merge=merge and len(routine) <= OPEN_BATCH)
        if merge and self.opener.parked:
            with self.atomic():
                self.opener.set_parked_aside()
                self._note_opened()
        if merge and self._waiting:
            return self._merge_some()
        return set()

    def catch_up_left(self) -> set[str]:
        """Make the rows that `write` left for later; return the row tables that changed."""
        tables: set[str] = set()
        if not self.rows_left:
            return tables
        # As in `_merge_some`; the mark of what is kept in memory leads to these too.
        with self.atomic(derived=True):
            # Asked in here: a book that had to be read anew first may never have held it.
            left = self._waiting.take_left()
            if left is not None:
                subject, docs, written = left
                tables = self.merger.merge([(subject, docs)], written=written)
                self._write_down_many()
        self._waiting.done_left()
        return tables

    def catch_up_last(self) -> set[str]:
        """Make the rows of whom this device wrote about last, if a crash may have taken them.

        It is at most those of one record: the next one that is answered makes them durable.

        Returns:
            Row tables that changed.
        """
        owes, self._owes = self._owes, False
        return self._merge_some(1) if owes else set()

    def catch_up_all(self) -> set[str]:
        """Do everything that is behind."""
        tables: set[str] = set()
        while self.behind:
            tables |= self.catch_up()
        return tables

    def _open_all(self) -> set[str]:
        """Open what is stored, urgent to rows; nothing routine before what is erased is gone."""
        urgent, routine = self._sealed
        tables: set[str] = set()
        while urgent or (routine and not self.eraser.due):
            tables |= self._open_some(urgent or routine, merge=bool(urgent))
        return tables

    def _open_some(self, queue: deque[Sealed], *, merge: bool) -> set[str]:
        batch = [queue.popleft() for _ in range(min(OPEN_BATCH, len(queue)))]
        at_once = merge and len(batch) <= MERGE_BATCH and not self.opener.parked
        with self.atomic():
            opened, again = self.opener.open(batch, self.merger.begin if at_once else None)
            self._open_again(again)
            fresh = self._note(opened)
            if not merge or len(fresh) > MERGE_BATCH:
                self._waiting.touch(fresh)
                self._note_opened()
                return set()
            for no, docs in fresh.items():
                self._waiting.take_up(no, docs)
            return self.merger.merge(fresh.items())

    def _note(self, opened: Sequence[Opened]) -> dict[int, dict[int, list[Fresh]]]:
        fresh: dict[int, dict[int, list[Fresh]]] = {}
        for each in opened:
            fresh.setdefault(each.subject, {}).setdefault(each.doc, []).append(each.fresh)
        return fresh

    def _merge_some(self, most: int | None = None) -> set[str]:
        batch = self._waiting.some(most or MERGE_BATCH)
        # Entries and strands are durable; a subject is marked until its rows are, by one commit.
        with self.atomic(derived=True):
            if not self._waiting:
                self._note_opened()
            passing = self._waiting.at_hand >= PASSING_FROM
            return self.merger.merge(batch, passing=passing)

    def _note_opened(self) -> None:
        """Once nothing is left to open, a start need not look for it."""
        if any(self._sealed) or self.opener.parked:
            return
        self.store.execute(
            "INSERT OR REPLACE INTO meta VALUES ('opened', ?)",
            (str(self.chain.last_arrival).encode(),),
        )

    def _open_again(self, arrivals: Sequence[int]) -> None:
        """Queue entries that waited. Inside a transaction.

        Nothing says any more that they wait, so a start before they are opened has to look for
        them from the first of them on.
        """
        if not arrivals:
            return
        row = self.store.one("SELECT value FROM meta WHERE name = 'opened'")
        if row and int(row[0]) >= min(arrivals):
            before = str(min(arrivals) - 1).encode()
            self.store.execute("UPDATE meta SET value = ? WHERE name = 'opened'", (before,))
        self._queue(self._sealed_again(arrivals))

    def _sealed_again(self, arrivals: Sequence[int]) -> list[Sealed]:
        sealed = []
        for arrival in arrivals:
            header, body, feed = self.chain.rebuild_header(arrival)
            row = self.store.one("SELECT hash FROM entry WHERE arrival = ?", (arrival,))
            assert row is not None
            sealed.append(Sealed(arrival, feed, header, body, row[0]))
        return sealed

    def meet(self, chain: Sequence[SignedStatement]) -> None:
        """Take the certificates that a peer greets with; what they cover is judged again."""
        with self.atomic():
            self.authority.roster.certify(chain)
            self.apply_control()

    def apply_control(self) -> set[DeviceId]:
        """Let opened keys and changed standings reach what they concern; return whose changed."""
        needs: list[bytes] = [bytes(key) for key in self.authority.opened_keys]
        self.authority.opened_keys.clear()
        changed = self.authority.changed_devices()
        if needs or changed:
            # A key may open anybody's name; a certificate concerns whom it names.
            self.peers.introduce(self.authority.member_devices(None if needs else changed))
        if changed:
            needs += {bytes(old) for _, old in self.authority.roster.adopted()}
            self.merger.forget()
            self._judge_again(changed)
        for need in needs:
            self._open_again(self.opener.waiting_on(need))
        if changed or self.authority.orders_changed:
            self._look_for_erased()
        if self.authority.mind_own_seal():
            self._mind_own_seal()
        return changed

    # Erasing

    def _look_for_erased(self) -> None:
        """Work out what has to go, and open what need not any more."""
        self.authority.orders_changed = False
        self.eraser.look()
        self._open_again(self.opener.waiting_on(ERASED))
        self._look_for_released()

    def _look_for_released(self) -> None:
        """Open what was released to us since somebody last looked."""
        keys = self.authority.released()
        new = [entry[:16] for entry in keys if entry not in self._released]
        self._released.clear()
        self._released.update(keys)
        if new:
            arrivals = sorted(self.chain.names.find_all(new).values())
            self._open_again(self.opener.try_again(arrivals))

    def attach(self, run: Run) -> None:
        """Give entries that are held without their bodies those that a run brings. In `atomic`."""
        feed = self.chain.feeds.get(run.feed)
        for line in self.eraser.bare(run).lines if feed is not None else ():
            arrival = self.chain.attach(feed, line) if feed and line.body is not None else None
            if arrival is not None:
                self._open_again(self.opener.try_again([arrival]))

    def _erase_some(self) -> set[str]:
        """Drop one bounded piece of what has to go."""
        with self.atomic():
            # What is at hand of it goes first.
            self.opener.set_parked_aside()
            gone = self.eraser.take_piece()
            self.opener.forget(gone.prefixes, gone.documents)
            self.merger.drop(gone.documents)
            self._sealed = (
                deque(_bared(self._sealed[0], gone)),
                deque(_bared(self._sealed[1], gone)),
            )
            left: list[tuple[int, dict[int, list[Fresh]]]] = []
            for subject in gone.subjects:
                self._waiting.drop(subject)
                left.append((subject, {doc: [] for doc in self.eraser.documents_of(subject)}))
            tables = self.merger.merge(left) if left else set()
            self.eraser.drop_subjects(gone.subjects)
            self._open_again(gone.again)
        return tables

    def _judge_again(self, devices: set[DeviceId]) -> None:
        feeds = [f.no for f in self.chain.feeds.values() if f.genesis.device in devices]
        for feed in feeds:
            for subject, doc in self.store.all(
                "SELECT DISTINCT d.subject, d.no FROM document d WHERE d.subject IN ("
                "SELECT d2.subject FROM entry e JOIN document d2 ON d2.no = e.doc"
                " WHERE e.feed = ?)",
                (feed,),
            ):
                self._waiting.touch({subject: {doc: []}})

    # Writing

    def write(
        self,
        plan: Plan,
        wall_ms: int,
        entropy: Callable[[int], bytes],
        session: Session = NOBODY,
        *,
        rows_later: bool = False,
    ) -> tuple[list[Written], set[str]]:
        """Write a plan, in a person's session or nobody's. Inside the caller's `atomic`.

        Args:
            rows_later: As in `Writer.record`; the caller calls `catch_up_left` before anybody asks
                for a row. A crash in between leaves it to the next start.
        """
        if self.authority.keyring.closed:
            return capture.record(self, plan, wall_ms, entropy, session), set()
        salts = [entropy(8) for _ in plan.drafts]
        written = self.writer.record(plan, wall_ms, salts, session, rows_later=rows_later)
        self._write_down_many()
        return written

    def _write_down_many(self) -> None:
        if self.sums.many(self.chain.last_arrival) and not self._waiting:
            self.sums.write_down()

    def write_control(self, record: Record, wall_ms: int) -> Written:
        """Write one control record and let it take effect. Inside the caller's `atomic`."""
        written = self.writer.control(record, wall_ms)
        self.apply_control()
        return written

    def write_down(self) -> None:
        """Write down what is kept in memory of what was written here; called when idle."""
        if self._whole and self.sums.any and not self._waiting:
            with self.atomic(derived=True):
                self.sums.write_down()

    def rebuild_rows(self) -> None:
        """Throw all rows away and build them again from the entries."""
        with self.atomic():
            build_again(self.store, ROW_TABLES)
            self._load()
        self.catch_up_all()

    def note_joined_at(self, address: str) -> None:
        """Keep where the operation was joined: without discovery it is the only way back."""
        with self.store.atomic():
            self.store.execute(
                "INSERT OR REPLACE INTO meta VALUES ('joined_at', ?)", (address.encode(),)
            )

    @property
    def joined_at(self) -> str:
        """HOST:PORT where the operation was joined; '' when it was founded here."""
        row = self.store.one("SELECT value FROM meta WHERE name = 'joined_at'")
        return row[0].decode() if row else ""

    @property
    def trusted_ms(self) -> int:
        """An instant that has surely passed, by the newest receipt of an HQ; 0 = nobody said."""
        given = (
            receipt.given_ms
            for receipt, _ in self.peers.receipts.values()
            if self.authority.is_hq(receipt.giver)
        )
        return max(given, default=0)

    # What it adds up to

    def digest(self, scope: ScopeId) -> Digest:
        """Return what a scope adds up to: entries, control and rows."""
        behind = self.behind > 0
        return digest_of(self.store, self.chain, self.authority, self.sums, scope, behind=behind)

    def close(self) -> None:
        """Close the file."""
        try:
            # Where it cannot be written down it is worked out again at the next start.
            with suppress(LedgerError):
                self.write_down()
        finally:
            self.store.close()


def _bared(queue: Iterable[Sealed], gone: Gone) -> Iterator[Sealed]:
    """Return what waits to be opened, without the bodies that are gone."""
    return (replace(each, body=None) if each.arrival in gone.bodies else each for each in queue)
