"""The tables, and how an older book becomes this one.

Base tables only ever change by a numbered migration. Row tables are derived: when their columns
change they are dropped and built again from the entries.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

from sqlite_utils import Database, Migrations

from protocols.ledger.store import Store
from protocols.records.shape import Row
from protocols.records.shape import columns as row_columns

migrations = Migrations("fieldmesh")

BASE = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID;
CREATE TABLE feed (
  no INTEGER PRIMARY KEY, feed_id BLOB NOT NULL UNIQUE, genesis BLOB NOT NULL,
  device BLOB NOT NULL, epoch BLOB NOT NULL, scope BLOB NOT NULL, lane INTEGER NOT NULL);
CREATE TABLE entry (
  arrival INTEGER PRIMARY KEY, feed INTEGER NOT NULL, seq INTEGER NOT NULL,
  parent INTEGER NOT NULL, hash BLOB NOT NULL, kind INTEGER NOT NULL,
  dictionary INTEGER NOT NULL, clock INTEGER NOT NULL, scope_key INTEGER NOT NULL,
  body BLOB, signature BLOB, length INTEGER, body_hash BLOB, doc INTEGER);
CREATE INDEX entry_place ON entry (feed, seq);
CREATE TABLE name (
  start INTEGER NOT NULL, entry INTEGER NOT NULL, PRIMARY KEY (start, entry)) WITHOUT ROWID;
CREATE TABLE branch (
  feed INTEGER NOT NULL, seq INTEGER NOT NULL, hash BLOB NOT NULL, arrival INTEGER NOT NULL,
  clock INTEGER NOT NULL, PRIMARY KEY (feed, hash)) WITHOUT ROWID;
CREATE TABLE key_name (no INTEGER PRIMARY KEY, key_id BLOB NOT NULL UNIQUE);
CREATE TABLE subject (
  no INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, kind INTEGER NOT NULL, digest BLOB,
  held INTEGER NOT NULL DEFAULT 0, dirty INTEGER NOT NULL DEFAULT 1);
CREATE INDEX subject_dirty ON subject (dirty) WHERE dirty = 1;
CREATE INDEX subject_unassigned ON subject (kind) WHERE kind = 3;
CREATE TABLE document (
  no INTEGER PRIMARY KEY, doc_id BLOB NOT NULL, subject INTEGER NOT NULL,
  scope BLOB NOT NULL, lane INTEGER NOT NULL, encounter BLOB, stage INTEGER NOT NULL);
CREATE INDEX document_subject ON document (subject);
CREATE INDEX document_encounter ON document (encounter) WHERE encounter IS NOT NULL;
CREATE TABLE strand (
  doc INTEGER NOT NULL, entry INTEGER NOT NULL, prefix BLOB NOT NULL, feed INTEGER NOT NULL,
  clock INTEGER NOT NULL, plain BLOB NOT NULL, PRIMARY KEY (doc, entry)) WITHOUT ROWID;
CREATE TABLE unopened (
  entry INTEGER PRIMARY KEY, void INTEGER NOT NULL, reason TEXT NOT NULL, need BLOB);
CREATE TABLE answered (
  slot INTEGER PRIMARY KEY, content BLOB NOT NULL, answer BLOB NOT NULL);
CREATE TABLE peer (
  device BLOB PRIMARY KEY, name TEXT NOT NULL, agree BLOB NOT NULL, address TEXT NOT NULL,
  epoch BLOB NOT NULL, they_hold INTEGER NOT NULL, we_hold INTEGER NOT NULL,
  last_contact_ms INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE held (
  device BLOB NOT NULL, feed INTEGER NOT NULL, seq INTEGER NOT NULL,
  PRIMARY KEY (device, feed)) WITHOUT ROWID;
CREATE TABLE receipt (
  giver BLOB NOT NULL, epoch BLOB NOT NULL, number INTEGER NOT NULL, statement BLOB NOT NULL,
  PRIMARY KEY (giver, epoch)) WITHOUT ROWID;
CREATE TABLE draft (
  form TEXT NOT NULL, subject TEXT NOT NULL, fields TEXT NOT NULL, saved_ms INTEGER NOT NULL,
  PRIMARY KEY (form, subject)) WITHOUT ROWID;
CREATE VIRTUAL TABLE patient_search USING fts5 (
  words, content='', contentless_delete=1, tokenize="unicode61 remove_diacritics 2");
CREATE TABLE hq_account (
  name TEXT PRIMARY KEY, salt BLOB NOT NULL, hash BLOB NOT NULL, created_ms INTEGER NOT NULL,
  failed INTEGER NOT NULL, wait_until_ms INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE hq_session (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, created_ms INTEGER NOT NULL,
  seen_ms INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE hq_link (token_hash BLOB PRIMARY KEY, expires_ms INTEGER NOT NULL) WITHOUT ROWID;
"""

_TYPES = {"int": "INTEGER", "str": "TEXT", "bytes": "BLOB"}

