"""Vaccination: the packs and their faults, what is known of a birth, and what is worked by here."""

from __future__ import annotations

import base64
import csv
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import InputError, SetupError
from protocols.guidelines import ages
from protocols.guidelines.calendar import length
from protocols.guidelines.canonical import canonical, packed
from protocols.guidelines.immunization import (
    Barred,
    Born,
    Given,
    Terms,
    born_of_age,
    born_of_date,
    born_on,
    born_stated,
    forecast,
    next_visit,
    reasons_against,
    validate,
)
from protocols.guidelines.interventions import shipped_interventions
from protocols.guidelines.items import shipped_items
from protocols.guidelines.linting import lint, read_any
from protocols.guidelines.schedules import OUTBREAK, ROUTINE, shipped_plan, shipped_schedule
from protocols.guidelines.vaccines import REASONS, shipped_vaccines
from protocols.ledger.schedules import plan_in_use, schedules_in_use, vaccines_in_use
from protocols.trust.packs import pack_digest, sign_pack
from protocols.trust.statements import pack as bytes_of
from tests.unit.immunization_cases import day_of
from tests.unit.people import founder, write

FOLDER = files("protocols.guidelines") / "packs"
TEXTS = {
    name: (FOLDER / f"{name}.toml").read_text("utf-8")
    for name in ("vaccines", "interventions", ROUTINE, OUTBREAK)
}
FACTS = Path(__file__).resolve().parents[3] / "shared" / "facts"
PLAN = shipped_plan()
BIRTH = day_of("2025-01-06")


def of(series, found):
    (one,) = [each for each in found if each.series == series]
    return one


# the calendar


@given(
    st.integers(-30_000, 60_000), st.sampled_from(["42 d", "6 w", "1 mo", "9 mo", "15 mo", "7 y"])
)
def test_the_latest_birth_of_an_age_is_that_old_and_a_day_later_is_not(day, text):
    age = length(text)
    birth = age.latest_before(day)

    assert age.after(birth) <= day < age.after(birth + 1)


def test_a_day_that_does_not_exist_is_the_first_of_the_next_month():
    assert length("1 mo").after(day_of("2025-01-31")) == day_of("2025-03-01")
    assert length("9 mo").after(day_of("2025-03-31")) == day_of("2026-01-01") - 1
    assert length("11 mo").after(day_of("2025-01-31")) == day_of("2025-12-31")
    assert length("1 mo").after(day_of("2025-12-31")) == day_of("2026-01-31")
    assert length("1 y").after(day_of("2024-02-29")) == day_of("2025-03-01")


@pytest.mark.parametrize("text", ["6", "6w", "six w", "6 weeks", "-1 d", "201 d", ""])
def test_what_is_no_age_is_refused(text):
    with pytest.raises(SetupError):
        length(text)


# what is known of a birth


def test_a_birth_is_as_exact_as_it_was_stated():
    assert born_of_date("2025-01-06") == born_on(BIRTH)
    assert born_of_date("2024-02") == Born(day_of("2024-02-01"), day_of("2024-02-29"))
    assert born_of_date("2024") == Born(day_of("2024-01-01"), day_of("2024-12-31"))
    assert born_of_date("2024-02-30") is None
    assert born_of_date("soon") is None
    stated = born_stated(1, "y", day_of("2026-01-06"), estimated=False)
    assert stated == Born(day_of("2024-01-07"), BIRTH)
    about = born_stated(1, "y", day_of("2026-01-06"), estimated=True)
    assert about == Born(day_of("2023-01-07"), day_of("2026-01-06"))


@pytest.mark.parametrize("unit", ["d", "w", "mo", "y"])
def test_an_age_that_nobody_reaches_is_a_birth_all_the_same(unit):
    born = born_stated(2**31 - 1, unit, 20_000, estimated=True)

    assert born.first <= born.last < 20_000 - 40_000


