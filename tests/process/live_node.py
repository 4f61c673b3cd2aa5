"""A real node for process tests: founds books, and runs as a program that serves one.

    python -m tests.process.live_node FOLDER [--listen HOST:PORT] [--peer HOST:PORT ...]

prints one JSON line with its address and device when it serves.
"""

from __future__ import annotations

import argparse
import asyncio
import faulthandler
import io
import json
import os
import signal
import sys
import time
from contextlib import contextmanager
from pathlib import Path

from protocols.ledger.book import Ledger
from protocols.ledger.founding import found_book
from protocols.ledger.store import open_file
from protocols.live.address import Address
from protocols.live.hardening import harden
from protocols.live.journal import Journal
from protocols.live.service import Service, Settings
from protocols.mesh.node import Node

KEY = bytes(range(32))
CODE = bytes(range(10))
HERE = Address("127.0.0.1", 0)


def found(folder: Path, *, hq: bool = False) -> None:
    """Make a book that is an operation of its own."""
    folder.mkdir(mode=0o700, exist_ok=True)
    store = open_file(folder, KEY, create=True)
    found_book(
        store,
        name=folder.name,
        org="Test",
        jurisdiction="XX",
        hq=hq,
        entropy=os.urandom,
        wall_ms=time.time_ns() // 1_000_000,
    )
    store.close()


def factory(folder: Path):
    """Return the factory of a node on this book."""

    @contextmanager
    def opened(_now):
        store = open_file(folder, KEY)
        try:
            yield Node(Ledger(store))
        finally:
            store.close()

    return opened


async def enrol_both(one: Path, two: Path) -> None:
    """Found two books, the second a member of the first's operation."""
    services = []
    for folder in (one, two):
        found(folder)
        service = Service(factory(folder), quiet(folder), Journal(io.StringIO()))
        await service.start()
        services.append(service)
    await services[0].call(lambda node, now: (node.invite(CODE, now), []))
    await services[1].enrol(services[0].address, CODE)
    await asyncio.gather(*(service.stop() for service in services))


def quiet(folder: Path) -> Settings:
    """Settings of a node that only listens."""
    return Settings(folder=folder, listen=HERE, discovery=False)


def patient(number: int) -> dict:
    """One line that registers a patient."""
    return {
        "v": 1,
        "kind": "patient.register",
        "key": f"test-{number}",
        "data": {"family_name": f"Name{number}", "given_name": "Amina"},
    }


def calls(service: Service) -> dict:
    """The calls that process tests make over the local socket."""

    async def record(caller, args):
        return await service.call(lambda node, now: node.record(args["lines"], now))

    async def invite(caller, args):
        return await service.call(lambda node, now: (node.invite(CODE, now), []))

    async def enrol(caller, args):
        await service.enrol(Address.parse(args["address"]), CODE)

    async def dial(caller, args):
        service.dial(Address.parse(args["address"]))

    async def status(caller, args):
        return await service.call(lambda node, now: (status_of(node), []))

    return {
        "record": record, "invite": invite, "enrol": enrol, "dial": dial, "status": status,
    }  # fmt: skip


def status_of(node: Node) -> dict:
    """What a test compares."""
    store = node.ledger.store
    return {
        "device": str(node.ledger.authority.device),
        "linked": [str(device) for device in node.linked],
        "patients": store.one("SELECT count(*) FROM patient")[0],
        "behind": node.ledger.behind,
        "cpu_s": time.process_time(),
        "known": sorted(peer.address for peer in node.ledger.peers.all.values()),
    }


async def serve(folder: Path, listen: Address, peers: tuple[Address, ...], discovery: bool) -> None:
    """Run until told to stop."""
    settings = Settings(folder=folder, listen=listen, peers=peers, discovery=discovery)
    journal = Journal()
    service = Service(factory(folder), settings, journal)
    await service.start(calls(service))
    sys.stdout.write(json.dumps({"address": str(service.address)}) + "\n")
    sys.stdout.flush()
    await service.run_until_stopped()
    journal.close()


def main() -> None:
    """Run as a program."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--listen", type=Address.parse, default=HERE)
    parser.add_argument("--peer", type=Address.parse, action="append", default=[])
    parser.add_argument("--discovery", action="store_true")
    asked = parser.parse_args()
    faulthandler.register(signal.SIGUSR1)
    assert harden()
    asyncio.run(serve(asked.folder, asked.listen, tuple(asked.peer), asked.discovery))


if __name__ == "__main__":
    sys.exit(main())
