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
UNSEEN_S = 2.0
"""A key of which nothing was drawn for so long is counted as having taken this long."""
READ_BYTES = 1 << 16


class Screen:
    """A program on the other side of a pseudo-terminal."""

    def __init__(self, command: list[str]) -> None:
        self._screen, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        self._process = subprocess.Popen(
            command, stdin=inner, stdout=inner, stderr=inner, env=environment, cwd=ROOT
        )
        os.close(inner)
        self._sent = bytearray()

    def strike(self, keys: bytes) -> None:
        """Send keys and wait for nothing."""
        os.write(self._screen, keys)

    def paint(self, key: bytes, quiet_s: float) -> tuple[float, int]:
        """Strike one key; return after how many seconds its last byte came, and how many came.

        Args:
            key: What the keyboard sends for it.
            quiet_s: It is painted once nothing was sent for so long.
        """
        before, began = len(self._sent), time.perf_counter()
        self.strike(key)
        took = self._last_byte(began, UNSEEN_S, quiet_s)
        return took, len(self._sent) - before

    def drawn(self, within_s: float, quiet_s: float) -> float:
        """Return after how many seconds from now the last byte of what is drawn by itself came."""
        return self._last_byte(time.perf_counter(), within_s, quiet_s)

    def wakes_a_second(self, seconds: float) -> float:
        """Return how often its threads wake up, from what the kernel counts."""
        before, began = self._switches(), time.perf_counter()
        self.bytes_in(seconds)
        return (self._switches() - before) / (time.perf_counter() - began)

    def _switches(self) -> int:
        found = 0
        for task in Path(f"/proc/{self._process.pid}/task").iterdir():
            for row in (task / "status").read_text(encoding="ascii").splitlines():
                if row.startswith("voluntary_ctxt_switches"):
                    found += int(row.split()[1])
        return found

    def _last_byte(self, began: float, within_s: float, quiet_s: float) -> float:
        last = 0.0
        while self._read(quiet_s if last else within_s):
            last = time.perf_counter() - began
        # Nothing was drawn at all: as bad as what would have come now.
        return last or within_s

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

    def idle_bytes(self, seconds: float) -> int:
        """Return how many bytes are sent without a key, between two minutes of its clock.

        Args:
            seconds: Less than a minute. The clock of the first row is 51 bytes a minute.
        """
        left = 60 - time.time() % 60
        if left < seconds + 1:
            self.bytes_in(left + 1)
        return self.bytes_in(seconds)

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


class Terminal(Screen):
    """`fieldnode open` on one data folder whose node runs."""

    def __init__(self, folder: Path) -> None:
        super().__init__([sys.executable, "-m", "fieldnode", "open", "--data", str(folder)])


class Echo(Screen):
    """The least a terminal program can do: a row of text for each key."""

    def __init__(self) -> None:
        super().__init__([sys.executable, "-c", _ECHO])


_ECHO = """
import os, tty
tty.setraw(0)
while os.read(0, 64):
    os.write(1, b"\\r" + b"x" * 60)
"""
