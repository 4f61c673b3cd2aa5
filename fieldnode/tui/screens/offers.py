"""Patients offered: those to us first. Taking over is the second signature (SAFETY 25)."""

from __future__ import annotations

from collections.abc import Awaitable, Hashable, Sequence
from typing import Any, ClassVar

from fieldnode.client import Node
from fieldnode.tui.acts import Act, Ask, Back, Open, Say
from fieldnode.tui.cores.display import Line, Size, Span, cut, line, wrap
from fieldnode.tui.cores.fields import Answer, Field
from fieldnode.tui.cores.scan import Scan
from fieldnode.tui.desk import Desk, Save
from fieldnode.tui.page import Action, Hint
from fieldnode.tui.screens.fields_page import FieldsPage
from fieldnode.tui.screens.gate import ask_gate, gate_of, said_after
from fieldnode.tui.screens.listing import Fetched
from fieldnode.tui.screens.stating import StatingPage
from fieldnode.tui.widgets.list_view import Column
from fieldnode.tui.wording import (
    called,
    clock,
    code_sentence,
    full_identity,
    safety_line,
    short_identity,
)
from protocols.live.api import Recorded
from protocols.live.handing import OfferLine, Offers
from protocols.records.display import clean_text

ACCEPT, DECLINE = "transfer.accept", "transfer.decline"
OFFERS_MAX = 100
REASON_CHARS_MAX = 140


class OffersPage(Fetched[OfferLine, Offers]):
    """The list; Enter shows what is handed over."""

    name: ClassVar[str] = "offers"

    def name_of(self, row: OfferLine) -> str:
        """Return the offer."""
        return row.offer

    def ask(self, node: Node) -> Awaitable[Offers]:
        """Ask for all that are open."""
        return node.offers(OFFERS_MAX)

    def rows_of(self, found: Offers) -> Sequence[OfferLine]:
        """Return all."""
        return found.lines

    def act(self, _key: str, row: OfferLine) -> list[Act]:
        """Look at one."""
        return [Open(OfferPage(self.desk, row))]

    def draw(self, size: Size) -> list[Line]:
        """Draw one row each: to us, from here, or among others; whom; when."""
        words, to_us = self.desk.words, self.found.to_us if self.found else 0
        title = line(" ", Span(words.count("offers.title", to_us), "title"))
        columns = (
            Column(words("offers.whose"), 13),
            Column(words("chart.at"), 11),
            Column(words("offers.to"), 20),
            Column(words("board.code"), 12),
            Column(words("board.name"), 0),
        )
        room = Size(size.width, size.height - 1)
        return [title, *self.table(columns, room, "offers.none")]

    def hints(self) -> list[Hint]:
        """Say what Enter does."""
        words = self.desk.words
        return [Hint(words("keys.enter"), words("offers.look")), Hint("↑ ↓", "")]

    def cells(self, row: OfferLine) -> list[Span]:
        """Return whose it is, when, to whom, and whom."""
        desk, words = self.desk, self.desk.words
        return [
            Span(words(_whose(row)), "warn" if row.to_us else "plain"),
            Span(clock(row.at_ms, desk.now_ms, desk.zone)),
            Span(clean_text(row.to)),
            Span(clean_text(row.head.code)),
            Span(called(words, row.head), "title"),
        ]


