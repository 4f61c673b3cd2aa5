"""From a card's scan to a child saved for good and the next one on the screen, with many known.

A real `fieldnode open` in a real pseudo-terminal on a real node. Each scan saves the child that
stands, durably, and shows the next one, so one scan is both halves. The time ends with the last
byte that came out, the session's totals after the save included.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

from figures.books import BATCH_LINES, BEGINS_MS, Books, found
from figures.figure import Reading
from figures.held import PAGE_BYTES, held
from figures.processes import running
from figures.stalls import Stalls, disk_waited_ms
from figures.syncing import Bench
from figures.terminal import Terminal
from protocols.ids import SessionId
from protocols.ledger.book import Ledger
from protocols.ledger.place import DATABASE_NAME
from protocols.ledger.recording import Recorder
from protocols.ledger.store import settle_new_file

CHILDREN = 120
"""Scanned for one percentile."""
A_SESSION = 500
"""Children of one earlier session."""
VIAL_DOSES = 100
VIALS = 3
SEEN_S = 0.9
"""A child stands this long before the next scan answers for it: nobody is given anything unseen."""
SETTLES_S = 0.12
"""A screen that sends nothing for this long has painted it."""
DISK_MS = 10.0
"""A save waits for one write; a disk that takes longer for it was busy with somebody else's."""
CLOCK_S = 0.3
"""No scan begins this close to a new minute."""
CARD = "KM-{:06d}"


def drive_mode(bench: Bench) -> list[Reading]:
    """Scan one known child after the other, all due, in a book of many children.

    Once with the book held in memory, once as this machine treats a file that is read now and then.
    """
    children = bench.large or bench.patients
    kept = _drive(drives(bench.books, children), children, hold=True)
    left = _drive(drives(bench.books, children), children, hold=False)
    free = [ms for ms, delayed in kept.scans if not delayed]
    parts = {"median ms": median(kept.all_ms), "children": float(children)}
    parts["held MB"] = kept.held_bytes / 1e6
    parts |= {"99 % where machine and disk answered ms": _p99(free)}
    parts["others"] = len(kept.scans) - len(free)
    parts["longest stall ms"], parts["longest wait for the disk ms"] = kept.longest_ms
    parts |= {"not held: 99 % ms": _p99(left.all_ms), "median, not held ms": median(left.all_ms)}
    parts |= {"longest, not held ms": max(left.all_ms), "pages read": float(left.pages_read)}
    return [Reading("scan to saved and next", _p99(kept.all_ms), "ms", 60, 40, parts)]


@dataclass(frozen=True, slots=True)
class _Driven:
    """One session's scans."""

    scans: list[tuple[float, bool]]
    """(milliseconds, whether machine or disk kept it waiting) of each."""
    longest_ms: tuple[float, float]
    """The longest stall of the machine, and the longest wait for its disk in one scan."""
    held_bytes: int
    pages_read: int
    """That the node had from the disk during all scans."""

    @property
    def all_ms(self) -> list[float]:
        return [ms for ms, _ in self.scans]


def _drive(folder: Path, children: int, *, hold: bool) -> _Driven:
    with ExitStack() as stack:
        (node,) = stack.enter_context(running(folder))
        _begin(node)
        locked = stack.enter_context(held(folder / DATABASE_NAME)) if hold else 0
        shown = Terminal(node.folder)
        try:
            _enter(shown)
            before = node.disk_bytes()
            with Stalls() as stalls:
                took = list(_scanned(shown, children, stalls))[1:]
            pages = (node.disk_bytes() - before) // PAGE_BYTES
        finally:
            shown.close()
        (session,) = node.call("sessions")["lines"]
        told = node.call("drive", session=session["id"])
        # The last one still stands on the screen.
        assert told["children"] == len(took), told["children"]
        scans = [(ms, stalled or waited > DISK_MS) for ms, stalled, waited in took]
        longest = stalls.longest_ms, max(waited for *_, waited in took)
        return _Driven(scans, longest, locked, pages)


def _enter(shown: Terminal) -> None:
    """Go from the board into the session of today."""
    shown.wait_for(b"no triage")
    shown.settle()
    shown.strike(b"\x1bOS")
    shown.settle()
    # Which session is a question too: it has to be seen.
    time.sleep(SEEN_S)
    shown.strike(b"\r")
    shown.wait_for(b"Kome school")
    shown.settle()


