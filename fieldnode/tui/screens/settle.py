"""Settling what people wrote apart: every value with whose it is; a person says which one holds."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, ClassVar

from fieldnode.text.catalogue import Catalogue
from fieldnode.tui.acts import Act, Ask, Back, Say
from fieldnode.tui.cores.display import Line, Size, Span, cut, fill, line, wrap
from fieldnode.tui.cores.list import ListCore
from fieldnode.tui.cores.scan import Scan
from fieldnode.tui.desk import Desk, Save
from fieldnode.tui.page import Action, Hint
from fieldnode.tui.screens.gate import ask_gate, gate_of, said_after
from fieldnode.tui.screens.stating import StatingPage
from fieldnode.tui.wording import clock, code_sentence, identity, short_identity, value_text
from protocols.live.api import Recorded
from protocols.live.dispute import Dispute, DisputeSide
from protocols.records.display import clean_text

KIND = "conflict.settle"
WRITTEN_AS = {
    "allergy": "allergy.record",
    "custody": "transfer.decline",
    "weight": "entry.retract",
    "order": "order.stop",
    "dose": "entry.retract",
    "condition": "condition.record",
    "outcome": "encounter.close",
}
"""Which kind settles each family; an attribute is settled by `KIND` itself."""

SIDE_ROWS = 3
"""A value, whose it is, and whom its writer had seen."""


class SettlePage(StatingPage):
    """All values that disagree; Enter keeps the selected one."""

    name: ClassVar[str] = "settle"

    def __init__(self, desk: Desk, dispute: Dispute) -> None:
        super().__init__(desk)
        self._dispute = dispute
        self._rows: ListCore[DisputeSide] = ListCore(lambda side: side.fact)
        self._rows.take_all(dispute.sides)
        self._key = desk.new_key()
        self._asked: tuple[str, str] | None = None
        """The side, and the warning the node asked about."""

    @property
    def actions(self) -> tuple[Action, ...]:  # type: ignore[override]
        """Of a dose given twice: that it was two."""
        return (Action("b", "1", "dispute.both"),) if self._twice else ()

    @property
    def _twice(self) -> bool:
        sides = self._dispute.sides
        return self._dispute.what == "dose" and all(side.used for side in sides)

    def opened(self) -> list[Act]:
        """Ask whether whoever is here may settle."""
        kinds = (KIND, *([WRITTEN_AS[self._dispute.what]] if self._is_family else []))
        return [*super().opened(), *ask_gate(self.desk, kinds, self._dispute.head.patient)]

    def key(self, key: str) -> list[Act]:
        """Choose a value, then keep it."""
        if self._rows.key(key):
            self._asked = None
            return []
        if self.action(key) == "b":
            return self.unasked() or [self._both()]
        chosen = self._rows.selected
        if key != "enter" or chosen is None:
            return super().key(key)
        return self.unasked() or [self._keep(chosen)]

    @property
    def question(self) -> Hashable | None:
        """Which of the values holds; asked again, another question."""
        return self._dispute.head.patient, name_of(self._dispute), self._asked

    def answers(self, item: str | Scan) -> bool:
        """Enter keeps the selected value."""
        return item == "enter" or (isinstance(item, str) and bool(self.action(item)))

    def draw(self, size: Size) -> list[Line]:
        """Draw the values with whose they are, and below them what is used and what Enter does."""
        words, found = self.desk.words, self._dispute
        head = [identity(words, found.head), line(" ", Span(about(words, found), "title"))]
        head.append(self.stated(size))
        does = "settles.attribute"
        if self._is_family:
            does = f"settles.{found.what if found.what != 'dose' or self._twice else 'stop'}"
        foot: list[Line] = []
        for key, role in ((f"meanwhile.{found.risk}", "plain"), (does, "dim")):
            if words.has(key):
                foot += [line(" ", Span(part, role)) for part in wrap(words(key), size.width - 2)]
        room = max(size.height - len(head) - len(foot) - 1, SIDE_ROWS)
        self._rows.resize(room // SIDE_ROWS)
        rows = [row for at, side in self._rows.visible() if side for row in self._side(at, side)]
        drawn = [fill(row, size.width) if row else row for row in rows]
        return [*head, *drawn, *[()] * (room - len(drawn)), (), *foot][: size.height]

    def hints(self) -> list[Hint]:
        """Say what Enter does."""
        words = self.desk.words
        more = [Hint(f"{one.letter}/{one.digit}", words(one.word)) for one in self.actions]
        return [Hint(words("keys.enter"), words("settle.keep")), *more, *super().hints()]

    @property
    def _is_family(self) -> bool:
        return self._dispute.what in WRITTEN_AS

    def _side(self, at: int, side: DisputeSide) -> list[Line]:
        words, chosen = self.desk.words, at == self._rows.index
        mark = Span(">" if chosen else " ", "select_plain" if chosen else "plain")
        value = side_text(words, self._dispute, side)
        used = words("dispute.used") if side.used else ""
        role = "select_title" if chosen else "title"
        first = line(mark, Span(f" {cut(value, 56)}", role), Span(f"  {used}", "warn"))
        return [
            first,
            line("     ", Span(self._whose(side))),
            line("     ", Span(self._seen(at, side), "dim")),
        ]

    def _whose(self, side: DisputeSide) -> str:
        """Say who, as what, on which device, and both times."""
        desk, words = self.desk, self.desk.words
        roles = ", ".join(clean_text(role) for role in side.roles[:2])
        who = clean_text(side.author, 24) + (f" ({roles})" if roles else "")
        said = words(
            "dispute.whose",
            who=who,
            device=clean_text(side.device, 16),
            at=clock(side.at_ms, desk.now_ms, desk.zone),
            written=clock(side.recorded_ms, desk.now_ms, desk.zone),
        )
        return cut(said, 74)

    def _seen(self, at: int, side: DisputeSide) -> str:
        """Say whether its writer is known to have known of the others."""
        words = self.desk.words
        others = [each for each in range(len(self._dispute.sides)) if each != at]
        if not side.had_seen:
            return words("dispute.seen_none")
        if set(side.had_seen) >= set(others):
            return words("dispute.seen_all")
        return words("dispute.seen_some", n=len(side.had_seen), of=len(others))

    def _keep(self, chosen: DisputeSide) -> Ask:
        found, confirm = self._dispute, []
        if self._asked is not None and self._asked[0] == chosen.fact:
            confirm = [self._asked[1]]
        data = {"attribute": found.what, "keep": chosen.fact}
        written = self._line(KIND, f"{self._rows.index}-{len(confirm)}", data)
        if confirm:
            written["confirm"] = confirm

        def asked(recorded: Recorded) -> None:
            self._asked = (chosen.fact, recorded.confirm or "")

        return self._write(written, asked)

    def _both(self) -> Ask:
        """Say that both doses were given: whoever says so knows of both, and gives none now."""
        data = {"substance": self._dispute.of_what, "status": "not-given"}
        return self._write(self._line("administration.record", "both", data), lambda _: None)

    def _line(self, kind: str, key: str, data: dict[str, Any]) -> dict[str, Any]:
        stay = {"encounter": self._dispute.encounter} if self._dispute.encounter else {}
        both = kind != KIND
        return {
            "v": 1,
            "kind": kind,
            "key": f"{self._key}-{key}",
            "patient": self._dispute.head.patient,
            "data": data,
            "reason": self.desk.words("dispute.reason_both" if both else "dispute.reason"),
            **({} if both else stay),
            **self.circumstances(),
        }

    def _write(self, written: dict[str, Any], asked: Any) -> Ask:
        patient = self._dispute.head.patient

        def again() -> list[Act]:
            return [self._write(written, asked)]

        def done(answers: list[Recorded]) -> list[Act]:
            words, recorded = self.desk.words, answers[0]
            if recorded.ok:
                return self._settled(answers)
            if gated := gate_of(self.desk, recorded, patient, again):
                return gated
            if recorded.error == "confirm_needed" and recorded.confirm:
                asked(recorded)
                key = f"confirm.{recorded.confirm}"
                text = words(key) if words.has(key) else code_sentence(words, recorded.error)
                return [Say(text, "warn", bell=True)]
            return [Say(code_sentence(words, recorded.error or ""), "bad", bell=True)]

        return Ask(lambda node: node.record([written]), done)

    def _settled(self, answers: list[Recorded]) -> list[Act]:
        desk, head = self.desk, self._dispute.head
        facts = answers[0].facts or tuple(part for part in (answers[0].id,) if part)
        label = f"{about(desk.words, self._dispute)} {short_identity(desk.words, head)}"
        desk.saved(Save(label, facts, desk.now_ms, head.patient))
        return [said_after(desk, answers, desk.words("settle.done")), Back()]


def about(words: Catalogue, found: Dispute) -> str:
    """Return what a difference is about, in words: the risk, and of what."""
    of_what = value_text(words, found.of_what) if found.of_what else ""
    for key in (f"about_risk.{found.what}", f"field.{found.what}"):
        if words.has(key):
            return " ".join(part for part in (words(key), of_what) if part)
    return " ".join(part for part in (clean_text(found.what), of_what) if part)


def name_of(found: Dispute) -> str:
    """Return what names a difference among others."""
    return f"{found.head.patient} {found.what} {found.of_what} {found.encounter}"


def side_text(words: Catalogue, found: Dispute, side: DisputeSide) -> str:
    """Return a value in the reader's words."""
    if len(side.parts) == 1 and found.what in ("custody", "dose"):
        said, _, who = side.parts[0].partition(" ")
        key = f"dispute.{said}"
        if words.has(key):
            return words(key, who=clean_text(who))
    return " ".join(value_text(words, part) for part in side.parts)
