"""What a patient reacts to: recorded, none known, ruled out. Nobody asked is something else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from fieldnode.tui.acts import Act, Back, Open, Say
from fieldnode.tui.cores.display import Line, Span, line
from fieldnode.tui.cores.fields import Answer, Choice, Coded, Field, Reason
from fieldnode.tui.cores.form import FormCore
from fieldnode.tui.cores.picked import Picked, coded
from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Action
from fieldnode.tui.screens.care_form import CareForm
from fieldnode.tui.screens.care_list import SaidList
from fieldnode.tui.screens.form_page import FormPage
from fieldnode.tui.screens.picks import terms
from fieldnode.tui.widgets.list_view import Column
from fieldnode.tui.wording import value_text
from protocols.live.api import BoardLine, Recorded
from protocols.live.bedside import AllergyLine, Care

KIND = "allergy.record"
REASON_CHARS_MAX = 120

REACTION = (
    Choice("1", "rash", "value.rash"),
    Choice("2", "urticaria", "value.urticaria"),
    Choice("3", "swelling", "value.swelling"),
    Choice("4", "breathing", "value.breathing"),
    Choice("5", "anaphylaxis", "value.anaphylaxis"),
    Choice("6", "gut", "value.gut"),
    Choice("7", "other", "value.other"),
    Choice("9", "unknown", "pick.unknown"),
)
SEVERITY = (
    Choice("1", "mild", "value.mild"),
    Choice("2", "moderate", "value.moderate"),
    Choice("3", "severe", "value.severe"),
    Choice("9", "unknown", "pick.unknown"),
)
CERTAINTY = (
    Choice("1", "stated", "value.stated"),
    Choice("2", "suspected", "value.suspected"),
    Choice("3", "confirmed", "value.confirmed"),
)


class AllergiesPage(SaidList[AllergyLine]):
    """All that is said of it now."""

    name: ClassVar[str] = "allergies"
    title: ClassVar[str] = "allergies.title"
    empty: ClassVar[str] = "allergies.empty"
    about = ("x",)
    actions = (
        Action("n", "1", "allergies.new"),
        Action("k", "2", "allergies.none"),
        Action("x", "3", "allergies.refute"),
    )

    def rows_of(self, found: Care) -> Sequence[AllergyLine]:
        """Return every statement that nothing replaced."""
        return found.allergies

    def columns(self) -> tuple[Column, ...]:
        """Return substance, reaction, severity, certainty."""
        words = self.desk.words
        return (
            Column(words("allergies.substance"), 28),
            Column(words("allergies.reaction"), 18),
            Column(words("allergies.severity"), 10),
            Column(words("allergies.certainty"), 0),
        )

    def cells(self, row: AllergyLine) -> list[Span]:
        """Return them in words; what is not acted on is dimmed."""
        words = self.desk.words
        role = "dim" if not row.used else "bad" if row.status == "active" else "plain"
        first = ("! " if row.unsettled else "") + named(self.desk, row)
        if row.status == "none-known":
            return [Span(first, role), Span("", role), Span("", role), Span("", role)]
        last = row.status if row.status == "refuted" else row.certainty
        return [
            Span(first, role),
            Span(_said(self.desk, row.reaction), role),
            Span(_said(self.desk, row.severity), role),
            Span(value_text(words, last), role),
        ]

    def begin(self, letter: str) -> list[Act]:
        """Write one down, or that there is none."""
        page = AllergyPage if letter == "n" else NoneKnownPage
        return [Open(page(self.desk, self.head))]

    def act(self, _key: str, row: AllergyLine) -> list[Act]:
        """Rule one out."""
        if row.status != "active":
            return [Say(self.desk.words("allergies.not_listed"), "warn", bell=True)]
        return [Open(RefutePage(self.desk, self.head, row))]


class AllergyPage(FormPage):
    """One substance."""

    name: ClassVar[str] = "allergy"
    title: ClassVar[str] = "allergies.form"
    saved_word: ClassVar[str] = "allergies.saved"
    kinds: ClassVar[tuple[str, ...]] = (KIND,)

    def __init__(self, desk: Desk, head: BoardLine) -> None:
        substance = Picked(
            "substance",
            "allergies.substance_label",
            required=True,
            hint="pick.hint_free",
            items=terms(desk, "allergen"),
            free=True,
            chars_max=80,
        )
        fields = (
            substance,
            Coded("reaction", "allergies.reaction_label", choices=REACTION),
            Coded("severity", "allergies.severity_label", choices=SEVERITY),
            Coded("certainty", "allergies.certainty_label", choices=CERTAINTY),
            Field("remark", "care.remark"),
        )
        super().__init__(desk, FormCore(fields, optional_from=1), head)

    def record(self, answers: dict[str, Answer]) -> dict[str, Any]:
        """Return the substance by its code or in words."""
        assert self.head is not None
        code, text = coded(answers["substance"])
        data: dict[str, Any] = {"code": code} if code else {"text": text}
        more = ("reaction", "severity", "certainty", "remark")
        data |= {name: answers[name].text for name in more if name in answers}
        return {"kind": KIND, "patient": self.head.patient, "data": data}

    def field_of(self, path: str) -> str:
        """A code and words are one field."""
        return "substance" if path in ("data.code", "data.text") else super().field_of(path)


class NoneKnownPage(FormPage):
    """Somebody asked and there is none: Enter. Over a list it takes a reason."""

    name: ClassVar[str] = "allergy_none"
    title: ClassVar[str] = "allergies.none_form"
    saved_word: ClassVar[str] = "allergies.none_saved"
    kinds: ClassVar[tuple[str, ...]] = (KIND,)

    def __init__(self, desk: Desk, head: BoardLine) -> None:
        reason = Field(
            "reason",
            "care.reason",
            hint="allergies.none_hint" if head.allergy == 2 else "allergies.none_enter",
            chars_max=REASON_CHARS_MAX,
        )
        super().__init__(desk, FormCore((reason,), optional_from=0), head)

    def record(self, answers: dict[str, Answer]) -> dict[str, Any]:
        """Return the statement."""
        assert self.head is not None
        why = {"reason": answers["reason"].text} if "reason" in answers else {}
        return {
            "kind": KIND, "patient": self.head.patient, "data": {"status": "none-known"}, **why,
        }  # fmt: skip

    def check(self, answers: dict[str, Answer]) -> tuple[str, Reason] | None:
        """Where something is listed, it needs a reason."""
        assert self.head is not None
        if self.head.allergy == 2 and "reason" not in answers:
            return "reason", Reason("allergies.none_why")
        return None

    def field_of(self, path: str) -> str:
        """There is one."""
        return "reason"


class RefutePage(CareForm):
    """A listed substance is ruled out, with the reason."""

    name: ClassVar[str] = "allergy_refute"
    title: ClassVar[str] = "allergies.refute_form"
    saved_word: ClassVar[str] = "allergies.refuted"
    kinds: ClassVar[tuple[str, ...]] = (KIND,)

    def __init__(self, desk: Desk, head: BoardLine, row: AllergyLine) -> None:
        reason = Field(
            "reason",
            "care.reason",
            required=True,
            hint="allergies.refute_hint",
            chars_max=REASON_CHARS_MAX,
        )
        super().__init__(desk, FormCore((reason,)), head)
        self._row = row

    def record(self, answers: dict[str, Answer]) -> dict[str, Any]:
        """Return the same substance, refuted."""
        assert self.head is not None
        row = self._row
        data = {"status": "refuted", **({"code": row.code} if row.code else {"text": row.text})}
        why = answers["reason"].text
        return {"kind": KIND, "patient": self.head.patient, "data": data, "reason": why}

    def told(self) -> list[Line]:
        """Say which."""
        return [line(" ", Span(named(self.desk, self._row), "title"))]

    def more_draft(self) -> dict[str, str]:
        """Keep which."""
        return {"about": self._row.fact}

    def field_of(self, path: str) -> str:
        """There is one."""
        return "reason"

    def after_save(self, recorded: Recorded) -> list[Act]:
        """Back to the list."""
        return [Back()] if recorded.ok else []


def named(desk: Desk, row: AllergyLine) -> str:
    """Return the substance in words, or that none is known."""
    if row.status == "none-known":
        return desk.words("value.none-known")
    return value_text(desk.words, row.code) if row.code else row.text


def _said(desk: Desk, word: str) -> str:
    return "-" if word in ("", "unknown") else value_text(desk.words, word)
