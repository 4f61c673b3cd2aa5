"""The packs of this node: which version it works by, who approved it, and what lies beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from fieldnode.tui.acts import Act, Ask
from fieldnode.tui.cores.display import Line, Size, Span, cut, line, wrap
from fieldnode.tui.cores.list import ListCore
from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Page
from fieldnode.tui.widgets.list_view import Column, draw_list
from protocols.live.guidance import PackLine
from protocols.records.display import clean_text

DETAIL_ROWS = 6
NAME_CELLS = 22
VERSION_CELLS = 9
FROM_CELLS = 22
USERS_NAMED = 6
"""Devices named of those that work by the same version."""


_WHY = {
    "older": "packs.why.older",
    "signature": "packs.why.signature",
    "faults": "packs.why.faults",
}


class Held(NamedTuple):
    """One pack by name."""

    used: PackLine
    others: tuple[PackLine, ...]


def by_name(lines: Sequence[PackLine]) -> list[Held]:
    """Return each pack with the version in use, or the first one held where none can be."""
    found: dict[str, list[PackLine]] = {}
    for one in lines:
        found.setdefault(one.name, []).append(one)
    held = []
    for same in found.values():
        used = next((one for one in same if one.in_use), same[0])
        held.append(Held(used, tuple(one for one in same if one is not used)))
    return held


class PacksPage(Page):
    """What this node works by."""

    name: ClassVar[str] = "packs"

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._rows: ListCore[Held] = ListCore(lambda row: row.used.name)
        self._came = False

    def opened(self) -> list[Act]:
        """Fetch them; keys wait."""
        return [Ask(lambda node: node.packs(), self._take)]

    def changed(self) -> list[Act]:
        """Fetch them again: another version may have come."""
        return [Ask(lambda node: node.packs(), self._take, holds=False)]

    def key(self, key: str) -> list[Act]:
        """Move."""
        return [] if self._rows.key(key) else super().key(key)

    def draw(self, size: Size) -> list[Line]:
        """Draw the list, and the selected one whole below it."""
        words = self.desk.words
        columns = (
            Column(words("packs.name"), NAME_CELLS),
            Column(words("protocols.version"), VERSION_CELLS),
            Column(words("packs.from"), FROM_CELLS),
            Column(words("protocols.approval"), 0),
        )
        title = line(" ", Span(words("packs.title"), "title"))
        empty = words("packs.none" if self._came else "chart.loading")
        room = Size(size.width, max(size.height - 1 - DETAIL_ROWS, 2))
        rows = draw_list(self._rows, columns, self._cells, room, empty)
        return [title, *rows, *self._details(size.width)]

    def _take(self, lines: list[PackLine]) -> list[Act]:
        self._came = True
        self._rows.take_all(by_name(lines))
        return []

    def _cells(self, row: Held) -> list[Span]:
        words, used = self.desk.words, row.used
        more = f" +{len(row.others)}" if row.others else ""
        return [
            Span(clean_text(used.name)),
            Span(clean_text(f"{used.version}{more}")),
            Span(clean_text(used.org) or words("protocols.shipped"), "dim"),
            self._approval(used),
        ]

    def _approval(self, one: PackLine) -> Span:
        words = self.desk.words
        if not one.in_use:
            return Span(words("packs.not_used"), "bad")
        if one.approved:
            return Span(clean_text(one.approved_by) or words("protocols.approved"), "good")
        return Span(words("protocols.not_approved"), "bad")

    def _details(self, width: int) -> list[Line]:
        row = self._rows.selected
        if row is None:
            return []
        words, used = self.desk.words, row.used
        found = [line(" ", Span(cut(clean_text(used.title), width - 2), "title"))]
        source = words("protocols.source", source=clean_text(used.source))
        found += [line(" ", Span(part, "dim")) for part in wrap(source, width - 2)[:2]]
        if used.status == "memory":
            found.append(line(" ", Span(words("guide.memory"), "bad")))
        named = [clean_text(user.name or user.device[:12]) for user in used.users]
        if named:
            more = f" +{len(named) - USERS_NAMED}" if len(named) > USERS_NAMED else ""
            said = words.count("packs.users", len(named), who=", ".join(named[:USERS_NAMED]) + more)
            found.append(line(" ", Span(cut(said, width - 2))))
        beside = [self._beside(other) for other in row.others]
        if beside:
            said = words("packs.beside", what="; ".join(beside))
            found += [line(" ", Span(part, "dim")) for part in wrap(said, width - 2)]
        return found[:DETAIL_ROWS]

    def _beside(self, other: PackLine) -> str:
        words = self.desk.words
        why = words(_WHY[other.why]) if other.why in _WHY else ""
        org = clean_text(other.org) or words("protocols.shipped")
        users = f", {len(other.users)} ×" if other.users else ""
        return f"v{clean_text(other.version)} ({org}{users}) {why}".strip()
