"""A code that nobody knows: whoever holds the box says what it is on, and how many are in it."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, ClassVar

from fieldnode.tui.acts import Act, Back
from fieldnode.tui.cores.display import Line, Size, Span, line, wrap
from fieldnode.tui.cores.fields import Answer
from fieldnode.tui.cores.form import FormCore
from fieldnode.tui.cores.picked import MARK, coded
from fieldnode.tui.cores.scan import Scan
from fieldnode.tui.cores.supply_fields import PACK_MOST, Whole
from fieldnode.tui.desk import Desk
from fieldnode.tui.screens.form_page import FormPage
from fieldnode.tui.screens.stock_form import Room, item_field
from fieldnode.tui.stock_words import amount
from protocols.live.api import Recorded
from protocols.records.display import clean_text

CODE_CHARS = 40


class TeachPage(FormPage):
    """One code; what was struck before the question was seen teaches nothing."""

    name: ClassVar[str] = "teach"
    title: ClassVar[str] = "teach.title"
    saved_word: ClassVar[str] = "teach.saved"
    kinds: ClassVar[tuple[str, ...]] = ("barcode.teach",)

    def __init__(
        self,
        desk: Desk,
        room: Room,
        code: str,
        taught: Callable[[], list[Act]],
        item: str = "",
    ) -> None:
        """Ask what a code is on.

        Args:
            desk: Shared by all pages.
            room: Where the item is picked from.
            code: As scanned, with its AIM identifier.
            taught: What to do once it is known.
            item: The item that the form below is about.
        """
        fields = (
            item_field(room),
            Whole("units", "teach.units", required=True, hint="teach.units_hint", most=PACK_MOST),
        )
        super().__init__(desk, FormCore(fields, optional_from=2, swift=True))
        self.room, self.code, self._taught = room, code, taught
        self._begun = False
        if item:
            self.form.fill("item", MARK + item)

    def key(self, key: str) -> list[Act]:
        """Take a key; the first was struck after the question was seen."""
        self._begun = True
        return super().key(key)

    def scan(self, _scan: Scan) -> list[Act]:
        """Another code is no answer."""
        from fieldnode.tui.acts import Say

        return [Say(self.desk.words("scan.not_here"), "warn", bell=True)]

    @property
    def question(self) -> Hashable | None:
        """What the code is on."""
        return super().question if self._begun else ("teach", self.code)

    def record(self, answers: dict[str, Answer]) -> dict[str, Any]:
        """Return what is taught."""
        item, units = coded(answers["item"])[0], int(answers["units"].text)
        return {
            "kind": "barcode.teach",
            "data": {"barcode": self.code, "item": item, "units": units},
        }

    def after_save(self, recorded: Recorded) -> list[Act]:
        """Go back and read the code again."""
        return [Back(), *self._taught()] if recorded.ok else []

    def draw(self, size: Size) -> list[Line]:
        """Draw the code and the question above the form."""
        words = self.desk.words
        said = words("teach.asks", code=clean_text(self.code[3:], CODE_CHARS))
        top = [line(" ", Span(part, "warn")) for part in wrap(said, size.width - 2)]
        return [*top, *super().draw(Size(size.width, size.height - len(top)))]

    def beside(self) -> dict[str, Span]:
        """Return what one package comes to."""
        answers = self.form.answers()
        named = self.room.named(coded(answers.get("item", Answer()))[0])
        if named is None or "units" not in answers:
            return {}
        said = amount(self.desk.words, named.unit, int(answers["units"].text))
        return {"units": Span(said, "dim")}

    def more_draft(self) -> dict[str, str]:
        """Keep the code, and the store in which it was scanned."""
        return {
            "code": self.code, "store": self.room.store, "store_name": self.room.store_name
        }  # fmt: skip

    def draft_label(self) -> str:
        """Return the code."""
        return clean_text(self.code[3:], CODE_CHARS)

    def _label(self, recorded: Recorded) -> str:
        return clean_text(self.code[3:], CODE_CHARS)