def test_an_age_band_and_no_age_at_all_are_stretches_of_days():
    today = day_of("2026-01-06")
    assert born_of_age(ages.of_days(365), today) == born_on(today - 365)
    assert born_of_age(ages.of_band(1), today) == Born(today - 365, today)
    unknown = born_of_age(ages.UNKNOWN, today)
    assert unknown.last == today
    assert unknown.last - unknown.first > 120 * 365


def test_of_an_unknown_age_nothing_is_guessed_and_a_dose_given_tells_that_somebody_was_born():
    today = day_of("2026-01-06")
    born = born_of_age(ages.UNKNOWN, today)

    before = of("measles", forecast([], born, today, PLAN))
    after = of("bcg", forecast([Given("a", "bcg", today - 900)], born, today, PLAN))

    assert (before.state, before.sure) == ("unsure", False)
    assert set(before.may) == {"due", "not-yet", "overdue"}
    assert before.day == length("9 mo").after(today)
    assert after.state == "complete"


# the doses


def test_a_vaccine_that_no_pack_knows_is_told_and_may_have_been_a_live_one():
    doses = [Given("a", "somewhere-else", BIRTH + 270)]
    today = length("9 mo").after(BIRTH)

    (told,) = validate(doses, born_on(BIRTH), PLAN)
    found = of("measles", forecast(doses, born_on(BIRTH), today, PLAN))

    assert (told.state, told.rules[0].name) == ("uncounted", "unknown-vaccine")
    assert (found.state, set(found.may)) == ("unsure", {"due", "not-yet"})
    assert found.day == BIRTH + 270 + 28


@pytest.mark.parametrize(
    ("first", "last", "state", "due"),
    [
        ("2025-10-01", "2025-10-31", "invalid", "due"),  # before 9 months, whatever the day
        ("2025-11-01", "2025-11-30", "unsure", "unsure"),  # 9 months is the 10th
        ("2025-12-01", "2025-12-31", "valid", "complete"),
    ],
)
def test_a_dose_of_a_month_alone_is_told_as_far_as_the_month_says(first, last, state, due):
    born = born_on(day_of("2025-02-10"))
    card = Given("card", "yellow-fever", day_of(first), day_of(last))
    terms = Terms(("yellow-fever",))
    (told,) = validate([card], born, PLAN, terms)
    found = {row.series: row for row in forecast([card], born, day_of("2026-03-01"), PLAN, terms)}

    assert told.state == state
    assert found["yellow-fever"].state in (due, "overdue" if due == "due" else due)
    if state == "unsure":
        assert [rule.name for rule in told.rules] == ["min-age", "date-unsure"]
        assert set(found["yellow-fever"].may) <= {"due", "overdue", "complete"}


def test_three_months_of_a_card_are_a_whole_series_and_begin_nothing_anew():
    born = born_on(day_of("2025-01-10"))
    cards = [Given(text, "penta", day_of(f"{text}-01"), day_of(f"{text}-28"))
             for text in ("2025-03", "2025-05", "2025-07")]  # fmt: skip
    told = [row for row in validate(cards, born, PLAN) if row.series == "dtp"]

    assert [(row.state, row.number) for row in told] == [("valid", 1), ("valid", 2), ("valid", 3)]


def test_two_doses_of_following_months_may_have_been_too_close():
    born = born_on(day_of("2025-01-10"))
    cards = [Given(text, "penta", day_of(f"{text}-01"), day_of(f"{text}-28"))
             for text in ("2025-03", "2025-04")]  # fmt: skip
    first, second = [row for row in validate(cards, born, PLAN) if row.series == "dtp"]

    assert first.state == "valid"
    assert second.state == "unsure"
    assert "interval" in [rule.name for rule in second.rules]


def test_a_live_vaccine_of_a_month_alone_keeps_the_next_one_away_for_as_long_as_it_may():
    born = born_on(day_of("2024-01-10"))
    card = Given("card", "yellow-fever", day_of("2025-06-01"), day_of("2025-06-30"))
    found = {row.series: row for row in forecast([card], born, day_of("2025-07-10"), PLAN)}
    measles = found["measles"]

    assert measles.state == "unsure"
    assert set(measles.may) == {"not-yet", "overdue"}
    assert measles.day == day_of("2025-07-28")


