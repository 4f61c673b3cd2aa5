"""Who somebody is, put right or completed: only what is answered is stated anew."""

from __future__ import annotations

from typing import Any, ClassVar

from fieldnode.tui.acts import Act, Ask
from fieldnode.tui.cores.display import Line, Size, Span, line, wrap
from fieldnode.tui.cores.fields import Answer, Field, Reason
from fieldnode.tui.cores.form import FormCore
from fieldnode.tui.cores.scan import Scan
from fieldnode.tui.desk import Desk
from fieldnode.tui.screens.form_page import SCAN_CHARS_MAX
from fieldnode.tui.screens.register import person_field, person_fields, person_of, unit_lacking
from fieldnode.tui.screens.tag_form import TagForm
from fieldnode.tui.wording import value_text
from protocols.errors import FieldmeshError
from protocols.live.api import Attribute, BoardLine, BoardPage, Chart
from protocols.records.display import clean_text

KIND = "patient.identify"
OPTIONAL_FROM = 6
"""Behind the tag, as where somebody is registered: Enter in an empty field saves."""
NOW_CHARS = 40
KNOWN_ROWS = 3
TOLD_CELLS = 78
VALUES_TOLD = 2
"""Of an answer about which people differ."""
_KNOWN_AS = {"tag": "tags", "age_unit": ""}
"""Attributes that are called otherwise than their field; '' for none."""


class IdentifyPage(TagForm):
    """Everything about a person; what stands now is named below the fields and never filled in."""

    name: ClassVar[str] = "identify"
    title: ClassVar[str] = "identify.title"
    saved_word: ClassVar[str] = "identify.saved"
    kinds: ClassVar[tuple[str, ...]] = (KIND,)
    known_word: ClassVar[str] = "register.tag_known"

    def __init__(self, desk: Desk, head: BoardLine) -> None:
        fields = tuple(person_fields(desk, sex_required=False).values())
        super().__init__(desk, FormCore(fields, optional_from=OPTIONAL_FROM), head)
        self.patient = head.patient
        self._known: dict[str, Attribute] = {}

    def opened(self) -> list[Act]:
        """Ask what is known; what is typed does not wait for it."""

        def came(chart: Chart) -> list[Act]:
            self.head = chart.head
            self._known = {one.name: one for one in chart.attributes}
            return []

        asks = Ask(lambda node: node.chart(self.patient, 0, 1), came, _untold, holds=False)
        return [*super().opened(), asks]

    def scan(self, scan: Scan) -> list[Act]:
        """A code that somebody else carries fills nothing (SAFETY 17); a new one is the tag."""
        if len(scan.text) > SCAN_CHARS_MAX or "\x1d" in scan.text:
            return super().scan(scan)

        def found(page: BoardPage) -> list[Act]:
            if page.lines:
                return [self._whose(scan.text)]
            self.form.fill("tag", scan.text)
            return [*self.field_left("tag"), self._put_draft()]

        return [Ask(lambda node: node.tagged(scan.text), found)]

    def tag_answered(self, _tag: str) -> None:
        """This patient has the tag too: the node need not ask again."""
        self._confirm["tag_in_use"] = ("tag", self.form.text(self.form.place_of("tag")))

    def check(self, answers: dict[str, Answer]) -> tuple[str, Reason] | None:
        """Something has to be said; an age has its unit, and counts only without a birth date."""
        if not answers:
            return self.form.fields[0].name, Reason("identify.nothing")
        if "age" in answers and "birth_date" not in answers and "birth_date" in self._known:
            return "birth_date", Reason("identify.born")
        return unit_lacking(answers)

    def record(self, answers: dict[str, Answer]) -> dict[str, Any]:
        """Return what is stated anew, and nothing of the rest."""
        return {"kind": KIND, "patient": self.patient, "data": person_of(answers)}

    def field_of(self, path: str) -> str:
        """Map the record's paths to this form's fields."""
        return person_field(path) or super().field_of(path)

    def draw(self, size: Size) -> list[Line]:
        """Draw the form, and below it what becomes of what stood there."""
        told = self.told()
        return [*super().draw(Size(size.width, size.height - len(told))), *told]

    def told(self) -> list[Line]:
        """Say what stands now, of which no key fills anything in, and that nothing is lost."""
        words = self.desk.words
        rows = self._standing()
        how = wrap(words("identify.how"), TOLD_CELLS)
        return [*rows[:KNOWN_ROWS], *(line(" ", Span(part, "dim")) for part in how)]

    def _standing(self) -> list[Line]:
        """Return what stands, in the order of the fields; what people differ about is marked."""
        words, rows = self.desk.words, list[Line]()
        said = [part for field in self.form.fields if (part := self._stands(field))]
        for part in wrap("   ".join((words("identify.now"), *said)) if said else "", TOLD_CELLS):
            rows.append(line(" ", Span(part, "title")))
        return rows

    def _stands(self, field: Field) -> str:
        known = self._known.get(_KNOWN_AS.get(field.name, field.name))
        if known is None:
            return ""
        words = self.desk.words
        values = list(dict.fromkeys(value.text for value in known.values))
        mark = "! " if len(values) > 1 else ""
        shown = (clean_text(value_text(words, one), NOW_CHARS) for one in values[:VALUES_TOLD])
        return f"{mark}{words(field.label)}: {' | '.join(shown)}"


def _untold(_failure: FieldmeshError) -> list[Act]:
    """What stands is not shown then; what is typed is saved all the same."""
    return []
