"""A few fields that are no record: when something happened, what time it is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Sequence
from typing import ClassVar

from fieldnode.tui.acts import Act, Back, Say
from fieldnode.tui.cores.display import Line, Size, Span, line, wrap
from fieldnode.tui.cores.fields import Answer, Field
from fieldnode.tui.cores.form import FormCore
from fieldnode.tui.cores.scan import Scan
from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Hint, Page
from fieldnode.tui.widgets.form_view import draw_form


class FieldsPage(Page, ABC):
    """Fields in order; Enter in the last one is done. Escape leaves things as they were."""

    title: ClassVar[str] = ""
    """Catalogue key."""
    subject: ClassVar[str] = ""
    """Line mode tells one form from another by title and subject."""

    def __init__(self, desk: Desk, fields: Sequence[Field]) -> None:
        super().__init__(desk)
        self.form = FormCore(fields)

    @abstractmethod
    def done(self, answers: dict[str, Answer]) -> list[Act]:
        """Go on with what was answered; or refuse a field of the form and ring."""

    @abstractmethod
    def explained(self) -> str:
        """Say what is asked for, in a sentence or two."""

    def key(self, key: str) -> list[Act]:
        """Take one key."""
        if key == "escape":
            return [Back()]
        step = self.form.key(key)
        if step.save:
            return self.done(self.form.answers())
        rings = step.refused and self.form.reason is None
        return [Say("", bell=True)] if rings else []

    @property
    def question(self) -> Hashable | None:
        """An answer that was refused, or is doubted."""
        return self.form.question

    def scan(self, _scan: Scan) -> list[Act]:
        """A code says nothing here."""
        return [Say(self.desk.words("scan.not_here"), "warn", bell=True)]

    def draw(self, size: Size) -> list[Line]:
        """Draw the title, what is asked for, and the fields."""
        words = self.desk.words
        said = [line(" ", part) for part in wrap(self.explained(), size.width - 2)]
        top = [line(" ", Span(words(self.title), "title")), *said, ()]
        return [*top, *draw_form(self.form, words, Size(size.width, size.height - len(top)))]

    def hints(self) -> list[Hint]:
        """Return what Enter and the arrows do."""
        words = self.desk.words
        return [
            Hint(words("keys.enter"), words("keys.next_or_done")),
            Hint("↑", words("keys.previous")),
        ]
