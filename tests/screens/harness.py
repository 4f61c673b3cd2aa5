"""A terminal on a pseudo-terminal, read by an emulator, beside a fake node in a thread."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import threading
import time
from pathlib import Path

import pyte

from fieldnode.tui.cores.glance import GLANCE_MS
from tests.screens.fake_node import FakeNode, Served

CHILD = Path(__file__).with_name("child.py")
WAIT_S = 20.0
"""Longest wait for anything on a busy machine."""
LOOK_S = 1.6 * GLANCE_MS / 1000

KEYS = {
    "enter": "\r", "tab": "\t", "escape": "\x1b", "up": "\x1b[A", "down": "\x1b[B",
    "backspace": "\x7f", "f1": "\x1bOP", "f2": "\x1bOQ", "f3": "\x1bOR", "f4": "\x1bOS",
    "ctrl+n": "\x0e", "f5": "\x1b[15~", "f6": "\x1b[17~", "ctrl+l": "\x0c", "f7": "\x1b[18~",
    "f8": "\x1b[19~", "f9": "\x1b[20~", "f10": "\x1b[21~", "ctrl+g": "\x07",
}  # fmt: skip


class NodeThread:
    """A fake node on a real socket, on a loop of its own."""

    def __init__(self, node: FakeNode, path: Path) -> None:
        self.node, self.path = node, path
        self._loop = asyncio.new_event_loop()
        self._served = Served(node, path)
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> NodeThread:
        self._thread.start()
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(WAIT_S)

    def start(self) -> None:
        asyncio.run_coroutine_threadsafe(self._served.start(), self._loop).result(WAIT_S)

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._served.stop(), self._loop).result(WAIT_S)


class Terminal:
    """`open` as a person has it: keys in, a screen out."""

    def __init__(self, socket: Path, *, blocked: bool = False, term: str = "xterm-256color",
                 **environment: str) -> None:  # fmt: skip
        arguments = [sys.executable, str(CHILD), str(socket), "blocked" if blocked else ""]
        self._begin(arguments, {"TERM": term} | environment)

    def _begin(self, arguments: list[str], environment: dict[str, str]) -> None:
        self.screen = pyte.Screen(80, 24)
        self._stream = pyte.ByteStream(self.screen)
        self.output = bytearray()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
            own = {"TZ": "UTC", "LC_ALL": "C.UTF-8"} | environment
            kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
            os.execve(arguments[0], arguments, kept | own)
        self.started = self._stirred = time.monotonic()

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *exc: object) -> None:
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.fd)

    def send(self, *keys: str, gap_s: float = 0.0) -> None:
        """Strike keys with a gap after each; without one, all in a single write."""
        self._stirred = time.monotonic()
        struck = [KEYS.get(key, key) for key in keys]
        if not gap_s:
            os.write(self.fd, "".join(struck).encode())
            return
        for key in struck:
            os.write(self.fd, key.encode())
            until = time.monotonic() + gap_s
            while (left := until - time.monotonic()) > 0:
                self.read(left)

    def read(self, wait_s: float) -> bool:
        """Take what the terminal sent within a while; return whether there was something."""
        ready, _, _ = select.select([self.fd], [], [], wait_s)
        if not ready:
            return False
        try:
            data = os.read(self.fd, 65_536)
        except OSError:
            return False
        self._stirred = time.monotonic()
        self.output += data
        self._stream.feed(data)
        return bool(data)

    def wait_for(self, *texts: str) -> str:
        """Wait until the screen shows all of these; return it."""
        until = time.monotonic() + WAIT_S
        while time.monotonic() < until:
            shown = self.text
            if all(text in shown for text in texts):
                return shown
            self.read(0.05)
        raise AssertionError(f"not shown: {texts}\n{self.text}")

    def wait_until(self, true) -> None:
        """Wait for something outside the screen."""
        until = time.monotonic() + WAIT_S
        while not true():
            assert time.monotonic() < until, f"never came\n{self.text}"
            self.read(0.02)

    def look(self) -> None:
        """Read what is shown for as long as a person needs before answering it.

        Counted from the last key or the last thing drawn. A terminal on a busy machine knows only
        a little later that what it drew is on the screen.
        """
        while (left := self._stirred + LOOK_S - time.monotonic()) > 0:
            self.read(left)

    def exit_status(self) -> int:
        """Wait for the end; return the status."""
        until = time.monotonic() + WAIT_S
        while time.monotonic() < until:
            found, status = os.waitpid(self.pid, os.WNOHANG)
            if found:
                self.pid = 0
                while self.read(0):
                    pass
                return os.waitstatus_to_exitcode(status)
            self.read(0.05)
        raise AssertionError(f"still there\n{self.text}")

    @property
    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self.screen.display)


class OpenedTerminal(Terminal):
    """`fieldnode open` on the data folder of a running node, as a person starts it."""

    def __init__(self, folder: Path, **environment: str) -> None:
        arguments = [sys.executable, "-m", "fieldnode", "open", "--data", str(folder)]
        colours = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
        self._begin(arguments, colours | environment)
