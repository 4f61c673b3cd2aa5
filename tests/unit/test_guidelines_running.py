"""The shipped guidelines at every limit, and a runner that computes nothing it should not."""

from __future__ import annotations

from fractions import Fraction
from importlib.resources import files
from typing import Any

import msgspec
import pytest

from protocols.errors import SetupError
from protocols.guidelines import ages
from protocols.guidelines.decimals import Decimal, read_decimal
from protocols.guidelines.expressions import Absent
from protocols.guidelines.guideline import SHIPPED, check, read_guideline, shipped_guideline
from protocols.guidelines.questions import Person
from protocols.guidelines.readings import Reading
from protocols.guidelines.running import BEGINNING, KNOWN_WEIGHT, Course, Tick, Weight, offers, run

PACKS = {name: shipped_guideline(name) for name in SHIPPED}
WELL_FED: dict[str, Any] = {"wasted": False, "oedema": "none", "muac": Decimal(140)}
MIN = 60_000


def person(age: str, kg: str = "", **readings: Reading) -> Person:
    weight = read_decimal(kg, "weight", 3) if kg else None
    return Person(ages.of_days(ages.days(age)), None, weight, readings)


def step(progress, name):
    (found,) = (each for each in progress.steps if each.step.id == name)
    return found


def text(progress, name):
    return [amount.text for amount in step(progress, name).amounts]


@pytest.mark.safety(8)
@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_guideline_is_in_order_and_not_approved(name):
    assert check(PACKS[name]) == []
    assert not PACKS[name].pack.approved
    assert PACKS[name].pack.name == name


# cholera plan C


def plan_c(
    age, kg="", answers=None, course=BEGINNING, weight=KNOWN_WEIGHT, pack=PACKS["cholera-c"]
):
    return run(pack, {**WELL_FED, **(answers or {})}, person(age, kg), weight, course)


def test_plan_c_shows_the_arithmetic_and_the_times():
    begun = plan_c("30 y", "54", course=Course((Tick("first", 1_000 * MIN),), now_ms=1_000 * MIN))

    assert text(plan_c("30 y", "54"), "first") == ["30 × 54 = 1 620 mL"]
    assert begun.next.id == "radial_weak"
    after = plan_c(
        "30 y",
        "54",
        {"radial_weak": False},
        Course((Tick("first", 1_000 * MIN),), now_ms=1_000 * MIN),
    )
    assert text(after, "second") == ["70 × 54 = 3 780 mL"]
    assert step(after, "second").due_ms == 1_030 * MIN
    assert step(after, "second").state == "waiting"
    later = plan_c(
        "30 y",
        "54",
        {"radial_weak": False},
        Course((Tick("first", 1_000 * MIN),), now_ms=1_040 * MIN),
    )
    assert step(later, "second").state == "late"


@pytest.mark.safety(10)
@pytest.mark.parametrize(
    ("days", "first", "minutes", "then"),
    [
        (ages.days("12 mo") - 1, "infant-1", 60, ("infant-2", 300)),
        (ages.days("12 mo"), "first", 30, ("second", 150)),
        (ages.days("12 mo") + 1, "first", 30, ("second", 150)),
    ],
)
def test_safety_10_under_12_months_the_first_phase_is_one_hour_and_the_second_five(
    days, first, minutes, then
):
    who = Person(ages.of_days(days), None, Decimal(9))
    done = Course((Tick(first, 0),), now_ms=minutes * MIN)

    begun = run(PACKS["cholera-c"], {**WELL_FED, "radial_weak": False}, who)
    went_on = run(PACKS["cholera-c"], {**WELL_FED, "radial_weak": False}, who, course=done)

    assert begun.steps[0].step.id == first
    assert begun.steps[0].step.lasts_min == minutes
    assert step(went_on, then[0]).state == "now"
    assert step(went_on, then[0]).due_ms == minutes * MIN
    assert step(went_on, then[0]).step.lasts_min == then[1]
    assert text(went_on, then[0]) == ["70 × 9 = 630 mL"]


def test_a_weak_pulse_repeats_the_first_phase_once():
    done = Course((Tick("first", 0),), now_ms=30 * MIN)
    again = plan_c("20 y", "50", {"radial_weak": True}, done)

    assert [each.step.id for each in again.steps][:3] == [
        "first",
        "first-again",
        "second-after-again",
    ]
    assert step(again, "first-again").state == "now"
    assert step(again, "second-after-again").due_ms is None


