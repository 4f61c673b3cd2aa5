"""A place where care is given or stock is kept: named here, so that a node alone can begin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from fieldnode.tui.cores.fields import Answer, Choice, Coded, Field
from fieldnode.tui.cores.form import FormCore
from fieldnode.tui.cores.picked import Picked, coded
from fieldnode.tui.desk import Desk
from fieldnode.tui.screens.supply_form import SupplyForm, store_rows
from fieldnode.tui.screens.undrafted import UndraftedForm
from protocols.live.shelf import StoreLine
from protocols.records.display import clean_text

KIND = "site.register"
TYPES = (
    ("1", "store"),
    ("2", "pharmacy"),
    ("3", "ward"),
    ("4", "ambulance"),
    ("5", "hospital"),
    ("6", "clinic"),
    ("7", "mobile-team"),
    ("8", "vaccination-post"),
    ("9", "other"),
)
NAME_CHARS_MAX = 120


class SitePage(UndraftedForm, SupplyForm):
    """Name and kind; what it is a part of, where it is one."""

    name: ClassVar[str] = "site_form"
    title: ClassVar[str] = "site_form.title"
    saved_word: ClassVar[str] = "site_form.saved"
    kinds: ClassVar[tuple[str, ...]] = (KIND,)

    def __init__(self, desk: Desk, stores: Sequence[StoreLine]) -> None:
        kinds = tuple(
            Choice(digit, word, f"site_type.{word.replace('-', '_')}") for digit, word in TYPES
        )
        fields = (
            Field("name", "site_form.name", required=True, chars_max=NAME_CHARS_MAX),
            Coded("type", "site_form.type", required=True, choices=kinds),
            Picked("part_of", "site_form.part_of", items=store_rows(stores)),
        )
        super().__init__(desk, FormCore(fields, optional_from=2))

    def record(self, answers: dict[str, Answer]) -> dict[str, Any]:
        """Return the site."""
        data = {"name": answers["name"].text, "type": answers["type"].text}
        if "part_of" in answers:
            data["part_of"] = coded(answers["part_of"])[0]
        return {"kind": KIND, "data": data}

    def named(self) -> str:
        """Return what it is called."""
        return clean_text(self.form.answers().get("name", Answer()).text)
