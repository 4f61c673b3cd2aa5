"""Triage as data: ordered rules over answers; what is not known yet is the next question."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import cache, lru_cache
from typing import Literal, NamedTuple

import msgspec

from protocols.errors import InputError, SetupError
from protocols.guidelines.ages import UNKNOWN, AgeSpan, Side, days, row_days, row_faults
from protocols.guidelines.decimals import Decimal, read_decimal
from protocols.guidelines.expressions import (
    Absent,
    ExpressionFault,
    Input,
    Missing,
    Node,
    Type,
    Value,
    names,
    read,
)
from protocols.guidelines.pack import PackHead, Status, read_pack, shipped
from protocols.guidelines.words import lacking
from protocols.guidelines.working import holds

LOOKS = "looks"
"""Id of the question that stands in for an age."""
CATEGORY_MAX = 4
STORED_MAX = 64
"""Answers that a triage is stored with (`data.inputs` of triage.record)."""

CONDITIONS_KEPT = 256
"""Conditions read once: all of a few packs."""

_RED = 1

# the pack


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
    known_from: Literal["", "age", "pregnant"] = ""
    """Not asked when this is known of the patient."""

    @property
    def input(self) -> Input:
        """As expressions know it."""
        return Input(Type[self.type.upper()], tuple(choice.id for choice in self.choices))


class Rule(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A condition and the category it gives."""

    id: str
    then: str
    words: dict[str, str]
    when: str = ""
    """'' in the last rule of an algorithm, which holds always."""
    notes: tuple[str, ...] = ()
    vital: bool = False
    """A vital sign: told with the result even when another rule gave it."""


class Algorithm(msgspec.Struct, forbid_unknown_fields=True, frozen=True, rename={"since": "from"}):
    """One way to triage."""

    id: str
    words: dict[str, str]
    source: str
    status: Status
    question: tuple[Question, ...]
    rule: tuple[Rule, ...]
    """The first one that holds counts."""
    since: str = "0 d"
    below: str | None = None