def test_a_dose_of_a_series_that_is_not_worked_by_is_judged_by_nothing():
    (told,) = validate([Given("a", "yellow-fever", BIRTH + 300)], born_on(BIRTH), PLAN)
    (chosen,) = validate(
        [Given("a", "yellow-fever", BIRTH + 300)], born_on(BIRTH), PLAN, Terms(("yellow-fever",))
    )

    assert (told.state, told.rules[0].name) == ("uncounted", "other-series")
    assert (chosen.series, chosen.state) == ("yellow-fever", "valid")


def test_two_records_of_one_day_count_once_whichever_vaccine_they_name():
    day = BIRTH + 280
    doses = [Given("b", "measles", day), Given("a", "mr", day), Given("c", "mr", day)]

    told = [
        (each.vaccine, each.state, each.rules[0].name)
        for each in validate(doses, born_on(BIRTH), PLAN)
        if each.series == "measles"
    ]

    assert told == [
        ("measles", "valid", "dose"),
        ("mr", "invalid", "same-day"),
        ("mr", "invalid", "same-day"),
    ]
    assert of("measles", forecast(doses, born_on(BIRTH), day, PLAN)).number == 2


@pytest.mark.parametrize(
    ("vaccine", "first", "limit", "rule"),
    [("hib", None, "60 mo", "max-age"), ("rota", "10 w", "24 mo", "max-age"),
     ("pcv", None, "5 y", "max-age")],
)  # fmt: skip
def test_a_dose_counts_until_the_day_before_it_is_too_old_and_not_on_that_day(
    vaccine, first, limit, rule
):
    too_old = length(limit).after(BIRTH)
    before = [Given("a", vaccine, length(first).after(BIRTH))] if first else []
    series = "rotavirus" if vaccine == "rota" else vaccine
    told = {}
    for day in (too_old - 1, too_old):
        (*_, last) = validate([*before, Given("b", vaccine, day)], born_on(BIRTH), PLAN)
        assert last.series == series
        told[day] = last.state, [each.name for each in last.rules]
    assert told == {too_old - 1: ("valid", ["dose"]), too_old: ("invalid", [rule])}


@pytest.mark.parametrize(("days", "state"), [(27, "invalid"), (28, "valid")])
def test_a_dose_before_a_campaign_counts_for_nothing_in_it_and_keeps_its_distance(days, state):
    plan = shipped_plan(OUTBREAK)
    began = length("14 mo").after(BIRTH)
    terms = Terms(("measles-campaign",), began)
    doses = [Given("a", "mr", began - 1), Given("b", "mr", began - 1 + days)]
    found = {
        each.key: each
        for each in validate(doses, born_on(BIRTH), plan, terms)
        if each.series == "measles-campaign"
    }
    assert found["a"].state == "uncounted" and found["b"].state == state
    assert "interval" in [each.name for each in found["b"].rules] or state == "valid"
    due = forecast(doses[:1], born_on(BIRTH), began, plan, terms)
    campaign = of("measles-campaign", due)
    assert (campaign.state, campaign.day) == ("not-yet", began - 1 + 28)


def test_every_answer_names_the_rule_with_its_pack_version_and_status():
    doses = [Given("a", "mr", BIRTH + 260), Given("b", "penta", BIRTH + 40)]
    told = validate(doses, born_on(BIRTH), PLAN)
    found = forecast(doses, born_on(BIRTH), BIRTH + 300, PLAN, Terms(barred=(Barred("pregnant"),)))

    for rules in (*(each.rules for each in told), *(each.rules for each in found)):
        for rule in rules:
            assert rule.version == "1"
            assert rule.pack in (ROUTINE, "vaccines")
            assert rule.source
    early = next(each for each in told if each.series == "dtp").rules[0]
    assert (early.name, early.limit, early.status) == ("min-age", "6 w", "verified")
    against = of("measles", found).rules[0]
    assert (against.name, against.limit, against.pack) == (
        "contraindication",
        "pregnant",
        "vaccines",
    )


