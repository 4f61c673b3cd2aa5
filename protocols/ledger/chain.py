"""Feeds and entries: taking verified runs in, giving runs out, forks kept side by side."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

from protocols.feeds.clock import observe
from protocols.feeds.entry import (
    KEPT_EVERY,
    EntryKind,
    detached_header,
    hash_header,
    header_of,
    make_entry,
)
from protocols.feeds.feed import Genesis, decode_genesis
from protocols.feeds.lane import Lane
from protocols.feeds.run import Gap, Line, Run, encode_run
from protocols.ids import DeviceId, FeedId, KeyId
from protocols.ledger.names import Names
from protocols.ledger.outgoing import (
    ROWS_MAX,
    cut,
    kept_signatures,
    rows_for,
    thinned,
    without_body,
)
from protocols.ledger.store import Store

BRANCHES_MAX = 8
"""Branches of one feed that are kept; each is proof of a fork by itself."""
ENDS_KEPT_MAX = 4096
"""Entries after which it is written down where branches end: each would rewrite a page for it. At
a start the entries since then are followed."""
_THINNED = frozenset((Lane.ROUTINE, Lane.BULK))

_BELOW = (
    "WITH RECURSIVE below (arrival, parent) AS ("
    " SELECT arrival, parent FROM entry WHERE arrival = ?"
    " UNION ALL SELECT e.arrival, e.parent FROM entry e JOIN below b ON e.arrival = b.parent"
    " WHERE e.arrival >= ?) SELECT 1 FROM below WHERE arrival = ? LIMIT 1"
)
"""Whether an entry is another or one of those it follows: numbers rise along a chain."""
_INSERT = (
    "INSERT INTO entry (arrival, feed, seq, parent, hash, kind, dictionary, clock, scope_key,"
    " body, signature, length, body_hash, doc) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
)


class Tip(NamedTuple):
    """The last entry held of one branch."""

    seq: int
    hash: bytes
    arrival: int
    clock: int


def _longest_first(tip: Tip) -> tuple[int, bytes]:
    return -tip.seq, tip.hash


@dataclass(slots=True)
class FeedState:
    """One feed as this book holds it."""

    no: int
    feed_id: FeedId
    genesis: Genesis
    encoded: bytes
    tips: list[Tip] = field(default_factory=list)
    """One per branch, the longest first; empty before the first entry."""

    @property
    def seq(self) -> int:
        """Length of the longest branch."""
        return self.tips[0].seq if self.tips else 0

    @property
    def thinned(self) -> bool:
        """Whether signatures inside a range may be left out."""
        return self.genesis.lane in _THINNED


class Stored(msgspec.Struct, frozen=True, gc=False):
    """An entry that was new and is now in the book."""

    arrival: int
    feed: FeedState
    line: Line


class Chain:
    """All feeds of the book. Nothing here opens a body."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.feeds: dict[bytes, FeedState] = {}
        self.by_no: dict[int, FeedState] = {}
        self.withheld: Collection[bytes] = ()
        """Full hashes of entries whose bodies have to go and so never travel any more."""
        self.hollow: set[FeedId] = set()
        """Feeds of which we hold headers with a few released bodies: they are passed to nobody."""
        self.revision = 0
        """Rises when what was encoded before may not travel as it is."""
        self._key_no: dict[bytes, int] = {}
        self.key_ids: dict[int, bytes] = {}
        self._load()

    def _load(self) -> None:
        for no, feed_id, encoded in self._store.all("SELECT no, feed_id, genesis FROM feed"):
            self._remember(FeedState(no, FeedId(feed_id), decode_genesis(encoded), encoded))
        self._load_tips()
        for no, key_id in self._store.all("SELECT no, key_id FROM key_name"):
            self._key_no[key_id], self.key_ids[no] = no, key_id
        row = self._store.one("SELECT max(arrival) FROM entry")
        self.last_arrival = (row[0] or 0) if row else 0
        held = self._store.one("SELECT value FROM meta WHERE name = 'hollow'")
        names = bytes(held[0]) if held else b""
        self.hollow = {FeedId(names[at : at + 32]) for at in range(0, len(names), 32)}
        self.names = Names(self._store)
        self.last_clock = 0
        """Hybrid clock of the last entry written or observed; see `observe`."""

    def _load_tips(self) -> None:
        """Read where branches ended when that was last written down, and follow what came since."""
        # A backup of older software is looked at as it is, before anything brings it up to date.
        older = self._store.one("SELECT 1 FROM sqlite_master WHERE name = 'branch'") is not None
        table, asked = (
            ("branch", "SELECT max(arrival) FROM entry")
            if older
            else ("branch_end", "SELECT value FROM meta WHERE name = 'ends_at'")
        )
        row = self._store.one(asked)
        self._ends_at = int(row[0] or 0) if row else 0
        for no, *tip in self._store.all(f"SELECT feed, seq, hash, arrival, clock FROM {table}"):
            self.by_no[no].tips.append(Tip(*tip))
        self._grown: set[int] = set()
        for no, parent, *tip in self._store.all(
            "SELECT feed, parent, seq, hash, arrival, clock FROM entry WHERE arrival > ?"
            " ORDER BY arrival",
            (self._ends_at,),
        ):
            if no not in self.by_no:
                # An altered book: the whole look says so.
                continue
            tips = self.by_no[no].tips
            tips[:] = [held for held in tips if held.arrival != parent]
            tips.append(Tip(*tip))
            self._grown.add(no)
        for feed in self.feeds.values():
            feed.tips.sort(key=_longest_first)

    def _remember(self, feed: FeedState) -> FeedState:
        self.feeds[feed.feed_id] = self.by_no[feed.no] = feed
        return feed

    def observe(self, clock: int, wall_ms: int) -> None:
        """Let another's clock pull ours along, unless it is far ahead of the wall."""
        self.last_clock = observe(self.last_clock, clock, wall_ms)

    def genesis_of(self, feed_id: FeedId) -> Genesis | None:
        """What a feed is, or None when nothing of it is here."""
        feed = self.feeds.get(feed_id)
        return feed.genesis if feed else None

    def prev_of(self, feed_id: FeedId, seq: int, stub: bytes) -> bytes | None:
        """Return the hash at this place that starts with these bytes."""
        feed = self.feeds.get(feed_id)
        if feed is None:
            return None
        for tip in feed.tips:
            if tip.seq == seq and tip.hash.startswith(stub):
                return tip.hash
        for (held,) in self._store.all(
            "SELECT hash FROM entry WHERE feed = ? AND seq = ?", (feed.no, seq)
        ):
            if held.startswith(stub):
                return bytes(held)
        return None

    def superseded(self, device: DeviceId, epoch: bytes) -> bool:
        """Whether a feed of the device is known that a later epoch of it began with."""
        feeds = [each for each in self.feeds.values() if each.genesis.device == device]
        old = {each.feed_id for each in feeds if each.genesis.epoch == epoch}
        return any(
            head.feed in old
            for each in feeds
            if each.genesis.epoch != epoch
            for head in each.genesis.earlier
        )

    def note_hollow(self, feed: FeedId) -> None:
        """Note that bodies of a feed are lacking that nobody erased. Inside a transaction."""
        self.hollow.add(feed)
        names = b"".join(sorted(self.hollow))
        self._store.execute("INSERT OR REPLACE INTO meta VALUES ('hollow', ?)", (names,))

    def attach(self, feed: FeedState, line: Line) -> int | None:
        """Give an entry its body that was held without it; return its arrival. In a transaction.

        The hash over its header says that it is this body.
        """
        arrival = self._arrival(feed, line.seq, line.hash)
        changed = self._store.execute(
            "UPDATE entry SET body = ?, length = NULL, body_hash = NULL"
            " WHERE arrival = ? AND body IS NULL",
            (line.body, arrival),
        ).rowcount
        return arrival if changed else None

    def ensure_feed(self, feed_id: FeedId, encoded: bytes) -> FeedState:
        """Return the feed, new or known. Inside a transaction."""
        feed = self.feeds.get(feed_id)
        if feed is not None:
            return feed
        genesis = decode_genesis(encoded)
        no = self._store.execute(
            "INSERT INTO feed (feed_id, genesis, device, epoch, scope, lane) VALUES (?,?,?,?,?,?)",
            (feed_id, encoded, genesis.device, genesis.epoch, genesis.scope, int(genesis.lane)),
        ).lastrowid
        return self._remember(FeedState(no, feed_id, genesis, encoded))

    def key_no(self, key_id: bytes) -> int:
        """Return the short local number of a scope key's id. Inside a transaction."""
        no = self._key_no.get(key_id)
        if no is None:
            cursor = self._store.execute("INSERT INTO key_name (key_id) VALUES (?)", (key_id,))
            no = int(cursor.lastrowid)
            self._key_no[key_id], self.key_ids[no] = no, key_id
        return no

    def append(self, run: Run, doc: int | None = None) -> list[Stored]:
        """Store what is new of a verified run, of a document if that is known. In a transaction.

        Raises:
            Gap: The entry before the run vanished between verifying and storing.
        """
        feed = self.feeds.get(run.feed)
        if feed is None:
            if run.genesis is None:
                raise Gap(run.feed, run.lines[0].seq)
            feed = self.ensure_feed(run.feed, run.genesis)
        lines, parent, old = self._new_lines(feed, run.lines)
        if not lines:
            return []
        if old is None and len(feed.tips) >= BRANCHES_MAX:
            return []
        stored = self._insert(feed, lines, parent, doc)
        self._advance(feed, old, lines, stored[-1].arrival)
        return stored

    def _new_lines(
        self, feed: FeedState, lines: Sequence[Line]
    ) -> tuple[Sequence[Line], int, Tip | None]:
        """Return the lines not held, the arrival before them and the tip they extend."""
        first = lines[0]
        for tip in feed.tips:
            if tip.hash == first.prev:
                return lines, tip.arrival, tip
        parent = 0
        if first.seq > 1:
            parent = self._arrival(feed, first.seq - 1, first.prev)
        for at, line in enumerate(lines):
            for tip in feed.tips:
                if tip.hash == line.prev:
                    return lines[at:], tip.arrival, tip
            held = self._arrival(feed, line.seq, line.hash)
            if not held:
                return lines[at:], parent, Tip(0, b"", 0, 0) if not feed.tips else None
            parent = held
        return (), 0, None

    def _arrival(self, feed: FeedState, seq: int, entry: bytes) -> int:
        row = self._store.one(
            "SELECT arrival FROM entry WHERE feed = ? AND seq = ? AND hash = ?",
            (feed.no, seq, entry),
        )
        return int(row[0]) if row else 0

    def _insert(
        self, feed: FeedState, lines: Sequence[Line], parent: int, doc: int | None
    ) -> list[Stored]:
        arrival = self.last_arrival
        feed_no, key_no = feed.no, self.key_no
        rows, stored = [], []
        for line in lines:
            arrival += 1
            detached = line.body is None
            length = int.from_bytes(line.header[115:119]) if detached else None
            rows.append(
                (
                    arrival,
                    feed_no,
                    line.seq,
                    parent,
                    line.hash,
                    line.kind,
                    line.dictionary,
                    line.clock,
                    key_no(line.key_id),
                    line.body,
                    line.signature,
                    length,
                    line.body_hash if detached else None,
                    doc,
                )
            )
            stored.append(Stored(arrival, feed, line))
            parent = arrival
        self._store.executemany(_INSERT, rows)
        self.names.add([(each.line.hash, each.arrival) for each in stored])
        self.last_arrival = arrival
        return stored

    def _advance(
        self, feed: FeedState, old: Tip | None, lines: Sequence[Line], arrival: int
    ) -> None:
        last = lines[-1]
        tip = Tip(last.seq, last.hash, arrival, last.clock)
        if old is not None and old.seq:
            feed.tips.remove(old)
        feed.tips.append(tip)
        feed.tips.sort(key=_longest_first)
        self._grown.add(feed.no)
        if arrival - self._ends_at >= ENDS_KEPT_MAX:
            self._write_ends(arrival)
        if feed.thinned and old is not None and old.seq // KEPT_EVERY < tip.seq // KEPT_EVERY:
            self._thin(feed, old.seq, lines)

    def _write_ends(self, arrival: int) -> None:
        """Write down where branches end now, of the feeds that grew since that was last done."""
        grown = sorted(self._grown)
        self._store.executemany("DELETE FROM branch_end WHERE feed = ?", [(no,) for no in grown])
        ends = [(no, *tip) for no in grown for tip in self.by_no[no].tips]
        self._store.executemany("INSERT INTO branch_end VALUES (?,?,?,?,?)", ends)
        self._store.execute("INSERT OR REPLACE INTO meta VALUES ('ends_at', ?)", (b"%d" % arrival,))
        self._ends_at = arrival
        self._grown.clear()

    def _thin(self, feed: FeedState, before: int, lines: Sequence[Line]) -> None:
        """Drop signatures that a kept one covers, on a feed that never forked.

        Args:
            before: How long the feed was until these lines came.
        """
        if len(feed.tips) != 1:
            return
        after = max(before - KEPT_EVERY, 0)
        row = self._store.one(
            "SELECT max(seq) FROM entry WHERE feed = ? AND seq <= ? AND signature IS NOT NULL",
            (feed.no, after),
        )
        rows = self._store.all(
            "SELECT seq, coalesce(length(body), 0), signature IS NOT NULL FROM entry"
            " WHERE feed = ? AND seq > ? AND seq <= ? ORDER BY seq",
            (feed.no, (row and row[0]) or 0, before),
        )
        # What has just been written is not read again.
        rows += [(line.seq, len(line.body or b""), line.signature is not None) for line in lines]
        kept = kept_signatures(rows)
        self._store.executemany(
            "UPDATE entry SET signature = NULL WHERE feed = ? AND seq = ?",
            [(feed.no, seq) for seq, _, signed in rows if signed and seq not in kept],
        )

    def covers(self, feed: FeedState, arrival: int, seq: int, head: bytes) -> bool:
        """Say whether an entry of a feed is the head that is named, or lies below it.

        A head on another branch covers what the branches have in common. While it is not here,
        what lies below it counts on a feed without forks.
        """
        reached = self._arrival(feed, seq, head)
        forked = len(feed.tips) > 1
        if not reached:
            row = self._store.one("SELECT seq FROM entry WHERE arrival = ?", (arrival,))
            return not forked and row is not None and row[0] <= seq and feed.seq < seq
        if not forked or arrival >= reached:
            return arrival <= reached
        return self._store.one(_BELOW, (reached, arrival, arrival)) is not None

    def rebuild_header(self, arrival: int) -> tuple[bytes, bytes | None, FeedState]:
        """Return the header and body of a stored entry, and its feed."""
        row = self._store.one(
            "SELECT e.feed, e.seq, e.kind, e.dictionary, e.clock, e.scope_key, e.body, p.hash,"
            " e.length, e.body_hash FROM entry e LEFT JOIN entry p ON p.arrival = e.parent"
            " WHERE e.arrival = ?",
            (arrival,),
        )
        assert row is not None
        no, seq, kind, dictionary, clock, key_no, body, prev, length, body_hash = row
        feed, key_id = self.by_no[no], KeyId(self.key_ids[key_no])
        place = (feed.feed_id, seq, prev or feed.feed_id, clock)
        if body is None:
            return detached_header(kind, dictionary, place, key_id, length, body_hash), None, feed
        entry = make_entry(EntryKind(kind), dictionary, place, key_id, body)
        return header_of(entry), body, feed

    def hash_again(self, arrival: int) -> bytes:
        """Return the hash of a stored entry, worked out from what is stored."""
        return hash_header(self.rebuild_header(arrival)[0])

    def clock_of(self, arrival: int) -> int:
        """The hybrid clock of a stored entry."""
        row = self._store.one("SELECT clock FROM entry WHERE arrival = ?", (arrival,))
        assert row is not None
        return int(row[0])

    def heads(self) -> Iterator[tuple[FeedState, Tip]]:
        """Every branch of every feed, in a stable order."""
        for feed_id in sorted(self.feeds):
            feed = self.feeds[feed_id]
            for tip in feed.tips:
                yield feed, tip

    def changed_since(self, arrival: int) -> list[tuple[FeedState, Tip]]:
        """Branches that grew after this arrival."""
        return [(feed, tip) for feed, tip in self.heads() if tip.arrival > arrival]

    def run_after(
        self,
        feed: FeedState,
        tip: Tip,
        after: int,
        bytes_max: int,
        bare: Container[bytes] | None = None,
    ) -> tuple[bytes, int, bytes, int] | None:
        """Return (encoded run, last seq, its hash, its arrival) of a branch after a place, or None.

        The run ends at a kept signature and stays below `bytes_max` unless one entry alone is
        larger.

        Args:
            bare: Full hashes of entries that travel without their body, beside those withheld.
        """
        rows = self._rows_after(feed, tip, after, bytes_max)
        rows = cut(rows, bytes_max, feed.thinned)
        if not rows:
            return None
        prev: bytes = feed.feed_id
        first = rows[0][0]
        if first > 1:
            found = self._store.one("SELECT hash FROM entry WHERE arrival = ?", (rows[0][1],))
            assert found is not None
            prev = found[0]
        genesis = feed.encoded if first == 1 else None
        for without in (self.withheld, bare):
            if without:
                rows = [without_body(row) if row[10] in without else row for row in rows]
        outgoing = thinned(rows, feed.thinned, self.key_ids)
        encoded = encode_run(feed.feed_id, genesis, first, prev, outgoing)
        return encoded, rows[-1][0], rows[-1][10], rows[-1][11]

    def last_before(self, feed: FeedState, arrival: int) -> tuple[int, bytes] | None:
        """Return (seq, hash) of the furthest entry of a feed that had arrived by then."""
        row = self._store.one(
            "SELECT seq, hash FROM entry WHERE feed = ? AND arrival <= ? ORDER BY seq DESC LIMIT 1",
            (feed.no, arrival),
        )
        return (row[0], row[1]) if row else None

    def _rows_after(
        self, feed: FeedState, tip: Tip, after: int, bytes_max: int
    ) -> list[tuple[Any, ...]]:
        asked = (
            "SELECT seq, parent, kind, dictionary, clock, scope_key, body, signature, length,"
            " body_hash, hash, arrival FROM entry WHERE"
        )
        if len(feed.tips) == 1:
            # A limit that is bound has SQLite plan the question anew each time.
            asked += f" feed = ? AND seq > ? ORDER BY seq LIMIT {rows_for(bytes_max)}"
            return self._store.all(asked, (feed.no, after))
        rows, arrival = [], tip.arrival
        while arrival:
            row = self._store.one(f"{asked} arrival = ?", (arrival,))
            if row is None or row[0] <= after:
                break
            rows.append(row)
            arrival = row[1]
        rows.reverse()
        return rows[:ROWS_MAX]

    def places(self, feed: FeedState, tip: Tip, seqs: Sequence[int]) -> list[tuple[int, bytes]]:
        """Return (seq, hash) of a branch at these places, walking back from its tip."""
        wanted, found, arrival = set(seqs), [], tip.arrival
        if len(feed.tips) == 1:
            marks = ",".join("?" * len(wanted))
            return self._store.all(
                f"SELECT seq, hash FROM entry WHERE feed = ? AND seq IN ({marks}) ORDER BY seq",
                (feed.no, *sorted(wanted)),
            )
        while arrival:
            row = self._store.one(
                "SELECT seq, hash, parent FROM entry WHERE arrival = ?", (arrival,)
            )
            assert row is not None
            if row[0] in wanted:
                found.append((int(row[0]), bytes(row[1])))
            arrival = row[2] if len(found) < len(wanted) else 0
        return found[::-1]
