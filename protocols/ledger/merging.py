"""Merging: strands to documents to rows, each touched document once.

Every entry that is neither void nor waiting is merged, whatever its standing; standing is applied
when rows are made, and nothing is ever unmerged.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import NamedTuple, Protocol

from protocols.errors import LedgerError
from protocols.feeds.body import decode_body
from protocols.feeds.document import Document, Strand
from protocols.feeds.varint import put_varint
from protocols.ids import DocId, EntryPrefix
from protocols.ledger.chain import Chain, FeedState
from protocols.ledger.opening import Begun, DocumentStage, Fresh
from protocols.ledger.rowbook import RowBook, Spread
from protocols.ledger.store import Store
from protocols.ledger.sums import Sum, Sums, newest_of
from protocols.records.catalogue import decode_fact, project
from protocols.records.history import KEPT_FROM, InOrder
from protocols.records.patient import PatientRow
from protocols.records.shape import Fact, Row, SubjectKind
from protocols.trust.judging import Judgement
from protocols.trust.sessions import Session
from protocols.trust.standing import Standing

CACHED_ENTRIES_MAX = 16_384
"""Entries of documents kept merged in memory, about 1 kB each; beyond it only those of the subject
that is being written about, which would else be read anew at each of its entries."""
CACHED_SUBJECTS_MAX = 1024
"""Subjects of which it is remembered where they are kept, about 1 kB each."""
JUDGEMENTS_MAX = 4096
"""Writers' kinds of which it is remembered whether they count, about 300 B each."""
DOCUMENT_ENTRIES_MAX = 1000
"""A writer starts a successor beyond this; a late entry still merges."""

_STRANDS = "SELECT entry, prefix, feed, clock, plain FROM strand WHERE doc = ? ORDER BY entry"

Touched = Mapping[int, Sequence[Fresh]]
"""Document number → its new strands; none means that the book knows them all."""


class _Place(NamedTuple):
    """Where a document is kept."""

    subject: int
    no: int
    doc_id: bytes
    lane: int
    stage: int
    """A `DocumentStage`."""
    scope: bytes
    """As its feed names it."""
    encounter: bytes | None


@dataclass(slots=True)
class _Subject:
    """Where a subject is kept."""

    id: DocId
    kind: int
    held: int
    """The row tables that hold rows of it, see `RowBook.held_by`."""
    places: dict[int, _Place]
    """Its documents by number, ascending."""
    gathered: tuple[list[tuple[_Merged, int]], InOrder] | None = None
    """Its facts in display order, with the documents they were gathered from and how many of each
    there were: a document that is read anew is another one."""


_NEW, _OPEN, _FULL = map(int, DocumentStage)
_KINDS = [bytes((kind,)) for kind in range(0x80)]
_PLACES = "SELECT subject, no, doc_id, lane, stage, scope, encounter FROM document WHERE "
_WHOLE = (
    "SELECT s.no, s.id, s.kind, s.held, d.no, d.doc_id, d.lane, d.stage, d.scope, d.encounter"
    " FROM subject s LEFT JOIN document d ON d.subject = s.no WHERE s.id = ? ORDER BY d.no"
)
_in_order = attrgetter("order", "index")
_bytes_as = bytes.__new__


@dataclass(slots=True, eq=False)
class _Merged:
    """One document as last merged."""

    subject: int
    document: Document
    facts: list[Fact]
    """Only ever added to."""
    looked_at: dict[tuple[bytes, int], bytes] | None = None
    """What its strands say, where automerge was not asked: compared before rows are made of it."""


class Judge(Protocol):
    """Who says whether a fact counts: the authority of the book."""

    @property
    def revision(self) -> int:
        """Rises whenever `judgement_of` may say something else than before."""

    def judgement_of(self, feed: FeedState, kind: int, session: Session) -> Judgement:
        """Say whether facts of a kind in a feed count, by whom they are."""

    def standing_at(self, judgement: Judgement, feed: FeedState, arrival: int) -> Standing:
        """Say it of one entry, where seals make its place decide."""


