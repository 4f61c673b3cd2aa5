"""What is wrong with a patient: recorded, over, ruled out; each condition by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from fieldnode.tui.acts import Act, Open, Say
from fieldnode.tui.cores.display import Line, Span, line
from fieldnode.tui.cores.fields import Answer, Choice, Coded, Date, Field
from fieldnode.tui.cores.form import FormCore
from fieldnode.tui.cores.picked import Picked, coded
from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Action
from fieldnode.tui.screens.care_form import CareForm
from fieldnode.tui.screens.care_list import SaidList
from fieldnode.tui.screens.form_page import FormPage
from fieldnode.tui.screens.picks import RELATION, terms
from fieldnode.tui.screens.visit import VisitPage
from fieldnode.tui.widgets.list_view import Column
from fieldnode.tui.wording import value_text
from protocols.live.api import BoardLine
from protocols.live.bedside import Care, ConditionLine

KIND = "condition.record"

STATUS = (
    Choice("1", "active", "value.active"),
    Choice("2", "suspected", "value.suspected"),
)


class ProblemsPage(SaidList[ConditionLine]):
    """All that is said of it now, what goes on first."""

    name: ClassVar[str] = "problems"
    title: ClassVar[str] = "problems.title"
    empty: ClassVar[str] = "problems.empty"
    about = ("r", "x")
    actions = (
        Action("n", "1", "problems.new"),
        Action("r", "2", "problems.resolve"),
        Action("x", "3", "problems.refute"),
        Action("c", "4", "problems.visit"),
    )

    def rows_of(self, found: Care) -> Sequence[ConditionLine]:
        """Return every statement that nothing replaced."""
        return found.conditions

    def columns(self) -> tuple[Column, ...]:
        """Return the condition, its status, since when, and the event."""
        words = self.desk.words
        return (
            Column(words("problems.what"), 36),
            Column(words("problems.status"), 12),
            Column(words("problems.since"), 10),
            Column(words("problems.event"), 0),
        )

    def cells(self, row: ConditionLine) -> list[Span]:
        """Return them in words; what is over is dimmed."""
        words = self.desk.words
        goes_on = row.used and row.status in ("active", "suspected")
        role = "plain" if goes_on else "dim"
        relation = {1: "direct", 2: "indirect", 3: "unrelated"}.get(row.event_relation or 0, "")
        return [
            Span(("! " if row.unsettled else "") + named(self.desk, row), role),
            Span(value_text(words, row.status), role),
            Span(row.onset or "-", role),
            Span(value_text(words, relation) if relation else "", role),
        ]

    def begin(self, letter: str) -> list[Act]:
        """Write one down, or what the patient came with."""
        if letter == "c":
            return [Open(VisitPage(self.desk, self.care))]
        return [Open(ProblemPage(self.desk, self.head))]

    def act(self, key: str, row: ConditionLine) -> list[Act]:
        """Say that one is over, or never was."""
        status = "resolved" if key == "r" else "refuted"
        if row.status == status:
            return [Say(self.desk.words("problems.said_already"), "warn", bell=True)]
        return [Open(ProblemOverPage(self.desk, self.head, row, status))]


class ProblemPage(FormPage):
    """One condition."""

    name: ClassVar[str] = "problem"
    title: ClassVar[str] = "problems.form"
    saved_word: ClassVar[str] = "problems.saved"
    kinds: ClassVar[tuple[str, ...]] = (KIND,)

    def __init__(self, desk: Desk, head: BoardLine) -> None:
        what = Picked(
            "condition",
            "field.condition",
            required=True,
            hint="pick.hint_free",
            items=terms(desk, "condition"),
            free=True,
        )
        fields = (
            what,
            Coded("status", "problems.status_label", choices=STATUS, hint="problems.status_hint"),
            Date("onset", "problems.onset", hint="form.date_hint"),
            Coded("event_relation", "field.event_relation", choices=RELATION),
            Field("remark", "care.remark"),
        )
        super().__init__(desk, FormCore(fields, optional_from=1), head)

    def record(self, answers: dict[str, Answer]) -> dict[str, Any]:
        """Return the condition by its code or in words."""
        assert self.head is not None
        code, text = coded(answers["condition"])
        data: dict[str, Any] = {"code": code} if code else {"text": text}
        more = ("status", "onset", "event_relation", "remark")
        data |= {name: answers[name].text for name in more if name in answers}
        return {"kind": KIND, "patient": self.head.patient, "data": data}

    def field_of(self, path: str) -> str:
        """A code and words are one field."""
        return "condition" if path in ("data.code", "data.text") else super().field_of(path)


class ProblemOverPage(CareForm):
    """It is over, or never was: Enter."""

    name: ClassVar[str] = "problem_over"
    title: ClassVar[str] = "problems.over_form"
    saved_word: ClassVar[str] = "problems.over_saved"
    kinds: ClassVar[tuple[str, ...]] = (KIND,)

    def __init__(self, desk: Desk, head: BoardLine, row: ConditionLine, status: str) -> None:
        remark = Field("remark", "care.remark", hint="problems.over_hint")
        super().__init__(desk, FormCore((remark,), optional_from=0), head)
        self._row, self._status = row, status

    def record(self, answers: dict[str, Answer]) -> dict[str, Any]:
        """Return the same condition with its new status."""
        assert self.head is not None
        row = self._row
        data = {"status": self._status, **({"code": row.code} if row.code else {"text": row.text})}
        if row.onset:
            data["onset"] = row.onset
        if "remark" in answers:
            data["remark"] = answers["remark"].text
        return {"kind": KIND, "patient": self.head.patient, "data": data}

    def told(self) -> list[Line]:
        """Say which, and what becomes of it."""
        status = value_text(self.desk.words, self._status)
        return [line(" ", Span(named(self.desk, self._row), "title"), Span(f"  → {status}"))]

    def more_draft(self) -> dict[str, str]:
        """Keep which."""
        return {"about": self._row.fact, "becomes": self._status}

    def field_of(self, path: str) -> str:
        """There is one."""
        return "remark"


def named(desk: Desk, row: ConditionLine) -> str:
    """Return the condition in words."""
    return value_text(desk.words, row.code) if row.code else row.text
