"""START, JumpSTART and the interagency tool at every limit and one step to each side."""

from __future__ import annotations

from importlib.resources import files
from itertools import product

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import InputError, SetupError
from protocols.guidelines import ages
from protocols.guidelines.decimals import Decimal, read_decimal
from protocols.guidelines.expressions import Absent
from protocols.guidelines.observations import observations
from protocols.guidelines.questions import take
from protocols.guidelines.triage import (
    Ask,
    Outcome,
    check,
    next_step,
    read_triage,
    shipped_triage,
)
from protocols.records import triage as records
from protocols.records.attributes import Category

PACK = shipped_triage()
TEXT = (files("protocols.guidelines") / "packs" / "triage.toml").read_text("utf-8")
START = PACK.guided("start")
IITT = PACK.guided("iitt")
ADULT = ages.of_days(ages.days("30 y"))
CHILD = ages.of_days(ages.days("6 y"))
DEAD, RED, YELLOW, GREEN = 0, 1, 2, 3

CALM = {
    "walks": False,
    "breathes": True,
    "breathes_opened": False,
    "pulse": True,
    "breathes_rescued": False,
    "resp_rate": "20",
    "regular": True,
    "radial_pulse": True,
    "peripheral_pulse": True,
    "capillary_refill": "1",
    "obeys": True,
    "avpu": "alert",
    "red_signs": [],
    "red_pairs": [],
    "dehydration": [],
    "pregnant": False,
    "red_pregnant": [],
    "systolic": "120",
    "diastolic": "80",
    "heart_rate": "100",
    "yellow_signs": [],
    "temperature": "37",
    "spo2": "97",
    "consciousness": "alert",
    "concern": False,
}


def walk(guide, age, pregnant=None, **changed) -> tuple[Outcome, list[str]]:
    """Answer every question that comes, until there is a category."""
    answers, asked = {}, []
    while True:
        step = next_step(PACK, guide, answers, age=age, pregnant=pregnant)
        if isinstance(step, Outcome):
            return step, asked
        name = step.question.id
        assert name not in asked
        asked.append(name)
        answers[name] = take(step.question, {**CALM, **changed}[name])


def category(guide, age, pregnant=None, **changed) -> int:
    return walk(guide, age, pregnant, **changed)[0].category


WORSE = [GREEN, YELLOW, RED, DEAD]


@pytest.mark.parametrize("age", [ADULT, CHILD])
def test_yes_is_never_the_worse_answer_in_the_guides_for_many_at_once(age):
    name = "start" if age is ADULT else "jumpstart"
    (algorithm,) = [one for one in PACK.algorithm if one.id == name]
    asked = [one.id for one in algorithm.question if one.type == "truth"]
    for answers in product((True, False), repeat=len(asked)):
        given = dict(zip(asked, answers, strict=True))
        said = WORSE.index(category(START, age, **given))
        for each in (one for one in asked if not given[one]):
            assert WORSE.index(category(START, age, **{**given, each: True})) <= said, each


def test_start_asks_only_what_matters():
    assert walk(START, ADULT, walks=True)[1] == ["walks"]
    assert walk(START, ADULT, breathes=False)[1] == ["walks", "breathes", "breathes_opened"]
    assert walk(START, ADULT, resp_rate="31")[1] == ["walks", "breathes", "resp_rate"]
    assert walk(START, ADULT, radial_pulse=False)[1][-1] == "radial_pulse"
    assert len(walk(START, ADULT)[1]) == 6


