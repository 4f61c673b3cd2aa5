"""The floor of the receiving path: the least that taking 60,000 signed entries can cost here.

A bare loop with nothing around it: chain hash, one signature per 32, XChaCha20, inflate, SQLCipher
with FULL in batches, change encoding, one `Document.load` a document, typed decode and row
inserts. No forks, no waiting, no standing, no search, no protocol; it believes what it is given.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

import automerge.core as automerge
import sqlcipher3
from nacl._sodium import ffi, lib
from nacl.bindings import crypto_sign_open

from protocols.feeds.body import decode_body
from protocols.feeds.dictionary import inflate
from protocols.feeds.document import Strand, encode_change
from protocols.feeds.entry import HEADER, signed_text
from protocols.feeds.lane import Lane
from protocols.feeds.varint import put_varint
from protocols.ledger.book import Ledger
from protocols.records.catalogue import decode_fact
from protocols.records.note import NoteAdd
from protocols.records.observation import ObservationRecord
from protocols.records.patient import PatientRegister

BATCH = 512
"""Entries a transaction, about one frame of 32 KiB."""
SIGNED_EVERY = 32
_TABLES = """
CREATE TABLE entry (no INTEGER PRIMARY KEY, feed INTEGER, seq INTEGER, hash BLOB, clock INTEGER,
  body BLOB, signature BLOB);
CREATE INDEX entry_hash ON entry (hash);
CREATE TABLE patient (no INTEGER PRIMARY KEY, id BLOB, family TEXT, given TEXT, sex INTEGER,
  band INTEGER, tag TEXT, phone TEXT, village TEXT, district TEXT, kin TEXT, at_ms INTEGER);
CREATE TABLE observation (entry INTEGER, patient INTEGER, code INTEGER, mantissa INTEGER,
  scale INTEGER, unit INTEGER, at_ms INTEGER);
