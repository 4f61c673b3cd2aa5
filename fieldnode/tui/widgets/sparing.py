"""What a terminal is sent of a changed line: the cells that changed, and none to their left.

Textual knows which cells changed and cuts a line behind them, but sends it from its beginning; for
a field in the middle of a form that is twice the bytes of every typed key.
"""

from __future__ import annotations

from rich.console import Console, RenderableType
from rich.control import Control
from textual._compositor import ChopsUpdate


class Sparing(ChopsUpdate):
    """The same update, each span cut on both sides."""

    def render_segments(self, console: Console) -> str:
        """Return the bytes for the terminal; every span moves the cursor where it begins."""
        sent: list[str] = []
        for y, first, behind in self.spans:
            for end, (x, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=False):
                if strip is None or x >= behind or end <= first:
                    continue
                begin = max(x, first)
                sent.append(Control.move_to(begin, y).segment.text)
                sent.append(strip.crop(begin - x, min(end, behind) - x).render(console))
        return "".join(sent)


def sparing(update: RenderableType | None) -> RenderableType | None:
    """Return a partial update that sends no more than it must; all others as they are."""
    if type(update) is ChopsUpdate:
        return Sparing(update.chops, update.spans, update.chop_ends)
    return update
