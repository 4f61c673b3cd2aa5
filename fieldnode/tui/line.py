"""Line mode: the same shell and forms as plain prompts, for serial consoles and screen readers.

One line is one answer. In a form it answers the field that was asked; elsewhere it is a key: the
letter or digit of an action, `f3`, `+` and `-` to move, an empty line for Enter, `<` to go back.
"""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import os
import sys
import time
from collections.abc import Callable, Iterable

from fieldnode.client import Node, NodeClient
from fieldnode.tui.app import steady_ms
from fieldnode.tui.cores.display import Size, text_of
from fieldnode.tui.cores.form import FormCore
from fieldnode.tui.desk import Desk
from fieldnode.tui.screens import home
from fieldnode.tui.screens.candidates import CANDIDATES_KEY
from fieldnode.tui.screens.fields_page import FieldsPage
from fieldnode.tui.screens.form_page import FormPage
from fieldnode.tui.screens.gate import GatePage
from fieldnode.tui.screens.listing import FILTER_CHARS_MAX, Paged
from fieldnode.tui.screens.lock import LockPage
from fieldnode.tui.screens.register import RegisterPage
from fieldnode.tui.screens.search import SearchPage
from fieldnode.tui.screens.stating import StatingPage
from fieldnode.tui.screens.transfer import TAKE_KEY, TransferPage
from fieldnode.tui.screens.when import WHEN_KEY
from fieldnode.tui.screens.who import PinPage
from fieldnode.tui.shell import Shell
from fieldnode.tui.widgets.form_view import hint, value_text
from fieldnode.tui.wording import reason
from protocols.errors import FieldmeshError
from protocols.records.display import clean_text

WIDTH = 80
ROWS = 30
"""What a page is laid out for; empty lines are left out."""

HINT_CHARS_MAX = 4_000
"""Longest list that a prompt offers."""

BLANK_LINES = 60
"""Push what a terminal shows out of sight, where it does not know how to forget it."""
WIPE = "\x1b[H\x1b[2J\x1b[3J"
"""Clear the screen and what was scrolled off it."""

BACK_SIGN = "<"
UP_SIGN = "^"
WHEN_SIGN = "@"
LOOK_SIGN = "="
_MOVES = {"": "enter", "+": "down", "-": "up", BACK_SIGN: "escape"}


