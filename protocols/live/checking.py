"""Checks copies of a book in a process of its own, so that a serving node does not slow down.

    python -m protocols.live.checking PATH

reads the database key from standard input, never from its arguments, and prints the findings.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import msgspec

from protocols.errors import LedgerError
from protocols.ledger.inspection import Findings, check_copy
from protocols.ledger.keyfile import KEY_BYTES
from protocols.live.hardening import harden

NICENESS = 10
"""Whoever writes down care goes first."""


class Apart:
    """Checks one copy after the other apart, until it is told to stop."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[bytes]] = set()
        self.going_on = True

    def check(self, path: Path, key: bytes) -> Findings:
        """Check a copy; waits for it, so call it from a thread that may wait.

        Raises:
            LedgerError: `check_failed` when the other process did not come to an end.
        """
        with subprocess.Popen(  # noqa: S603 - our own program, our own argument
            [sys.executable, "-m", "protocols.live.checking", str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as process:
            self._running.add(process)
            if not self.going_on:
                process.kill()
            said, _ = process.communicate(key)
            self._running.discard(process)
        if process.returncode:
            raise LedgerError("check_failed" if self.going_on else "stopped")
        return msgspec.json.decode(said, type=Findings)

    def stop(self) -> None:
        """Give up what is being checked."""
        self.going_on = False
        for process in list(self._running):
            process.kill()


def main() -> None:
    """Check the copy that the only argument names."""
    harden()
    os.nice(NICENESS)
    key = sys.stdin.buffer.read(KEY_BYTES)
    sys.stdout.buffer.write(msgspec.json.encode(check_copy(Path(sys.argv[1]), key)))


if __name__ == "__main__":
    main()
