"""A guideline whole, to be read: what it is for, when it stops, every step with its source."""

from __future__ import annotations

from typing import ClassVar

from fieldnode.tui.acts import Act
from fieldnode.tui.cores.display import Line, Size, Span, line, wrap
from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Hint, Page
from protocols.guidelines.guideline import Guideline, Result, Step, Stop
from protocols.guidelines.words import Words, word
from protocols.live.guidance import GuidelineVersion
from protocols.records.display import clean_text


class ProtocolTextPage(Page):
    """Text that is scrolled; nothing is changed here."""

    name: ClassVar[str] = "protocol_text"

    def __init__(self, desk: Desk, form: Guideline, version: GuidelineVersion) -> None:
        super().__init__(desk)
        self._form = form
        self._version = version
        self._top = 0
        self._page = 1
        self._rows = 0

    def key(self, key: str) -> list[Act]:
        """Scroll."""
        step = {
            "up": -1, "down": 1, "pageup": -self._page, "pagedown": self._page,
            " ": self._page, "home": -self._rows, "end": self._rows,
        }.get(key)  # fmt: skip
        if step is None:
            return super().key(key)
        self._top = max(0, min(self._top + step, self._rows - self._page))
        return []

    def draw(self, size: Size) -> list[Line]:
        """Draw as much as there is room for."""
        rows = self._lines(size.width)
        self._page, self._rows = max(size.height - 1, 1), len(rows)
        self._top = max(0, min(self._top, self._rows - self._page))
        title = line(" ", Span(self._word(self._form.guideline.words), "title"))
        return [title, *rows[self._top : self._top + self._page]]

    def hints(self) -> list[Hint]:
        """Say how to scroll."""
        return [Hint("↑ ↓ PgUp PgDn", self.desk.words("protocol.scroll"))]

    def _lines(self, width: int) -> list[Line]:
        words, version, form = self.desk.words, self._version, self._form
        org = clean_text(version.org) or words("protocols.shipped")
        by = clean_text(version.approved_by) or words("protocols.not_approved")
        about = words("protocols.about", version=clean_text(version.version), org=org, by=by)
        rows = _wrapped(about, width, "plain" if version.approved_by else "bad")
        if version.status == "memory":
            rows += _wrapped(words("guide.memory"), width, "bad")
        rows += _wrapped(words("protocols.source", source=clean_text(version.source)), width, "dim")
        rooms: tuple[tuple[str, tuple[Stop | Result | Step, ...]], ...] = (
            ("protocol.stops", form.stop),
            ("protocol.results", form.result),
            ("protocol.steps", form.step),
        )
        for title, parts in rooms:
            if not parts:
                continue
            rows += [(), line(" ", Span(words(title), "label"))]
            for number, part in enumerate(parts, start=1):
                rows += self._part(number, part, width)
        return rows

    def _part(self, number: int, part: Stop | Result | Step, width: int) -> list[Line]:
        words = self.desk.words
        rows = _wrapped(f"{number}. {self._word(part.words)}", width, "plain")
        if isinstance(part, Step):
            for amount in part.amount:
                to = f" – {amount.formula_to}" if amount.formula_to else ""
                rows += _wrapped(f"   {amount.formula}{to} {amount.unit}", width, "title")
        said = []
        if part.source:
            said.append(words("protocols.source", source=clean_text(part.source)))
        if (part.status or self._form.pack.status) == "memory":
            said.append(words("guide.memory"))
        return [*rows, *(_wrapped("   ".join(said), width, "dim") if said else [])]

    def _word(self, words: Words) -> str:
        return clean_text(word(words, self.desk.words.languages).text)


def _wrapped(text: str, width: int, role: str) -> list[Line]:
    return [line(" ", Span(part, role)) for part in wrap(text, width - 2)]
