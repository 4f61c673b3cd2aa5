"""A note of one line into the chart."""

from __future__ import annotations

from typing import Any, ClassVar

from fieldnode.tui.cores.fields import Answer, Field
from fieldnode.tui.cores.form import FormCore
from fieldnode.tui.desk import Desk
from fieldnode.tui.screens.form_page import FormPage
from protocols.live.api import BoardLine

NOTE_CHARS_MAX = 500
"""Three lines of a notebook; longer ones come from paper or import."""


class NotePage(FormPage):
    """What has no field of its own."""

    name: ClassVar[str] = "note"
    title: ClassVar[str] = "note.title"
    saved_word: ClassVar[str] = "note.saved"
    kinds: ClassVar[tuple[str, ...]] = ("note.add",)

    def __init__(self, desk: Desk, head: BoardLine) -> None:
        text = Field(
            "text", "field.note", required=True, hint="note.hint", chars_max=NOTE_CHARS_MAX
        )
        super().__init__(desk, FormCore((text,)), head)

    def record(self, answers: dict[str, Answer]) -> dict[str, Any]:
        """Return the note."""
        assert self.head is not None
        found = {"text": answers["text"].text}
        return {"kind": "note.add", "patient": self.head.patient, "data": found}
