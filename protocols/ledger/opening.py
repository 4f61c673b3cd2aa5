"""Opening entries: sealed line to strand of a document, or void, or waiting.

Three answers that never depend on a clock, a quota or what a library liked: they follow from the
bytes and from what is here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from enum import IntEnum
from itertools import islice
from typing import NamedTuple

import msgspec

from protocols.feeds.body import Body, VoidBody, decode_body
from protocols.feeds.dictionary import inflate, known
from protocols.feeds.entry import open_body, open_released
from protocols.ids import DocId, KeyId, ScopeId
from protocols.ledger.chain import FeedState
from protocols.ledger.names import ASKED_AT_ONCE, Names
from protocols.ledger.store import Store
from protocols.records.catalogue import decode_fact
from protocols.records.document import opened

PREFIXES_KEPT = 65_536
"""Entry prefixes remembered with their document: what most dependencies name."""
ERASED = b"erased"
"""What an entry waits for that would begin an erased document: that it need not go any more."""
PARKED_MAX = 4096
"""Entries that came before what they depend on and are kept at hand, about 1 kB each: several
feeds travel side by side, so most wait for a moment only. More are set aside in the book."""


class Sealed(msgspec.Struct, frozen=True, gc=False):
    """A data entry that is in the book and not opened yet."""

    arrival: int
    feed: FeedState
    header: bytes
    body: bytes | None
    hash: bytes


class Fresh(msgspec.Struct, frozen=True, gc=False):
    """A strand as it was opened, at hand for merging."""

    arrival: int
    prefix: bytes
    """The first 16 bytes of its hash."""
    feed: int
    """Local number."""
    clock: int
    body: Body


class Opened(msgspec.Struct, frozen=True, gc=False):
    """An entry that is now a strand of a document."""

    doc: int
    subject: int
    fresh: Fresh


class DocumentStage(IntEnum):
    """How far a document has come: written down three times at most, not at every entry."""

    NEW = 0
    """Not merged yet."""
    OPEN = 1
    """A writer may go on in it."""
    FULL = 2
    """A writer starts a successor."""


class Begun(NamedTuple):
    """What a batch began."""

    subjects: Sequence[tuple[int, bytes, int]]
    """(number, id, kind)."""
    documents: Sequence[tuple[int, bytes, int, bytes, int, bytes | None]]
    """(number, id, number of its subject, scope as its feed names it, lane, encounter)."""


class Missing(Exception):
    """It waits; `args` = (reason, what it needs)."""


_Answer = tuple[bytes, Body] | VoidBody | Missing
"""What reading one entry came to: its plain text and body, or why not."""


class Opener:
    """Turns sealed entries into strands. All calls inside a transaction."""

    def __init__(  # noqa: PLR0913 - it asks this many things of the book
        self,
        store: Store,
        names: Names,
        key_of: Callable[[bytes], bytes | None],
        scope_of: Callable[[bytes], ScopeId | None],
        founds_erased: Callable[[bytes, FeedState], bool] = lambda *_: False,
        released: Callable[[bytes], bytes | None] = lambda _: None,
        why_lacking: Callable[[bytes], str] = lambda _: "body",
        expect: Callable[[Begun], None] = lambda _: None,
    ) -> None:
        """Take what it asks.

        Args:
            founds_erased: Whether an entry, by its prefix, would begin an erased document.
            released: The key of one body, by full hash, where only that was released to us.
            why_lacking: What an entry waits for that has no body here, by full hash.
            expect: Told what is begun where it is merged later.
        """
        self._store = store
        self._names = names
        self._key_of = key_of
        self._scope_of = scope_of
        self._founds_erased = founds_erased
        self._released = released
        self._why_lacking = why_lacking
        self._expect = expect
        self._keys: dict[bytes, bytes] = {}
        """Scope keys met so far: an open key never closes."""
        self._docs: dict[bytes, int] = {}
        self._absent: set[bytes] = set()
        """Dependencies of the batch at hand that are in no document yet: not here, or waiting."""
        self._doc_facts: dict[int, tuple[int, bytes, int]] = {}
        self._subjects: dict[bytes, tuple[int, int]] = {}
        self._no_subjects: set[bytes] = set()
        """Ids that the batch at hand may found subjects under, and that none has yet."""
        self._new_subjects: list[tuple[int, bytes, int]] = []
        self._new_documents: list[tuple[int, bytes, int, bytes, int, bytes | None]] = []
        self._last_subject = self._highest("subject")
        self._last_document = self._highest("document")
        self._parked: dict[bytes, list[tuple[Sealed, _Answer]]] = {}
        self.parked = 0
        """Entries kept at hand until what they depend on comes."""
        self._needs: defaultdict[bytes, list[int]] = defaultdict(list)
        for arrival, need in store.all(
            "SELECT entry, need FROM unopened WHERE void = 0 AND need IS NOT NULL"
        ):
            self._needs[need].append(arrival)

    def _highest(self, table: str) -> int:
        row = self._store.one(f"SELECT max(no) FROM {table}")
        return (row[0] or 0) if row else 0

    def open(
        self, sealed: Sequence[Sealed], begin: Callable[[Begun], None] | None = None
    ) -> tuple[list[Opened], list[int]]:
        """Open entries in the order given.

        Args:
            sealed: The entries.
            begin: Told what is begun, where this transaction merges all that is opened in it.

        Returns:
            What became strands, and arrivals of waiting entries that can be tried again now.
        """
        due = [(entry, self._try(entry)) for entry in sealed]
        bodies = [(e.hash[:16], answer[1]) for e, answer in due if isinstance(answer, tuple)]
        self._look_up(body for _, body in bodies)
        self._look_up_subjects(prefix for prefix, body in bodies if not body.dependencies)
        opened: list[Opened] = []
        strands: list[tuple[int, int, bytes, int, int, bytes]] = []
        again: list[int] = []
        docs, absent = self._docs, self._absent
        # Grows while it is walked: what was parked follows what it waited for.
        for entry, answer in due:
            arrival, prefix = entry.arrival, entry.hash[:16]
            try:
                if isinstance(answer, Exception):
                    raise answer
                plain, body = answer
                first = body.dependencies[0] if body.dependencies else None
                if first in absent and first not in docs and self.parked < PARKED_MAX:
                    # Feeds travel side by side: two of five come before what they go on from.
                    self._parked.setdefault(first, []).append((entry, answer))
                    self.parked += 1
                    continue
                doc, subject = self._place(entry, prefix, body)
            except VoidBody as reason:
                self._set_aside(arrival, 1, str(reason), None)
                # It is judged: what depends on it does not wait for it.
                absent.discard(prefix)
            except Missing as missing:
                self._wait(entry, answer, missing)
                continue
            else:
                clock, feed = int.from_bytes(entry.header[75:83]), entry.feed.no
                strands.append((doc, arrival, prefix, feed, clock, plain))
                opened.append(Opened(doc, subject, Fresh(arrival, prefix, feed, clock, body)))
                docs[prefix] = doc
            if self._needs:
                again += self._needs.pop(prefix, [])
            if self._parked:
                parked = self._parked.pop(prefix, ())
                self.parked -= len(parked)
                due += parked
        self._forget_oldest()
        self._found_all(begin)
        self._no_subjects.clear()
        self._keep(strands)
        self._store.executemany(
            "DELETE FROM unopened WHERE void = 0 AND entry = ?", [(arrival,) for arrival in again]
        )
        return opened, again

    def set_parked_aside(self) -> None:
        """Write down that what is still parked waits."""
        for need, parked in self._parked.items():
            for entry, _ in parked:
                self._set_aside(entry.arrival, 0, "dependency", need)
        self._parked.clear()
        self.parked = 0

    def forget(self, prefixes: Iterable[bytes], documents: Iterable[int]) -> None:
        """Drop what is remembered of documents that are gone, and of whom they were about."""
        for prefix in prefixes:
            self._docs.pop(prefix, None)
        for doc in documents:
            self._doc_facts.pop(doc, None)
        self._subjects.clear()

    def try_again(self, arrivals: Iterable[int]) -> list[int]:
        """Forget that these entries wait for whatever it is; return those that do."""
        found = [
            (arrival, need)
            for arrival in arrivals
            for (need,) in self._store.all(
                "SELECT need FROM unopened WHERE void = 0 AND entry = ?", (arrival,)
            )
        ]
        for arrival, need in found:
            self._store.execute("DELETE FROM unopened WHERE entry = ?", (arrival,))
            if need in self._needs:
                self._needs[need] = [each for each in self._needs[need] if each != arrival]
        return [arrival for arrival, _ in found]

    def wait_for_key(self, arrival: int, key_id: KeyId) -> None:
        """Have an entry wait for a key that is not here."""
        self._set_aside(arrival, 0, "key", bytes(key_id))

    def waiting_on(self, need: bytes) -> list[int]:
        """Forget and return the entries that waited for this key or prefix."""
        arrivals = self._needs.pop(need, [])
        self._store.executemany(
            "DELETE FROM unopened WHERE entry = ?", [(arrival,) for arrival in arrivals]
        )
        return arrivals

    def _keep(
        self, strands: Sequence[tuple[int, int, bytes, int, int, bytes]], *, placed: bool = False
    ) -> None:
        """Write strands down.

        Args:
            placed: Their entries say already which documents they are of.
        """
        self._store.executemany("INSERT OR REPLACE INTO strand VALUES (?,?,?,?,?,?)", strands)
        if placed:
            return
        self._store.executemany(
            "UPDATE entry SET doc = ? WHERE arrival = ?", [strand[:2] for strand in strands]
        )

    def adopt(
        self,
        prefix: bytes,
        plain: bytes,
        body: Body,
        entry: Sealed,
        place: tuple[int, int] | None,
        begin: Callable[[Begun], None],
    ) -> Opened:
        """Place an entry written here, whose body is at hand.

        Args:
            begin: As in `open`.
            place: Numbers of the document it goes on in and of its subject; None when it founds.
        """
        doc, subject = place or self._place(entry, prefix, body)
        self._found_all(begin)
        self._remember(prefix, doc)
        clock = int.from_bytes(entry.header[75:83])
        strand = (doc, entry.arrival, prefix, entry.feed.no, clock, plain)
        self._keep([strand], placed=place is not None)
        return Opened(doc, subject, Fresh(entry.arrival, prefix, entry.feed.no, clock, body))

    def _subject_no(self, subject_id: bytes, kind: int) -> int:
        """Return the local number of a subject, new or known."""
        known = self._subjects.get(subject_id)
        if known is None and subject_id not in self._no_subjects:
            row = self._store.one("SELECT no, kind FROM subject WHERE id = ?", (subject_id,))
            known = (row[0], row[1]) if row else None
        if known is None:
            self._last_subject += 1
            known = (self._last_subject, kind)
            self._new_subjects.append((self._last_subject, subject_id, kind))
        elif kind and not known[1]:
            self._found_all()
            self._store.execute("UPDATE subject SET kind = ? WHERE no = ?", (kind, known[0]))
            known = (known[0], kind)
        if len(self._subjects) >= PREFIXES_KEPT:
            self._found_all()
            self._subjects.clear()
            self._no_subjects.clear()
        self._subjects[subject_id] = known
        return known[0]

    def _found_all(self, begin: Callable[[Begun], None] | None = None) -> None:
        """Write down the subjects and documents that were begun.

        Args:
            begin: As in `open`; with it nothing has to say that they are not merged yet.
        """
        if not self._new_documents and not self._new_subjects:
            return
        subjects, self._new_subjects = self._new_subjects, []
        documents, self._new_documents = self._new_documents, []
        dirty, stage = (0, DocumentStage.OPEN) if begin else (1, DocumentStage.NEW)
        if subjects:
            self._store.executemany(
                "INSERT INTO subject (no, id, kind, dirty) VALUES (?,?,?,?)",
                [(*each, dirty) for each in subjects],
            )
        if documents:
            self._store.executemany(
                "INSERT INTO document (no, doc_id, subject, scope, lane, encounter, stage)"
                " VALUES (?,?,?,?,?,?,?)",
                [(*each, stage) for each in documents],
            )
        (begin or self._expect)(Begun(subjects, documents))

    def _look_up(self, bodies: Iterable[Body]) -> None:
        """Recall in few questions which documents a batch goes on in, and what is not here."""
        asked: set[bytes] = set()
        for body in bodies:
            asked.update(body.dependencies)
        unknown = {prefix for prefix in asked if prefix not in self._docs}
        held = self._names.find_all(unknown)
        self._absent = unknown - held.keys()
        prefix_of = {arrival: prefix for prefix, arrival in held.items()}
        arrivals = list(prefix_of)
        for start in range(0, len(arrivals), ASKED_AT_ONCE):
            some = arrivals[start : start + ASKED_AT_ONCE]
            for arrival, doc, void in self._store.all(
                "SELECT e.arrival, e.doc, u.void FROM entry e"
                " LEFT JOIN unopened u ON u.entry = e.arrival"
                f" WHERE e.arrival IN ({','.join('?' * len(some))})",
                some,
            ):
                if doc:
                    self._remember(prefix_of[arrival], doc)
                elif not void:
                    self._absent.add(prefix_of[arrival])

    def _look_up_subjects(self, founding: Iterable[bytes]) -> None:
        """Learn in few questions which entries that found documents found no known subject."""
        asked = [prefix for prefix in founding if prefix not in self._subjects]
        self._no_subjects = set(asked)
        for start in range(0, len(asked), ASKED_AT_ONCE):
            some = asked[start : start + ASKED_AT_ONCE]
            for (found,) in self._store.all(
                f"SELECT id FROM subject WHERE id IN ({','.join('?' * len(some))})", some
            ):
                self._no_subjects.discard(found)

    def _wait(self, entry: Sealed, answer: _Answer, missing: Missing) -> None:
        reason, need = missing.args
        if reason == "dependency" and self.parked < PARKED_MAX:
            self._parked.setdefault(need, []).append((entry, answer))
            self.parked += 1
        else:
            self._set_aside(entry.arrival, 0, reason, need)

    def _try(self, entry: Sealed) -> _Answer:
        try:
            return self._read(entry)
        except (VoidBody, Missing) as answer:
            return answer

    def _read(self, entry: Sealed) -> tuple[bytes, Body]:
        header, dictionary = entry.header, entry.header[2]
        if entry.body is None:
            raise Missing(self._why_lacking(entry.hash), None)
        key_id = header[83:115]
        key = self._keys.get(key_id) or self._key_of(key_id)
        packed: bytes | None = None
        if key is None:
            # A wrong key of one body says nothing of the body.
            released = self._released(entry.hash)
            packed = open_released(header, entry.body, released) if released else None
            if packed is None:
                raise Missing("key", key_id)
        if not known(dictionary):
            raise Missing("dictionary", None)
        if key is not None:
            self._keys[key_id] = key
            packed = open_body(header, entry.body, key)
        if packed is None:
            raise VoidBody("seal")
        plain = inflate(dictionary, packed)
        return plain, decode_body(plain)

    def _place(self, entry: Sealed, prefix: bytes, body: Body) -> tuple[int, int]:
        if not body.dependencies:
            return self._found(entry, prefix, body)
        dependencies = body.dependencies
        first = dependencies[0]
        doc = self._docs.get(first) or self._doc_of(first)
        if len(dependencies) > 1 and {self._doc_of(other) for other in dependencies} != {doc}:
            raise VoidBody("dependencies")
        subject, scope, lane = self._doc_facts.get(doc) or self._facts_of(doc)
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
        if self._founds_erased(prefix, entry.feed):
            raise Missing("erased", ERASED)
        about = opened(decode_fact(*body.facts[0]), doc_id) if body.facts else None
        whose, kind = (about.subject, int(about.subject_kind)) if about else (doc_id, 0)
        subject = self._subject_no(whose, kind)
        genesis = entry.feed.genesis
        scope, lane = genesis.scope, int(genesis.lane)
        self._last_document = doc = self._last_document + 1
        encounter = about.encounter if about else None
        self._new_documents.append((doc, doc_id, subject, scope, lane, encounter))
        self._doc_facts[doc] = (subject, scope, lane)
        return doc, subject

    def _doc_of(self, dependency: bytes) -> int:
        doc = self._docs.get(dependency)
        if doc:
            return doc
        if dependency in self._absent:
            raise Missing("dependency", dependency)
        row = self._store.one(
            "SELECT e.doc, u.void FROM entry e LEFT JOIN unopened u ON u.entry = e.arrival"
            " WHERE e.arrival = ?",
            (self._names.find(dependency),),
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
            # What was begun in this batch is only remembered: it would be forgotten below.
            self._found_all()
            row = self._store.one("SELECT subject, scope, lane FROM document WHERE no = ?", (doc,))
            assert row is not None
            if len(self._doc_facts) >= PREFIXES_KEPT:
                self._doc_facts.clear()
            facts = self._doc_facts[doc] = (row[0], row[1], row[2])
        return facts

    def _remember(self, prefix: bytes, doc: int) -> None:
        self._docs[prefix] = doc
        self._forget_oldest()

    def _forget_oldest(self) -> None:
        """Keep the later half of the prefixes that are remembered once they are too many."""
        # Half at a time: a plain dict is half as large as one that is ordered for such drops.
        if len(self._docs) > PREFIXES_KEPT:
            for prefix in list(islice(self._docs, PREFIXES_KEPT // 2)):
                del self._docs[prefix]

    def _set_aside(self, arrival: int, void: int, reason: str, need: bytes | None) -> None:
        self._store.execute(
            "INSERT OR REPLACE INTO unopened VALUES (?,?,?,?)", (arrival, void, reason, need)
        )
        if need is not None:
            self._needs[need].append(arrival)
