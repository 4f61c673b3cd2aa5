"""The only file besides the stage that knows Textual: events in, and one widget to draw on."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from rich.console import RenderableType
from textual import events
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.screen import Screen

from fieldnode.client import NodeClient
from fieldnode.tui.app import Driver, steady_ms
from fieldnode.tui.cores.display import Line, Size
from fieldnode.tui.cores.keys import GROUP_SEPARATOR, is_text
from fieldnode.tui.keyboard import KeyboardDriver
from fieldnode.tui.shell import Shell
from fieldnode.tui.themes import PLAIN, styles
from fieldnode.tui.widgets.sparing import sparing
from fieldnode.tui.widgets.stage import Stage

FIRST_WAIT_S = 0.25
"""How long the first screen waits for the board, so that it is drawn once and whole."""

NAMES = {"ctrl+j": "enter", "ctrl+m": "enter", "ctrl+h": "backspace", "ctrl+i": "tab"}
"""Control characters that some terminals and scanners send for named keys."""


class Terminal(App[int]):
    """Hands every key, in order, to the shell; nothing else ever sees one."""

    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = []
    CSS = "Screen { background: black; } Screen:ansi { background: ansi_default; }"

    def __init__(self, shell: Shell, client: NodeClient, *, colour: bool) -> None:
        super().__init__(driver_class=KeyboardDriver, ansi_color=shell.desk.theme in PLAIN)
        self.animation_level = "none"
        self.shell = shell
        self._colour = colour
        self._look = shell.desk.theme
        self._stage = Stage(styles(self._look, colour=colour))
        self._node_driver = Driver(shell, client, self._show_soon)
        self._drawing = False
        self._shown = False
        self._bells = 0
        self._loop_now: asyncio.AbstractEventLoop | None = None

    def compose(self) -> ComposeResult:
        """Put up the stage."""
        yield self._stage

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        """Send only the cells that changed."""
        super()._display(screen, sparing(renderable))

    def on_mount(self) -> None:
        """Start the shell."""
        self._loop_now = asyncio.get_running_loop()
        self._node_driver.start()
        self._loop_now.call_later(FIRST_WAIT_S, self._show_first)

    async def on_event(self, event: events.Event) -> None:
        """Take keys and pasted text before any widget or binding could."""
        if isinstance(event, events.Key):
            self._node_driver.key(key_of(event), _read_ms(event))
        elif isinstance(event, events.Paste):
            for char in event.text:
                if is_text(char) or char == GROUP_SEPARATOR:
                    self._node_driver.key(char, _read_ms(event))
        else:
            await super().on_event(event)

    def on_resize(self) -> None:
        """Lay the screen out anew."""
        self._show_soon()

    def leave(self, code: int) -> None:
        """Leave from a signal handler, where nothing may wait."""
        if self._loop_now is not None:
            self._loop_now.call_soon_threadsafe(self._leave, code)

    def _leave(self, code: int) -> None:
        self._leaving = asyncio.get_running_loop().create_task(self._say_goodbye(code))

    async def _say_goodbye(self, code: int) -> None:
        await self._node_driver.last_word()
        self.exit(return_code=code)

    def _show_soon(self) -> None:
        """Draw once for all keys that came together."""
        if not self._drawing:
            self._drawing = True
            asyncio.get_running_loop().call_soon(self._show)

    def _show_first(self) -> None:
        """Draw even though the node has not answered."""
        self._shown = True
        self._show_soon()

    def _show(self) -> None:
        self._drawing = False
        if self.shell.busy and not self._shown:
            return
        self._shown = True
        if self.shell.quitting:
            self.shell.quitting = False
            self._leave(0)
            return
        if self._look != self.shell.desk.theme:
            self._look = self.shell.desk.theme
            self.ansi_color = self._look in PLAIN
            self._stage.restyle(styles(self._look, colour=self._colour))
        if self._bells != self.shell.bells:
            self._bells = self.shell.bells
            if self.shell.desk.sound:
                self.bell()
        self._stage.show(self._lines())
        if self.shell.unseen:
            self.call_after_refresh(self._is_shown)

    def _is_shown(self) -> None:
        """Say that what was drawn has been sent to the terminal."""
        self.shell.shown(steady_ms())

    def _lines(self) -> list[Line]:
        """Return the screen; a page that cannot be drawn leaves the frame and the keys."""
        size = Size(self.size.width, self.size.height)
        try:
            return self.shell.draw(size)
        except Exception:
            self.shell.fault()
            return self.shell.draw_frame_only(size)


def key_of(event: events.Key) -> str:
    """Return a key as the cores know it."""
    name, char = event.key, event.character
    if char is not None and (is_text(char) or char == GROUP_SEPARATOR):
        return char
    return NAMES.get(name, name)


def _read_ms(event: events.Event) -> int:
    """Return when the reader of the keyboard made this event, on the clock of `steady_ms`.

    It reads on a thread of its own, so a busy screen does not make a key look younger.
    """
    return int(event.time * 1000)
