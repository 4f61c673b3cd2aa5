"""What somebody came with this time, how they are kept apart, and what it has to do with the event.

Where nobody is in care it begins a visit: somebody who was here before has come again.
"""

from __future__ import annotations

from typing import Any, ClassVar

from fieldnode.tui.acts import Act
from fieldnode.tui.cores.display import Line
from fieldnode.tui.cores.fields import Answer, Choice, Coded, Reason
from fieldnode.tui.cores.form import FormCore
from fieldnode.tui.desk import Desk
from fieldnode.tui.screens.care_form import CareForm
from fieldnode.tui.screens.picks import RELATION
from fieldnode.tui.screens.syndromes import COMPLAINT, Offered, known_of_visit
from protocols.live.bedside import Care

ISOLATION = (
    Choice("1", "contact", "isolation.1"),
    Choice("2", "droplet", "isolation.2"),
    Choice("3", "airborne", "isolation.3"),
    Choice("4", "enteric", "isolation.4"),
    Choice("5", "protective", "isolation.5"),
    Choice("0", "none", "isolation.0"),
)
BEGUN_AS = "emergency"
"""Class of a visit that begins here, as at registration."""


class VisitPage(CareForm):
    """The visit that goes on, stated anew; or a new one."""

    name: ClassVar[str] = "visit"
    title: ClassVar[str] = "visit.title"
    saved_word: ClassVar[str] = "visit.saved"
    kinds: ClassVar[tuple[str, ...]] = ("encounter.move", "encounter.open")

    def __init__(self, desk: Desk, care: Care) -> None:
        self._offered = Offered(desk)
        fields = (
            self._offered.complaint(),
            Coded("isolation", "field.isolation", choices=ISOLATION),
            Coded("event_relation", "field.event_relation", choices=RELATION),
        )
        super().__init__(desk, FormCore(fields, optional_from=0), care.head)
        self._care = care

    def opened(self) -> list[Act]:
        """Ask which complaints the pack in use has."""
        return [*super().opened(), self._offered.ask(self.form, COMPLAINT)]

    def check(self, answers: dict[str, Answer]) -> tuple[str, Reason] | None:
        """A visit that goes on has to be told something."""
        if self._care.in_care and not answers:
            return COMPLAINT, Reason("vitals.nothing")
        return None

    def record(self, answers: dict[str, Answer]) -> dict[str, Any]:
        """Return what is stated of the visit, or that one begins."""
        stated = self._offered.said(answers[COMPLAINT]) if COMPLAINT in answers else {}
        more = ("isolation", "event_relation")
        stated |= {name: answers[name].text for name in more if name in answers}
        if self._care.in_care:
            return {"kind": "encounter.move", "patient": self.patient, "data": stated}
        data = {"class": BEGUN_AS, **stated}
        return {"kind": "encounter.open", "patient": self.patient, "data": data}

    def field_of(self, path: str) -> str:
        """What it is counted under comes of the complaint."""
        return COMPLAINT if path == "data.syndrome" else super().field_of(path)

    def told(self) -> list[Line]:
        """Say what is known already, which stays where nothing is answered."""
        words, care = self.desk.words, self._care
        if not care.in_care:
            return self.says(words("visit.begins"), "warn")
        known = known_of_visit(words, care)
        if care.head.isolation:
            known.append(f"{words('field.isolation')}: {words(f'isolation.{care.head.isolation}')}")
        return self.says("  ".join(known), "dim") if known else []