LOCKS = [
    {"wasted": True},
    {"oedema": "both-feet"},
    {"oedema": "generalised"},
    {"muac": Decimal(114)},
    {"muac": Decimal(1149, 1)},
]


@pytest.mark.safety(10)
@pytest.mark.parametrize("name", ["cholera-b", "cholera-c"])
@pytest.mark.parametrize("answers", LOCKS)
def test_safety_10_severe_malnutrition_stops_plans_b_and_c_and_nothing_is_computed(name, answers):
    found = run(PACKS[name], {**WELL_FED, **answers}, person("2 y", "8"))

    assert found.stop.id == "severe-malnutrition"
    assert found.stop.ask == "clinician"
    assert found.next is None
    assert {each.state for each in found.steps} <= {"stopped"}
    assert not [amount for each in found.steps for amount in each.amounts]


@pytest.mark.parametrize("name", ["cholera-b", "cholera-c"])
@pytest.mark.parametrize(
    ("age", "muac", "stops"),
    [
        ("2 y", 114, True),
        ("2 y", 115, False),
        ("2 y", 116, False),
        ("30 y", 114, False),
        ("5 y", 114, False),
    ],
)
def test_the_upper_arm_stops_at_its_limit_under_five_only(name, age, muac, stops):
    found = run(PACKS[name], {**WELL_FED, "muac": Decimal(muac)}, person(age, "12"))

    assert (found.stop is not None) is stops


@pytest.mark.parametrize("name", ["cholera-b", "cholera-c"])
def test_nothing_is_computed_before_it_is_known_whether_to_stop(name):
    found = run(PACKS[name], {}, person("2 y", "12"))

    assert found.next.id == "wasted"
    assert found.steps == ()


def test_no_weight_no_volume_of_plan_c():
    asked = plan_c("30 y")
    left_out = plan_c("30 y", answers={"weight": Absent.SKIPPED})

    assert step(asked, "first").amounts[0].lack == "needs_answer"
    assert asked.next.id == "weight"
    assert step(left_out, "first").amounts[0].lack == "left_out"
    assert text(left_out, "first") == [""]


@pytest.mark.safety(9)
def test_safety_9_an_estimated_weight_is_said_and_conflicting_ones_give_nothing():
    estimated = plan_c("30 y", "54", weight=Weight(estimated=True))
    differ = plan_c("30 y", "54", weight=Weight(differ=True))

    assert step(estimated, "first").amounts[0].marks == ("estimated",)
    assert step(differ, "first").amounts[0].lack == "weights_differ"
    assert step(differ, "first").amounts[0].value is None


def test_a_weight_that_cannot_be_gives_no_volume():
    assert step(plan_c("30 y", "400"), "first").amounts[0].lack == "out_of_bounds"
    assert step(plan_c("30 y", "0"), "first").amounts[0].lack == "out_of_bounds"
    assert text(plan_c("30 y", "200"), "first") == ["30 × 200 = 6 000 mL"]


@pytest.mark.safety(8)
def test_safety_8_what_is_from_memory_says_so():
    assert step(plan_c("30 y", "54"), "first").status == "verified"
    assert step(plan_c("3 mo", "5"), "infant-1").status == "memory"


@pytest.mark.safety(10)
def test_safety_10_a_step_of_a_signed_pack_only_appears_when_it_is_signed():
    whole = (files("protocols.guidelines") / "packs" / "cholera-c.toml").read_text("utf-8")
    marked = whole.replace('id = "first"\n', 'id = "first"\nonly_approved = true\n', 1)
    drafted = read_guideline(marked)
    signed = msgspec.structs.replace(
        drafted, pack=msgspec.structs.replace(drafted.pack, approved_by="Dr A.")
    )

    assert plan_c("30 y", "54", pack=drafted).steps[0].step.id != "first"
    assert plan_c("30 y", "54", pack=signed).steps[0].step.id == "first"
    assert plan_c("30 y", "54", pack=signed).approved


# cholera plan B


B_ROWS = [
    ("0 d", "4 mo", "200–400"),
    ("4 mo", "12 mo", "400–600"),
    ("12 mo", "2 y", "600–800"),
    ("2 y", "5 y", "800–1 200"),
    ("5 y", "15 y", "1 200–2 200"),
    ("15 y", "80 y", "2 200–4 000"),
]


@pytest.mark.safety(9)
@pytest.mark.parametrize(("since", "below", "volume"), B_ROWS)
def test_plan_b_by_age_at_both_ends_of_each_row_and_labelled(since, below, volume):
    for at in (ages.days(since), ages.days(below) - 1):
        who = Person(ages.of_days(at))
        found = run(PACKS["cholera-b"], {**WELL_FED, "weight": Absent.SKIPPED}, who)

        (amount,) = step(found, "ors").amounts
        assert (amount.text, amount.marks) == (f"{volume} mL", ("by_age",))


