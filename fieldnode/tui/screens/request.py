"""A store asks for something: item by item, of whoever can give."""

from __future__ import annotations

from typing import Any, ClassVar

from fieldnode.tui.acts import Act, Open
from fieldnode.tui.cores.display import Line
from fieldnode.tui.cores.fields import Answer, Date, Field, Reason
from fieldnode.tui.cores.form import FormCore
from fieldnode.tui.cores.picked import MARK, Picked, coded
from fieldnode.tui.cores.supply_fields import Units
from fieldnode.tui.desk import Desk
from fieldnode.tui.screens.listed_form import Entry, ListedForm
from fieldnode.tui.screens.supply_form import (
    item_rows,
    our_store,
    store_rows,
    with_lists,
)
from protocols.live.api import Draft
from protocols.live.shelf import ItemName, StoreLine

KIND = "requisition.place"
TEXT_CHARS_MAX = 120


class RequestPage(ListedForm):
    """One request, of one item or several."""

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
        if mine := our_store(desk, stores):
            self.form.offer("to", MARK + mine)

    def check(self, answers: dict[str, Answer]) -> tuple[str, Reason] | None:
        """Something has to be asked for, each item once, by another store than gives it."""
        wrong = self.line_wrong(answers, needed=not self.lines)
        if wrong is not None:
            return wrong
        if "donor" in answers and answers["donor"].text == answers["to"].text:
            return "donor", Reason("error.same_store")
        return None

    def record(self, answers: dict[str, Answer]) -> dict[str, Any]:
        """Return the request."""
        lines = [{"item": each.item, "units": each.units} for each in self.entries]
        data: dict[str, Any] = {"lines": lines}
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
        return "; ".join(self.entry_text(each) for each in self.entries[:3])

    def told(self) -> list[Line]:
        """Say what stands on the list already."""
        return self.listed()

    def line_wrong(self, answers: dict[str, Answer], *, needed: bool) -> tuple[str, Reason] | None:
        """Each item stands once in a request."""
        wrong = super().line_wrong(answers, needed=needed)
        if wrong is None and self.item in {each.item for each in self.lines}:
            return "item", Reason("error.line_twice")
        return wrong

    def typed(self, answers: dict[str, Answer]) -> list[Entry]:
        """Return what the fields say of one item."""
        if "item" not in answers or "units" not in answers:
            return []
        return [Entry(coded(answers["item"])[0], int(answers["units"].text))]


def asking(desk: Desk, draft: Draft | None = None) -> list[Act]:
    """Ask for catalogue and stores, then open the form; with a draft, taken up."""

    def go_on(items: tuple[ItemName, ...], stores: tuple[StoreLine, ...]) -> list[Act]:
        page = RequestPage(desk, items, stores)
        if draft is not None:
            page.take_up(draft)
        return [Open(page, instead=draft is not None)]

    return [with_lists(go_on, desk)]
