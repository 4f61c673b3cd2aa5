"""A node as a process of its own, for the bench: serves one book and answers a few more calls.

python -m figures.node FOLDER

"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from figures.books import KEY
from protocols.ids import FeedId
from protocols.ledger.book import Ledger
from protocols.ledger.store import open_file
from protocols.live.address import Address
from protocols.live.hardening import harden
from protocols.live.journal import Journal
from protocols.live.running import Desk
from protocols.live.service import Service, Settings
from protocols.mesh.effects import Now
from protocols.mesh.node import Node

LOOK_S = 0.02
FAR_LOOK_S = 0.2
"""While more than `NEAR` entries wait to be merged or to come: to be asked costs the node too."""
NEAR = 2_000
URGENT_LOOK_S = 0.001


@contextmanager
def _opened(folder: Path) -> Iterator[Node]:
    store = open_file(folder, KEY)
    try:
        node = Node(Ledger(store))
        yield node
        node.stop()
    finally:
        store.close()


def _usage() -> dict[str, float]:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return {"cpu_s": time.process_time(), "resident_mb": pages * 4096 / 1e6}


def _held(node: Node) -> dict[str, Any]:
    ledger = node.ledger
    heads = {str(feed.feed_id): feed.seq for feed in ledger.chain.feeds.values()}
    return {"heads": heads, "entries": ledger.chain.last_arrival}


async def _until(service: Service, args: dict[str, Any]) -> dict[str, Any]:
    """Wait until these heads are held and everything is merged; return the CPU it took so far."""
    wanted = [(FeedId.parse(feed), seq) for feed, seq in args["heads"].items()]
    urgent_only = bool(args.get("urgent"))
    while True:
        left = await service.call(lambda node, _: (_left(node, wanted, urgent_only), []))
        if not left:
            return _usage()
        look_s = URGENT_LOOK_S if urgent_only else LOOK_S
        await asyncio.sleep(look_s if urgent_only or left < NEAR else FAR_LOOK_S)


def _left(node: Node, wanted: Sequence[tuple[FeedId, int]], urgent_only: bool) -> int:
    """About how many entries are to come or to be merged; asked so often that it counts."""
    ledger, feeds = node.ledger, node.ledger.chain.feeds
    behind = ledger.behind if ledger.behind_in(urgent_only=urgent_only) else 0
    return behind + sum(
        max(seq - (feeds[feed].seq if feed in feeds else 0), 0) for feed, seq in wanted
    )


def _calls(service: Service) -> dict[str, Any]:
    async def dial(_: object, args: dict[str, Any]) -> None:
        service.dial(Address.parse(args["address"]))

    async def held(_: object, __: dict[str, Any]) -> dict[str, Any]:
        return await service.call(lambda node, _: (_held(node), []))

    async def until(_: object, args: dict[str, Any]) -> dict[str, Any]:
        return await _until(service, args)

    async def usage(_: object, __: dict[str, Any]) -> dict[str, float]:
        return _usage()

    async def linked(_: object, args: dict[str, Any]) -> int:
        while len(await service.call(lambda node, _: (node.linked, []))) < args["count"]:  # noqa: ASYNC110
            await asyncio.sleep(LOOK_S)
        return args["count"]

    return {"dial": dial, "held": held, "until": until, "usage": usage, "linked": linked}


async def _serve(folder: Path) -> None:
    settings = Settings(folder=folder, listen=Address("127.0.0.1", 0), discovery=False)
    journal = Journal()

    def factory(_: Now) -> Any:
        return _opened(folder)

    service = Service(factory, settings, journal)
    desk = Desk(service, folder)
    await service.start({**desk.handlers(), **_calls(service)}, left=desk.left)
    print(json.dumps({"address": str(service.address)}), flush=True)
    await service.run_until_stopped()
    journal.close()


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    harden()
    asyncio.run(_serve(folder))


if __name__ == "__main__":
    main()