def test_plan_b_goes_by_weight_where_there_is_one():
    found = run(PACKS["cholera-b"], WELL_FED, person("3 y", "13.2"))

    (amount,) = step(found, "ors").amounts
    assert (amount.text, amount.value, amount.marks) == ("75 × 13.2 = 990 mL", Fraction(990), ())
    assert step(found, "ors").step.lasts_min == 240


def test_what_is_to_be_repeated_comes_back_until_it_was_done_so_often():
    ticks = tuple(Tick("look", at * 60 * MIN) for at in (1, 2, 3))

    three = run(PACKS["cholera-b"], WELL_FED, person("3 y", "13"), course=Course(ticks))
    four = run(
        PACKS["cholera-b"],
        WELL_FED,
        person("3 y", "13"),
        course=Course((*ticks, Tick("look", 240 * MIN))),
    )

    assert (step(three, "look").due_ms, step(three, "look").done) == (240 * MIN, 3)
    assert (step(four, "look").due_ms, step(four, "look").state) == (None, "done")


# cholera plan A


@pytest.mark.parametrize(
    ("days", "volume", "day"),
    [
        (ages.days("2 y") - 1, "50–100 mL", "500 mL"),
        (ages.days("2 y"), "100–200 mL", "1 000 mL"),
        (ages.days("10 y") - 1, "100–200 mL", "1 000 mL"),
    ],
)
def test_plan_a_at_its_ages(days, volume, day):
    found = run(PACKS["cholera-a"], {}, Person(ages.of_days(days)))

    assert text(found, "ors") == [volume, day]
    assert step(found, "ors").amounts[1].marks == ("by_age", "per_day")
    assert step(found, "ors").state == "now"


def test_plan_a_from_10_years_on_is_as_wanted_up_to_a_most_in_a_day():
    assert text(run(PACKS["cholera-a"], {}, person("10 y")), "ors") == ["2 000 mL"]


@pytest.mark.safety(2)
def test_safety_2_a_band_across_rows_is_asked_about():
    across = run(PACKS["cholera-a"], {}, Person(ages.of_band(3)))
    inside = run(PACKS["cholera-a"], {}, Person(ages.of_band(4)))

    assert across.next.id == "age_group"
    assert not [amount.text for each in across.steps for amount in each.amounts if amount.text]
    assert inside.next is None


def test_a_step_is_left_out_with_a_reason_only_where_that_is_allowed():
    ticks = (Tick("feed", 5, "asleep"), Tick("ors", 5, "refused"))

    found = run(PACKS["cholera-a"], {}, person("3 y"), course=Course(ticks))

    assert (step(found, "feed").state, step(found, "feed").skipped) == ("skipped", "asleep")
    assert step(found, "ors").state == "now"


# classifications


@pytest.mark.parametrize(
    ("severe", "some", "result", "leads_to"),
    [
        ((), (), "none", "cholera-a"),
        (("sunken-eyes",), ("sunken-eyes",), "none", "cholera-a"),
        ((), ("restless", "drinks-eagerly"), "some", "cholera-b"),
        (("sunken-eyes", "lethargic"), (), "severe", "cholera-c"),
        (("sunken-eyes", "lethargic"), ("restless", "drinks-eagerly"), "severe", "cholera-c"),
    ],
)
def test_dehydration_takes_two_signs(severe, some, result, leads_to):
    found = run(PACKS["dehydration"], {"severe_signs": severe, "some_signs": some}, Person())

    assert (found.result.id, found.result.leads_to) == (result, leads_to)
    assert leads_to in SHIPPED


@pytest.mark.parametrize(
    ("days", "muac", "oedema", "result"),
    [
        (ages.days("6 mo") - 1, 100, "none", "no-limit"),
        (ages.days("6 mo"), 114, "none", "sam-muac"),
        (ages.days("60 mo") - 1, 114, "none", "sam-muac"),
        (ages.days("60 mo"), 114, "none", "no-limit"),
        (ages.days("2 y"), 115, "none", "mam"),
        (ages.days("2 y"), 116, "none", "mam"),
        (ages.days("2 y"), 124, "none", "mam"),
        (ages.days("2 y"), 125, "none", "no-malnutrition"),
        (ages.days("2 y"), 126, "none", "no-malnutrition"),
        (ages.days("2 y"), 140, "both-feet", "sam-oedema"),
        (ages.days("18 y"), 229, "none", "adult-wasting"),
        (ages.days("18 y"), 230, "none", "no-limit"),
        (ages.days("30 y"), 260, "legs", "oedema-other"),
    ],
)
def test_malnutrition_at_its_limits(days, muac, oedema, result):
    answers = {"muac": Decimal(muac), "oedema": oedema}

    assert run(PACKS["malnutrition"], answers, Person(ages.of_days(days))).result.id == result


