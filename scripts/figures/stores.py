"""A store at size: a screen of 3,000 items and 200,000 movements opens."""

from __future__ import annotations

import gc
import time
from pathlib import Path
from random import Random
from statistics import median

from figures.books import BEGINS_MS, found, opened
from figures.figure import Reading
from figures.syncing import Bench
from protocols.ids import SiteId
from protocols.ledger.recording import Recorder
from protocols.ledger.store import settle_new_file
from protocols.live import shelving
from protocols.live.api import Reply
from protocols.live.lines import encode
from protocols.live.service import COLLECT_AFTER
from protocols.mesh.effects import Now
from protocols.mesh.node import Node
from protocols.records.kinds import KindNo
from protocols.records.movement import DAY_MS, WHY, StockIssue, StockReceive, entry_of
from protocols.records.shape import Circumstances, Draft, NewFact, Plan

ITEMS = 3_000
MOVEMENTS = 200_000
SMALL_SHARE = 10
"""Without the large book a tenth of the items and movements is measured."""
MUST_MS, GOAL_MS = 300.0, 150.0
DAYS = 90
"""Over which the movements are spread: a third of them are in the four weeks of a rate."""
LOTS = 3
RUNS = 9
PAGE = 64


def shelf(bench: Bench) -> list[Reading]:
    """Its first page to the bytes of the socket: as always, and the first time since a start."""
    share = 1 if bench.large else SMALL_SHARE
    items, moves = ITEMS // share, MOVEMENTS // share
    folder = bench.books.made(f"store-{items}-{moves}", lambda at: _written(at, items, moves))
    with opened(folder) as ledger:
        node = Node(ledger)
        now = Now(BEGINS_MS + DAYS * DAY_MS, 0, Random(1).randbytes)
        ((raw,),) = ledger.store.all("SELECT DISTINCT store FROM stock")
        asked = {"store": str(SiteId(raw)), "offset": 0, "limit": PAGE, "languages": ["en"]}
        # Cycles are looked for as often as a running node does.
        often = gc.get_threshold()
        gc.set_threshold(COLLECT_AFTER)
        first_ms, *more_ms = (_open(node, now, asked) for _ in range(RUNS))
        gc.set_threshold(*often)
        filtered_ms = median(_open(node, now, {**asked, "filter": "para"}) for _ in range(3))
        card = {"store": asked["store"], "item": "item-00001"}
        began = time.perf_counter()
        encode(Reply(1, result=shelving.stock_item(node, now, card)))
        card_ms = (time.perf_counter() - began) * 1e3
        ((held,),) = ledger.store.all("SELECT count(*) FROM movement")
    parts = {"movements": held, "filtered ms": filtered_ms, "one item ms": card_ms}
    name = "stock screen of 3,000 items" + ("" if share == 1 else ", a tenth,")
    return [
        Reading(f"{name} opens", median(more_ms), "ms", MUST_MS, GOAL_MS, parts),
        Reading(f"{name} the first time since the node started", first_ms, "ms", MUST_MS, GOAL_MS),
    ]


def _open(node: Node, now: Now, asked: dict[str, object]) -> float:
    began = time.perf_counter()
    encode(Reply(1, result=shelving.shelf(node, now, asked)))
    return (time.perf_counter() - began) * 1e3


def _written(folder: Path, items: int, moves: int) -> None:
    """Write one store, item after item, many movements in one entry."""
    chance = Random(items)
    ledger = found(folder, "Store", chance, hq=False)
    line = {"v": 1, "kind": "site.register", "key": "site", "data": {"name": "Store"}}
    with ledger.atomic():
        Recorder(ledger).record([line], BEGINS_MS, chance.randbytes)
    ((store,),) = ledger.store.all("SELECT id FROM site")
    each = moves // items
    for start in range(0, items, 100):
        with ledger.atomic():
            for number in range(start, min(start + 100, items)):
                draft = _item(bytes(store), f"item-{number:05d}", each, chance)
                at_ms = BEGINS_MS + DAYS * DAY_MS
                ledger.write(Plan((draft,)), at_ms, chance.randbytes)
    settle_new_file(ledger.store)
    ledger.close()


def _item(store: bytes, item: str, moves: int, chance: Random) -> Draft:
    """Return an entry of receipts, one a lot, and of issues spread over all days."""
    today = (BEGINS_MS + DAYS * DAY_MS) // DAY_MS
    facts = []
    for lot in range(LOTS):
        at_s = BEGINS_MS // 1000 + lot * 3600
        expiry = today + chance.randint(-5, 700)
        facts.append(
            NewFact(
                KindNo.STOCK_RECEIVE,
                StockReceive(
                    Circumstances(at_s), (), store, item, f"L{lot}", expiry, 40 * moves,
                    WHY.index("donation"),
                ),
            )
        )  # fmt: skip
    for number in range(moves - LOTS):
        at_s = BEGINS_MS // 1000 + (number + 1) * DAYS * 86_400 // moves
        facts.append(
            NewFact(
                KindNo.STOCK_ISSUE,
                StockIssue(
                    Circumstances(at_s), (), store, item, f"L{number % LOTS}", None,
                    chance.randint(1, 60), WHY.index("to-ward"),
                ),
            )
        )  # fmt: skip
    return entry_of(store, item, *facts)
