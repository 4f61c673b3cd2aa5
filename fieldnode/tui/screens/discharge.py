"""Care here ends: how, what the visit is counted under, and its relation to the event."""

from __future__ import annotations

from typing import Any, ClassVar

from fieldnode.tui.acts import Act, Back, Say
from fieldnode.tui.cores.display import Line
from fieldnode.tui.cores.fields import Answer, Choice, Coded, Field
from fieldnode.tui.cores.form import FormCore
from fieldnode.tui.desk import Desk
from fieldnode.tui.screens.care_form import CareForm
from fieldnode.tui.screens.picks import RELATION
from fieldnode.tui.screens.syndromes import Offered, known_of_visit
from fieldnode.tui.wording import value_text
from protocols.live.api import Recorded
from protocols.live.bedside import Care

OUTCOME = (
    Choice("1", "discharged", "value.discharged"),
    Choice("2", "discharged-follow-up", "value.discharged-follow-up"),
    Choice("3", "left-against-advice", "value.left-against-advice"),
    Choice("4", "referred", "value.referred"),
    Choice("5", "admitted", "value.admitted"),
    Choice("6", "dead-on-arrival", "value.dead-on-arrival"),
    Choice("7", "died", "value.died"),
    Choice("8", "rehabilitation", "value.rehabilitation"),
    Choice("9", "left-unseen", "value.left-unseen"),
    Choice("0", "other", "value.other"),
)
"""In the order of the minimum data set, items 36 to 43; the last two are none of it."""


class DischargePage(CareForm):
    """One encounter closed; its bed is free from then on."""

    name: ClassVar[str] = "discharge"
    title: ClassVar[str] = "discharge.title"
    saved_word: ClassVar[str] = "discharge.saved"
    kinds: ClassVar[tuple[str, ...]] = ("encounter.close", "encounter.move")

    def __init__(self, desk: Desk, care: Care) -> None:
        self._offered = Offered(desk)
        super().__init__(desk, FormCore(_fields(self._offered), optional_from=3), care.head)
        self._care = care

    def opened(self) -> list[Act]:
        """Where nobody is in care there is nothing to end."""
        if not self._care.in_care:
            return [Back(), Say(self.desk.words("discharge.not_in_care"), "warn", bell=True)]
        return [*super().opened(), self._offered.ask(self.form)]

    def record(self, answers: dict[str, Answer]) -> dict[str, Any]:
        """Return what frees the bed and says the complaint, or the end where there is neither."""
        moved: dict[str, Any] = {}
        if "problem" in answers:
            moved["problem"] = answers["problem"].text
        if self.head is not None and self.head.bed:
            moved["bed"] = None
        if moved:
            return {"kind": "encounter.move", "patient": self.patient, "data": moved}
        return self._close(answers)

    def also(self, answers: dict[str, Answer]) -> list[dict[str, Any]]:
        """Return the end, where something stands before it."""
        closed = self._close(answers)
        if self.record(answers)["kind"] == closed["kind"]:
            return []
        return [{**closed, "key": "close"}]

    def told(self) -> list[Line]:
        """Say what is known of it already: it stays where nothing is typed."""
        words, care = self.desk.words, self._care
        known = known_of_visit(words, care)
        lines: list[Line] = self.says("  ".join(known), "dim") if known else []
        if care.head.bed:
            lines += self.says(words("discharge.frees", bed=care.head.bed), "dim")
        going_on = [one for one in care.medicines if one.state not in ("stopped", "ended", "done")]
        if going_on:
            lines += self.says(words.count("discharge.medicines", len(going_on)), "warn")
        return lines

    def _close(self, answers: dict[str, Answer]) -> dict[str, Any]:
        data: dict[str, Any] = {"outcome": answers["outcome"].text}
        if "syndrome" in answers:
            data["syndrome"] = self._offered.condition(answers["syndrome"])
        more = ("event_relation", "destination", "text")
        data |= {name: answers[name].text for name in more if name in answers}
        return {"kind": "encounter.close", "patient": self.patient, "data": data}

    def _label(self, recorded: Recorded) -> str:
        outcome = value_text(self.desk.words, self.form.answers()["outcome"].text)
        return f"{outcome}  {super()._label(recorded)}"


def _fields(offered: Offered) -> tuple[Field, ...]:
    grave = tuple((value, "discharge.died_sure") for value in ("died", "dead-on-arrival"))
    return (
        Coded("outcome", "field.outcome", required=True, choices=OUTCOME, grave=grave),
        offered.field(),
        Coded("event_relation", "field.event_relation", choices=RELATION),
        Field("problem", "discharge.complaint", hint="discharge.complaint_hint"),
        Field("destination", "discharge.destination", hint="discharge.destination_hint"),
        Field("text", "discharge.text"),
    )
