"""Which SpO2 scale scores a patient: chosen by whoever is signed in, and taken back as easily."""

from __future__ import annotations

from typing import Any, ClassVar

from fieldnode.tui.cores.display import Line, Span, line
from fieldnode.tui.cores.fields import Answer, Choice, Coded, Field
from fieldnode.tui.cores.form import FormCore
from fieldnode.tui.desk import Desk
from fieldnode.tui.screens.care_form import CareForm
from fieldnode.tui.wording import scale_chosen
from protocols.live.api import BoardLine

SCALE = (Choice("1", "1", "scale.usual"), Choice("2", "2", "scale.second"))


class ScalePage(CareForm):
    """One choice; it holds until the next one."""

    name: ClassVar[str] = "scale"
    title: ClassVar[str] = "scale.title"
    saved_word: ClassVar[str] = "scale.saved"
    kinds: ClassVar[tuple[str, ...]] = ("observation.scale",)

    def __init__(self, desk: Desk, head: BoardLine) -> None:
        fields = (
            Coded("scale", "scale.which", choices=SCALE, required=True),
            Field("reason", "scale.why", chars_max=120),
        )
        super().__init__(desk, FormCore(fields, optional_from=1), head)

    def told(self) -> list[Line]:
        """Say what holds now, and what choosing does."""
        words = self.desk.words
        assert self.head is not None
        now = scale_chosen(words, self.head) or words("scale.holds_usual")
        return [line(" ", Span(now, "title")), *self.says(words("scale.told"), "dim")]

    def record(self, answers: dict[str, Answer]) -> dict[str, Any]:
        """Return the choice; the reason stands beside it."""
        assert self.head is not None
        reason = {"reason": answers["reason"].text} if "reason" in answers else {}
        data = {"scale": int(answers["scale"].text)}
        return {
            "kind": "observation.scale",
            "patient": self.head.patient,
            "data": data,
            **reason,
        }

    def field_of(self, path: str) -> str:
        """The reason is the record's own, not its data's."""
        return path if path == "reason" else super().field_of(path)
