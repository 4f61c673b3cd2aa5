"""What was done to a patient."""

from __future__ import annotations

from typing import Any, ClassVar

from fieldnode.tui.cores.fields import Answer, Choice, Coded, Field
from fieldnode.tui.cores.form import FormCore
from fieldnode.tui.cores.picked import Picked, coded
from fieldnode.tui.desk import Desk
from fieldnode.tui.screens.form_page import FormPage
from fieldnode.tui.screens.picks import terms
from protocols.live.api import BoardLine

SIDE = (
    Choice("1", "left", "value.left"),
    Choice("2", "right", "value.right"),
    Choice("3", "both", "value.both"),
    Choice("4", "midline", "value.midline"),
)
ANAESTHESIA = (
    Choice("0", "none", "value.none"),
    Choice("1", "local", "value.local"),
    Choice("2", "sedation", "value.sedation"),
    Choice("3", "regional", "value.regional"),
    Choice("4", "spinal", "value.spinal"),
    Choice("5", "general", "value.general"),
    Choice("6", "ketamine", "value.ketamine"),
)
OUTCOME = (
    Choice("1", "completed", "value.completed"),
    Choice("2", "complicated", "value.complicated"),
    Choice("3", "abandoned", "value.abandoned"),
    Choice("4", "died", "value.died"),
)


class ProcedurePage(FormPage):
    """One procedure."""

    name: ClassVar[str] = "procedure"
    title: ClassVar[str] = "procedure.title"
    saved_word: ClassVar[str] = "procedure.saved"
    kinds: ClassVar[tuple[str, ...]] = ("procedure.record",)

    def __init__(self, desk: Desk, head: BoardLine) -> None:
        what = Picked(
            "procedure",
            "field.procedure",
            required=True,
            hint="pick.hint_free",
            items=terms(desk, "procedure"),
            free=True,
        )
        fields = (
            what,
            Field("body_site", "procedure.site"),
            Coded("side", "procedure.side", choices=SIDE),
            Coded("anaesthesia", "procedure.anaesthesia", choices=ANAESTHESIA),
            Coded(
                "outcome",
                "procedure.outcome",
                choices=OUTCOME,
                grave=(("died", "discharge.died_sure"),),
            ),
            Field("remark", "care.remark", chars_max=500),
        )
        super().__init__(desk, FormCore(fields, optional_from=1), head)

    def record(self, answers: dict[str, Answer]) -> dict[str, Any]:
        """Return the procedure by its code or in words."""
        assert self.head is not None
        code, text = coded(answers["procedure"])
        data: dict[str, Any] = {"code": code} if code else {"text": text}
        more = ("body_site", "side", "anaesthesia", "outcome", "remark")
        data |= {name: answers[name].text for name in more if name in answers}
        return {"kind": "procedure.record", "patient": self.head.patient, "data": data}

    def field_of(self, path: str) -> str:
        """A code and words are one field."""
        return "procedure" if path in ("data.code", "data.text") else super().field_of(path)
