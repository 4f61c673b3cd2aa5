"""A book for the page's tests: the real tables' names and columns in an SQLite in memory."""

import asyncio
import random
import sqlite3
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from hq.accounts import Accounts, Cost
from protocols.errors import LedgerError
from protocols.ledger.schema import BASE, row_ddl
from protocols.live.audited import AuditLine, AuditPage, TrailLine
from protocols.records.catalogue import ROW_TABLES
from protocols.trust.audit import What

NOW_MS = 1_700_000_000_000
MINUTE = 60_000
HOUR = 60 * MINUTE
CHEAP = Cost(ops=1, mem_mib=1)

FILLING = {"INTEGER": 0, "TEXT": "", "BLOB": b""}


def schema() -> list[str]:
    """The ledger's own tables; full-text search is left out, it needs a newer SQLite."""
    base = [part for part in BASE.split(";") if part.strip() and "VIRTUAL" not in part]
    return base + [statement for table in ROW_TABLES for statement in row_ddl(table)]


class TestBook:
    """A `Book` over SQLite in memory, with a hand to fill it."""

    __test__ = False

    def __init__(self) -> None:
        self.db = sqlite3.connect(":memory:", isolation_level=None)
        for statement in schema():
            self.db.execute(statement)
        # As migrations leave it; where branches end was written down after all entries.
        self.db.execute("ALTER TABLE branch RENAME TO branch_end")
        self.db.execute("ALTER TABLE peer ADD COLUMN clock_ahead_ms INTEGER")
        self.db.execute("ALTER TABLE peer ADD COLUMN whole_ms INTEGER NOT NULL DEFAULT 0")
        self.db.execute("ALTER TABLE subject ADD COLUMN newest_ms INTEGER NOT NULL DEFAULT 0")
        self.put("meta", name="ends_at", value=b"%d" % 10**9)
        self.told: asyncio.Queue[frozenset[str] | None] = asyncio.Queue()
        self.arrival = 0

    async def read(self, sql: str, params: Mapping[str, Any]) -> Sequence[tuple[Any, ...]]:
        return self.db.execute(sql, params).fetchall()

    async def ask(self, question: Any) -> Any:
        return question(self)

    def all(self, sql: str, values: Any = ()) -> list[tuple[Any, ...]]:
        return self.db.execute(sql, values).fetchall()

    def one(self, sql: str, values: Any = ()) -> tuple[Any, ...] | None:
        return self.db.execute(sql, values).fetchone()

    async def write(self, sql: str, params: Mapping[str, Any]) -> int:
        assert any(name in sql for name in ("hq_account", "hq_session", "hq_link"))
        return self.db.execute(sql, params).rowcount

    async def changes(self) -> AsyncIterator[frozenset[str]]:
        while (tables := await self.told.get()) is not None:
            yield tables

    def tell(self, *tables: str) -> None:
        self.told.put_nowait(frozenset(tables))

    def put(self, table: str, **values: Any) -> None:
        for _, name, kind, needed, default, _ in self.db.execute(f"PRAGMA table_info({table})"):
            if needed and default is None and name not in values:
                values[name] = FILLING[kind]
        names = ", ".join(values)
        marks = ", ".join(f":{name}" for name in values)
        self.db.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", values)

    def site(self, number: int, name: str) -> bytes:
        site = bytes([number]) * 16
        self.put("site", **row(self.entry(1, NOW_MS, 9000 + number)), id=site, name=name)
        return site

    def device(
        self,
        number: int,
        name: str | None,
        last_contact_ms: int = 0,
        *,
        ahead_ms: int | None = None,
        whole_ms: int | None = None,
    ) -> bytes:
        device = bytes([200 + number]) * 32
        self.put("feed", no=number, feed_id=device, device=device)
        if name is not None:
            self.put(
                "peer",
                device=device,
                name=name,
                they_hold=0,
                we_hold=0,
                last_contact_ms=last_contact_ms,
                clock_ahead_ms=ahead_ms,
                whole_ms=last_contact_ms if whole_ms is None else whole_ms,
            )
        return device

    def entry(self, feed: int, at_ms: int, subject: int) -> dict[str, int]:
        self.arrival += 1
        self.put(
            "entry",
            doc=self.arrival,
            arrival=self.arrival,
            feed=feed,
            seq=self.arrival,
            clock=at_ms << 16,
        )
        self.put(
            "document", no=self.arrival, stage=1, doc_id=self.arrival.to_bytes(16), subject=subject
        )
        self.put("strand", doc=self.arrival, entry=self.arrival, feed=feed, clock=at_ms << 16)
        return {"subject": subject, "entry": self.arrival, "at_ms": at_ms}

    def head(self, feed: int, seq: int, at_ms: int) -> None:
        self.put(
            "branch_end",
            feed=feed,
            seq=seq,
            hash=bytes([seq % 256]),
            arrival=seq,
            clock=at_ms << 16,
        )

    def patient(self, number: int, **values: Any) -> bytes:
        at_ms = values.pop("at_ms", NOW_MS - 5 * MINUTE)
        patient = number.to_bytes(16)
        newest_ms = values.pop("newest_ms", at_ms)
        self.put("subject", no=number, id=patient, kind=1, newest_ms=newest_ms)
        made = {
            **row(self.entry(values.pop("feed", 1), at_ms, number)),
            "id": patient,
            "code": f"K7M {number:03}",
            "name": f"Patient {number}",
            "tag": "",
            "sex": 9,
            "band": 9,
            "triage": None,
            "triage_at_ms": None,
            "bed": "",
            "site": None,
            "encounter": patient,
            "arrived_ms": at_ms,
            "closed_ms": None,
            "unsettled": 0,
        }
        self.put("patient", **(made | values))
        return patient

    def record(self, table: str, subject: int, at_ms: int, feed: int = 1, **values: Any) -> None:
        made = row(self.entry(feed, at_ms, subject)) | {"patient": subject.to_bytes(16)}
        self.put(table, **(made | values))

    def unassigned(
        self, number: int, at_ms: int, *values: tuple[str, str, str], **more: Any
    ) -> None:
        """A device's result that waits for a patient, with a row for each value."""
        self.put("subject", no=number, id=number.to_bytes(16), kind=3)
        place = row(self.entry(more.pop("feed", 1), at_ms, number))
        for idx, (code, value, unit) in enumerate(values):
            held = {"patient": None, "unassigned": 1, "code": code, "value": value, "unit": unit}
            self.put("observation", **(place | held | {"idx": idx} | more))


