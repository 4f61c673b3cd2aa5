"""Lots held back in a store: asked once with their names, or done with one key for a recall."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, ClassVar

from fieldnode.tui.acts import Act, Ask, Back, Open, Say
from fieldnode.tui.cores.display import Line, Size, Span, line, wrap
from fieldnode.tui.cores.scan import Scan
from fieldnode.tui.desk import Desk, Save
from fieldnode.tui.page import Hint
from fieldnode.tui.screens.gate import ask_gate, gate_of, said_after
from fieldnode.tui.screens.stating import StatingPage
from fieldnode.tui.wording import code_sentence
from protocols.live.api import Recorded

KIND = "lot.quarantine"
ONCE_MAX = 16
"""Lots written together: as many as one commit takes. More go one after the other."""

Lot = tuple[str, str, str]
"""Id of the store, code of the item, lot."""


def hold_back(
    desk: Desk,
    lots: Sequence[Lot],
    why: str,
    label: str,
    then: Callable[[], list[Act]],
    stated: dict[str, Any] | None = None,
) -> Ask:
    """Hold lots back; F8 takes all of them back at once.

    Args:
        desk: Shared by all pages.
        lots: At least one.
        why: One of `lots.REASONS`, as the node knows them.
        label: What was done, as F8 names it.
        then: What follows once it is durable.
        stated: When it happened and who did it; None: now, by whoever is here.
    """
    lines = [
        {
            "v": 1,
            "kind": KIND,
            "key": desk.new_key(),
            "store": store,
            "data": {"item": item, "lot": lot, "why": why},
            **(stated or {}),
        }
        for store, item, lot in lots
    ]

    def written() -> Ask:
        together = 1 < len(lines) <= ONCE_MAX
        return Ask(lambda node: node.record(lines, together=together), done)

    def done(answers: list[Recorded]) -> list[Act]:
        words = desk.words
        refused = [one for one in answers if not one.ok and one.error != "not_together"]
        for one in refused:
            if gated := gate_of(desk, one, "", lambda: [written()]):
                return gated
        facts = tuple(fact for one in answers for fact in one.facts)
        if facts:
            desk.saved(Save(label, facts, desk.now_ms))
        if refused:
            sentence = code_sentence(words, refused[0].error or "")
            return [Say(sentence, "bad", bell=True), *then()]
        return [said_after(desk, answers, words("hold.done", what=label)), *then()]

    return written()


class HoldBackPage(StatingPage):
    """Names the lots and asks once; Enter holds all of them back."""

    name: ClassVar[str] = "hold_back"

    def __init__(self, desk: Desk, lots: Sequence[Lot], named: Sequence[str], where: str) -> None:
        """Say what would be held back.

        Args:
            desk: Shared by all pages.
            lots: At least one.
            named: The same in words, one line each.
            where: The unit and its store.
        """
        super().__init__(desk)
        self._lots, self._named, self._where = tuple(lots), tuple(named), where

    def opened(self) -> list[Act]:
        """Ask whether whoever is here may do it."""
        return [*super().opened(), *ask_gate(self.desk, (KIND,), "")]

    def key(self, key: str) -> list[Act]:
        """Enter does it; Escape leaves all as it was."""
        if key != "enter":
            return super().key(key)
        label = self.desk.words("hold.label", n=len(self._lots), where=self._where)
        ask = hold_back(
            self.desk, self._lots, "excursion", label, lambda: [Back()], self.circumstances()
        )
        return self.unasked() or [ask]

    @property
    def question(self) -> Hashable | None:
        """Whether to hold back what is named."""
        return self._lots

    def answers(self, item: str | Scan) -> bool:
        """Enter."""
        return item == "enter"

    def draw(self, size: Size) -> list[Line]:
        """Draw what is asked, then every lot, as many as fit."""
        words = self.desk.words
        rows: list[Line] = [line(" ", Span(words("hold.title"), "title")), self.stated(size), ()]
        asked = words("hold.asks", n=len(self._lots), where=self._where)
        rows += [line("  ", Span(part)) for part in wrap(asked, size.width - 4)]
        room = size.height - len(rows) - 3
        shown = self._named if len(self._named) <= room else self._named[: max(room - 1, 0)]
        rows += [(), *(line("   ", Span(text, "title")) for text in shown)]
        if len(shown) < len(self._named):
            rows.append(line("   ", Span(words("hold.more", n=len(self._named) - len(shown)))))
        return rows

    def hints(self) -> list[Hint]:
        """Say what Enter does."""
        words = self.desk.words
        return [Hint(words("keys.enter"), words("hold.do")), *super().hints()]


def asked(desk: Desk, lots: Sequence[Lot], named: Sequence[str], where: str) -> Open:
    """Return the question whether to hold these lots back."""
    return Open(HoldBackPage(desk, lots, named, where))
