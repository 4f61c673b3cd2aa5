"""What came of a shipment: all of it by one digit, or lot by lot, with why where it differs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from fieldnode.tui.acts import Act, Ask, Say
from fieldnode.tui.cores.display import Line
from fieldnode.tui.cores.fields import Answer, Choice, Coded, Field, Reason
from fieldnode.tui.cores.form import FormCore
from fieldnode.tui.cores.scan import Scan
from fieldnode.tui.cores.supply_fields import Units
from fieldnode.tui.desk import Desk
from fieldnode.tui.screens.shipment_forms import LOTS_MAX, UNITS, StepForm
from fieldnode.tui.supply_words import whole
from protocols.live.consigned import ItemWords, ShipmentLine, ShipmentPart
from protocols.live.shelf import CodeRead
from protocols.records.display import clean_text

LOT, WHY, VVM = "lot", "why", "vvm"
"""What a field beside a quantity is about, before the number of its line."""
ALL, SOME = "1", "2"
REST = "rest"

_WHY = (
    ("1", "short"), ("2", "damaged"), ("3", "expired"), ("4", "broken-cold-chain"), ("5", "vvm"),
    ("6", "wrong-item"), ("7", "over"), ("8", "theft"), ("9", "other"), ("0", REST),
)  # fmt: skip
"""Why what came is not what was sent, by digit; 0: the rest is still on its way."""


class ReceivePage(StepForm):
    """What came, lot by lot; what differs says why."""

    name: ClassVar[str] = "shipment_receive"
    title: ClassVar[str] = "arrival.title"
    saved_word: ClassVar[str] = "arrival.saved"
    kinds: ClassVar[tuple[str, ...]] = ("shipment.receive",)

    def __init__(self, desk: Desk, one: ShipmentLine, items: tuple[ItemWords, ...]) -> None:
        coming = [part for part in one.parts if part.transit > 0]
        self._known = bool(coming)
        """Whether it is known here that it was sent."""
        self._parts = (coming or _expected(one))[:LOTS_MAX]
        monitored = {each.code for each in items if each.vaccine}
        fields: list[Field] = []
        if self._known:
            choices = (Choice(ALL, "all", "arrival.all"), Choice(SOME, "some", "arrival.some"))
            fields.append(Coded("whole", "arrival.whole", required=True, choices=choices))
        for at, part in enumerate(self._parts):
            fields += _arrival_fields(desk, at, part, vvm=part.item in monitored)
        first = 1 if self._known else 0
        super().__init__(desk, FormCore(fields, optional_from=first), one, items)

    def check(self, answers: dict[str, Answer]) -> tuple[str, Reason] | None:
        """Of what was sent and came otherwise, why; of what is not known to be sent, how much."""
        everything = self._all(answers)
        for at, part in enumerate(self._parts):
            typed = answers.get(f"{UNITS}{at}")
            if everything:
                if typed is not None and int(typed.text) != part.transit:
                    return "whole", Reason("arrival.not_all")
                continue
            why = answers.get(f"{WHY}{at}", Answer()).text
            if self._known and typed is not None and int(typed.text) != part.transit and not why:
                return f"{WHY}{at}", Reason("arrival.why_needed")
            if self._known and why and typed is None:
                return f"{UNITS}{at}", Reason("form.required")
        if not self._known and not any(f"{UNITS}{at}" in answers for at in range(len(self._parts))):
            return f"{UNITS}0", Reason("arrival.nothing")
        return None

    def item_of(self, name: str) -> str:
        """Return the item of a line."""
        return self._parts[int(name.removeprefix(UNITS))].item

    def beside_units(self, name: str) -> str:
        """Return what was sent, and of what."""
        part = self._parts[int(name.removeprefix(UNITS))]
        words = self.desk.words
        return words("arrival.sent", n=whole(part.transit)) if self._known else ""

    def told(self) -> list[Line]:
        """Say between whom, what an empty field means, and where sending is not known here."""
        words = self.desk.words
        key = "arrival.means" if self._known else "arrival.unsent"
        rows = [*super().told(), *self.says(self._of_open())]
        return [*rows, *self.says(words(key), "dim" if self._known else "warn")]

    def _of_open(self) -> str:
        """Return of what the lot is whose fields are open."""
        number = self.form.open_field.name.lstrip("abcdefghijklmnopqrstuvwxyz")
        if not number:
            return ""
        part = self._parts[int(number)]
        return f"{clean_text(part.lot)}  {self.word_of(part.item)}".strip()

    def record(self, answers: dict[str, Answer]) -> dict[str, Any]:
        """Return what came; lots that are not named came as they were sent."""
        lines = [] if self._all(answers) else list(self._typed(answers))
        data: dict[str, Any] = {"lines": lines} if lines else {}
        return self.written("shipment.receive", data)

    def line_field(self, number: int) -> str:
        """Return the field of a line, of those that are named."""
        answers = self.form.answers()
        named = [at for at in range(len(self._parts)) if self._says(answers, at)]
        return f"{UNITS}{named[number]}" if number < len(named) else ""

    def field_of(self, path: str) -> str:
        """Return the field: `why` and `vvm` have their own beside each quantity."""
        name, last = super().field_of(path), path.rpartition(".")[2]
        own = f"{last}{name.removeprefix(UNITS)}"
        return own if any(field.name == own for field in self.form.fields) else name

    def scan(self, scan: Scan) -> list[Act]:
        """Open the field of the lot that was scanned."""
        code = scan.symbology + scan.text
        return [Ask(lambda node: node.code_means(code), self._scanned)]

    def _scanned(self, found: CodeRead) -> list[Act]:
        meant = {each.item for each in found.means}
        for at, part in enumerate(self._parts):
            if part.lot == found.lot and (not meant or part.item in meant):
                self.form.go_to(f"{UNITS}{at}")
                return []
        return [Say(self.desk.words("arrival.not_of_it"), "warn", bell=True)]

    def _all(self, answers: dict[str, Answer]) -> bool:
        return answers.get("whole", Answer()).text == "all"

    def _says(self, answers: dict[str, Answer], at: int) -> bool:
        return f"{UNITS}{at}" in answers or f"{VVM}{at}" in answers

    def _typed(self, answers: dict[str, Answer]) -> Sequence[dict[str, Any]]:
        found = []
        for at, part in enumerate(self._parts):
            if not self._says(answers, at):
                continue
            typed = answers.get(f"{UNITS}{at}")
            named = answers.get(f"{LOT}{at}", Answer(part.lot)).text
            line: dict[str, Any] = {
                "item": part.item,
                "units": int(typed.text) if typed is not None else part.transit,
                **({"lot": named} if named else {}),
            }
            why = answers.get(f"{WHY}{at}", Answer()).text
            if why == REST:
                line["rest"] = True
            elif why:
                line["why"] = why
            if f"{VVM}{at}" in answers:
                line["vvm"] = int(answers[f"{VVM}{at}"].text)
            found.append(line)
        return found


def _expected(one: ShipmentLine) -> list[ShipmentPart]:
    """Return what could come of a shipment that is not known to be sent."""
    aside = [part for part in one.parts if part.reserved]
    return aside or [part for part in one.parts if part.approved or part.wanted]


def _arrival_fields(desk: Desk, at: int, part: ShipmentPart, *, vvm: bool) -> list[Field]:
    words = desk.words
    named = clean_text(part.lot) or words("supply.no_lot")
    fields: list[Field] = []
    if not part.lot and part.transit <= 0:
        fields.append(Field(f"{LOT}{at}", "supply.lot_field", chars_max=20))
    fields.append(Units(f"{UNITS}{at}", "", zero=True, called=named, hint="arrival.units_hint"))
    choices = tuple(Choice(digit, name, f"discrepancy.{name}") for digit, name in _WHY)
    fields.append(Coded(f"{WHY}{at}", "arrival.why", choices=choices))
    if vvm:
        stages = tuple(Choice(str(n), str(n), f"vvm.{n}") for n in range(1, 5))
        fields.append(Coded(f"{VVM}{at}", "arrival.vvm", choices=stages))
    return fields
