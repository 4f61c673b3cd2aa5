"""Take the pictures of the README: a camp's shift, its terminal, and HQ's page in a browser.

Everything in them was written by the real programs. Two runs differ in times, ids and the codes
made from ids; people, values and words stay.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Callable
from html import escape
from itertools import groupby, islice
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import pyte.screens  # noqa: E402 - the checkout comes first

from fieldnode.demo.arrivals import Arrivals  # noqa: E402
from fieldnode.demo.camp import TENTS, Camp  # noqa: E402
from fieldnode.demo.story import SITES, Story  # noqa: E402
from scripts.pictured import CELL_H, CELL_W, TEXT_Y, drawn_from, marked  # noqa: E402
from tests.browser.chrome import Tab, browser, chromium  # noqa: E402
from tests.process.test_drive_terminal import open_session, open_vial  # noqa: E402
from tests.screens.harness import OpenedTerminal  # noqa: E402

DOCS = ROOT / "docs"
SEED = 4
LINES = {"tent-a": 62, "tent-b": 44, "tent-c": 35}
SHIFT_MS = 5 * 3_600_000
"""The stream is spread over the hours before now."""

QUIET_S = 0.5
"""A screen that has not moved for so long is drawn."""

EDGE = 12
"""Pixels around the screen."""
FONT = "'DejaVu Sans Mono', 'Liberation Mono', Menlo, Consolas, monospace"
GROUND, INK = "000000", "d0d0d0"

BOXES: tuple[dict[str, Any], ...] = (
    {"item": "ors-1l-sachet", "lot": "C9", "expiry": "2031-12", "packs": {"count": 40, "size": 20}},
    {"item": "paracetamol-500-tab", "lot": "P4471", "expiry": "2030-01", "units": 1_000},
    {"item": "zinc-20-tab", "lot": "Z7", "expiry": "2030-05", "units": 300},
    {"item": "amoxicillin-250-tab", "lot": "A20", "expiry": "2030-02", "units": 500},
    {"item": "ringer-lactate-1l", "lot": "R3", "expiry": "2029-08", "units": 60},
)
"""What a store has received; the codes are those of the catalogue."""
ISSUED: tuple[dict[str, Any], ...] = (
    {"item": "ors-1l-sachet", "lot": "C9", "units": 260},
    {"item": "ringer-lactate-1l", "lot": "R3", "units": 44},
)

PASSWORD = "four unrelated words"


async def furnish(camp: Camp) -> None:
    """Write a shift in every tent, then let two tents disagree while they are apart."""
    now_ms = time.time_ns() // 1_000_000
    for name in TENTS:
        lines = list(islice(Arrivals(SEED, SITES[name], name[-1].upper()).lines(), LINES[name]))
        for place, line in enumerate(lines):
            # The newest is some minutes old: a nurse has just sat down to write.
            line["at"] = now_ms - 240_000 - SHIFT_MS * (len(lines) - 1 - place) // len(lines)
        await taken(camp, name, lines)
    story = Story(camp, SEED)
    await story.converge()
    camp.cut()
    for name, village in (("tent-a", "Kabo"), ("tent-b", "Kalonge")):
        line = {"v": 1, "kind": "patient.identify", "key": name, "patient": {"tag": "A-005"}}
        await taken(camp, name, [{**line, "data": {"village": village}}])
    camp.heal()
    await story.converge()


async def stock_up(camp: Camp) -> None:
    """Take some boxes in at the first tent, and issue some of what is in them."""
    sites = (await camp.ask("tent-a", "rows", kind="site", since=0))["rows"]
    store = next(row["id"] for row in sites if row["name"] == SITES["tent-a"])
    lines = [
        {**_line(f"box {at}", "stock.receive", box), "store": store} for at, box in enumerate(BOXES)
    ]
    lines += [
        {**_line(f"out {at}", "stock.issue", out), "store": store} for at, out in enumerate(ISSUED)
    ]
    await taken(camp, "tent-a", lines)


def _line(key: str, kind: str, data: dict[str, Any]) -> dict[str, Any]:
    return {"v": 1, "kind": kind, "key": key, "data": data}


async def taken(camp: Camp, name: str, lines: list[dict[str, Any]]) -> None:
    """Write lines; every one of them has to be taken."""
    refused = [answer for answer in await camp.record(name, lines) if not answer["ok"]]
    assert not refused, refused


def terminal_pictures(folder: Path, keep: Callable[[str, pyte.Screen], None]) -> None:
    """Walk through the screens of one tent and keep each."""
    with OpenedTerminal(folder) as tent:
        tent.wait_for("UNSENT 0", "1 RED", "LINKS 3")

        def shoot(name: str, *shown: str) -> None:
            tent.wait_for(*shown, "0Menu")
            while tent.read(QUIET_S):
                pass
            keep(name, tent.screen)

        shoot("board", "NAME")
        tent.send("f7")
        shoot("sync", "THIS NODE", "At HQ until", "linked")
        tent.send("escape", "down", "down")
        tent.look()
        tent.send("enter")
        shoot("chart", "WHEN", "SAYS", "Triage")
        tent.send("v")
        tent.wait_for("VITAL SIGNS")
        tent.send(*"24", "enter", *"95")
        shoot("vitals", "[ 95")
        tent.send("escape", "escape", "f2")
        tent.wait_for("MASS CASUALTY", "Age band")
        tent.send(*"A-044", "enter", "2")
        shoot("triage", "2 YELLOW", ">Age band")
        tent.send("escape", "f5")
        shoot("store", f"STOCK   {SITES['tent-a']}", "Oral rehydration salts")
        tent.send("escape")
        open_session(tent)
        open_vial(tent)
        tent.send(*"]C0KM-1", "enter")
        tent.wait_for("NEW CARD KM-1")
        tent.send(*"22", "enter", "2")
        shoot("drive", "[x] Measles-rubella 1")


def svg(screen: pyte.Screen, title: str) -> str:
    """Return a screen as a picture that any viewer draws with its own fixed-width font."""
    width, height = screen.columns * CELL_W + 2 * EDGE, screen.lines * CELL_H + 2 * EDGE
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
        f' width="{width}" height="{height}" role="img" aria-label="{escape(title)}">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{width}" height="{height}" rx="6" fill="#{GROUND}"/>',
        f'<g transform="translate({EDGE} {EDGE})" font-family="{FONT}" font-size="15"'
        ' xml:space="preserve">',
    ]
    for row in range(screen.lines):
        parts += _row([screen.buffer[row][at] for at in range(screen.columns)], row * CELL_H)
    return "\n".join([*parts, "</g>", "</svg>", ""])


def _row(cells: list[pyte.screens.Char], top: int) -> list[str]:
    grounds, texts = [], []
    for (ink, ground, bold, under, _), group in groupby(enumerate(cells), lambda it: _look(it[1])):
        run = list(group)
        left, width = run[0][0] * CELL_W, len(run) * CELL_W
        if ground != GROUND:
            box = f'x="{left}" y="{top}" width="{width}" height="{CELL_H}"'
            grounds.append(f'<rect {box} fill="#{ground}"/>')
        style = f' fill="#{ink}"{BOLD if bold else ""}{UNDER if under else ""}'
        texts += _words([(at, cell.data) for at, cell in run], top, style)
    return grounds + texts


BOLD, UNDER = ' font-weight="bold"', ' text-decoration="underline"'


def _words(run: list[tuple[int, str]], top: int, style: str) -> list[str]:
    """Return a run's words, each at its own cell, so that another font moves none of them."""
    found = []
    for blank, group in groupby(run, lambda cell: cell[1] == " "):
        word = list(group)
        text = "".join(data for _, data in word)
        if blank or not text:
            continue
        place = f'x="{word[0][0] * CELL_W}" y="{top + TEXT_Y}"'
        # Other scripts have widths and directions of their own; squeezing breaks their letters.
        fit = f' textLength="{len(word) * CELL_W}"' if max(text) < "\u0590" else ""
        found.append(f"<text {place}{fit}{style}>{escape(text)}</text>")
    return found