class OfferPage(StatingPage):
    """One offer with what is handed over: taken over, turned down, or taken back."""

    name: ClassVar[str] = "offer"

    def __init__(self, desk: Desk, offer: OfferLine) -> None:
        super().__init__(desk)
        self._offer = offer
        self._key = desk.new_key()
        self._elsewhere = False
        """True once the node has said that the offer names somebody else."""

    @property
    def actions(self) -> tuple[Action, ...]:  # type: ignore[override]
        """Whoever offered takes it back; everybody else takes over or turns down."""
        if self._offer.from_here:
            return (Action("x", "2", "offers.take_back"),)
        return (Action("a", "1", "offers.accept"), Action("d", "2", "offers.decline"))

    def opened(self) -> list[Act]:
        """Ask whether whoever is here may answer."""
        kinds = (DECLINE,) if self._offer.from_here else (ACCEPT, DECLINE)
        return [*super().opened(), *ask_gate(self.desk, kinds, self._offer.head.patient)]

    def key(self, key: str) -> list[Act]:
        """Take over; or say why not, on a page of its own."""
        match self.action(key):
            case "a":
                return self.unasked() or [self._accept()]
            case "d" | "x":
                return self.unasked() or [
                    Open(DeclinePage(self.desk, self._offer, self.circumstances()), instead=True)
                ]
        return super().key(key)

    @property
    def question(self) -> Hashable | None:
        """Whether to take this patient over; asked again, another question."""
        return self._offer.offer, self._elsewhere

    def answers(self, item: str | Scan) -> bool:
        """Each of the actions."""
        return isinstance(item, str) and bool(self.action(item))

    def draw(self, size: Size) -> list[Line]:
        """Draw who it is in full, allergies, from whom to whom, and what is handed over."""
        desk, words, offer = self.desk, self.desk.words, self._offer
        rows: list[Line] = [*full_identity(words, offer.head)]
        rows.append(safety_line(words, offer.head, size.width))
        said = words(
            "offers.said",
            who=clean_text(offer.author, 24),
            sender=clean_text(offer.sender, 20),
            to=clean_text(offer.to, 20),
            at=clock(offer.at_ms, desk.now_ms, desk.zone),
        )
        rows += [line(" ", Span(part, "title")) for part in wrap(said, size.width - 2)]
        rows.append(self.stated(size))
        parts: list[Line] = []
        for name, text in offer.said:
            key = f"field.{name}"
            title = words(key) if words.has(key) else clean_text(name)
            whole = wrap(f"{title}: {clean_text(text)}", size.width - 4)
            parts += [line("   " if at else "  ", Span(part)) for at, part in enumerate(whole)]
        if not offer.said:
            parts.append(line("  ", Span(words("offers.not_told"), "dim")))
        room = size.height - len(rows)
        if len(parts) > room:
            more = line("  ", Span(words("offers.more"), "warn"))
            parts = [*parts[: max(room - 1, 0)], more]
        return [*rows, *parts][: size.height]

    def hints(self) -> list[Hint]:
        """Say what can be done with it."""
        words = self.desk.words
        own = [Hint(f"{one.letter}/{one.digit}", words(one.word)) for one in self.actions]
        return [*own, *super().hints()]

    def _accept(self) -> Ask:
        offer = self._offer
        written: dict[str, Any] = {
            "v": 1,
            "kind": ACCEPT,
            "key": f"{self._key}-{self._elsewhere:d}",
            "patient": offer.head.patient,
            "data": {"offer": offer.offer},
            **self.circumstances(),
        }
        if self._elsewhere:
            written["confirm"] = ["offered_elsewhere"]

        def again() -> list[Act]:
            return [self._accept()]

        def done(answers: list[Recorded]) -> list[Act]:
            recorded, words = answers[0], self.desk.words
            if recorded.error == "confirm_needed" and recorded.confirm == "offered_elsewhere":
                self._elsewhere = True
                return [Say(words("offers.elsewhere"), "warn", bell=True)]
            return _answered(self.desk, offer, answers, "offers.accepted", again)

        return Ask(lambda node: node.record([written]), done)


class DeclinePage(FieldsPage):
    """Why an offer is turned down, or taken back."""

    name: ClassVar[str] = "decline"
    title: ClassVar[str] = "offers.why_not"

    def __init__(self, desk: Desk, offer: OfferLine, stated: dict[str, Any]) -> None:
        reason = Field(
            "reason", "offers.reason", required=True, hint="offers.reason_hint",
            chars_max=REASON_CHARS_MAX,
        )  # fmt: skip
        super().__init__(desk, (reason,))
        self._offer, self._stated = offer, stated
        self._key = desk.new_key()

    def explained(self) -> str:
        """Say of whom, and what follows."""
        words = self.desk.words
        key = "offers.back_means" if self._offer.from_here else "offers.decline_means"
        return f"{short_identity(words, self._offer.head)}. {words(key)}"

    def done(self, answers: dict[str, Answer]) -> list[Act]:
        """Write it."""
        written = {
            "v": 1,
            "kind": DECLINE,
            "key": self._key,
            "patient": self._offer.head.patient,
            "data": {"answers": self._offer.offer},
            "reason": answers["reason"].text,
            **self._stated,
        }

        def again() -> list[Act]:
            return self.done(answers)

        def came(answers: list[Recorded]) -> list[Act]:
            said = "offers.taken_back" if self._offer.from_here else "offers.declined"
            return _answered(self.desk, self._offer, answers, said, again)

        return [Ask(lambda node: node.record([written]), came)]


def _answered(
    desk: Desk, offer: OfferLine, answers: list[Recorded], said: str, again: Any
) -> list[Act]:
    words, recorded = desk.words, answers[0]
    if gated := gate_of(desk, recorded, offer.head.patient, again):
        return gated
    if not recorded.ok:
        return [Say(code_sentence(words, recorded.error or ""), "bad", bell=True)]
    label = f"{words(said)} {cut(short_identity(words, offer.head), 50)}"
    facts = recorded.facts or tuple(part for part in (recorded.id,) if part)
    desk.saved(Save(label, facts, desk.now_ms, offer.head.patient))
    return [said_after(desk, answers, label), Back()]


def _whose(row: OfferLine) -> str:
    if row.to_us:
        return "offers.to_us"
    return "offers.from_here" if row.from_here else "offers.others"
