"""What the entries of one document add up to, and the only file that knows automerge.

No byte made elsewhere reaches automerge as structure: every node builds each change from the
facts of the entry with the one encoder below, values pass as opaque bytes, and no automerge
transaction is ever opened. A `Document` is a cache: entries rebuild it at any time.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence, Set
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from itertools import groupby
from typing import Any, NamedTuple, TypeVar

import automerge.core as automerge

from protocols.errors import LedgerError
from protocols.feeds.varint import put_varint

SHAPES_KEPT = 1024
"""Column layouts remembered, one per distinct run of value lengths; about 0.5 kB each."""
SHAPE_FACTS_MAX = 8
"""Entries with more facts than this seldom repeat their lengths, so their layout is not kept."""

_MAGIC = b"\x85\x6f\x4a\x83"
_FIRST_OF_ACTOR = b"\x01"
_NO_TIME_MESSAGE_OTHER_ACTORS = b"\0\0\0"
_KEYS, _INSERT, _ACTION, _LENGTHS, _VALUES, _PREDECESSORS = 21, 52, 66, 86, 87, 112
_KEY_BYTES = 37
_BYTES_TYPE = 7

_Answer = TypeVar("_Answer")


Fact = tuple[bytes, int]
"""Entry prefix and index; a `FactRef` is one."""


class Strand(NamedTuple):
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
    prefix, _, values = strand
    lengths = tuple(map(len, values))
    shape = _kept_shape if len(lengths) <= SHAPE_FACTS_MAX else _shape
    columns, seams, middle, tail = shape(lengths)
    body = b"".join(
        (
            put_varint(len(dep_hashes)),
            *sorted(dep_hashes),
            b"\x10",
            prefix,
            _FIRST_OF_ACTOR,
            put_varint(start_op),
            _NO_TIME_MESSAGE_OTHER_ACTORS,
            columns,
            prefix.hex().encode().join(seams),
            middle,
            *values,
            tail,
        )
    )
    hashed = b"\x01" + put_varint(len(body)) + body
    digest = sha256(hashed).digest()
    return _MAGIC + digest[:4] + hashed, digest


@dataclass(slots=True)
class Document:
    """What a set of entries adds up to, whatever the order they came in."""

    _changes: dict[bytes, tuple[bytes, int]] = field(default_factory=dict)
    """Entry prefix → change hash and highest operation so far."""
    _chunks: list[bytes] = field(default_factory=list)
    """The changes, each after those it depends on. Loading them is quicker than a saved file."""
    _heads: set[bytes] = field(default_factory=set)
    _book: automerge.Document | None = None

    def extend(self, strands: Iterable[Strand]) -> list[Strand]:
        """Merge entries, in any order, and return those whose dependencies are not here yet.

        Entries already merged are passed over. Costs one load however many come: give all that
        arrived at once.

        Raises:
            LedgerError: `document_rebuild` when automerge fails or disagrees; nothing was merged.
        """
        ordered, waiting = _in_causal_order(strands, self._changes)
        if not ordered:
            return waiting
        changes, chunks, heads = dict(self._changes), list(self._chunks), set(self._heads)
        for strand in ordered:
            prefix, deps, values = strand
            before = [changes[dep] for dep in deps]
            last_op = max([op for _, op in before], default=0)
            chunk, digest = encode_change(strand, [known for known, _ in before], last_op + 1)
            changes[prefix] = digest, last_op + len(values)
            chunks.append(chunk)
            heads.difference_update(deps)
            heads.add(prefix)
        book = _load(chunks, sorted(changes[head][0] for head in heads))
        self._changes, self._chunks, self._heads, self._book = changes, chunks, heads, book
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
        return tuple(sorted(self._changes[head][0] for head in self._heads))

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
        return _ask(self._read, only)

    def export(self) -> bytes:
        """Return a standard automerge file.

        Raises:
            LedgerError: `document_rebuild` when automerge fails; build it anew from entries.
        """
        return _ask(self._open().save)

    def release(self) -> None:
        """Drop what automerge holds; the next question loads it again."""
        self._book = None

    def _open(self) -> automerge.Document:
        if self._book is None:
            self._book = _load(self._chunks, list(self.change_heads))
        return self._book

    def _read(self, only: Iterable[Fact] | None) -> dict[Fact, bytes]:
        book, root = self._open(), automerge.ROOT
        if only is not None:
            return {fact: _value(book.get(root, fact_key(*fact))) for fact in only}
        unhex = bytes.fromhex
        return {
            (unhex(key[:32]), int(key[33:], 16)): _value(held)
            for key, held in zip(book.keys(root), book.values(root), strict=True)
        }


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
        prefix, deps, _ = strand
        if prefix in here or prefix in placed or prefix in absent:
            continue
        missing = [dep for dep in deps if dep not in placed and dep not in here]
        if missing:
            absent[prefix] = len(missing)
            waiting.append(strand)
            for dep in missing:
                blocked.setdefault(dep, []).append(strand)
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


def _shape(lengths: tuple[int, ...]) -> tuple[bytes, list[bytes], bytes, bytes]:
    """Lay out the columns of a change with values of these lengths.

    Returns what comes before the keys, the pieces that one prefix joins into the keys, what
    stands between keys and values, and what follows the values.
    """
    count = len(lengths)
    if not count:
        return b"\0", [b""], b"", b""
    falses, puts = put_varint(count), _repeated(count, b"\x01")
    predecessors = _repeated(count, b"\0")
    metadata = _run_lengths([put_varint(length * 16 + _BYTES_TYPE) for length in lengths])
    literal = _put_signed(-count)
    columns = [
        (_KEYS, len(literal) + count * (1 + _KEY_BYTES)),
        (_INSERT, len(falses)),
        (_ACTION, len(puts)),
        (_LENGTHS, len(metadata)),
        (_VALUES, sum(lengths)),
        (_PREDECESSORS, len(predecessors)),
    ]
    present = [(spec, size) for spec, size in columns if size]
    listed = b"".join([put_varint(number) for column in present for number in column])
    size = bytes((_KEY_BYTES,))
    seams = [literal + size, *[b".%04x" % index + size for index in range(count - 1)]]
    seams.append(b".%04x" % (count - 1))
    return bytes((len(present),)) + listed, seams, falses + puts + metadata, predecessors


_kept_shape = lru_cache(SHAPES_KEPT)(_shape)


def _run_lengths(items: list[bytes]) -> bytes:
    """Return automerge's run-length form.

    A run is n and its item; -n announces n items of which no two neighbours are equal.
    """
    out: list[bytes] = []
    literal: list[bytes] = []
    for item, group in groupby(items):
        count = sum(1 for _ in group)
        if count == 1:
            literal.append(item)
            continue
        if literal:
            out += _put_signed(-len(literal)), *literal
            literal = []
        out += _put_signed(count), item
    if literal:
        out += _put_signed(-len(literal)), *literal
    return b"".join(out)


def _repeated(count: int, item: bytes) -> bytes:
    return _put_signed(count if count > 1 else -1) + item


def _put_signed(number: int) -> bytes:
    """Return the shortest signed LEB128."""
    out = bytearray()
    while not -64 <= number < 64:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number & 0x7F)
    return bytes(out)


def _load(chunks: list[bytes], change_heads: list[bytes]) -> automerge.Document:
    """Return automerge's document of our own changes, proven to end where we say it ends."""
    book = _ask(automerge.Document.load, b"".join(chunks))
    if sorted(book.get_heads()) != change_heads:
        raise LedgerError("document_rebuild", reason="heads", changes=len(chunks))
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
    except BaseException as error:
        reason = type(error).__name__
        if not isinstance(error, Exception) and reason != "PanicException":
            raise
        raise LedgerError("document_rebuild", reason=reason) from None
