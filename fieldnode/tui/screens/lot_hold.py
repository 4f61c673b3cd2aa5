"""A lot held back in the store of this terminal, let go again, its last day set right."""

from __future__ import annotations

from typing import Any, ClassVar

from fieldnode.tui.cores.display import Line, Size, Span, line
from fieldnode.tui.cores.fields import Answer, Field, Reason
from fieldnode.tui.cores.form import FormCore
from fieldnode.tui.cores.picked import Item, Picked, coded
from fieldnode.tui.cores.stock_fields import Expiry
from fieldnode.tui.desk import Desk
from fieldnode.tui.screens.form_page import FormPage
from protocols.live.api import Recorded
from protocols.records.display import clean_text

WHY = ("damaged", "excursion", "vvm", "suspected", "recall", "expired", "records", "other")


class LotForm(FormPage):
    """A form about one lot."""

    def __init__(self, desk: Desk, form: FormCore, item: str, name: str, lot: str) -> None:
        super().__init__(desk, form)
        self.item, self.item_name, self.lot = item, name, lot
        self.store, self.store_name = desk.store, desk.store_name

    @property
    def what(self) -> str:
        """Item and lot in words."""
        lot = self.desk.words("shelf.lot", lot=clean_text(self.lot))
        return f"{clean_text(self.item_name)}  {lot}"

    def draw(self, size: Size) -> list[Line]:
        """Draw which lot it is about above the form."""
        top = line(" ", Span(self.what, "title"))
        return [top, *super().draw(Size(size.width, size.height - 1))]

    def draft_label(self) -> str:
        """Return the lot."""
        return self.what

    def more_draft(self) -> dict[str, str]:
        """Keep which lot of which store it is about."""
        return {
            "store": self.store, "store_name": self.store_name,
            "about_item": self.item, "about_name": self.item_name, "about_lot": self.lot,
        }  # fmt: skip

    def _label(self, recorded: Recorded) -> str:
        # The name comes last: of a long line its end is cut.
        lot = self.desk.words("shelf.lot", lot=clean_text(self.lot))
        return f"{lot}  {clean_text(self.item_name)}"

    def of_lot(self, kind: str, answers: dict[str, Answer], **data: Any) -> dict[str, Any]:
        """Return the record."""
        found: dict[str, Any] = {
            "kind": kind,
            "store": self.store,
            "data": {"item": self.item, "lot": self.lot, **data},
        }
        return found | ({"reason": answers["reason"].text} if "reason" in answers else {})


class HoldPage(LotForm):
    """Not to be issued from here until somebody lets it go."""

    name: ClassVar[str] = "lot_hold"
    title: ClassVar[str] = "card.hold_title"
    saved_word: ClassVar[str] = "kind.lot.quarantine"
    kinds: ClassVar[tuple[str, ...]] = ("lot.quarantine",)

    def __init__(self, desk: Desk, item: str, name: str, lot: str) -> None:
        whys = tuple(
            Item(str(at), each, desk.words(f"hold_why.{each}")) for at, each in enumerate(WHY, 1)
        )
        fields = (
            Picked("why", "move.why", required=True, items=whys),
            Field("reason", "move.reason", chars_max=80),
        )
        super().__init__(desk, FormCore(fields, optional_from=1, swift=True), item, name, lot)

    def record(self, answers: dict[str, Answer]) -> dict[str, Any]:
        """Return the quarantine."""
        return self.of_lot("lot.quarantine", answers, why=coded(answers["why"])[0])

    def check(self, answers: dict[str, Answer]) -> tuple[str, Reason] | None:
        """Another reason is said in words."""
        if coded(answers["why"])[0] == "other" and "reason" not in answers:
            return "reason", Reason("move.say_why")
        return None


class ReleasePage(LotForm):
    """May be issued again; why it is safe is said."""

    name: ClassVar[str] = "lot_release"
    title: ClassVar[str] = "card.free_title"
    saved_word: ClassVar[str] = "kind.lot.release"
    kinds: ClassVar[tuple[str, ...]] = ("lot.release",)

    def __init__(self, desk: Desk, item: str, name: str, lot: str) -> None:
        safe = Field("reason", "card.why_safe", required=True, chars_max=80)
        super().__init__(desk, FormCore((safe,)), item, name, lot)

    def record(self, answers: dict[str, Answer]) -> dict[str, Any]:
        """Return the release."""
        return self.of_lot("lot.release", answers)


class DatePage(LotForm):
    """The last day as the package has it, where somebody wrote another one: said anew, and why."""

    name: ClassVar[str] = "lot_date"
    title: ClassVar[str] = "card.date_title"
    saved_word: ClassVar[str] = "card.date_saved"
    kinds: ClassVar[tuple[str, ...]] = ("lot.release",)

    def __init__(self, desk: Desk, item: str, name: str, lot: str) -> None:
        fields = (
            Expiry("expiry", "move.expiry", required=True, hint="card.date_hint"),
            Field("reason", "move.reason", required=True, chars_max=80, hint="card.date_why"),
        )
        super().__init__(desk, FormCore(fields), item, name, lot)

    def record(self, answers: dict[str, Answer]) -> dict[str, Any]:
        """Return the day that takes the place of what was stated."""
        return self.of_lot("lot.release", answers, expiry=answers["expiry"].text)

    def _label(self, recorded: Recorded) -> str:
        words = self.desk.words
        lot = words("shelf.lot", lot=clean_text(self.lot))
        day = words("shelf.expires", day=self.form.answers()["expiry"].text)
        return f"{lot}  {day}  {clean_text(self.item_name)}"
