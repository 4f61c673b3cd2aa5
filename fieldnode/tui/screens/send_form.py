"""Stock sent to another store that did not ask for it: what, how much, with whom. One save."""

from __future__ import annotations

from typing import Any, ClassVar

from fieldnode.tui.acts import Act, Ask, Open, Say
from fieldnode.tui.cores.display import Line
from fieldnode.tui.cores.fields import Answer, Choice, Coded, Date, Field, Reason
from fieldnode.tui.cores.first_out import Free, first_out
from fieldnode.tui.cores.form import FormCore
from fieldnode.tui.cores.picked import Item, Picked, coded
from fieldnode.tui.cores.stock_fields import Lot
from fieldnode.tui.cores.supply_fields import Units
from fieldnode.tui.desk import Desk
from fieldnode.tui.screens.listed_form import Entry, ListedForm
from fieldnode.tui.screens.reserve_form import why_not
from fieldnode.tui.screens.shipment_forms import NAME_CHARS_MAX, REASON_CHARS_MAX
from fieldnode.tui.screens.stock_form import Room, abreast, with_room
from fieldnode.tui.screens.supply_form import item_rows, store_rows
from fieldnode.tui.stock_words import last_day
from fieldnode.tui.supply_words import coded as word_for
from fieldnode.tui.supply_words import lot as lot_word
from fieldnode.tui.supply_words import whole
from protocols.live.api import Draft, Recorded
from protocols.live.consigned import HeldLot, HeldLots, ItemWords
from protocols.live.shelf import CodeRead
from protocols.records.display import clean_text

NOW, LATER = "now", "later"
LEAVES = (Choice("1", NOW, "send.now"), Choice("2", LATER, "send.later"))
LOTS_TOLD = 9
"""Lots that a digit behind `+` takes."""
ITEMS_ASKED = 64
OF_NOW, OF_LATER = ("carrier", "witness"), ("until",)
"""What is said only of what leaves now, and only of what is set aside."""


