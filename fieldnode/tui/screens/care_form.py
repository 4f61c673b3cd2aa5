"""A form of care: what it is about stands below its fields, on the screen and in line mode."""

from __future__ import annotations

from fieldnode.tui.cores.display import Line, Size, Span, line, wrap
from fieldnode.tui.cores.form import FormCore
from fieldnode.tui.desk import Desk
from fieldnode.tui.screens.form_page import FormPage
from fieldnode.tui.wording import value_text
from protocols.live.api import BoardLine, Recorded
from protocols.records.display import clean_text

TOLD_CELLS = 78
"""Width of what is told: a line of the narrowest screen."""

TOLD_ROWS = 6

GAP = "  "
"""Between the parts of what is told."""


class CareForm(FormPage):
    """One record about one patient, with what to know while it is written."""

    def __init__(self, desk: Desk, form: FormCore, head: BoardLine) -> None:
        super().__init__(desk, form, head)
        self.patient = head.patient

    def draw(self, size: Size) -> list[Line]:
        """Draw the form, and below it what to know."""
        told = self.told()[:TOLD_ROWS]
        return [*super().draw(Size(size.width, size.height - len(told))), *told]

    def says(self, text: str, role: str = "plain") -> list[Line]:
        """Return a sentence as lines."""
        room = TOLD_CELLS * TOLD_ROWS
        # Two spaces part what is told; cleaned as one text they would become one.
        parts = text[: room * 2].split(GAP)
        whole = GAP.join(clean_text(part, room) for part in parts if part)
        return [line(" ", Span(part, role)) for part in wrap(whole, TOLD_CELLS)]

    def _sentence(self, recorded: Recorded, confirmable: bool) -> str:
        """Say which words a doubt is about, where the node names them."""
        said = super()._sentence(recorded, confirmable)
        if not confirmable or recorded.confirm not in ("allergy_match", "weights_differ"):
            return said
        words = ", ".join(value_text(self.desk.words, one) for one in recorded.allowed)
        return f"{words}: {said}" if words else said
