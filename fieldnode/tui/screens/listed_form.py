"""A form about several items: one stands in its fields, those before it on its list."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from fieldnode.tui.acts import Act, Say
from fieldnode.tui.cores.display import Line
from fieldnode.tui.cores.fields import Answer, Reason
from fieldnode.tui.cores.picked import MARK, coded
from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Hint
from fieldnode.tui.screens.supply_form import ScannedForm
from fieldnode.tui.supply_words import whole
from protocols.live.api import Draft
from protocols.live.shelf import ItemName
from protocols.records.display import clean_text

MORE_KEY = "ctrl+n"
"""Puts what stands in the form on the list and asks for the next item."""
OFF_KEY = "ctrl+o"
"""Takes the last one off the list, back into the fields."""
LINES_MAX = 64
_LINE = "line."
"""Before the numbers of its lines among the fields of a draft."""


class Entry(NamedTuple):
    """One line of the list."""

    item: str
    units: int
    lot: str = ""


class ListedForm(ScannedForm, ABC):
    """Ctrl+N goes on to the next item, Ctrl+O takes the last one off again."""

    of_line: ClassVar[tuple[str, ...]] = ("item", "units")
    """Fields of one line, emptied for the next one."""

    def __init__(self, desk: Desk, form: object, items: tuple[ItemName, ...]) -> None:
        super().__init__(desk, form, items)
        self.lines: list[Entry] = []

    @abstractmethod
    def typed(self, answers: dict[str, Answer]) -> list[Entry]:
        """Return what the fields come to: nothing while item or units lack."""

    def line_wrong(self, answers: dict[str, Answer], *, needed: bool) -> tuple[str, Reason] | None:
        """Return the field and why its line cannot stand, or None."""
        item = coded(answers["item"])[0] if "item" in answers else ""
        if not item and (needed or any(name in answers for name in self.of_line)):
            return "item", Reason("form.required")
        if item and "units" not in answers:
            return "units", Reason("form.required")
        return None

    @property
    def entries(self) -> list[Entry]:
        """The list, and what stands in the fields."""
        return [*self.lines, *self.typed(self.form.answers())]

    def key(self, key: str) -> list[Act]:
        """Take one key; two are about the list."""
        match key:
            case "ctrl+n":
                return self._more()
            case "ctrl+o":
                return self._off()
        return super().key(key)

    def hints(self) -> list[Hint]:
        """Name the key for the next item, and once there is a list, the one that takes off."""
        words = self.desk.words
        enter, _, when = super().hints()
        more = Hint("Ctrl+N", words("request.more"))
        return [enter, more, Hint("Ctrl+O", words("request.off")) if self.lines else when]

    def listed(self) -> list[Line]:
        """Say what stands on the list, the last one first: the front of a long line is seen."""
        words = self.desk.words
        said = "; ".join(self.entry_text(each) for each in reversed(self.lines))
        return self.says(words("request.listed", n=len(self.lines), what=said)) if said else []

    def entry_text(self, each: Entry) -> str:
        """Return one line of the list in words."""
        lot = f" ({clean_text(each.lot)})" if each.lot else ""
        return f"{self.item_word(each.item)}{lot} x {whole(each.units)}"

    def item_unit(self, code: str, count: int) -> str:
        """Return the word for so many units of an item; '' where it is not known."""
        known = next((one for one in self.items if one.item == code), None)
        key, words = f"item_unit.{known.unit}" if known else "", self.desk.words
        return words.count(key, count) if known and words.has(f"{key}.many") else ""

    @property
    def item(self) -> str:
        """Code of the item in the field; '' for none."""
        return coded(self.form.answer(self.form.place_of("item")))[0]

    def unit_of(self, _name: str, count: int) -> str:
        """Return the unit of the item that is named."""
        return self.item_unit(self.item, count)

    def more_draft(self) -> dict[str, str]:
        """Keep what stands on the list."""
        return {
            f"{_LINE}{at}": f"{each.item} {each.units} {each.lot}".rstrip()
            for at, each in enumerate(self.lines)
        }

    def take_up(self, draft: Draft) -> None:
        """Go on with a draft, its list too."""
        kept = [text for name, text in draft.fields.items() if name.startswith(_LINE)]
        parts = [(*text.split(" ", 2), "")[:3] for text in kept]
        self.lines = [Entry(item, int(n), lot) for item, n, lot in parts if n.isdecimal()]
        super().take_up(draft)

    def _more(self) -> list[Act]:
        answers = self.form.answers()
        wrong = self.line_wrong(answers, needed=True)
        if wrong is not None:
            self.form.go_to(wrong[0])
            self.form.refuse(*wrong)
            return [Say("", bell=True)]
        said = self.typed(answers)
        if len(self.lines) + len(said) >= LINES_MAX:
            return [Say(self.desk.words("error.too_many"), "warn", bell=True)]
        self.lines += said
        return self._begin(())

    def _off(self) -> list[Act]:
        """Put the last line back into the fields; what stands in them unfinished would be lost."""
        if not self.lines or any(name in self.form.answers() for name in self.of_line):
            key = "request.off_first" if self.lines else "request.off_none"
            return [Say(self.desk.words(key), "warn", bell=True)]
        return self._begin((self.lines.pop(),))

    def _begin(self, back: Sequence[Entry]) -> list[Act]:
        """Empty the fields of a line, or fill them with one; what was doubted is asked anew."""
        self._confirm.clear()
        for name in self.of_line:
            self.form.take_back(name)
        for each in back:
            self.form.fill("item", MARK + each.item)
            self.form.fill("units", str(each.units))
            if each.lot:
                self.form.fill("lot", each.lot)
        self.form.go_to("units" if back else "item")
        return [self._put_draft()]
