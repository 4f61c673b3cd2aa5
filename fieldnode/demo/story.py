"""What the demo tells: everybody writes, all cables are pulled, everybody writes on, they heal."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from fieldnode.demo.arrivals import Arrivals
from fieldnode.demo.camp import TENTS, Camp, shared

SITES = {"tent-a": "Stadium", "tent-b": "River school", "tent-c": "Market hall"}
"""Where each tent stands."""

BATCH = 4
"""Records one tent writes at a time."""
PAUSE_S = 0.2
LOOK_S = 0.1


@dataclass(frozen=True, slots=True)
class Result:
    """The figures that the demo promises."""

    written: int
    """Entries that were answered as saved."""
    at_hq: int
    lost: int
    """Saved, and not at HQ."""
    duplicated: int
    """At HQ beyond what was saved."""
    refused: int
    converged: bool
    """Whether all four ledgers hold the same entries, certificates and rows."""
    converge_s: float
    """From the cables being back until all four agreed."""
    bytes_per_record: float
    """On all six wires together, both ways, everything included."""

    @property
    def good(self) -> bool:
        """Whether the demo showed what it promises."""
        return self.converged and not (self.lost or self.duplicated or self.refused)


class Story:
    """What was written where, and what came of it."""

    def __init__(self, camp: Camp, seed: int, *, patience_s: float = 60.0) -> None:
        self._camp = camp
        self._patience_s = patience_s
        self._streams: dict[str, Iterator[dict[str, Any]]] = {
            name: Arrivals(seed, SITES[name], name[-1].upper()).lines() for name in TENTS
        }
        self._before = camp.wire_bytes
        self.saved: set[tuple[str, int]] = set()
        """(feed, seq) of every record that was answered ok."""
        self.refused = 0

    async def tell(self, seconds: float, say: Callable[[str], None]) -> Result:
        """Tell it all, writing for so long altogether."""
        half = max(seconds / 2, 0.5)
        say(f"All linked. Everybody writes for {half:.0f} s ...")
        await self.write_for(half)
        self._camp.cut()
        say(f"Every cable is pulled. Everybody writes on, alone, for {half:.0f} s ...")
        await self.write_for(half)
        self._camp.heal()
        say("The cables are back. Waiting until four ledgers agree ...")
        return await self.converge()

    async def write_for(self, seconds: float) -> None:
        """Let every tent write for so long."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            await asyncio.gather(*(self._write_at(name) for name in TENTS))
            await asyncio.sleep(PAUSE_S)

    async def converge(self) -> Result:
        """Wait until all four ledgers agree, or patience ends.

        Not until every link is back: two that are cut from each other meet through a third.
        """
        began = time.monotonic()
        while True:
            states = await self._camp.states()
            took = time.monotonic() - began
            done = _agree(states) and not self._missing(states["hq"])
            if done or took > self._patience_s:
                return self._result(states, took, await self._by_themselves())
            await asyncio.sleep(LOOK_S)

    async def _write_at(self, name: str) -> None:
        lines = list(islice(self._streams[name], BATCH))
        for answer in await self._camp.record(name, lines):
            if answer["ok"]:
                self.saved.add((answer["feed"], answer["seq"]))
            else:
                self.refused += 1

    def _missing(self, hq: dict[str, Any]) -> int:
        held = {feed["feed"]: feed["seq"] for feed in hq["feeds"]}
        return sum(1 for feed, seq in self.saved if held.get(feed, 0) < seq)

    async def _by_themselves(self) -> set[tuple[str, int]]:
        """Entries that no person wrote: each node says by itself which packs it works by."""
        page = await self._camp.ask("hq", "rows", kind="pack_use", since=0)
        return {(row["feed"], row["seq"]) for row in page["rows"]}

    def _result(self, states: dict[str, Any], took: float, own: set[tuple[str, int]]) -> Result:
        hq = states["hq"]
        lost = self._missing(hq)
        # Counts follow from what is written, in feeds of their own.
        written_in = {feed for feed, _ in self.saved}
        held = sum(feed["seq"] for feed in hq["feeds"] if feed["feed"] in written_in)
        upto = {feed["feed"]: feed["seq"] for feed in hq["feeds"] if feed["feed"] in written_in}
        held -= sum(seq <= upto.get(feed, 0) for feed, seq in own)
        written = len(self.saved)
        passed = self._camp.wire_bytes - self._before
        return Result(
            written=written,
            at_hq=written - lost,
            lost=lost,
            duplicated=held - (written - lost),
            refused=self.refused,
            converged=_agree(states),
            converge_s=round(took, 2),
            bytes_per_record=round(passed / max(written, 1), 1),
        )


def _agree(states: dict[str, Any]) -> bool:
    digests = shared(states)
    whole = all(part["rows"] for digest in digests for part in digest.values())
    return whole and all(digest and digest == digests[0] for digest in digests)
