"""Vitamin A, deworming and arms over any history of three teams: the same sums for every order of
delivery, the same stock, and not one dose of vaccine more or less for any of it.

What was really given and tallied is kept beside the books, so that it trusts none of their code.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.ids import FactRef, PatientId, SessionId, SiteId
from protocols.ledger import coverage, immunization, interventions
from protocols.records.stock import BalanceRow
from tests.property.test_vaccination_apart import deliver
from tests.unit.stage import WALL_MS, Device, camp, copied, line

NODES, STEPS = 3, 18
HOUR_MS = 3_600_000
BORN = "2024-05-10"
ANYWAY = ["intervention_too_soon", "unusual_value", "beyond_stock", "lot_unknown", "future_time"]
CELLS = [{"vaccine": "mr", "dose": 1, "band": 2}, {"intervention": "vitamin-a", "band": 2}]
WEIGHTS = {"vitamin-a": 6, "deworming": 2, "muac": 3, "tally": 3, "refuse": 1, "undo": 3,
           "meet": 6}  # fmt: skip
LOT = {"item": "vitamin-a-200k-cap", "lot": "VA-1", "expiry": "2031-05"}
RECEIVED = 100

BASE = camp(tuple("abc"))


@dataclass
class Story:
    """What people did, beside the books."""

    devices: list[Device]
    chance: Random
    hours: int = 0
    session: str = ""
    store: str = ""
    children: list[str] = field(default_factory=list)
    given: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Code and how many, of each record."""
    undone: set[str] = field(default_factory=set)

    def write(self, at: int, kind: str, data: Any, **more: Any) -> Any:
        device, about = self.devices[at], {"confirm": ANYWAY, **more}
        now_ms = WALL_MS + self.hours * HOUR_MS
        lines = [line(kind, data, **about)]
        ((answer,), _, _) = device.node._recorder.record(lines, now_ms, device.chance.randbytes)
        assert answer.ok, answer
        return answer

    def step(self, what: str) -> None:
        chance, at = self.chance, self.chance.randrange(NODES)
        self.hours += chance.choice((0, 1, 30))
        of = {"session": self.session, "intervention": what}
        child = chance.choice(self.children)
        if what == "meet":
            deliver(self.devices[at], self.devices[chance.randrange(NODES)], chance, part=True)
        elif what == "vitamin-a":
            about = {key: LOT[key] for key in ("item", "lot")}
            made = self.write(at, "administration.record", {**of, **about}, patient=child,
                              store=self.store)  # fmt: skip
            self.given[made.id] = (what, 1)
        elif what == "deworming":
            made = self.write(at, "administration.record", of, patient=child)
            self.given[made.id] = (what, 1)
        elif what == "muac":
            arm = {"code": "muac", "value": str(chance.randint(105, 160)), "unit": "mm"}
            made = self.write(at, "observation.record", of | arm, patient=child)
            self.given[made.id] = (what, 1)
        elif what == "refuse":
            no = {**of, "intervention": "vitamin-a", "status": "refused"}
            self.write(at, "administration.record", no, patient=child, reason="said no")
        elif what == "tally":
            n = chance.choice((1, 2, 5, -1))
            tally = {"session": self.session, "cell": 2, "n": n}
            made = self.write(at, "tally.add", tally, reason="pressed twice")
            self.given[made.id] = ("vitamin-a", n)
        elif known := self._known(at):
            fact = chance.choice(known)
            self.write(at, "entry.retract", {"fact": fact}, reason="wrong")
            self.undone.add(fact)

    def _known(self, at: int) -> list[str]:
        find = self.devices[at].ledger.chain.names.find
        return [
            each
            for each in self.given
            if each not in self.undone and find(FactRef.parse(each).entry) is not None
        ]

    def plainly(self) -> Counter[str]:
        found: Counter[str] = Counter()
        for fact, (code, n) in self.given.items():
            if fact not in self.undone:
                found[code] += n
        return found


