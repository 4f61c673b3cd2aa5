"""Starts the terminal as `open` does; `blocked` stops its loop 150 ms four times a second."""

import asyncio
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from fieldnode.tui import app

if sys.argv[2] == "blocked":
    start = app.Driver.start

    def stumble() -> None:
        time.sleep(0.15)
        asyncio.get_running_loop().call_later(0.1, stumble)

    def started(driver: app.Driver) -> None:
        start(driver)
        stumble()

    app.Driver.start = started  # type: ignore[assignment, method-assign]

sys.exit(
    app.run(
        Path(sys.argv[1]), language=os.environ.get("FIELDMESH_LANGUAGE", "en"), theme="", line=False
    )
)
