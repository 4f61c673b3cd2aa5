"""What left this node or went for good: releases, erases with who confirmed them, holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar, NamedTuple

from fieldnode.tui.acts import Act, Ask
from fieldnode.tui.cores.display import Line, Size, Span, line
from fieldnode.tui.cores.list import ListCore
from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Page
from fieldnode.tui.screens.belonging import coded, heard, several, shown_name, wrapped
from fieldnode.tui.widgets.list_view import Column, draw_list
from protocols.live.crossing import EraseLine, EraseState, Holder, HoldLine, ReleaseLine
from protocols.records.display import clean_text

WHOLE_ROWS = 10


class Row(NamedTuple):
    """One line of the list."""

    id: str
    word: str
    at_ms: int
    what: str
    role: str
    whole: tuple[str, ...]
    """Everything that is to be said of it, a sentence each."""


class CrossedPage(Page):
    """The newest first. Asking, signing and carrying take two devices and files: commands do it."""

    name: ClassVar[str] = "crossed"

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._rows: ListCore[Row] = ListCore(lambda row: row.id)
        self._releases: list[ReleaseLine] | None = None
        self._state: EraseState | None = None

    def opened(self) -> list[Act]:
        """Fetch both; keys wait."""
        return self._fetch(holds=True)

    def resumed(self) -> list[Act]:
        """Fetch them again."""
        return self.changed()

    def changed(self) -> list[Act]:
        """Fetch them again: somebody may have confirmed."""
        return self._fetch(holds=False)

    def key(self, key: str) -> list[Act]:
        """Move among them."""
        return [] if self._rows.key(key) else super().key(key)

    def draw(self, size: Size) -> list[Line]:
        """Draw the list, then the whole of the selected one, then what commands do."""
        words = self.desk.words
        columns = (
            Column(words("leaving.kind"), 15),
            Column(words("leaving.at"), 20),
            Column(words("leaving.what"), 0),
        )
        came = self._releases is not None and self._state is not None
        title = line(" ", Span(words("leaving.title"), "title"))
        how = wrapped(words("leaving.commands"), size, "dim", most=2)
        room = Size(size.width, size.height - 2 - WHOLE_ROWS - len(how))
        empty = words("leaving.none" if came else "chart.loading")
        drawn = draw_list(self._rows, columns, self._cells, room, empty)
        row = self._rows.selected
        whole: list[Line] = []
        for said in row.whole if row else ():
            whole += wrapped(said, size, most=3)
        whole = whole[:WHOLE_ROWS]
        return [title, *drawn, (), *whole, *[()] * (WHOLE_ROWS - len(whole)), *how]

    def _fetch(self, *, holds: bool) -> list[Act]:
        def shown(found: list[ReleaseLine]) -> list[Act]:
            self._releases = found
            return self._fill()

        def gone(found: EraseState) -> list[Act]:
            self._state = found
            return self._fill()

        return [
            Ask(lambda node: node.releases(), shown, holds=holds),
            Ask(lambda node: node.erases(), gone, holds=holds),
        ]

    def _fill(self) -> list[Act]:
        if self._releases is not None and self._state is not None:
            rows = [*_released(self.desk, self._releases), *_erased(self.desk, self._state)]
            self._rows.take_all(sorted(rows, key=lambda row: (-row.at_ms, row.id)))
        return []

    def _cells(self, row: Row) -> list[Span]:
        return [
            Span(row.word, row.role),
            Span(heard(self.desk, row.at_ms, short=True).text if row.at_ms else "-"),
            Span(row.what),
        ]


def _released(desk: Desk, releases: Sequence[ReleaseLine]) -> Iterator[Row]:
    words = desk.words
    for each in releases:
        to = several(words, each.recipients, "trust.never")
        scope = clean_text(each.scope, 40)
        what = words.count("leaving.release", len(each.documents), scope=scope, to=to)
        why = coded(words, "purpose", each.purpose)
        whole = [
            what,
            words("leaving.basis", why=why, basis=clean_text(each.basis)),
            words("leaving.by", author=clean_text(each.author), approver=clean_text(each.approver)),
            words.count("leaving.sealed_to", each.devices),
        ]
        if each.open_here:
            whole.append(words.count("leaving.opens", each.open_here))
        if not each.counts:
            whole.insert(0, words("leaving.no_release"))
        role = "plain" if each.counts else "bad"
        yield Row(each.id, words("leaving.released"), each.at_ms, what, role, tuple(whole))


def _erased(desk: Desk, state: EraseState) -> Iterator[Row]:
    words = desk.words
    for each in state.erases:
        devices = len(each.confirmed) + len(each.missing)
        done = {"done": len(each.confirmed), "of": devices}
        what = words.count("leaving.erase", each.entries, **done)
        role = "plain" if each.counts and not each.missing else "warn" if each.counts else "bad"
        whole = tuple(_erase_whole(desk, each, what))
        yield Row(each.id, words("leaving.erased"), each.at_ms, what, role, whole)
    for hold in state.holds:
        yield _held(desk, hold)
    if state.late_entries:
        late = words.count("leaving.late", state.late_entries)
        yield Row("late", words("leaving.came_late"), 0, late, "warn", (late,))


def _erase_whole(desk: Desk, each: EraseLine, what: str) -> Iterator[str]:
    words = desk.words
    if not each.counts:
        yield words("leaving.no_erase")
    yield what
    yield words("leaving.why", why=coded(words, "erase_reason", each.reason))
    yield words("leaving.by", author=clean_text(each.author), approver=clean_text(each.approver))
    if each.held:
        yield words.count("leaving.kept_by_hold", each.held)
    if each.missing:
        yield words("leaving.missing", who=_holders(desk, each.missing, last=True))
    if each.confirmed:
        yield words("leaving.confirmed", who=_holders(desk, each.confirmed, last=False))


def _holders(desk: Desk, holders: Sequence[Holder], *, last: bool) -> str:
    """Return each with when it confirmed, or, of who has not, when it was linked last."""
    said = []
    for each in holders:
        at = heard(desk, each.at_ms, short=True).text
        at = desk.words("leaving.linked", at=at) if last else at
        said.append(f"{shown_name(each.name, each.device)} ({at})")
    return ", ".join(said)


def _held(desk: Desk, hold: HoldLine) -> Row:
    words = desk.words
    what = words.count("leaving.hold", hold.documents)
    whole = (what, words("leaving.unhold", id=hold.id))
    return Row(hold.id, words("leaving.held"), hold.at_ms, what, "warn", whole)