CREATE TABLE note (entry INTEGER, patient INTEGER, text TEXT, at_ms INTEGER);
"""


class Given(NamedTuple):
    """One entry as the wire would bring it, and what a receiver knows of its feed."""

    feed: bytes
    device: bytes
    seq: int
    prev: bytes
    clock: int
    dictionary: int
    key_id: bytes
    body: bytes
    signature: bytes | None


class Opened(NamedTuple):
    """One entry after decryption."""

    prefix: bytes
    clock: int
    dependencies: tuple[bytes, ...]
    facts: tuple[tuple[int, bytes], ...]


def given(ledger: Ledger) -> tuple[list[Given], dict[bytes, bytes]]:
    """Return every data entry of a book in the order written, and the keys that open them."""
    chain, found = ledger.chain, []
    last = {feed.no: feed.feed_id for feed in chain.feeds.values()}
    for no, seq, dictionary, clock, key, body, signature, digest in ledger.store.execute(
        "SELECT feed, seq, dictionary, clock, scope_key, body, signature, hash FROM entry"
        " WHERE kind = 0 ORDER BY arrival"
    ):
        feed = chain.by_no[no]
        assert feed.genesis.lane != Lane.CONTROL
        kept = signature if seq % SIGNED_EVERY == 0 else None
        key_id = chain.key_ids[key]
        place = (feed.feed_id, feed.genesis.device, seq, last[no], clock, dictionary, key_id)
        found.append(Given(*place, body, kept))
        last[no] = digest
    keys = {each.key_id: ledger.authority.key_of(each.key_id) for each in found}
    return found, {name: key for name, key in keys.items() if key}


def receive(entries: Sequence[Given], keys: dict[bytes, bytes], folder: Path, key: bytes) -> float:
    """Take all entries into a new book in `folder`; return the seconds it took."""
    db = _database(folder, key)
    began = time.perf_counter()
    opened: list[Opened] = []
    for start in range(0, len(entries), BATCH):
        opened += _take(db, entries[start : start + BATCH], keys, start)
    documents = _documents(opened)
    for start in range(0, len(documents), BATCH // 6):
        _merge(db, documents[start : start + BATCH // 6], start)
    took = time.perf_counter() - began
    db.close()
    return took


def store(entries: Sequence[Given], folder: Path, key: bytes) -> float:
    """Check and store all entries without opening any; return the seconds it took."""
    db = _database(folder, key)
    began = time.perf_counter()
    for start in range(0, len(entries), BATCH):
        rows = _checked(entries[start : start + BATCH], start)
        _write(db, rows)
    took = time.perf_counter() - began
    db.close()
    return took


def bare_table(folder: Path, key: bytes) -> Any:
    """Return a database with one table, to time single durable rows in."""
    db = _database(folder, key)
    db.execute("CREATE TABLE bare (no INTEGER PRIMARY KEY, body BLOB)")
    return db


def bare_row(db: Any, no: int) -> float:
    """Make one row of 100 bytes durable; return the seconds it took."""
    began = time.perf_counter()
    db.execute("BEGIN IMMEDIATE")
    db.execute("INSERT INTO bare VALUES (?,?)", (no, bytes(100)))
    db.execute("COMMIT")
    return time.perf_counter() - began


def _database(folder: Path, key: bytes) -> Any:
    db = sqlcipher3.connect(str(folder / "floor.db"), isolation_level=None)
    db.execute(f"PRAGMA key = \"x'{key.hex()}'\"")
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "cache_size=-8192"):
        db.execute(f"PRAGMA {pragma}").fetchall()
    db.execute("PRAGMA wal_autocheckpoint=4000")
    for statement in _TABLES.split(";"):
        db.execute(statement)
    return db


def _take(db: Any, entries: Sequence[Given], keys: dict[bytes, bytes], start: int) -> list[Opened]:
    rows, opened, feeds = [], [], {}
    for no, entry in enumerate(entries, start):
        feed, _, seq, _, clock, dictionary, key_id, body, signature = entry
        head, digest = _chained(entry)
        plain = inflate(dictionary, _open(head, body, keys[key_id]))
        said = decode_body(plain)
        opened.append(Opened(digest[:16], clock, said.dependencies, said.facts))
        rows.append((no, feeds.setdefault(feed, len(feeds)), seq, digest, clock, body, signature))
    _write(db, rows)
    return opened


def _checked(entries: Sequence[Given], start: int) -> list[tuple[Any, ...]]:
    rows, feeds = [], {}
    for no, entry in enumerate(entries, start):
        feed, _, seq, _, clock, _, _, body, signature = entry
        _, digest = _chained(entry)
        rows.append((no, feeds.setdefault(feed, len(feeds)), seq, digest, clock, body, signature))
    return rows


def _chained(entry: Given) -> tuple[bytes, bytes]:
    """Return header and hash of an entry, its signature checked where it carries one."""
    feed, device, seq, prev, clock, dictionary, key_id, body, signature = entry
    body_hash = blake2b(body, digest_size=32, person=b"fm-bodyhash-1").digest()
    head = HEADER.pack(1, 0, dictionary, feed, seq, prev, clock, key_id, len(body) - 8, body_hash)
    digest = blake2b(head, digest_size=32, person=b"fm-entry-1").digest()
    if signature is not None:
        crypto_sign_open(signature + signed_text(feed, seq, digest, clock), device)
    return head, digest


def _write(db: Any, rows: Sequence[tuple[Any, ...]]) -> None:
    db.execute("BEGIN IMMEDIATE")
    db.executemany("INSERT INTO entry VALUES (?,?,?,?,?,?,?)", rows)
    db.execute("COMMIT")


def _open(head: bytes, body: bytes, key: bytes) -> bytes:
    place, salt, sealed = head[3:43], body[:8], body[8:]
    body_key = blake2b(
        place + head[43:75] + salt, key=key, digest_size=32, person=b"fm-body-1"
    ).digest()
    nonce = blake2b(place, digest_size=16, person=b"fm-nonce-1").digest() + salt
    plain = bytearray(len(sealed) - 16)
    failed = lib.crypto_aead_xchacha20poly1305_ietf_decrypt(
        ffi.from_buffer(plain), ffi.NULL, ffi.NULL, sealed, len(sealed), head[:-32], 119,
        nonce, body_key,
    )  # fmt: skip
    assert not failed
    return bytes(plain)


def _documents(opened: Sequence[Opened]) -> list[list[Opened]]:
    of: dict[bytes, list[Opened]] = {}
    for entry in opened:
        document = of[entry.dependencies[0]] if entry.dependencies else []
        document.append(entry)
        of[entry.prefix] = document
    return [of[entry.prefix] for entry in opened if not entry.dependencies]


def _merge(db: Any, documents: Sequence[list[Opened]], start: int) -> None:
    patients: list[Any] = []
    observations: list[Any] = []
    notes: list[Any] = []
    for no, document in enumerate(documents, start):
        for at_ms, record in _read(document):
            match record:
                case PatientRegister():
                    patients.append((no, document[0].prefix, *_patient(record), at_ms))
                case ObservationRecord(_, _, code, mantissa, scale, unit):
                    observations.append((0, no, code, mantissa, scale, unit, at_ms))
                case NoteAdd(_, _, text):
                    notes.append((0, no, text, at_ms))
    db.execute("BEGIN IMMEDIATE")
    db.executemany("INSERT INTO patient VALUES (?,?,?,?,?,?,?,?,?,?,?,?)", patients)
    db.executemany("INSERT INTO observation VALUES (?,?,?,?,?,?,?)", observations)
    db.executemany("INSERT INTO note VALUES (?,?,?,?)", notes)
    db.execute("COMMIT")


def _read(document: list[Opened]) -> list[tuple[int, Any]]:
    """Load one document and decode what it holds."""
    hashes: dict[bytes, tuple[bytes, int]] = {}
    changes: list[bytes] = []
    clocks: dict[str, int] = {}
    for entry in document:
        before = [hashes[dependency] for dependency in entry.dependencies]
        last = max((operation for _, operation in before), default=0)
        values = tuple([put_varint(kind) + value for kind, value in entry.facts])
        strand = Strand(entry.prefix, entry.dependencies, values)
        change, digest = encode_change(strand, [each for each, _ in before], last + 1)
        changes.append(change)
        hashes[entry.prefix] = (digest, last + len(values))
        clocks[entry.prefix.hex()] = entry.clock >> 16
    book = automerge.Document.load(b"".join(changes))
    facts = []
    for name, held in zip(book.keys(automerge.ROOT), book.values(automerge.ROOT), strict=True):
        value = bytes(held[0][1])
        facts.append((clocks[name[:32]], decode_fact(value[0], value[1:])))
    return facts


def _patient(record: PatientRegister) -> tuple[Any, ...]:
    return (
        record.family_name, record.given_name, record.sex, record.band,
        record.tags[0] if record.tags else "", record.phone, record.village, record.district,
        record.kin_name,
    )  # fmt: skip
