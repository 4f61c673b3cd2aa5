"""The terminal of a running node in a real pseudo-terminal of 80 by 24."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

from figures.books import ROOT

LINES, COLUMNS = 24, 80
STILL_S = 0.4
"""A screen that sends nothing for this long is drawn."""
GIVE_UP_S = 30.0
READ_BYTES = 1 << 16


class Terminal:
    """`fieldnode open` on one data folder whose node runs."""

    def __init__(self, folder: Path) -> None:
        self._screen, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        command = [sys.executable, "-m", "fieldnode", "open", "--data", str(folder)]
        self._process = subprocess.Popen(
            command, stdin=inner, stdout=inner, stderr=inner, env=environment, cwd=ROOT
        )
        os.close(inner)
        self._sent = bytearray()

    def wait_for(self, text: bytes) -> float:
        """Wait until this was sent to the screen; return when, on `time.perf_counter`."""
        end = time.perf_counter() + GIVE_UP_S
        while text not in self._sent:
            assert time.perf_counter() < end, "the board did not come"
            assert self._process.poll() is None, bytes(self._sent[-400:])
            self._read(0.05)
        return time.perf_counter()

    def settle(self) -> None:
        """Wait until nothing more is drawn."""
        while self._read(STILL_S):
            pass

    def bytes_in(self, seconds: float) -> int:
        """Return how many bytes are sent to the screen in this time without a key."""
        sent, end = 0, time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            sent += self._read(left)
        return sent

    def resident_mb(self) -> float:
        """Return what the program holds in memory."""
        text = Path(f"/proc/{self._process.pid}/statm").read_text(encoding="ascii")
        return int(text.split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        os.close(self._screen)

    def _read(self, wait_s: float) -> int:
        ready, _, _ = select.select([self._screen], [], [], wait_s)
        if not ready:
            return 0
        try:
            chunk = os.read(self._screen, READ_BYTES)
        except OSError:
            return 0
        self._sent += chunk
        return len(chunk)
