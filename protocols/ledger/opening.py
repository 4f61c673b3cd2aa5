"""Opening entries: sealed line to strand of a document, or void, or waiting.

Three answers that never depend on a clock, a quota or what a library liked: they follow from the
bytes and from what is here.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable
from typing import NamedTuple

from protocols.feeds.body import Body, VoidBody, decode_body
from protocols.feeds.dictionary import inflate, known
from protocols.feeds.entry import open_body
from protocols.ids import DocId, ScopeId
from protocols.ledger.chain import FeedState
from protocols.ledger.store import Store
from protocols.records.catalogue import decode_fact
from protocols.records.document import opened

PREFIXES_KEPT = 65_536
"""Entry prefixes remembered with their document: what most dependencies name."""

NOWHERE = 0


class Sealed(NamedTuple):
    """A data entry that is in the book and not opened yet."""

    arrival: int
    feed: FeedState
    header: bytes
    body: bytes | None
    hash: bytes


class Opened(NamedTuple):
    """An entry that is now a strand of a document."""

    arrival: int
    doc: int
    subject: int


class Missing(Exception):
    """It waits; `args` = (reason, what it needs)."""


class Opener:
    """Turns sealed entries into strands. All calls inside a transaction."""

    def __init__(
        self,
        store: Store,
        key_of: Callable[[bytes], bytes | None],
        scope_of: Callable[[bytes], ScopeId | None],
    ) -> None:
        self._store = store
        self._key_of = key_of
        self._scope_of = scope_of
        self._docs: OrderedDict[bytes, int] = OrderedDict()
        self._doc_facts: dict[int, tuple[int, bytes, int]] = {}
        self._subjects: dict[bytes, int] = {}
        self._needs: defaultdict[bytes, list[int]] = defaultdict(list)
        for arrival, need in store.all(
            "SELECT entry, need FROM unopened WHERE void = 0 AND need IS NOT NULL"
        ):
            self._needs[need].append(arrival)

    def open(self, sealed: Iterable[Sealed]) -> tuple[list[Opened], list[int]]:
        """Open entries in the order given.

        Returns:
            What became strands, and arrivals of waiting entries that can be tried again now.
        """
        opened, strands, again = [], [], []
        for entry in sealed:
            prefix = entry.hash[:16]
            try:
                plain, body = self._read(entry)
                doc, subject = self._place(entry, prefix, body)
            except VoidBody as reason:
                self._set_aside(entry.arrival, 1, str(reason), None)
                again += self._needs.pop(prefix, [])
            except Missing as missing:
                reason, need = missing.args
                self._set_aside(entry.arrival, 0, reason, need)
            else:
                strands.append((entry.arrival, doc, plain))
                opened.append(Opened(entry.arrival, doc, subject))
                self._remember(prefix, doc)
                again += self._needs.pop(prefix, [])
        self._store.executemany("INSERT OR REPLACE INTO strand VALUES (?,?,?)", strands)
        if again:
            marks = ",".join("?" * len(again))
            self._store.execute(f"DELETE FROM unopened WHERE void = 0 AND entry IN ({marks})", again)
        return opened, again

    def waiting_on(self, need: bytes) -> list[int]:
        """Forget and return the entries that waited for this key or prefix."""
        arrivals = self._needs.pop(need, [])
        self._store.executemany(
            "DELETE FROM unopened WHERE entry = ?", [(arrival,) for arrival in arrivals]
        )
        return arrivals

    def adopt(self, prefix: bytes, body: Body, entry: Sealed) -> tuple[int, int]:
        """Place an entry written here, whose body is at hand."""
        doc, subject = self._place(entry, prefix, body)
        self._remember(prefix, doc)
        return doc, subject

    def subject_no(self, subject_id: bytes, kind: int) -> int:
        """Return the local number of a subject, new or known."""
        no = self._subjects.get(subject_id)
        if no is None:
            row = self._store.one("SELECT no, kind FROM subject WHERE id = ?", (subject_id,))
            if row is None:
                no = self._store.execute(
                    "INSERT INTO subject (id, kind) VALUES (?,?)", (subject_id, kind)
                ).lastrowid
            else:
                no = row[0]
                if kind and not row[1]:
                    self._store.execute("UPDATE subject SET kind = ? WHERE no = ?", (kind, no))
            if len(self._subjects) >= PREFIXES_KEPT:
                self._subjects.clear()
            self._subjects[subject_id] = no
        return no

    def _read(self, entry: Sealed) -> tuple[bytes, Body]:
        header, dictionary = entry.header, entry.header[2]
        key_id = header[83:115]
        key = self._key_of(key_id)
        if key is None:
            raise Missing("key", key_id)
        if entry.body is None:
            raise Missing("body", None)
        if not known(dictionary):
            raise Missing("dictionary", None)
        packed = open_body(header, entry.body, key)
        if packed is None:
            raise VoidBody("seal")
        plain = inflate(dictionary, packed)
        return plain, decode_body(plain)

    def _place(self, entry: Sealed, prefix: bytes, body: Body) -> tuple[int, int]:
        if not body.dependencies:
            return self._found(entry, prefix, body)
        docs = {self._doc_of(dependency) for dependency in body.dependencies}
        if len(docs) != 1:
            raise VoidBody("dependencies")
        doc = docs.pop()
        subject, scope, lane = self._facts_of(doc)
        genesis = entry.feed.genesis
        if lane != genesis.lane:
            raise VoidBody("dependencies")
        if scope != genesis.scope:
            self._same_scope(scope, genesis.scope)
        return doc, subject

    def _same_scope(self, held: bytes, written: bytes) -> None:
        """Two scopes are one when an admission mapped them; until it comes we cannot say."""
        ours = [self._scope_of(scope) for scope in (held, written)]
        for scope, mapped in zip((held, written), ours, strict=True):
            if mapped is None:
                raise Missing("admission", scope)
        if ours[0] != ours[1]:
            raise VoidBody("dependencies")

    def _found(self, entry: Sealed, prefix: bytes, body: Body) -> tuple[int, int]:
        doc_id = DocId(prefix)
        about = opened(decode_fact(*body.facts[0]), doc_id) if body.facts else None
        whose, kind = (about.subject, int(about.subject_kind)) if about else (doc_id, 0)
        subject = self.subject_no(whose, kind)
        genesis = entry.feed.genesis
        doc = self._store.execute(
            "INSERT INTO document (doc_id, subject, scope, lane, encounter, entries, heads)"
            " VALUES (?,?,?,?,?,0,x'')",
            (doc_id, subject, genesis.scope, int(genesis.lane), about and about.encounter),
        ).lastrowid
        self._doc_facts[doc] = (subject, genesis.scope, int(genesis.lane))
        return doc, subject

    def _doc_of(self, dependency: bytes) -> int:
        doc = self._docs.get(dependency)
        if doc:
            return doc
        row = self._store.one(
            "SELECT s.doc, u.void FROM entry e LEFT JOIN strand s ON s.entry = e.arrival"
            " LEFT JOIN unopened u ON u.entry = e.arrival WHERE e.hash >= ? AND e.hash <= ?",
            (dependency, dependency + b"\xff" * 16),
        )
        if row is not None and row[1]:
            raise VoidBody("depends_on_void")
        if row is None or row[0] is None:
            raise Missing("dependency", dependency)
        self._remember(dependency, row[0])
        return int(row[0])

    def _facts_of(self, doc: int) -> tuple[int, bytes, int]:
        facts = self._doc_facts.get(doc)
        if facts is None:
            row = self._store.one("SELECT subject, scope, lane FROM document WHERE no = ?", (doc,))
            assert row is not None
            if len(self._doc_facts) >= PREFIXES_KEPT:
                self._doc_facts.clear()
            facts = self._doc_facts[doc] = (row[0], row[1], row[2])
        return facts

    def _remember(self, prefix: bytes, doc: int) -> None:
        self._docs[prefix] = doc
        if len(self._docs) > PREFIXES_KEPT:
            self._docs.popitem(last=False)

    def _set_aside(self, arrival: int, void: int, reason: str, need: bytes | None) -> None:
        self._store.execute(
            "INSERT OR REPLACE INTO unopened VALUES (?,?,?,?)", (arrival, void, reason, need)
        )
        if need is not None:
            self._needs[need].append(arrival)
