"""Working by a guideline as one state machine: answers and ticks in, records out.

What is asked, computed, due and stopped is the guideline's; here it is only which key does what.
The same keys in the same order always come to the same records.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, NamedTuple

import msgspec

from fieldnode.tui.cores.answering import SKIP, Answering, Heard
from fieldnode.tui.cores.keys import action_key, is_text
from protocols.errors import InputError
from protocols.guidelines.decimals import Decimal, read_decimal
from protocols.guidelines.guideline import Guideline, read_guideline
from protocols.guidelines.questions import (
    Answer,
    Person,
    Question,
    known,
    restored,
    stored,
    take,
)
from protocols.guidelines.running import Course, Progress, StepState, Tick, Weight, run
from protocols.live.guidance import GuidelineSheet, GuidelineVersion, StepTold

DONE = " "
REASON_CHARS_MAX = 120
AMOUNT_CHARS_MAX = 160
AMOUNTS_MAX = 4
"""As a record holds them."""
REASONS = (
    "protocol.reason.stock",
    "protocol.reason.refused",
    "protocol.reason.not_needed",
    "protocol.reason.cannot",
)
"""Why a step is left out, by digit from 1: keys of the catalogue."""
TICKABLE = ("now", "late", "waiting")
"""States of a step that can be ticked; what was done once is ticked again by nobody."""


class Did(Enum):
    """What a key led to."""

    NOTHING = 0
    REFUSED = 1
    """`reason` says why."""
    LEFT = 2
    WRITE = 3
    """`written` holds the record."""
    ANSWERED = 4
    """An answer was given or taken back: the draft changed."""
    TEXT = 5
    """The full text is asked for."""
    GO_ON = 6
    """Another guideline follows: `leads_to`."""


class Written(NamedTuple):
    """A record to write."""

    data: dict[str, Any]
    step: str
    """'' where only answers were judged."""
    reason: str = ""


class Row(NamedTuple):
    """One line of the checklist."""

    id: str
    state: StepState | None
    """None: a step that was ticked and that this version does not have."""
    told: tuple[StepTold, ...]

    @property
    def contradicts(self) -> bool:
        """Whether one did it and another left it out."""
        return len({each.did for each in self.told}) > 1


class ProtocolCore:
    """One guideline on one patient."""

    def __init__(self, sheet: GuidelineSheet, person: Person, now_ms: int) -> None:
        """Begin with the version in use, where the course stands.

        Args:
            sheet: What the node told.
            person: Age and pregnancy, as far as they are known; the sheet's weight is added.
            now_ms: Wall clock.
        """
        self._person = person
        self.typing = Answering()
        self.refused = ""
        """Catalogue key of why the last key did nothing; '' for none."""
        self.why: str | None = None
        """The reason for leaving a step out, while it is typed."""
        self.index = 0
        self.written: Written | None = None
        self.place = 0
        """Of the version that is worked by; the one in use is the first."""
        self._order: list[str] = []
        self._given: dict[str, Answer] = {}
        self._afresh = False
        """Whether what others answered is asked anew."""
        self._anew: int | None = None
        """Number of the course that is being begun anew."""
        self.changed = False
        """Whether something was answered since the last record."""
        self.sheet = sheet
        self.forms: list[Guideline] = []
        self.take(sheet, now_ms)

    def take(self, sheet: GuidelineSheet, now_ms: int) -> None:
        """Take what the node tells now; what was answered and typed here stays."""
        before = self.version.digest if self.forms else ""
        self.sheet = sheet
        self.forms = [_form(one) for one in sheet.versions]
        digests = [one.digest for one in sheet.versions]
        self.place = digests.index(before) if before in digests else 0
        self.now_ms = now_ms
        if self._anew is not None and sheet.course >= self._anew:
            self._anew = None

    # what is shown

    @property
    def form(self) -> Guideline:
        """The version that is worked by."""
        return self.forms[self.place]

    @property
    def version(self) -> GuidelineVersion:
        """The same as it was told."""
        return self.sheet.versions[self.place]

    @property
    def steps(self) -> Sequence[StepTold]:
        """What stands of the course that goes on."""
        return () if self._anew is not None else self.sheet.steps

    @property
    def began_ms(self) -> int:
        """When the course began; now, where nobody has."""
        told = self.sheet.began_ms if self._anew is None else None
        return self.now_ms if told is None else told

    @property
    def answers(self) -> dict[str, Answer]:
        """What was answered: here, else by whoever ticked, where they do not differ."""
        return {**self._inherited(), **self._given}

    @property
    def differing(self) -> tuple[str, ...]:
        """Questions that people answered differently, each last: they are asked anew."""
        last = {step.author: step.answers for step in self.steps}
        return tuple(
            question.id
            for question in self.form.question
            if len({_said(kept, question.id) for kept in last.values() if question.id in kept}) > 1
        )

    @property
    def person(self) -> Person:
        """What is known without asking."""
        told = self.sheet.weight
        return self._person._replace(weight=_decimal(told.kg))

    @property
    def progress(self) -> Progress:
        """Where the guideline stands."""
        chosen = any(question in self._given for question in self._weight_questions())
        told = self.sheet.weight
        weight = Weight(told.estimated and not chosen, bool(told.sides) and not chosen)
        ticks = [Tick(step.step, step.at_ms, _left_out(step)) for step in self.steps if step.step]
        course = Course(ticks, self.began_ms, self.now_ms)
        return run(self.form, self.answers, self.person, weight, course)

    @property
    def asked(self) -> Question | None:
        """The question that is open, if any."""
        progress = self.progress
        if progress.next is not None:
            return progress.next
        differ = any(
            amount.lack == "weights_differ" for step in progress.steps for amount in step.amounts
        )
        # Weights in conflict are asked about like one that is missing (SAFETY 9).
        open_now = (
            question
            for question in self.form.question
            if question.known_from == "weight" and question.id not in self._given
        )
        return next(open_now, None) if differ else None

    @property
    def rows(self) -> list[Row]:
        """The checklist, and at its end what was ticked by another version."""
        progress = self.progress
        told: dict[str, list[StepTold]] = {}
        for step in self.steps:
            if step.step:
                told.setdefault(step.step, []).append(step)
        known_ids = {state.step.id for state in progress.steps}
        rows = [
            Row(state.step.id, state, tuple(told.get(state.step.id, ())))
            for state in progress.steps
        ]
        rest = [
            Row(step, None, tuple(said)) for step, said in told.items() if step not in known_ids
        ]
        return [*rows, *rest]

    @property
    def selected(self) -> Row | None:
        """The marked line."""
        rows = self.rows
        return rows[min(self.index, len(rows) - 1)] if rows else None

    @property
    def leads_to(self) -> str:
        """Name of the guideline that the result leads to; '' for none."""
        result = self.progress.result
        return result.leads_to if result else ""

    @property
    def number(self) -> int:
        """How often it was begun anew."""
        return self.sheet.course if self._anew is None else self._anew

    @property
    def kept(self) -> dict[str, str | int | None]:
        """What was answered here, as a draft keeps it."""
        return stored(self.form.question, self._given)

    def restore(self, kept: Mapping[str, str | int | None]) -> None:
        """Go on with the answers of a draft."""
        self._given = dict(restored(self.form.question, kept))
        self._order, self.changed = list(self._given), True

    def saved(self) -> None:
        """What was answered here stands in the record that was just written."""
        self.written, self.why, self.changed = None, None, False

    def next_open(self) -> None:
        """Mark the first step that is to be done now, else the first that waits."""
        rows = self.rows
        for wanted in (("late", "now"), ("waiting",)):
            for place, row in enumerate(rows):
                if row.state is not None and row.state.state in wanted:
                    self.index = place
                    return

    # keys

    def key(self, key: str) -> Did:
        """Take one key."""
        self.refused = ""
        if self.why is not None:
            return self._reason(self.why, key)
        if key == "escape":
            return Did.LEFT
        if key in ("up", "down"):
            self.index = max(0, min(self.index + (1 if key == "down" else -1), len(self.rows) - 1))
            return Did.NOTHING
        asked = self.asked
        if asked is not None and (done := self._answer(asked, key)) is not None:
            return done
        return self._act(key, asked)

    def _act(self, key: str, asked: Question | None) -> Did:
        struck = action_key(key)
        if struck == "d" or (struck == "3" and asked is None):
            return Did.TEXT
        if struck == "f" or (struck == "4" and asked is None):
            return self._other_version()
        if struck == "a" or (struck == "5" and asked is None) or key == "backspace":
            return self._one_back()
        if struck == "b" or (struck == "6" and asked is None):
            return self._begin_anew()
        if asked is not None:
            return self._refuse("protocol.answer_first")
        if struck == "g" or struck == "7":
            return Did.GO_ON if self.leads_to else self._refuse("protocol.leads_nowhere")
        if key == DONE or struck == "1":
            return self._tick()
        if key == SKIP or struck == "2":
            return self._leave_out()
        if key == "enter":
            return self._judge()
        return Did.NOTHING

    def _tick(self) -> Did:
        state = self._tickable()
        if state is None:
            return Did.REFUSED
        return self._write("done", state.step.id, state)

    def _leave_out(self) -> Did:
        state = self._tickable()
        if state is None:
            return Did.REFUSED
        if not state.step.may_skip:
            return self._refuse("protocol.no_skip")
        self.why = ""
        return Did.NOTHING

    def _tickable(self) -> StepState | None:
        """Return the marked step when it can be ticked; else say why not."""
        row = self.selected
        if row is None or row.state is None:
            self._refuse("protocol.no_step")
        elif row.state.state == "stopped":
            self._refuse("protocol.stopped")
        elif row.state.state == "unknown":
            self._refuse("protocol.unknown")
        elif row.state.state in TICKABLE:
            return row.state
        else:
            self._refuse("protocol.over")
        return None

    def _reason(self, typed: str, key: str) -> Did:
        if key == "escape":
            self.why = None
        elif key == "backspace":
            self.why = typed[:-1]
        elif key == "enter":
            state = self._tickable()
            if state is None:
                self.why = None
                return Did.REFUSED
            if not typed.strip():
                return self._refuse("protocol.reason_needed")
            return self._write("skipped", state.step.id, state, typed.strip())
        elif is_text(key) and len(typed) < REASON_CHARS_MAX:
            self.why = typed + key
        else:
            return self._refuse("")
        return Did.NOTHING

    def _judge(self) -> Did:
        """Write down what the answers came to, where no step says it."""
        progress = self.progress
        found = progress.stop or progress.result
        if found is None:
            return self._refuse("protocol.nothing_to_write")
        last = self.steps[-1] if self.steps else None
        if last is not None and last.result == found.id and not self.changed:
            return self._refuse("protocol.written_already")
        return self._write("judged", None, None)

    def _write(self, did: str, step: str | None, state: StepState | None, why: str = "") -> Did:
        progress = self.progress
        found = progress.stop or progress.result
        shown = [amount.text for amount in state.amounts if amount.text] if state else []
        data: dict[str, Any] = {
            "name": self.sheet.name,
            "version": self.version.version,
            "digest": self.version.digest,
            "did": did,
            "answers": progress.answers,
            "amounts": [text[:AMOUNT_CHARS_MAX] for text in shown[:AMOUNTS_MAX]],
            "course": self.number,
            "approved": bool(self.version.approved_by),
        }
        data |= {"step": step} if step else {}
        data |= {"result": found.id} if found else {}
        self.written = Written(data, step or "", why)
        return Did.WRITE

    def _other_version(self) -> Did:
        if len(self.forms) < 2:
            return self._refuse("protocol.one_version")
        self.place = (self.place + 1) % len(self.forms)
        self.typing.clear()
        self.index = 0
        return Did.NOTHING

    def _begin_anew(self) -> Did:
        if not self.steps:
            return self._refuse("protocol.not_begun")
        self._anew = self.sheet.course + 1
        self._given, self._order = {}, []
        self.typing.clear()
        self.index, self.changed = 0, False
        return Did.ANSWERED

    def _one_back(self) -> Did:
        """Take a typed sign back, else the answer before; else ask anew what others answered."""
        if self.typing.back():
            return Did.NOTHING
        if self._order:
            self._given.pop(self._order.pop(), None)
            self.typing.clear()
            self.changed = True
            return Did.ANSWERED
        if self._afresh or not self._inherited():
            return self._refuse("protocol.no_answer_here")
        self._afresh = True
        return Did.NOTHING

    # answers

    def _answer(self, asked: Question, key: str) -> Did | None:
        """Take a key that answers; None when it does not."""
        found = self.typing.key(asked, key)
        match found:
            case Heard.NOT_MINE:
                return None
            case Heard.GOES_ON:
                return Did.NOTHING
            case Heard.NO_ANSWER:
                return self._refuse("guide.no_answer")
        return self._take(asked, self.typing.given)

    def _take(self, asked: Question, given: object) -> Did:
        try:
            answer = take(asked, given)
        except InputError:
            return self._refuse("form.not_digits")
        self._given[asked.id] = answer
        self._order = [*(each for each in self._order if each != asked.id), asked.id]
        self.typing.clear()
        self.changed = True
        return Did.ANSWERED

    def _refuse(self, reason: str) -> Did:
        self.refused = reason
        return Did.REFUSED

    def _inherited(self) -> dict[str, Answer]:
        """Return what whoever ticked answered, without what is known by now and what differs."""
        kept: dict[str, str | int | None] = {}
        for step in () if self._afresh else self.steps:
            kept |= step.answers
        found = restored(self.form.question, kept)
        leave = {*known(self.form.question, self.person), *self.differing}
        return {name: answer for name, answer in found.items() if name not in leave}

    def _weight_questions(self) -> list[str]:
        return [each.id for each in self.form.question if each.known_from == "weight"]


def _form(version: GuidelineVersion) -> Guideline:
    found = read_guideline(version.text)
    head = msgspec.structs.replace(found.pack, approved_by=version.approved_by)
    return msgspec.structs.replace(found, pack=head)


def _said(answers: Mapping[str, str | int | None], question: str) -> str:
    """Return all that is kept of one question, several choices together."""
    own = {
        name: value
        for name, value in answers.items()
        if name == question or name.startswith(f"{question}.")
    }
    return repr(sorted(own.items()))


def _left_out(step: StepTold) -> str:
    return (step.reason or "?") if step.did == "skipped" else ""


def _decimal(text: str) -> Decimal | None:
    return read_decimal(text, "weight") if text else None
