"""One temperature of a fridge or freezer, as somebody read it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from fieldnode.tui.acts import Act, Open
from fieldnode.tui.cores.fields import Answer, Choice, Coded, Reason
from fieldnode.tui.cores.form import FormCore
from fieldnode.tui.cores.picked import MARK, Item, Picked, coded
from fieldnode.tui.cores.supply_fields import Celsius
from fieldnode.tui.desk import Desk
from fieldnode.tui.screens.supply_form import SupplyForm, our_store, store_rows, with_lists
from protocols.live.api import Draft
from protocols.live.consigned import ColdUnit
from protocols.live.shelf import ItemName, StoreLine
from protocols.records.display import clean_text

KIND = "reading.record"
POSSIBLE = ("-100", "100")
UNIT_CHARS_MAX = 40
COLDS = (("1", "fridge"), ("2", "freezer"), ("3", "ultra"), ("4", "cool"), ("5", "room"))
NUMBERED = 9


class ReadingPage(SupplyForm):
    """Unit and temperature; a unit that is known already brings its store."""

    name: ClassVar[str] = "reading_form"
    title: ClassVar[str] = "reading.title"
    saved_word: ClassVar[str] = "reading.saved"
    kinds: ClassVar[tuple[str, ...]] = (KIND,)

    def __init__(
        self,
        desk: Desk,
        units: Sequence[ColdUnit],
        stores: Sequence[StoreLine],
        chosen: ColdUnit | None = None,
    ) -> None:
        self._units = {one.unit_id: one for one in units}
        rows = tuple(
            Item(
                str(at) if at <= NUMBERED else "", one.unit_id,
                f"{clean_text(one.unit)} ({clean_text(one.store_name)})",
            )
            for at, one in enumerate(units, 1)
        )  # fmt: skip
        colds = tuple(Choice(digit, name, f"cold_class.{name}") for digit, name in COLDS)
        fields = (
            Picked(
                "unit", "reading.unit", required=True, hint="reading.unit_hint",
                chars_max=UNIT_CHARS_MAX, items=rows, free=True,
            ),
            Celsius(
                "celsius", "reading.celsius", required=True, unit="Cel", decimals=1,
                possible=POSSIBLE, hint="reading.celsius_hint",
            ),
            Coded("cold", "reading.cold", choices=colds, hint="reading.cold_hint"),
            Picked("store", "reading.store", items=store_rows(stores), hint="reading.store_hint"),
        )  # fmt: skip
        super().__init__(desk, FormCore(fields, optional_from=2))
        if chosen is not None:
            self.form.fill("unit", MARK + chosen.unit_id)
        if mine := our_store(desk, stores):
            self.form.offer("store", MARK + mine)

    def check(self, answers: dict[str, Answer]) -> tuple[str, Reason] | None:
        """A unit that is new here stands in some store."""
        known = self._known(answers)
        missing = known is None and "store" not in answers
        return ("store", Reason("form.required")) if missing else None

    def record(self, answers: dict[str, Answer]) -> dict[str, Any]:
        """Return the reading."""
        known = self._known(answers)
        data = {
            "unit": known.unit if known is not None else answers["unit"].text,
            "celsius": answers["celsius"].text,
        }
        if "cold" in answers:
            data["cold"] = answers["cold"].text
        elif known is not None and known.cold:
            data["cold"] = known.cold
        store = known.store if known is not None else coded(answers["store"])[0]
        return {"kind": KIND, "store": store, "data": data}

    def named(self) -> str:
        """Return unit and temperature."""
        answers = self.form.answers()
        known = self._known(answers)
        unit = known.unit if known is not None else answers.get("unit", Answer()).text
        celsius = answers.get("celsius", Answer()).text
        parts = (clean_text(unit), self.desk.words("cold.degrees", celsius=celsius))
        return " ".join(parts if celsius else parts[:1])

    def _known(self, answers: dict[str, Answer]) -> ColdUnit | None:
        return self._units.get(answers.get("unit", Answer()).text.removeprefix(MARK))


def reading(
    desk: Desk,
    units: Sequence[ColdUnit],
    chosen: ColdUnit | None = None,
    draft: Draft | None = None,
) -> list[Act]:
    """Ask for stores, then open the form; with a draft, taken up."""

    def go_on(_items: tuple[ItemName, ...], stores: tuple[StoreLine, ...]) -> list[Act]:
        page = ReadingPage(desk, units, stores, chosen)
        if draft is not None:
            page.take_up(draft)
        return [Open(page, instead=draft is not None)]

    return [with_lists(go_on, desk)]
