"""The full-screen terminal: keys and answers go to the shell, lines to the stage."""

from __future__ import annotations

import asyncio
import gc
import os
import secrets
import signal
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from fieldnode.client import NodeClient
from fieldnode.text.catalogue import drawable, language_of
from fieldnode.tui.acts import Ask
from fieldnode.tui.cores.display import Size
from fieldnode.tui.desk import Desk
from fieldnode.tui.shell import Shell
from fieldnode.tui.themes import choose
from fieldnode.tui.zone import LocalZone
from protocols.errors import FieldmeshError, LinkError
from protocols.live.api import Greeting

IDLE_LOOK_MS = 20_000
"""How often it is looked whether somebody still types, at least."""

LAST_WORD_S = 1.0
"""How long a leaving terminal waits for its last draft, and a signal for a stalled screen."""

FRAMES_A_SECOND = 250
"""A key is painted at most 4 ms after it was drawn. The timer behind it runs only while something
is to be painted."""

COLUMNS_MIN, ROWS_MIN = 40, 12
"""Below it nothing can be laid out: line mode."""

RESTORE = (
    b"\x1b[<u\x1b[?1004l\x1b[?2004l\x1b[?2048l\x1b[?1000l\x1b[?1003l\x1b[?1006l\x1b[?1015l"
    b"\x1b[?7h\x1b[0m\x1b[?1049l\x1b[?25h"
)
"""Puts any terminal back: what Textual may have switched on goes off."""


def run(socket_path: Path, *, language: str, theme: str, line: bool) -> int:
    """Show the node behind `socket_path` until the person leaves; return the exit status.

    Args:
        socket_path: The node's Unix socket; it need not be there yet.
        language: Ours by code; '' = as kept on the node, else as the locale says.
        theme: By name; '' = as kept on the node, else what this terminal can show.
        line: Plain prompts in place of a screen; also chosen by itself for terminals that
            cannot hold one.
    """
    # What a start loads is no garbage, and looking through it again and again is a fifth of it.
    gc.disable()
    _draw_where_somebody_looks()
    first = asyncio.run(_greeting(socket_path))
    locale = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG", "")
    chosen = language or first.language or language_of(locale)
    term = os.environ.get("TERM", "")
    encoding = getattr(sys.__stderr__, "encoding", None) or ""
    desk = Desk(
        words=drawable(chosen, term, encoding),
        zone=LocalZone(),
        new_key=lambda: secrets.token_hex(16),
        now_ms=wall_ms(),
        greeting=first,
        chosen=chosen,
        term=term,
        encoding=encoding,
    )
    if line or not screen_possible(term, _terminal_size()):
        from fieldnode.tui.line import run_line

        gc.enable()
        return asyncio.run(run_line(desk, NodeClient(socket_path)))
    no_colour = "NO_COLOR" in os.environ
    desk.theme = choose(term, no_colour=no_colour, wanted=theme or first.theme)
    return _run_screen(desk, socket_path, colour=not no_colour)


def _draw_where_somebody_looks() -> None:
    """Have the screen drawn on standard output where errors go to a file.

    Textual draws where errors go, and a file of errors must hold nobody's name.
    """
    out, err = sys.__stdout__, sys.__stderr__
    if out is not None and err is not None and out.isatty() and not err.isatty():
        os.dup2(out.fileno(), err.fileno())


def screen_possible(term: str, size: Size | None) -> bool:
    """Whether a full screen makes sense on this terminal."""
    if term in ("", "dumb", "unknown") or size is None:
        return False
    return size.width >= COLUMNS_MIN and size.height >= ROWS_MIN


def wall_ms() -> int:
    """Return the wall clock, Unix milliseconds."""
    return time.time_ns() // 1_000_000


def steady_ms() -> int:
    """Return the clock that only goes forward, milliseconds: keys and drawings are told by it."""
    return time.monotonic_ns() // 1_000_000


