"""A note of one line into the chart, and an addendum, which names what it adds to."""

from __future__ import annotations

from typing import Any, ClassVar

from fieldnode.tui.cores.display import Line
from fieldnode.tui.cores.fields import Answer, Field
from fieldnode.tui.cores.form import FormCore
from fieldnode.tui.desk import Desk
from fieldnode.tui.screens.care_form import CareForm
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


class AddendumPage(CareForm):
    """More about one line of the chart; the line stays as it is."""

    name: ClassVar[str] = "addendum"
    title: ClassVar[str] = "note.addendum_title"
    saved_word: ClassVar[str] = "note.addendum_saved"
    kinds: ClassVar[tuple[str, ...]] = ("note.add",)

    def __init__(self, desk: Desk, head: BoardLine, about: str, what: str) -> None:
        """Begin one.

        Args:
            desk: Shared by all pages.
            head: Whose chart it is.
            about: The fact it adds to.
            what: That line in words, with its time.
        """
        text = Field(
            "text", "field.note", required=True, hint="note.hint", chars_max=NOTE_CHARS_MAX
        )
        super().__init__(desk, FormCore((text,)), head)
        self._about, self._what = about, what

    def record(self, answers: dict[str, Answer]) -> dict[str, Any]:
        """Return the note with what it is about."""
        found = {"text": answers["text"].text, "about": self._about}
        return {"kind": "note.add", "patient": self.patient, "data": found}

    def told(self) -> list[Line]:
        """Say what it adds to."""
        return self.says(self.desk.words("note.adds_to", what=self._what), "dim")

    def more_draft(self) -> dict[str, str]:
        """Keep what it adds to."""
        return {"about": self._about, "what": self._what}
