"""What a board says of how somebody does: score, trend, what alerts, when the next set is due."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.guidelines.ages import UNKNOWN, AgeSpan, Side, of_days
from protocols.guidelines.due import shipped_due
from protocols.guidelines.limits import shipped_limits
from protocols.guidelines.news2 import shipped_news2
from protocols.ledger import watching
from protocols.live import answers, wards
from protocols.live.api import BoardPage
from protocols.records.patient import PatientRow
from protocols.records.watch import (
    Measured,
    Packs,
    Stay,
    Watch,
    age_span,
    place,
    reading_of,
    sets_of,
    watch,
)
from tests.unit.stage import WALL_MS, Device, patient

PACKS = Packs(shipped_news2(), shipped_limits(), shipped_due())
ADULT, CHILD = of_days(30 * 365.25), of_days(5 * 365.25)
MINUTE = 60_000
FINE = {
    "respiratory-rate": ("16", "/min"),
    "spo2": ("98", "%"),
    "oxygen": ("0", "L/min"),
    "systolic": ("120", "mm[Hg]"),
    "heart-rate": ("70", "/min"),
    "consciousness": ("alert", ""),
    "temperature": ("37.0", "Cel"),
}


def taken(at_ms, **other):
    values = {**FINE, **{code.replace("_", "-"): said for code, said in other.items()}}
    return [
        Measured(at_ms, code, said[0], said[1], "" if len(said) < 3 else said[2])
        for code, said in values.items()
        if said
    ]


def looked(*values, age=ADULT, **stay):
    return watch(PACKS, sets_of(values), Stay(arrived_ms=0, **stay), age)


def test_a_whole_set_is_scored_and_says_when_the_next_is_due():
    found = looked(*taken(1_000))
    minutes = next(
        row.minutes for row in PACKS.due.news if row.risk == "low" and not row.from_score
    )

    assert (found.score, found.least, found.last_ms) == (0, False, 1_000)
    assert found.due_ms == 1_000 + minutes * MINUTE
    assert found.late_ms == found.due_ms + PACKS.due.set.late_minutes * MINUTE


@pytest.mark.safety(6)
def test_safety_6_a_partial_set_is_a_lower_bound_and_unrecordable_scores_and_alerts():
    assert looked(*taken(1, temperature=())).least is True
    worse = looked(*taken(1, systolic=("", "", "unrecordable")))
    assert (worse.score, worse.alerts) == (3, ("unrecordable.systolic",))
    assert looked(*taken(1, systolic=("", "", "not-measured"))).least is True


@pytest.mark.safety(7)
@pytest.mark.parametrize(
    ("age", "stay"),
    [(CHILD, {}), (UNKNOWN, {}), (ADULT, {"sex": 3}), (AgeSpan(15 * 365.25, 17 * 365.25), {})],
)
def test_safety_7_no_score_for_a_child_in_pregnancy_or_an_age_across_the_limit(age, stay):
    found = looked(*taken(1, heart_rate=("190", "/min")), age=age, **stay)

    assert found.score is None
    assert found.alerts


def test_the_trend_is_of_whole_sets_and_a_lower_bound_can_only_have_risen():
    fine, worse = taken(1_000), taken(2_000, respiratory_rate=("26", "/min"))
    assert looked(*fine, *worse).trend == 1
    assert looked(*taken(3_000), *worse).trend == -1
    assert looked(*worse, *taken(2_500, temperature=(), spo2=())).trend == 0
    assert looked(*fine, *taken(2_500, temperature=(), spo2=("88", "%"))).trend == 1
    assert looked(*taken(1_000, temperature=()), *worse).trend == 0


def test_of_two_values_of_one_instant_the_worse_counts_in_either_order():
    low = [*taken(5), Measured(5, "respiratory-rate", "26", "/min", "")]
    assert looked(*low).score == looked(*reversed(low)).score == 3


def test_nothing_is_due_for_the_dead_and_the_first_set_counts_from_the_arrival():
    assert looked(*taken(1), triage=0).due_ms is None
    assert looked(triage=3).due_ms == PACKS.due.set.first_minutes * MINUTE


@given(st.lists(st.sampled_from([*taken(1), *taken(9, spo2=("90", "%")), *taken(4)])), st.randoms())
def test_in_any_order_and_however_often_the_same_comes_out(values, chance):
    again = [*values, *values[:2]]
    chance.shuffle(again)

    assert looked(*again) == looked(*values)


@given(st.text(max_size=8), st.text(max_size=8), st.text(max_size=8), st.text(max_size=8))
def test_what_cannot_be_read_counts_as_not_measured(code, value, unit, absent):
    assert looked(Measured(1, code, value, unit, absent)).score is None
    assert looked(Measured(1, "spo2", value, unit, absent)) is not None


def whose(**age) -> PatientRow:
    return PatientRow(entry=0, idx=0, kind=0, standing=0, at_ms=0, id=b"x" * 16, **age)


def test_an_age_is_as_wide_as_it_is_known():
    day = WALL_MS // 86_400_000
    stated = age_span(whose(age_value=15, age_unit=0, age_day=day - 40), WALL_MS)
    assert stated.since < 16 * 365.25 < stated.below
    assert age_span(whose(birth_date="2010"), WALL_MS).below - 365 > 15 * 365.25
    assert age_span(whose(birth_date="2999-01-01"), WALL_MS) == UNKNOWN
    assert age_span(whose(), WALL_MS) == UNKNOWN
    assert age_span(whose(band=4), WALL_MS).since == 18 * 365.25


def test_the_order_of_a_board_is_the_highest_score_and_the_soonest_due():
    three, eight, none = Watch(score=3, due_ms=5), Watch(score=8, due_ms=9), Watch(alerts=("x",))
    assert sorted((three, none, eight), key=lambda w: place(w, "score")) == [eight, three, none]
    assert sorted((eight, none, three), key=lambda w: place(w, "due")) == [three, eight, none]


# on a book


def record(device, *lines):
    answers_, _, _ = device.node._recorder.record(list(lines), WALL_MS, device.chance.randbytes)
    assert all(one.ok for one in answers_), answers_
    return answers_


def measured(whom, key, source=None, **other):
    said = [
        {"code": m.code, "value": m.value, **({"unit": m.unit} if m.unit else {})}
        for m in taken(0, **other)
    ]
    line = {"v": 1, "kind": "observation.record", "key": key, "patient": whom,
            "confirm": ["unusual_value"], "data": {"set": said}}  # fmt: skip
    return line | ({"source": source} if source else {})


def came(device, name, **stay):
    (made,) = record(device, patient(name) | {"key": name})
    record(device, {"v": 1, "kind": "encounter.open", "key": f"stay {name}", "patient": made.code,
                    "data": stay})  # fmt: skip
    record(device, {"v": 1, "kind": "patient.identify", "key": f"age {name}", "patient": made.code,
                    "data": {"age": {"value": "40", "unit": "y"}}})  # fmt: skip
    return made.code


def shown(device, **asked) -> BoardPage:
    return wards.board(device.ledger, 0, 50, "", WALL_MS, **asked)


@pytest.mark.safety(15)
def test_safety_15_a_devices_values_are_in_no_score_until_they_are_accepted():
    ann = Device.found("ann")
    awa = came(ann, "Awa")
    (written,) = record(ann, measured(awa, "m", "device", spo2=("85", "%")))
    (line,) = shown(ann).lines
    assert (line.score, line.last_set_ms) == (None, None)
    chart = answers.chart(ann.ledger, line.patient, 0, 50, WALL_MS)
    assert {one.unconfirmed for one in chart.lines if one.kind == "observation.record"} == {True}

    accept = {"v": 1, "kind": "result.accept", "key": "a", "data": {"results": written.facts}}
    record(ann, accept)
    assert shown(ann).lines[0].score == 3
    chart = answers.chart(ann.ledger, line.patient, 0, 50, WALL_MS)
    assert chart.head.score == 3
    assert all(one.confirmed for one in chart.lines if one.kind == "observation.record")


def test_what_does_not_stand_or_was_taken_back_is_in_no_score_wherever_it_was_written():
    ann = Device.found("ann")
    awa = came(ann, "Awa")
    (written,) = record(ann, measured(awa, "m", spo2=("85", "%")))
    assert shown(ann).lines[0].score == 3
    for column in ("standing", "replaced"):
        ann.store.execute(f"UPDATE observation SET {column} = 1")
        assert shown(ann).lines[0].score is None
        ann.store.execute(f"UPDATE observation SET {column} = 0")
    assert shown(ann).lines[0].score == 3
    for number, fact in enumerate(written.facts):
        record(ann, undo(fact, f"u{number}"))
    assert shown(ann).lines[0].score is None

    lost = measured("ZZZ", "n", "device", spo2=("85", "%"))
    del lost["patient"]
    (written,) = record(ann, lost)
    record(ann, {"v": 1, "kind": "result.assign", "key": "g", "patient": awa,
                 "data": {"result": written.facts[0]}})  # fmt: skip
    record(ann, {"v": 1, "kind": "result.accept", "key": "a", "data": {"results": written.facts}})
    assert shown(ann).lines[0].score == 3
    for number, fact in enumerate(written.facts):
        record(ann, undo(fact, f"w{number}"))
    assert shown(ann).lines[0].score is None


def undo(fact, key):
    data = {"fact": fact}
    return {"v": 1, "kind": "entry.retract", "key": key, "data": data, "reason": "another patient"}


def test_a_result_that_got_its_patient_later_is_in_the_score_once_accepted():
    ann = Device.found("ann")
    awa = came(ann, "Awa")
    lost = measured("ZZZ", "m", "device", spo2=("85", "%"))
    del lost["patient"]
    (written,) = record(ann, lost)
    record(ann, {"v": 1, "kind": "result.assign", "key": "g", "patient": awa,
                 "data": {"result": written.facts[0]}})  # fmt: skip
    assert shown(ann).lines[0].score is None
    record(ann, {"v": 1, "kind": "result.accept", "key": "a", "data": {"results": written.facts}})

    assert shown(ann).lines[0].score == 3


def test_a_board_is_sorted_by_score_wait_and_due_and_filtered_by_ward():
    ann = Device.found("ann")
    beds = (("One", "W1", "1"), ("Two", "W1", "1"), ("Three", "W2", "1"))
    one, two, three = (came(ann, name, ward=ward, bed=bed) for name, ward, bed in beds)
    record(ann, measured(one, "m1"), measured(three, "m3", respiratory_rate=("30", "/min")))

    def names(**asked):
        return [line.code for line in shown(ann, **asked).lines]

    assert names(sort="score") == [three, one, two]
    assert names(sort="due")[0] == two
    assert names(ward="W2") == [three]
    assert shown(ann).wards == ("W1", "W2")
    assert {line.code for line in shown(ann).lines if line.bed_shared} == {one, two}
    assert shown(ann).signed is False


def test_what_is_entered_in_error_is_out_of_the_score_at_once():
    ann = Device.found("ann")
    awa = came(ann, "Awa")
    record(ann, measured(awa, "m1"))
    (bad,) = record(ann, measured(awa, "m2", spo2=("80", "%")) | {"at": WALL_MS + 1_000})
    assert shown(ann).lines[0].score == 3
    record(ann, *({"v": 1, "kind": "entry.retract", "key": f"r{at}", "reason": "x",
                   "data": {"fact": fact}} for at, fact in enumerate(bad.facts)))  # fmt: skip

    assert shown(ann).lines[0].score == 0


def test_at_most_so_many_are_looked_at_and_that_is_said(monkeypatch):
    ann = Device.found("ann")
    for n in range(4):
        came(ann, f"P{n}")
    monkeypatch.setattr(watching, "PATIENTS_MAX", 3)

    assert (shown(ann, sort="score").limited, shown(ann, sort="score").total) == (True, 3)
    assert (shown(ann).limited, shown(ann).total) == (False, 4)


@pytest.mark.safety(1)
@pytest.mark.parametrize(
    ("unit", "number", "days"),
    [(0, 7, 7 * 365.25), (1, 22, 22 * 30.4375), (2, 6, 42.0), (3, 5, 5.0)],
)
def test_safety_1_an_age_is_as_old_as_its_unit_says(unit, number, days):
    day = WALL_MS // 86_400_000
    length = days / number

    span = age_span(whose(age_value=number, age_unit=unit, age_day=day), WALL_MS)
    assert span == AgeSpan(days, days + length)
    later = age_span(whose(age_value=number, age_unit=unit, age_day=day - 3), WALL_MS)
    assert later == AgeSpan(days + 3, days + 3 + length)
    assert age_span(whose(age_value=number, age_unit=7), WALL_MS) == UNKNOWN


@pytest.mark.safety(2)
def test_safety_2_a_guess_of_an_age_near_a_limit_is_on_no_side_of_it():
    day = WALL_MS // 86_400_000
    said = {"age_value": 17, "age_unit": 0, "age_day": day}

    assert age_span(whose(**said), WALL_MS).side(16 * 365.25) is Side.FROM
    assert age_span(whose(**said, age_estimated=1), WALL_MS).side(16 * 365.25) is Side.SPANS


def test_the_dead_have_neither_score_nor_alert_nor_anything_due():
    bad = taken(1, heart_rate=("190", "/min"), systolic=("", "", "unrecordable"))

    assert looked(*bad).alerts
    found = looked(*bad, triage=0)
    assert (found.score, found.alerts, found.due_ms, found.last_ms) == (None, (), None, 1)


def test_a_value_is_compared_in_the_first_unit_of_its_observation():
    grams = reading_of(Measured(1, "weight", "3200", "g", ""))
    assert grams.value == Fraction("3.2")
    assert not reading_of(Measured(1, "weight", "3200", "[lb_av]", "")).given
    assert not reading_of(Measured(1, "temperature", "37.0", "kg", "")).given
