"""Opening a vial of a session: from a scanned box, or typed; and throwing one away."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar

from fieldnode.text.catalogue import Catalogue
from fieldnode.tui.acts import Act, Ask, Back, Open, Say
from fieldnode.tui.cores.fields import Answer, Choice, Coded, Date, Field
from fieldnode.tui.cores.form import FormCore
from fieldnode.tui.cores.picked import MARK, Item, Picked, coded
from fieldnode.tui.cores.scan import Scan
from fieldnode.tui.cores.supply_fields import Whole
from fieldnode.tui.desk import Desk
from fieldnode.tui.occasion import Occasion
from fieldnode.tui.screens.form_page import texts
from fieldnode.tui.screens.opened_before import OPENED_STOPS, OpenedBeforePage
from fieldnode.tui.screens.undrafted import UndraftedForm
from fieldnode.tui.vaccine_words import vaccine_word
from protocols.live.api import Recorded
from protocols.live.drive import Box, Drive, VialLine
from protocols.records.display import clean_text

VVM = tuple(Choice(str(stage), str(stage), f"vvm.{stage}") for stage in (1, 2, 3, 4))
DISCARD = (
    Choice("1", "empty", "discard.empty"),
    Choice("2", "session-end", "discard.session-end"),
    Choice("3", "time-limit", "discard.time-limit"),
    Choice("4", "vvm", "discard.vvm"),
    Choice("5", "contaminated", "discard.contaminated"),
    Choice("6", "broken", "discard.broken"),
    Choice("7", "cold-chain", "discard.cold-chain"),
    Choice("8", "wrong-diluent", "discard.wrong-diluent"),
    Choice("9", "recalled", "discard.recalled"),
    Choice("0", "other", "discard.other"),
)
LOT_CHARS_MAX = 20
OPENED = "lot_opened_already"
"""Confirms that a vial was opened before its lot was recalled or held back."""


def box_refused(words: Catalogue, told: Drive, box: Box, today: str = "") -> str:
    """Return why a scanned box is not opened in this session; '' where it may be."""
    vaccines = {item for one in told.vaccines for item in one.items}
    if box.items and not vaccines & set(box.items):
        return words("drive.not_of_session", what=clean_text(", ".join(box.items)))
    if box.expiry and today and box.expiry < today:
        return words("drive.box_expired", day=box.expiry)
    return ""


class VialForm(UndraftedForm):
    """One vial is opened; what the box said stands in it already."""

    name: ClassVar[str] = "vial"
    title: ClassVar[str] = "vial.title"
    saved_word: ClassVar[str] = "vial.saved"
    kinds: ClassVar[tuple[str, ...]] = ("vial.open",)

    def __init__(self, desk: Desk, told: Drive, box: Box | None = None, code: str = "") -> None:
        self._told, self._code = told, code
        items = tuple(
            Item(str(at), name, f"{name}  {vaccine_word(desk.words, one.words)}")
            for at, (name, one) in enumerate(
                ((name, one) for one in told.vaccines for name in one.items), 1
            )
        )
        super().__init__(desk, FormCore(_fields(items), optional_from=2))
        if box is not None:
            known = {item.name for item in items}
            own = [name for name in box.items if name in known]
            item = MARK + own[0] if len(own) == 1 else ""
            self.form.restore({"item": item, "lot": box.lot, "expiry": box.expiry})

    def record(self, answers: dict[str, Answer]) -> dict[str, Any]:
        """Return the vial."""
        found: dict[str, Any] = texts(answers, ("lot", "expiry", "diluent_lot"))
        found |= {"session": self._told.session.id, "item": coded(answers["item"])[0]}
        if "diluent" in answers:
            found["diluent"] = answers["diluent"].text
        for name in ("doses", "vvm"):
            if name in answers:
                found[name] = int(answers[name].text)
        return {"kind": "vial.open", "data": found}

    def scan(self, scan: Scan) -> list[Act]:
        """The box of a vaccine fills item and lot, any other one is what it is mixed with."""

        def came(found: list[Box]) -> list[Act]:
            if not found:
                return [Say(self.desk.words("scan.not_here"), "warn", bell=True)]
            self._fill(found[0])
            return [self._put_draft()]

        return [Ask(lambda node: node.vial_code(f"{scan.symbology}{scan.text}"), came)]

    def _fill(self, box: Box) -> None:
        field = self.form.fields[self.form.place_of("item")]
        assert isinstance(field, Picked)
        own = [name for name in box.items if name in {item.name for item in field.items}]
        if own:
            self.form.fill("item", MARK + own[0])
            self.form.fill("lot", box.lot)
            self.form.fill("expiry", box.expiry)
            return
        self.form.fill("diluent", box.items[0] if box.items else "")
        self.form.fill("diluent_lot", box.lot)

    def _refused(self, recorded: Recorded) -> list[Act]:
        """Ask of a lot that was stopped whether this one was opened before that."""
        told = super()._refused(recorded)
        if recorded.error not in OPENED_STOPS or OPENED in self._confirmed(self.form.answers()):
            return told
        name = self.form.open_field.name
        lot = self.form.text(self.form.place)

        def say(stated: Occasion | None) -> list[Act]:
            self.occasion, self._confirm[OPENED] = stated, (name, lot)
            return self._save()

        page = OpenedBeforePage(
            self.desk, clean_text(lot), recorded.error or "", self.occasion, say
        )
        return [*told, Open(page)]

    def after_save(self, recorded: Recorded) -> list[Act]:
        """Back to where it was opened from."""
        return [Back()] if recorded.ok else []

    def _label(self, recorded: Recorded) -> str:
        answers = self.form.answers()
        return f"{coded(answers['item'])[0]} {answers['lot'].text}"


class DiscardForm(UndraftedForm):
    """What is left in a vial is thrown away."""

    name: ClassVar[str] = "vial_discard"
    title: ClassVar[str] = "vial.discard_title"
    saved_word: ClassVar[str] = "vial.discarded"
    kinds: ClassVar[tuple[str, ...]] = ("vial.discard",)

    def __init__(self, desk: Desk, vial: VialLine) -> None:
        self._vial = vial
        why = Coded("reason", "vial.reason", required=True, choices=DISCARD)
        lost = Whole("doses", "vial.lost", required=True, zero=True, swift=False, most=vial.doses)
        super().__init__(desk, FormCore((why, lost), optional_from=2))
        self.form.fill_all({"doses": str(max(vial.left, 0))})

    def record(self, answers: dict[str, Answer]) -> dict[str, Any]:
        """Return what was thrown away."""
        data = {
            "vial": self._vial.id,
            "reason": answers["reason"].text,
            "doses": int(answers["doses"].text),
        }
        return {"kind": "vial.discard", "data": data}

    def _label(self, recorded: Recorded) -> str:
        return f"{self._vial.item} {self._vial.lot}"


def today_of(desk: Desk) -> str:
    """Return the day here, as an ISO date."""
    at = datetime.fromtimestamp(desk.now_ms / 1000, UTC)
    return at.astimezone(desk.zone).date().isoformat()


def _fields(items: tuple[Item, ...]) -> tuple[Field, ...]:
    return (
        Picked("item", "vial.item", required=True, items=items, hint="vial.item_hint"),
        Field("lot", "vial.lot", required=True, chars_max=LOT_CHARS_MAX, hint="vial.lot_hint"),
        Date("expiry", "vial.expiry", hint="vial.expiry_hint"),
        Coded("vvm", "vial.vvm", choices=VVM, hint="vial.vvm_hint"),
        Field("diluent", "vial.diluent", chars_max=40, hint="vial.diluent_hint"),
        Field("diluent_lot", "vial.diluent_lot", chars_max=LOT_CHARS_MAX),
        Whole("doses", "vial.doses", swift=False, most=100, chars_max=6, hint="vial.doses_hint"),
    )
