"""Steps of guidelines as they are recorded: what was done by which version, together and apart."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.records.guideline import current
from protocols.records.rows import summary, to_json
from tests.unit.records_shelf import NOW_MS, Shelf

DIGEST = "0f" * 32
FIRST: dict[str, Any] = {
    "name": "cholera-c",
    "version": "1",
    "digest": DIGEST,
    "step": "first",
    "answers": {"weight": "54", "wasted": False, "muac": None},
    "amounts": ["30 × 54 = 1 620 mL"],
}


def in_care(name: str = "a") -> tuple[Shelf, Any, str]:
    shelf = Shelf(name)
    patient = shelf.write("patient.register", {"tags": ["B12"]})
    shelf.write("encounter.open", patient=patient.id)
    return shelf, patient.subject, patient.id


def course(shelf: Shelf, subject: Any, name: str = "cholera-c") -> Any:
    found = shelf.table(subject, "guideline_step")
    stay = next(iter(shelf.table(subject, "encounter"))).id
    return current(found, name, stay)


@pytest.mark.safety(8)
def test_safety_8_a_step_keeps_pack_version_answers_arithmetic_and_that_nobody_approved():
    shelf, subject, patient = in_care()
    shelf.write("guideline.step", FIRST, patient=patient)

    (row,) = [to_json(row) for row in shelf.table(subject, "guideline_step")]

    kept = {key: row[key] for key in ("name", "version", "digest", "did", "step", "approved")}
    assert kept == {
        "name": "cholera-c", "version": "1", "digest": DIGEST, "did": "done", "step": "first",
        "approved": False,
    }  # fmt: skip
    assert json.loads(row["answers"]) == {"muac": None, "wasted": 0, "weight": "54"}
    assert row["amounts"] == "30 × 54 = 1 620 mL"
    said = dict(summary(shelf.facts(subject)[-1]))
    assert said["guideline"] == "cholera-c 1"
    assert said["approval"] == "not-approved"


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"step": None}, "missing_field", "data.step"),
        ({"did": "guessed"}, "bad_value", "data.did"),
        ({"did": "judged"}, "bad_value", "data.step"),
        ({"did": "skipped"}, "reason_needed", "reason"),
        ({"digest": "0f"}, "bad_value", "data.digest"),
        ({"digest": "zz"}, "bad_value", "data.digest"),
        ({"name": " "}, "empty", "data.name"),
        ({"course": 100}, "out_of_range", "data.course"),
        ({"course": -1}, "out_of_range", "data.course"),
        ({"amounts": ["x"] * 5}, "too_many", "data.amounts"),
        ({"answers": {str(n): 1 for n in range(65)}}, "too_many", "data.answers"),
        ({"answers": {"n": 2**31}}, "out_of_range", "data.answers.n"),
    ],
)
def test_what_is_none_is_refused_by_field(change, code, field):
    shelf, _, patient = in_care()

    refused = shelf.refused("guideline.step", FIRST | change, patient=patient)

    assert (refused.code, refused.field) == (code, field)


def test_the_most_that_is_taken_is_taken():
    shelf, subject, patient = in_care()
    most = {"course": 99, "amounts": ["x" * 160] * 4, "answers": {str(n): 1 for n in range(64)}}
    shelf.write("guideline.step", FIRST | most, patient=patient)

    assert len(course(shelf, subject).steps) == 1


def two_tents() -> tuple[Shelf, Shelf, Any, str]:
    one, subject, patient = in_care("a")
    other = Shelf("b")
    other.receive(one)
    return one, other, subject, patient


def test_a_step_that_two_people_ticked_apart_is_ticked_by_both_on_both_nodes():
    one, other, subject, patient = two_tents()
    one.write("guideline.step", FIRST, patient=patient)
    other.write("guideline.step", FIRST | {"version": "2"}, patient=patient)

    one.receive(other)
    other.receive(one)

    assert sorted(step.version for step in course(one, subject).steps) == ["1", "2"]
    assert {(s.entry, s.idx) for s in course(one, subject).steps} == {
        (s.entry, s.idx) for s in course(other, subject).steps
    }


def test_done_by_one_and_left_out_by_another_says_both():
    one, other, subject, patient = two_tents()
    one.write("guideline.step", FIRST, patient=patient)
    skipped = FIRST | {"did": "skipped"}
    other.write("guideline.step", skipped, patient=patient, reason="no fluid left")
    one.receive(other)

    said = {(step.did, step.reason) for step in course(one, subject).steps}

    assert said == {("done", ""), ("skipped", "no fluid left")}


def test_taking_a_record_back_unticks_only_it():
    one, other, subject, patient = two_tents()
    wrong = one.write("guideline.step", FIRST, patient=patient).fact
    other.write("guideline.step", FIRST, patient=patient)
    one.write("entry.retract", {"fact": str(wrong)}, reason="other bed")
    one.receive(other)

    assert len(course(one, subject).steps) == 1


def test_beginning_anew_leaves_what_was_before_behind():
    shelf, subject, patient = in_care()
    shelf.write("guideline.step", FIRST, patient=patient)
    shelf.now_ms = NOW_MS + 3_600_000
    shelf.write("guideline.step", FIRST | {"course": 1, "step": "then"}, patient=patient)

    found = course(shelf, subject)

    assert (found.number, found.began_ms) == (1, NOW_MS + 3_600_000)
    assert [step.step for step in found.steps] == ["then"]
    assert course(shelf, subject, "cholera-a") is None


TICKS = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.sampled_from(("first", "then", "antibiotic")),
        st.sampled_from(("done", "skipped", "undo", "meet")),
        st.integers(0, 3),
    ),
    max_size=12,
)


@given(TICKS)
def test_whoever_meets_in_whatever_order_has_the_same_course_with_every_tick(ticks):
    first, subject, patient = in_care("a")
    shelves = [first, Shelf("b"), Shelf("c")]
    for shelf in shelves[1:]:
        shelf.receive(first)
    written, taken_back = set(), set()
    for minute, (who, step, did, other) in enumerate(ticks):
        shelf = shelves[who]
        for each in shelves:
            each.now_ms = NOW_MS + minute * 60_000
        own = [fact for fact in shelf.facts(subject) if fact.kind == 124]
        if did == "meet":
            shelf.receive(shelves[other % 3])
        elif did == "undo":
            left = [str(fact.ref) for fact in own if str(fact.ref) not in taken_back]
            known = left[other % len(left)] if left else None
            if known is not None:
                shelf.write("entry.retract", {"fact": known}, reason="x")
                taken_back.add(known)
        else:
            data = FIRST | {"step": step, "did": did, "course": other % 2}
            written.add(shelf.write("guideline.step", data, patient=patient, reason="r").fact)
    for shelf in shelves * 2:
        for each in shelves:
            shelf.receive(each)

    courses = [course(shelf, subject) for shelf in shelves]

    assert courses[0] == courses[1] == courses[2]
    standing = [row for row in first.table(subject, "guideline_step") if not row.replaced]
    assert len(standing) == len(written - taken_back)
    if standing:
        newest = max(row.course for row in standing)
        assert len(courses[0].steps) == sum(row.course == newest for row in standing)