def story_of(seed: int) -> Story:
    chance = Random(seed)
    story = Story([Device(each.name, copied(each.store), seed) for each in BASE], chance)
    made = story.write(0, "site.register", {"name": "Pharmacy", "type": "store"})
    row = story.devices[0].store.one("SELECT id FROM site WHERE name = 'Pharmacy'")
    assert made.ok and row is not None
    story.store = str(SiteId(bytes(row[0])))
    story.write(0, "stock.receive", {**LOT, "units": RECEIVED}, store=story.store)
    opening = {"vaccines": ["mr"], "interventions": ["vitamin-a", "deworming", "muac"],
               "cells": CELLS}  # fmt: skip
    story.session = story.write(0, "session.open", opening, store=story.store).id
    for _ in range(2):
        who = {"birth_date": BORN, "sex": "female"}
        story.children.append(story.write(0, "patient.register", who).patient)
    deliver_all(story)
    return story


def deliver_all(story: Story) -> None:
    order = list(range(1, NODES))
    story.chance.shuffle(order)
    for at in order:
        deliver(story.devices[at], story.devices[0], story.chance)
    for at in order:
        deliver(story.devices[0], story.devices[at], story.chance)


def told(device: Device) -> tuple[Any, ...]:
    """Everything that is said of interventions on one node, and the balance of the store."""
    ledger = device.ledger
    balance = device.store.all(f"SELECT item, lot, low, high FROM {BalanceRow.TABLE} ORDER BY 1, 2")
    conflicts = device.store.all("SELECT risk, count(*) FROM conflict GROUP BY risk")
    return interventions.counts(ledger), balance, conflicts


def vaccination(device: Device) -> tuple[Any, ...]:
    """Everything that is said of vaccines."""
    ledger = device.ledger
    return (
        coverage.counts(ledger),
        coverage.coverage(ledger),
        coverage.zero_doses(ledger, ("measles", "rubella")),
        coverage.drop_out(ledger),
        immunization.doubled(ledger),
        [coverage.pace(ledger, bytes(row.id), WALL_MS) for row in coverage.sessions(ledger)],
    )


@settings(max_examples=max(settings.default.max_examples // 12, 6))
@given(st.integers(0, 2**32))
def test_sums_and_stock_are_equal_for_every_order_and_vaccination_knows_nothing_of_it(seed: int):
    story = story_of(seed)
    before = vaccination(story.devices[0])
    for what in story.chance.choices(list(WEIGHTS), list(WEIGHTS.values()), k=STEPS):
        story.step(what)
    deliver_all(story)
    every = [told(device) for device in story.devices]
    assert all(one == every[0] for one in every), seed

    counts, balance, _ = every[0]
    sums: Counter[str] = Counter()
    for each in counts:
        sums[each.code] += each.number
    assert {code: n for code, n in sums.items() if n} == {
        code: n for code, n in story.plainly().items() if n
    }, seed
    named = sum(
        1 for fact, (code, _) in story.given.items()
        if code == "vitamin-a" and fact not in story.undone and _is_named(story, fact)
    )  # fmt: skip
    left = RECEIVED - named
    assert [tuple(row) for row in balance] == [(LOT["item"], LOT["lot"], left, left)], seed
    for device in story.devices:
        assert vaccination(device) == before, seed


def _is_named(story: Story, fact: str) -> bool:
    prefix = bytes(FactRef.parse(fact).entry)
    row = story.devices[0].store.one(
        "SELECT 1 FROM administration a JOIN entry e ON e.arrival = a.entry"
        " WHERE e.hash >= ? AND e.hash < ?",
        (prefix, prefix + b"\xff" * 20),
    )
    return row is not None


@settings(max_examples=max(settings.default.max_examples // 20, 4))
@given(st.integers(0, 2**32))
def test_a_child_given_vitamin_a_by_two_teams_apart_is_kept_twice_and_said_everywhere(seed: int):
    story = story_of(seed)
    child = story.children[0]
    of = {"session": story.session, "intervention": "vitamin-a"}
    for at in (1, 2):
        story.hours += story.chance.randrange(200)
        story.write(at, "administration.record", of, patient=child)
    deliver_all(story)

    for device in story.devices:
        (count,) = interventions.counts(device.ledger, SessionId.parse(story.session))[:1]
        assert sum(each.number for each in interventions.counts(device.ledger)) == 2
        assert sum(each.twice for each in interventions.counts(device.ledger)) == 2, count
        sides = device.store.all("SELECT risk FROM conflict WHERE subject = (SELECT no FROM subject"
                                 " WHERE id = ?)", (bytes(PatientId.parse(child)),))  # fmt: skip
        assert [tuple(row) for row in sides] == [("dose",)] * 2
