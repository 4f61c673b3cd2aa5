"""Measures the figures of the root README, each beside its own floor in the same run.

    scripts/bench [--only NAME ...] [--json] [--patients N] [--large N] [--repeats N]

Absolute times are not stable from machine to machine, ratios are. The books that it measures on
are built once and cached in the temporary folder: minutes the first time.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from figures import alone, campaign, drives, keys, stores, syncing, trust, worlds
from figures.books import Books
from figures.figure import (
    Figure,
    Reading,
    Unmeasured,
    as_json,
    exit_code,
    heading,
    line,
    machine,
    measured,
)

FIGURES = (
    Figure("cold-sync", syncing.cold_sync),
    Figure("far-sync", syncing.far_sync),
    Figure("new-edits", syncing.new_edits),
    Figure("nothing-new", syncing.nothing_new),
    Figure("relay", alone.relay),
    Figure("command", alone.command),
    Figure("urgent", syncing.urgent),
    Figure("memory", alone.memory),
    Figure("start", alone.start),
    Figure("idle", alone.idle),
    Figure("disk", alone.disk),
    Figure("terminal", worlds.terminal),
    Figure("terminal-keys", keys.terminal_keys),
    Figure("terminal-list", keys.terminal_list),
    Figure("drive-mode", drives.drive_mode),
    Figure("drill", worlds.drill),
    Figure("trust", trust.large_operation),
    Figure("handshake", trust.handshake),
    Figure("seal", trust.seal),
    Figure("doses", campaign.doses),
    Figure("stores", stores.shelf),
)


def main() -> int:
    """Measure; exit 1 when a figure misses what it must reach or breaks."""
    asked = _arguments()
    books = Books(asked.books)
    bench = syncing.Bench(books, asked.patients, asked.large, asked.repeats)
    on = machine()
    found: list[Reading | Unmeasured] = []
    if not asked.json:
        print(heading(on))
    try:
        for figure in FIGURES:
            if asked.only and figure.name not in asked.only:
                continue
            for reading in measured(figure, bench):
                found.append(reading)
                if not asked.json:
                    print(line(reading), flush=True)
    finally:
        books.close()
    if asked.json:
        print(json.dumps(as_json(found, on), indent=1))
    return exit_code(found)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = [figure.name for figure in FIGURES]
    parser.add_argument(
        "--only", action="append", choices=names, metavar="NAME", help=", ".join(names)
    )
    parser.add_argument("--json", action="store_true", help="for another program")
    parser.add_argument("--patients", type=int, default=10_000)
    parser.add_argument("--large", type=int, default=50_000, help="0 leaves out the large book")
    parser.add_argument(
        "--repeats", type=int, default=3, help="of the cold sync; medians are shown"
    )
    parser.add_argument("--books", type=Path, help="folder that keeps the built books")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
