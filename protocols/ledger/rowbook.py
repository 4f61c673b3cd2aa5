"""Row tables: what screens, pages and commands read. Derived; entries can rebuild them."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from hashlib import blake2b
from itertools import compress, count
from operator import ne
from typing import Any

import msgspec

from protocols.ledger.census import Census, Picture
from protocols.ledger.given import GivenBook, Told
from protocols.ledger.searching import found_by, keep_found, words_of
from protocols.ledger.store import Store
from protocols.records.dose import DoseRow
from protocols.records.patient import PatientRow, TagRow
from protocols.records.shape import Row, RowType, columns, values

ROWS_KEPT = 4096
"""Rows of the subjects written last that are kept at hand, about 2 kB each: whoever is written
about is most often written about again soon."""


_encode = msgspec.msgpack.Encoder(enc_hook=bytes.__bytes__).encode
"""Typed ids are written as the bytes they are."""


class _Table:
    """One row class with its statements made once."""

    def __init__(self, row: type[Row], bit: int) -> None:
        self.name = row.TABLE
        self.bit = bit
        """Its place in the number that says which tables hold rows of a subject."""
        self.number = bit.bit_length()
        """What `row_change` calls it; as long as the tables are these."""
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


class _Told(msgspec.Struct, eq=False, gc=False):
    """One row as its table and its values."""

    table: _Table
    values: tuple[Any, ...]
    row: Row | None = None
    """None where it was read from its table."""
    part: bytes = b""
    """What it adds to the digest of its subject, once it was asked for."""


Spread = list[_Told]
"""Rows as their tables and values, in the order of `project`."""

_Rows = dict[_Table, dict[tuple[int, int], _Told]]
"""The rows of one subject, by table and by (entry, idx)."""


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
        newest = store.one("SELECT max(no) FROM row_change")
        self.last_change: int = (newest and newest[0]) or 0
        self._kept: OrderedDict[int, _Rows] = OrderedDict()
        """What the tables say of the subjects written last."""
        self._rows_kept = 0
        self.census = Census(store)
        """Who is in care, by these rows."""
        self.given = GivenBook(store)
        """What was given, by these rows."""
        self.worked_out: dict[Hashable, Any] = {}
        """What was worked out from the rows as they are; dropped with the next change of any."""

    def spread(self, subject: int, rows: Sequence[Row]) -> Spread:
        """Return rows as their tables and values, for `digest` and `write`.

        A row that is the very one that was written last is not spread again: thousands of one
        subject can be as they were.
        """
        tables, kept = self._tables, self._kept.get(subject, {})
        found: Spread = []
        for row in rows:
            table = tables[type(row)]
            held = kept[table].get((row.entry, row.idx)) if table in kept else None
            if held is None or held.row is not row:
                held = _Told(table, values(row), row)
            found.append(held)
        return found

    def number_of(self, table: type[Row]) -> int:
        """Return what `row_change` calls a table."""
        return self._tables[table].number

    def at_hand(self, subject: int, table: type[RowType]) -> list[RowType] | None:
        """Return the rows that a subject just written has in a table, in the order of `project`.

        None where they would have to be read.
        """
        kept = self._kept.get(subject)
        if kept is None:
            return None
        told = kept.get(self._tables[table], {}).values()
        rows = [each.row for each in told if isinstance(each.row, table)]
        return rows if len(rows) == len(told) else None

    def write(self, batch: Iterable[tuple[int, int, Spread]], *, passing: bool = False) -> set[str]:
        """Make the tables say exactly these rows of these subjects; return tables that changed.

        Args:
            batch: (subject number, `held_by` of the rows there are, its rows from now on).
            passing: As in `Merger.merge`: they are not kept at hand.
        """
        changes = _Changes()
        self.worked_out.clear()
        for subject, held, rows in batch:
            before = self._before(subject, held)
            after: _Rows = {}
            for told in rows:
                table, value = told.table, told.values
                key = (value[table.local], value[table.idx])
                if table in after:
                    after[table][key] = told
                else:
                    after[table] = {key: told}
            for table, gone in before.items():
                self._differ(subject, table, gone, after.get(table, {}), changes)
            for table, new in after.items():
                if table not in before:
                    came = [told.values for told in new.values()]
                    changes.inserts[table] += [(subject, *value) for value in came]
                    if table.searched:
                        changes.words += [(subject, "", words_of(value)) for value in came]
            if not passing:
                self._keep(subject, after)
            if self.census.follows:
                self.census.change(self._picture(before), self._picture(after))
            if self.given.follows:
                self.given.change(self._given(before), self._given(after))
        return self._carry_out(changes)

    def _before(self, subject: int, held: int) -> _Rows:
        """Return the rows there are of a subject."""
        kept = self._kept.pop(subject, None)
        if kept is not None:
            self._rows_kept -= sum(map(len, kept.values()))
            return kept
        if not held:
            return {}
        return {
            table: {
                (row[table.local], row[table.idx]): _Told(table, row)
                for row in self._store.all(table.select, (subject,))
            }
            for table in self._tables.values()
            if held & table.bit
        }

    def _picture(self, rows: _Rows) -> Picture:
        """Return what is counted of a subject's rows."""
        told = next(iter(rows.get(self._tables[PatientRow], {}).values()), None)
        worn = rows.get(self._tables[TagRow], {}).values()
        if told is None and not worn:
            return Picture()
        return Picture(told.values if told else (), frozenset(each.values for each in worn))

    def _given(self, rows: _Rows) -> Told:
        """Return what is counted of a subject's doses."""
        doses = rows.get(self._tables[DoseRow])
        told = next(iter(rows.get(self._tables[PatientRow], {}).values()), None)
        return Told(
            told.values if told else (),
            tuple(each.values for each in doses.values()) if doses else (),
        )

    def _keep(self, subject: int, rows: _Rows) -> None:
        self._kept[subject] = rows
        self._rows_kept += sum(map(len, rows.values()))
        while self._rows_kept > ROWS_KEPT and len(self._kept) > 1:
            _, dropped = self._kept.popitem(last=False)
            self._rows_kept -= sum(map(len, dropped.values()))

    def _differ(
        self,
        subject: int,
        table: _Table,
        before: Mapping[tuple[int, int], _Told],
        after: Mapping[tuple[int, int], _Told],
        changes: _Changes,
    ) -> None:
        """Note what has to change where there are rows of a subject already."""
        for key, told in after.items():
            held = before.get(key)
            if held is told:
                continue
            now = told.values
            if held is None:
                changes.inserts[table].append((subject, *now))
            elif (was := held.values) != now:
                changed = tuple(compress(count(), map(ne, was, now)))
                said = (*[now[i] for i in changed], subject, *key)
                changes.updates.append((table, changed, said))
        changes.deletes[table] += [(subject, *key) for key in before if key not in after]
        if table.searched:
            old, new = ([told.values for told in rows.values()][:1] for rows in (before, after))
            # Most changes of a patient's row leave alone what it is found by.
            if [*map(found_by, old)] != [*map(found_by, new)]:
                until, from_now = (words_of(each[0]) if each else "" for each in (old, new))
                changes.words.append((subject, until, from_now))

    def _carry_out(self, changes: _Changes) -> set[str]:
        names = set()
        log: list[tuple[int, ...]] = []
        for table, gone in changes.deletes.items():
            if gone:
                self._store.executemany(table.delete, gone)
                names.add(table.name)
        for table, columns_changed, told in changes.updates:
            self.last_change += 1
            values_of, key = told[: len(columns_changed)], told[len(columns_changed) :]
            self._store.execute(table.update(columns_changed), (*values_of, self.last_change, *key))
            log.append((self.last_change, table.number, *key))
            names.add(table.name)
        for table, new in changes.inserts.items():
            entry, idx, rows = table.local + 1, table.idx + 1, []
            for number, value in enumerate(new, self.last_change + 1):
                rows.append((*value, number))
                log.append((number, table.number, value[0], value[entry], value[idx]))
            self._store.executemany(table.insert, rows)
            self.last_change += len(new)
            names.add(table.name)
        self._store.executemany("INSERT INTO row_change VALUES (?,?,?,?,?)", log)
        keep_found(self._store, changes.words)
        return names

    def held_by(self, rows: Spread) -> int:
        """Return a number that says which tables hold these rows; 0 is none."""
        held = 0
        for told in rows:
            held |= told.table.bit
        return held

    def holds(self, held: int, table: type[Row]) -> bool:
        """Whether rows of a table are among those that `held_by` told of."""
        return bool(held & self._tables[table].bit)

    def digest(self, rows: Spread, prefixes: Mapping[int, bytes]) -> bytes:
        """Return 16 bytes that are equal wherever the same rows stand.

        Args:
            prefixes: local entry number → entry hash prefix.
        """
        parts = []
        for told in rows:
            if not told.part:
                at, value = told.table.local, told.values
                shared = (*value[:at], *value[at + 1 :])
                told.part = _encode((told.table.name, prefixes[value[at]], shared))
            parts.append(told.part)
        parts.sort()
        return blake2b(b"".join(parts), digest_size=16, person=b"fm-rows-1").digest()
