"""Vaccination at size: the doses of fifty nodes reach one blank ledger, merged and projected."""

from __future__ import annotations

import time
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

from figures.books import (
    BATCH_LINES,
    BEGINS_MS,
    SEED,
    Books,
    admit_writer,
    found,
    opened,
)
from figures.figure import Reading
from figures.processes import running
from figures.syncing import Bench
from protocols.ledger.admitting import admit, join, request_to_join
from protocols.ledger.recording import Recorder
from protocols.ledger.store import settle_new_file
from protocols.sim import names
from protocols.trust.granting import Wish

NODES = 50
DOSES = 55_000
SMALL_SHARE = 10
"""Without the large book it is a tenth of the doses, in a tenth of the time."""
MUST_S, GOAL_S = 60.0, 30.0
VIAL_DOSES = 10
PACE_MS = 20_000
"""Between two children of one team."""


def doses(bench: Bench) -> list[Reading]:
    """Every child is registered by its team, and had one dose from a vial of its session."""
    count = DOSES if bench.large else DOSES // SMALL_SHARE
    source = bench.books.made(f"campaign-{count}", lambda folder: _written(folder, count))
    blank = _admitted(bench.books, source)
    with running(source, blank) as nodes:
        near, far = nodes
        heads = near.call("held")["heads"]
        before = far.call("usage")["cpu_s"]
        began = time.perf_counter()
        far.call("dial", address=near.address)
        after = far.call("until", heads=heads)["cpu_s"]
        took_s = time.perf_counter() - began
    share = count / DOSES
    parts = {"doses": count, "us/dose": took_s * 1e6 / count, "receiver CPU s": after - before}
    name = "doses of 50 nodes to a blank ledger" + ("" if share == 1 else ", a tenth")
    return [Reading(name, took_s, "s", MUST_S * share, GOAL_S * share, parts)]


def _admitted(books: Books, source: Path) -> Path:
    """Return an empty book that the source has admitted."""
    chance = Random(SEED + 1)
    folder = books.scratch() / "blank"
    joined = found(folder, "Second office", chance, hq=False)
    with opened(source) as ledger:
        request = request_to_join(joined, b"", chance.randbytes)
        grant = admit(ledger, request, chance.randbytes, BEGINS_MS, wish=Wish())
        join(joined, grant, BEGINS_MS)
    settle_new_file(joined.store)
    joined.close()
    return folder


def _written(folder: Path, count: int) -> None:
    """Write the whole campaign into one book, under fifty devices of its operation."""
    chance = Random(SEED)
    ledger = found(folder, "Head office", chance, hq=True)
    home = (ledger.authority.keys, ledger.authority.epoch)
    recorder, authority = Recorder(ledger), ledger.authority
    keys = 0

    def say(wall_ms: int, kind: str, **fields: Any) -> Any:
        nonlocal keys
        keys += 1
        line = {"v": 1, "kind": kind, "key": f"f{keys}", **fields}
        answers, *_ = recorder.record([line], wall_ms, chance.randbytes)
        assert answers[0].ok, answers[0]
        return answers[0]

    for node in range(NODES):
        authority.keys, authority.epoch = home
        device = admit_writer(ledger, node, chance)
        authority.keys, authority.epoch = device
        wall_ms, vial, session, left = BEGINS_MS, "", "", 0
        mine = range(node, count, NODES)
        for start in range(0, len(mine), BATCH_LINES // 2):
            with ledger.atomic():
                for number in mine[start : start + BATCH_LINES // 2]:
                    wall_ms += PACE_MS
                    if not session:
                        data: dict[str, Any] = {"vaccines": ["mr"], "place": f"post {node + 1}"}
                        session = say(wall_ms, "session.open", data=data).id
                    if not left:
                        data = {"session": session, "item": "vaccine-mr-10", "lot": "M1"}
                        vial = say(wall_ms, "vial.open", data=data | {"expiry": "2028-03"}).id
                        left = VIAL_DOSES
                    card = f"k{number:06d}"
                    say(wall_ms, "patient.register", data=_child(chance, card))
                    data = {"vaccine": "mr", "vial": vial}
                    say(wall_ms, "dose.record", patient={"tag": card}, data=data)
                    left -= 1
    authority.keys, authority.epoch = home
    settle_new_file(ledger.store)
    ledger.close()


def _child(chance: Random, card: str) -> dict[str, Any]:
    born = date(2026, 1, 1) - timedelta(days=chance.randint(400, 1700))
    return {
        "family_name": chance.choice(names.FAMILY),
        "given_name": chance.choice(names.GIVEN),
        "sex": chance.choice(("male", "female")),
        "birth_date": born.isoformat(),
        "tags": [card],
    }