_IN_CARE = "encounter IS NOT NULL AND closed_ms IS NULL AND replaced < 2"
_WAITING = "triage, arrived_ms, code, replaced, closed_ms, encounter"
"""By category, who came first first; then what is asked of every row, so that a page far down a
board reads none of the patients before it."""

PARTS = {
    "patient": (
        f"CREATE INDEX patient_in_care ON patient ({_WAITING}) WHERE {_IN_CARE}",
        f"CREATE INDEX patient_in_ward ON patient (ward, {_WAITING})"
        f" WHERE {_IN_CARE} AND ward <> ''",
    ),
    "triage": (
        "CREATE INDEX triage_unconfirmed ON triage (at_ms)"
        " WHERE unconfirmed = 1 AND standing = 0 AND replaced = 0",
    ),
    "dose": (
        # What sessions come to, when somebody first asks; from then on it is counted as it comes.
        "CREATE INDEX dose_given ON dose"
        " (session, vaccine, dose, band, sex, day, status, standing, replaced, elsewhere)",
        # The last ones of a session: looked at after every child of it.
        "CREATE INDEX dose_late ON dose (session, at_ms)",
        # Few doses were written by people apart; a drive asks for them at every child.
        "CREATE INDEX dose_alone ON dose (patient)"
        " WHERE apart = 1 AND standing = 0 AND replaced = 0",
    ),
    "movement": (
        "CREATE INDEX movement_use ON movement"
        " (subject, at_ms, units, type, shipment, why, standing, replaced, double)",
    ),
}
"""Indexes over the few rows of a table that screens ask for all the time.

A ward board costs what its ward holds, not what the book does. A question has to state the
condition in these terms for SQLite to take the index.
"""


@migrations()
def m001_base(db: Database) -> None:
    """The first book."""
    for statement in BASE.split(";"):
        if statement.strip():
            db.execute(statement)


@migrations()
def m002_covered(db: Database) -> None:
    """Which scopes a peer's acknowledgements speak of: until now there was one rule for all."""
    db.execute(
        "CREATE TABLE covered (device BLOB NOT NULL, scope BLOB NOT NULL,"
        " PRIMARY KEY (device, scope)) WITHOUT ROWID"
    )
    db.execute(
        "INSERT INTO covered SELECT device, scope FROM peer, (SELECT DISTINCT scope FROM feed)"
    )


@migrations()
def m004_receipt_about(db: Database) -> None:
    """Receipts are given apart for each scope that not everybody may carry."""
    db.execute("ALTER TABLE receipt RENAME TO receipt_before")
    db.execute(
        "CREATE TABLE receipt (giver BLOB NOT NULL, epoch BLOB NOT NULL, about BLOB NOT NULL,"
        " number INTEGER NOT NULL, statement BLOB NOT NULL,"
        " PRIMARY KEY (giver, epoch, about)) WITHOUT ROWID"
    )
    db.execute(
        "INSERT INTO receipt SELECT giver, epoch, zeroblob(16), number, statement"
        " FROM receipt_before"
    )
    db.execute("DROP TABLE receipt_before")


@migrations()
def m003_person(db: Database) -> None:
    """The persons of this device, each with a key locked by a passphrase and perhaps by a PIN."""
    db.execute(
        "CREATE TABLE person ("
        " no INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, profile BLOB NOT NULL,"
        " wrapped BLOB NOT NULL, pin BLOB, wrong INTEGER NOT NULL, session BLOB)"
    )


@migrations()
def m005_answers_in_order(db: Database) -> None:
    """Answers lie in the order they were given, and where each lies is an index of its own."""
    db.execute("ALTER TABLE answered RENAME TO answered_before")
    db.execute(
        "CREATE TABLE answered (no INTEGER PRIMARY KEY, slot INTEGER NOT NULL,"
        " content BLOB NOT NULL, answer BLOB NOT NULL)"
    )
    db.execute(
        "CREATE TABLE answer_place ("
        " slot INTEGER NOT NULL, no INTEGER NOT NULL, PRIMARY KEY (slot, no)) WITHOUT ROWID"
    )
    db.execute("INSERT INTO answered (slot, content, answer) SELECT * FROM answered_before")
    db.execute("INSERT INTO answer_place SELECT slot, no FROM answered ORDER BY slot")
    db.execute(
        "INSERT OR REPLACE INTO meta"
        " SELECT 'placed', CAST(CAST(max(no) AS TEXT) AS BLOB) FROM answered HAVING max(no) > 0"
    )
    db.execute("DROP TABLE answered_before")


@migrations()
def m006_branch_ends(db: Database) -> None:
    """Where branches end is written down now and then; entries say what came since.

    The table has another name, so that older software stops at it: it would take the ends for those
    of today and write into this device's feeds a second time from there.
    """
    db.execute("ALTER TABLE branch RENAME TO branch_end")
    db.execute(
        "INSERT OR REPLACE INTO meta"
        " SELECT 'ends_at', CAST(CAST(coalesce(max(arrival), 0) AS TEXT) AS BLOB) FROM entry"
    )


