"""Handing a patient over: to whom, then what the next team needs, as MIST or as SBAR."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, ClassVar

from fieldnode.tui.acts import Act, Ask, Open, Say
from fieldnode.tui.cores.display import Line, Size, Span, cut, line
from fieldnode.tui.cores.fields import Answer, Field
from fieldnode.tui.cores.form import FormCore
from fieldnode.tui.cores.list import ListCore
from fieldnode.tui.cores.scan import Scan
from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Action, Hint, Page
from fieldnode.tui.screens.form_page import FormPage, texts
from fieldnode.tui.screens.gate import ask_gate
from fieldnode.tui.widgets.list_view import Column, draw_list
from fieldnode.tui.wording import clock, error, identity
from protocols.errors import FieldmeshError
from protocols.live.api import BoardLine, Draft
from protocols.live.handing import Handing, PartyLine
from protocols.records.display import clean_text

KIND = "transfer.offer"
MIST = ("mechanism", "injuries", "signs", "treatment")
SBAR = ("situation", "background", "assessment", "recommendation")
TAKE_KEY = "ctrl+y"
"""Takes what is suggested into the open field."""
PART_CHARS_MAX = 600
NAME_CHARS_MAX = 80
OUTSIDE = PartyLine("outside", "", "")
"""Somebody who has no node: named in words."""
STANDING_ROWS = 2
"""Offers of this patient that are named above the list."""


class TransferToPage(Page):
    """To whom; Enter goes on with MIST, `s` with SBAR."""

    name: ClassVar[str] = "transfer_to"
    actions = (Action("s", "1", "transfer.sbar"),)

    def __init__(self, desk: Desk, head: BoardLine) -> None:
        super().__init__(desk)
        self._head = head
        self._handing: Handing | None = None
        self._rows: ListCore[PartyLine] = ListCore(lambda row: f"{row.kind} {row.id}")
        self._listed = 0

    def opened(self) -> list[Act]:
        """Fetch whom there is; keys wait."""
        patient = self._head.patient

        def came(found: Handing) -> list[Act]:
            self._handing = found
            self._rows.take_all((*found.parties, OUTSIDE))
            self._listed += 1
            return []

        def refused(failure: FieldmeshError) -> list[Act]:
            return [Say(error(self.desk.words, failure), "bad", bell=True)]

        ask = Ask(lambda node: node.handing(patient), came, refused)
        return [*ask_gate(self.desk, (KIND,), patient), ask]

    def key(self, key: str) -> list[Act]:
        """Choose, and go on."""
        if self._rows.key(key):
            return []
        chosen, found = self._rows.selected, self._handing
        sbar = self.action(key) == "s"
        if chosen is None or found is None or not (sbar or key == "enter"):
            return super().key(key)
        page = TransferPage(self.desk, found.head)
        page.begin(chosen, found.suggested, sbar=sbar)
        return [Open(page, instead=True)]

    @property
    def question(self) -> Hashable | None:
        """Which of them."""
        return self._listed

    def answers(self, item: str | Scan) -> bool:
        """Enter and `s` are about the selected one."""
        return item == "enter" or (isinstance(item, str) and bool(self.action(item)))

    def draw(self, size: Size) -> list[Line]:
        """Draw who it is, offers that stand, and the list."""
        desk, words = self.desk, self.desk.words
        rows: list[Line] = [identity(words, self._head)]
        rows.append(line(" ", Span(words("transfer.to_whom"), "title")))
        for one in self._handing.open[:STANDING_ROWS] if self._handing else ():
            at = clock(one.at_ms, desk.now_ms, desk.zone)
            said = words("transfer.stands", to=clean_text(one.to), at=at)
            rows.append(line(" ", Span(cut(said, size.width - 2), "warn")))
        columns = (Column(words("transfer.kind"), 16), Column(words("transfer.name"), 0))
        room = Size(size.width, size.height - len(rows))
        return [*rows, *draw_list(self._rows, columns, self._cells, room, words("chart.loading"))]

    def hints(self) -> list[Hint]:
        """Say what Enter does."""
        words = self.desk.words
        return [Hint(words("keys.enter"), words("transfer.mist")), *super().hints()]

    def _cells(self, row: PartyLine) -> list[Span]:
        words = self.desk.words
        org = f"  ({clean_text(row.org)})" if row.org else ""
        shown = clean_text(row.name) + org if row.name else words("transfer.outside")
        return [Span(words(f"transfer.kind_{row.kind}")), Span(shown, "title")]


class TransferPage(FormPage):
    """What the next team needs to know. What the chart says is offered, never filled in."""

    name: ClassVar[str] = "transfer"
    title: ClassVar[str] = "transfer.title"
    saved_word: ClassVar[str] = "transfer.saved"
    kinds: ClassVar[tuple[str, ...]] = (KIND,)

    def __init__(self, desk: Desk, head: BoardLine) -> None:
        super().__init__(desk, FormCore(_fields(OUTSIDE, MIST)), head)
        self._to = OUTSIDE
        self._sbar = False
        self._suggested: Mapping[str, str] = {}

    def begin(self, to: PartyLine, suggested: Mapping[str, str], *, sbar: bool) -> None:
        """Say to whom, and in which form.

        Args:
            to: `OUTSIDE` for somebody who is named in words.
            suggested: Text for some of the parts.
            sbar: Whether it is SBAR; else MIST.
        """
        self._to, self._sbar, self._suggested = to, sbar, suggested
        self.form = FormCore(_fields(to, SBAR if sbar else MIST))

    def take_up(self, draft: Draft) -> None:
        """Go on with a draft: to the same party, in the same form."""
        kept = draft.fields
        to = PartyLine(kept.get("to.kind", "outside"), kept.get("to.id", ""),
                       kept.get("to.name", ""))  # fmt: skip
        self.begin(to, {}, sbar=kept.get("to.sbar") == "1")
        super().take_up(draft)

    def more_draft(self) -> dict[str, str]:
        """Keep to whom, and which form."""
        to = self._to
        return {"to.kind": to.kind, "to.id": to.id, "to.name": to.name,
                "to.sbar": "1" if self._sbar else ""}  # fmt: skip

    def key(self, key: str) -> list[Act]:
        """Take one key; one puts what the chart says into the open field, to be read and kept."""
        if key != TAKE_KEY:
            return super().key(key)
        name = self.form.open_field.name
        text = self._suggested.get(name, "")
        if not text or self.form.text(self.form.place):
            return [Say(self.desk.words("transfer.nothing"), "warn", bell=True)]
        self.form.offer(name, text[:PART_CHARS_MAX])
        return []

    def draw(self, size: Size) -> list[Line]:
        """Draw the form, and below it what the chart says of the open field."""
        told = self.told()
        return [*super().draw(Size(size.width, size.height - len(told))), *told]

    def told(self) -> list[Line]:
        """Say to whom, and what could be taken over."""
        words, to = self.desk.words, self._to
        rows: list[Line] = []
        text = self._suggested.get(self.form.open_field.name, "")
        if text and not self.form.text(self.form.place):
            rows.append(line(" ", Span(words("transfer.suggested"), "label")))
            rows.append(line("   ", Span(cut(clean_text(text), 74))))
        if to.name:
            said = words("transfer.to", to=clean_text(to.name))
            rows.append(line(" ", Span(cut(said, 78), "title")))
        return rows

    def hints(self) -> list[Hint]:
        """Name the key that takes what is suggested, while there is something."""
        found = super().hints()
        offered = self._suggested.get(self.form.open_field.name)
        take = Hint("Ctrl+Y", self.desk.words("transfer.take"))
        return [take, found[0], found[-1]] if offered else found

    def record(self, answers: dict[str, Answer]) -> dict[str, Any]:
        """Return the offer."""
        assert self.head is not None
        to = self._to
        if to.kind == "outside":
            named: dict[str, str] = {"organisation": answers["outside"].text}
        elif to.kind == "organisation":
            named = {"organisation": to.name}
        else:
            named = {to.kind: to.id, "name": to.name[:NAME_CHARS_MAX]}
        data = {"to": named, **texts(answers, (*MIST, *SBAR, "transport"))}
        return {"kind": KIND, "patient": self.head.patient, "data": data}


def _fields(to: PartyLine, parts: tuple[str, ...]) -> tuple[Field, ...]:
    outside = Field(
        "outside", "field.transfer_outside", required=True, chars_max=NAME_CHARS_MAX,
        hint="transfer.outside_hint",
    )  # fmt: skip
    asked = tuple(
        Field(part, f"field.{part}", hint=f"transfer.{part}_hint", chars_max=PART_CHARS_MAX)
        for part in parts
    )
    transport = Field("transport", "field.transport", chars_max=NAME_CHARS_MAX)
    return (*((outside,) if to.kind == "outside" else ()), *asked, transport)
