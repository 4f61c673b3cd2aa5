"""Somebody begins what they may not write: the reason, who may, and what can be done about it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import ClassVar

from fieldnode.tui.acts import Act, Ask, Back, Open, Say
from fieldnode.tui.cores.display import Line, Size, Span, cells, line, wrap
from fieldnode.tui.cores.keys import is_text
from fieldnode.tui.cores.scan import Scan
from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Action, Hint, Page
from protocols.live.api import Permission, Recorded
from protocols.records.display import clean_text

REASON_CHARS_MAX = 100
"""With the kind in front it fits the trail."""


OVERRIDABLE = ("outside_practice", "licence_ended", "not_recognised", "licence_unknown")
"""Refusals of a save that a reason overrides."""

UNCOUNTED = frozenset({"role_refused", "quarantined"})
"""Warnings that what was saved counts nowhere."""


class GatePage(Page):
    """Asks once. What a role does not allow is kept and counts nowhere; a licence is overridden."""

    name: ClassVar[str] = "gate"

    def __init__(
        self,
        desk: Desk,
        stopped: Sequence[Permission],
        patient: str,
        go_on: Callable[[], list[Act]],
        *,
        opening: bool = True,
    ) -> None:
        """Say what stops these kinds.

        Args:
            desk: Shared by all pages.
            stopped: At least one, each with a reason.
            patient: Whom it is about; '' for a new one.
            go_on: What follows once the page is left for the form.
            opening: Whether the form was just opened: then whoever does not go on leaves it too.
        """
        super().__init__(desk)
        self._stopped = tuple(stopped)
        self._patient = patient
        self._go_on = go_on
        self._opening = opening
        self._typed: str | None = None
        """None until a reason is typed."""

    @property
    def actions(self) -> tuple[Action, ...]:  # type: ignore[override]
        """One thing to do: override, or write what will not count."""
        word = "gate.override" if self._overrides else "gate.uncounted"
        return (Action("o" if self._overrides else "w", "1", word),)

    @property
    def _overrides(self) -> bool:
        return any(one.overridable for one in self._stopped)

    def key(self, key: str) -> list[Act]:
        """Do it, or leave the form too."""
        if self._typed is not None:
            return self._type(self._typed, key)
        if key == "escape":
            return [Back(), Back()] if self._opening else [Back()]
        if not self.action(key):
            return []
        if self._overrides:
            self._typed = ""
            return []
        return [Back(), *self._go_on()]

    def _type(self, typed: str, key: str) -> list[Act]:
        if key == "escape":
            self._typed = None
        elif key == "backspace":
            self._typed = typed[:-1]
        elif key == "enter" and typed.strip():
            return [self._override(typed.strip())]
        elif key == "enter":
            return [Say(self.desk.words("gate.reason_needed"), "warn", bell=True)]
        elif is_text(key) and len(typed) < REASON_CHARS_MAX:
            self._typed = typed + key
        return []

    def _override(self, reason: str) -> Ask:
        kinds = [one.kind for one in self._stopped if one.overridable]
        said = Say(self.desk.words("gate.overridden"), "warn")
        return Ask(
            lambda node: node.override(kinds, reason, self._patient),
            lambda _: [Back(), said, *self._go_on()],
        )

    @property
    def question(self) -> Hashable | None:
        """Whether to go on; what is typed then is no answer to it."""
        reasons = tuple(one.reason for one in self._stopped)
        return (self._patient, reasons) if self._typed is None else None

    def answers(self, item: str | Scan) -> bool:
        """Go on, or leave."""
        return isinstance(item, str) and (item == "escape" or bool(self.action(item)))

    def draw(self, size: Size) -> list[Line]:
        """Draw the reason, who may, and what happens with what is written all the same."""
        words = self.desk.words
        rows: list[Line] = [()]
        for text in dict.fromkeys(words(_WHY[one.reason]) for one in self._stopped):
            rows += _wrapped(text, size, "title")
        rows.append(())
        who = list(dict.fromkeys(clean_text(who) for one in self._stopped for who in one.who))
        if who:
            rows += [*_wrapped(words("gate.who", who=", ".join(who)), size), ()]
        said = "gate.override_explained" if self._overrides else "gate.uncounted_explained"
        rows += [*_wrapped(words(said), size), ()]
        if self._typed is None:
            return rows
        shown = self._typed
        while cells(shown) > size.width - 8:
            shown = shown[1:]
        rows.append(line("   ", Span(words("gate.reason"), "label")))
        rows.append(line("   [ ", Span(shown, "open"), Span(" ", "cursor"), Span(" ]")))
        return rows

    def hints(self) -> list[Hint]:
        """What the keys do."""
        if self._typed is None:
            return super().hints()
        return [Hint(self.desk.words("keys.enter"), self.desk.words("gate.override"))]


def ask_gate(desk: Desk, kinds: Sequence[str], patient: str) -> list[Act]:
    """Ask before a page is used whether whoever is here may write these kinds.

    Asked only where anything stops them at all.
    """
    if not desk.greeting.gated:
        return []

    def came(found: list[Permission]) -> list[Act]:
        return gate(desk, [one for one in found if one.reason], patient, list)

    return [Ask(lambda node: node.may(kinds), came)]


def gate(
    desk: Desk,
    stopped: Sequence[Permission],
    patient: str,
    go_on: Callable[[], list[Act]],
    *,
    opening: bool = True,
) -> list[Act]:
    """Put the question in the way where anything stops whoever is here; see `GatePage`."""
    if not stopped:
        return []
    return [Open(GatePage(desk, stopped, patient, go_on, opening=opening)), Say("", bell=True)]


def gate_of(
    desk: Desk, refused: Recorded, patient: str, go_on: Callable[[], list[Act]]
) -> list[Act]:
    """Put it in the way of a save that a licence refused, as one that ended meanwhile does."""
    if refused.error not in OVERRIDABLE or not refused.kind:
        return []
    stopped = Permission(refused.kind, refused.error, True, refused.allowed)
    return gate(desk, [stopped], patient, go_on, opening=False)


def said_after(desk: Desk, answers: Sequence[Recorded], said: str) -> Say:
    """Say what was saved, or that it is kept and counts nowhere."""
    if any(UNCOUNTED & set(answer.warnings) for answer in answers):
        return Say(desk.words("gate.kept_uncounted"), "warn")
    return Say(said, "good")


_WHY = {
    "role_refused": "gate.why.role",
    "quarantined": "gate.why.sealed",
    "outside_practice": "gate.why.practice",
    "licence_ended": "gate.why.ended",
    "not_recognised": "gate.why.recognised",
    "licence_unknown": "gate.why.unknown",
}


def _wrapped(text: str, size: Size, role: str = "plain") -> list[Line]:
    return [line("   ", Span(part, role)) for part in wrap(text, size.width - 6)]
