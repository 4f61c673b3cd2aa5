"""What vaccination came to: doses against targets, children without any dose, drop-out, pace."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from fieldnode.tui.acts import Act
from fieldnode.tui.cores.display import Line, Size, Span, line
from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Action
from fieldnode.tui.screens.drive_beside import sums
from fieldnode.tui.screens.listing import Fetched
from fieldnode.tui.vaccine_words import vaccine_word
from fieldnode.tui.widgets.list_view import Column
from protocols.live.drive import Coverage, CoverLine, SeriesSum

if TYPE_CHECKING:
    from fieldnode.client import Node

SHOWN = ("coverage", "children")


class CoverPage(Fetched[CoverLine | SeriesSum, Coverage]):
    """By site, antigen and band; `s` turns to the children of each series."""

    name: ClassVar[str] = "cover"
    about: ClassVar[tuple[str, ...]] = ()
    actions = (Action("s", "1", "cover.turn"),)

    def __init__(self, desk: Desk, session: str = "") -> None:
        super().__init__(desk)
        self._session = session
        self._children = False

    async def ask(self, node: Node) -> Coverage:
        """Ask for all of it."""
        return await node.vaccination_coverage(self._session)

    def rows_of(self, found: Coverage) -> Sequence[CoverLine | SeriesSum]:
        """Whichever half is shown."""
        return found.series if self._children else found.lines

    def name_of(self, row: CoverLine | SeriesSum) -> str:
        """What it is about."""
        if isinstance(row, SeriesSum):
            return row.series
        return f"{row.site} {row.antigen} {row.band}"

    def key(self, key: str) -> list[Act]:
        """Turn to the other half."""
        if self.action(key) != "s":
            return super().key(key)
        self._children = not self._children
        self.rows.clear()
        if self.found is not None:
            self.take(self.found)
        return []

    def cells(self, row: CoverLine | SeriesSum) -> list[Span]:
        """Return a row."""
        words = self.desk.words
        if isinstance(row, SeriesSum):
            of = row.children
            return [
                Span(vaccine_word(words, row.words), "title"),
                Span(str(of)),
                Span(f"{row.none}  {percent(row.none, of)}", "warn" if row.none else "plain"),
                Span(str(row.began)),
                Span(str(row.finished)),
                Span(percent(row.began - row.finished, row.began)),
            ]
        band = words("cover.all") if row.band == 0 else words(f"band.{row.band}")
        target = str(row.target) if row.target else words("cover.no_target")
        share = percent(row.doses, row.target) if row.target else ""
        return [
            Span(row.site) if row.site else Span(words("cover.no_site"), "warn"),
            Span(row.antigen, "title"),
            Span(band),
            Span(str(row.doses), "value"),
            Span(target, "plain" if row.target else "dim"),
            Span(share, "good" if row.target and row.doses >= row.target else "plain"),
        ]

    def draw(self, size: Size) -> list[Line]:
        """Draw the half that is shown, and pace and wastage below."""
        words = self.desk.words
        names = (
            ("series", "children", "zero", "began", "finished", "drop_out")
            if self._children
            else ("site", "antigen", "band", "doses", "target", "share")
        )
        widths = (26, 9, 14, 9, 9, 0) if self._children else (24, 16, 12, 8, 8, 0)
        columns = [
            Column(words(f"cover.{one}"), width) for one, width in zip(names, widths, strict=True)
        ]
        title = words("cover.title_children" if self._children else "cover.title")
        low = self._low()
        room = Size(size.width, size.height - 2 - len(low))
        return [
            line(" ", Span(title, "title")), (), *self.table(columns, room, "cover.none"), *low,
        ]  # fmt: skip

    def _low(self) -> list[Line]:
        words, found = self.desk.words, self.found
        if found is None:
            return []
        rows = [line(" ", Span(words("cover.pace", n=found.last_hour), "value"))]
        if found.beside:
            beside = words("cover.beside", what="   ".join(sums(words, found.beside)))
            rows.append(line(" ", Span(beside, "value")))
        wasted = [
            words("cover.wasted", vaccine=code, n=lost, share=percent(lost, opened))
            for code, opened, lost in found.wasted
            if lost
        ]
        return [*rows, line(" ", Span("   ".join(wasted), "warn"))] if wasted else rows


def percent(part: int, whole: int | None) -> str:
    """Return a share in whole per cent; '-' of nothing."""
    return f"{part * 100 // whole} %" if whole else "-"