class LineTerminal:
    """Reads lines, writes lines."""

    def __init__(
        self,
        shell: Shell,
        node: Node,
        read: Callable[[str, bool], str],
        write: Callable[[str], None],
        steady_ms: Callable[[], int],
        wipe: Callable[[], None] = lambda: None,
    ) -> None:
        """Stand between a person's lines and the shell.

        Args:
            shell: As for the full screen.
            node: Answers the calls, one after the other.
            read: Prompt and secrecy to one line; raises EOFError when there is no more.
            write: Takes one line of text.
            steady_ms: A clock that only goes forward.
            wipe: Clears what the terminal showed, and what can be scrolled back to.
        """
        self._wipe = wipe
        self._shell = shell
        self._node = node
        self._read = read
        self._write = write
        self._steady_ms = steady_ms
        self._said = ""
        self._title = ""
        self._draft = ""
        """The language of which it was said that its words are a draft."""
        self._told: list[str] = []
        """What stood around the fields when they were asked last."""

    async def run(self) -> int:
        """Go on until the person leaves or the input ends."""
        self._shell.begin()
        await self._carry_out()
        with contextlib.suppress(EOFError):
            while not self._shell.quitting:
                self._tell()
                self._shell.shown(self._steady_ms())
                typed = await self._typed()
                if typed is None:
                    continue
                self._shell.tick(time.time_ns() // 1_000_000)
                # A line that waits already when its prompt is written has answered another one.
                read_ms = self._steady_ms()
                shown = self._shell.page.name != "lock"
                for key in self.keys(typed):
                    self._shell.key(key, read_ms)
                    await self._carry_out()
                    if self._refuses(key):
                        break
                if shown and self._shell.page.name == "lock":
                    self._blank()
        self._shell.stop()
        await self._carry_out()
        self._wipe()
        return 0

    async def _typed(self) -> str | None:
        """Return the next line; None when nobody typed for so long that the names are blanked."""
        reading = asyncio.ensure_future(asyncio.to_thread(self._read, self._prompt(), self._secret))
        await asyncio.wait({reading}, timeout=self.idle_s())
        if reading.done() or self._shell.page.name == "lock":
            return await reading
        self._shell.idle(self._shell.lock_after_ms)
        await self._carry_out()
        self._blank()
        self._write(self._shell.desk.words("lock.line"))
        # The line that ends the old prompt was asked for in the clear: it is nobody's passphrase.
        await reading
        return None

    def _blank(self) -> None:
        """Leave no name on the screen, nor above it where the terminal lets us."""
        for _ in range(BLANK_LINES):
            self._write("")
        self._wipe()

    def idle_s(self) -> float:
        """After how long without a line the names are blanked."""
        return self._shell.lock_after_ms / 1000

    def keys(self, typed: str) -> Iterable[str]:
        """Return the keys that a line stands for on the present page."""
        page = self._shell.page
        low = typed.strip().lower()
        if low == BACK_SIGN:
            return ["escape"]
        if low == WHEN_SIGN and (isinstance(page, FormPage | StatingPage) or page.name == "drive"):
            return [WHEN_KEY]
        if isinstance(page, RegisterPage) and low == LOOK_SIGN:
            return [CANDIDATES_KEY]
        if page.name in ("session", "session_close") and low == LOOK_SIGN:
            return ["ctrl+o"]
        if isinstance(page, TransferPage) and low == LOOK_SIGN:
            return [TAKE_KEY, "enter"]
        if isinstance(page, FormPage | FieldsPage):
            if low == UP_SIGN:
                return ["up"]
            return [*self._cleared(page.form, typed), *typed, *_ending(page.form, typed)]
        if isinstance(page, Paged) and page.filtering:
            # An answer replaces the filter, and an empty one shows all.
            return ["end", *["backspace"] * FILTER_CHARS_MAX, *typed, "enter"]
        if low in _MOVES:
            return [_MOVES[low]]
        if len(low) > 1 and low[0] == "f" and low[1:].isdecimal():
            return [low]
        if isinstance(page, SearchPage | LockPage | PinPage | GatePage) or len(low) > 1:
            return [*typed, "enter"]
        return [low]

    def _refuses(self, key: str) -> bool:
        """Whether a typed character was refused: Enter after it would hide why."""
        page = self._shell.page
        if len(key) != 1 or not isinstance(page, FormPage | FieldsPage):
            return False
        return page.form.reason is not None

    def _cleared(self, form: FormCore, typed: str) -> list[str]:
        """Return the keys that empty a field which is answered anew."""
        return ["end", *["backspace"] * len(form.text(form.place))] if typed else []

    @property
    def _secret(self) -> bool:
        page = self._shell.page
        return page.asks_secret if isinstance(page, LockPage) else page.name == "pin"

    def _prompt(self) -> str:
        page, words = self._shell.page, self._shell.desk.words
        if isinstance(page, LockPage):
            return f"{page.prompt()}: "
        if not isinstance(page, FormPage | FieldsPage):
            return "> "
        field = page.form.open_field
        kept = value_text(field, page.form.text(page.form.place), words)
        wanted = clean_text(hint(field, words), HINT_CHARS_MAX)
        parts = [
            field.called or words(field.label),
            f"({wanted})" if wanted else "",
            f"[{kept}]" if kept else "",
        ]
        return " ".join(part for part in parts if part) + ": "

    def _tell(self) -> None:
        """Say what was not said yet: the page, the strip, why an answer was refused."""
        page, words = self._shell.page, self._shell.desk.words
        draft = words.language if words.draft else ""
        if draft and draft != self._draft:
            self._write(f"{draft}~ {words('language.draft_words')}")
        self._draft = draft
        if isinstance(page, FormPage | FieldsPage):
            stated = page.stated() if isinstance(page, FormPage) else page.explained()
            title = f"{words(page.title)} {page.subject} {stated}"
            if title != self._title:
                self._banner()
                self._write(words(page.title))
                if isinstance(page, FormPage) and page.unsigned():
                    self._write(f"  {words('form.not_approved')}")
                self._write(f"  {stated}")
                if isinstance(page, FormPage):
                    self._write(f"  [{WHEN_SIGN} {words('keys.when')}]")
            self._title = title
            told = self._around(page)
            if told != self._told:
                for text in told:
                    self._write(f"  {text}")
                if told and isinstance(page, RegisterPage):
                    self._write(f"  [{LOOK_SIGN} {words('candidates.look')}]")
            self._told = told
            if page.form.reason is not None:
                self._write(f"! {reason(words, page.form.reason)}")
        else:
            self._title = ""
            self._body()
        said = self._shell.said.text
        if said and said != self._said:
            self._write(f"* {said}")
        self._said = said

    def _around(self, page: object) -> list[str]:
        """Return what stands around the fields of a form."""
        lines = page.told() if isinstance(page, FormPage) else []
        return [text_of(line).strip() for line in lines]

    def _banner(self) -> None:
        """Say what holds for everything that is saved now."""
        if self._shell.desk.paper:
            self._write(self._shell.desk.words("paper.banner"))

    def _body(self) -> None:
        self._banner()
        page = self._shell.page
        lines = [text_of(drawn).rstrip() for drawn in page.draw(Size(WIDTH, ROWS))]
        # No line holds Ctrl+T: a sign of its own stands for it.
        signs = ((one.keys.replace("Ctrl+T", WHEN_SIGN), one.word) for one in page.hints())
        hints = "   ".join(f"{keys} {word}".strip() for keys, word in signs)
        for text in [*(line for line in lines if line), *([f"  [{hints}]"] if hints else [])]:
            self._write(text)

    async def _carry_out(self) -> None:
        """Ask the node, in order, until nothing is asked any more."""
        while self._shell.asks:
            ask = self._shell.asks.pop(0)
            try:
                result = await ask.call(self._node)
            except FieldmeshError as failure:
                self._shell.fail(ask, failure)
            else:
                self._shell.answer(ask, result)


def _ending(form: FormCore, typed: str) -> list[str]:
    """Return the Enter behind an answer, but where it would save before the rest was asked."""
    field = form.open_field
    alone = len(typed) == 1 and field.alone("", typed) is not None
    return [] if alone and form.leads_to_saving(form.place) else ["enter"]


async def run_line(desk: Desk, client: NodeClient) -> int:
    """Ask and answer line by line until the person leaves."""
    shell = Shell(desk, home.page(desk), home.openers())
    try:
        return await LineTerminal(shell, client, _read, _write, steady_ms, _wipe).run()
    finally:
        await client.close()


def _wipe() -> None:
    """Clear the screen and what was scrolled off it, where the terminal knows how."""
    if sys.stdout.isatty() and os.environ.get("TERM", "") not in ("", "dumb", "unknown"):
        sys.stdout.write(WIPE)
        sys.stdout.flush()


def _read(prompt: str, secret: bool) -> str:
    if secret and sys.stdin.isatty():
        return getpass.getpass(prompt)
    return input(prompt)


def _write(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
