"""SAFETY 15: what a device measured is marked and enters no score until somebody accepts it."""

import itertools

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.records.catalogue import decode_fact
from protocols.records.kinds import KindNo
from tests.unit.records_shelf import Shelf

SET = {"set": [{"code": "spo2", "value": "94", "unit": "%"},
               {"code": "heart-rate", "value": "80", "unit": "/min"}]}  # fmt: skip


def measured(source="device"):
    shelf = Shelf()
    patient = shelf.write("patient.register", {"given_name": "Awa"})
    return shelf, shelf.write("observation.record", SET, patient=patient.id, source=source)


def ids(written):
    return [str(ref) for ref in written.refs]


def waiting(shelf, written):
    return [row.unaccepted for row in shelf.table(written.subject, "observation")]


@pytest.mark.safety(15)
def test_safety_15_a_devices_values_wait_and_typed_ones_do_not():
    assert waiting(*measured()) == [1, 1]
    assert waiting(*measured("typed")) == [0, 0]


@pytest.mark.safety(15)
def test_one_acceptance_takes_a_whole_set_and_leaves_the_values_as_they_are():
    shelf, written = measured()
    before = [row.value for row in shelf.table(written.subject, "observation")]
    done = shelf.write("result.accept", {"results": ids(written)})

    rows = shelf.table(written.subject, "observation")
    assert [row.value for row in rows] == before
    assert [row.unaccepted for row in rows] == [0, 0]
    assert rows[0].accepted == done.refs[0].entry + done.refs[0].index.to_bytes(2)


@pytest.mark.safety(15)
def test_a_value_alone_is_accepted_alone():
    shelf, written = measured()
    shelf.write("result.accept", {"results": ids(written)[:1]})

    assert waiting(shelf, written) == [0, 1]


@pytest.mark.safety(15)
def test_an_acceptance_taken_back_lets_it_wait_again_until_the_last_is():
    here, written = measured()
    there = Shelf("b")
    there.receive(here)
    mine, theirs = (s.write("result.accept", {"results": ids(written)}) for s in (here, there))
    here.receive(there)
    there.receive(here)
    assert here.table(written.subject, "observation") == there.table(written.subject, "observation")
    here.write("entry.retract", {"fact": mine.fact}, reason="loose probe")
    assert waiting(here, written) == [0, 0]
    here.write("entry.retract", {"fact": theirs.fact}, reason="loose probe")
    assert waiting(here, written) == [1, 1]


@pytest.mark.safety(15)
def test_in_any_order_of_arrival_the_same_waits():
    here, written = measured()
    done = here.write("result.accept", {"results": ids(written)[1:]})
    here.write("entry.retract", {"fact": done.fact}, reason="x")
    again = here.write("result.accept", {"results": ids(written)[:1]})
    facts = here.facts_by_subject[written.subject]
    seen = set()
    for order in itertools.permutations(facts[-5:]):
        here.facts_by_subject[written.subject] = [*facts[:-5], *order]
        seen.add(tuple(waiting(here, written)))
    assert again.refs
    assert seen == {(0, 1)}


@pytest.mark.safety(15)
def test_a_result_is_accepted_before_and_after_it_has_its_patient():
    shelf = Shelf()
    patient = shelf.write("patient.register").id
    result = shelf.write("observation.record", SET, source="device")
    shelf.write("result.accept", {"results": [ids(result)[0]]})
    shelf.write("result.assign", {"result": ids(result)[0]}, patient=patient)
    shelf.write("result.accept", {"results": [ids(result)[1]]})

    assert waiting(shelf, result) == [0, 0]


@pytest.mark.safety(15)
def test_only_what_waits_is_accepted():
    shelf, written = measured()
    other, typed = shelf, shelf.write("observation.record", SET, patient=shelf_patient(shelf))
    name = ids(written)[0]

    def code(*named, **line):
        return other.refused("result.accept", {"results": list(named)}, **line).code

    assert code(ids(typed)[0]) == "not_unaccepted"
    assert code("fct_00000000000000000000000000.0") == "not_found"
    assert code("TG-1") == "bad_id"
    assert code() == "empty"
    assert code(*[name] * 33) == "too_many"
    assert code(name, source="device") == "not_taken"
    elsewhere = shelf.write("observation.record", SET, source="device")
    assert code(name, ids(elsewhere)[0]) == "wrong_subject"
    shelf.write("entry.retract", {"fact": ids(written)[1]}, reason="wrong child")
    assert code(ids(written)[1]) == "not_unaccepted"
    shelf.write("result.accept", {"results": [name]})
    assert code(name) == "not_unaccepted"


@pytest.mark.safety(15)
@given(st.binary(max_size=20) | st.binary(min_size=16, max_size=16), st.integers(-9, 2**17))
def test_what_names_no_fact_is_unreadable(prefix, index):
    raw = msgspec.msgpack.encode([None, [], [[prefix, index]]])
    whole = len(prefix) in (0, 16) and 0 <= index < 2**16

    assert (decode_fact(KindNo.RESULT_ACCEPT, raw) is not None) is whole


def shelf_patient(shelf):
    return shelf.write("patient.register", {"given_name": "Bo"}).id
