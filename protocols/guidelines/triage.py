"""Triage as data: ordered rules over answers; what is not known yet is the next question."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import msgspec

from protocols.errors import InputError, SetupError
from protocols.guidelines.ages import UNKNOWN, AgeSpan, Side, days
from protocols.guidelines.expressions import (
    Absent,
    ExpressionFault,
    Missing,
    Node,
    Type,
    names,
)
from protocols.guidelines.pack import PackHead, Status, read_pack, shipped
from protocols.guidelines.questions import Answer as Answer
from protocols.guidelines.questions import (
    Answers,
    Choice,
    Person,
    Question,
    check_questions,
    expression,
    inputs,
    known,
    stored,
)
from protocols.guidelines.questions import take as take
from protocols.guidelines.words import lacking
from protocols.guidelines.working import holds

LOOKS = "looks"
"""Id of the question that stands in for an age."""
CATEGORY_MAX = 4
STORED_MAX = 64
"""Answers that a triage is stored with (`data.inputs` of triage.record)."""

_RED = 1

# the pack


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
    answered = {**known(algorithm.question, Person(age, pregnant)), **answers}
    given = inputs(algorithm.question, answered)
    for rule in algorithm.rule:
        found = holds(_condition(algorithm, rule), given) if rule.when else True
        if isinstance(found, Missing) and not found.final:
            return Ask(_question(algorithm, found.name), algorithm)
        if found is True:
            return _outcome(pack, algorithm, rule, answered)
    raise AssertionError("check() wants a last rule that always holds")


def _chosen(pack: TriagePack, guide: Guide, answers: Answers, age: AgeSpan) -> Algorithm | None:
    side = age.side(days(guide.limit))
    if side is Side.SPANS:
        looks = answers.get(LOOKS)
        if looks not in ("child", "adult"):
            return None
        side = Side.BELOW if looks == "child" else Side.FROM
    wanted = guide.child if side is Side.BELOW else guide.adult
    return next(algorithm for algorithm in pack.algorithm if algorithm.id == wanted)


def _outcome(pack: TriagePack, algorithm: Algorithm, rule: Rule, answers: Answers) -> Outcome:
    given = inputs(algorithm.question, answers)
    category = pack.categories[algorithm.id][rule.then]
    alerting = [
        each
        for each in algorithm.rule
        if (each is rule and category == _RED and each.when)
        or (each.vital and holds(_condition(algorithm, each), given) is True)
    ]
    looks = answers.get(LOOKS)
    said: dict[str, str | int | None] = {LOOKS: looks} if isinstance(looks, str) else {}
    return Outcome(
        category=category,
        own=rule.then,
        rule=rule,
        algorithm=algorithm.id,
        version=pack.pack.version,
        inputs=said | stored(algorithm.question, answers),
        alerts=tuple(f"{algorithm.id}.{each.id}" for each in alerting),
        left_out=tuple(name for name, value in given.items() if value is Absent.SKIPPED),
        status=algorithm.status,
        approved=pack.pack.approved,
    )


def _question(algorithm: Algorithm, name: str) -> Question:
    return next(question for question in algorithm.question if question.id == name)


def _condition(algorithm: Algorithm, rule: Rule) -> Node:
    return expression(algorithm.question, rule.when or "yes", Type.TRUTH)


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
    # One more than the questions: how the patient looks.
    return check_questions(algorithm.question, STORED_MAX - 1) + _rule_faults(pack, algorithm)


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