class Merger:
    """Keeps documents and rows in step with strands. All calls inside a transaction."""

    def __init__(
        self,
        store: Store,
        chain: Chain,
        rows: RowBook,
        sums: Sums,
        authority: Judge,
        code_tag_of: Callable[[FeedState], str],
    ) -> None:
        self._store = store
        self._chain = chain
        self._rows = rows
        self._sums = sums
        self._judge = authority
        self._code_tag_of = code_tag_of
        self._cache: OrderedDict[int, _Merged] = OrderedDict()
        self._cached_entries = 0
        self._subjects: OrderedDict[int, _Subject] = OrderedDict()
        self._numbers: dict[bytes, int] = {}
        """Of those subjects by their ids."""
        self._looked_at = InOrder()
        """What was last asked for, with what it comes to."""
        self._judgements: dict[tuple[int, int, Session], tuple[int, Judgement | None]] = {}
        """Of feeds, kinds and sessions, as of a revision of what is known of their writers."""
        self._judged_at = 0

    def merge(
        self,
        touched: Iterable[tuple[int, Touched]],
        *,
        passing: bool = False,
        written: int | None = None,
    ) -> set[str]:
        """Merge the touched documents of subjects and bring their rows up to date.

        Args:
            touched: (subject number, its documents with new strands).
            passing: Many more come behind them, so nothing of them is kept at hand. What is
                dropped while a processor still has it near costs it half of what it does later.
            written: The entry of this device's own that brought it, where nothing else waited of
                these subjects and this is no HQ: what they come to is written down later.

        Returns:
            Names of the row tables that changed; that of patients with anything about one of them,
            of whom something newer may be known then.
        """
        touched = list(touched)
        batch: list[tuple[int, int, Spread]] = []
        sums: list[tuple[int, Sum, int]] = []
        stages: list[tuple[int, int]] = []
        patients = False
        self._judge_as_now()
        self._look_up(touched)
        for no, docs in touched:
            subject = self._subjects[no]
            parts: list[_Merged] = []
            for place in list(subject.places.values()):
                merged = self._document(place, docs.get(place.no))
                parts.append(merged)
                full = len(merged.document.entries) >= DOCUMENT_ENTRIES_MAX
                stage = _FULL if full else _OPEN
                if place.stage != stage:
                    stages.append((stage, place.no))
                    subject.places[place.no] = place._replace(stage=stage)
            facts = _gathered(subject, parts)
            rows = self._rows.spread(no, project(subject.kind, subject.id, facts))
            patients = patients or subject.kind == SubjectKind.PATIENT
            if len(facts) < KEPT_FROM:
                facts.history = None
            prefixes = {fact.entry: fact.prefix for fact in facts}
            batch.append((no, subject.held, rows))
            before, subject.held = subject.held, self._rows.held_by(rows)
            come_to = Sum(self._rows.digest(rows, prefixes), newest_of(facts))
            if written is not None and before and before == subject.held:
                self._sums.keep(no, come_to, written)
            else:
                sums.append((no, come_to, subject.held))
            if passing:
                self._drop_documents(subject.places)
                self._forget(no)
        self._store.executemany("UPDATE document SET stage = ? WHERE no = ?", stages)
        self._sums.write(sums)
        tables = self._rows.write(batch, passing=passing)
        if tables and patients:
            tables.add(PatientRow.TABLE)
        return tables

    def facts_of(self, subject: int) -> list[Fact]:
        """All facts of a subject in display order, with their standing."""
        self._judge_as_now()
        self._look_up([(subject, {})])
        known = self._subjects[subject]
        facts = _gathered(
            known, [self._document(place, looking=True) for place in known.places.values()]
        )
        if facts is not self._looked_at:
            if len(self._looked_at) < KEPT_FROM:
                self._looked_at.history = None
            self._looked_at = facts
        return facts

    def subject(self, subject_id: bytes) -> tuple[int, int] | None:
        """Return (number, kind) of a subject, and have at hand where it is kept; None: unknown."""
        no = self._numbers.get(bytes(subject_id))
        if no is None or not self._subjects[no].places:
            # In one question: most commands are about somebody who is not at hand.
            found = self._store.all(_WHOLE, (bytes(subject_id),))
            if not found:
                return None
            no = self._know(*found[0][:4])
            for _, _, _, _, *place in found if found[0][4] is not None else ():
                self._subjects[no].places[place[0]] = _Place(no, *place)
            self._trim(max(CACHED_SUBJECTS_MAX, 1))
        return no, self._subjects[no].kind

    def may_have(self, subject: int, table: type[Row]) -> bool:
        """Whether a subject that is at hand has rows in a table."""
        return self._rows.holds(self._subjects[subject].held, table)

    def open_document(self, subject: int, lane: int, encounter: bytes | None) -> _Place | None:
        """Return the document of a subject that a writer goes on in, if there is one.

        It is the one with the smallest id that is merged and not full. The subject is at hand.
        """
        places = self._subjects[subject].places.values()
        fit = [
            place
            for place in places
            if place.lane == lane and place.encounter == encounter and place.stage == _OPEN
        ]
        return min(fit, key=attrgetter("doc_id"), default=None)

    def begin(self, begun: Begun) -> None:
        """Have at hand what this transaction begins; it merges all of it, too."""
        self._note(begun, _OPEN)
        for no, _, subject, *_ in begun.documents:
            self._cache[no] = _Merged(subject, Document(), [])

    def expect(self, begun: Begun) -> None:
        """Have at hand where to find what was begun and is merged later."""
        self._note(begun, _NEW)

    def _note(self, begun: Begun, stage: int) -> None:
        for no, subject_id, kind in begun.subjects:
            self._know(no, subject_id, kind, 0)
        for no, doc_id, subject, scope, lane, encounter in begun.documents:
            known = self._subjects.get(subject)
            if known is not None and known.kind:
                known.places[no] = _Place(subject, no, doc_id, lane, stage, scope, encounter)
            elif known is not None:
                # This document may be the first to say what it is: that is looked up.
                self._forget(subject)
        self._trim(CACHED_SUBJECTS_MAX)

    def _know(self, no: int, subject_id: bytes, kind: int, held: int) -> int:
        self._subjects[no] = _Subject(DocId(subject_id), kind, held, {})
        self._numbers[bytes(subject_id)] = no
        return no

    def _trim(self, room: int) -> None:
        while len(self._subjects) > room:
            self._forget(next(iter(self._subjects)))

    def _forget(self, no: int) -> None:
        subject_id = bytes(self._subjects.pop(no).id)
        # What was erased and written about anew has another number since.
        if self._numbers.get(subject_id) == no:
            del self._numbers[subject_id]

    def _look_up(self, touched: Sequence[tuple[int, Touched]]) -> None:
        """Have these subjects at hand, with all the documents that are named here."""
        known = self._subjects
        asked = [
            no
            for no, docs in touched
            if no not in known or not docs.keys() <= known[no].places.keys()
        ]
        for no, _ in touched:
            if no in known:
                known.move_to_end(no)
        if not asked:
            return
        marks = ",".join("?" * len(asked))
        for no, subject_id, kind, held in self._store.all(
            f"SELECT no, id, kind, held FROM subject WHERE no IN ({marks})", asked
        ):
            self._know(no, subject_id, kind, held)
        for no, *place in self._store.all(f"{_PLACES} subject IN ({marks}) ORDER BY no", asked):
            known[no].places[place[0]] = _Place(no, *place)
        self._trim(max(CACHED_SUBJECTS_MAX, len(touched)))

    def heads_of(self, doc: int) -> tuple[bytes, ...]:
        """Entries of a document that nothing depends on yet: what a writer names."""
        return self._at(doc).document.heads

    def export(self, doc: int) -> bytes:
        """Return one document as a standard automerge file."""
        return self._at(doc).document.export()

    def drop(self, docs: Iterable[int]) -> None:
        """Forget documents that are gone, and where their subjects are kept."""
        gone, self._looked_at = set(docs), InOrder()
        for no in [no for no, each in self._subjects.items() if not gone.isdisjoint(each.places)]:
            self._forget(no)
        self._drop_documents(gone)

    def _drop_documents(self, docs: Iterable[int]) -> None:
        for doc in docs:
            dropped = self._cache.pop(doc, None)
            if dropped is not None:
                self._cached_entries -= len(dropped.document.entries)

    def forget(self) -> None:
        """Drop everything cached: after a failed transaction or a change of standing."""
        self._cache.clear()
        self._looked_at = InOrder()
        self._cached_entries = 0
        self._subjects.clear()
        self._numbers.clear()
        self._judgements.clear()

    def _at(self, doc: int) -> _Merged:
        merged = self._cache.get(doc)
        if merged is not None:
            return merged
        row = self._store.one(_PLACES + "no = ?", (doc,))
        assert row is not None
        self._judge_as_now()
        return self._document(_Place(*row), looking=True)

    def _document(
        self, place: _Place, fresh: Sequence[Fresh] | None = None, *, looking: bool = False
    ) -> _Merged:
        """Return a document with these new strands; with an empty list, with all in the book.

        Args:
            looking: No rows are made of it: what its strands say is enough, and is compared with
                what automerge holds before any are. Whoever writes loads it once, not twice.
        """
        merged = self._cache.get(place.no)
        known = merged is not None
        if merged is None:
            merged = self._cache[place.no] = _Merged(place.subject, Document(), [])
        # Before it grows: what makes room drops whatever was used longest ago.
        self._cache.move_to_end(place.no)
        if fresh and (known or place.stage == DocumentStage.NEW):
            self._grow(place, merged, fresh)
        elif fresh is not None or not known:
            self._grow(place, merged, self._strands(place.no), looking=looking)
        if merged.looked_at is not None and not looking:
            _held(merged, ())
            merged.document.release()
        return merged

    def _strands(self, doc: int) -> list[Fresh]:
        return [
            Fresh(arrival, prefix, feed, clock, decode_body(plain))
            for arrival, prefix, feed, clock, plain in self._store.all(_STRANDS, (doc,))
        ]

    def _grow(
        self, place: _Place, merged: _Merged, fresh: Sequence[Fresh], *, looking: bool = False
    ) -> None:
        """Merge strands into a document; `looking` as in `_document`."""
        known = merged.document.entries
        if known:
            fresh = [each for each in fresh if each.prefix not in known]
        if not fresh:
            return
        strands = [
            Strand(
                each.prefix, each.body.dependencies, tuple([_tagged(*f) for f in each.body.facts])
            )
            for each in fresh
        ]
        late = merged.document.extend(strands, load=not looking)
        if late:
            raise LedgerError("document_order", waiting=len(late))
        if looking:
            merged.looked_at = _said(strands)
        held = merged.looked_at if looking else _held(merged, strands)
        merged.facts += self._read(place, fresh, held or {})
        merged.document.release()
        self._cached_entries += len(fresh)
        while self._cached_entries > CACHED_ENTRIES_MAX:
            others = (no for no, each in self._cache.items() if each.subject != place.subject)
            gone = next(others, None)
            if gone is None:
                break
            dropped = self._cache.pop(gone)
            self._cached_entries -= len(dropped.document.entries)
            if dropped.subject in self._subjects:
                self._subjects[dropped.subject].gathered = None

    def _read(
        self, place: _Place, fresh: Sequence[Fresh], held: Mapping[tuple[bytes, int], bytes]
    ) -> list[Fact]:
        doc_id, facts = DocId(place.doc_id), []
        no, lane, by_no, judgements = place.no, place.lane, self._chain.by_no, self._judgements
        for each in fresh:
            arrival, feed_no, body = each.arrival, each.feed, each.body
            feed = by_no[feed_no]
            # Cut from a whole hash, so its length is not looked at again.
            prefix, code_tag = _bytes_as(EntryPrefix, each.prefix), self._code_tag_of(feed)
            order, clock_ms = (each.clock, prefix), each.clock >> 16
            session = (body.session_seq, body.session_hash)
            device = feed.genesis.device
            for index, (kind, _) in enumerate(body.facts):
                value = held[prefix, index]
                judged = judgements.get((feed_no, kind, session))
                standing, where = judged or self._judged(feed, kind, session)
                if where is not None:
                    standing = int(self._judge.standing_at(where, feed, arrival))
                record = decode_fact(kind, value[1 if kind < 0x80 else _kind_bytes(kind) :])
                # In the order of its fields: naming them costs as much as making the fact.
                facts.append(
                    Fact(
                        arrival, index, prefix, kind, record, no, doc_id, lane,
                        feed_no, clock_ms, order, standing, code_tag, session, device,
                    )
                )  # fmt: skip
        return facts

    def _judge_as_now(self) -> None:
        """Forget judgements that may be others by now, and those of long ago."""
        revision = self._judge.revision
        if revision != self._judged_at or len(self._judgements) > JUDGEMENTS_MAX:
            self._judgements.clear()
            self._judged_at = revision

    def _judged(self, feed: FeedState, kind: int, session: Session) -> tuple[int, Judgement | None]:
        """Return the standing of facts of a kind, and what to ask where their place decides it."""
        found = self._judge.judgement_of(feed, kind, session)
        judged = (int(found.standing), found if found.sealed else None)
        self._judgements[feed.no, kind, session] = judged
        return judged