@pytest.mark.parametrize(
    ("changed", "wanted"),
    [
        ({"walks": True}, GREEN),
        ({"breathes": False}, DEAD),
        ({"breathes": False, "breathes_opened": True}, RED),
        ({"resp_rate": "29"}, YELLOW),
        ({"resp_rate": "30"}, YELLOW),
        ({"resp_rate": "31"}, RED),
        ({"radial_pulse": False}, RED),
        ({"capillary_refill": "1.9"}, YELLOW),
        ({"capillary_refill": "2.0"}, YELLOW),
        ({"capillary_refill": "2.1"}, RED),
        ({"capillary_refill": None}, YELLOW),
        ({"obeys": False}, RED),
        ({}, YELLOW),
    ],
)
def test_start_at_its_limits(changed, wanted):
    assert category(START, ADULT, **changed) == wanted


@pytest.mark.parametrize(
    ("changed", "wanted"),
    [
        ({"walks": True}, GREEN),
        ({"breathes": False, "breathes_opened": True}, RED),
        ({"breathes": False, "pulse": False}, DEAD),
        ({"breathes": False, "breathes_rescued": True}, RED),
        ({"breathes": False}, DEAD),
        ({"resp_rate": "14"}, RED),
        ({"resp_rate": "15"}, YELLOW),
        ({"resp_rate": "16"}, YELLOW),
        ({"resp_rate": "44"}, YELLOW),
        ({"resp_rate": "45"}, YELLOW),
        ({"resp_rate": "46"}, RED),
        ({"regular": False}, RED),
        ({"peripheral_pulse": False}, RED),
        ({"avpu": "voice"}, YELLOW),
        ({"avpu": "pain-fitting"}, YELLOW),
        ({"avpu": "pain-unfitting"}, RED),
        ({"avpu": "unresponsive"}, RED),
        ({}, YELLOW),
    ],
)
def test_jumpstart_at_its_limits(changed, wanted):
    found, _ = walk(START, CHILD, **changed)

    assert (found.algorithm, found.category) == ("jumpstart", wanted)


def test_a_child_who_walks_is_triaged_again_infants_first():
    assert walk(START, CHILD, walks=True)[0].rule.notes == ("secondary_triage_infants_first",)


@pytest.mark.parametrize(
    ("changed", "wanted"),
    [
        ({}, GREEN),
        ({"heart_rate": "49"}, RED),
        ({"heart_rate": "50"}, RED),
        ({"heart_rate": "59"}, RED),
        ({"heart_rate": "60"}, GREEN),
        ({"heart_rate": "61"}, GREEN),
        ({"heart_rate": "129"}, GREEN),
        ({"heart_rate": "130"}, GREEN),
        ({"heart_rate": "131"}, RED),
        ({"heart_rate": "150"}, RED),
        ({"heart_rate": "151"}, RED),
        ({"heart_rate": "unrecordable"}, RED),
        ({"heart_rate": None}, GREEN),
        ({"resp_rate": "9"}, RED),
        ({"resp_rate": "10"}, GREEN),
        ({"resp_rate": "11"}, GREEN),
        ({"resp_rate": "29"}, GREEN),
        ({"resp_rate": "30"}, GREEN),
        ({"resp_rate": "31"}, RED),
        ({"temperature": "35.9"}, RED),
        ({"temperature": "36"}, GREEN),
        ({"temperature": "36.1"}, GREEN),
        ({"temperature": "38.9"}, GREEN),
        ({"temperature": "39"}, GREEN),
        ({"temperature": "39.1"}, RED),
        ({"spo2": "91"}, RED),
        ({"spo2": "92"}, GREEN),
        ({"spo2": "93"}, GREEN),
        ({"spo2": "unrecordable"}, RED),
        ({"consciousness": "confused"}, RED),
        ({"consciousness": "voice"}, RED),
        ({"concern": True}, RED),
        ({"red_pairs": ["headache"]}, GREEN),
        ({"red_pairs": ["headache", "stiff-neck"]}, RED),
    ],
)
def test_the_adult_interagency_tool_at_its_limits(changed, wanted):
    assert category(IITT, ADULT, pregnant=False, **changed) == wanted