def awake_ms() -> int:
    """Return a clock that goes on while the machine sleeps, milliseconds: a lid was closed."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000


class Driver:
    """Carries out what the shell asks: calls, the minute, an unfinished scan, changes."""

    def __init__(
        self,
        shell: Shell,
        client: NodeClient,
        show: Callable[[], None],
        awake: Callable[[], int] = awake_ms,
    ) -> None:
        """Stand between keys, node and screen.

        Args:
            shell: Decides.
            client: The node.
            show: Draws, soon.
            awake: A clock that goes on while the machine sleeps, milliseconds.
        """
        self.shell = shell
        self._awake = awake
        self._client = client
        self._show = show
        self._tasks: set[asyncio.Task[None]] = set()
        self._prefix_timer: asyncio.TimerHandle | None = None
        self._last_key_ms = self._awake()

    def start(self) -> None:
        """Open the board and follow the node."""
        self.shell.begin()
        self._start(self._follow())
        self._start(self._minutes())
        self._start(self._idle())
        self.flush()

    def key(self, key: str, struck_ms: int) -> None:
        """Hand one key to the shell; a fault of ours costs the key, never the terminal."""
        # A key struck after a long sleep of the machine comes too late to keep names in view.
        self._lock_when_idle()
        self._last_key_ms = self._awake()
        self._guard(lambda: self.shell.key(key, struck_ms))

    def flush(self) -> None:
        """Carry out what was asked and draw."""
        asks, self.shell.asks = self.shell.asks, []
        for ask in asks:
            self._start(self._carry(ask))
        self._arm_prefix_timer()
        self._show()

    async def last_word(self) -> None:
        """Keep the open form's draft, then leave the node."""
        self.shell.stop()
        asks, self.shell.asks = self.shell.asks, []
        for ask in asks:
            try:
                async with asyncio.timeout(LAST_WORD_S):
                    await ask.call(self._client)
            except (FieldmeshError, TimeoutError):
                break
        for task in self._tasks:
            task.cancel()
        await self._client.close()

    def _start(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry(self, ask: Ask) -> None:
        try:
            result = await ask.call(self._client)
        except FieldmeshError as failure:
            self._guard(lambda failure=failure: self.shell.fail(ask, failure))  # type: ignore[misc]
        except Exception:
            self._guard(lambda: self.shell.fail(ask, FieldmeshError("fault")))
        else:
            self._guard(lambda: self.shell.answer(ask, result))

    def _guard(self, step: Callable[[], None]) -> None:
        self.shell.tick(wall_ms())
        try:
            step()
        except Exception:
            self.shell.fault()
        self.flush()

    async def _follow(self) -> None:
        """Tell the shell of changes, and when the node is away."""
        async for tables in self._client.changes():
            before = set(self._tasks)
            self._guard(self.shell.changed if tables else self.shell.away)
            # A node that takes in much says so many times a second: what changes while it answers
            # is asked for once, afterwards.
            if asked := self._tasks - before:
                await asyncio.wait(asked)

    async def _idle(self) -> None:
        """Lock once nothing was typed for as long as it is set."""
        while True:
            left_ms = self._last_key_ms + self.shell.lock_after_ms - self._awake()
            # A machine that slept wakes later than it was told: it looks again every while.
            await asyncio.sleep(min(max(left_ms, IDLE_LOOK_MS / 10), IDLE_LOOK_MS) / 1000)
            self._lock_when_idle()

    def _lock_when_idle(self) -> None:
        idle_ms = self._awake() - self._last_key_ms
        if idle_ms >= self.shell.lock_after_ms and self.shell.page.name != "lock":
            self._guard(lambda: self.shell.idle(idle_ms))

    async def _minutes(self) -> None:
        """Draw clock and waits anew when the minute turns; nothing moves in between."""
        while True:
            await asyncio.sleep(60 - time.time() % 60)
            self._guard(lambda: None)

    def _arm_prefix_timer(self) -> None:
        from fieldnode.tui.cores.scan import PREFIX_WAIT_MS

        if not self.shell.prefix_waits:
            if self._prefix_timer is not None:
                self._prefix_timer.cancel()
                self._prefix_timer = None
        elif self._prefix_timer is None:
            loop = asyncio.get_running_loop()
            self._prefix_timer = loop.call_later(PREFIX_WAIT_MS / 1000, self._prefix_expired)

    def _prefix_expired(self) -> None:
        self._prefix_timer = None
        self._guard(self.shell.expire)


def _run_screen(desk: Desk, socket_path: Path, *, colour: bool) -> int:
    # Read at import: nothing may move, blink or wait on this screen.
    os.environ["TEXTUAL_ANIMATIONS"] = "none"
    os.environ["TEXTUAL_SMOOTH_SCROLL"] = "0"
    # Frames a second: what is drawn waits for the next one, and nobody draws frames meanwhile.
    os.environ["TEXTUAL_FPS"] = str(FRAMES_A_SECOND)
    from fieldnode.tui.screen import Terminal
    from fieldnode.tui.screens import home

    client = NodeClient(socket_path)
    terminal = Terminal(Shell(desk, home.page(desk), home.openers()), client, colour=colour)
    restore = _restorer()
    gc.freeze()
    gc.enable()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leaver(terminal.leave, restore))
    try:
        terminal.run(mouse=False)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        restore()
    return terminal.return_code or 0


def _leaver(leave: Callable[[int], None], restore: Callable[[], None]) -> Callable[..., None]:
    """Return a signal handler that leaves in order, and by force when the screen is stalled."""

    def forced(_number: int, _frame: FrameType | None) -> None:
        restore()
        os._exit(128 + signal.SIGTERM)

    def left(number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGALRM, forced)
        signal.setitimer(signal.ITIMER_REAL, 2 * LAST_WORD_S)
        leave(128 + number)

    return left


def _restorer() -> Callable[[], None]:
    """Return what puts the terminal back to how it is now, without ever waiting for it."""
    try:
        before = termios.tcgetattr(sys.__stdin__.fileno()) if sys.__stdin__ else None
    except (termios.error, ValueError, OSError):
        before = None

    def restore() -> None:
        try:
            if before is not None and sys.__stdin__ is not None:
                termios.tcsetattr(sys.__stdin__.fileno(), termios.TCSANOW, before)
            if sys.__stderr__ is not None and sys.__stderr__.isatty():
                os.set_blocking(sys.__stderr__.fileno(), False)
                os.write(sys.__stderr__.fileno(), RESTORE)
                os.set_blocking(sys.__stderr__.fileno(), True)
        except (termios.error, ValueError, OSError):
            pass

    return restore


async def _greeting(socket_path: Path) -> Greeting:
    """Return the node's greeting, or an empty one while it is away."""
    client = NodeClient(socket_path)
    try:
        async with asyncio.timeout(LAST_WORD_S):
            return await client.hello()
    except (LinkError, TimeoutError):
        return Greeting(device="", name="")
    finally:
        await client.close()


def _terminal_size() -> Size | None:
    """Return the size of what a screen can be drawn on; None where there is nothing."""
    for stream in (sys.__stdout__, sys.__stderr__):
        try:
            if stream is not None and stream.isatty():
                found = os.get_terminal_size(stream.fileno())
                return Size(found.columns, found.lines) if found.columns and found.lines else None
        except (OSError, ValueError):
            continue
    return None