def test_an_allergy_whose_cause_nobody_knows_bars_every_vaccine_and_one_that_is_known_its_like():
    whole = forecast(
        [], born_on(BIRTH), BIRTH + 300, PLAN, Terms(barred=(Barred("severe-allergy"),))
    )
    part = forecast(
        [], born_on(BIRTH), BIRTH + 300, PLAN, Terms(barred=(Barred("severe-allergy", "mmr"),))
    )

    assert {each.state for each in whole if each.number} == {"contraindicated"}
    (rule,) = reasons_against(PLAN, "mr", [Barred("severe-allergy", "mmr"), Barred("fever")])
    assert (rule.name, rule.limit) == ("contraindication", "severe-allergy")
    assert reasons_against(PLAN, "penta", [Barred("severe-allergy", "mmr")]) == ()
    barred = {each.series for each in part if each.state == "contraindicated"}
    assert barred == {"measles", "rubella"}


def test_what_may_be_given_is_what_is_made_for_the_age():
    by_age = {
        age: of("dtp", forecast([], born_on(BIRTH), length(age).after(BIRTH), PLAN)).vaccines
        for age in ("10 w", "3 y", "5 y", "8 y")
    }

    assert by_age == {
        "10 w": ("penta", "dtp"),
        "3 y": ("penta", "dtp"),
        "5 y": ("penta", "dtp", "td"),
        "8 y": ("td",),
    }


def test_the_card_shows_the_day_on_which_most_is_due_first():
    today = length("6 w").after(BIRTH)
    given_today = [Given(code, code, today) for code in ("penta", "bopv", "pcv", "rota", "bcg")]

    before = next_visit(forecast([], born_on(BIRTH), today, PLAN), today)
    after = next_visit(forecast(given_today, born_on(BIRTH), today, PLAN), today)

    assert before is not None
    assert before.day == today
    assert after is not None
    assert after.day == length("10 w").after(BIRTH)
    assert set(after.series) == {"hepb", "opv", "dtp", "hib", "pcv", "rotavirus"}


# the packs


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_what_ships_is_in_order_and_approved_by_nobody(name):
    assert lint(TEXTS[name]) == []
    held: Any = read_any(TEXTS[name])
    assert not held.pack.approved


FAULTS = [
    ("vaccines", 'code = "mr"', 'code = "Mr"', "code is small letters", "row"),
    ("vaccines", 'code = "mmr"', 'code = "mr"', "stands there twice", "row"),
    ("vaccines", 'cvx = "05"', 'cvx = "5"', "cvx is", "here"),
    ("vaccines", 'kind = "live-oral"', 'kind = "alive"', "alive", "here"),
    ("vaccines", "open_hours = 672 }, {", "open_hours = 673 }, {", "open_hours is", "here"),
    ("vaccines", 'antigens = ["malaria"]', "antigens = []", "antigens are", "here"),
    ("interventions", 'below = "60 mo"', 'below = "5 mo"', "below is not after from", "row"),
    ("interventions", 'value = "100000"', 'value = "lots"', "value is a number", "here"),
    ("interventions", 'below = "12 mo"', 'below = "13 mo"', "overlaps row 1", "any"),
    ("interventions", 'interval = "4 mo"', 'interval = "often"', "interval is", "here"),
    ("interventions", 'measure = "muac"', 'measure = "mood"', "measure is", "here"),
    ("interventions", 'unit = "[iU]"', 'unit = "drops"', "drops", "here"),
    ("vaccines", 'id = "pregnant"', 'id = "fever"', "fever alone", "here"),
    ("vaccines", 'id = "pregnant"', 'id = "tired"', "id is one of", "here"),
    ("vaccines", 'id = "severe-allergy"', 'id = "pregnant"', "severe-allergy is missing", "any"),
    (ROUTINE, "live_spacing_days = 28", "live_spacing_days = 27", "live_spacing_days is", "here"),
    (ROUTINE, "early_days = 0", "early_days = 5", "early_days is", "here"),
    (ROUTINE, 'overdue_after = "4 w"', 'overdue_after = "4w"', "overdue_after is", "here"),
    (ROUTINE, 'offer = ["pcv"]', 'offer = ["pvc"]', "no vaccine is called pvc", "row"),
    (ROUTINE, 'offer = ["rota"]', 'offer = ["pcv"]', "holds not all its antigens", "row"),
    (
        ROUTINE,
        'overdue = "18 mo"\ninterval = "4 w"',
        'overdue = "14 mo"\ninterval = "4 w"',
        "overdue is before",
        "here",
    ),
    (ROUTINE, 'from = "9 mo"\ninterval', 'from = "nine"\ninterval', "from is 'nine'", "here"),
    (ROUTINE, 'interval = "6 mo"\nstatus', "status", "interval is missing", "row"),
    (ROUTINE, "number = 3\n", "number = 4\n", "follow each other", "any"),
    (ROUTINE, "counted = false", "counted = true", "counted is false for a dose 0", "any"),
    (ROUTINE, 'from = "24 mo"\nbelow', 'from = "25 mo"\nbelow', "from is not where", "any"),
    (ROUTINE, 'due = "8 w"', 'duty = "8 w"', "duty", "here"),
    (OUTBREAK, 'one_of = "cholera"', 'one_off = "cholera"', "one_off", "here"),
]