@pytest.mark.parametrize(
    ("changed", "wanted"),
    [
        ({"systolic": "159"}, GREEN),
        ({"systolic": "160"}, RED),
        ({"systolic": "161"}, RED),
        ({"diastolic": "109"}, GREEN),
        ({"diastolic": "110"}, RED),
        ({"systolic": None, "diastolic": "111"}, RED),
        ({"systolic": None, "diastolic": None}, GREEN),
        ({"red_pregnant": ["labour"]}, RED),
    ],
)
def test_the_interagency_tool_in_pregnancy_at_its_limits(changed, wanted):
    assert category(IITT, ADULT, pregnant=True, **changed) == wanted


def test_pressure_is_not_asked_where_nobody_is_pregnant():
    assert "systolic" not in walk(IITT, ADULT, pregnant=False)[1]
    assert "pregnant" not in walk(IITT, ADULT, pregnant=True)[1]
    assert "pregnant" in walk(IITT, ADULT)[1]


def _choices(algorithm, question):
    (found,) = (a for a in PACK.algorithm if a.id == algorithm)
    return [c.id for q in found.question if q.id == question for c in q.choices]


@pytest.mark.parametrize("sign", _choices("iitt-adult", "red_signs"))
def test_each_red_sign_alone_is_red_at_once(sign):
    found, asked = walk(IITT, ADULT, red_signs=[sign])

    assert (found.category, asked) == (RED, ["red_signs"])
    assert found.alerts == ("iitt-adult.red-sign",)


@pytest.mark.parametrize("sign", _choices("iitt-adult", "yellow_signs"))
def test_each_yellow_sign_is_yellow_unless_a_vital_sign_is_at_high_risk(sign):
    calm, _ = walk(IITT, ADULT, yellow_signs=[sign])
    hot, _ = walk(IITT, ADULT, yellow_signs=[sign], temperature="39.1")

    assert (calm.category, hot.category) == (YELLOW, RED)
    assert hot.rule.notes == ("red_or_supervisor_review",)
    assert hot.alerts == ("iitt-adult.vital-temp",)


def _days(text):
    return ages.of_days(ages.days(text))


CHILD_RATES = [
    ("3 mo", "heart_rate", 90, 180),
    ("1 y", "heart_rate", 80, 160),
    ("4 y", "heart_rate", 80, 160),
    ("5 y", "heart_rate", 70, 140),
    ("11 y", "heart_rate", 70, 140),
    ("3 mo", "resp_rate", 25, 50),
    ("1 y", "resp_rate", 20, 40),
    ("5 y", "resp_rate", 10, 30),
]


@pytest.mark.parametrize(("age", "name", "low", "high"), CHILD_RATES)
def test_the_childs_interagency_tool_at_the_limits_of_each_age(age, name, low, high):
    middle = {"heart_rate": "120", "resp_rate": "28"}
    found = [
        category(IITT, _days(age), **{**middle, name: str(rate)})
        for rate in (low - 1, low, high, high + 1)
    ]

    assert found == [RED, GREEN, GREEN, RED]


@pytest.mark.parametrize(
    ("age_days", "changed", "wanted"),
    [
        (7, {}, RED),
        (8, {"resp_rate": "40"}, YELLOW),
        (60, {"resp_rate": "40", "temperature": "39.1"}, RED),
        (60, {"resp_rate": "40", "temperature": "39"}, YELLOW),
        (60, {"resp_rate": "40", "temperature": "35.9"}, RED),
        (61, {"resp_rate": "40"}, GREEN),
        (61, {"resp_rate": "40", "dehydration": ["lethargic"]}, GREEN),
        (61, {"resp_rate": "40", "dehydration": ["lethargic", "sunken-eyes"]}, RED),
    ],
)
def test_the_smallest_children_in_the_interagency_tool(age_days, changed, wanted):
    assert category(IITT, ages.of_days(age_days), **changed) == wanted


