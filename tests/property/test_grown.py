"""What a subject comes to is the same whether read whole or grown by what came last."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from protocols.ids import DocId
from protocols.records.catalogue import project
from protocols.records.history import History, InOrder
from protocols.records.shape import Fact
from tests.property.test_records_merging import STEPS, apart, everything
from tests.unit.records_shelf import Shelf


def told(history: History) -> dict[str, Any]:
    """Everything a history says, the order of what it holds by key too."""
    found = dict(vars(history))
    for name, held in found.items():
        if isinstance(held, dict):
            found[name] = list(held.items())
    return found | {"worked_out": None}


def rows(subject: DocId, facts: list[Fact], history: History) -> list[Any]:
    read = InOrder(facts)
    read.history = history
    return project(1, subject, read)


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
        before = InOrder(facts[:cut])
        read = History(subject, before)
        if before:
            # Families keep what they made of it: none of that is taken for what it came to.
            rows(subject, before, read)
        said = told(read)
        whole = InOrder(facts)
        grown = read.grown(whole, facts[cut:])
        assert told(read) == said
        if grown is not None:
            anew = History(subject, InOrder(facts))
            assert told(grown) == told(anew)
            assert rows(subject, facts, grown) == rows(subject, facts, anew)
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
