"""What the entries of one document add up to, and the only file that knows automerge.

No byte made elsewhere reaches automerge as structure: every node builds each change from the
facts of the entry with the one encoder below, values pass as opaque bytes, and no automerge
transaction is ever opened. A `Document` is a cache: entries rebuild it at any time.
"""

from __future__ import annotations

from binascii import hexlify
from collections.abc import Callable, Collection, Container, Iterable, Sequence, Set
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from itertools import groupby
from typing import Any, TypeVar

import automerge.core as automerge
import msgspec

from protocols.errors import LedgerError
from protocols.feeds.body import FACTS_MAX
from protocols.feeds.varint import put_varint

NUMBERS_KEPT = 4096
"""Numbers whose encoding is remembered; about 100 bytes each."""
FRAMES_KEPT = 32
"""Fact counts whose columns are remembered; at most 60 kB each."""

_MAGIC = b"\x85\x6f\x4a\x83"
_NO_COLUMNS = b"\0"
_KEYS, _INSERT, _ACTION, _LENGTHS, _VALUES, _PREDECESSORS = b"\x15", b"4", b"B", b"V", b"W", b"p"
"""Column specs 21, 52, 66, 86, 87 and 112."""
_KEY_BYTES = 37
_BYTES_TYPE = 7
_TAILS = [f".{index:04x}" for index in range(FACTS_MAX)]

_Answer = TypeVar("_Answer")

Fact = tuple[bytes, int]
"""Entry prefix and index; a `FactRef` is one."""


class Strand(msgspec.Struct, frozen=True, gc=False):
    """One entry's part of one document."""

    prefix: bytes
    """First 16 bytes of the entry's hash."""
    deps: tuple[bytes, ...]
    """Prefixes of the entries of the same document that the author had seen last; unique."""
    values: tuple[bytes, ...]
    """The entry's facts in their order; opaque."""


def fact_key(prefix: bytes, index: int) -> str:
    """Return the name of one fact in the automerge map: 32 hex digits, a point and 4 more."""
    return f"{prefix.hex()}.{index:04x}"


def encode_change(
    strand: Strand, dep_hashes: Sequence[bytes], start_op: int
) -> tuple[bytes, bytes]:
    """Return the automerge change of one entry, and its hash.

    Args:
        strand: At most 1,024 facts.
        dep_hashes: Change hashes of its dependencies, in any order.
        start_op: 1 + the highest operation of its dependencies; 1 without any.

    Source: the automerge binary format, chunk type 1, as `protocols/README.md` narrows it.
    """
    prefix, values = strand.prefix, strand.values
    columns = _columns(prefix, values) if values else (_NO_COLUMNS,)
    hashes = dep_hashes if len(dep_hashes) < 2 else sorted(dep_hashes)
    # A 16-byte actor and its seq 1; then time 0, an empty message, no other actors.
    start = (_varint(len(hashes)), *hashes, b"\x10", prefix, b"\x01", _varint(start_op), b"\0\0\0")
    body = b"".join((*start, *columns))
    hashed = b"\x01" + _varint(len(body)) + body
    digest = sha256(hashed).digest()
    return _MAGIC + digest[:4] + hashed, digest


_Change = tuple[bytes, int, int, tuple[bytes, ...], bytes]
"""Of one merged entry: change hash, last operation, how many facts, dependencies, the change.

A plain tuple, because building a named one costs a tenth of encoding the change.
"""


