"""Stores, shipments and recalls for the page's tests, as rows of the real tables."""

from __future__ import annotations

from typing import Any

from protocols.ids import SiteId
from protocols.records.loggers import TENTHS_MAX
from protocols.records.movement import DAY_MS, stock_subject
from tests.unit.hq_book import HOUR, NOW_MS, TestBook, row

TODAY = NOW_MS // DAY_MS
DAY = DAY_MS
ORS, AMOX, MR = "ors-1l-sachet", "amoxicillin-250-tab", "vaccine-mr-10"


class Shelves:
    """Puts stock rows into a book; what they say is the caller's."""

    def __init__(self, book: TestBook) -> None:
        self.book = book
        self.number = 5000
        self.pairs: dict[tuple[bytes, str], int] = {}

    def pair(self, store: bytes, item: str) -> int:
        key = (store, item)
        if key not in self.pairs:
            self.number += 1
            self.pairs[key] = self.number
            pair = bytes(stock_subject(SiteId(store), item))
            self.book.put("subject", no=self.number, id=pair, kind=7)
        return self.pairs[key]

    def move(self, store: bytes, item: str, units: int, at_ms: int, **more: Any) -> None:
        made = row(self.book.entry(more.pop("feed", 1), at_ms, self.pair(store, item)))
        said = {"store": store, "item": item, "units": units, "lot": "L1", "device": b"d" * 32}
        said["type"] = "receive" if units > 0 else "issue"
        self.book.put("movement", **(made | said | more))

    def count(
        self, store: bytes, item: str, units: int, book: int, at_ms: int, **more: Any
    ) -> None:
        made = row(self.book.entry(more.pop("feed", 1), at_ms, self.pair(store, item)))
        said = {"store": store, "item": item, "lot": "L1", "units": units, "device": b"d" * 32}
        said |= {"book_low": book, "book_high": book, "used": 1, "whole": 1}
        said["righted"] = units - book
        self.book.put("stocktake", **(made | said | more))

    def holds(self, store: bytes, item: str, low: int, at_ms: int, **more: Any) -> None:
        """A stock row with one lot, or those that are said."""
        subject = self.pair(store, item)
        made = row(self.book.entry(more.pop("feed", 1), at_ms, subject))
        lots = more.pop("lots", [("L1", low, more.get("high", low), TODAY + 300, 0)])
        said = {"store": store, "item": item, "low": low, "high": low, "last_ms": at_ms}
        self.book.put("stock", **(made | said | more))
        for number, (lot, least, most, expiry, held) in enumerate(lots):
            self.book.put(
                "balance", **made | {"idx": number << 16}, store=store, item=item, lot=lot,
                low=least, high=most, expiry_day=expiry, quarantined=held, last_ms=at_ms,
            )  # fmt: skip

    def recall(self, item: str, lot: str, at_ms: int, **more: Any) -> None:
        self.number += 1
        made = row(self.book.entry(1, at_ms, self.number))
        said = {"recall": self.number.to_bytes(16), "item": item, "lot": lot}
        said |= {"level": "harmful", "why": "contaminated", "issuer": "the maker", "text": ""}
        self.book.put("recall", **(made | said | more))


def used_daily(shelves: Shelves, store: bytes, item: str, units: int, days: int = 28) -> None:
    """So much was issued on each of some days before today."""
    shelves.move(store, item, 10_000, NOW_MS - 40 * DAY)
    for back in range(1, days + 1):
        shelves.move(store, item, -units, NOW_MS - back * DAY)