def test_what_was_measured_is_not_asked_again():
    readings: dict[str, Any] = {"muac": Reading(Fraction(113)), "oedema": Reading(choice="none")}
    found = run(PACKS["malnutrition"], {}, person("2 y", **readings))

    assert (found.next, found.result.id) == (None, "sam-muac")
    assert found.answers == {"age_group": "6-59-mo", "oedema": "none", "muac": "113"}


IMCI: dict[str, Any] = {
    "danger": (),
    "stridor": False,
    "spo2": Decimal(97),
    "resp_rate": Decimal(30),
}


@pytest.mark.parametrize(
    ("age", "limit"),
    [("0 d", 60), ("59 d", 60), ("2 mo", 50), ("11 mo", 50), ("12 mo", 40), ("59 mo", 40)],
)
def test_fast_breathing_begins_at_the_limit_of_the_age(age, limit):
    def result(rate):
        return run(PACKS["imci"], {**IMCI, "resp_rate": Decimal(rate)}, person(age)).result.id

    assert [result(limit + by) for by in (-1, 0, 1)] == [
        "none",
        "fast-breathing",
        "fast-breathing",
    ]


@pytest.mark.parametrize(
    ("changed", "result"),
    [
        *[({"danger": (sign,)}, "danger-sign") for sign in ("fits", "lethargic", "vomits-all")],
        ({"danger": ("cannot-drink",)}, "danger-sign"),
        ({"stridor": True}, "stridor"),
        ({"spo2": Decimal(89)}, "hypoxaemia"),
        ({"spo2": Decimal(90)}, "none"),
        ({"spo2": Decimal(91)}, "none"),
        ({"spo2": Absent.UNRECORDABLE}, "hypoxaemia"),
        ({"spo2": Absent.SKIPPED, "resp_rate": Absent.SKIPPED}, "not-counted"),
    ],
)
def test_danger_signs(changed, result):
    assert run(PACKS["imci"], {**IMCI, **changed}, person("3 y")).result.id == result


def test_imci_does_not_hold_from_five_years_on():
    assert run(PACKS["imci"], IMCI, person("60 mo")).result.id == "too-old"


@pytest.mark.parametrize(
    ("who", "offered"),
    [
        (ages.of_days(ages.days("60 mo") - 1), True),
        (ages.of_days(ages.days("60 mo")), False),
        (ages.of_band(2), True),
        (ages.of_band(4), False),
        (ages.UNKNOWN, True),
    ],
)
def test_a_guideline_is_offered_to_whom_it_may_concern(who, offered):
    assert offers(PACKS["imci"], Person(who)) is offered
    assert offers(PACKS["dehydration"], Person(who))


# packs with faults


TEXT = (files("protocols.guidelines") / "packs" / "cholera-c.toml").read_text("utf-8")


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('formula = "30 * weight"', 'formula = "30 * wieght"', "no input 'wieght'"),
        ('formula = "30 * weight"', 'formula = "wasted"', "yes or no"),
        ('unit = "mL"', 'unit = "ml"', "unknown unit 'ml'"),
        ('at_most = "6000"', 'at_most = "much"', "at_most"),
        ('after = "infant-1"', 'after = "infant-0"', "no earlier step"),
        ("lasts_min = 300", "lasts_min = 100000", "out of bounds"),
        ('from = "6 mo", below = "12 mo"', 'from = "7 mo", below = "12 mo"', "gap"),
        ('id = "infant-2"', 'id = "infant-1"', "share this id"),
        ('known_from = "weight"', 'known_from = "mass"', "known_from"),
        ('fr = "Poids, kg"', 'fr = ""', "no words in fr"),
        ('source = "CDC', 'sauce = "CDC', "sauce"),
    ],
)
def test_a_guideline_with_a_fault_is_refused(old, new, place):
    assert old in TEXT

    with pytest.raises(SetupError) as refused:
        read_guideline(TEXT.replace(old, new, 1))

    assert place in str(refused.value.values["place"])