@dataclass(slots=True)
class Document:
    """What a set of entries adds up to, whatever the order they came in."""

    _changes: dict[bytes, _Change] = field(default_factory=dict)
    """By entry prefix, each after those it depends on. Loading changes is quicker than loading
    a saved file, and saving costs more than both.
    """
    _heads: set[bytes] = field(default_factory=set)
    _book: automerge.Document | None = None

    def extend(self, strands: Iterable[Strand], *, load: bool = True) -> list[Strand]:
        """Merge entries, in any order, and return those whose dependencies are not here yet.

        Entries already merged are passed over. Costs one load however many come: give all that
        arrived at once.

        Args:
            load: False leaves automerge out until it is next asked or the document next grows.

        Raises:
            LedgerError: `document_rebuild` when automerge fails or disagrees; nothing was merged.
        """
        changes, heads = dict(self._changes), set(self._heads)
        early = _add(strands, changes, heads)
        # Nearly always there are none: entries are opened after those they go on from.
        ordered, waiting = _in_causal_order(early, changes) if early else ([], [])
        _add(ordered, changes, heads)
        if len(changes) == len(self._changes):
            return waiting
        self._book = _load(changes.values(), _digests(changes, heads)) if load else None
        self._changes, self._heads = changes, heads
        return waiting

    @property
    def entries(self) -> Set[bytes]:
        """Prefixes of the entries merged so far."""
        return self._changes.keys()

    @property
    def heads(self) -> tuple[bytes, ...]:
        """Prefixes of the entries that nothing here depends on, sorted: what a writer names."""
        return tuple(sorted(self._heads))

    @property
    def change_heads(self) -> tuple[bytes, ...]:
        """Change hashes of the heads, sorted; equal on two nodes that hold the same."""
        return _digests(self._changes, self._heads)

    @property
    def max_op(self) -> int:
        """The highest operation, 0 when empty."""
        return max((self._changes[head][1] for head in self._heads), default=0)

    def facts(self, only: Iterable[Fact] | None = None) -> dict[Fact, bytes]:
        """Return (entry prefix, index) → value as automerge holds them.

        Args:
            only: Read just these, which must be here; cheaper for a few of a large document.

        Raises:
            LedgerError: `document_rebuild` when automerge fails; build it anew from entries.
        """
        if only is None:
            return self._asked(self._read_all)
        wanted = list(only)
        assert all(index < self._changes[prefix][2] for prefix, index in wanted)
        return self._asked(
            lambda book: {
                fact: _value(book.get(automerge.ROOT, fact_key(*fact))) for fact in wanted
            }
        )

    def export(self) -> bytes:
        """Return a standard automerge file, the same on every node that holds the same entries.

        Raises:
            LedgerError: `document_rebuild` when automerge fails; build it anew from entries.
        """
        bare = [Strand(prefix, self._changes[prefix][3], ()) for prefix in sorted(self._changes)]
        order, _ = _in_causal_order(bare, ())
        changes = [self._changes[strand.prefix] for strand in order]
        book = _load(changes, self.change_heads)
        return bytes(_ask(book.save))

    def release(self) -> None:
        """Drop what automerge holds in memory; the next question loads it again."""
        self._book = None

    def _asked(self, question: Callable[[automerge.Document], _Answer]) -> _Answer:
        """Ask automerge's document, and drop it when it fails: a panic can poison it."""
        try:
            if self._book is None:
                self._book = _load(self._changes.values(), self.change_heads)
            return _ask(question, self._book)
        except LedgerError:
            self._book = None
            raise

    def _read_all(self, book: automerge.Document) -> dict[Fact, bytes]:
        facts: list[Fact] = []
        keys: list[str] = []
        for prefix in sorted(self._changes):
            name = prefix.hex()
            for index in range(self._changes[prefix][2]):
                facts.append((prefix, index))
                keys.append(name + _TAILS[index])
        if book.keys(automerge.ROOT) != keys:
            raise LedgerError("document_rebuild", reason="facts", changes=len(self._changes))
        return dict(zip(facts, map(_value, book.values(automerge.ROOT)), strict=True))


def _add(
    strands: Iterable[Strand], changes: dict[bytes, _Change], heads: set[bytes]
) -> list[Strand]:
    """Add the changes of entries; return those that came before what they depend on."""
    early: list[Strand] = []
    for strand in strands:
        prefix, deps = strand.prefix, strand.deps
        if prefix in changes:
            continue
        for dep in deps:
            if dep not in changes:
                early.append(strand)
                break
        else:
            changes[prefix] = _change(strand, changes)
            heads.difference_update(deps)
            heads.add(prefix)
    return early


def _change(strand: Strand, changes: dict[bytes, _Change]) -> _Change:
    """Return the change of an entry whose dependencies are among these."""
    deps = strand.deps
    before, dep_hashes = 0, []
    for dep in deps:
        digest, last_op, _, _, _ = changes[dep]
        dep_hashes.append(digest)
        if last_op > before:
            before = last_op
    chunk, digest = encode_change(strand, dep_hashes, before + 1)
    count = len(strand.values)
    return digest, before + count, count, deps, chunk


def _digests(changes: dict[bytes, _Change], heads: Iterable[bytes]) -> tuple[bytes, ...]:
    return tuple(sorted([changes[head][0] for head in heads]))


def _in_causal_order(
    strands: Iterable[Strand], here: Container[bytes]
) -> tuple[list[Strand], list[Strand]]:
    """Split into what can be merged now, each after its dependencies, and what must wait.

    Takes time in proportion to strands and dependencies, in whatever order they come.
    """
    ordered: list[Strand] = []
    placed: set[bytes] = set()
    absent: dict[bytes, int] = {}
    blocked: dict[bytes, list[Strand]] = {}
    waiting: list[Strand] = []
    for strand in strands:
        prefix = strand.prefix
        if prefix in here or prefix in placed or prefix in absent:
            continue
        missing = [dep for dep in strand.deps if dep not in placed and dep not in here]
        if missing:
            absent[prefix] = len(missing)
            waiting.append(strand)
            for dep in missing:
                blocked.setdefault(dep, []).append(strand)
            continue
        if not blocked:
            ordered.append(strand)
            placed.add(prefix)
            continue
        free = [strand]
        while free:
            strand = free.pop()
            ordered.append(strand)
            placed.add(strand.prefix)
            for next_one in blocked.pop(strand.prefix, ()):
                absent[next_one.prefix] -= 1
                if not absent[next_one.prefix]:
                    free.append(next_one)
    return ordered, [strand for strand in waiting if absent[strand.prefix]]