def depots(book: TestBook, nord: bytes, pont: bytes) -> Shelves:
    """Stores of which everything that a page names is so somewhere."""
    shelves = Shelves(book)
    used_daily(shelves, nord, ORS, 20)
    shelves.holds(nord, ORS, 190, NOW_MS - 2 * HOUR, counted_ms=NOW_MS - 3 * DAY)
    shelves.count(nord, ORS, 750, 755, NOW_MS - 3 * DAY, used=1)
    used_daily(shelves, nord, AMOX, 40)
    shelves.holds(
        nord, AMOX, 300, NOW_MS - HOUR, high=340, unsettled=2,
        lots=[("A1", 100, 140, TODAY + 12, 0), ("A2", 120, 120, TODAY + 200, 1),
              ("A3", 80, 80, TODAY - 3, 0)],
    )  # fmt: skip
    shelves.recall(MR, "0119X2", NOW_MS - 5 * HOUR)
    used_daily(shelves, pont, MR, 10)
    shelves.holds(
        pont, MR, -30, NOW_MS - 7 * HOUR, negative=1, overdraft=30, feed=3,
        lots=[("0119X2", -50, 0, TODAY + 90, 0), ("MR-2", 20, 20, TODAY + 90, 0)],
    )  # fmt: skip
    shelves.holds(pont, ORS, 500, NOW_MS - 20 * DAY, feed=3)
    shelves.move(pont, ORS, -9, NOW_MS - HOUR, standing=1)
    shelves.move(pont, AMOX, 90, NOW_MS - HOUR, standing=1)
    return shelves


class Campaign:
    """Puts rows of vaccination, shipments and readings into a book."""

    def __init__(self, book: TestBook) -> None:
        self.book = book
        self.number = 7000

    def put(self, table: str, at_ms: int, **values: Any) -> int:
        """Put one row of a subject of its own; return its entry."""
        self.number += 1
        subject = values.pop("subject", self.number)
        made = row(self.book.entry(values.pop("feed", 1), at_ms, subject))
        self.book.put(table, **(made | values))
        return int(made["entry"])

    def session(self, number: int, site: bytes, target: int) -> bytes:
        session = bytes([number]) * 16
        said = {"targets": f'[["measles", {target}, 2]]', "offsets": "[]", "vaccines": '["mr"]'}
        more = {"lots": "[]", "cells": "[]", "choose": "[]", "schedule": ""}
        opened = NOW_MS - 2 * DAY
        self.put("session", opened, id=session, site=site, opened_ms=opened, **said, **more)
        return session

    def doses(self, session: bytes, children: int, tallied: int) -> None:
        for number in range(children):
            patient = (9000 + self.number + number).to_bytes(16)
            self.put(
                "dose", NOW_MS - HOUR, patient=patient, session=session, vaccine="mr", dose=1,
                series="measles", status="given", day=TODAY - number % 2, band=2,
            )  # fmt: skip
        self.put("tally", NOW_MS - HOUR, session=session, vaccine="mr", n=tallied, dose=1, band=2,
                 day=TODAY, digit=1)  # fmt: skip

    def rest(self, patient: bytes, subject: int, words: str) -> None:
        """A vial, reports of one patient, a shipment, and a fridge that freezes."""
        session = bytes([1]) * 16
        self.put("vial", NOW_MS - DAY, vial=b"v" * 18, session=session, vaccine="mr", lot="MR-1",
                 doses=10, lost=3, why="time-limit", closed=1, item=MR)  # fmt: skip
        for severity, serious in (("minor", 0), ("serious", 1)):
            self.put("aefi", NOW_MS - HOUR, subject=subject, patient=patient, severity=severity,
                     serious=serious, symptoms="anaphylaxis rash", vaccines="mr", lots=words,
                     outcome="recovering", onset_ms=NOW_MS - 2 * HOUR, text="told")  # fmt: skip
        store, other, shipment = bytes([1]) * 16, bytes([3]) * 16, b"s" * 16
        self.put("shipment", NOW_MS - HOUR, shipment=shipment, state="dispatched", donor=store,
                 to_store=other, sent_ms=NOW_MS - HOUR, carrier=words, lines=1)  # fmt: skip
        self.put("shipment_line", NOW_MS - HOUR, shipment=shipment, item=ORS, lot="L1", sent=40,
                 wanted=40, approved=40)  # fmt: skip
        minute = NOW_MS // 60_000 - 400
        readings = [(minute + 10 * at, -8 if at > 20 else 50) for at in range(40)]
        run = b"".join(
            at.to_bytes(6) + (tenths + TENTHS_MAX).to_bytes(2) for at, tenths in readings
        )
        until = {"since_ms": minute * 60_000, "until_ms": NOW_MS - HOUR}
        said = {"unit_id": b"u" * 16, "store": store, "unit": words, "cold": "fridge"}
        self.put("reading", NOW_MS - HOUR, run=run, **said, **until)
