"""9 at TRIAGE: the questions of a signed pack, one key each, to a category and back to the form."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import lru_cache
from typing import ClassVar

import msgspec

from fieldnode.tui.acts import Act, Back, Say
from fieldnode.tui.cores.display import Line, Size, Span, line, wrap
from fieldnode.tui.cores.guide import SKIP, UNRECORDABLE, Came, GuideCore
from fieldnode.tui.cores.scan import Scan
from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Hint, Page
from fieldnode.tui.wording import identity, triage, unit
from protocols.guidelines.ages import UNKNOWN, AgeSpan
from protocols.guidelines.triage import Ask, Outcome, TriagePack, read_triage
from protocols.guidelines.words import Words, word
from protocols.live.api import BoardLine
from protocols.records.display import clean_text


class GuidePage(Page):
    """Asks until there is a category; Enter takes it into the form."""

    name: ClassVar[str] = "guide"
    head: BoardLine | None = None
    """Whom the questions are about, where that is known: said here too (SAFETY 18)."""

    def __init__(
        self,
        desk: Desk,
        take: Callable[[Outcome], list[Act]],
        pack: TriagePack,
        *,
        age: AgeSpan = UNKNOWN,
        pregnant: bool | None = None,
    ) -> None:
        """Begin with the guide that was used last, or by asking which one.

        Args:
            desk: Shared by all pages.
            take: Goes on, on the form below, with the category.
            pack: The version that this node works by.
            age: As far as the form says.
            pregnant: None when the form does not say.
        """
        super().__init__(desk)
        self.core = GuideCore(pack, desk.guide, age=age, pregnant=pregnant)
        self._take = take

    def key(self, key: str) -> list[Act]:
        """Answer, go back, or take the category."""
        step = self.core.step
        came = self.core.key(key)
        self.desk.guide = self.core.guide.id if self.core.guide else ""
        if came is Came.TAKEN and isinstance(step, Outcome):
            return [Back(), *self._take(step)]
        if came is Came.LEFT:
            return [Back()]
        return [Say("", bell=True)] if came is Came.REFUSED else []

    @property
    def question(self) -> Hashable | None:
        """Whether to take the category; each question before it is answered as it is typed."""
        step = self.core.step
        return (step.algorithm, step.rule.id) if isinstance(step, Outcome) else None

    def answers(self, item: str | Scan) -> bool:
        """Enter takes it."""
        return item == "enter"

    def scan(self, _scan: Scan) -> list[Act]:
        """A code says nothing here."""
        return [Say(self.desk.words("scan.not_here"), "warn", bell=True)]

    def draw(self, size: Size) -> list[Line]:
        """Draw the question with its answers, or the category and why."""
        if self.head is None:
            return self._drawn(size)
        who = identity(self.desk.words, self.head)
        return [who, *self._drawn(Size(size.width, size.height - 1))]

    def _drawn(self, size: Size) -> list[Line]:
        step = self.core.step
        if step is None:
            return self._guides(size)
        rows = self._outcome(step, size) if isinstance(step, Outcome) else self._question(step)
        return rows[: size.height]

    def hints(self) -> list[Hint]:
        """Say what the keys do now."""
        words, step = self.desk.words, self.core.step
        if isinstance(step, Outcome):
            return [
                Hint(words("keys.enter"), words("guide.take")),
                Hint("⌫", words("guide.back")),
            ]
        found = [Hint("⌫", words("guide.back"))] if step is not None else []
        enters = isinstance(step, Ask) and step.question.type in ("number", "several")
        return [Hint(words("keys.enter"), words("guide.next")), *found] if enters else found

    def _guides(self, size: Size) -> list[Line]:
        words = self.desk.words
        rows: list[Line] = [line(" ", Span(words("guide.which"), "title")), ()]
        for number, guide in enumerate(self.core.pack.guide, start=1):
            rows.append(line("   ", Span(str(number), "key"), f"  {self._word(guide.words)}"))
        rows += [(), self._version("  ")]
        said = wrap(words("guide.explained"), size.width - 4)
        return [*rows, (), *(line("  ", Span(part, "dim")) for part in said)]

    def _question(self, step: Ask) -> list[Line]:
        words, core, asked = self.desk.words, self.core, step.question
        which = self._word(step.algorithm.words) if step.algorithm else self._guide_word()
        number = words("guide.number", n=core.asked + 1)
        rows: list[Line] = [
            (*line(" ", Span(which, "label"), Span(f"   {number}   ")), *self._version("")),
            (),
            line("  ", Span(self._word(asked.words), "title")),
            (),
        ]
        match asked.type:
            case "truth":
                rows += [_choice("1", words("value.yes")), _choice("2", words("value.no"))]
            case "number":
                box = (Span(core.typed, "open"), Span(" ", "cursor"))
                rows.append(line("   [ ", *box, Span(f" ] {unit(asked.unit)}")))
            case _:
                for place, one in enumerate(asked.choices):
                    mark = ""
                    if asked.type == "several":
                        mark = "[x] " if one.id in core.marked else "[ ] "
                    rows.append(_choice(core.number_of(place), mark + self._word(one.words)))
        rows += [(), *self._more(asked.type, skip=asked.skip, unfound=asked.unrecordable)]
        if core.reason:
            rows.append(line("  ", Span(f"! {words(core.reason)}", "warn")))
        return rows

    def _more(self, kind: str, *, skip: bool, unfound: bool) -> list[Line]:
        """Return what else answers."""
        words = self.desk.words
        said = [words("guide.several")] if kind == "several" else []
        if skip:
            said.append(" ".join((SKIP, words("guide.skip"))))
        if unfound:
            said.append(" ".join((UNRECORDABLE, words("form.unrecordable"))))
        return [line("  ", Span("   ".join(said), "dim"))] if said else []

    def _outcome(self, step: Outcome, size: Size) -> list[Line]:
        words, pack = self.desk.words, self.core.pack
        algorithm = next(one for one in pack.algorithm if one.id == step.algorithm)
        rows: list[Line] = [
            line(" ", Span(self._word(algorithm.words), "label")),
            (),
            line("  ", triage(words, step.category), Span(f"  {self._word(step.rule.words)}")),
            (),
        ]
        for note in step.rule.notes:
            text = self._word(pack.notes[note])
            rows += [line("  ", part) for part in wrap(text, size.width - 4)]
        if step.left_out:
            rows.append(line("  ", Span(words("guide.left_out", n=len(step.left_out)), "warn")))
        caution = words("guide.status", version=step.version, source=algorithm.source)
        if not step.approved:
            rows.append(line("  ", Span(words("guide.not_approved"), "bad")))
        if step.status == "memory":
            rows.append(line("  ", Span(words("guide.memory"), "bad")))
        said = wrap(caution, size.width - 4)
        return [*rows, (), *(line("  ", Span(part, "dim")) for part in said)]

    def _version(self, before: str) -> Line:
        """Return which version this is, and whether anybody stands by it."""
        words, head = self.desk.words, self.core.pack.pack
        known = Span(f"{before}v{clean_text(head.version)}  ", "dim")
        if head.approved:
            return (known, Span(words("protocols.approved"), "good"))
        return (known, Span(words("protocols.not_approved"), "bad"))

    def _guide_word(self) -> str:
        return self._word(self.core.guide.words) if self.core.guide else ""

    def _word(self, words: Words) -> str:
        return word(words, self.desk.words.languages).text


@lru_cache(4)
def guides_in(text: str, approved_by: str) -> TriagePack:
    """Return the guides of a pack, approved by whoever stands by it.

    Raises:
        SetupError: `bad_pack`.
    """
    found = read_triage(text)
    head = msgspec.structs.replace(found.pack, approved_by=approved_by)
    return msgspec.structs.replace(found, pack=head)


def _choice(number: str, text: str) -> Line:
    return line("   ", Span(number, "key"), f"  {text}")