class SendPage(ListedForm):
    """A store gives without being asked; Ctrl+N goes on to the next item of the same shipment."""

    name: ClassVar[str] = "send"
    title: ClassVar[str] = "send.title"
    kinds: ClassVar[tuple[str, ...]] = ("shipment.dispatch", "shipment.reserve")
    of_line: ClassVar[tuple[str, ...]] = ("item", "units", "lot")

    def __init__(self, desk: Desk, room: Room) -> None:
        fields = (
            Picked("to", "send.to", required=True, hint="send.to_hint", items=_others(room)),
            Picked("item", "request.item", hint="request.item_hint", items=item_rows(room.items)),
            Units("units", "request.units", hint="supply.units_hint"),
            Lot("lot", "supply.lot_field", hint="send.lot_hint"),
            Field("carrier", "dispatch.carrier", chars_max=NAME_CHARS_MAX,
                  hint="dispatch.carrier_hint"),
            Field("witness", "dispatch.witness", chars_max=NAME_CHARS_MAX,
                  hint="dispatch.witness_hint"),
            Coded("leaves", "send.leaves", choices=LEAVES),
            Date("until", "reserve.until", hint="form.date_hint"),
            Field("reason", "move.reason", chars_max=REASON_CHARS_MAX, hint="send.reason_hint"),
        )  # fmt: skip
        super().__init__(desk, FormCore(fields, optional_from=3), room.items)
        self.room = room
        self._held: dict[str, tuple[HeldLot, ...]] = {}
        """What this store has of the items that were named."""
        self._words: dict[str, ItemWords] = {}

    # what is known of it

    def opened(self) -> list[Act]:
        """Ask what there is of what a draft names."""
        return [*super().opened(), *self._look()]

    def resumed(self) -> list[Act]:
        """Ask again: what was done meanwhile may have changed it."""
        self._held.clear()
        return self._look()

    def field_left(self, name: str) -> list[Act]:
        """Ask what there is of an item that was named."""
        return self._look() if name in ("item", "units") else []

    def _look(self) -> list[Act]:
        codes = sorted({each.item for each in self.lines} | ({self.item} - {""}))
        unknown = [code for code in codes if code not in self._held][:ITEMS_ASKED]
        self._offer_lots()
        if not unknown:
            return []

        def came(found: HeldLots) -> list[Act]:
            for code in unknown:
                self._held[code] = tuple(each for each in found.lines if each.item == code)
            self._words |= {each.code: each for each in found.items}
            self._offer_lots()
            return []

        return [Ask(lambda node: node.lots_held(self.room.store, unknown), came)]

    def _offer_lots(self) -> None:
        """Let a digit take one of the lots that are there, as they are listed."""
        old = self.form.fields[self.form.place_of("lot")]
        lots = tuple(each.lot for each in self._usable(self.item) if each.lot)[:LOTS_TOLD]
        self.form.replace_field(Lot("lot", old.label, hint=old.hint, lots=lots))

    def _usable(self, code: str) -> list[HeldLot]:
        return [each for each in self._held.get(code, ()) if not why_not(each)]

    def _free(self, code: str) -> list[Free]:
        """Return what of each lot may be given and is promised to nobody, the list's own too."""
        found = []
        for each in self._usable(code):
            listed = sum(e.units for e in self.lines if (e.item, e.lot) == (code, each.lot))
            gone = each.aside + listed
            found.append(Free(each.lot, each.low - gone, max(each.high - gone, 0)))
        return found

    def typed(self, answers: dict[str, Answer]) -> list[Entry]:
        """Return the lots that the fields come to: one that is named, else what expires first."""
        if "item" not in answers or "units" not in answers:
            return []
        code, units = coded(answers["item"])[0], int(answers["units"].text)
        if "lot" in answers:
            return [Entry(code, units, answers["lot"].text)]
        return [Entry(code, n, lot) for lot, n in first_out(self._free(code), units)]

    @property
    def _controlled(self) -> bool:
        return any(
            each.item in self._words and self._words[each.item].controlled for each in self.entries
        )

    # saving

    @property
    def saved_word(self) -> str:  # type: ignore[override]
        """What was saved: whether it left."""
        return "reserve.saved" if self._later else "dispatch.saved"

    @property
    def _later(self) -> bool:
        return self.form.answers().get("leaves", Answer()).text == LATER

    def check(self, answers: dict[str, Answer]) -> tuple[str, Reason] | None:
        """Something is sent, a lot stands once, and what is controlled leaves before a witness."""
        wrong = self.line_wrong(answers, needed=not self.lines)
        if wrong is not None:
            return wrong
        for name in OF_NOW if self._later else OF_LATER:
            if name in answers:
                key = "send.not_later" if self._later else "send.not_now"
                return name, Reason(key)
        if self._controlled and not self._later and "witness" not in answers:
            return "witness", Reason("send.witness_needed")
        return None

    def line_wrong(self, answers: dict[str, Answer], *, needed: bool) -> tuple[str, Reason] | None:
        """A lot stands once, and where only barred lots are there none of them is proposed."""
        wrong = super().line_wrong(answers, needed=needed)
        code = self.item
        if wrong is not None or not code:
            return wrong
        lots = {each.lot for each in self.lines if each.item == code}
        named = answers["lot"].text if "lot" in answers else None
        if lots and (named is None or named in lots):
            return "lot" if named else "item", Reason("error.line_twice")
        barred = self._barred(code)
        if named is None and barred and not self._usable(code):
            return "item", Reason("reserve.only_refused", (("what", "; ".join(barred)),))
        return None

    def record(self, answers: dict[str, Answer]) -> dict[str, Any]:
        """Return that it left, or that it is set aside."""
        lines = [
            {"item": each.item, "units": each.units, **({"lot": each.lot} if each.lot else {})}
            for each in self.entries
        ]
        kind = "shipment.reserve" if self._later else "shipment.dispatch"
        data: dict[str, Any] = {"to": coded(answers["to"])[0], "lines": lines}
        data |= {name: answers[name].text for name in (*OF_NOW, *OF_LATER) if name in answers}
        found: dict[str, Any] = {"kind": kind, "store": self.room.store, "data": data}
        return found | ({"reason": answers["reason"].text} if "reason" in answers else {})

    def field_of(self, path: str) -> str:
        """Return the field that a refused part of the record came from."""
        if path in ("store", "data.to"):
            return "to"
        if not path.startswith("data.lines"):
            return super().field_of(path)
        last = path.rpartition(".")[2]
        return last if last in self.of_line else "item"

    def _sentence(self, recorded: Recorded, confirmable: bool) -> str:
        """Name the lot that is doubted, where it can be told which of several it is."""
        said = super()._sentence(recorded, confirmable)
        lacking = self._lacking() if recorded.confirm == "beyond_stock" else ""
        return f"{lacking}: {said}" if lacking and len(self.entries) > 1 else said

    def _lacking(self) -> str:
        """Return the first line of which more is sent than is certain to be free."""
        for each in self.entries:
            held = next((h for h in self._usable(each.item) if h.lot == each.lot), None)
            if each.units > (held.low - held.aside if held else 0):
                return self.entry_text(each)
        return ""

    def _read(self, found: CodeRead) -> list[Act]:
        """A box names item and lot; how many of it there are is typed."""
        acts = super()._read(found)
        if not self.item:
            return acts
        self.form.go_to("units")
        return [*self._look(), *acts]

    # what stands around it

    def heading(self) -> str:
        """Say which store gives."""
        return self.desk.words(self.title, store=clean_text(self.room.store_name))

    def named(self) -> str:
        """Return what goes where, as drafts, SAVED and F8 name it."""
        to = coded(self.form.answer(self.form.place_of("to")))[0]
        store = next((each.name for each in self.room.stores if to and each.store == to), "")
        what = "; ".join(self.entry_text(each) for each in self.entries[:3])
        return f"{clean_text(store)}: {what}" if store else what

    def beside_units(self, _name: str) -> str:
        """Return what is free of the item."""
        if self.item not in self._held:
            return ""
        return self.desk.words("send.free", n=whole(sum(e.most for e in self._free(self.item))))

    def told(self) -> list[Line]:
        """Say which lots go, which must not, what has to stay cold, and what is listed."""
        words, typed = self.desk.words, self.typed(self.form.answers())
        rows: list[Line] = []
        if typed:
            parts = "; ".join(self._dated(each) for each in typed)
            rows += self.says(
                words("send.lots", what=parts), "warn" if self._lacking() else "title"
            )
        rows += self._choice()
        if self.item and (barred := self._barred(self.item)):
            rows += self.says(words("reserve.refused", what="; ".join(barred)), "warn")
        if cold := self._cold():
            rows += self.says(words("send.cold", what=cold), "warn")
        return [*rows, *self.listed()]

    def _dated(self, each: Entry) -> str:
        """Return one lot that goes, and until when it may be used."""
        words = self.desk.words
        held = next((h for h in self._held.get(each.item, ()) if h.lot == each.lot), None)
        day = last_day(held.expiry_day) if held and held.expiry_day is not None else ""
        until = f" {words('shelf.expires', day=day)}" if day else ""
        return f"{lot_word(words, each.lot)} x {whole(each.units)}{until}"

    def _choice(self) -> list[Line]:
        """Return the lots by their digit while the field of the lot is open."""
        if self.form.open_field.name != "lot":
            return []
        free = {each.lot: each.most for each in self._free(self.item)}
        lots = [each for each in self._usable(self.item) if each.lot][:LOTS_TOLD]
        return abreast(
            [f"+{at} {clean_text(e.lot)} x{whole(free[e.lot])}" for at, e in enumerate(lots, 1)]
        )

    def _barred(self, code: str) -> list[str]:
        words = self.desk.words
        return [
            f"{lot_word(words, each.lot)} {words(f'reserve.{why_not(each)}')}"
            for each in self._held.get(code, ())
            if why_not(each)
        ]

    def _cold(self) -> str:
        """Return which classes of cold the shipment needs; '' for none but a room's."""
        known = {each.item: self._words.get(each.item) for each in self.entries}
        classes = sorted({one.cold for one in known.values() if one and one.cold not in _WARM})
        return ", ".join(word_for(self.desk.words, "cold_class", each) for each in classes)

    def more_draft(self) -> dict[str, str]:
        """Keep the store that gives, and the list."""
        where = {"store": self.room.store, "store_name": self.room.store_name}
        return super().more_draft() | where


_WARM = ("", "room")


def _others(room: Room) -> tuple[Item, ...]:
    """Return the stores it can go to."""
    return store_rows([each for each in room.stores if each.store != room.store])


def sending(desk: Desk, draft: Draft | None = None, *, instead: bool = False) -> list[Act]:
    """Open the form in the store of this terminal, or with a draft in the store it was typed in."""

    def go_on(room: Room) -> list[Act]:
        if not _others(room):
            return [Say(desk.words("send.no_other"), "warn", bell=True)]
        page = SendPage(desk, room)
        if draft is not None:
            page.take_up(draft)
        return [Open(page, instead=instead or draft is not None)]

    kept = draft.fields if draft is not None else {}
    where = (kept.get("store", ""), kept.get("store_name", ""))
    return with_room(desk, go_on, where if where[0] else None)
