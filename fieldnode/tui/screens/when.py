"""Ctrl+T in every form: when it happened and who did it, if not now and by whoever types."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from fieldnode.tui.acts import Act, Back, Say
from fieldnode.tui.cores.display import Line, Size
from fieldnode.tui.cores.fields import Answer, Choice, Coded, Date, Field, Reason, Time
from fieldnode.tui.desk import Desk
from fieldnode.tui.occasion import DAY_CHARS, Occasion, is_ahead, today
from fieldnode.tui.screens.fields_page import FieldsPage
from fieldnode.tui.wording import identity
from protocols.live.api import BoardLine

WHEN_KEY = "ctrl+t"

BY_CHARS_MAX = 60

EXACT = (Choice("1", "exact", "when.exact", "E"), Choice("2", "about", "when.about", "A"))


class WhenPage(FieldsPage):
    """Day, time, how sure, and who. In paper mode the day is needed and the last one offered."""

    name: ClassVar[str] = "when"
    title: ClassVar[str] = "when.title"
    head: BoardLine | None = None
    """Whom the form is about, where that is known: said here too (SAFETY 18)."""

    def __init__(
        self, desk: Desk, before: Occasion | None, take: Callable[[Occasion], list[Act]]
    ) -> None:
        """Start from what was stated before, or from the last paper record.

        Args:
            desk: Shared by all pages.
            before: What the form holds already; None when nothing was stated.
            take: Goes on with what was stated.
        """
        super().__init__(desk, _fields(paper=desk.paper))
        self._take = take
        known = before or (desk.last_paper if desk.paper else None)
        if known is not None:
            self.form.fill_all(
                {
                    "day": known.day,
                    "time": known.time,
                    "exact": "2" if known.about else "1" if known.time else "",
                    "by": known.by,
                }
            )

    def done(self, answers: dict[str, Answer]) -> list[Act]:
        """Hand it to the form."""
        words, desk = self.desk.words, self.desk
        given = {name: answer.text for name, answer in answers.items()}
        day, time = given.get("day", ""), given.get("time", "")
        if time and not day:
            day = today(desk.now_ms, desk.zone)
            if is_ahead(day, time, desk.now_ms, desk.zone):
                self.form.refuse("day", Reason("when.not_yet", (("time", time),)))
                return [Say("", bell=True)]
        if time and len(day) < DAY_CHARS:
            self.form.refuse("day", Reason("when.time_needs_day"))
            return [Say("", bell=True)]
        about = given.get("exact") == "about" and bool(time)
        stated = Occasion(day, time, about, given.get("by", ""), paper=desk.paper)
        if desk.paper:
            desk.last_paper = stated
        return [Back(), Say(words("when.set")), *self._take(stated)]

    def draw(self, size: Size) -> list[Line]:
        """Draw the fields below who it is about."""
        if self.head is None:
            return super().draw(size)
        who = identity(self.desk.words, self.head)
        return [who, *super().draw(Size(size.width, size.height - 1))]

    def explained(self) -> str:
        """Say what stands when nothing is typed."""
        return self.desk.words("when.explained_paper" if self.desk.paper else "when.explained")


def _fields(*, paper: bool) -> tuple[Field, ...]:
    day_hint = "when.paper_day_hint" if paper else "when.day_hint"
    return (
        Date("day", "when.day", required=paper, hint=day_hint),
        Time("time", "when.time", hint="when.time_hint"),
        Coded("exact", "when.how", choices=EXACT),
        Field("by", "when.by", hint="when.by_hint", chars_max=BY_CHARS_MAX),
    )
