"""A form as one state machine: every key in the order it was struck, whatever the screen is doing.

There is one place where a key can land, so a fast hand, a slow board or a busy loop cannot put a
value into another field.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fieldnode.tui.cores.fields import (
    Answer,
    AnswerError,
    Coded,
    Field,
    Reason,
)
from fieldnode.tui.cores.keys import BACK, FORWARD, is_text

_ABSORBED = frozenset({"enter"})
"""Struck by habit after a one-digit answer: taken once, without effect (SAFETY 21)."""


@dataclass(frozen=True, slots=True)
class Step:
    """What one key did."""

    dirty: frozenset[int] = frozenset()
    """Fields whose line looks different now."""
    left: str | None = None
    """Name of a field just answered and left: time for a draft."""
    save: bool = False
    """The form is complete and the person asked to save it."""
    refused: bool = False
    """The key or the answer was not taken; `FormCore.reason` says why, if there is more to say."""
    taken: bool = True
    """False: not a key for a form."""


class FormCore:
    """Fields in order, one of them open."""

    def __init__(
        self,
        fields: Sequence[Field],
        *,
        optional_from: int | None = None,
        hurry: bool = True,
        swift: bool = False,
    ) -> None:
        """Open the first field.

        Args:
            fields: At least one, in the order they are asked.
            optional_from: From this place on, Enter in an empty field saves.
            hurry: Whether an answer of one key moves on by itself.
            swift: Whether Enter straight after the last answer that is needed, or any behind it,
                saves, in place of being absorbed.
        """
        self.fields = tuple(fields)
        self.optional_from = len(self.fields) if optional_from is None else optional_from
        self.place = 0
        """Number of the open field."""
        self.cursor = 0
        """Characters before the cursor in the open field."""
        self.reason: Reason | None = None
        """Why the last key did not do what was asked, until the next key."""
        self.question: int | None = None
        """Number of the question that stands: an answer refused or doubted. Until the next key."""
        self._hurry, self.swift = hurry, swift
        self._texts = [""] * len(self.fields)
        self._confirmed: set[int] = set()
        self._asked: int | None = None
        self._absorb = False
        self._resume = False
        self._questions = 0

    @property
    def open_field(self) -> Field:
        """The field that takes the keys."""
        return self.fields[self.place]

    @property
    def empty(self) -> bool:
        """Whether nothing was answered at all."""
        return not any(self._texts)

    def text(self, place: int) -> str:
        """What was typed into a field."""
        return self._texts[place]

    def answer(self, place: int) -> Answer:
        """What a field says; empty when it says nothing or nothing readable."""
        try:
            found = self.fields[place].read(self._texts[place])
        except AnswerError:
            return Answer()
        return found._replace(unusual=place in self._confirmed)

    def answers(self) -> dict[str, Answer]:
        """All answers given, by field name."""
        found = {field.name: self.answer(place) for place, field in enumerate(self.fields)}
        return {name: answer for name, answer in found.items() if answer}

    def snapshot(self) -> dict[str, str]:
        """What was typed, by field name, for a draft."""
        pairs = zip(self.fields, self._texts, strict=True)
        return {field.name: text for field, text in pairs if text}

    def restore(self, snapshot: Mapping[str, str]) -> None:
        """Put a draft back and open the first field without an answer."""
        self._texts = [snapshot.get(field.name, "") for field in self.fields]
        empty = [place for place, text in enumerate(self._texts) if not text]
        self._open(empty[0] if empty else len(self.fields) - 1)

    def fill_all(self, texts: Mapping[str, str]) -> None:
        """Offer answers to all fields and open the first one."""
        self._texts = [texts.get(field.name, "") for field in self.fields]
        self._open(0)

    def fill(self, name: str, text: str) -> Step:
        """Put a scanned answer into a field and move behind it."""
        place = self.place_of(name)
        self._set(place, text)
        before = self.place
        self._open(min(place + 1, len(self.fields) - 1))
        return Step(dirty=frozenset({place, before, self.place}), left=name)

    def go_to(self, name: str) -> None:
        """Open a field, as after a scan that answered those before it."""
        self._open(self.place_of(name))

    def offer(self, name: str, text: str) -> None:
        """Put an answer into a field that is still empty; whoever types goes on where they are."""
        place = self.place_of(name)
        if not self._texts[place]:
            self._set(place, text)
            self.cursor = len(text) if place == self.place else self.cursor

    def take_back(self, name: str) -> None:
        """Empty a field whose answer was about something else."""
        place = self.place_of(name)
        self._set(place, "")
        self.cursor = 0 if place == self.place else self.cursor

    def replace_field(self, field: Field) -> None:
        """Give a field of the same name other limits, as when the age becomes known."""
        place = self.place_of(field.name)
        self.fields = (*self.fields[:place], field, *self.fields[place + 1 :])

    def place_of(self, name: str) -> int:
        """The number of a field."""
        return next(place for place, field in enumerate(self.fields) if field.name == name)

    def doubt(self, name: str, reason: Reason) -> Step:
        """Open a field again whose answer was left; Enter there goes on to the next."""
        step = self.refuse(name, reason)
        self._resume = False
        return step

    def refuse(self, name: str, reason: Reason) -> Step:
        """Open a field whose answer was refused after saving was asked for; Enter saves again.

        Args:
            name: The field.
            reason: Shown below the form.
        """
        before, place = self.place, self.place_of(name)
        self._open(place)
        self._stand(reason)
        self._asked, self._absorb = None, False
        self._resume = True
        return Step(dirty=frozenset({before, place}), refused=True)

    @property
    def complete(self) -> bool:
        """Whether it could be saved as it is: all that is needed, and nothing to ask about."""
        places = range(len(self.fields))
        return not any(self._objection(place) or self._missing(place) for place in places)

    def leads_to_saving(self, place: int) -> bool:
        """Whether Enter straight after the answer of a field saves; only where that is swift."""
        return self.swift and place + 1 >= self.optional_from

    def absorb_one(self) -> None:
        """Let one Enter that comes next be without effect, as after a save struck twice."""
        self._absorb = True

    def finish(self) -> Step:
        """Save when every answer holds; else open the first that does not."""
        return self._finish(self.place)

    def key(self, key: str) -> Step:
        """Take one key."""
        absorb, self._absorb = self._absorb, False
        asked, self._asked = self._asked, None
        had_reason, self.reason = self.reason, None
        question, self.question = self.question, None
        here = frozenset({self.place})
        if absorb and key in _ABSORBED:
            return Step(dirty=here if had_reason else frozenset())
        if key in FORWARD:
            return self._forward(key, confirmed=asked == self.place)
        if key in BACK:
            return self._back()
        if key in _EDITS:
            return Step(dirty=here, refused=not self._edit(key))
        if is_text(key):
            return self._type(key)
        self._absorb, self._asked, self.reason = absorb, asked, had_reason
        self.question = question
        return Step(taken=False)

    def _type(self, char: str) -> Step:
        place = self.place
        text = self._texts[place]
        if text and (text in self.open_field.absent or self.open_field.is_picked(text)):
            text, self.cursor = "", 0
        whole = self.open_field.alone(text, char)
        if whole is not None:
            return self._answer_alone(whole)
        typed = self.open_field.accept(text, char)
        if not typed:
            self.reason = Reason("form.not_here")
            if isinstance(self.open_field, Coded):
                # The field stays open, and the keys that follow were meant for the next one.
                self._stand(self.reason)
            return Step(dirty=frozenset({place}), refused=True)
        self._set(place, text[: self.cursor] + typed + text[self.cursor :])
        self.cursor += len(typed)
        return Step(dirty=frozenset({place}))

    def _answer_alone(self, whole: str) -> Step:
        place = self.place
        self._set(place, whole)
        self.cursor = len(whole)
        if not self._hurry:
            return Step(dirty=frozenset({place}))
        if place + 1 == len(self.fields):
            return Step(dirty=frozenset({place}), left=self.open_field.name)
        left = self.open_field.name
        self._open(place + 1)
        self._absorb = not self.leads_to_saving(place)
        return Step(dirty=frozenset({place, self.place}), left=left)

    def _forward(self, key: str, *, confirmed: bool) -> Step:
        place, field = self.place, self.open_field
        if confirmed:
            self._confirmed.add(place)
        reason = self._objection(place)
        if reason is not None:
            self._stand(reason)
            self._asked = place if self._doubted(place) else None
            return Step(dirty=frozenset({place}), refused=True)
        typed = self._texts[place]
        self._texts[place] = field.settled(typed, field.read(typed))
        resume, self._resume = self._resume and key == "enter", False
        over = not typed or field.ends(typed)
        last = typed and field.ends(typed) and self.leads_to_saving(place)
        ends = key == "enter" and ((place >= self.optional_from and over) or last)
        if ends or resume or (place + 1 == len(self.fields) and key == "enter"):
            return self._finish(place)
        self._open(min(place + 1, len(self.fields) - 1))
        return Step(dirty=frozenset({place, self.place}), left=field.name)

    def _finish(self, place: int) -> Step:
        """Save when every answer holds; else open the first that does not, and save after it."""
        for other in range(len(self.fields)):
            reason = self._objection(other) or self._missing(other)
            if reason is not None:
                self._open(other)
                self._stand(reason)
                self._asked = other if self._doubted(other) else None
                self._resume = True
                return Step(dirty=frozenset({place, other}), refused=True)
        return Step(dirty=frozenset({place}), left=self.fields[place].name, save=True)

    def _back(self) -> Step:
        before = self.place
        self._open(max(before - 1, 0))
        return Step(dirty=frozenset({before, self.place}), left=self.fields[before].name)

    def _edit(self, key: str) -> bool:
        """Move the cursor or take a character out; return whether there was something to do."""
        text, at = self._texts[self.place], self.cursor
        if self.open_field.is_picked(text):
            # Nobody typed these letters: they go together or stay.
            if key in ("backspace", "delete"):
                self._set(self.place, "")
                self.cursor = 0
            return key in ("backspace", "delete")
        match key:
            case "backspace" if at > 0:
                self._set(self.place, text[: at - 1] + text[at:])
                self.cursor = at - 1
            case "delete" if at < len(text):
                self._set(self.place, text[:at] + text[at + 1 :])
            case "left" if at > 0:
                self.cursor = at - 1
            case "right" if at < len(text):
                self.cursor = at + 1
            case "home":
                self.cursor = 0
            case "end":
                self.cursor = len(text)
            case _:
                return False
        return True

    def _objection(self, place: int) -> Reason | None:
        """Why the typed text cannot stand as it is."""
        try:
            answer = self.fields[place].read(self._texts[place])
        except AnswerError as refused:
            return refused.reason
        return None if place in self._confirmed else self.fields[place].unusual(answer)

    def _doubted(self, place: int) -> bool:
        """Whether the objection is one that a second Enter settles."""
        try:
            answer = self.fields[place].read(self._texts[place])
        except AnswerError:
            return False
        return bool(answer) and self.fields[place].unusual(answer) is not None

    def _missing(self, place: int) -> Reason | None:
        needed = self.fields[place].required and not self._texts[place]
        return Reason("form.required") if needed else None

    def _stand(self, reason: Reason) -> None:
        """Stop at a question: nothing struck before it was seen is an answer."""
        self.reason = reason
        self._questions += 1
        self.question = self._questions

    def _set(self, place: int, text: str) -> None:
        self._texts[place] = text
        self._confirmed.discard(place)

    def _open(self, place: int) -> None:
        self.place = place
        self.cursor = len(self._texts[place])


_EDITS = frozenset({"backspace", "delete", "left", "right", "home", "end"})