def _look(cell: pyte.screens.Char) -> tuple[str, str, bool, bool, bool]:
    """Return ink, ground, bold, underlined; and whether the script runs to the left."""
    ink, ground = _colour(cell.fg, INK), _colour(cell.bg, GROUND)
    if cell.reverse:
        ink, ground = ground, ink
    return ink, ground, cell.bold, cell.underscore, "\u0590" <= cell.data[:1] < "\u0780"


def _colour(name: str, default: str) -> str:
    if name == "default":
        return default
    assert len(name) == 6, name  # the night theme names every colour by its parts
    return name


async def page_pictures(program: str, said: dict[str, Any], scratch: Path) -> None:
    """Log in through the one-time link and take the page as a desk and a phone show it."""
    async with browser(program, scratch / "chromium") as tab:
        await tab.size(1280, 860)
        await tab.open(said["login"])
        await tab.until("document.activeElement.name === 'name'")
        for text in ("lead", PASSWORD, PASSWORD):
            await tab.type(text)
            await tab.press("Tab", 9)
        await tab.press(" ", 32)
        await tab.until("location.pathname === '/' && document.querySelector('#live.on')")
        await _shoot(tab, "hq", 1280, 860)
        await _shoot(tab, "hq-phone", 390, 844)


async def _shoot(tab: Tab, name: str, width: int, height: int) -> None:
    await tab.size(width, height)
    clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
    (DOCS / f"{name}.png").write_bytes(marked(await tab.picture(clip=clip), drawn_from()))


async def main() -> int:
    """Take all pictures."""
    DOCS.mkdir(exist_ok=True)

    def keep(name: str, screen: pyte.Screen) -> None:
        title = f"The terminal of a tent: {name}"
        (DOCS / f"{name}.svg").write_text(svg(screen, title), encoding="utf-8")

    with tempfile.TemporaryDirectory(prefix="fieldmesh-pictures-") as place:
        camp = Camp(Path(place) / "camp", progress=print)
        camp.root.mkdir()
        try:
            await camp.build()
            await furnish(camp)
            await stock_up(camp)
            await asyncio.to_thread(terminal_pictures, camp.root / "tent-a", keep)
            program = chromium()
            if program is None:
                print("No Chromium is installed here, so HQ's page was not pictured.")
            else:
                await page_pictures(program, camp.members["hq"].said, Path(place))
        finally:
            await camp.stop()
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
