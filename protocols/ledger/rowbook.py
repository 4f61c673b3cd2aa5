"""Row tables: what screens, pages and commands read. Derived; entries can rebuild them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Any

import msgspec

from protocols.ledger.searching import keep_found, words_of
from protocols.ledger.store import Store
from protocols.records.patient import PatientRow
from protocols.records.shape import Row, columns, values


def _plain(value: object) -> bytes:
    """Write a typed id as the bytes it is."""
    assert isinstance(value, bytes)
    return bytes(value)


_encode = msgspec.msgpack.Encoder(enc_hook=_plain).encode


class _Table:
    """One row class with its statements made once."""

    def __init__(self, row: type[Row], bit: int) -> None:
        self.name = row.TABLE
        self.bit = bit
        """Its place in the number that says which tables hold rows of a subject."""
        self.columns = [name for name, _ in columns(row)]
        self.local = self.columns.index("entry")
        self.idx = self.columns.index("idx")
        names = ", ".join(self.columns)
        marks = ",".join("?" * (len(self.columns) + 2))
        self.insert = f"INSERT OR REPLACE INTO {self.name} VALUES ({marks})"
        self.searched = row is PatientRow
        self.select = f"SELECT {names} FROM {self.name} WHERE subject = ?"
        self.delete = f"DELETE FROM {self.name} WHERE subject = ? AND entry = ? AND idx = ?"
        self._updates: dict[tuple[int, ...], str] = {}

    def update(self, changed: tuple[int, ...]) -> str:
        """Return the statement that sets these columns only: no other index is touched."""
        held = self._updates.get(changed)
        if held is None:
            sets = "".join(f"{self.columns[at]} = ?, " for at in changed)
            held = self._updates[changed] = (
                f"UPDATE {self.name} SET {sets}changed = ?"
                " WHERE subject = ? AND entry = ? AND idx = ?"
            )
        return held


Spread = list[tuple[_Table, tuple[Any, ...]]]
"""Rows as (table, values)."""


class _Changes:
    """What a batch comes to, gathered by statement."""

    def __init__(self) -> None:
        self.inserts: defaultdict[_Table, list[tuple[Any, ...]]] = defaultdict(list)
        self.deletes: defaultdict[_Table, list[tuple[Any, ...]]] = defaultdict(list)
        self.updates: list[tuple[_Table, tuple[int, ...], tuple[Any, ...]]] = []
        """(table, numbers of the columns that differ, their values and the row's key)."""
        self.words: list[tuple[int, str, str]] = []
        """See `keep_found`."""


class RowBook:
    """Writes the rows of subjects, changes only, and numbers each change."""

    def __init__(self, store: Store, tables: Sequence[type[Row]]) -> None:
        self._store = store
        self._tables = {row: _Table(row, 1 << at) for at, row in enumerate(tables)}
        newest = [
            store.one(f"SELECT max(changed) FROM {table.name}") for table in self._tables.values()
        ]
        self.last_change = max((row[0] or 0 for row in newest if row), default=0)

    def spread(self, rows: Sequence[Row]) -> Spread:
        """Return rows as their tables and values, for `digest` and `write`."""
        tables = self._tables
        return [(tables[type(row)], values(row)) for row in rows]

    def write(self, batch: Iterable[tuple[int, int, Spread]]) -> set[str]:
        """Make the tables say exactly these rows of these subjects; return tables that changed.

        Args:
            batch: (subject number, `held_by` of the rows there are, its rows from now on).
        """
        changes = _Changes()
        for subject, held, rows in batch:
            fresh: defaultdict[_Table, list[tuple[Any, ...]]] = defaultdict(list)
            for table, value in rows:
                fresh[table].append(value)
            for table in self._tables.values():
                if held & table.bit:
                    self._differ(subject, table, fresh.pop(table, ()), changes)
            for table, added in fresh.items():
                changes.inserts[table] += [(subject, *value) for value in added]
                if table.searched:
                    changes.words += [(subject, "", words_of(value)) for value in added]
        return self._carry_out(changes)

    def _differ(
        self, subject: int, table: _Table, fresh: Iterable[tuple[Any, ...]], changes: _Changes
    ) -> None:
        """Note what has to change where there are rows of a subject already."""
        at, idx = table.local, table.idx
        held = {(row[at], row[idx]): row for row in self._store.all(table.select, (subject,))}
        before = words_of(next(iter(held.values()))) if table.searched and held else ""
        after = ""
        for value in fresh:
            key = (value[at], value[idx])
            row = held.pop(key, None)
            if row is None:
                changes.inserts[table].append((subject, *value))
            elif row != value:
                changed = tuple([i for i, (was, now) in enumerate(zip(row, value, strict=True))
                                 if was != now])  # fmt: skip
                told = (*[value[i] for i in changed], subject, *key)
                changes.updates.append((table, changed, told))
            if table.searched:
                after = words_of(value)
        changes.deletes[table] += [(subject, *key) for key in held]
        if table.searched:
            changes.words.append((subject, before, after))

    def _carry_out(self, changes: _Changes) -> set[str]:
        names = set()
        for table, gone in changes.deletes.items():
            if gone:
                self._store.executemany(table.delete, gone)
                names.add(table.name)
        for table, columns_changed, told in changes.updates:
            self.last_change += 1
            values_of, key = told[: len(columns_changed)], told[len(columns_changed) :]
            self._store.execute(table.update(columns_changed), (*values_of, self.last_change, *key))
            names.add(table.name)
        for table, new in changes.inserts.items():
            at = self.last_change
            self._store.executemany(
                table.insert, [(*value, number) for number, value in enumerate(new, at + 1)]
            )
            self.last_change = at + len(new)
            names.add(table.name)
        keep_found(self._store, changes.words)
        return names

    def held_by(self, rows: Spread) -> int:
        """Return a number that says which tables hold these rows; 0 is none."""
        held = 0
        for table, _ in rows:
            held |= table.bit
        return held

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