@pytest.mark.parametrize(("name", "old", "new", "said", "where"), FAULTS)
def test_the_linter_names_the_line_of_a_fault(name, old, new, said, where):
    text = TEXTS[name]
    assert old in text
    wrong = lint(text.replace(old, new, 1))

    assert wrong
    told = [fault for fault in wrong if said in fault.what]
    assert told, wrong
    line = text[: text.index(old)].count("\n") + 1
    if where == "here":
        assert told[0].line == line
    elif where == "row":
        assert abs(told[0].line - line) <= 6
    else:
        assert 0 < told[0].line <= text.count("\n") + 1


@pytest.mark.safety(12)
def test_fever_alone_keeps_nobody_from_a_vaccine_and_no_pack_can_make_it():
    plain = forecast([], born_on(BIRTH), BIRTH + 300, PLAN)
    fever = forecast([], born_on(BIRTH), BIRTH + 300, PLAN, Terms(barred=(Barred("fever"),)))
    text = TEXTS["vaccines"].replace('id = "pregnant"', 'id = "high-fever"')

    assert fever == plain
    assert any("fever alone" in fault.what for fault in lint(text))


@pytest.mark.safety(12)
def test_reasons_are_a_closed_list_and_each_is_in_the_pack():
    assert {row.id for row in shipped_vaccines().reason} == set(REASONS)
    assert not any("fever" in reason for reason in REASONS)


@pytest.mark.safety(12)
def test_what_a_campaign_gives_beside_vaccines_is_no_dose():
    codes = {row.code for row in shipped_interventions().intervention}

    assert codes == {"vitamin-a", "deworming", "muac"}
    assert not codes & set(PLAN.vaccines)


def test_what_stores_keep_of_a_vaccine_is_what_is_said_of_it_here():
    for row in shipped_items().item:
        if not row.vaccine:
            continue
        known = shipped_vaccines().of_code(row.vaccine)
        assert known is not None, row.code
        assert known.diluted == bool(row.diluents), row.code
        assert row.vial_doses in {vial.doses for vial in known.vial}, row.code


def sheet(name):
    lines = (FACTS / name).read_text("utf-8").splitlines()
    return list(csv.DictReader(line for line in lines if not line.startswith("#")))


@pytest.mark.skipif(not FACTS.exists(), reason="the sheets of facts are not beside this checkout")
def test_every_cvx_code_is_one_of_the_sheet():
    known = {row["cvx"] for row in sheet("cvx_subset.csv")}

    assert {row.cvx for row in shipped_vaccines().vaccine if row.cvx} <= known


