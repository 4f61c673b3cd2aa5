"""SAFETY 25, over any interleaving on two to five nodes: the same custody everywhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.errors import InputError
from protocols.ids import DocId, FactRef, PatientId
from protocols.records.projection import project
from tests.unit.care_lines import ANYWAY
from tests.unit.records_shelf import Shelf, gather

TEAMS = ("Red Crescent", "Red Star", "Blue Tent")

WEIGHTS = {"offer": 3, "accept": 9, "decline": 2, "undo": 1, "meet": 5, "gather": 1}
"""Most is said by people who answer; who never meets has nothing to answer."""

SEEDS = st.integers(0, 2**32)
NODES = st.integers(2, 5)


def steps_of(seed: int, nodes: int) -> list[tuple[int, tuple[str, int]]]:
    """Return who does what: a story of thirty steps, the same for the same seed."""
    chance = Random(seed)
    kinds = chance.choices(list(WEIGHTS), list(WEIGHTS.values()), k=30)
    return [(chance.randrange(nodes), (kind, chance.randrange(60))) for kind in kinds]


@dataclass
class Event:
    """One record of custody, with what its writer really held."""

    ref: FactRef
    what: str
    who: str
    about: FactRef | None
    to: str
    held: frozenset[FactRef]


@dataclass
class Story:
    """What was written where: kept beside the shelves, so that it trusts none of their code."""

    events: dict[FactRef, Event] = field(default_factory=dict)
    shelves: list[Shelf] = field(default_factory=list)

    def held(self, shelf: Shelf, subject: DocId) -> frozenset[FactRef]:
        return frozenset(fact.ref for fact in shelf.facts(subject) if fact.ref in self.events)

    def act(self, shelf: Shelf, patient: str, what: str, value: int) -> None:
        subject = PatientId.parse(patient)
        held = self.held(shelf, subject)
        known = [fact.ref for fact in shelf.facts(subject) if fact.ref in held]
        kinds = {"accept": ("offer",), "decline": ("offer", "accept"), "undo": ()}
        able = [ref for ref in known if self.events[ref].what in kinds.get(what, ())]
        if value % 4 and what == "accept":
            # Mostly one of the latest offers, as people do.
            able = able[-2:]
        if what == "undo":
            able = [ref for ref in known if self.events[ref].what != "undo"]
        about = able[value % len(able)] if able else None
        if what != "offer" and about is None:
            return
        to = TEAMS[value % 3] if what == "offer" else self.events[about].to
        lines: dict[str, tuple[str, dict[str, Any]]] = {
            "offer": ("transfer.offer", {"to": {"organisation": to}}),
            "accept": ("transfer.accept", {"offer": str(about)}),
            "decline": ("transfer.decline", {"answers": str(about)}),
            "undo": ("entry.retract", {"fact": str(about)}),
        }
        kind, data = lines[what]
        line = dict(ANYWAY) if what == "undo" else {**ANYWAY, "patient": patient}
        refused, ref = "", None
        try:
            ref = shelf.write(kind, data, **line).refs[0]
        except InputError as error:
            refused = error.code
        assert refused in ("", "offer_closed", "own_offer", "already_retracted")
        if ref is None:
            return
        self.events[ref] = Event(ref, what, shelf.name, about, to, held)


def told(seed: int, nodes: int) -> tuple[Story, str]:
    story = Story(shelves=[Shelf(name) for name in "abcde"[:nodes]])
    patient = story.shelves[0].write("patient.register", {"given_name": "Aline"}).id
    for shelf in story.shelves[1:]:
        shelf.receive(story.shelves[0])
    for who, (what, value) in steps_of(seed, nodes):
        shelf = story.shelves[who]
        if what == "meet":
            shelf.receive(story.shelves[value % nodes])
        elif what == "gather":
            gather(story.shelves)
        else:
            story.act(shelf, patient, what, value)
    return story, patient


def plainly(story: Story, held: frozenset[FactRef]) -> tuple[str, set[str], set[str]]:
    """What custody comes to among these records, written as slowly as the rule reads."""
    events = [story.events[ref] for ref in held]
    undone = {event.about for event in events if event.what == "undo"}
    said_no = {e.about for e in events if e.what == "decline" and e.ref not in undone}
    accepts = [
        e for e in events if e.what == "accept" and e.ref not in undone and e.ref not in said_no
    ]

    def holds(accept: Event) -> bool:
        before = [other for other in accepts if other.ref in accept.held and holds(other)]
        return all(other.ref in story.events[accept.about].held for other in before)

    holding = [accept for accept in accepts if holds(accept)]
    last = [a for a in holding if not any(a.ref in later.held for later in holding)]
    open_now = [
        e
        for e in events
        if e.what == "offer"
        and e.ref not in undone
        and e.ref not in said_no
        and all(a.ref in e.held for a in holding)
        and not any(a.about == e.ref for a in accepts)
    ]
    doubt = any(
        accept.about in undone
        or any(
            no.about == accept.about
            and no.what == "decline"
            and no.ref not in undone
            and no.ref not in accept.held
            and accept.ref not in no.held
            for no in events
        )
        for accept in last
    )
    keepers, offered = {a.to for a in last}, {e.to for e in open_now}
    if len(keepers) > 1:
        return "conflict", keepers, offered
    if doubt or len(offered) > 1:
        return "unclear", keepers, offered
    return ("offered" if offered else "accepted" if keepers else ""), keepers, offered


def shown(shelf: Shelf, subject: DocId) -> tuple[str, set[str], set[str]]:
    rows = shelf.table(subject, "custody")
    if not rows:
        return "", set(), set()
    (row,) = rows
    keepers = set(filter(None, row.keeper.split(" / ")))
    return row.state, keepers, set(filter(None, row.offered.split(" / ")))


@pytest.mark.safety(25)
@settings(max_examples=120)
@given(SEEDS, NODES)
def test_safety_25_every_node_shows_what_follows_from_what_it_holds(seed, nodes):
    story, patient = told(seed, nodes)
    subject = PatientId.parse(patient)

    for shelf in story.shelves:
        assert shown(shelf, subject) == plainly(story, story.held(shelf, subject))

    gather(story.shelves)
    whole = frozenset(story.events)
    for shelf in story.shelves:
        assert story.held(shelf, subject) == whole
        assert shown(shelf, subject) == plainly(story, whole)
        assert shelf.rows(subject) == story.shelves[0].rows(subject)
        row = shelf.patient(subject)
        unclear = plainly(story, whole)[0] in ("unclear", "conflict")
        assert (row.custody >= 3) is unclear
        assert row.unsettled == int(unclear)


def test_the_stories_come_to_everything_that_custody_can_come_to():
    found = set()
    for seed in range(60):
        story, _ = told(seed, 2 + seed % 4)
        found |= {plainly(story, story.held(s, next(iter(s.kinds))))[0] for s in story.shelves}

    assert found == {"", "offered", "accepted", "unclear", "conflict"}


@given(SEEDS, NODES, st.randoms(use_true_random=False))
def test_any_order_of_delivery_gives_the_same_custody(seed, nodes, shuffler):
    story, patient = told(seed, nodes)
    subject = PatientId.parse(patient)
    whole = Shelf("z")
    for shelf in story.shelves:
        whole.receive(shelf)
    facts = list(whole.facts(subject))
    expected = project(1, subject, facts)

    shuffler.shuffle(facts)

    assert project(1, subject, facts) == expected


@given(SEEDS, NODES, st.randoms(use_true_random=False))
def test_clocks_decide_nothing(seed, nodes, chance):
    story, patient = told(seed, nodes)
    subject = PatientId.parse(patient)
    gather(story.shelves)
    whole = story.shelves[0]
    before = shown(whole, subject)
    facts = whole.facts_by_subject[subject]
    clocks = [fact.order[0] for fact in facts]
    chance.shuffle(clocks)

    facts[:] = [
        msgspec.structs.replace(fact, order=(clock, fact.order[1]), clock_ms=clock)
        for fact, clock in zip(facts, clocks, strict=True)
    ]

    assert shown(whole, subject) == before


@given(SEEDS, NODES)
def test_whoever_has_seen_everything_can_settle_it(seed, nodes):
    story, patient = told(seed, nodes)
    subject = PatientId.parse(patient)
    gather(story.shelves)
    giver, taker = story.shelves[0], story.shelves[1]

    to = {"to": {"organisation": "Field Hospital 9"}}
    offer = giver.write("transfer.offer", to, patient=patient, **ANYWAY).fact
    taker.receive(giver)
    for row in taker.table(subject, "transfer"):
        if row.state == "open" and row.to_name != "Field Hospital 9":
            wrong = FactRef.parse(_ref(taker, subject, row))
            taker.write("transfer.decline", {"answers": str(wrong)}, **ANYWAY)
    taker.write("transfer.accept", {"offer": offer}, **ANYWAY)
    giver.receive(taker)

    assert shown(giver, subject) == ("accepted", {"Field Hospital 9"}, set())
    assert giver.patient(subject).unsettled == 0


def _ref(shelf: Shelf, subject: DocId, row: Any) -> str:
    facts = shelf.facts(subject)
    return str(next(f.ref for f in facts if (f.entry, f.index) == (row.entry, row.idx)))
