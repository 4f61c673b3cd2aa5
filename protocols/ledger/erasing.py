"""Carrying out erases: bodies, strands and rows go, headers stay and go on verifying.

What has to go is judged in `trust.erasure`; here it is found in the book and dropped, piece by
piece, each in one transaction. A crash between two pieces loses nothing: what is still to go is
worked out from the control records again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import NamedTuple

from msgspec.structs import replace

from protocols.feeds.entry import SALT_BYTES, hash_body
from protocols.feeds.feed import Genesis, decode_genesis
from protocols.feeds.lane import Lane
from protocols.feeds.run import Line, Run
from protocols.ids import DocId, EntryHash, PatientId, ScopeId, SiteId
from protocols.ledger.authority import Authority
from protocols.ledger.chain import Chain, FeedState
from protocols.ledger.opening import ERASED
from protocols.ledger.store import Store
from protocols.trust.erasure import PREFIX_BYTES, Ordered

PIECE_ENTRIES = 64
"""Bodies dropped in one transaction, about 15 ms with their rows."""
PIECE_DOCUMENTS = 4
"""Documents dropped beside them, of at most about a thousand strands each."""
ASKED_AT_ONCE = 500
_ANSWERS = "SELECT slot, no, answer FROM answered"
_ANSWERED = re.compile(rb'"feed":"([^"]+)","seq":(\d+)')
"""Which entry an answer is about."""


class Gone(NamedTuple):
    """What one piece took out of the book."""

    bodies: frozenset[int]
    """Arrivals of entries that have no body any more."""
    documents: tuple[int, ...]
    subjects: tuple[int, ...]
    prefixes: tuple[bytes, ...]
    """Of all entries that were strands of these documents."""
    again: tuple[int, ...]
    """Arrivals of those of them that keep their body: nobody named them."""


class Eraser:
    """What has to go from one book. Changes only inside a transaction."""

    def __init__(self, store: Store, chain: Chain, authority: Authority) -> None:
        self._store = store
        self._chain = chain
        self._authority = authority
        self._erasures = authority.erasures
        self._due: dict[bytes, int] = {}
        """Full hash → arrival of the entries whose bodies have to go."""
        self._documents: dict[int, bytes] = {}
        """Local number → id of the documents that have to go."""
        self._kept: set[bytes] = set()
        """Named by an erase that does not count here or is held up: their bodies stay."""
        self._gone: set[bytes] = set()
        """Named, here, and without a body: nothing has to be asked of them again."""
        self._begun: set[bytes] = set()
        """Prefixes of those: no document begins with one any more."""
        self.unsettled = False
        """Whether something may have to be wiped or confirmed."""
        chain.withheld = self._due

    # What has to go

    @property
    def due(self) -> int:
        """How many entries and documents still have to go."""
        return len(self._due) + len(self._documents)

    def look(self) -> None:
        """Work out again what has to go: the control records have changed."""
        if not self._erasures.any:
            return
        self._due.clear()
        self._kept.clear()
        names = [name for name in self._erasures.names() if name not in self._gone]
        for at in range(0, len(names), ASKED_AT_ONCE):
            self._look_at(names[at : at + ASKED_AT_ONCE])
        self._documents = {
            no: doc_id
            for doc_id in self._erasures.documents()
            if doc_id not in self._begun
            for no, scope in self._document(doc_id)
            if self._erasures.stands(doc_id, scope, self._authority.roster)
        }
        self._chain.revision += 1
        self.unsettled = True

    def _look_at(self, names: Sequence[bytes]) -> None:
        wanted = set(names)
        found = self._chain.names.find_all({name[:PREFIX_BYTES] for name in names})
        marks = ",".join("?" * len(found))
        for arrival, digest, feed_no, bare in self._store.all(
            "SELECT arrival, hash, feed, body IS NULL FROM entry"
            f" WHERE kind = 0 AND arrival IN ({marks})",
            list(found.values()),
        ):
            if digest not in wanted:
                continue
            if bare:
                self._note_gone((digest,))
            elif self._stands(digest, self._chain.by_no[feed_no].genesis):
                self._due[digest] = arrival
            else:
                self._kept.add(digest)

    def _note_gone(self, names: Iterable[bytes]) -> None:
        for name in names:
            self._gone.add(name)
            self._begun.add(name[:PREFIX_BYTES])

    def _document(self, doc_id: bytes) -> list[tuple[int, ScopeId]]:
        """Return (local number, the operation's scope) of a document, if it is here."""
        found = [
            (no, self._scope(decode_genesis(genesis)))
            for no, genesis in self._store.all(
                "SELECT d.no, f.genesis FROM entry e JOIN document d ON d.no = e.doc"
                " JOIN feed f ON f.no = e.feed WHERE e.arrival = ? AND d.doc_id = ?",
                (self._chain.names.find(doc_id), doc_id),
            )
        ]
        return [(no, scope) for no, scope in found if scope is not None]

    def _scope(self, genesis: Genesis) -> ScopeId | None:
        return self._authority.roster.scope_of(ScopeId(genesis.scope), genesis.device)

    def _stands(self, name: bytes, genesis: Genesis) -> bool:
        scope = self._scope(genesis)
        return scope is not None and self._erasures.stands(name, scope, self._authority.roster)

    # What comes in

    def bare(self, run: Run) -> Run:
        """Return a run without the bodies that have to go: they are never stored at all."""
        if not self._erasures.any:
            return run
        genesis = self._genesis(run)
        if genesis is None or not any(self._erases(line, genesis) for line in run.lines):
            return run
        self.unsettled = True
        lines = [
            replace(line, body=None) if self._erases(line, genesis) else line for line in run.lines
        ]
        return Run(run.feed, run.genesis, tuple(lines))

    def may_lack(self, run: Run) -> bool:
        """Whether every body that a run leaves out was ordered away by two who may."""
        genesis = self._genesis(run)
        scope = self._scope(genesis) if genesis is not None else None
        if scope is None or genesis is None or genesis.lane == Lane.CONTROL:
            return False
        return all(
            line.body is not None
            or self._erasures.may_lack(line.hash, scope, self._authority.roster)
            for line in run.lines
        )

    def founds_erased(self, prefix: bytes, feed: FeedState) -> bool:
        """Whether an entry would begin a document that has to go."""
        return self._erasures.is_named(prefix) and self._stands(prefix, feed.genesis)

    def why_lacking(self, entry: bytes) -> str:
        """Say why an entry has no body here, as the list of what waits has it."""
        return "erased" if self._erasures.is_named(entry) else "body"

    def _genesis(self, run: Run) -> Genesis | None:
        return decode_genesis(run.genesis) if run.genesis else self._chain.genesis_of(run.feed)

    def _erases(self, line: Line, genesis: Genesis) -> bool:
        named = line.kind == 0 and line.body is not None and self._erasures.is_named(line.hash)
        return named and self._stands(line.hash, genesis)

    # Dropping

    def take_piece(self) -> Gone:
        """Drop a bounded piece of what has to go. Inside a transaction."""
        due = dict(islice(self._due.items(), PIECE_ENTRIES))
        marks = ",".join("?" * len(due))
        rows = self._store.all(
            f"SELECT arrival, doc, body FROM entry WHERE arrival IN ({marks})", list(due.values())
        )
        documents = {doc for _, doc, _ in rows if doc is not None}
        documents.update(islice(self._documents, PIECE_DOCUMENTS))
        strands, subjects = self._drop_documents(tuple(documents))
        self._drop_bodies([(arrival, body) for arrival, _, body in rows])
        self._drop_answers(rows, strands, subjects)
        self._note_unwiped(due, documents)
        later = set(self._due.values())
        for name in due:
            del self._due[name]
        for doc in documents:
            self._documents.pop(doc, None)
        self._note_gone(due)
        self._chain.revision += 1
        return Gone(
            frozenset(due.values()),
            tuple(documents),
            tuple(subjects),
            tuple(prefix for _, prefix in strands),
            tuple(arrival for arrival, _ in strands if arrival not in later),
        )

    def _drop_documents(
        self, documents: Sequence[int]
    ) -> tuple[list[tuple[int, bytes]], list[int]]:
        """Drop documents whole; return (arrival, prefix) of their strands, and their subjects."""
        marks = ",".join("?" * len(documents))
        strands = self._store.all(
            f"SELECT entry, prefix FROM strand WHERE doc IN ({marks})", documents
        )
        subjects = self._store.all(
            f"SELECT DISTINCT subject FROM document WHERE no IN ({marks})", documents
        )
        self._store.execute(f"DELETE FROM strand WHERE doc IN ({marks})", documents)
        self._store.execute(f"DELETE FROM document WHERE no IN ({marks})", documents)
        self._store.executemany(
            "UPDATE entry SET doc = NULL WHERE arrival = ?", [(arrival,) for arrival, _ in strands]
        )
        return [(arrival, prefix) for arrival, prefix in strands], [no for (no,) in subjects]

    def _drop_bodies(self, bodies: Sequence[tuple[int, bytes]]) -> None:
        self._store.executemany(
            "UPDATE entry SET body = NULL, length = ?, body_hash = ? WHERE arrival = ?",
            [(len(body) - SALT_BYTES, hash_body(body), arrival) for arrival, body in bodies],
        )
        self._store.executemany(
            "INSERT OR REPLACE INTO unopened VALUES (?, 0, 'erased', NULL)",
            [(arrival,) for arrival, _ in bodies],
        )

    def _drop_answers(
        self,
        rows: Sequence[tuple[int, int | None, bytes]],
        strands: Sequence[tuple[int, bytes]],
        subjects: Sequence[int],
    ) -> None:
        """Drop what was answered to those who wrote it here, and drafts about whom it concerned."""
        own = self._own({row[0] for row in rows} | {arrival for arrival, _ in strands})
        places = [
            (slot, no)
            for slot, no, answer in (self._store.execute(_ANSWERS) if own else ())
            if (about := _ANSWERED.search(answer)) and about.groups() in own
        ]
        self._store.executemany("DELETE FROM answer_place WHERE slot = ? AND no = ?", places)
        self._store.executemany("DELETE FROM answered WHERE no = ?", [(no,) for _, no in places])
        for no in subjects:
            for name in self._names_of(no):
                self._store.execute(
                    "DELETE FROM draft WHERE subject = :name OR instr(fields, :name)",
                    {"name": name},
                )

    def _own(self, arrivals: Iterable[int]) -> set[tuple[bytes, bytes]]:
        """Return (feed, seq) of those of these entries that were written on this device."""
        found = set()
        for arrival in arrivals:
            row = self._store.one("SELECT feed, seq FROM entry WHERE arrival = ?", (arrival,))
            feed = self._chain.by_no[row[0]] if row else None
            if row and feed and feed.genesis.device == self._authority.device:
                found.add((str(feed.feed_id).encode(), b"%d" % row[1]))
        return found

    def _names_of(self, subject: int) -> tuple[str, ...]:
        row = self._store.one("SELECT id FROM subject WHERE no = ?", (subject,))
        return (str(PatientId(row[0])), str(SiteId(row[0]))) if row else ()

    def drop_subjects(self, subjects: Sequence[int]) -> None:
        """Forget subjects that no document is about any more; their rows are gone already."""
        for no in subjects:
            if not self.documents_of(no):
                self._store.execute("DELETE FROM subject WHERE no = ?", (no,))

    def documents_of(self, subject: int) -> list[int]:
        """Local numbers of the documents about a subject."""
        found = self._store.all("SELECT no FROM document WHERE subject = ?", (subject,))
        return [no for (no,) in found]

    # Wiping and confirming

    def _note_unwiped(self, due: Iterable[bytes], documents: Iterable[int]) -> None:
        names = {*due, *(self._documents[no] for no in documents if no in self._documents)}
        erases = {
            erase
            for erase in self._erasures.erases()
            if not names.isdisjoint(_named(self._erasures.erase(erase)))
        }
        erases.update(self.unwiped)
        self._store.execute(
            "INSERT OR REPLACE INTO meta VALUES ('unwiped', ?)", (b"".join(sorted(erases)),)
        )

    @property
    def unwiped(self) -> tuple[EntryHash, ...]:
        """Erases carried out whose text may still lie in freed pages of the file."""
        row = self._store.one("SELECT value FROM meta WHERE name = 'unwiped'")
        held = bytes(row[0]) if row else b""
        return tuple(EntryHash(held[at : at + 32]) for at in range(0, len(held), 32))

    def wipe(self) -> bool:
        """Write the file anew without what was freed in it; False when a reader is in the way."""
        return _wipe(self._store)

    def to_confirm(self) -> list[EntryHash]:
        """Erases that are carried out here whole, and of which nobody was told so yet."""
        unwiped = set(self.unwiped)
        return [
            erase
            for erase in self._erasures.erases()
            if self._is_done(erase) and not self._has_confirmed(erase, again=erase in unwiped)
        ]

    def _is_done(self, erase: EntryHash) -> bool:
        ordered = self._erasures.erase(erase)
        assert ordered is not None
        waiting = self._kept | self._due.keys() | set(self._documents.values())
        return bool(self.scopes_of(erase)) and waiting.isdisjoint(_named(ordered))

    def scopes_of(self, erase: EntryHash) -> list[ScopeId]:
        """The operation's scopes in which an erase counts."""
        charter, roster = self._authority.roster.charter, self._authority.roster
        scopes = (ScopeId(scope.id) for scope in (charter.scopes if charter else ()))
        return [scope for scope in scopes if self._erasures.counts(erase, scope, roster)]

    def _has_confirmed(self, erase: EntryHash, *, again: bool) -> bool:
        """Whether this device said it is done: in this life of it, where that had it once more."""
        own, epoch = self._authority.device, bytes(self._authority.epoch)
        return any(
            said.device == own and (not again or said.epoch == epoch)
            for said in self._erasures.confirmed(erase)
        )

    def settled(self) -> None:
        """Note that the file is wiped and all is confirmed. Inside a transaction."""
        self._store.execute("DELETE FROM meta WHERE name = 'unwiped'")
        self.unsettled = False

    # What came late

    def late(self) -> dict[EntryHash, DocId]:
        """Entries of erased documents that no erase names: sealed here until one does.

        Returns:
            Each with an erased document that it came to.
        """
        waiting = self._store.all(
            "SELECT e.hash, u.need FROM unopened u JOIN entry e ON e.arrival = u.entry"
            " WHERE u.void = 0 AND u.need IS NOT NULL AND e.body IS NOT NULL"
            " AND u.reason IN ('dependency', 'erased') ORDER BY e.arrival"
        )
        found: dict[bytes, bytes] = {}
        due = [each for each in waiting if each[0] not in self._due]
        before = -1
        while before < len(found):
            before = len(found)
            came_to = {digest[:PREFIX_BYTES]: document for digest, document in found.items()}
            for digest, need in due:
                begun = digest[:PREFIX_BYTES] if need == ERASED else None
                document = begun or came_to.get(need) or self._erasures.document_of(need)
                if document is not None:
                    found[digest] = document
        return {EntryHash(digest): DocId(document) for digest, document in found.items()}

    def about_erased(self) -> list[DocId]:
        """Documents about a subject whose first document is erased: they came after it."""
        return [
            DocId(doc_id)
            for subject in self._erasures.documents()
            for (doc_id,) in self._store.all(
                "SELECT d.doc_id FROM document d JOIN subject s ON s.no = d.subject WHERE s.id = ?",
                (subject,),
            )
        ]


def wipe_copy(store: Store) -> None:
    """See that a copy of a book holds nothing of what was erased just before it was made."""
    if store.one("SELECT 1 FROM meta WHERE name = 'unwiped'"):
        _wipe(store)


def _wipe(store: Store) -> bool:
    with store.atomic():
        # Deleted words stay in the index until it is put in order.
        store.execute("INSERT INTO patient_search (patient_search) VALUES ('optimize')")
    return store.vacuum()


def _named(ordered: Ordered | None) -> tuple[bytes, ...]:
    return (*ordered.record.entries, *ordered.record.documents) if ordered else ()