OF_SHEET = {
    "IPV": "ipv",
    "Rotavirus": "rotavirus",
    "Rubella": "rubella",
    "YellowFever": "yellow-fever",
    "MenA": "mena",
    "HPV": "hpv",
    "TCV": "typhoid",
    "Malaria_R21_RTSS": "malaria",
    "OCV_WC_single": "cholera-1",
    "OCV_WC_rBS": "cholera-rbs",
}


@pytest.mark.skipif(not FACTS.exists(), reason="the sheets of facts are not beside this checkout")
def test_what_the_sheet_recalls_no_pack_calls_verified():
    rows = {row["series"]: row["status"] for row in sheet("who_schedule.csv")}
    series = {row.id: row for name in (ROUTINE, OUTBREAK) for row in shipped_schedule(name).series}

    recalled = {name for name, status in rows.items() if status != "verified"} - {"Rabies_PEP"}
    assert recalled == set(OF_SHEET)
    assert {series[each].status for each in OF_SHEET.values()} == {"memory"}


# what is worked by here


def publish(device, name, text):
    digest = pack_digest(canonical(text))
    authority = device.ledger.authority
    signed = sign_pack(authority.keys, authority.operation, name, "2", digest)
    data = {
        "pack": base64.b64encode(packed(canonical(text))).decode(),
        "signed": base64.b64encode(bytes_of(signed)).decode(),
    }
    line = {"v": 1, "kind": "pack.publish", "key": f"publish-{name}", "data": data}
    (answer,) = write(device, None, line)
    assert answer.ok, answer


def national(name):
    text = TEXTS[ROUTINE].replace(f'name = "{ROUTINE}"', f'name = "{name}"')
    text = text.replace('version = "1"', 'version = "2"', 1)
    return text.replace('from = "9 mo"\ninterval', 'from = "10 mo"\ninterval').replace(
        'below = "9 mo"\ncounted', 'below = "10 mo"\ncounted'
    )


def test_a_national_schedule_replaces_ours_or_stands_beside_it_without_any_code():
    ann = founder()
    assert set(schedules_in_use(ann.ledger)) == {ROUTINE, OUTBREAK}
    assert plan_in_use(ann.ledger).schedule.pack.version == "1"

    publish(ann, ROUTINE, national(ROUTINE))
    publish(ann, "schedule-ourland", national("schedule-ourland"))

    assert set(schedules_in_use(ann.ledger)) == {ROUTINE, OUTBREAK, "schedule-ourland"}
    found = plan_in_use(ann.ledger)
    today = length("9 mo").after(BIRTH)
    due = of("measles", forecast([], born_on(BIRTH), today, found))
    assert (due.state, due.day) == ("not-yet", length("10 mo").after(BIRTH))
    assert (due.rules[0].pack, due.rules[0].version) == (ROUTINE, "2")
    assert plan_in_use(ann.ledger) is found


def test_a_published_pack_of_vaccines_is_what_doses_are_judged_with():
    ann = founder()
    text = TEXTS["vaccines"].replace('version = "1"', 'version = "2"', 1)
    text = text.replace('code = "measles"', 'code = "our-measles"')
    assert lint(text) == []
    publish(ann, "vaccines", text)

    assert vaccines_in_use(ann.ledger).pack.version == "2"
    doses = [Given("a", "our-measles", BIRTH + 280), Given("b", "measles", BIRTH + 280 + 200)]
    told = validate(doses, born_on(BIRTH), plan_in_use(ann.ledger))
    assert [(each.vaccine, each.state, each.number) for each in told] == [
        ("our-measles", "valid", 1),
        ("measles", "valid", 2),  # what came with the software stays known
    ]


def test_what_is_no_schedule_here_is_refused():
    ann = founder()
    for name in ("schedule-nowhere", "news2"):
        with pytest.raises(InputError) as refused:
            plan_in_use(ann.ledger, name)
        assert refused.value.code == "unknown_pack"
