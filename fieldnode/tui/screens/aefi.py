"""Something bad followed a vaccination: how bad, what, since when, and after which doses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from fieldnode.tui.cores.display import Line, Span, line, wrap
from fieldnode.tui.cores.fields import Answer, Choice, Coded, Date, Field
from fieldnode.tui.cores.form import FormCore
from fieldnode.tui.cores.picked import Item, Picked, coded
from fieldnode.tui.desk import Desk
from fieldnode.tui.screens.form_page import texts
from fieldnode.tui.screens.undrafted import UndraftedForm
from fieldnode.tui.vaccine_words import vaccine_word
from protocols.live.api import BoardLine
from protocols.live.drive import GivenLine

SEVERITY = (
    Choice("1", "minor", "aefi_severity.minor"),
    Choice("2", "severe", "aefi_severity.severe"),
    Choice("3", "serious", "aefi_severity.serious"),
    Choice("9", "unknown", "aefi_severity.unknown"),
)
DOSES_ROWS = 3
"""In which the doses of one day stand with their lots."""

OUTCOME = (
    Choice("1", "recovering", "aefi_outcome.recovering"),
    Choice("2", "recovered", "aefi_outcome.recovered"),
    Choice("3", "lasting-harm", "aefi_outcome.lasting-harm"),
    Choice("4", "died", "aefi_outcome.died"),
    Choice("9", "unknown", "aefi_outcome.unknown"),
)
SYMPTOMS = (
    "local-reaction", "abscess", "lymphadenitis", "fever", "rash", "urticaria", "anaphylaxis",
    "fainting", "seizure", "persistent-crying", "hypotonic-episode", "encephalopathy",
    "paralysis", "sepsis", "toxic-shock", "bleeding", "intussusception", "vomiting", "death",
    "other",
)  # fmt: skip
"""As the record has them, in the order they are offered."""


class AefiForm(UndraftedForm):
    """A report about one child; what is serious goes ahead of everything else."""

    name: ClassVar[str] = "aefi"
    title: ClassVar[str] = "aefi.title"
    saved_word: ClassVar[str] = "aefi.saved"
    kinds: ClassVar[tuple[str, ...]] = ("aefi.report",)

    def __init__(self, desk: Desk, head: BoardLine, doses: Sequence[GivenLine]) -> None:
        words = desk.words
        items = tuple(
            Item(f"{at:02d}", name, words(f"aefi_symptom.{name}"))
            for at, name in enumerate(SYMPTOMS, 1)
        )
        fields = (
            Coded("severity", "aefi.severity", required=True, choices=SEVERITY),
            Picked("symptom", "aefi.symptom", required=True, items=items),
            Picked("also", "aefi.also", items=items, hint="aefi.also_hint"),
            Date("onset", "aefi.onset", hint="aefi.onset_hint"),
            Coded("outcome", "aefi.outcome", choices=OUTCOME),
            Field("text", "aefi.text"),
        )
        super().__init__(desk, FormCore(fields, optional_from=2), head)
        given = [one for one in doses if one.status == "given" and not one.replaced]
        last = max((one.day for one in given), default="")
        self.doses = tuple(one for one in given if one.day == last)
        """Those of the last day: what is reported followed them."""

    def record(self, answers: dict[str, Answer]) -> dict[str, Any]:
        """Return the report, with the doses it followed and so their lots."""
        assert self.head is not None
        symptoms = [coded(answers[one])[0] for one in ("symptom", "also") if one in answers]
        data: dict[str, Any] = {
            "severity": answers["severity"].text,
            "symptoms": symptoms,
            "doses": [one.fact for one in self.doses],
            **texts(answers, ("text", "onset", "outcome")),
        }
        return {"kind": "aefi.report", "patient": self.head.patient, "data": data}

    def told(self) -> list[Line]:
        """Say after which doses it is."""
        words = self.desk.words
        said = ", ".join(
            f"{vaccine_word(words, one.words)} {one.day} {one.lot}".strip() for one in self.doses
        )
        text = words("aefi.after", doses=said) if said else words("aefi.after_none")
        return [line(" ", Span(part, "warn")) for part in wrap(text, 78)[:DOSES_ROWS]]

    def draw(self, size: Any) -> list[Line]:
        """Draw the form, and after which doses it is in its lowest rows."""
        told = self.told()
        return [*super().draw(size._replace(height=size.height - len(told))), *told]