@pytest.mark.safety(2)
@pytest.mark.parametrize(
    ("guide", "limit", "child", "adult"),
    [(START, "8 y", "jumpstart", "start"), (IITT, "12 y", "iitt-child", "iitt-adult")],
)
def test_safety_2_the_algorithm_changes_at_its_limit_and_a_band_across_it_asks(
    guide, limit, child, adult
):
    def algorithm(age, answers=None):
        step = next_step(PACK, guide, answers or {}, age=age)
        assert isinstance(step, Ask)
        return step.algorithm.id if step.algorithm else step.question.id

    at = ages.days(limit)
    assert [algorithm(ages.of_days(at + by)) for by in (-1, 0, 1)] == [child, adult, adult]
    assert [algorithm(ages.of_band(band)) for band in (1, 2, 4, 5)] == [child, child, adult, adult]
    for unknown in (ages.of_band(3), ages.of_band(9), ages.UNKNOWN):
        assert algorithm(unknown) == "looks"
        assert algorithm(unknown, {"looks": "child"}) == child
        assert algorithm(unknown, {"looks": "adult"}) == adult


def test_looks_are_stored_with_the_answers():
    found, asked = walk(START, ages.of_band(3), looks="child", walks=True)

    assert asked == ["looks", "walks"]
    assert found.inputs == {"looks": "child", "walks": 1}


@pytest.mark.safety(8)
def test_safety_8_the_adult_tool_is_verified_and_the_childs_is_not_and_nothing_is_approved():
    status = {algorithm.id: algorithm.status for algorithm in PACK.algorithm}

    assert status == {
        "start": "verified",
        "jumpstart": "verified",
        "iitt-adult": "verified",
        "iitt-child": "memory",
    }
    assert not walk(IITT, CHILD)[0].approved
    assert not PACK.pack.approved


def test_what_is_left_out_is_said_and_stored_as_nothing():
    found, _ = walk(IITT, ADULT, pregnant=False, temperature=None, spo2="unrecordable")

    assert found.left_out == ("temperature",)
    assert found.inputs["temperature"] is None
    assert found.inputs["spo2"] == "unrecordable"


def test_an_outcome_is_what_a_triage_record_takes():
    every = {"red_signs": _choices("iitt-adult", "red_signs"), "resp_rate": "36,5"}
    for guide, age in ((START, ADULT), (START, CHILD), (IITT, ADULT), (IITT, CHILD)):
        for changed in ({}, {"resp_rate": "36,5"}, every if guide is IITT and age is ADULT else {}):
            found, _ = walk(guide, age, **changed)
            data = msgspec.convert(
                {
                    "category": Category(found.category).name.lower(),
                    "algorithm": found.algorithm,
                    "version": found.version,
                    "inputs": found.inputs,
                    "alerts": list(found.alerts),
                },
                records.TriageData,
            )
            assert records._inputs(data.inputs) == found.inputs
            assert records._alerts(data.alerts) == found.alerts


@pytest.mark.safety(11)
def test_safety_11_one_table_maps_every_category_to_0_to_4():
    for algorithm in PACK.algorithm:
        assert {rule.then for rule in algorithm.rule} == set(PACK.categories[algorithm.id])
        assert set(PACK.categories[algorithm.id].values()) <= {int(each) for each in Category}


def test_questions_that_are_observations_name_them():
    for algorithm in PACK.algorithm:
        for question in algorithm.question:
            if question.observation:
                known = observations().named(question.observation, "observation")
                units = [unit.ucum for unit in known.units]
                assert question.unit in units or known.choices
                if known.choices:
                    assert {choice.id for choice in question.choices} == set(known.choices)


