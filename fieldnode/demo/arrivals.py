"""One tent's shift: invented people who arrive, are seen and leave, as lines for `record`."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any, NamedTuple

from protocols.sim import names
from protocols.sim.chance import seeded

Line = dict[str, Any]

IN_CARE_MAX = 12
"""A tent with more patients sends one home before the next is seen."""


class Problem(NamedTuple):
    """Why somebody comes, and how urgent that mostly is."""

    text: str
    category: str
    fevered: bool = False


_PROBLEMS = (
    Problem("watery diarrhoea since yesterday", "yellow"),
    Problem("fever for three days", "yellow", fevered=True),
    Problem("cough and fast breathing", "red", fevered=True),
    Problem("wound on the left leg", "green"),
    Problem("fall from a roof", "red"),
    Problem("burn of the right hand", "yellow"),
    Problem("abdominal pain", "yellow"),
    Problem("crush injury of the foot", "yellow"),
    Problem("headache, stiff neck", "red", fevered=True),
    Problem("rash and red eyes", "green", fevered=True),
    Problem("dressing change", "green"),
    Problem("twisted ankle", "green"),
)


class Signs(NamedTuple):
    """Vital signs that are usual at an age and low enough to rise with urgency."""

    heart_rate: int
    breaths: int
    systolic: int


_SMALL = Signs(heart_rate=105, breaths=26, systolic=92)
_CHILD = Signs(heart_rate=90, breaths=20, systolic=102)
_ADULT = Signs(heart_rate=76, breaths=15, systolic=124)

_URGENCY = {"red": 2, "yellow": 1, "green": 0}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in care here."""

    tag: str
    signs: Signs
    problem: Problem


class Arrivals:
    """The same seed and place, the same people.

    Args:
        seed: Of the whole demo.
        site: What the place is called.
        letter: What its tags and beds begin with; another one at every place.
    """

    def __init__(self, seed: int, site: str, letter: str) -> None:
        self._chance = seeded(seed, "arrivals", letter)
        self._site = site
        self._letter = letter
        self._keys = count(1)
        self._tags = count(1)
        self._here: list[Person] = []

    def lines(self) -> Iterator[Line]:
        """Yield the place, then for ever: somebody comes, and those here are looked after."""
        yield self._line("site.register", {"name": self._site, "type": "clinic", "beds": 40})
        while True:
            if len(self._here) >= IN_CARE_MAX:
                yield self._leaves(self._here.pop(0))
            yield from self._comes()
            for _ in range(self._chance.randint(1, 3)):
                yield self._care(self._chance.choice(self._here))

    def _comes(self) -> Iterator[Line]:
        pick, tag = self._chance, f"{self._letter}-{next(self._tags):03d}"
        age, signs = _age(pick)
        problem = pick.choice(_PROBLEMS)
        person = Person(tag, signs, problem)
        family = pick.choice(names.FAMILY)
        yield self._line(
            "patient.register",
            {
                "family_name": family,
                "given_name": pick.choice(
                    [name for name in names.GIVEN if _script(name) == _script(family)]
                ),
                "sex": pick.choice(("male", "female")),
                "age": age,
                "tags": [tag],
                "village": pick.choice(names.VILLAGE),
                "language": pick.choice(names.LANGUAGE),
                "phone": f"+{pick.randint(20, 99)} {pick.randint(10**7, 10**8 - 1)}",
            },
        )
        bed = f"{self._letter}{pick.randint(1, 40)}"
        stay = {"class": "emergency", "problem": problem.text, "bed": bed}
        yield self._line("encounter.open", stay, tag)
        if pick.random() < 0.95:
            # Now and then nobody has had the time yet.
            yield self._line("triage.record", {"category": problem.category}, tag)
        yield self._vitals(person)
        self._here.append(person)

    def _care(self, person: Person) -> Line:
        turn = self._chance.random()
        if turn < 0.6:
            return self._vitals(person)
        if turn < 0.9:
            text = f"{self._chance.choice(names.NOTE)} [{self._letter}{next(self._keys)}]"
            return self._line("note.add", {"text": text}, person.tag)
        return self._line("triage.record", {"category": person.problem.category}, person.tag)

    def _vitals(self, person: Person) -> Line:
        pick, signs, urgency = self._chance, person.signs, _URGENCY[person.problem.category]
        degrees = pick.randint(365, 372) + (pick.randint(10, 22) if person.problem.fevered else 0)
        values = (
            ("heart-rate", signs.heart_rate + urgency * 14 + pick.randint(0, 9), "/min"),
            ("respiratory-rate", signs.breaths + urgency * 6 + pick.randint(0, 3), "/min"),
            ("spo2", pick.randint(96, 99) - urgency * 3, "%"),
            ("systolic", signs.systolic - urgency * 9 + pick.randint(0, 14), "mm[Hg]"),
            ("temperature", degrees / 10, "Cel"),
        )
        measured = [{"code": code, "value": str(n), "unit": unit} for code, n, unit in values]
        return self._line("observation.record", {"set": measured}, person.tag)

    def _leaves(self, person: Person) -> Line:
        return self._line("encounter.close", {"outcome": "discharged"}, person.tag)

    def _line(self, kind: str, said: Line, tag: str | None = None) -> Line:
        line: Line = {"v": 1, "kind": kind, "key": f"{self._letter}-{next(self._keys)}"}
        if tag is not None:
            line["patient"] = {"tag": tag}
        return line | {"data": said}


def _script(name: str) -> str:
    """Return the script a name is written in: people's two names share one."""
    return unicodedata.name(name[0]).partition(" ")[0]


def _age(pick: random.Random) -> tuple[dict[str, Any], Signs]:
    """Return an age as it is stated, and what is usual at it."""
    turn = pick.random()
    if turn < 0.15:
        return {"value": pick.randint(13, 30), "unit": "mo"}, _SMALL
    if turn < 0.35:
        return {"value": pick.randint(5, 15), "unit": "y"}, _CHILD
    return {"value": pick.randint(18, 78), "unit": "y", "estimated": pick.random() < 0.3}, _ADULT
