"""Shipments over any interleaving on five nodes: never counted twice, never lost on the road."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any, cast

from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.errors import InputError
from protocols.ids import DocId, FactRef, SiteId
from protocols.records.balance import Pair
from protocols.records.history import History
from protocols.records.kinds import KindNo
from protocols.records.movement import Movement, signed, stock_subject
from protocols.records.projection import project
from protocols.records.references import ref_of
from protocols.records.shape import SubjectKind
from tests.unit.depots import ITEM, SURE, Depot, fill, line, meet
from tests.unit.records_shelf import Written

SEEDS = st.integers(0, 2**32)
STOCKED = 200
REFUSALS = (
    "shipment_closed",
    "own_dispatch",
    "already_retracted",
    "other_store",
    "nothing_stated",
    "nothing_left",
)
WEIGHTS = {
    "keep": 2,
    "send": 4,
    "receive": 9,
    "part": 3,
    "cancel": 1,
    "undo": 2,
    "meet": 7,
    "gather": 1,
}


@dataclass
class Event:
    """One step that somebody wrote, with what its writer really held."""

    made: Written
    what: str
    shipment: DocId
    held: frozenset[FactRef]
    writer: Depot

    @property
    def ref(self) -> FactRef:
        return self.made.refs[0]


@dataclass
class Story:
    """Two stores with two devices each and one that watches; nothing here trusts the code."""

    depots: list[Depot]
    events: dict[FactRef, Event] = field(default_factory=dict)
    undone: set[FactRef] = field(default_factory=set)

    def held(self, depot: Depot) -> frozenset[FactRef]:
        refs = {fact.ref for facts in depot.facts_by_subject.values() for fact in facts}
        return frozenset(ref for ref in self.events if ref in refs)

    def act(self, depot: Depot, what: str, chance: Random) -> None:
        held = self.held(depot)
        sent = [self.events[ref] for ref in held if self.events[ref].what == "send"]
        kept = [self.events[ref] for ref in held if self.events[ref].what == "keep"]
        for events in (sent, kept):
            events.sort(key=lambda event: event.ref)
        there = chance.choice([each for each in homes(self) if each != depot.home])
        try:
            if what in ("keep", "send"):
                lines = [line(chance.randint(1, 9))]
                data: dict[str, Any] = {"to": there, "lines": lines}
                open_now = [e for e in (*sent, *kept) if e.writer.home == depot.home]
                if what == "send" and open_now and chance.random() < 0.5:
                    # A colleague sends the same thing; or somebody who knows sends more of it.
                    data["shipment"] = open_now[-1].made.fact
                kind = "shipment.dispatch" if what == "send" else "shipment.reserve"
                made = depot.write(kind, data, confirm=SURE)
            elif what in ("receive", "part") and sent:
                about = chance.choice(sent[-3:])
                data = {"shipment": about.made.fact}
                waiting = sum(x.transit for x in depot.shipment(about.shipment).lines)
                units = chance.randint(0, max(waiting - 1, 0))
                if what == "part":
                    rest = bool(chance.getrandbits(1))
                    why = {} if rest else {"why": "short"}
                    data["lines"] = [line(units, rest=rest, **why)]
                made = depot.write("shipment.receive", data, store=depot.home, confirm=SURE)
            elif what == "cancel" and kept:
                data = {"shipment": chance.choice(kept).made.fact}
                made = depot.write("shipment.cancel", data, reason="x")
            elif what == "undo":
                able = sorted(ref for ref in held if ref not in self.undone)
                if able:
                    event = self.events[chance.choice(able)]
                    depot.retract(event.made)
                    self.undone.add(event.ref)
                return
            else:
                return
        except InputError as error:
            refused = error.code
            made = None
        assert made or refused in REFUSALS
        if made is None:
            return
        event = Event(made, what, made.subject, held, depot)
        self.events[event.ref] = event


def homes(story: Story) -> list[str]:
    return sorted({depot.home for depot in story.depots[:4]})


def told(seed: int, *, undo: bool = True) -> Story:
    chance = Random(seed)
    first, second = Depot("a"), Depot("b")
    for depot in (first, second):
        site = depot.write("site.register", {"name": f"Store {depot.name}", "type": "store"})
        depot.home = str(SiteId(site.subject))
    depots = [first, second, Depot("c", home=first.home), Depot("d", home=second.home)]
    depots.append(Depot("e", home=first.home))
    meet(*depots)
    for depot in (first, second):
        fill(depot, STOCKED)
    meet(*depots)
    story = Story(depots)
    weights = dict(WEIGHTS) if undo else {**WEIGHTS, "undo": 0}
    for what in chance.choices(list(weights), list(weights.values()), k=26):
        depot = chance.choice(depots)
        if what == "meet":
            meet(depot, chance.choice(depots))
        elif what == "gather":
            meet(*depots)
        else:
            story.act(depot, what, chance)
        for each in depots:
            adds_up(each, story)
    return story


def adds_up(depot: Depot, story: Story) -> None:
    """Stores, roads and what is given up come to what came in, whatever is here."""
    outside = stocked = moved = 0
    for home in homes(story):
        pair_id = stock_subject(SiteId.parse(home), ITEM)
        pair = Pair(History(pair_id, depot.facts(pair_id)))
        assert pair.low == pair.high, "nobody counted anything"
        stocked += pair.low
        for fact in pair.moves:
            assert isinstance(fact.record, Movement)
            if fact.record.shipment is None:
                outside += signed(fact)
            else:
                moved += signed(fact)
    assert stocked == outside + moved
    on_the_way = given_up = 0
    for subject, kind in depot.kinds.items():
        if kind == SubjectKind.SHIPMENT:
            for each in depot.shipment(subject).lines:
                on_the_way += each.transit
                given_up += each.missing
    # Each shelf receives whole subjects, so both sides of every step are here.
    assert stocked + on_the_way + given_up == outside == STOCKED * 2


@given(SEEDS)
@settings(max_examples=60, deadline=None)
def test_stores_and_roads_together_always_come_to_what_came_in(seed):
    story = told(seed)
    meet(*story.depots)

    for depot in story.depots:
        adds_up(depot, story)


@given(SEEDS)
@settings(max_examples=40, deadline=None)
def test_every_node_that_holds_the_same_says_the_same_in_any_order(seed):
    story = told(seed)
    meet(*story.depots)
    here, *others = story.depots

    chance = Random(seed)
    for subject, kind in here.kinds.items():
        facts = list(here.facts(subject))
        chance.shuffle(facts)
        rows = project(kind, subject, facts)
        assert rows == here.rows(subject)
        assert all(
            sorted(map(str, other.rows(subject))) == sorted(map(str, rows)) for other in others
        )


@given(SEEDS)
@settings(max_examples=60, deadline=None)
def test_what_two_wrote_apart_counts_once_and_what_knew_of_each_other_counts_twice(seed):
    story = told(seed, undo=False)
    meet(*story.depots)
    here = story.depots[0]

    def apart(one: Event, other: Event) -> bool:
        return one.ref not in other.held and other.ref not in one.held

    for home in homes(story):
        pair_id = stock_subject(SiteId.parse(home), ITEM)
        pair = Pair(History(pair_id, here.facts(pair_id)))
        moves = [fact for fact in pair.moves if cast(Movement, fact.record).cause is not None]
        counted = {_event(story, fact) for fact in moves}
        doubles = {
            _event(story, fact) for fact in here.facts(pair_id) if ref_of(fact) in pair.doubles
        }

        def same(one: FactRef, other: FactRef) -> bool:
            here, there = story.events[one], story.events[other]
            return here.shipment == there.shipment and (here.what == "send") == (
                there.what == "send"
            )

        for one in counted:
            for other in counted - {one}:
                assert not (same(one, other) and apart(story.events[one], story.events[other]))
        for one in doubles:
            assert any(
                same(one, other) and apart(story.events[one], story.events[other])
                for other in counted
            )


def _event(story: Story, fact: Any) -> FactRef:
    prefix, index = fact.record.cause
    return next(ref for ref in story.events if (bytes(ref.entry), ref.index) == (prefix, index))


@given(SEEDS)
@settings(max_examples=40, deadline=None)
def test_a_recall_that_races_an_issue_keeps_both_and_refuses_the_next(seed):
    chance = Random(seed)
    story = told(seed, undo=False)
    depots = story.depots
    recaller, issuer = chance.sample(depots[:4], 2)
    units = chance.randint(1, 5)
    patient = issuer.write("patient.register", {"given_name": "Aline"})
    given_out = issuer.write(
        "stock.dispense", line(units), store=issuer.home, patient=patient.id, confirm=SURE
    )
    recalled = recaller.write("lot.recall", {"item": ITEM, "lot": "L1", "why": "contaminated"})
    meet(*depots)

    for depot in depots:
        pair_id = stock_subject(SiteId.parse(issuer.home), ITEM)
        (row,) = [row for row in depot.table(pair_id, "movement") if row.patient == patient.subject]
        assert (row.units, row.standing, row.replaced, row.lot) == (-units, 0, 0, "L1")
        (held,) = depot.table(recalled.subject, "recall")
        assert (held.item, held.lot, held.replaced) == (ITEM, "L1", 0)
        assert depot.refuses("stock.issue", line(1), store=depot.home) == "lot_recalled"
    assert given_out.refs


def test_the_stories_do_write_things_apart():
    doubles = 0
    kinds: set[int] = set()
    for seed in range(40):
        story = told(seed, undo=False)
        meet(*story.depots)
        here = story.depots[0]
        for home in homes(story):
            pair_id = stock_subject(SiteId.parse(home), ITEM)
            doubles += len(Pair(History(pair_id, here.facts(pair_id))).doubles)
        kinds |= {fact.kind for facts in here.facts_by_subject.values() for fact in facts}
    assert doubles >= 5
    assert {KindNo.SHIPMENT_DISPATCH, KindNo.SHIPMENT_RECEIVE, KindNo.SHIPMENT_CANCEL} <= kinds
