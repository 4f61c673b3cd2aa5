"""Steps of a shipment: what all share, and approving, sending and cancelling.

Each can be written apart; who may write it, the node says in a sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from fieldnode.tui.cores.display import Line
from fieldnode.tui.cores.fields import Answer, Date, Field, Reason
from fieldnode.tui.cores.form import FormCore
from fieldnode.tui.cores.picked import MARK, Picked, coded
from fieldnode.tui.cores.supply_fields import Units
from fieldnode.tui.desk import Desk
from fieldnode.tui.screens.supply_form import SupplyForm, our_store, store_rows
from fieldnode.tui.supply_words import item, lot, whole
from protocols.live.consigned import (
    ItemWords,
    ShipmentLine,
)
from protocols.live.shelf import StoreLine
from protocols.records.display import clean_text

LOTS_MAX = 48
"""Lots of one form."""
NAME_CHARS_MAX = 80
REASON_CHARS_MAX = 140
UNITS = "units"
"""What a field is about, before the number of its line."""


class StepForm(SupplyForm):
    """One step of one shipment."""

    def __init__(
        self, desk: Desk, form: FormCore, one: ShipmentLine, items: tuple[ItemWords, ...]
    ) -> None:
        super().__init__(desk, form)
        self.one, self.items = one, items

    def word_of(self, code: str) -> str:
        """Return an item's name."""
        return item(self.desk.words, self.items, code)

    def named(self) -> str:
        """Return between whom."""
        words, one = self.desk.words, self.one
        donor = clean_text(one.donor_name) or words("shipments.whoever")
        return words("shipment.ends", donor=donor, to=clean_text(one.to_name))

    def more_draft(self) -> dict[str, str]:
        """Keep which shipment."""
        return {"shipment": self.one.shipment}

    def told(self) -> list[Line]:
        """Say between whom."""
        return self.says(self.named(), "title")

    def written(self, kind: str, data: dict[str, Any], store: str = "") -> dict[str, Any]:
        """Return a record of this shipment."""
        found = {"kind": kind, "data": {"shipment": self.one.shipment, **data}}
        return {**found, "store": store} if store else found

    def field_of(self, path: str) -> str:
        """Return the field that a refused part of the record came from."""
        names = {field.name for field in self.form.fields}
        last = path.rpartition(".")[2]
        if last in names:
            return last
        line = path.removeprefix("data.lines.").partition(".")[0]
        name = self.line_field(int(line)) if line.isdecimal() else ""
        return name if name in names else ""

    def line_field(self, _number: int) -> str:
        """Return the field that a line of the record came from."""
        return ""

    def item_of(self, _name: str) -> str:
        """Return the item that a quantity is of."""
        return ""

    def unit_of(self, name: str, count: int) -> str:
        """Return the word for so many units of a quantity."""
        code, words = self.item_of(name), self.desk.words
        known = next((one for one in self.items if one.code == code), None)
        key = f"item_unit.{known.unit}" if known else ""
        return words.count(key, count) if known and words.has(f"{key}.many") else ""


