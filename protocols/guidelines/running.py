"""Running a guideline: from answers and what was ticked to the state of every step.

Given the same it always returns the same, and it never raises: whatever is lacking, too large or
contradictory is told as a reason, and nothing is computed from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Literal, NamedTuple

from protocols.guidelines.expressions import Call, Inputs, Missing, Node, Type, names
from protocols.guidelines.guideline import Amount, Guideline, Result, Step, Stop
from protocols.guidelines.pack import Status
from protocols.guidelines.questions import (
    Answers,
    Person,
    Question,
    expression,
    inputs,
    known,
    stored,
)
from protocols.guidelines.working import arithmetic, holds, number, number_text

MINUTE_MS = 60_000
LATE_MS = 5 * MINUTE_MS
"""What was due so long ago is late."""

Mark = Literal["estimated", "by_age", "per_day"]
Lack = Literal["", "needs_answer", "left_out", "weights_differ", "out_of_bounds"]
State = Literal["now", "late", "waiting", "done", "skipped", "stopped", "unknown"]


class Weight(NamedTuple):
    """How far the weight can be relied on."""

    estimated: bool = False
    differ: bool = False
    """Weights are in conflict, and none was chosen for this order (SAFETY 9)."""


class Tick(NamedTuple):
    """Somebody did a step, or left it out."""

    step: str
    at_ms: int
    skipped: str = ""
    """The reason; '' = it was done."""


class Course(NamedTuple):
    """How far somebody is with it."""

    ticks: Sequence[Tick] = ()
    """In any order."""
    began_ms: int = 0
    """When the guideline began, Unix milliseconds."""
    now_ms: int = 0
    """Wall clock."""


KNOWN_WEIGHT = Weight()
BEGINNING = Course()


class Computed(NamedTuple):
    """An amount as it can be shown, or why there is none."""

    text: str
    """`30 × 54 = 1 620 mL`; '' when there is none."""
    value: Fraction | None
    value_to: Fraction | None
    """Of a range."""
    unit: str
    marks: tuple[Mark, ...]
    """What has to stand beside it: est., by age, in a day."""
    lack: Lack
    asks: str
    """The question that is not answered, or was left out."""
    status: Status


class StepState(NamedTuple):
    """One step as it is now."""

    step: Step
    state: State
    amounts: tuple[Computed, ...]
    due_ms: int | None
    """When it is due; None while that is not known, or nothing more is."""
    ends_ms: int | None
    """When what was begun is over."""
    done: int
    """How often it was done."""
    skipped: str
    """Why it was left out."""
    status: Status


class Progress(NamedTuple):
    """A guideline on one patient."""

    next: Question | None
    """What has to be asked; None when nothing is."""
    stop: Stop | None
    """Nothing may be done: a clinician decides."""
    result: Result | None
    steps: tuple[StepState, ...]
    """Those that are for this patient, in order."""
    answers: dict[str, str | int | None]
    """As records keep them."""
    name: str
    version: str
    """Stamped on every step that is ticked."""
    approved: bool
    status: Status
    """Of all that is shown."""


def run(
    pack: Guideline,
    answers: Answers,
    person: Person,
    weight: Weight = KNOWN_WEIGHT,
    course: Course = BEGINNING,
) -> Progress:
    """Return where a guideline stands.

    Args:
        pack: As it is in use; `pack.pack.approved` where a clinical lead has signed it.
        answers: Typed so far; they outweigh what is known of the patient.
        person: What is known without asking.
        weight: How far `person.weight`, or the typed one, can be relied on.
        course: What was done and left out, and the time.
    """
    answered = {**known(pack.question, person), **answers}
    given = inputs(pack.question, answered)
    runner = _Runner(pack, given, weight)
    stop = runner.stop()
    result = runner.result() if stop is None else None
    # Before it is known whether to stop, and what it comes to, nothing is computed.
    waits = stop is None and bool(runner.asks)
    steps = () if waits else runner.steps(stop, result, course)
    parts = [part for part in (stop, result) if part is not None]
    shown = [pack.status_of(*parts), *(step.status for step in steps)]
    return Progress(
        next=None if stop is not None else runner.next(steps),
        stop=stop,
        result=result,
        steps=steps,
        answers=stored(pack.question, answered),
        name=pack.pack.name,
        version=pack.pack.version,
        approved=pack.pack.approved,
        status="memory" if "memory" in shown else "verified",
    )


def offers(pack: Guideline, person: Person) -> bool:
    """Whether a guideline may be for somebody: what is not known does not hide it."""
    if not pack.guideline.for_whom:
        return True
    given = inputs(pack.question, known(pack.question, person))
    wanted = expression(pack.question, pack.guideline.for_whom, Type.TRUTH)
    return holds(wanted, given) is not False


class _Runner:
    """One guideline with its answers."""

    def __init__(self, pack: Guideline, given: Inputs, weight: Weight) -> None:
        self._pack = pack
        self._given = given
        self._weight = weight
        self.asks = ""
        """A question without whose answer nothing can be said."""

    def stop(self) -> Stop | None:
        """Return the first stop that holds; one that cannot be judged yet is asked about first."""
        for stop in self._pack.stop:
            found = holds(self._node(stop.when, Type.TRUTH), self._given)
            if found is True:
                return stop
            if isinstance(found, Missing) and not found.final:
                self._ask(found.name)
        return None

    def result(self) -> Result | None:
        """Return the first result that holds."""
        for result in self._pack.result:
            found = self._holds(result.when)
            if found is True:
                return result
            if isinstance(found, Missing) and not found.final:
                self._ask(found.name)
                return None
        return None

    def steps(
        self, stop: Stop | None, result: Result | None, course: Course
    ) -> tuple[StepState, ...]:
        """Return the steps that are for this patient."""
        found: dict[str, StepState] = {}
        for step in self._pack.step:
            if step.only_approved and not self._pack.pack.approved:
                continue
            if step.result and (result is None or result.id not in step.result):
                continue
            wanted = self._holds(step.when)
            if wanted is False or (isinstance(wanted, Missing) and wanted.final):
                continue
            clock = _Clock(step, course)
            unknown = isinstance(wanted, Missing)
            before = found.get(step.after)
            # What comes later is asked when it is time.
            if isinstance(wanted, Missing) and (before is None or before.state in _OVER):
                self._ask(wanted.name)
            amounts = () if unknown or stop is not None else self._amounts(step)
            due_ms = clock.due(before)
            state: State = "stopped" if stop else "unknown" if unknown else clock.state(due_ms)
            found[step.id] = clock.as_state(state, amounts, due_ms, self._status(step, amounts))
        return tuple(found.values())

    def next(self, steps: Sequence[StepState]) -> Question | None:
        """Return what to ask next: what everything waits for, else what an amount lacks."""
        lacking = [
            amount.asks
            for step in steps
            for amount in step.amounts
            if amount.lack == "needs_answer"
        ]
        wanted = self.asks or next(iter(lacking), "")
        return next((each for each in self._pack.question if each.id == wanted), None)

    def _ask(self, name: str) -> None:
        self.asks = self.asks or name

    def _holds(self, when: str) -> bool | Missing:
        return holds(self._node(when, Type.TRUTH), self._given) if when else True

    def _node(self, text: str, wanted: Type) -> Node:
        return expression(self._pack.question, text, wanted)

    def _status(self, step: Step, amounts: Sequence[Computed]) -> Status:
        said = [self._pack.status_of(step), *(amount.status for amount in amounts)]
        return "memory" if "memory" in said else "verified"

    def _amounts(self, step: Step) -> tuple[Computed, ...]:
        """Return the first portion that fits, and the first most in a day."""
        found: dict[bool, Computed] = {}
        for amount in step.amount:
            if amount.per_day in found:
                continue
            fits = self._holds(amount.when)
            if isinstance(fits, Missing) and not fits.final:
                found[amount.per_day] = self._lack(step, amount, "needs_answer", fits.name)
            elif fits is True:
                found[amount.per_day] = self._computed(step, amount)
        return tuple(found.values())

    def _computed(self, step: Step, amount: Amount) -> Computed:
        ends = [
            self._node(text, Type.NUMBER) for text in (amount.formula, amount.formula_to) if text
        ]
        if self._weight.differ and any(self._uses_weight(end) for end in ends):
            return self._lack(step, amount, "weights_differ")
        values = []
        for end in ends:
            value = number(end, self._given)
            if isinstance(value, Missing):
                return self._lack(
                    step, amount, "left_out" if value.final else "needs_answer", value.name
                )
            values.append(value)
        if any(not 0 < value <= Fraction(amount.at_most) for value in values) or (
            len(values) == 2 and values[0] > values[1]
        ):
            return self._lack(step, amount, "out_of_bounds")
        marks = self._marks(amount, ends)
        text = "–".join(
            _shown(end, self._given, value) for end, value in zip(ends, values, strict=True)
        )
        return Computed(
            text=f"{text} {_unit_text(amount.unit)}",
            value=values[0],
            value_to=values[1] if len(values) == 2 else None,
            unit=amount.unit,
            marks=marks,
            lack="",
            asks="",
            status=amount.status or self._pack.status_of(step),
        )

    def _marks(self, amount: Amount, ends: Sequence[Node]) -> tuple[Mark, ...]:
        marks: list[Mark] = []
        if self._weight.estimated and any(self._uses_weight(end) for end in ends):
            marks.append("estimated")
        if amount.by_age:
            marks.append("by_age")
        if amount.per_day:
            marks.append("per_day")
        return tuple(marks)

    def _uses_weight(self, node: Node) -> bool:
        weights = {each.id for each in self._pack.question if each.known_from == "weight"}
        return not weights.isdisjoint(names(node))

    def _lack(self, step: Step, amount: Amount, lack: Lack, asks: str = "") -> Computed:
        status = amount.status or self._pack.status_of(step)
        return Computed("", None, None, amount.unit, (), lack, asks, status)


_OVER = ("done", "skipped")


class _Clock:
    """When one step is due, from what was ticked."""

    def __init__(self, step: Step, course: Course) -> None:
        ticks = [tick for tick in course.ticks if tick.step == step.id]
        self._step = step
        self._course = course
        self._done = sorted(tick.at_ms for tick in ticks if not tick.skipped)
        left_out = sorted((tick.at_ms, tick.skipped) for tick in ticks if tick.skipped)
        self._left_out = left_out[-1] if left_out and step.may_skip else None
        self._as_needed = not step.times and not step.every_min

    @property
    def over(self) -> bool:
        """Whether nothing more is to be done."""
        if self._left_out is not None:
            return True
        return bool(self._step.times) and len(self._done) >= self._step.times

    def due(self, before: StepState | None) -> int | None:
        """Return when it is due; None while the step before is not done, or nothing more is.

        A step whose forerunner is not for this patient counts from the beginning.
        """
        if self.over or self._as_needed:
            return None
        if self._done:
            return self._done[-1] + self._step.every_min * MINUTE_MS
        since = self._course.began_ms if before is None else before.ends_ms
        return None if since is None else since + self._step.wait_min * MINUTE_MS

    def state(self, due_ms: int | None) -> State:
        """Return how it stands now."""
        if self._left_out is not None:
            return "skipped"
        if self.over:
            return "done"
        if self._as_needed:
            return "now"
        if due_ms is None or self._course.now_ms < due_ms:
            return "waiting"
        return "late" if self._course.now_ms >= due_ms + LATE_MS else "now"

    def as_state(
        self, state: State, amounts: tuple[Computed, ...], due_ms: int | None, status: Status
    ) -> StepState:
        """Return it with all that goes with it."""
        ends_ms, skipped = self._left_out or (None, "")
        if self._done:
            ends_ms = self._done[-1] + self._step.lasts_min * MINUTE_MS
        return StepState(
            self._step, state, amounts, due_ms, ends_ms, len(self._done), skipped, status
        )


def _shown(node: Node, given: Inputs, value: Fraction) -> str:
    """Return the arithmetic and what it comes to; of a plain number the number alone."""
    text = arithmetic(node, given)
    plain = number_text(value)
    if not names(node) or text == plain:
        return plain
    if isinstance(node, Call) and node.function.startswith("round"):
        exact = number(node.args[0], given)
        if isinstance(exact, Fraction) and exact != value:
            return f"{text} = {number_text(exact)} → {plain}"
    return f"{text} = {plain}"


def _unit_text(unit: str) -> str:
    return unit.strip("{}[]")
