"""From a card's scan to a child saved for good and the next one on the screen, with many known.

A real `fieldnode open` in a real pseudo-terminal on a real node. Each scan saves the child that
stands, durably, and shows the next one, so one scan is both halves. The time ends with the last
byte that came out, the session's totals after the save included.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

from figures.books import BATCH_LINES, BEGINS_MS, Books, found
from figures.figure import Reading
from figures.processes import running
from figures.stalls import Stalls
from figures.syncing import Bench
from figures.terminal import Terminal
from protocols.ids import SessionId
from protocols.ledger.book import Ledger
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
CARD = "KM-{:06d}"


def drive_mode(bench: Bench) -> list[Reading]:
    """Scan one known child after the other, all due, in a book of many children."""
    children = bench.large or bench.patients
    with running(drives(bench.books, children)) as (node,):
        _begin(node)
        shown = Terminal(node.folder)
        try:
            shown.wait_for(b"no triage")
            shown.settle()
            shown.strike(b"\x1bOS")
            shown.settle()
            # Which session is a question too: it has to be seen.
            time.sleep(SEEN_S)
            shown.strike(b"\r")
            shown.wait_for(b"Kome school")
            shown.settle()
            with Stalls() as stalls:
                took = list(_scanned(shown, children, stalls))
        finally:
            shown.close()
        (session,) = node.call("sessions")["lines"]
        told = node.call("drive", session=session["id"])
    # The last one still stands on the screen.
    assert told["children"] == len(took) - 1, told["children"]
    all_ms, free_ms = [ms for ms, _ in took[1:]], [ms for ms, stalled in took[1:] if not stalled]
    parts = {"median ms": median(all_ms), "children": float(children)}
    parts |= {"99 % where the machine ran ms": _p99(free_ms), "stalled": len(all_ms) - len(free_ms)}
    parts["longest stall ms"] = stalls.longest_ms
    return [Reading("scan to saved and next", _p99(all_ms), "ms", 60, 40, parts)]


def _scanned(shown: Terminal, children: int, stalls: Stalls) -> Iterator[tuple[float, bool]]:
    """Yield (milliseconds, whether the machine itself stood still meanwhile) of each scan."""
    chance = Random(children)
    for number in chance.sample(range(children), min(CHILDREN, children // 2) + 1):
        began = time.perf_counter()
        seconds, _ = shown.paint(f"]C0{CARD.format(number)}\r".encode(), SETTLES_S)
        time.sleep(SEEN_S)
        yield seconds * 1000, stalls.between(began, began + seconds)


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