class ApprovePage(StepForm):
    """How much of what was asked for is given, and by which store."""

    name: ClassVar[str] = "shipment_approve"
    title: ClassVar[str] = "approve.title"
    saved_word: ClassVar[str] = "approve.saved"
    kinds: ClassVar[tuple[str, ...]] = ("requisition.approve",)

    def __init__(
        self,
        desk: Desk,
        one: ShipmentLine,
        items: tuple[ItemWords, ...],
        stores: Sequence[StoreLine],
    ) -> None:
        self._asked = [part for part in one.parts if part.wanted][:LOTS_MAX]
        fields: list[Field] = [
            Units(
                f"{UNITS}{at}", "", zero=True, required=True, hint="approve.units_hint",
                called=item(desk.words, items, part.item),
            )
            for at, part in enumerate(self._asked)
        ]  # fmt: skip
        donors = [store for store in stores if store.store != one.to]
        fields.append(Picked("donor", "request.donor", required=True, items=store_rows(donors)))
        fields.append(Date("until", "approve.until", hint="form.date_hint"))
        super().__init__(desk, FormCore(fields, optional_from=len(fields) - 1), one, items)
        known = {f"{UNITS}{at}": str(part.approved or part.wanted)
                 for at, part in enumerate(self._asked)}  # fmt: skip
        donor = one.donor or our_store(desk, donors)
        if donor and donor != one.to:
            known["donor"] = MARK + donor
        self.form.fill_all(known)

    def check(self, answers: dict[str, Answer]) -> tuple[str, Reason] | None:
        """Something has to be approved: what is not given at all is cancelled."""
        if any(self._units(answers, at) for at in range(len(self._asked))):
            return None
        return f"{UNITS}0", Reason("approve.nothing")

    def item_of(self, name: str) -> str:
        """Return the item of a line."""
        return self._asked[int(name.removeprefix(UNITS))].item

    def beside_units(self, name: str) -> str:
        """Return what was asked for."""
        part = self._asked[int(name.removeprefix(UNITS))]
        return self.desk.words("approve.asked", n=whole(part.wanted))

    def record(self, answers: dict[str, Answer]) -> dict[str, Any]:
        """Return the approval."""
        lines = [
            {"item": part.item, "units": self._units(answers, at)}
            for at, part in enumerate(self._asked)
            if self._units(answers, at)
        ]
        data: dict[str, Any] = {"lines": lines, "donor": coded(answers["donor"])[0]}
        if "until" in answers:
            data["until"] = answers["until"].text
        return self.written("requisition.approve", data)

    def line_field(self, number: int) -> str:
        """Return the field of a line, of those that are given."""
        answers = self.form.answers()
        given = [at for at in range(len(self._asked)) if self._units(answers, at)]
        return f"{UNITS}{given[number]}" if number < len(given) else ""

    def _units(self, answers: dict[str, Answer], at: int) -> int:
        return int(answers.get(f"{UNITS}{at}", Answer()).text or 0)


class DispatchPage(StepForm):
    """What was set aside leaves: with whom, and who saw it where any of it is controlled."""

    name: ClassVar[str] = "shipment_dispatch"
    title: ClassVar[str] = "dispatch.title"
    saved_word: ClassVar[str] = "dispatch.saved"
    kinds: ClassVar[tuple[str, ...]] = ("shipment.dispatch",)

    def __init__(self, desk: Desk, one: ShipmentLine, items: tuple[ItemWords, ...]) -> None:
        known = {each.code for each in items if each.controlled}
        self._controlled = any(part.item in known for part in one.parts if part.reserved)
        witness = Field(
            "witness", "dispatch.witness", required=self._controlled, chars_max=NAME_CHARS_MAX,
            hint="dispatch.witness_hint" if self._controlled else "",
        )  # fmt: skip
        carrier = Field(
            "carrier", "dispatch.carrier", chars_max=NAME_CHARS_MAX, hint="dispatch.carrier_hint"
        )
        # Beyond an allotment of this device the node asks why, in words.
        why = Field("reason", "move.reason", chars_max=REASON_CHARS_MAX, hint="send.reason_hint")
        fields = (witness, carrier) if self._controlled else (carrier, witness)
        first = 1 if self._controlled else 0
        super().__init__(desk, FormCore((*fields, why), optional_from=first), one, items)

    def told(self) -> list[Line]:
        """Say what leaves."""
        words = self.desk.words
        parts = [
            f"{self.word_of(part.item)} ({lot(words, part.lot)}) x {whole(part.reserved)}"
            for part in self.one.parts
            if part.reserved
        ]
        return [*super().told(), *self.says(words("dispatch.leaves", what="; ".join(parts)))]

    def record(self, answers: dict[str, Answer]) -> dict[str, Any]:
        """Return that it left."""
        named = [name for name in ("carrier", "witness") if name in answers]
        data: dict[str, Any] = {name: answers[name].text for name in named}
        found = self.written("shipment.dispatch", data)
        return found | ({"reason": answers["reason"].text} if "reason" in answers else {})


class CancelPage(StepForm):
    """Why nothing will be sent."""

    name: ClassVar[str] = "shipment_cancel"
    title: ClassVar[str] = "cancel.title"
    saved_word: ClassVar[str] = "cancel.saved"
    kinds: ClassVar[tuple[str, ...]] = ("shipment.cancel",)

    def __init__(self, desk: Desk, one: ShipmentLine, items: tuple[ItemWords, ...]) -> None:
        reason = Field(
            "reason", "cancel.reason", required=True, chars_max=REASON_CHARS_MAX,
            hint="cancel.reason_hint",
        )  # fmt: skip
        super().__init__(desk, FormCore((reason,)), one, items)

    def record(self, answers: dict[str, Answer]) -> dict[str, Any]:
        """Return the cancellation."""
        return {**self.written("shipment.cancel", {}), "reason": answers["reason"].text}
