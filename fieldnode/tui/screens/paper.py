"""A signed paper that was scanned: what it is worth, what it says, and what can be done with it."""

from __future__ import annotations

from collections.abc import Hashable
from datetime import UTC, datetime
from typing import ClassVar

from fieldnode.tui.acts import Act, Ask, Back, Open, Say
from fieldnode.tui.cores.display import Line, Size, Span, line, wrap
from fieldnode.tui.cores.scan import Scan
from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Action, Page
from fieldnode.tui.screens.chart import ChartPage
from fieldnode.tui.screens.register import RegisterPage
from fieldnode.tui.wording import error
from protocols.errors import FieldmeshError
from protocols.live.paper import ENDED, HOLDS, PaperRead

ROLES = {"holds": "plain", "ended": "warn", "unknown": "warn", "sealed": "bad", "forged": "bad"}


class PaperPage(Page):
    """What the paper says. Nothing of it is written before a person has taken it, line by line."""

    name: ClassVar[str] = "paper_read"

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._read: PaperRead | None = None
        self._text = ""
        self._top = 0

    @property
    def actions(self) -> tuple[Action, ...]:  # type: ignore[override]
        """Open whom it names, or write the patient down from it."""
        read = self._read
        known = (Action("o", "1", "paper_read.open"),) if read and read.patient else ()
        says = read is not None and (read.said is not None or read.proof is not None)
        new = (Action("n", "2", "paper_read.register"),) if says else ()
        # What a device wrote that was sealed since is for people to ask about.
        sure = read is not None and read.proof is not None and read.worth in (HOLDS, ENDED)
        doses = (Action("d", "3", "paper_read.doses"),) if sure else ()
        return (*known, *new, *doses)

    def scan(self, scan: Scan) -> list[Act]:
        """Have it read."""

        def came(read: PaperRead) -> list[Act]:
            self._read, self._text = read, scan.text
            return [Say("", bell=read.worth != HOLDS)]

        def refused(failure: FieldmeshError) -> list[Act]:
            # What cannot be read leaves the page that was below.
            return [Back(), Say(error(self.desk.words, failure), "bad", bell=True)]

        return [Ask(lambda node: node.paper_read(scan.text), came, refused)]

    def key(self, key: str) -> list[Act]:
        """Do one of the two, or scroll."""
        read = self._read
        if key in ("up", "down", "pageup", "pagedown"):
            self._top = max(self._top + (-1 if key.endswith("up") else 1), 0)
            return []
        match self.action(key):
            case "o" if read is not None:
                return [Open(ChartPage(self.desk, read.patient), instead=True)]
            case "n" if read is not None and (said := read.said or read.proof):
                page = RegisterPage(self.desk)
                page.take_over(said)
                return [Open(page, instead=True)]
            case "d" if read is not None:
                return [Open(self._doses(read), instead=True)]
        return super().key(key)

    def _doses(self, read: PaperRead) -> Page:
        """Return where its doses are taken over; first who it is, where nobody here is named."""
        from fieldnode.tui.screens.paper_doses import PaperDosesPage, ReceiverPage

        if read.patient:
            return PaperDosesPage(self.desk, self._text, read.patient)
        return ReceiverPage(self.desk, self._text)

    @property
    def question(self) -> Hashable | None:
        """What to do with this paper."""
        return self._read.certificate if self._read is not None else None

    def answers(self, item: str | Scan) -> bool:
        """Either of the actions."""
        return isinstance(item, str) and bool(self.action(item))

    def draw(self, size: Size) -> list[Line]:
        """Draw the worth first, then what it says in the reader's words."""
        words, read = self.desk.words, self._read
        rows: list[Line] = [line(" ", Span(words("paper_read.title"), "title"))]
        if read is None:
            return [*rows, line(" ", Span(words("paper_read.reading"), "dim"))]
        # No start waits for what is printed.
        from fieldnode.prints.along import shown

        at = datetime.fromtimestamp(read.at_ms / 1000, UTC).astimezone(self.desk.zone)
        worth, *said = shown(words, read, f"{at:%Y-%m-%d %H:%M}")
        role = ROLES.get(read.worth, "bad")
        rows += [line(" ", Span(part, role)) for part in wrap(worth, size.width - 2)]
        body = [line("  ", part) for text in said for part in wrap(text, size.width - 4)]
        room = max(size.height - len(rows), 1)
        self._top = min(self._top, max(len(body) - room, 0))
        return [*rows, *body[self._top : self._top + room]]
