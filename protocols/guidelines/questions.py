"""Questions of packs: what is asked, what is known without asking, and how answers are kept."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from types import MappingProxyType
from typing import Literal, NamedTuple

import msgspec

from protocols.errors import InputError
from protocols.guidelines.ages import UNKNOWN, AgeSpan, row_days, row_faults
from protocols.guidelines.decimals import Decimal, read_decimal
from protocols.guidelines.expressions import Absent, Input, Node, Type, Value, read
from protocols.guidelines.readings import NOT_MEASURED, Reading, Readings
from protocols.guidelines.words import lacking

EXPRESSIONS_KEPT = 1024
"""Expressions read once: all of some packs."""


class Choice(msgspec.Struct, forbid_unknown_fields=True, frozen=True, rename={"since": "from"}):
    """One answer to a question."""

    id: str
    words: dict[str, str]
    since: str = "0 d"
    """With `below`: the ages that this answer means, half-open."""
    below: str | None = None


class Question(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What is asked."""

    id: str
    type: Literal["truth", "number", "choice", "several"]
    words: dict[str, str]
    choices: tuple[Choice, ...] = ()
    observation: str = ""
    """The observation it is, by name: the value can be recorded as that too."""
    unit: str = ""
    skip: bool = False
    """It may be left out; rules that need it do not hold then."""
    unrecordable: bool = False
    known_from: Literal["", "age", "pregnant", "weight"] = ""
    """Not asked when this is known of the patient; with `observation`, when that was measured."""

    @property
    def input(self) -> Input:
        """As expressions know it."""
        return Input(Type[self.type.upper()], tuple(choice.id for choice in self.choices))


class Person(NamedTuple):
    """What is known of the patient without asking."""

    age: AgeSpan = UNKNOWN
    pregnant: bool | None = None
    """None when it is not known."""
    weight: Decimal | None = None
    """In kilograms."""
    readings: Readings = MappingProxyType({})
    """As recent as the caller wants them to count; values of devices that nobody has accepted must
    not be among them (SAFETY 15)."""


Answer = bool | Decimal | str | tuple[str, ...] | Absent
Answers = Mapping[str, Answer]
"""Question to answer. What does not fit its question counts as not answered."""


def take(question: Question, given: object) -> Answer:
    """Return an answer checked against its question.

    Args:
        question: What was asked.
        given: True or False, typed digits, the id of a choice, or a list of ids; None skips;
            `unrecordable` where the question allows that.

    Raises:
        InputError: `bad_value` naming what would do, or what is wrong with the number.
    """
    ids = tuple(choice.id for choice in question.choices)
    if given is None and question.skip:
        return Absent.SKIPPED
    if given == "unrecordable" and question.unrecordable:
        return Absent.UNRECORDABLE
    match question.type:
        case "truth" if isinstance(given, bool):
            return given
        case "number" if isinstance(given, str | int) and not isinstance(given, bool):
            found = read_decimal(str(given), question.id, 1)
            if found.mantissa < 0:
                raise InputError("bad_number", field=question.id)
            return found
        case "choice" if isinstance(given, str) and given in ids:
            return given
        case "several" if isinstance(given, list | tuple) and all(each in ids for each in given):
            return tuple(each for each in ids if each in given)
    allowed = {"truth": ("true", "false"), "number": ("digits",)}.get(question.type, ids)
    raise InputError("bad_value", field=question.id, allowed=allowed)


def known(questions: Sequence[Question], person: Person) -> dict[str, Answer]:
    """Return the answers that need not be asked for."""
    found: dict[str, Answer] = {}
    for question in questions:
        answer = _known(question, person)
        if answer is not None:
            found[question.id] = answer
    return found


def _known(question: Question, person: Person) -> Answer | None:
    match question.known_from:
        case "pregnant":
            return person.pregnant
        case "weight":
            return person.weight
        case "age":
            met = person.age.meets(age_rows(question))
            return question.choices[met[0]].id if len(met) == 1 else None
    if question.observation:
        return _measured(question, person.readings.get(question.observation, NOT_MEASURED))
    return None


def _measured(question: Question, reading: Reading) -> Answer | None:
    if reading.unrecordable:
        return Absent.UNRECORDABLE if question.unrecordable else None
    if question.type == "choice":
        return reading.choice or None
    return None if reading.value is None else decimal_of(reading.value)


def decimal_of(value: Fraction) -> Decimal | None:
    """Return a number as a decimal, or None when it has more than six decimals."""
    for scale in range(7):
        scaled = value * 10**scale
        if scaled.denominator == 1:
            return Decimal(scaled.numerator, scale)
    return None


def age_rows(question: Question) -> list[tuple[float, float]]:
    """Return the ages that each choice means, (from, below) in days."""
    return [row_days(choice.since, choice.below) for choice in question.choices]


