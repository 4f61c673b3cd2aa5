"""A whole look at a book: every entry hashed again, every kept signature checked, rows rebuilt.

`check` only reads and needs no more than the file and its key; `inspect` also builds the rows
again, beside what is there, and says whether they are the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

from protocols.errors import LedgerError
from protocols.feeds.entry import signature_holds
from protocols.feeds.run import CLOCK_MAX
from protocols.ledger.book import Ledger
from protocols.ledger.chain import Chain
from protocols.ledger.store import Store, open_copy
from protocols.records.catalogue import ROW_TABLES
from protocols.records.shape import columns

PROBLEMS_MAX = 50
"""Problems listed one by one; more are only counted."""
PAGE = 1000
"""Entries read at a time: about a megabyte."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What an inspection found."""

    entries: int
    feeds: int
    signatures: int
    ok: bool
    problems: tuple[str, ...]
    """Code, feed and seq of each; nothing of a patient."""
    rows_equal: bool | None
    """Whether rows built anew from the entries are those that were there; None: not looked at."""


@dataclass(slots=True)
class _Look:
    """What is counted on the way."""

    entries: int = 0
    signatures: int = 0
    wrong: int = 0
    problems: list[str] = field(default_factory=list)

    def note(self, problem: str) -> None:
        self.wrong += 1
        if len(self.problems) < PROBLEMS_MAX:
            self.problems.append(problem)


def check(store: Store) -> Findings:
    """Check file, hashes, links between entries and kept signatures. Changes nothing."""
    look = _Look()
    try:
        feeds = _check(store, look)
    except LedgerError as error:
        look.note(error.code)
        feeds = 0
    problems = (*look.problems, *_and_more(look))
    return Findings(look.entries, feeds, look.signatures, not problems, problems, None)


def check_copy(path: Path, key: bytes) -> Findings:
    """Check a copy of a book that nobody else has open, such as a backup just made."""
    try:
        store = open_copy(path, key)
    except LedgerError as error:
        return Findings(0, 0, 0, False, (error.code,), None)
    try:
        return check(store)
    finally:
        store.close()


def inspect(ledger: Ledger) -> Findings:
    """Check everything; rows that differ from what the entries say are left as built anew."""
    found = check(ledger.store)
    if not found.ok:
        return found
    try:
        different = _rebuilt(ledger)
    except LedgerError as error:
        return replace(found, ok=False, problems=(error.code,))
    problems = tuple(f"rows {name}" for name in different)
    return replace(found, ok=not different, problems=problems, rows_equal=not different)


def _check(store: Store, look: _Look) -> int:
    for (line,) in store.all("PRAGMA integrity_check(20)"):
        if line != "ok":
            look.note("integrity")
    for _ in store.all("PRAGMA cipher_integrity_check") if store.path is not None else ():
        look.note("altered_page")
    if look.problems:
        return 0
    chain = Chain(store)
    for entry in _entries(store):
        _check_entry(chain, look, *entry)
    for feed, tip in chain.heads():
        held = store.one(
            "SELECT hash, signature IS NOT NULL FROM entry WHERE arrival = ?", (tip.arrival,)
        )
        if held is None or held[0] != tip.hash:
            look.note(f"head {feed.feed_id!s} {tip.seq}")
        elif not held[1]:
            # Everything below a signed head is covered by it, and only by it.
            look.note(f"unsigned {feed.feed_id!s} {tip.seq}")
    # What was opened after the ends of branches were last written down.
    for feed_no, arrival in store.all(
        "SELECT s.feed, s.entry FROM strand s LEFT JOIN entry e ON e.arrival = s.entry"
        " WHERE e.arrival IS NULL ORDER BY s.entry"
    ):
        look.note(f"lost {feed_no} {arrival}")
    return len(chain.feeds)


def _entries(store: Store) -> Iterator[tuple[Any, ...]]:
    last = 0
    while page := store.all(
        "SELECT e.arrival, e.hash, e.feed, e.seq, e.clock, e.signature, p.feed, p.seq FROM entry e"
        " LEFT JOIN entry p ON p.arrival = e.parent WHERE e.arrival > ? ORDER BY e.arrival LIMIT ?",
        (last, PAGE),
    ):
        yield from page
        last = page[-1][0]


def _check_entry(chain: Chain, look: _Look, arrival: int, held: bytes, *rest: Any) -> None:
    feed_no, seq, clock, signature, *parent = rest
    look.entries += 1
    feed = chain.by_no.get(feed_no)
    if feed is None:
        look.note(f"feed {feed_no} {seq}")
        return
    if parent != ([None, None] if seq == 1 else [feed_no, seq - 1]):
        look.note(f"link {feed.feed_id!s} {seq}")
        return
    if chain.hash_again(arrival) != held:
        look.note(f"hash {feed.feed_id!s} {seq}")
    if signature is None:
        return
    look.signatures += 1
    good = 0 <= clock < CLOCK_MAX and signature_holds(
        feed.genesis.device, feed.feed_id, seq, held, clock, signature
    )
    if not good:
        look.note(f"signature {feed.feed_id!s} {seq}")


def _and_more(look: _Look) -> tuple[str, ...]:
    more = look.wrong - len(look.problems)
    return (f"more {more}",) if more else ()


class _Unchanged(Exception):
    """No error: it takes an equal rebuild back."""


def _rebuilt(ledger: Ledger) -> list[str]:
    """Build the rows again; keep them, and return their tables, only where they differ."""
    ledger.catch_up_all()
    # Else what was kept would be worked out again when the rebuild is taken back.
    ledger.write_down()
    before = _row_sums(ledger)
    different: list[str] = []
    try:
        with ledger.atomic():
            ledger.rebuild_rows()
            after = _row_sums(ledger)
            different = [name for name, digest in after.items() if before[name] != digest]
            if not different:
                # Taken back, so that nobody who follows the rows is sent all of them again.
                raise _Unchanged
    except _Unchanged:
        pass
    return different


def _row_sums(ledger: Ledger) -> dict[str, bytes]:
    """What each row table holds, beside the order in which it changed."""
    sums = {}
    for table in ROW_TABLES:
        names = ", ".join(("subject", *(name for name, _ in columns(table))))
        total = blake2b(digest_size=16)
        cursor = ledger.store.execute(f"SELECT {names} FROM {table.TABLE} ORDER BY 1, entry, idx")
        for row in cursor:
            total.update(repr(row).encode())
        sums[table.TABLE] = total.digest()
    return sums