def _scanned(shown: Terminal, children: int, stalls: Stalls) -> Iterator[tuple[float, bool, float]]:
    """Yield (milliseconds, whether the machine stood still, milliseconds waited for its disk)."""
    chance = Random(children)
    for number in chance.sample(range(children), min(CHILDREN, children // 2) + 1):
        _let_the_minute_pass()
        before, began = disk_waited_ms(), time.perf_counter()
        seconds, _ = shown.paint(f"]C0{CARD.format(number)}\r".encode(), SETTLES_S)
        waited = disk_waited_ms() - before
        time.sleep(SEEN_S)
        yield seconds * 1000, stalls.between(began, began + seconds), waited


def _let_the_minute_pass() -> None:
    """The clock on the screen is painted when its minute changes: no part of what a scan paints."""
    left = 60 - time.time() % 60
    if left < CLOCK_S:
        time.sleep(left + CLOCK_S)


def _begin(node: Any) -> None:
    """Open the session of today, with vials enough."""
    data = {"vaccines": ["mr"], "place": "Kome school"}
    _said(node, [{"v": 1, "kind": "session.open", "key": "today", "data": data}])
    (session,) = node.call("sessions")["lines"]
    vial = {"session": session["id"], "item": "vaccine-mr-10", "lot": "MR-1", "doses": VIAL_DOSES}
    for number in range(VIALS):
        _said(node, [{"v": 1, "kind": "vial.open", "key": f"vial{number}", "data": vial}])


def _said(node: Any, lines: list[dict[str, Any]]) -> None:
    (answer,) = node.call("record", lines=lines)
    assert answer["ok"], answer


def drives(books: Books, children: int) -> Path:
    """Return a copy of a book of children, each with a card and a dose in an earlier session."""
    return books.made(f"drives-{children}", lambda folder: _found_drives(folder, children))


def _found_drives(folder: Path, children: int) -> None:
    chance = Random(children)
    ledger = found(folder, "Team 1", chance, hq=False)
    recorder = Recorder(ledger)
    session = ""
    for start in range(0, children, BATCH_LINES):
        with ledger.atomic():
            for number in range(start, min(start + BATCH_LINES, children)):
                wall_ms = BEGINS_MS + number * 20_000
                if number % A_SESSION == 0:
                    session = _earlier(ledger, recorder, number, wall_ms, chance)
                (who, *_), *_ = recorder.record([_child(number)], wall_ms, chance.randbytes)
                assert who.ok, who
                dose = {"vaccine": "bcg", "session": session, "lot": "B-1"}
                line = {"v": 1, "kind": "dose.record", "key": f"d{number}", "patient": who.patient}
                (had, *_), *_ = recorder.record([line | {"data": dose}], wall_ms, chance.randbytes)
                assert had.ok, had
                if (number + 1) % A_SESSION == 0 or number + 1 == children:
                    end = {"v": 1, "kind": "session.close", "key": f"e{number}"}
                    recorder.record(
                        [end | {"data": {"session": session}}], wall_ms, chance.randbytes
                    )
    settle_new_file(ledger.store)
    ledger.close()


def _earlier(ledger: Ledger, recorder: Recorder, number: int, wall_ms: int, chance: Random) -> str:
    data = {"vaccines": ["bcg"], "place": f"Village {number // A_SESSION}"}
    line = {"v": 1, "kind": "session.open", "key": f"s{number}", "data": data}
    (opened, *_), *_ = recorder.record([line], wall_ms, chance.randbytes)
    assert opened.ok, opened
    last = ledger.store.all("SELECT id FROM session ORDER BY opened_ms DESC LIMIT 1")
    return str(SessionId(last[0][0]))


def _child(number: int) -> dict[str, Any]:
    data = {
        "family_name": f"Okoro {number % 997}",
        "sex": "female" if number % 2 else "male",
        "age": {"value": str(12 + number % 36), "unit": "mo"},
        "tags": [CARD.format(number)],
    }
    return {"v": 1, "kind": "patient.register", "key": f"c{number}", "data": data}


def _p99(values: list[float]) -> float:
    return sorted(values)[math.ceil(0.99 * len(values)) - 1]
