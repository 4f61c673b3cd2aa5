"""Row tables: what screens, pages and commands read. Derived; entries can rebuild them."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Any

import msgspec

from protocols.ledger.store import Store
from protocols.records.shape import Row, columns, values


def _plain(value: object) -> bytes:
    """Write a typed id as the bytes it is."""
    assert isinstance(value, bytes)
    return bytes(value)


SUBJECTS_KEPT = 16_384
"""Subjects whose tables are remembered, so that a change asks only those that hold rows."""
_BEFORE_IDEOGRAPHS = "\u2e7f"
"""Han, Kana and Hangul lie above; nearly all names below."""
_encode = msgspec.msgpack.Encoder(enc_hook=_plain).encode


class _Table:
    """One row class with its statements made once."""

    def __init__(self, row: type[Row]) -> None:
        self.name = row.TABLE
        self.columns = [name for name, _ in columns(row)]
        self.local = self.columns.index("entry")
        self.idx = self.columns.index("idx")
        names = ", ".join(self.columns)
        marks = ",".join("?" * (len(self.columns) + 2))
        self.insert = f"INSERT OR REPLACE INTO {self.name} VALUES ({marks})"
        self.select = f"SELECT {names} FROM {self.name} WHERE subject = ?"
        self.delete = f"DELETE FROM {self.name} WHERE subject = ? AND entry = ? AND idx = ?"


Spread = list[tuple[_Table, tuple[Any, ...]]]
"""Rows as (table, values)."""


class RowBook:
    """Writes the rows of subjects, changes only, and numbers each change."""

    def __init__(self, store: Store, tables: Sequence[type[Row]]) -> None:
        self._store = store
        self._tables = {table: _Table(table) for table in tables}
        newest = [
            store.one(f"SELECT max(changed) FROM {table.name}") for table in self._tables.values()
        ]
        self.last_change = max((row[0] or 0 for row in newest if row), default=0)
        self._kept: dict[int, tuple[_Table, ...]] = {}
        """Subject → the tables that hold rows of it, as last written here."""

    def spread(self, rows: Sequence[Row]) -> Spread:
        """Return rows as their tables and values, for `digest` and `write`."""
        tables = self._tables
        return [(tables[type(row)], values(row)) for row in rows]

    def write(self, batch: Iterable[tuple[int, bool, Spread]]) -> set[str]:
        """Make the tables say exactly these rows of these subjects; return tables that changed.

        Args:
            batch: (subject number, whether it may have rows already, its rows).
        """
        inserts: defaultdict[_Table, list[tuple[Any, ...]]] = defaultdict(list)
        deletes: defaultdict[_Table, list[tuple[Any, ...]]] = defaultdict(list)
        for subject, known, rows in batch:
            kept = self._keep(subject, rows)
            if not known:
                for table, value in rows:
                    inserts[table].append((subject, *value))
                continue
            fresh: defaultdict[_Table, list[tuple[Any, ...]]] = defaultdict(list)
            for table, value in rows:
                fresh[table].append(value)
            self._differ(subject, kept, fresh, inserts, deletes)
        changed = set()
        for table, gone in deletes.items():
            self._store.executemany(table.delete, gone)
            changed.add(table.name)
        for table, new in inserts.items():
            at = self.last_change
            self._store.executemany(
                table.insert, [(*value, number) for number, value in enumerate(new, at + 1)]
            )
            self.last_change = at + len(new)
            changed.add(table.name)
        return changed

    def _keep(self, subject: int, rows: Spread) -> Iterable[_Table]:
        """Note where the rows of a subject will be; return where there may be some now."""
        now = tuple(dict.fromkeys(table for table, _ in rows))
        before = self._kept.get(subject)
        if len(self._kept) >= SUBJECTS_KEPT:
            self._kept.clear()
        self._kept[subject] = now
        return self._tables.values() if before is None else dict.fromkeys((*before, *now))

    def _differ(
        self,
        subject: int,
        kept: Iterable[_Table],
        fresh: dict[_Table, list[tuple[Any, ...]]],
        inserts: dict[_Table, list[tuple[Any, ...]]],
        deletes: dict[_Table, list[tuple[Any, ...]]],
    ) -> None:
        for table in kept:
            at, idx = table.local, table.idx
            held = {(row[at], row[idx]): row for row in self._store.all(table.select, (subject,))}
            for value in fresh.get(table, ()):
                if held.pop((value[at], value[idx]), None) != value:
                    inserts[table].append((subject, *value))
            for entry, index in held:
                deletes[table].append((subject, entry, index))

    def digest(self, rows: Spread, prefixes: Mapping[int, bytes]) -> bytes:
        """Return 16 bytes that are equal wherever the same rows stand.

        Args:
            prefixes: local entry number → entry hash prefix.
        """
        parts = []
        for table, value in rows:
            at = table.local
            shared = (*value[:at], *value[at + 1 :])
            parts.append(_encode((table.name, prefixes[value[at]], shared)))
        parts.sort()
        return blake2b(b"".join(parts), digest_size=16, person=b"fm-rows-1").digest()


def search_words(text: str) -> str:
    """Return the words a patient is found by: as written, and Han, Kana and Hangul in pairs.

    The tokenizer splits no Chinese name into parts, so each pair of neighbours becomes a word.
    """
    words = [text]
    for run in _ideographs(text):
        words += [run[at : at + 2] for at in range(len(run) - 1)] or [run]
        words += list(run)
    return " ".join(words)


def search_query(text: str) -> str:
    """Return the FTS query for what a person typed: every word, as a prefix."""
    terms = []
    # SQLite reads a text to its first NUL: a quote opened before it would never be closed.
    for word in text.replace("\0", " ").split():
        runs = _ideographs(word)
        pairs = [run[at : at + 2] for run in runs for at in range(len(run) - 1)]
        terms += pairs or [word]
    return " ".join('"' + term.replace('"', '""') + '"*' for term in terms)


def _ideographs(text: str) -> list[str]:
    if not text or max(text) <= _BEFORE_IDEOGRAPHS:
        return []
    runs, run = [], ""
    for letter in text:
        name = unicodedata.name(letter, "") if letter > _BEFORE_IDEOGRAPHS else ""
        if name.startswith(("CJK", "HIRAGANA", "KATAKANA", "HANGUL")):
            run += letter
        elif run:
            runs.append(run)
            run = ""
    return [*runs, run] if run else runs
