"""Setting stock aside: the lots that expire first are proposed, and a person decides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from fieldnode.tui.cores.display import Line
from fieldnode.tui.cores.fields import Answer, Date, Field, Reason
from fieldnode.tui.cores.form import FormCore
from fieldnode.tui.cores.supply_fields import Units
from fieldnode.tui.desk import Desk
from fieldnode.tui.screens.shipment_forms import LOTS_MAX, UNITS, StepForm
from fieldnode.tui.supply_words import last_day, lot, whole
from protocols.live.consigned import HeldLot, ItemWords, ShipmentLine


class ReservePage(StepForm):
    """Which lots are set aside: what expires first is proposed, and a person decides."""

    name: ClassVar[str] = "shipment_reserve"
    title: ClassVar[str] = "reserve.title"
    saved_word: ClassVar[str] = "reserve.saved"
    kinds: ClassVar[tuple[str, ...]] = ("shipment.reserve",)

    def __init__(
        self, desk: Desk, one: ShipmentLine, items: tuple[ItemWords, ...], store: str,
        held: Sequence[HeldLot],
    ) -> None:  # fmt: skip
        self._store = store
        self._needed = needed_of(one)
        usable = [each for each in held if not why_not(each) and each.item in self._needed]
        self._lots = usable[:LOTS_MAX]
        self._barred = [each for each in held if why_not(each)]
        mine = {(part.item, part.lot): part.reserved for part in one.parts}
        self._free = [
            max(each.high - each.aside + mine.get((each.item, each.lot), 0), 0)
            for each in self._lots
        ]
        fields: list[Field] = [
            Units(
                _lot_field(each.item, each.lot), "", zero=True, hint="reserve.units_hint",
                called=lot(desk.words, each.lot),
            )
            for each in self._lots
        ]  # fmt: skip
        fields.append(Date("until", "reserve.until", hint="form.date_hint"))
        super().__init__(desk, FormCore(fields, optional_from=len(fields) - 1), one, items)
        self.form.fill_all(self._proposed())

    def _proposed(self) -> dict[str, str]:
        """Return so much of each lot, first-expiry-first, until what is approved is there."""
        left, found = dict(self._needed), {}
        for each, free in zip(self._lots, self._free, strict=True):
            taken = min(left[each.item], free)
            left[each.item] -= taken
            found[_lot_field(each.item, each.lot)] = str(taken) if taken else ""
        return found

    def check(self, answers: dict[str, Answer]) -> tuple[str, Reason] | None:
        """Something has to be set aside."""
        if self._lines(answers):
            return None
        return self.form.fields[0].name, Reason("reserve.nothing")

    def item_of(self, name: str) -> str:
        """Return the item of a lot."""
        return self._lot_of(name)[0].item

    def beside_units(self, name: str) -> str:
        """Return what there is of a lot."""
        return self.desk.words("reserve.of", n=whole(self._lot_of(name)[1]))

    def _lot_of(self, name: str) -> tuple[HeldLot, int]:
        """Return the lot of a field, and what is free of it."""
        pairs = zip(self._lots, self._free, strict=True)
        return next(pair for pair in pairs if _lot_field(pair[0].item, pair[0].lot) == name)

    def told(self) -> list[Line]:
        """Say how much of each item is put together, and which lots must not be given."""
        words, answers = self.desk.words, self.form.answers()
        sums = dict.fromkeys(self._needed, 0)
        for line in self._lines(answers):
            sums[line["item"]] += line["units"]
        parts = [
            words("reserve.sum", item=self.word_of(code), n=whole(sums[code]), of=whole(needed))
            for code, needed in self._needed.items()
        ]
        rows = [*super().told(), *self.says(self._of_open()), *self.says("; ".join(parts), "label")]
        refused = [
            f"{lot(words, each.lot)} {words(f'reserve.{why_not(each)}')}" for each in self._barred
        ]
        if refused:
            rows += self.says(words("reserve.refused", what="; ".join(refused)), "warn")
        return rows

    def _of_open(self) -> str:
        """Return of what the lot is whose field is open, and until when."""
        words, name = self.desk.words, self.form.open_field.name
        each = next((e for e in self._lots if _lot_field(e.item, e.lot) == name), None)
        if each is None:
            return ""
        day = words("reserve.until_day", day=last_day(words, each.expiry_day))
        return f"{lot(words, each.lot)}  {self.word_of(each.item)}  {day}"

    def record(self, answers: dict[str, Answer]) -> dict[str, Any]:
        """Return what is set aside."""
        data: dict[str, Any] = {"lines": self._lines(answers)}
        if "until" in answers:
            data["until"] = answers["until"].text
        return self.written("shipment.reserve", data, self._store)

    def line_field(self, number: int) -> str:
        """Return the field of a line, of those that are set aside."""
        lines = self._lines(self.form.answers())
        if number >= len(lines):
            return ""
        return _lot_field(lines[number]["item"], lines[number].get("lot", ""))

    def field_of(self, path: str) -> str:
        """Return the field; a doubt about stock that names no line is about the open one."""
        return super().field_of(path) or (self._lacking() if path == "data.units" else "")

    def _lacking(self) -> str:
        """Return the first lot of which more is typed than is free."""
        answers = self.form.answers()
        for each, free in zip(self._lots, self._free, strict=True):
            name = _lot_field(each.item, each.lot)
            if int(answers.get(name, Answer()).text or 0) > free:
                return name
        return ""

    def _lines(self, answers: dict[str, Answer]) -> list[dict[str, Any]]:
        found = []
        for each in self._lots:
            units = int(answers.get(_lot_field(each.item, each.lot), Answer()).text or 0)
            if units:
                named = {"lot": each.lot} if each.lot else {}
                found.append({"item": each.item, "units": units, **named})
        return found


def needed_of(one: ShipmentLine) -> dict[str, int]:
    """Return how much of each item is to be given: as approved, else as it was asked for."""
    approved = {part.item: part.approved for part in one.parts if part.approved}
    return approved or {part.item: part.wanted for part in one.parts if part.wanted}


def _lot_field(code: str, text: str) -> str:
    return f"{UNITS} {code} {text}"


def why_not(each: HeldLot) -> str:
    """Return why a lot is not to be given, as the catalogue has it; '' where it may be."""
    if each.recalled:
        return "recalled"
    return "held" if each.held else "expired" if each.expired else ""