def inputs(questions: Sequence[Question], answers: Answers) -> dict[str, Value | Absent]:
    """Return answers as expressions take them; what does not fit its question is left out."""
    found: dict[str, Value | Absent] = {}
    for question in questions:
        value = _value(question, answers.get(question.id))
        if value is not None:
            found[question.id] = value
    return found


def _value(question: Question, answer: Answer | None) -> Value | Absent | None:
    ids = {choice.id for choice in question.choices}
    match answer:
        case Absent.SKIPPED:
            return answer if question.skip else None
        case Absent.UNRECORDABLE:
            return answer if question.unrecordable else None
        case bool():
            return answer if question.type == "truth" else None
        case Decimal():
            return answer.exact if question.type == "number" else None
        case str():
            return answer if question.type == "choice" and answer in ids else None
        case tuple() if question.type == "several" and ids.issuperset(answer):
            return frozenset(str(each) for each in answer)
    return None


def stored(questions: Sequence[Question], answers: Answers) -> dict[str, str | int | None]:
    """Return answers as records keep them: digits, ids of choices, 1 and 0, None for left out.

    Of several choices the count, and 1 under `QUESTION.CHOICE` for each that was chosen.
    """
    found: dict[str, str | int | None] = {}
    for name, value in inputs(questions, answers).items():
        match value:
            case frozenset():
                found[name] = len(value)
                found |= {f"{name}.{each}": 1 for each in sorted(value)}
            case Absent():
                found[name] = None if value is Absent.SKIPPED else value.value
            case bool():
                found[name] = int(value)
            case Fraction():
                found[name] = str(answers[name])
            case str():
                found[name] = value
    return found


def restored(questions: Sequence[Question], kept: Mapping[str, str | int | None]) -> Answers:
    """Return the answers that `stored` kept, as far as they still fit their questions."""
    found: dict[str, Answer] = {}
    for question in questions:
        answer = _restored(question, kept) if question.id in kept else None
        if answer is not None and inputs((question,), {question.id: answer}):
            found[question.id] = answer
    return found


def _restored(question: Question, kept: Mapping[str, str | int | None]) -> Answer | None:
    value = kept[question.id]
    if value is None:
        return Absent.SKIPPED
    if value == Absent.UNRECORDABLE.value and question.unrecordable:
        return Absent.UNRECORDABLE
    match question.type:
        case "truth":
            return bool(value) if value in (0, 1) else None
        case "several":
            chosen = (each.id for each in question.choices if kept.get(f"{question.id}.{each.id}"))
            return tuple(chosen)
        case "choice":
            return value if isinstance(value, str) else None
    try:
        return take(question, value)
    except InputError:
        return None


def expression(questions: Sequence[Question], text: str, wanted: Type) -> Node:
    """Return an expression over these questions.

    Raises:
        ExpressionFault: saying what is wrong.
    """
    return _read(text, tuple((each.id, each.input) for each in questions), wanted)


@lru_cache(EXPRESSIONS_KEPT)
def _read(text: str, known_inputs: tuple[tuple[str, Input], ...], wanted: Type) -> Node:
    return read(text, dict(known_inputs), wanted)


def check_questions(questions: Sequence[Question], stored_max: int) -> list[str]:
    """Return what is wrong with questions, one sentence each; empty when nothing is.

    Args:
        stored_max: How many answers a record holds.
    """
    wrong = []
    ids = [question.id for question in questions]
    if len(set(ids)) < len(ids):
        wrong.append("two questions share an id")
    count = sum(1 + (len(each.choices) if each.type == "several" else 0) for each in questions)
    if count > stored_max:
        wrong.append(f"has more than {stored_max} answers to store")
    for question in questions:
        wrong += [f"{question.id}: {what}" for what in _question_faults(question)]
    return wrong


def _question_faults(question: Question) -> list[str]:
    wrong = []
    if not _ID.fullmatch(question.id):
        wrong.append("an id is small letters, digits and _")
    if (question.type in ("choice", "several")) != bool(question.choices):
        wrong.append("choices belong to a choice, and to several")
    if len({choice.id for choice in question.choices}) < len(question.choices):
        wrong.append("two choices share an id")
    if question.known_from == "age":
        wrong += row_faults(age_rows(question), whole=False)
    if question.known_from == "weight" and (question.type, question.unit) != ("number", "kg"):
        wrong.append("weight is a number in kg")
    if question.known_from == "pregnant" and question.type != "truth":
        wrong.append("pregnant is yes or no")
    for words in (question.words, *(choice.words for choice in question.choices)):
        wrong += [f"no words in {each}" for each in lacking(words)]
    return wrong


_ID = re.compile(r"[a-z][a-z0-9_]{0,47}", re.ASCII)