def _columns(prefix: bytes, values: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """Return the columns of a change that puts these values: how many, their sizes, and each."""
    sizes, seams, falses_and_puts, predecessors_size, predecessors = _frame(len(values))
    if len(values) == 1:
        # Most entries: one put, so one length.
        (joined,) = values
        lengths = b"\x7f" + _metadata(len(joined))
    else:
        joined = b"".join(values)
        lengths = _run_lengths([*map(_metadata, map(len, values))])
    return (
        b"\x06" if joined else b"\x05",
        sizes,
        _varint(len(lengths)),
        _VALUES + _varint(len(joined)) if joined else b"",
        predecessors_size,
        hexlify(prefix).join(seams),
        falses_and_puts,
        lengths,
        joined,
        predecessors,
    )


@lru_cache(FRAMES_KEPT)
def _frame(count: int) -> tuple[bytes, list[bytes], bytes, bytes, bytes]:
    """Return what depends only on how many facts there are.

    That is the sizes of the columns up to the lengths, the pieces that one prefix joins into the
    keys, the columns between keys and lengths, and the predecessors with their size.
    """
    literal, size = _signed(-count), bytes((_KEY_BYTES,))
    first, last = literal + size, _TAILS[count - 1].encode()
    seams = [first, *[tail.encode() + size for tail in _TAILS[: count - 1]], last]
    falses, puts, zeros = put_varint(count), _repeated(count, b"\x01"), _repeated(count, b"\0")
    keys_size = put_varint(len(literal) + count * (1 + _KEY_BYTES))
    sizes = (_KEYS, keys_size, _INSERT, _varint(len(falses)), _ACTION, _varint(len(puts)), _LENGTHS)
    zeros_size = _PREDECESSORS + _varint(len(zeros))
    return b"".join(sizes), seams, falses + puts, zeros_size, zeros


@lru_cache(NUMBERS_KEPT)
def _metadata(length: int) -> bytes:
    return put_varint(length * 16 + _BYTES_TYPE)


_varint = lru_cache(NUMBERS_KEPT)(put_varint)


def _run_lengths(items: list[bytes]) -> bytes:
    """Return automerge's run-length form.

    A run is n and its item; -n announces n items of which no two neighbours are equal.
    """
    if len(items) == 2 and items[0] != items[1]:
        return b"\x7e" + items[0] + items[1]
    out: list[bytes] = []
    literal: list[bytes] = []
    for item, group in groupby(items):
        count = sum(1 for _ in group)
        if count == 1:
            literal.append(item)
            continue
        if literal:
            out += _signed(-len(literal)), *literal
            literal = []
        out += _signed(count), item
    if literal:
        out += _signed(-len(literal)), *literal
    return b"".join(out)


def _repeated(count: int, item: bytes) -> bytes:
    return _signed(count if count > 1 else -1) + item


def _signed(number: int) -> bytes:
    """Return the shortest signed LEB128."""
    out = bytearray()
    while not -64 <= number < 64:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number & 0x7F)
    return bytes(out)


def _load(changes: Collection[_Change], heads: tuple[bytes, ...]) -> automerge.Document:
    """Return automerge's document of our own changes, proven to end where we say it ends."""
    book = _ask(automerge.Document.load, b"".join([chunk for _, _, _, _, chunk in changes]))
    if tuple(sorted(_ask(book.get_heads))) != heads:
        raise LedgerError("document_rebuild", reason="heads", changes=len(changes))
    return book


def _value(held: Any) -> bytes:
    return bytes(held[0][1])


def _ask(call: Callable[..., _Answer], *arguments: Any) -> _Answer:
    """Call into automerge; whatever goes wrong there is this device's book, not a crash.

    Raises:
        LedgerError: `document_rebuild`. A panic of the binding arrives as a BaseException.
    """
    try:
        return call(*arguments)
    except LedgerError:
        raise
    except BaseException as error:
        reason = type(error).__name__
        if not isinstance(error, Exception) and reason != "PanicException":
            raise
        raise LedgerError("document_rebuild", reason=reason) from None
