"""`scripts/demo`: build the camp, write, cut, write on, heal, compare, show."""

from __future__ import annotations

from protocols.guard import require_runtime

require_runtime()

import asyncio  # noqa: E402 - the guard speaks before anything it guards is imported
import os  # noqa: E402
import sys  # noqa: E402
import tempfile  # noqa: E402
import time  # noqa: E402
from collections.abc import Iterator  # noqa: E402
from itertools import islice  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import click  # noqa: E402

from fieldnode.demo.camp import TENTS, Camp  # noqa: E402
from protocols.live.commands import PASSPHRASE_ENV, say, show  # noqa: E402
from protocols.sim.generator import Workload  # noqa: E402

BATCH = 4
"""Records one tent writes at a time."""
PAUSE_S = 0.2
CONVERGE_S_MAX = 60.0
LOOK_S = 0.1


class Story:
    """What was written where, and what came of it."""

    def __init__(self, camp: Camp, seed: int) -> None:
        self._camp = camp
        self._streams: dict[str, Iterator[dict[str, Any]]] = {
            name: iter(Workload(seed + place, name).lines(1_000_000))
            for place, name in enumerate(TENTS)
        }
        self.saved: set[tuple[str, int]] = set()
        """(feed, seq) of every record that was answered ok."""
        self.refused = 0

    async def write_for(self, seconds: float) -> None:
        """Let every tent write for so long."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            await asyncio.gather(*(self._write_at(name) for name in TENTS))
            await asyncio.sleep(PAUSE_S)

    async def _write_at(self, name: str) -> None:
        lines = list(islice(self._streams[name], BATCH))
        for answer in await self._camp.record(name, lines):
            if answer["ok"]:
                self.saved.add((answer["feed"], answer["seq"]))
            else:
                self.refused += 1

    async def converge(self) -> tuple[bool, float, dict[str, Any]]:
        """Wait until all four ledgers agree; return whether, how long it took, and HQ's state."""
        began = time.monotonic()
        while True:
            states = {name: await self._camp.ask(name, "status") for name in ("hq", *TENTS)}
            digests = [next(iter(state["digest"].values())) for state in states.values()]
            same = all(digest == digests[0] and digest["rows"] for digest in digests)
            took = time.monotonic() - began
            if (same and not self._missing(states["hq"])) or took > CONVERGE_S_MAX:
                return same, took, states["hq"]
            await asyncio.sleep(LOOK_S)

    def _missing(self, hq: dict[str, Any]) -> int:
        held = {feed["feed"]: feed["seq"] for feed in hq["feeds"]}
        return sum(1 for feed, seq in self.saved if held.get(feed, 0) < seq)

    def result(self, same: bool, took: float, hq: dict[str, Any], passed: int) -> dict[str, Any]:
        """Return the figures that the demo promises."""
        lost = self._missing(hq)
        at_hq = sum(feed["seq"] for feed in hq["feeds"] if feed["lane"] != "control")
        written = len(self.saved)
        return {
            "written": written,
            "at_hq": written - lost,
            "lost": lost,
            "duplicated": at_hq - (written - lost),
            "refused": self.refused,
            "converged": same,
            "converge_s": round(took, 2),
            "bytes_per_record": round(passed / max(written, 1), 1),
        }


async def _tell(seconds: float, seed: int, root: Path, as_json: bool, headless: bool) -> int:
    camp = Camp(root)
    try:
        say("Starting one HQ and three tents, each a process of its own ...")
        await camp.build()
        before = camp.wire_bytes
        story = Story(camp, seed)
        third = max(seconds / 3, 1.0)
        say(f"All linked: everybody writes for {third:.0f} s.")
        await story.write_for(third)
        camp.cut()
        say(f"Every cable pulled: everybody writes on, alone, for {third:.0f} s.")
        await story.write_for(third)
        camp.heal()
        say("Cables back. Waiting for four ledgers to agree ...")
        same, took, hq = await story.converge()
        result = story.result(same, took, hq, camp.wire_bytes - before)
        if as_json:
            show(result)
        else:
            _print(result)
        if not headless:
            await _show_round(camp)
        return 0 if same and not result["lost"] and not result["duplicated"] else 1
    finally:
        await camp.stop()


def _print(result: dict[str, Any]) -> None:
    agree = "All four ledgers agree" if result["converged"] else "THE LEDGERS DO NOT AGREE"
    click.echo(f"{agree}, {result['converge_s']} s after the cables were back.")
    click.echo(
        f"{result['written']} records written, {result['at_hq']} at HQ, {result['lost']} lost, "
        f"{result['duplicated']} duplicated, {result['bytes_per_record']} bytes a record on all "
        "six wires together."
    )


async def _show_round(camp: Camp) -> None:
    """Tell where to look, and open the first tent's terminal where there is one."""
    hq = camp.members["hq"].said
    click.echo(f"\nHQ page: {hq['page']}\nLog in once with: {hq['login']}\n")
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        click.echo("No terminal here, so the first tent's screen is not opened.")
        return
    click.echo("Press Enter to open the terminal of the first tent; F10 leaves it.")
    await asyncio.to_thread(sys.stdin.readline)
    opened = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "fieldnode",
        "open",
        "--data",
        str(camp.root / TENTS[0]),
        env={**os.environ, PASSPHRASE_ENV: camp.passphrase},
    )
    await opened.wait()


@click.command()
@click.option("--headless", is_flag=True, help="No terminal: write, cut, heal, compare, end.")
@click.option("--seconds", default=12.0, show_default=True, help="How long to write in all.")
@click.option("--seed", default=1, show_default=True, help="Which patients come.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def main(headless: bool, seconds: float, seed: int, as_json: bool) -> None:
    """One HQ and three tents on this machine, with a cut and a heal."""
    with tempfile.TemporaryDirectory(prefix="fieldmesh-demo-") as place:
        sys.exit(asyncio.run(_tell(seconds, seed, Path(place), as_json, headless)))


main()