ANSWERS = st.dictionaries(
    st.sampled_from([*CALM, "looks", "age_group", "?"]),
    st.one_of(
        st.booleans(),
        st.builds(Decimal, st.integers(0, 9_999), st.integers(0, 3)),
        st.sampled_from(["alert", "child", "adult", "voice", "under-8-d", ""]),
        st.lists(st.sampled_from(["stridor", "fitting", "headache", "altered", "?"])).map(tuple),
        st.sampled_from(Absent),
        st.none(),
        st.integers(),
    ),
)
AGES = st.one_of(
    st.floats(-1, 1e6).map(ages.of_days), st.integers(0, 9).map(ages.of_band), st.just(ages.UNKNOWN)
)


@given(st.sampled_from(PACK.guide), ANSWERS, AGES, st.sampled_from([None, True, False]))
def test_whatever_was_answered_there_is_a_next_question_or_a_category(
    guide, answers, age, pregnant
):
    step = next_step(PACK, guide, answers, age=age, pregnant=pregnant)

    if isinstance(step, Outcome):
        assert step.category in (DEAD, RED, YELLOW, GREEN)
        assert len(step.inputs) <= records.INPUTS_MAX
        assert len(step.alerts) <= records.ALERTS_MAX
    else:
        assert step.question.id not in answers or not _fits(step.question, answers)


def _fits(question, answers):
    try:
        given_answer = answers[question.id]
        asked = str(given_answer) if isinstance(given_answer, Decimal) else given_answer
        return take(question, asked) == given_answer and not isinstance(given_answer, int)
    except (InputError, TypeError):
        return False


@given(st.sampled_from(PACK.guide), AGES, st.data())
def test_any_walk_ends(guide, age, data):
    answers = {}
    for _ in range(40):
        step = next_step(PACK, guide, answers, age=age)
        if isinstance(step, Outcome):
            return
        ids = [choice.id for choice in step.question.choices]
        options = {
            "truth": st.booleans(),
            "number": st.integers(0, 300).map(str),
            "choice": st.sampled_from(ids or ["-"]),
            "several": st.lists(st.sampled_from(ids or ["-"]), unique=True),
        }
        answers[step.question.id] = take(step.question, data.draw(options[step.question.type]))
    raise AssertionError("no end")


@pytest.mark.parametrize(
    ("name", "given_answer"),
    [
        ("walks", "yes"),
        ("walks", None),
        ("walks", 1),
        ("resp_rate", "-1"),
        ("resp_rate", "fast"),
        ("resp_rate", True),
        ("resp_rate", None),
        ("resp_rate", "unrecordable"),
    ],
)
def test_an_answer_of_another_kind_is_refused(name, given_answer):
    (question,) = (q for q in PACK.algorithm[0].question if q.id == name)

    with pytest.raises(InputError):
        take(question, given_answer)


def test_point_and_comma_are_both_taken():
    (question,) = (q for q in PACK.algorithm[0].question if q.id == "capillary_refill")

    assert take(question, "2,5") == take(question, "2.5") == read_decimal("2.5", "x", 1)


def test_the_shipped_pack_is_in_order():
    assert check(PACK) == []


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('when = "resp_rate > 30"', 'when = "breath_rate > 30"', "no input 'breath_rate'"),
        ('when = "resp_rate > 30"', 'when = "resp_rate > walks"', "has yes or no"),
        ('then = "MINOR"', 'then = "MINOUR"', "no category"),
        ("MINOR = 3", "MINOR = 7", "no category"),
        ('adult = "start"', 'adult = "stop"', "no algorithm"),
        ('limit = "8 y"', 'limit = "8 years"', "age"),
        ('below = "2 mo" }', 'below = "3 mo" }', "overlaps"),
        ('id = "child", words', 'id = "kid", words', "child and adult"),
        ('fr = "marche"', 'fr = ""', "no words in fr"),
        ('notes = ["red_or_supervisor_review"]', 'notes = ["x"]', "no note"),
    ],
)
def test_a_pack_with_a_fault_is_refused(old, new, place):
    assert old in TEXT

    with pytest.raises(SetupError) as refused:
        read_triage(TEXT.replace(old, new, 1))

    assert place in str(refused.value.values["place"])