class Guide(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Two algorithms and the age at which one ends and the other begins."""

    id: str
    adult: str
    child: str
    limit: str
    words: dict[str, str]


class LooksQuestion(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What is asked when the age does not say which of the two."""

    words: dict[str, str]
    choices: tuple[Choice, ...]


class TriagePack(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """All of it."""

    pack: PackHead
    categories: dict[str, dict[str, int]]
    """Algorithm to its categories to 0 dead, 1 red, 2 yellow, 3 green, 4 expectant."""
    guide: tuple[Guide, ...]
    looks: LooksQuestion
    algorithm: tuple[Algorithm, ...]
    notes: dict[str, dict[str, str]]
    languages: dict[str, str] = {}

    def guided(self, id: str) -> Guide:  # noqa: A002 - as packs call it
        """Return a guide by its id.

        Raises:
            InputError: `bad_value`, listing the ids.
        """
        for guide in self.guide:
            if guide.id == id:
                return guide
        raise InputError("bad_value", field="guide", allowed=tuple(g.id for g in self.guide))


# asking


Answer = bool | Decimal | str | tuple[str, ...] | Absent
Answers = Mapping[str, Answer]
"""Question to answer. What does not fit its question counts as not answered."""


class Ask(NamedTuple):
    """The next question."""

    question: Question
    algorithm: Algorithm | None
    """None while it is not known which one."""


class Outcome(NamedTuple):
    """A category, with all that has to be stored to tell later how it came about."""

    category: int
    """0 dead, 1 red, 2 yellow, 3 green, 4 expectant."""
    own: str
    """As the algorithm calls it."""
    rule: Rule
    algorithm: str
    version: str
    """Of the pack."""
    inputs: dict[str, str | int | None]
    """As triage.record stores them."""
    alerts: tuple[str, ...]
    """Rules behind a red category and vital signs at high risk: `ALGORITHM.RULE`."""
    left_out: tuple[str, ...]
    """Questions that were skipped: the category might be another with them."""
    status: Status
    approved: bool


def next_step(
    pack: TriagePack,
    guide: Guide,
    answers: Answers,
    *,
    age: AgeSpan = UNKNOWN,
    pregnant: bool | None = None,
) -> Ask | Outcome:
    """Return the next question, or the category when nothing more is needed.

    Args:
        pack: As it is in use.
        guide: One of the pack's.
        answers: So far, in any order.
        age: As far as it is known; where it spans the guide's limit, looks decide (SAFETY 2).
        pregnant: None when it is not known.
    """
    algorithm = _chosen(pack, guide, answers, age)
    if algorithm is None:
        looks = pack.looks
        return Ask(Question(LOOKS, "choice", looks.words, looks.choices), None)
    given = {**_known(algorithm, age, pregnant), **answers}
    inputs = _inputs(algorithm, given)
    for rule in algorithm.rule:
        found = holds(_condition(algorithm, rule), inputs) if rule.when else True
        if isinstance(found, Missing) and not found.final:
            return Ask(_question(algorithm, found.name), algorithm)
        if found is True:
            return _outcome(pack, algorithm, rule, given)
    raise AssertionError("check() wants a last rule that always holds")


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
        case "several" if isinstance(given, list | tuple) and set(given) <= set(ids):
            return tuple(each for each in ids if each in given)
    allowed = {"truth": ("true", "false"), "number": ("digits",)}.get(question.type, ids)
    raise InputError("bad_value", field=question.id, allowed=allowed)


def _chosen(pack: TriagePack, guide: Guide, answers: Answers, age: AgeSpan) -> Algorithm | None:
    side = age.side(days(guide.limit))
    if side is Side.SPANS:
        looks = answers.get(LOOKS)
        if looks not in ("child", "adult"):
            return None
        side = Side.BELOW if looks == "child" else Side.FROM
    wanted = guide.child if side is Side.BELOW else guide.adult
    return next(algorithm for algorithm in pack.algorithm if algorithm.id == wanted)


def _known(algorithm: Algorithm, age: AgeSpan, pregnant: bool | None) -> dict[str, Answer]:
    found: dict[str, Answer] = {}
    for question in algorithm.question:
        if question.known_from == "pregnant" and pregnant is not None:
            found[question.id] = pregnant
        elif question.known_from == "age":
            rows = [row_days(choice.since, choice.below) for choice in question.choices]
            met = age.meets(rows)
            if len(met) == 1:
                found[question.id] = question.choices[met[0]].id
    return found


def _inputs(algorithm: Algorithm, answers: Answers) -> dict[str, Value | Absent]:
    found: dict[str, Value | Absent] = {}
    for question in algorithm.question:
        value = _value(question, answers.get(question.id))
        if value is not None:
            found[question.id] = value
    return found


def _value(question: Question, answer: Answer | None) -> Value | Absent | None:
    """Return an answer as expressions take it, or None when it does not fit its question."""
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


def _outcome(pack: TriagePack, algorithm: Algorithm, rule: Rule, answers: Answers) -> Outcome:
    inputs = _inputs(algorithm, answers)
    category = pack.categories[algorithm.id][rule.then]
    alerting = [
        each
        for each in algorithm.rule
        if (each is rule and category == _RED and each.when)
        or (each.vital and holds(_condition(algorithm, each), inputs) is True)
    ]
    left_out = [name for name, value in inputs.items() if value is Absent.SKIPPED]
    return Outcome(
        category=category,
        own=rule.then,
        rule=rule,
        algorithm=algorithm.id,
        version=pack.pack.version,
        inputs=_stored(algorithm, answers, inputs),
        alerts=tuple(f"{algorithm.id}.{each.id}" for each in alerting),
        left_out=tuple(left_out),
        status=algorithm.status,
        approved=pack.pack.approved,
    )


def _stored(
    algorithm: Algorithm, answers: Answers, inputs: Mapping[str, Value | Absent]
) -> dict[str, str | int | None]:
    found: dict[str, str | int | None] = {}
    looks = answers.get(LOOKS)
    if isinstance(looks, str):
        found[LOOKS] = looks
    for name, value in inputs.items():
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


def _question(algorithm: Algorithm, id: str) -> Question:  # noqa: A002 - as packs call it
    return next(question for question in algorithm.question if question.id == id)


def _condition(algorithm: Algorithm, rule: Rule) -> Node:
    return _read(rule.when or "yes", tuple((each.id, each.input) for each in algorithm.question))


@lru_cache(CONDITIONS_KEPT)
def _read(when: str, inputs: tuple[tuple[str, Input], ...]) -> Node:
    return read(when, dict(inputs), Type.TRUTH)


# reading the pack


def check(pack: TriagePack) -> list[str]:
    """Return what is wrong with a pack, one sentence each; empty when nothing is."""
    wrong = []
    ids = [algorithm.id for algorithm in pack.algorithm]
    for guide in pack.guide:
        wrong += [
            f"guide {guide.id}: there is no algorithm {each}"
            for each in (guide.adult, guide.child)
            if each not in ids
        ]
        days(guide.limit)
    if {choice.id for choice in pack.looks.choices} != {"child", "adult"}:
        wrong.append("looks: needs the choices child and adult")
    for algorithm in pack.algorithm:
        wrong += [f"{algorithm.id}: {what}" for what in _algorithm_faults(pack, algorithm)]
    return wrong


def _algorithm_faults(pack: TriagePack, algorithm: Algorithm) -> list[str]:
    wrong = []
    ids = [question.id for question in algorithm.question]
    if len(set(ids)) < len(ids):
        wrong.append("two questions share an id")
    stored = 1 + sum(
        1 + (len(question.choices) if question.type == "several" else 0)
        for question in algorithm.question
    )
    if stored > STORED_MAX:
        wrong.append(f"has more than {STORED_MAX} answers to store")
    for question in algorithm.question:
        if (question.type in ("choice", "several")) != bool(question.choices):
            wrong.append(f"{question.id}: choices belong to a choice, and to several")
        if question.known_from == "age":
            rows = [row_days(choice.since, choice.below) for choice in question.choices]
            wrong += [f"{question.id}: {what}" for what in row_faults(rows, whole=False)]
        wrong += [f"{question.id}: no words in {each}" for each in lacking(question.words)]
    return wrong + _rule_faults(pack, algorithm)


def _rule_faults(pack: TriagePack, algorithm: Algorithm) -> list[str]:
    wrong = []
    known = pack.categories.get(algorithm.id, {})
    asked: set[str] = set()
    for rule in algorithm.rule:
        if not 0 <= known.get(rule.then, -1) <= CATEGORY_MAX:
            wrong.append(f"{rule.id}: {rule.then} is no category of it")
        try:
            asked.update(names(_condition(algorithm, rule)))
        except ExpressionFault as fault:
            wrong.append(f"{rule.id}: {fault}")
        wrong += [
            f"{rule.id}: there is no note {each}" for each in rule.notes if each not in pack.notes
        ]
        wrong += [f"{rule.id}: no words in {each}" for each in lacking(rule.words)]
    if (
        not algorithm.rule
        or algorithm.rule[-1].when
        or not all(r.when for r in algorithm.rule[:-1])
    ):
        wrong.append("needs a last rule without a condition, and only there")
    wrong += [
        f"{question.id}: no rule asks for it"
        for question in algorithm.question
        if question.id not in asked
    ]
    return wrong


def read_triage(text: str) -> TriagePack:
    """Return a checked pack.

    Raises:
        SetupError: `bad_pack`, with what is wrong first.
    """
    pack = read_pack(text, TriagePack)
    wrong = check(pack)
    if wrong:
        raise SetupError("bad_pack", place=wrong[0])
    return pack


@cache
def shipped_triage() -> TriagePack:
    """Return the pack that comes with the software."""
    return shipped("triage", TriagePack)