@migrations()
def m007_row_changes(db: Database) -> None:
    """Which row changed by which number, in one place for all row tables.

    An index on each would change a page more for each table, and another where the row lay in it.
    """
    db.execute(
        "CREATE TABLE row_change (no INTEGER PRIMARY KEY, held_in INTEGER NOT NULL,"
        " subject INTEGER NOT NULL, entry INTEGER NOT NULL, idx INTEGER NOT NULL)"
    )


@migrations()
def m008_peer_clocks(db: Database) -> None:
    """How far each peer's clock was ahead as it last greeted: its times are of that clock."""
    db.execute("ALTER TABLE peer ADD COLUMN clock_ahead_ms INTEGER")


@migrations()
def m009_peer_whole(db: Database) -> None:
    """When all that each peer had was here last: a link alone does not say so; 0 = not known."""
    db.execute("ALTER TABLE peer ADD COLUMN whole_ms INTEGER NOT NULL DEFAULT 0")


@migrations()
def m010_sums(db: Database) -> None:
    """When the newest of a subject happened lies beside its digest, and both are written late.

    The digest has another name, so that older software stops at it: it would take what a crash left
    for what the rows add up to.
    """
    db.execute("ALTER TABLE subject RENAME COLUMN digest TO rows_digest")
    db.execute("ALTER TABLE subject ADD COLUMN newest_ms INTEGER NOT NULL DEFAULT 0")


def prepare(store: Store, tables: Sequence[type[Row]]) -> None:
    """Bring the schema up to this software; rows of another shape are built again."""
    with store.named():
        migrations.apply(Database(store.connection))
    with store.atomic():
        held = store.one("SELECT value FROM meta WHERE name = 'rows'")
        if held is None or held[0] != _fingerprint(tables):
            build_again(store, tables)


def build_again(store: Store, tables: Sequence[type[Row]]) -> None:
    """Make the row tables anew, empty, and mark every subject. Inside a transaction.

    Changes go on being numbered from where they were: whoever follows rows is given all again.
    """
    last = _last_change(store)
    _drop_rows(store)
    store.execute("DELETE FROM row_change")
    if last:
        # Of no table: it only keeps the place.
        store.execute("INSERT INTO row_change VALUES (?, 0, 0, 0, 0)", (last,))
    for table in tables:
        for statement in row_ddl(table):
            store.execute(statement)
    names = " ".join(table.TABLE for table in tables).encode()
    store.execute("INSERT OR REPLACE INTO meta VALUES ('rows', ?)", (_fingerprint(tables),))
    store.execute("INSERT OR REPLACE INTO meta VALUES ('row_tables', ?)", (names,))
    store.execute("UPDATE subject SET dirty = 1, rows_digest = NULL, held = 0")
    store.execute("INSERT INTO patient_search (patient_search) VALUES ('delete-all')")


def row_ddl(table: type[Row]) -> list[str]:
    """Return the statements that create one row table from its dataclass."""
    columns = ["subject INTEGER NOT NULL"]
    for column, annotation in row_columns(table):
        kind, _, rest = annotation.partition(" | ")
        folded = " COLLATE NOCASE" if column in table.FOLDED else ""
        columns.append(f"{column} {_TYPES[kind]}{'' if rest else ' NOT NULL'}{folded}")
    columns.append("changed INTEGER NOT NULL")
    name = table.TABLE
    return [
        f"CREATE TABLE {name} ({', '.join(columns)}, PRIMARY KEY (subject, entry, idx)) "
        "WITHOUT ROWID",
        # What does not stand is rarely much, and asked for by itself.
        f"CREATE INDEX {name}_apart ON {name} (standing, entry) WHERE standing > 0",
        *(f"CREATE INDEX {name}_{column} ON {name} ({column})" for column in table.INDEXED),
        *PARTS.get(name, ()),
    ]


def _last_change(store: Store) -> int:
    """Return the highest number of a change of any row; 0 where there was none."""
    asked = ["SELECT max(no) FROM row_change"]
    if store.one(asked[0]) in (None, (None,)):
        # A book from before there was a log of them.
        asked += [f"SELECT max(changed) FROM {name}" for name in _row_tables(store)]
    return max((row[0] or 0 for sql in asked for row in store.all(sql)), default=0)


def _drop_rows(store: Store) -> None:
    for name in _row_tables(store):
        store.execute(f"DROP TABLE {name}")


def _row_tables(store: Store) -> list[str]:
    held = store.one("SELECT value FROM meta WHERE name = 'row_tables'")
    return held[0].decode().split() if held else []


def _fingerprint(tables: Sequence[type[Row]]) -> bytes:
    text = ";".join(statement for table in tables for statement in row_ddl(table))
    return blake2b(text.encode(), digest_size=16).digest()
