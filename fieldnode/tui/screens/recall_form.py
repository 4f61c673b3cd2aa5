"""Recalling a lot: scanned or typed, it holds in every store from then on."""

from __future__ import annotations

from typing import Any, ClassVar

from fieldnode.tui.acts import Act, Open
from fieldnode.tui.cores.display import Line
from fieldnode.tui.cores.fields import Answer, Choice, Coded, Field
from fieldnode.tui.cores.form import FormCore
from fieldnode.tui.cores.picked import MARK, Picked, coded
from fieldnode.tui.cores.stock_fields import Lot
from fieldnode.tui.desk import Desk
from fieldnode.tui.screens.supply_form import ScannedForm, item_rows, with_lists
from protocols.live.api import Draft
from protocols.live.shelf import ItemName, StoreLine
from protocols.records.display import clean_text

KIND = "lot.recall"
ISSUER_CHARS_MAX = 80
TEXT_CHARS_MAX = 300
WHY = (
    ("1", "contaminated"), ("2", "falsified"), ("3", "adverse-events"), ("4", "wrong-strength"),
    ("5", "wrong-label"), ("6", "broken-cold-chain"), ("7", "not-effective"), ("9", "other"),
)  # fmt: skip
LEVELS = (("1", "harmful"), ("2", "may-harm"), ("3", "unlikely-to-harm"), ("9", "unknown"))


class RecallForm(ScannedForm):
    """One lot of one item."""

    name: ClassVar[str] = "recall_form"
    title: ClassVar[str] = "recall_form.title"
    saved_word: ClassVar[str] = "recall_form.saved"
    kinds: ClassVar[tuple[str, ...]] = (KIND,)

    def __init__(self, desk: Desk, items: tuple[ItemName, ...]) -> None:
        why = tuple(Choice(digit, name, f"recall_why.{name}") for digit, name in WHY)
        level = tuple(Choice(digit, name, f"recall_level.{name}") for digit, name in LEVELS)
        fields = (
            Picked(
                "item", "request.item", required=True, hint="recall_form.item_hint",
                items=item_rows(items),
            ),
            Lot("lot", "supply.lot_field", required=True, hint="recall_form.lot_hint"),
            Coded("why", "recall_form.why", required=True, choices=why),
            Coded("level", "recall_form.level", required=True, choices=level),
            Field("issuer", "recall_form.issuer", chars_max=ISSUER_CHARS_MAX),
            Field(
                "text", "recall_form.text", chars_max=TEXT_CHARS_MAX, hint="recall_form.text_hint"
            ),
        )  # fmt: skip
        super().__init__(desk, FormCore(fields, optional_from=4), items)

    def record(self, answers: dict[str, Answer]) -> dict[str, Any]:
        """Return the recall."""
        data = {"item": coded(answers["item"])[0]}
        for name in ("lot", "why", "level", "issuer", "text"):
            if name in answers:
                data[name] = answers[name].text
        return {"kind": KIND, "data": data}

    def named(self) -> str:
        """Return item and lot."""
        code = self.form.answer(self.form.place_of("item")).text.removeprefix(MARK)
        lot = clean_text(self.form.answer(self.form.place_of("lot")).text)
        return f"{self.item_word(code)} ({lot})" if code else lot

    def told(self) -> list[Line]:
        """Say what it does."""
        return self.says(self.desk.words("recall_form.means"), "warn")


def recalling(desk: Desk, draft: Draft | None = None) -> list[Act]:
    """Ask for the catalogue, then open the form; with a draft, taken up."""

    def go_on(items: tuple[ItemName, ...], _stores: tuple[StoreLine, ...]) -> list[Act]:
        page = RecallForm(desk, items)
        if draft is not None:
            page.take_up(draft)
        return [Open(page, instead=draft is not None)]

    return [with_lists(go_on, desk)]