def row(place: dict[str, int]) -> dict[str, Any]:
    return {**place, "idx": 0, "kind": 1, "standing": 0, "replaced": 0, "changed": place["entry"]}


class Entropy:
    """Random bytes that are the same in every run and never twice in one."""

    def __init__(self) -> None:
        self.number = 0

    def __call__(self, size: int) -> bytes:
        self.number += 1
        return self.number.to_bytes(size)


class TestWitness:
    """A `Witness` that keeps all it is told; every device is of our own team unless said."""

    __test__ = False

    def __init__(self, book: TestBook) -> None:
        self.book = book
        self.foreign: set[bytes] = set()
        self.kept: list[tuple[What, dict[str, Any]]] = []
        self.full = False
        """Whether the disk takes nothing."""
        self.told: list[Mapping[str, Any]] = []
        """What was asked of the trail."""
        self.page = AuditPage(0, ())
        self.all_trails: list[TrailLine] = []

    async def team(self) -> frozenset[bytes]:
        known = {bytes(device) for (device,) in self.book.db.execute("SELECT device FROM feed")}
        return frozenset(known - self.foreign)

    async def note(self, what: What, **detail: Any) -> None:
        self.kept.append((what, detail))

    async def write(self, what: What, **detail: Any) -> None:
        if self.full:
            raise LedgerError("disk_full")
        self.kept.append((what, detail))

    async def lines(self, asked: Mapping[str, Any]) -> AuditPage:
        self.told.append(asked)
        return self.page

    async def trails(self) -> list[TrailLine]:
        return self.all_trails


