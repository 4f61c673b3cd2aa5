"""A draft of a form about supplies taken up again, as things stand now."""

from __future__ import annotations

from fieldnode.tui.acts import Act, Ask
from fieldnode.tui.desk import Desk
from fieldnode.tui.screens import shipment_next
from fieldnode.tui.screens.reading_form import ReadingPage, reading
from fieldnode.tui.screens.recall_form import RecallForm, recalling
from fieldnode.tui.screens.request import RequestPage, asking
from fieldnode.tui.screens.send_form import SendPage, sending
from protocols.live.api import Draft


def taken_up(desk: Desk, draft: Draft) -> list[Act]:
    """Open the form of a draft with what it was about."""
    match draft.form:
        case RequestPage.name:
            return asking(desk, draft)
        case SendPage.name:
            return sending(desk, draft)
        case RecallForm.name:
            return recalling(desk, draft)
        case ReadingPage.name:
            return [
                Ask(
                    lambda node: node.cold_units(),
                    lambda found: reading(desk, found.lines, draft=draft),
                )
            ]
    return shipment_next.taken_up(desk, draft)
