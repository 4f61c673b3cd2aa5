"""A store asks for something: item by item, of whoever can give."""

from __future__ import annotations

from typing import Any, ClassVar

from fieldnode.tui.acts import Act, Open, Say
from fieldnode.tui.cores.display import Line
from fieldnode.tui.cores.fields import Answer, Date, Field, Reason
from fieldnode.tui.cores.form import FormCore
from fieldnode.tui.cores.picked import MARK, Picked, coded
from fieldnode.tui.cores.supply_fields import Units
from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Hint
from fieldnode.tui.screens.supply_form import (
    ScannedForm,
    item_rows,
    our_store,
    store_rows,
    with_lists,
)
from fieldnode.tui.supply_words import whole
from protocols.live.api import Draft
from protocols.live.shelf import ItemName, StoreLine

KIND = "requisition.place"
MORE_KEY = "ctrl+n"
"""Puts what stands in the form on the list and asks for the next item."""
LINES_MAX = 64
TEXT_CHARS_MAX = 120
_LINE = "line."
"""Before the numbers of its lines among the fields of a draft."""


class RequestPage(ScannedForm):
    """One request; Ctrl+N goes on to the next item of it."""

    name: ClassVar[str] = "request"
    title: ClassVar[str] = "request.title"
    saved_word: ClassVar[str] = "request.saved"
    kinds: ClassVar[tuple[str, ...]] = (KIND,)

    def __init__(
        self, desk: Desk, items: tuple[ItemName, ...], stores: tuple[StoreLine, ...]
    ) -> None:
        rows = store_rows(stores)
        fields = (
            Picked("item", "request.item", hint="request.item_hint", items=item_rows(items)),
            Units("units", "request.units", hint="supply.units_hint"),
            Picked("to", "request.to", required=True, items=rows),
            Picked("donor", "request.donor", hint="request.donor_hint", items=rows),
            Date("until", "request.until", hint="form.date_hint"),
            Field("text", "request.text", chars_max=TEXT_CHARS_MAX),
        )
        super().__init__(desk, FormCore(fields, optional_from=3), items)
        self._lines: list[tuple[str, int]] = []
        if mine := our_store(desk, stores):
            self.form.offer("to", MARK + mine)

    def key(self, key: str) -> list[Act]:
        """Take one key; one puts the item on the list."""
        return self._more() if key == MORE_KEY else super().key(key)

    def check(self, answers: dict[str, Answer]) -> tuple[str, Reason] | None:
        """Something has to be asked for, each item once, by another store than gives it."""
        wrong = self._line_wrong(answers, needed=not self._lines)
        if wrong is not None:
            return wrong
        if "donor" in answers and answers["donor"].text == answers["to"].text:
            return "donor", Reason("error.same_store")
        return None

    def record(self, answers: dict[str, Answer]) -> dict[str, Any]:
        """Return the request."""
        lines = [*self._lines, *self._typed(answers)]
        data: dict[str, Any] = {"lines": [{"item": item, "units": n} for item, n in lines]}
        if "donor" in answers:
            data["donor"] = coded(answers["donor"])[0]
        for name in ("until", "text"):
            if name in answers:
                data[name] = answers[name].text
        return {"kind": KIND, "store": coded(answers["to"])[0], "data": data}

    def field_of(self, path: str) -> str:
        """Return the field that a refused part of the record came from."""
        if path == "store":
            return "to"
        return "item" if path.startswith("data.lines") else super().field_of(path)

    def named(self) -> str:
        """Return what is asked for."""
        lines = [*self._lines, *self._typed(self.form.answers())]
        return "; ".join(f"{self.item_word(item)} x {whole(number)}" for item, number in lines[:3])

    def told(self) -> list[Line]:
        """Say what stands on the list already."""
        said = "; ".join(f"{self.item_word(item)} x {whole(n)}" for item, n in self._lines)
        words = self.desk.words
        return self.says(words("request.listed", n=len(self._lines), what=said)) if said else []

    def hints(self) -> list[Hint]:
        """Name the key for the next item."""
        enter, _, when = super().hints()
        return [enter, Hint("Ctrl+N", self.desk.words("request.more")), when]

    def unit_of(self, _name: str) -> str:
        """Return the unit of the item that is named."""
        code = self.form.answer(self.form.place_of("item")).text.removeprefix(MARK)
        known = next((one for one in self.items if one.item == code), None)
        key = f"item_unit.{known.unit}" if known else ""
        words = self.desk.words
        return words.count(key, 2) if known and words.has(f"{key}.many") else ""

    def more_draft(self) -> dict[str, str]:
        """Keep what stands on the list."""
        return {f"{_LINE}{at}": f"{item} {n}" for at, (item, n) in enumerate(self._lines)}

    def take_up(self, draft: Draft) -> None:
        """Go on with a draft, its list too."""
        kept = [text for name, text in draft.fields.items() if name.startswith(_LINE)]
        parts = [text.rpartition(" ") for text in kept]
        self._lines = [(item, int(number)) for item, _, number in parts if number.isdecimal()]
        super().take_up(draft)

    def _more(self) -> list[Act]:
        answers = self.form.answers()
        wrong = self._line_wrong(answers, needed=True)
        if wrong is not None:
            self.form.go_to(wrong[0])
            self.form.refuse(*wrong)
            return [Say("", bell=True)]
        if len(self._lines) >= LINES_MAX - 1:
            return [Say(self.desk.words("error.too_many"), "warn", bell=True)]
        self._lines += self._typed(answers)
        for name in ("item", "units"):
            self.form.take_back(name)
        self.form.go_to("item")
        return [self._put_draft()]

    def _line_wrong(self, answers: dict[str, Answer], *, needed: bool) -> tuple[str, Reason] | None:
        item = coded(answers["item"])[0] if "item" in answers else ""
        if not item and (needed or "units" in answers):
            return "item", Reason("form.required")
        if item and "units" not in answers:
            return "units", Reason("form.required")
        if item in (listed for listed, _ in self._lines):
            return "item", Reason("error.line_twice")
        return None

    def _typed(self, answers: dict[str, Answer]) -> list[tuple[str, int]]:
        if "item" not in answers or "units" not in answers:
            return []
        return [(coded(answers["item"])[0], int(answers["units"].text))]


def asking(desk: Desk, draft: Draft | None = None) -> list[Act]:
    """Ask for catalogue and stores, then open the form; with a draft, taken up."""

    def go_on(items: tuple[ItemName, ...], stores: tuple[StoreLine, ...]) -> list[Act]:
        page = RequestPage(desk, items, stores)
        if draft is not None:
            page.take_up(draft)
        return [Open(page, instead=draft is not None)]

    return [with_lists(go_on, desk)]