def line(**more: Any) -> AuditLine:
    """A line of the trail."""
    known: dict[str, Any] = {
        "at_ms": NOW_MS, "what": "export", "device": "dev_X", "device_name": "tent", "org": "MSF",
        "person": "", "person_name": "", "account": "", "patient": "", "document": "",
        "reason": "", "count": 1, "sealed": False, "forked": False, "entry": "", "seq": 1,
    }  # fmt: skip
    return AuditLine(**known | more)


def trail(**more: Any) -> TrailLine:
    """A device's trail."""
    known: dict[str, Any] = {
        "device": "dev_0123456789", "device_name": "tent", "org": "MSF", "epoch": "", "held": 5,
        "known": 5, "forked": False, "unreadable": 0, "whole": True, "newest_ms": NOW_MS,
    }  # fmt: skip
    return TrailLine(**known | more)


class Watch:
    """A clock that a test turns by hand."""

    def __init__(self) -> None:
        self.ms = NOW_MS

    def __call__(self) -> int:
        return self.ms


def accounts_on(book: TestBook) -> Accounts:
    return Accounts(book, entropy=Entropy(), cost=CHEAP)


def furnished() -> TestBook:
    """A book with four sites of different age and every kind of row."""
    draw = random.Random(4)
    book = TestBook()
    names = ["Camp Nord", "Marché Central", "Pont Sud", "Hôpital Delta"]
    back = [2 * MINUTE, 34 * MINUTE, 7 * HOUR + 12 * MINUTE, 4 * MINUTE]
    for no, past in enumerate(back, 1):
        book.device(no, f"{names[no - 1]} tablet", NOW_MS - past)
        book.head(no, 40 + no, NOW_MS - past)
    book.device(5, None)
    book.head(5, 7, NOW_MS - 3 * HOUR)
    book.head(5, 6, NOW_MS - 4 * HOUR)
    sites = [book.site(no, name) for no, name in enumerate(names, 1)]
    number = 0
    given = ["Haddad Nour", "Okoro Blessing", "Li Wei", "Silva P.", "Osei Kofi", "نور حداد", "王伟"]
    for no, (site, past) in enumerate(zip(sites, back, strict=True), 1):
        for _ in range(draw.choice([9, 14, 22])):
            number += 1
            at = NOW_MS - past - draw.randrange(0, 20 * HOUR)
            triage = draw.choice([1, 2, 2, 2, 3, 3, 3, 3, 4, None])
            book.patient(
                number,
                site=site,
                feed=no,
                at_ms=at,
                name=draw.choice([*given, ""]),
                sex=draw.choice([1, 2, 3, 9]),
                age_value=draw.choice([7, 22, 34, 60]),
                age_unit=draw.choice([0, 0, 1]),
                age_estimated=draw.choice([0, 1]),
                bed=draw.choice(["B-02", "B-07", ""]),
                triage=triage,
                triage_at_ms=None if triage is None else at,
                unsettled=int(number % 17 == 0),
                standing=int(number % 23 == 0),
            )
            book.record("encounter", number, at, no, id=number.to_bytes(16), site=site)
            if triage is not None:
                book.record("triage", number, at, no, category=triage, algorithm="")
            if draw.random() < (0.4 if triage == 1 else 0.7):
                later = min(at + draw.randrange(0, 3 * HOUR), NOW_MS - past)
                book.record("observation", number, later, no)
                book.record("note", number, later, no)
    vitals = (("spo2", "44", "%"), ("heart-rate", "88", "/min"))
    for subject, number, risk in ((1, 1, "allergy"), (1, 2, "custody"), (17, 1, "weight")):
        doubt: dict[str, Any] = {
            "number": number,
            "risk": risk,
            "rank": 0,
            "what": risk,
            "of_what": "",
        }
        book.record("conflict", subject, NOW_MS - HOUR, value="", used=0, **doubt)
    book.unassigned(801, NOW_MS - 3 * HOUR, *vitals, claimed="B-1207")
    book.unassigned(802, NOW_MS - 20 * MINUTE, ("temperature", "37.1", "Cel"), feed=2)
    book.record("triage", 1, NOW_MS - MINUTE, 1, category=2, algorithm="iitt")
    return book
