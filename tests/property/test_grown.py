"""What a subject comes to is the same whether read whole or grown by what came last."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.ids import DocId, EntryPrefix
from protocols.records.catalogue import project
from protocols.records.correction import EntryRetract
from protocols.records.history import History, InOrder
from protocols.records.kinds import KindNo
from protocols.records.shape import Fact
from tests.property.test_records_merging import STEPS, apart, everything
from tests.property.test_stock_hostile import SEEDS, Forger
from tests.property.test_stock_merging import told as told_of_stock
from tests.unit.records_shelf import Shelf


def told(history: History) -> dict[str, Any]:
    """Everything a history says, the order of what it holds by key too; of its own from now on."""
    found = dict(vars(history))
    for name, held in found.items():
        if isinstance(held, dict):
            found[name] = [
                (key, [*each] if isinstance(each, list) else each) for key, each in held.items()
            ]
    return found | {"worked_out": None}


def rows(subject: DocId, facts: list[Fact], history: History, kind: int = 1) -> list[Any]:
    read = InOrder(facts)
    read.history = history
    return project(kind, subject, read)


def grown_from(subject: DocId, facts: list[Fact], cut: int, kind: int = 1) -> History | None:
    """What these facts come to, from what the first of them came to; it is as if read whole."""
    before = InOrder(facts[:cut])
    read = History(subject, before)
    if before:
        # Families keep what they made of it: none of that is taken for what it came to.
        rows(subject, before, read, kind)
    said = told(read)
    grown = read.grown(InOrder(facts), facts[cut:])
    assert told(read) == said
    if grown is not None:
        anew = History(subject, InOrder(facts))
        assert told(grown) == told(anew)
        assert rows(subject, facts, grown, kind) == rows(subject, facts, anew, kind)
    return grown


@given(STEPS, st.integers(2, 4), st.randoms(use_true_random=False), st.sampled_from((0, 0.2)))
def test_a_history_that_grew_is_one_read_whole(steps, tents, chance, unproven):
    subject, facts = everything(apart(steps, tents))
    facts = [
        msgspec.structs.replace(fact, standing=3) if chance.random() < unproven else fact
        for fact in facts
    ]
    # Whoever's clock is wrong names what comes later in this order.
    chance.shuffle(facts)
    for cut in range(len(facts)):
        grown = grown_from(subject, facts, cut)
        if cut < len(facts) - 1:
            continue
        said_of_others = facts[-1].kind in (1, 56) or facts[-1].record.supersedes
        if not said_of_others and not unproven and not (anything_named(facts)):
            assert grown is not None


def anything_named(facts: list[Fact]) -> bool:
    return any(fact.record is not None and fact.record.supersedes for fact in facts)


def test_what_says_nothing_of_others_is_added():
    shelf = Shelf("a")
    patient = shelf.write("patient.register", {"given_name": "Aline", "tags": ["B12"]}).id
    for number in (80, 90):
        line = {"code": "heart-rate", "value": str(number), "unit": "/min"}
        shelf.write("observation.record", line, patient=patient)
    (subject,) = shelf.kinds
    facts = list(shelf.facts(subject))

    grown = History(subject, InOrder(facts[:-1])).grown(InOrder(facts), facts[-1:])

    assert grown is not None and told(grown) == told(History(subject, InOrder(facts)))


def test_what_was_taken_back_before_it_came_is_not_added():
    shelf = Shelf("a")
    patient = shelf.write("patient.register", {"given_name": "Aline", "tags": ["B12"]}).id
    wrong = shelf.write("patient.identify", {"village": "Gitega"}, patient=patient)
    shelf.write("entry.retract", {"fact": str(wrong.refs[0])}, patient=patient, reason="error")
    (subject,) = shelf.kinds
    *others, said, retraction = shelf.facts(subject)

    assert History(subject, InOrder([*others, retraction])).grown(InOrder(), [said]) is None


@given(SEEDS)
def test_a_store_that_grew_is_one_read_whole(seed: int) -> None:
    """Whatever members write, what was caused by what was taken back too."""
    depot = told_of_stock(seed, steps=12)
    forger = Forger(depot, seed)
    acts = (forger.movement, forger.movement, forger.movement, forger.count, forger.misplaced)
    facts = [*forger.facts, *(forger.chance.choice(acts)() for _ in range(16))]
    for at, fact in enumerate(facts):
        if getattr(fact.record, "cause", fact) is not fact and forger.chance.random() < 0.6:
            record = msgspec.structs.replace(fact.record, cause=forger.chance.choice(forger.known))
            facts[at] = msgspec.structs.replace(fact, record=record)
    for seen in range(2):
        facts.sort(key=lambda fact: (fact.order, fact.index))
        if seen:
            forger.chance.shuffle(facts)
        for cut in (*forger.chance.sample(range(len(facts)), 3), len(facts) - 1):
            grown_from(depot.subject, facts, cut, kind=7)


@pytest.mark.parametrize("taken_back", [True, False])
def test_what_follows_from_a_record_taken_back_elsewhere_is_not_added(taken_back: bool) -> None:
    depot = told_of_stock(1, steps=20)
    forger = Forger(depot, 1)
    (dose, given_back) = ((b"d" * 16, 1), (b"r" * 16, 1))
    whole = forger.facts[-1]
    moved = next(f for f in forger.facts if getattr(f.record, "cause", f) is None)
    caused = msgspec.structs.replace(
        moved,
        prefix=EntryPrefix(b"c" * 16),
        order=(whole.order[0] + 2, EntryPrefix(b"c" * 16)),
        record=msgspec.structs.replace(moved.record, supersedes=(), cause=dose),
    )
    retraction = msgspec.structs.replace(
        whole,
        prefix=EntryPrefix(b"s" * 16),
        index=0,
        kind=int(KindNo.ENTRY_RETRACT),
        order=(whole.order[0] + 1, EntryPrefix(b"s" * 16)),
        record=EntryRetract(None, (dose,), given_back),
    )
    facts = [*forger.facts, *([retraction] if taken_back else []), caused]

    grown = grown_from(depot.subject, facts, len(facts) - 1, kind=7)

    assert (grown is None) == taken_back
