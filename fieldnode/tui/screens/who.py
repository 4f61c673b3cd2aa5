"""Who am I: the person here, their licence, this device, and what may be written."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import ClassVar

from fieldnode.tui.acts import Act, Ask, Back, Open, Say
from fieldnode.tui.cores.display import Line, Size, Span, fit, line, wrap
from fieldnode.tui.cores.keys import fold_digit, is_text
from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Action, Hint, Page
from fieldnode.tui.wording import error
from protocols.errors import FieldmeshError
from protocols.live.api import Me
from protocols.records.display import clean_text

LABEL_CELLS = 22
SECRET_CHARS_MAX = 256
SHOWN_STARS_MAX = 32


class WhoPage(Page):
    """Everything a person may want to check about themselves here."""

    name: ClassVar[str] = "who"

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._me: Me | None = None

    @property
    def actions(self) -> tuple[Action, ...]:  # type: ignore[override]
        """A PIN is set by whoever is here."""
        return (Action("p", "1", "who.set_pin"),) if self._me and self._me.id else ()

    def opened(self) -> list[Act]:
        """Ask; keys wait."""

        def came(me: Me) -> list[Act]:
            self._me = me
            return []

        return [Ask(lambda node: node.whoami(), came)]

    def resumed(self) -> list[Act]:
        """Ask again."""
        return self.opened()

    def key(self, key: str) -> list[Act]:
        """Set a PIN, or leave."""
        if self._me is not None and self.action(key) == "p":
            return [Open(PinPage(self.desk, self._me))]
        return super().key(key)

    def draw(self, size: Size) -> list[Line]:
        """Draw what is known, a row each; then what may not be written, and why."""
        words, me = self.desk.words, self._me
        rows: list[Line] = [line(" ", Span(words("who.title"), "title")), ()]
        if me is None:
            return rows
        nobody = words("head.nobody")
        rows.append(self._row("who.person", clean_text(f"{me.name} {me.profession}") or nobody))
        if me.id:
            licence = clean_text(f"{me.licence} {me.authority}") or words("who.none")
            rows += [
                self._row("who.licence", licence),
                self._row("who.licence_until", self._day(me.licence_until_ms), me.licence_until_ms),
                self._row("who.practice", clean_text(me.practice) or words("who.as_role")),
                self._row("who.recognised", clean_text(me.recognised_by) or words("who.not_yet")),
                self._row("who.id", clean_text(me.id)[:20]),
            ]
        rows += [
            self._row("who.certificate", self._day(me.certificate_until_ms)),
            self._row("who.org", clean_text(me.org)),
            self._row("who.roles", clean_text(", ".join(me.roles))),
            self._row("who.device", clean_text(f"{me.device_name}  {me.device[:20]}")),
            (),
        ]
        return [*rows, *self._may(me, size)][: size.height]

    def _row(self, key: str, text: str, until_ms: int = 0) -> Line:
        role = "bad" if 0 < until_ms < self.desk.now_ms else "plain"
        label = fit(self.desk.words(key), LABEL_CELLS)
        return line(" ", Span(label, "label"), Span(" "), Span(text, role))

    def _may(self, me: Me, size: Size) -> list[Line]:
        words = self.desk.words
        groups = (
            ("who.may", [one for one in me.may if not one.reason]),
            ("who.with_reason", [one for one in me.may if one.reason and one.overridable]),
            ("who.may_not", [one for one in me.may if one.reason and not one.overridable]),
        )
        rows: list[Line] = []
        for key, several in groups:
            if several:
                text = f"{words(key)}: {', '.join(words(f'kind.{one.kind}') for one in several)}"
                rows += [line(" ", part) for part in wrap(text, size.width - 2)]
        return rows

    def _day(self, at_ms: int) -> str:
        if not at_ms:
            return self.desk.words("who.open")
        try:
            return datetime.fromtimestamp(at_ms / 1000, UTC).date().isoformat()
        except (OverflowError, ValueError, OSError):
            return "?"


class PinPage(Page):
    """Passphrase, new PIN, and the PIN again; nothing of it is shown."""

    name: ClassVar[str] = "pin"
    scans: ClassVar[bool] = False
    STEPS: ClassVar[tuple[str, ...]] = ("pin.passphrase", "pin.new", "pin.again")

    def __init__(self, desk: Desk, me: Me) -> None:
        super().__init__(desk)
        self._me = me
        self._given: list[str] = []
        self._typed = ""

    def key(self, key: str) -> list[Act]:
        """Type; Enter goes on to the next step."""
        if key == "escape":
            return [Back()]
        if key == "backspace":
            self._typed = self._typed[:-1]
        elif key == "enter":
            return self._next() if self._typed else []
        elif is_text(key) and len(self._typed) < SECRET_CHARS_MAX:
            self._typed += fold_digit(key) if self._given else key
        return []

    def _next(self) -> list[Act]:
        self._given.append(self._typed)
        self._typed = ""
        if len(self._given) < len(self.STEPS):
            return []
        passphrase, pin, again = self._given
        if pin != again:
            self._given = [passphrase]
            return [Say(self.desk.words("pin.differ"), "warn", bell=True)]
        person = self._me.id
        done: list[Act] = [Back(), Say(self.desk.words("pin.set"), "good")]
        return [Ask(lambda n: n.person_pin(person, passphrase, pin), lambda _: done, self._refused)]

    def _refused(self, failure: FieldmeshError) -> list[Act]:
        words, again = self.desk.words, failure.code.startswith("pin_")
        self._given = self._given[:1] if again else []
        wait_s = failure.values.get("wait_s")
        said = error(words, failure)
        if isinstance(wait_s, int):
            said = words.count("lock.wait", wait_s)
        return [Say(said, "bad", bell=True)]

    def draw(self, size: Size) -> list[Line]:
        """Draw the steps, a star a character."""
        words = self.desk.words
        rows: list[Line] = [line(" ", Span(words("pin.title"), "title")), ()]
        for at, step in enumerate(self.STEPS[: len(self._given) + 1]):
            typed = self._given[at] if at < len(self._given) else self._typed
            label = line("   ", Span(fit(words(step), LABEL_CELLS), "label"), Span(" [ "))
            stars = Span("*" * min(len(typed), SHOWN_STARS_MAX), "open")
            cursor = (Span(" ", "cursor"),) if at == len(self._given) else ()
            rows.append((*label, stars, *cursor, Span(" ]")))
        rows.append(())
        return [
            *rows,
            *(line("   ", part) for part in wrap(words("pin.explained"), size.width - 6)),
        ]

    def hints(self) -> list[Hint]:
        """What Enter does."""
        return [Hint(self.desk.words("keys.enter"), self.desk.words("keys.next_or_done"))]
