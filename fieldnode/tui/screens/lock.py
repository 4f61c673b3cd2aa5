"""F9: no patient's name on the screen until somebody signs in; the node goes on working."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from fieldnode.tui.acts import Act, Ask, Back, Fresh, Open, Say
from fieldnode.tui.cores.display import Line, Size, Span, fit, line
from fieldnode.tui.cores.signin import Choice, SignIn, Try
from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Hint, Page
from fieldnode.tui.screens.mass import MassPage
from fieldnode.tui.wording import clock, error
from protocols.errors import FieldmeshError
from protocols.live.api import Me, PersonLine, Unconfirmed
from protocols.records.display import clean_text

SHOWN_STARS_MAX = 32
NAME_CELLS = 28
PROFESSION_CELLS = 16
AROUND_ROWS = 10
"""Rows beside the list of people."""


class LockPage(Page):
    """Lists the persons of this device and takes a PIN or a passphrase, and nothing else."""

    name: ClassVar[str] = "lock"
    scans: ClassVar[bool] = False

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.core = SignIn()
        self._people: dict[int, PersonLine] = {}
        self._since_ms = desk.now_ms
        self._unconfirmed = 0
        """Triage that waits for a person to stand by it: a number, nothing of whom."""
        self._before = desk.greeting.person_id
        """Who was here: the same person goes on where they were, another begins anew."""

    def opened(self) -> list[Act]:
        """End the person's session; the screen is blank whether or not the node hears of it."""
        self.desk.greeting = msgspec.structs.replace(
            self.desk.greeting, person="", person_id="", locked=True
        )
        locking = Ask(lambda node: node.lock(), _nothing, _nothing, holds=False)
        return [Say(""), locking, self._ask_people()]

    def resumed(self) -> list[Act]:
        """Come back from triage."""
        self.core.back()
        return [Say(""), self._ask_people()]

    def key(self, key: str) -> list[Act]:
        """Choose, type, and Enter asks the node. Triage goes on without anybody (SAFETY 20)."""
        if key == "f2":
            self.core.back()
            return [Open(MassPage(self.desk))]
        tried = self.core.key(key)
        return [] if tried is None else [self._ask(tried)]

    @property
    def asks_secret(self) -> bool:
        """Whether a PIN or a passphrase is asked, and not who it is."""
        return self.core.chosen is not None

    def prompt(self) -> str:
        """Return what is asked."""
        words, chosen = self.desk.words, self.core.chosen
        if chosen is None:
            return words("lock.who")
        if not chosen.id:
            return words("lock.passphrase")
        who = self._name(self._people[chosen.number]) if chosen.number in self._people else "?"
        return words("lock.pin_of" if self.core.by_pin else "lock.passphrase_of", who=who)

    def draw(self, size: Size) -> list[Line]:
        """Draw since when, who may come in, and a star a character."""
        words, desk = self.desk.words, self.desk
        at = clock(self._since_ms, desk.now_ms, desk.zone)
        stars = "*" * min(len(self.core.secret), SHOWN_STARS_MAX)
        rows: list[Line] = [(), line("   ", Span(words("lock.title", at=at), "title")), ()]
        rows += self._list(max(size.height - AROUND_ROWS, 1))
        prompt = line("   ", Span(self.prompt(), "label"), Span(" [ "))
        rows.append((*prompt, Span(stars, "open"), Span(" ", "cursor"), Span(" ]")))
        rows += [(), line("   ", words("lock.explained"))]
        if self._unconfirmed:
            rows += [line("   ", words.count("lock.unconfirmed", self._unconfirmed))]
        if desk.drafts:
            rows += [(), line("   ", words.count("lock.drafts", len(desk.drafts)))]
        return rows

    def hints(self) -> list[Hint]:
        """Say what the keys do."""
        words, core = self.desk.words, self.core
        found = [Hint("F2", words("lock.triage"))]
        if core.chosen is None:
            return [Hint("0-9", words("lock.choose")), *found]
        found.insert(0, Hint(words("keys.enter"), words("lock.unlock")))
        if core.chosen.has_pin:
            other = "lock.use_passphrase" if core.by_pin else "lock.use_pin"
            found.append(Hint("Tab", words(other)))
        if core.choices:
            found.append(Hint(words("keys.escape"), words("lock.another"), stays=True))
        return found

    def _list(self, room: int) -> list[Line]:
        """Return the lines of those who may come in, as many as fit around the marked one."""
        if not self.core.choices:
            return []
        words, marked = self.desk.words, self.core.at
        rows: list[Line] = [
            self._row(at == marked, str(one.number), self._people[one.number])
            for at, one in enumerate(self.core.choices)
            if one.number in self._people
        ]
        own = f"0  {words('lock.device')}"
        rows.append(line("   ", Span(("> " if marked == len(self.core.choices) else "  ") + own)))
        top = max(0, min(marked - room // 2, len(rows) - room))
        return [*rows[top : top + room], ()]

    def _row(self, marked: bool, number: str, one: PersonLine) -> Line:
        words = self.desk.words
        state = words("lock.has_pin" if one.pin else "lock.has_passphrase")
        if not one.certified:
            state = words("lock.not_certified")
        elif one.wait_s:
            state = words.count("lock.waits", one.wait_s)
        elif one.licence_ended:
            state = f"{state}  {words('lock.licence_ended')}"
        name = fit(self._name(one), NAME_CELLS)
        profession = fit(clean_text(one.profession), PROFESSION_CELLS)
        mark = "> " if marked else "  "
        return line("   ", Span(mark), Span(number, "key"), f"  {name} {profession} {state}")

    def _name(self, one: PersonLine) -> str:
        return clean_text(one.name) or clean_text(one.id)[:12]

    def _ask_people(self) -> Ask:
        def came(people: list[PersonLine]) -> list[Act]:
            self._people = {one.number: one for one in people}
            self.core.take([Choice(one.number, one.id, has_pin=one.pin) for one in people])
            return [Ask(lambda node: node.unconfirmed(0), counted, _nothing, holds=False)]

        def counted(found: Unconfirmed) -> list[Act]:
            self._unconfirmed = found.total if self._people else 0
            return []

        # Keys wait for it: a digit must not become the first sign of a passphrase.
        return Ask(lambda node: node.people(), came, _nothing, drops=False)

    def _ask(self, tried: Try) -> Ask:
        if not tried.id:
            return Ask(lambda node: node.unlock(tried.secret), self._answered, self._refused)
        secret = {"pin" if tried.by_pin else "passphrase": tried.secret}
        return Ask(
            lambda node: node.login(tried.id, **secret),
            self._came,
            self._refused,
        )

    def _came(self, me: Me) -> list[Act]:
        """Somebody is here."""
        self.desk.greeting = msgspec.structs.replace(
            self.desk.greeting,
            person=me.name,
            person_id=me.id,
            locked=False,
            gated=any(one.reason for one in me.may),
        )
        again = me.id == self._before
        return [Back() if again else Fresh(), Say(self._welcome(me), "good")]

    def _welcome(self, me: Me) -> str:
        words = self.desk.words
        said = words("lock.welcome", who=clean_text(f"{me.name} {me.profession}"))
        until, now_ms = me.licence_until_ms, self.desk.now_ms
        return f"{said}  {words('error.licence_ended')}" if 0 < until < now_ms else said

    def _answered(self, opened: bool) -> list[Act]:
        if opened:
            self.desk.greeting = msgspec.structs.replace(self.desk.greeting, locked=False)
            # The device's passphrase says nothing of who typed it: it may be another hand.
            return [Fresh(), Say("")]
        return [Say(self.desk.words("lock.wrong"), "bad", bell=True)]

    def _refused(self, failure: FieldmeshError) -> list[Act]:
        words = self.desk.words
        self.core.refused(by_pin=failure.code != "no_pin")
        wait_s = failure.values.get("wait_s")
        if failure.code == "too_many_tries" and isinstance(wait_s, int):
            return [Say(words.count("lock.wait", wait_s), "bad", bell=True)]
        return [Say(error(words, failure), "bad", bell=True)]


def _nothing(_result: object) -> list[Act]:
    return []
