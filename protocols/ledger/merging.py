"""Merging: strands to documents to rows, each touched document once.

Every entry that is neither void nor waiting is merged, whatever its standing; standing is applied
when rows are made, and nothing is ever unmerged.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from protocols.errors import LedgerError
from protocols.feeds.body import decode_body
from protocols.feeds.document import Document, Strand
from protocols.feeds.varint import put_varint, take_varint
from protocols.ids import DocId, EntryPrefix
from protocols.ledger.chain import Chain, FeedState
from protocols.ledger.rowbook import RowBook, search_words
from protocols.ledger.store import Store
from protocols.records.catalogue import decode_fact, project
from protocols.records.picture import PatientRow
from protocols.records.shape import Fact, Row

CACHED_ENTRIES_MAX = 4096
"""Entries of documents kept merged in memory, about 1 kB each."""
DOCUMENT_ENTRIES_MAX = 1000
"""A writer starts a successor beyond this; a late entry still merges."""

_COLUMNS = (
    "SELECT s.entry, e.hash, e.feed, e.clock, s.plain FROM strand s"
    " JOIN entry e ON e.arrival = s.entry WHERE "
)

_StrandRow = tuple[int, bytes, int, int, bytes]

Touched = Mapping[int, Sequence[int]]
"""Document number → arrivals of its new strands; none means all that are there."""


@dataclass(slots=True)
class _Merged:
    """One document as last merged."""

    document: Document
    facts: list[Fact]


class Merger:
    """Keeps documents and rows in step with strands. All calls inside a transaction."""

    def __init__(
        self,
        store: Store,
        chain: Chain,
        rows: RowBook,
        standing_of: Callable[[FeedState, int], int],
        code_tag_of: Callable[[FeedState], str],
    ) -> None:
        self._store = store
        self._chain = chain
        self._rows = rows
        self._standing_of = standing_of
        self._code_tag_of = code_tag_of
        self._cache: OrderedDict[int, _Merged] = OrderedDict()
        self._cached_entries = 0

    def merge(self, touched: Iterable[tuple[int, Touched]]) -> set[str]:
        """Merge the touched documents of subjects and bring their rows up to date.

        Args:
            touched: (subject number, its documents with new strands).

        Returns:
            Names of the row tables that changed.
        """
        batch: list[tuple[int, bool, Sequence[Row]]] = []
        digests: list[tuple[bytes, int]] = []
        documents: list[tuple[int, bytes, int]] = []
        words: list[tuple[int, str]] = []
        for subject, docs in touched:
            for doc, arrivals in docs.items():
                document = self._document(doc, arrivals).document
                documents.append((len(document.entries), b"".join(document.heads), doc))
            row = self._store.one("SELECT id, kind, digest FROM subject WHERE no = ?", (subject,))
            assert row is not None
            facts = self.facts_of(subject)
            rows = project(row[1], DocId(row[0]), facts)
            prefixes = {fact.entry: bytes(fact.prefix) for fact in facts}
            batch.append((subject, row[2] is not None, rows))
            digests.append((self._rows.digest(rows, prefixes), subject))
            words += [(subject, _words(each)) for each in rows if isinstance(each, PatientRow)]
        self._store.executemany(
            "UPDATE document SET entries = ?, heads = ? WHERE no = ?", documents
        )
        self._store.executemany("UPDATE subject SET digest = ?, dirty = 0 WHERE no = ?", digests)
        self._index(words)
        return self._rows.write(batch)

    def facts_of(self, subject: int) -> list[Fact]:
        """All facts of a subject in display order, with their standing."""
        facts: list[Fact] = []
        for (doc,) in self._store.all(
            "SELECT no FROM document WHERE subject = ? ORDER BY no", (subject,)
        ):
            facts += self._document(doc).facts
        facts.sort(key=lambda fact: (fact.order, fact.index))
        return facts

    def heads_of(self, doc: int) -> tuple[bytes, ...]:
        """Entries of a document that nothing depends on yet: what a writer names."""
        return self._document(doc).document.heads

    def export(self, doc: int) -> bytes:
        """Return one document as a standard automerge file."""
        return self._document(doc).document.export()

    def forget(self) -> None:
        """Drop everything cached: after a failed transaction or a change of standing."""
        self._cache.clear()
        self._cached_entries = 0

    def _document(self, doc: int, arrivals: Sequence[int] = ()) -> _Merged:
        merged = self._cache.get(doc)
        if merged is None:
            merged = self._cache[doc] = _Merged(Document(), [])
            self._grow(doc, merged, self._store.all(_COLUMNS + "s.doc = ? ORDER BY s.entry", (doc,)))
        elif arrivals:
            marks = ",".join("?" * len(arrivals))
            where = f"s.entry IN ({marks}) ORDER BY s.entry"
            self._grow(doc, merged, self._store.all(_COLUMNS + where, tuple(arrivals)))
        self._cache.move_to_end(doc)
        return merged

    def _grow(self, doc: int, merged: _Merged, rows: Sequence[_StrandRow]) -> None:
        rows = [row for row in rows if row[1][:16] not in merged.document.entries]
        if not rows:
            return
        strands = []
        for _, digest, _, _, plain in rows:
            body = decode_body(plain)
            values = tuple([put_varint(kind) + value for kind, value in body.facts])
            strands.append(Strand(digest[:16], body.dependencies, values))
        late = merged.document.extend(strands)
        if late:
            raise LedgerError("document_order", waiting=len(late))
        merged.facts += self._read(doc, merged.document, rows, strands)
        merged.document.release()
        self._cached_entries += len(rows)
        while self._cached_entries > CACHED_ENTRIES_MAX and len(self._cache) > 1:
            _, dropped = self._cache.popitem(last=False)
            self._cached_entries -= len(dropped.document.entries)

    def _read(
        self,
        doc: int,
        document: Document,
        rows: Sequence[_StrandRow],
        strands: Sequence[Strand],
    ) -> list[Fact]:
        whole = len(document.entries) == len(strands)
        wanted = [(s.prefix, index) for s in strands for index in range(len(s.values))]
        held = document.facts(None if whole else wanted)
        row = self._store.one("SELECT doc_id, lane FROM document WHERE no = ?", (doc,))
        assert row is not None
        doc_id, lane = DocId(row[0]), row[1]
        facts = []
        for (entry, digest, feed_no, clock, _), strand in zip(rows, strands, strict=True):
            feed = self._chain.by_no[feed_no]
            prefix = EntryPrefix(digest[:16])
            for index in range(len(strand.values)):
                value = held[prefix, index]
                kind, at = take_varint(value, 0)
                facts.append(
                    Fact(
                        entry=entry,
                        index=index,
                        prefix=prefix,
                        kind=kind,
                        record=decode_fact(kind, value[at:]),
                        doc=doc,
                        doc_id=doc_id,
                        lane=lane,
                        author=feed_no,
                        code_tag=self._code_tag_of(feed),
                        clock_ms=clock >> 16,
                        order=(clock, prefix),
                        standing=self._standing_of(feed, kind),
                    )
                )
        return facts

    def _index(self, words: Sequence[tuple[int, str]]) -> None:
        if not words:
            return
        self._store.executemany(
            "DELETE FROM patient_search WHERE rowid = ?", [(subject,) for subject, _ in words]
        )
        self._store.executemany(
            "INSERT INTO patient_search (rowid, words) VALUES (?,?)",
            [(subject, search_words(text)) for subject, text in words if text],
        )


def _words(row: PatientRow) -> str:
    """What a patient is found by: names, code with and without its hyphens, tag."""
    return " ".join((row.name, row.also, row.code, row.code.replace("-", ""), row.tag))