def _said(strands: Sequence[Strand]) -> dict[tuple[bytes, int], bytes]:
    return {(s.prefix, index): value for s in strands for index, value in enumerate(s.values)}


def _held(merged: _Merged, strands: Sequence[Strand]) -> Mapping[tuple[bytes, int], bytes]:
    """Return the facts of these strands, or of all, as automerge holds them.

    Raises:
        LedgerError: `document_rebuild` when it holds others than were looked at.
    """
    document, looked_at = merged.document, merged.looked_at
    if looked_at is None and len(document.entries) > len(strands):
        return document.facts(_said(strands))
    held = document.facts()
    if looked_at is not None and any(held[fact] != value for fact, value in looked_at.items()):
        raise LedgerError("document_rebuild", reason="facts", changes=len(document.entries))
    merged.looked_at = None
    return held


def _gathered(subject: _Subject, parts: Sequence[_Merged]) -> InOrder:
    """Return the facts of all documents of a subject in display order.

    Where only a few are new, what was gathered before is not sorted again.
    """
    held = subject.gathered
    came: list[Fact] = []
    facts = InOrder()
    if (
        held is not None
        and len(held[0]) <= len(parts)
        and all(before is now for (before, _), now in zip(held[0], parts, strict=False))
    ):
        facts = held[1]
        counted = [count for _, count in held[0]] + [0] * (len(parts) - len(held[0]))
        for merged, count in zip(parts, counted, strict=True):
            came += merged.facts[count:]
        if not came:
            return facts
    else:
        for merged in parts:
            came += merged.facts
    came.sort(key=_in_order)
    after = not facts or _in_order(facts[-1]) < _in_order(came[0])
    # Another list each time: whoever holds the one before sees what there was then.
    history, facts = facts.history, InOrder([*facts, *came])
    if not after:
        facts.sort(key=_in_order)
    elif history is not None:
        facts.history = history.grown(facts, came)
    subject.gathered = ([(merged, len(merged.facts)) for merged in parts], facts)
    return facts


def _tagged(kind: int, value: bytes) -> bytes:
    """Return a fact as documents hold it: its kind, then its value."""
    return (_KINDS[kind] if kind < 0x80 else put_varint(kind)) + value


def _kind_bytes(kind: int) -> int:
    """How many bytes a fact's kind takes before its value."""
    return len(put_varint(kind))
