"""Pages of care, told key by key: allergies, problems, medicines, procedures, the way out."""

import pytest

from fieldnode.text.catalogue import load
from protocols.live.api import ChartLine, Recorded
from protocols.live.bedside import WeightLine
from tests.screens.fake_care import allergy, in_care, medicine
from tests.screens.fake_node import NOW_MS, FakeNode, refusing, ward
from tests.screens.test_line import told
from tests.screens.test_mass import counting
from tests.screens.test_pages import Person

HADDAD = ("f3", *"haddad", "enter", "enter")


def ill() -> FakeNode:
    node = ward()
    in_care(node)
    return node


@pytest.fixture
def person() -> Person:
    return Person(ill()).press(*HADDAD)


def last(person):
    return person.node.written[-1]


# Allergies.


def test_a_listed_substance_takes_five_keys_from_the_chart():
    person = counting(*HADDAD, node=ill())
    person.strike("c", "1", "n", "2", "enter", "enter")

    assert person.struck <= 6
    assert (last(person)["kind"], last(person)["data"]) == (
        "allergy.record", {"code": "cephalosporins"},
    )  # fmt: skip


def test_letters_find_and_a_digit_takes_and_the_rest_is_digits(person: Person):
    person.press("c", "a", "n", "lat")
    assert "1 Latex" in person.screen
    person.press("1", "1", "3", "2", "as told by mother", "enter")

    assert last(person)["data"] == {
        "code": "latex", "reaction": "rash", "severity": "severe", "certainty": "suspected",
        "remark": "as told by mother",
    }  # fmt: skip


def test_own_words_are_kept_but_not_where_the_list_has_something_like_them_unasked(person: Person):
    person.press("c", "a", "n", "mango", "enter", "enter")
    assert last(person)["data"] == {"text": "mango"}

    person.press("n", "pea", "enter")
    assert "The list has something like this" in person.screen
    assert "Peanut" in person.screen
    person.press("enter", "enter")
    assert last(person)["data"] == {"text": "pea"}


def test_a_whole_word_is_its_row_and_a_medicine_of_a_group_is_somebodys_own_word(person: Person):
    person.press("c", "a", "n", "PENICILLINS", "enter", "enter")
    assert last(person)["data"] == {"code": "penicillins"}
    person.press("n", "amoxicillin", "enter", "enter")
    assert last(person)["data"] == {"text": "amoxicillin"}


def test_none_known_is_one_key_and_enter_and_over_a_list_it_takes_a_reason(person: Person):
    free = Person(ward()).press(*HADDAD, "c", "a", "k", "enter")
    assert last(free)["data"] == {"status": "none-known"}
    assert "reason" not in last(free)

    person.press("c", "a", "k", "enter")
    assert "say why none of it holds" in person.screen
    assert person.node.written == []
    person.node.refuse["allergy.record"] = Recorded(
        0, False, error="confirm_needed", field="data.status", confirm="allergy_listed"
    )
    person.press("tested", "enter")
    person.node.refuse.clear()
    person.press("enter")
    line = last(person)
    assert (line["reason"], line["confirm"]) == ("tested", ["allergy_listed"])


def test_a_listed_allergy_is_ruled_out_with_a_reason(person: Person):
    person.press("c", "a", "x", "enter")
    assert "This is needed" in person.screen and "Penicillins" in person.screen
    person.press("took it twice since", "enter")

    line = last(person)
    assert line["data"] == {"status": "refuted", "code": "penicillins"}
    assert line["reason"] == "took it twice since"


def test_nobody_asked_none_known_and_listed_are_three_things(person: Person):
    person.press("c", "a")
    assert "Penicillins" in person.screen and "mango" in person.screen
    other = Person(ward()).press(*HADDAD, "c", "a")
    assert "Nobody has asked yet" in other.screen
    none = allergy("", status="none-known", text="", severity="unknown")
    other.node.set_care("pat_00001", allergies=(none,))
    other.press("escape", "c", "a")
    assert "none known" in other.screen and "Nobody has asked yet" not in other.screen


# Problems.


def test_a_problem_is_recorded_resolved_and_ruled_out(person: Person):
    person.press("c", "p", "n", "mal", "1", "2", "2026-05", "enter", "1", "enter", "enter")
    assert last(person)["data"] == {
        "code": "malaria", "status": "suspected", "onset": "2026-05", "event_relation": "direct",
    }  # fmt: skip
    person.press("r", "enter")
    assert last(person)["data"] == {"status": "resolved", "code": "burn", "onset": "2026-05"}
    person.press("down", "x", "smear negative", "enter")
    assert last(person)["data"] == {
        "status": "refuted", "code": "malaria", "remark": "smear negative",
    }  # fmt: skip


# Medicines.


def test_given_as_ordered_takes_at_most_four_keys_from_the_chart():
    person = counting(*HADDAD, node=ill())
    person.strike("m", "g", "1", "enter")

    assert person.struck <= 4
    line = last(person)
    assert (line["kind"], line["data"]) == (
        "administration.record", {"order": "fct_ord_amoxicillin.0", "status": "given"},
    )  # fmt: skip
    assert "SAVED HERE" in person.screen and "amoxicillin" in person.screen


def test_late_doses_warnings_and_the_last_dose_stand_in_words(person: Person):
    person.press("m")
    for part in ("LATE 1 h 35", "! amoxicillin 250 mg", "by mouth, 3 x a day", "1 tablet",
                 "as needed", "STOPPED", "no order"):  # fmt: skip
        assert part in person.screen, part
    assert "PERHAPS GIVEN TWICE" in person.screen and "ALLERGY" in person.screen
    person.press("down", "down", "down")
    assert "GIVEN PAST ITS STOP" in person.screen and "side effect" in person.screen


def test_a_dose_that_was_refused_takes_a_reason_of_the_list(person: Person):
    person.press("m", "g", "2", "enter")
    assert "needs a reason" in person.screen and person.node.written == []
    person.press("2", "enter")

    line = last(person)
    assert (line["data"]["status"], line["reason"]) == ("refused", "vomiting")


def test_another_dose_route_site_and_lot_are_written_where_they_are_said(person: Person):
    person.press("m", "g", "1", "125", "enter", "tab", "thigh", "enter", "A1047", "enter")
    person.press("3", "enter", "enter")

    assert last(person)["data"] == {
        "order": "fct_ord_amoxicillin.0", "status": "given",
        "dose": {"value": "125", "unit": "mg"}, "route": "im", "body_site": "thigh",
        "lot": "A1047",
    }  # fmt: skip


def test_whole_units_are_rounded_up_and_the_rest_is_discarded_before_a_witness(person: Person):
    person.press("m", "down", "down", "g", "1", "tab", "10", "enter")
    assert "4 ÷ 10 = 0.4 → 1" in person.screen and "DISCARDED 6 mg" in person.screen
    person.press("enter")
    assert "before a witness" in person.screen and person.node.written == []
    person.press("J. Cho", "enter")

    data = last(person)["data"]
    assert (data["discarded"], data["witness"]) == ({"value": "6", "unit": "mg"}, "J. Cho")


def test_what_takes_no_witness_is_discarded_without(person: Person):
    person.press("m", "g", "1", "tab", "300", "enter", "enter")

    assert last(person)["data"]["discarded"] == {"value": "50", "unit": "mg"}


def test_a_doubt_of_the_node_is_asked_once_and_answered_by_enter(person: Person):
    person.node.refuse["administration.record"] = Recorded(
        0, False, error="confirm_needed", field="data", confirm="given_recently"
    )
    person.press("m", "g", "1", "enter")
    assert "given a short while ago" in person.screen
    person.node.refuse.clear()
    person.press("enter")
    assert last(person)["confirm"] == ["given_recently"]


def test_a_dose_without_an_order(person: Person):
    person.press("m", "w", "adrenaline", "enter", "0.5", "enter", "1", "enter", "3", "enter")
    person.press("enter")

    assert last(person)["data"] == {
        "substance": "adrenaline", "dose": {"value": "0.5", "unit": "mg"}, "route": "im",
    }  # fmt: skip


def test_an_order_is_stopped_with_a_reason(person: Person):
    person.press("m", "s", "2", "enter")

    line = last(person)
    assert (line["kind"], line["data"], line["reason"]) == (
        "order.stop", {"order": "fct_ord_amoxicillin.0"}, "side-effect",
    )  # fmt: skip


# Orders.

ORDER = ["c", "o", *"ibuprofen", "enter", *"200", "enter", "1", "1", "3", "enter"]


@pytest.mark.safety(9)
def test_an_order_is_typed_with_why_nothing_is_proposed_and_the_arithmetic_with_est(person: Person):
    person.press("c", "o", "ors", "enter", "400", "enter", "1")
    assert "400 ÷ 12.5 = 32 mg/kg" in person.screen and "est." in person.screen
    assert "No dose is proposed: the formulary has no row" in person.screen
    person.press("1", "3", "5", "enter", "fever", "enter", *["enter"])

    assert last(person)["data"] == {
        "substance": "ors", "dose": {"value": "400", "unit": "mg"}, "route": "oral",
        "frequency": {"way": "times-a-day", "every": 3},
        "duration": {"value": 5, "unit": "d"}, "indication": "fever",
        "weight": {"value": "12.5", "unit": "kg", "estimated": True},
    }  # fmt: skip


def test_a_whole_row_proposes_and_plus_takes_it_with_its_arithmetic(person: Person):
    person.press("c", "o", "examplin", "enter")
    for part in ("+ takes Examplin: 20 × 12.5 = 250 mg", "NOT APPROVED", "est."):
        assert part in person.screen, part
    person.press("+", "enter", "enter", "enter", "enter", "enter")

    data = last(person)["data"]
    assert (data["dose"], data["route"]) == ({"value": "250", "unit": "mg"}, "oral")
    assert data["frequency"] == {"way": "times-a-day", "every": 3}
    assert data["proposal"] == {
        "pack": "formulary", "version": "7", "row": "child", "arithmetic": "20 × 12.5 = 250 mg",
    }  # fmt: skip


def test_a_dose_that_was_changed_is_no_proposal(person: Person):
    person.press("c", "o", "examplin", "enter", "+", "up", "250", "enter", "enter", "enter")
    person.press("enter", "enter")

    assert last(person)["data"]["dose"] == {"value": "250", "unit": "mg"}
    assert "proposal" not in last(person)["data"]


def test_what_a_row_lacks_is_said_and_nothing_is_proposed(person: Person):
    person.press("c", "o", "azithromycin", "enter")
    assert "the formulary lacks route, concentration" in person.screen
    person.press("+")
    assert "takes" not in person.screen


def test_weights_in_conflict_ask_which_one_and_the_choice_is_the_answer(person: Person):
    weights = (WeightLine("14", estimated=False, at_ms=NOW_MS), WeightLine("12.5", True, NOW_MS))
    person.node.set_care("pat_00001", weights=weights)
    person.press("c", "o", "examplin", "enter")
    assert "1 14 kg" in person.screen and "2 12.5 kg est." in person.screen
    assert "no dose is worked out" in person.screen
    person.press("2")
    assert "20 × 12.5 = 250 mg" in person.screen
    person.press("+", *["enter"] * 5)

    line = last(person)
    assert line["data"]["weight"] == {"value": "12.5", "unit": "kg", "estimated": True}
    assert line["confirm"] == ["weights_differ"]


def test_no_weight_may_be_used_at_all(person: Person):
    weights = (WeightLine("14", estimated=False, at_ms=NOW_MS), WeightLine("12.5", True, NOW_MS))
    person.node.set_care("pat_00001", weights=weights)
    person.press("c", "o", "examplin", "enter", "9", "200", "enter", "1", "1", "3", "enter")
    person.press("enter")

    assert "weight" not in last(person)["data"] and "confirm" not in last(person)


def test_an_allergy_asks_once_with_its_words_and_then_why(person: Person):
    person.press("c", "o", "amoxicillin", "enter")
    assert "ALLERGY LISTED: Penicillins" in person.screen
    assert "This medicine is ordered already" in person.screen
    person.node.refuse["order.place"] = Recorded(
        0, False, error="confirm_needed", field="data.substance", confirm="allergy_match",
        allowed=("penicillins",),
    )  # fmt: skip
    person.press("200", "enter", "1", "1", "3", "enter", "enter")
    assert "Penicillins: An allergy to this is listed" in person.screen
    person.node.refuse["order.place"] = Recorded(
        0, False, error="reason_needed", field="data.override"
    )
    person.press("enter")
    person.node.refuse.clear()
    person.press("no other drug here", "enter")

    line = last(person)
    assert line["data"]["override"] == "no other drug here"
    assert line["confirm"] == ["allergy_match"]


# Procedures, addenda, the way out.


def test_a_procedure_takes_a_number_and_enter(person: Person):
    person.press("c", "d", "dres", "1", "hand", "enter", "1", "1", "1", "enter", "enter")

    assert last(person)["data"] == {
        "code": "dressing", "body_site": "hand", "side": "left", "anaesthesia": "local",
        "outcome": "completed",
    }  # fmt: skip


def test_an_addendum_names_its_line_and_the_chart_says_which(person: Person):
    person.press("down", "c", "n")
    assert "Adds to: " in person.screen and "reduced air entry" in person.screen
    person.press("now better", "enter")

    line = last(person)
    assert line["data"] == {"text": "now better", "about": "fct_e.0"}
    known = person.node.patients["pat_00001"]
    pairs = (("note", "now better"), ("addendum", "fct_e.0"))
    known.lines.append(ChartLine("fct_z.0", NOW_MS, NOW_MS, "note.add", pairs, "R. Amin"))
    person.press("escape", "enter")
    assert "now better (adds to Note 14:12)" in person.screen


def test_leaving_says_the_outcome_frees_the_bed_and_is_one_commit(person: Person):
    calls = []
    record = person.node.record

    async def counted(lines, **how):
        calls.append((len(lines), how.get("together")))
        return await record(lines, **how)

    person.node.record = counted  # type: ignore[method-assign]
    person.press("c", "x")
    assert "Bed B-02 is free" in person.screen and "3 medicines go on" in person.screen
    person.press("2", "cho", "1", "1", "enter", "enter")

    assert calls == [(2, True)]
    moved, closed = person.node.written
    assert (moved["kind"], moved["data"]) == ("encounter.move", {"bed": None})
    assert (closed["kind"], closed["data"]) == (
        "encounter.close",
        {"outcome": "discharged-follow-up", "syndrome": "watery-diarrhoea",
         "event_relation": "direct"},
    )  # fmt: skip


def test_a_death_takes_one_more_enter_and_a_reference_its_place(person: Person):
    person.press("c", "x", "7", "enter", "enter", "enter", "enter")
    assert "says that the patient is dead" in person.screen and person.node.written == []
    person.press("enter")
    assert last(person)["data"]["outcome"] == "died"


def test_nobody_leaves_who_is_not_in_care(person: Person):
    person.node.set_care("pat_00001", in_care=False)
    person.press("c", "x")

    assert "nothing to end" in person.screen
    assert person.shell.page.name == "care"


# What holds for all of them.

FORMS = {
    "allergy": ["c", "a", "n", "2", "enter"],
    "allergy_none": ["c", "a", "k", "asked again"],
    "allergy_refute": ["c", "a", "x", "was wrong"],
    "problem": ["c", "p", "n", "mal", "1"],
    "problem_over": ["c", "p", "r"],
    "order": ["c", "o", "ors", "enter", "400", "enter", "1", "1", "3", "enter"],
    "give": ["m", "g", "1"],
    "give_without": ["m", "w", "ors", "enter", "400", "enter", "1", "enter", "3", "enter"],
    "stop_order": ["m", "s", "2"],
    "procedure": ["c", "d", "dres", "1"],
    "addendum": ["c", "n", "x"],
    "discharge": ["c", "x", "1", "enter", "enter", "enter"],
}
KINDS = {
    "allergy": "allergy.record", "problem": "condition.record", "order": "order.place",
    "give": "administration.record", "stop_order": "order.stop", "procedure": "procedure.record",
    "addendum": "note.add", "discharge": "encounter.close",
}  # fmt: skip


def saved(person, many):
    """Strike Enter until it is saved: what is behind the last answer is optional."""
    for _ in range(4):
        if len(person.node.written) > many:
            return person.node.written[many:]
        person.press("enter")
    raise AssertionError(person.screen)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_has_who_it_is_and_the_allergies_on_top(person: Person, form):
    person.press(*FORMS[form])
    assert person.shell.page.name == form
    rows = person.screen.splitlines()

    assert "Haddad Nour" in rows[1] and "ACD EFH 001" in rows[1]
    assert "ALLERGY  Penicillins; mango" in rows[2]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_saved_and_taken_back_by_f8(person: Person, form):
    person.press(*FORMS[form])
    saved(person, 0)
    many = len(person.node.written)
    person.press("f8", "enter")

    taken = person.node.written[many:]
    assert taken and {line["kind"] for line in taken} == {"entry.retract"}


@pytest.mark.parametrize("form", FORMS)
def test_paper_keeps_when_and_by_whom_for_the_next_form(person: Person, form):
    person.shell.desk.paper = True
    when = ("2026-05-19", "enter", "1405", "enter", "1", "J. Cho", "enter")
    person.press(*FORMS[form][: FORMS[form].index("n") + 1 if form == "addendum" else 0])
    person.shell.desk.paper = True
    keys = [*FORMS[form]]
    if form == "addendum":
        keys = keys[2:]
    opened = _open(person, keys)
    assert person.shell.page.name == "when", person.screen
    person.press(*when, *opened)
    lines = saved(person, 0)
    for line in lines:
        assert line["at"] == "2026-05-19T14:05:00+00:00"
        assert (line["by"], line["source"]) == ("J. Cho", "paper")
    assert person.shell.desk.last_paper.by == "J. Cho"


def _open(person, keys):
    """Strike keys until a form asks when; return the rest."""
    for at in range(len(keys) + 1):
        if person.shell.page.name == "when":
            return keys[at:]
        person.press(keys[at])
    return []


@pytest.mark.parametrize("form", FORMS)
def test_a_scan_of_somebody_else_fills_nothing_and_offers_to_switch(person: Person, form):
    person.node.patients["pat_00003"].tags = ("TG-9",)
    person.press(*FORMS[form])
    before = person.page.form.snapshot()
    page = person.page
    person.press(*"]C1TG-9", "enter")

    assert person.shell.page.name == "switch" and "Osei Kwame" in person.screen
    assert page.form.snapshot() == before and person.node.written == []


@pytest.mark.parametrize("form", FORMS)
def test_a_draft_is_kept_and_taken_up_again(person: Person, form):
    person.press(*FORMS[form])
    typed = person.page.form.snapshot()
    if not typed:
        return
    person.press("escape", "escape", "escape", "escape")
    assert [draft.form for draft in person.node.drafts.values()] == [form]
    person.press("d", "enter")

    assert person.shell.page.name == form
    assert person.page.form.snapshot() == typed
    assert saved(person, 0)
    assert person.node.drafts == {}


@pytest.mark.parametrize(("downs", "letter"), [(1, "g"), (2, "g"), (1, "s"), (2, "s")])
def test_a_draft_about_one_order_is_taken_up_about_that_order(person: Person, downs, letter):
    person.press("m", *["down"] * downs, letter)
    page = person.page
    whose = page.row.substance
    assert whose == ("amoxicillin", "paracetamol", "morphine")[downs]
    person.press("2" if letter == "g" else "4")
    assert not page.form.empty
    person.press("escape", "escape", "escape", "escape", "d", "enter")

    again = person.page
    assert again is not page and again.name == page.name
    assert (again.row.substance, again.row.order) == (whose, page.row.order)
    assert whose.split()[0] in person.screen


@pytest.mark.parametrize("form", KINDS)
def test_a_form_that_whoever_is_here_may_not_write_asks_first(form):
    node = ill()
    node.stopped = {KINDS[form]: refusing(KINDS[form], "outside_practice", overridable=True)}
    node.greeting = type(node.greeting)(device="dev", name="nord-b", gated=True)
    keys = FORMS[form]
    opened = {"addendum": 2, "discharge": 2, "order": 2, "procedure": 2, "give": 2, "stop_order": 2}
    person = Person(node).press(*HADDAD, *keys[: opened.get(form, 3)])

    assert person.shell.page.name == "gate"
    assert "Your licence does not cover this" in person.screen


def test_another_teams_patient_asks_why_before_any_page_of_care():
    node = ill()
    person = Person(node).press(*HADDAD)
    node.foreign = {"pat_00001": ("MoH",)}
    person.press("m")

    assert person.shell.page.name == "glass"


def test_the_list_is_read_before_a_dose_of_it_is_given(person: Person):
    person.hurry("m", "g", "1", "enter")
    assert person.node.written == []
    assert "not taken" in person.screen
    person.look()
    person.press("g", "1", "enter")
    assert len(person.node.written) == 1


@pytest.mark.parametrize("language", ["en", "fr"])
def test_lines_of_care_say_routes_units_and_how_often_in_words(language):
    node = ward()
    pairs = (("order", "paracetamol"), ("dose", "1 {tablet}"), ("route", "oral"),
             ("often", "times-a-day 3"), ("reason", "not-in-stock"))  # fmt: skip
    node.patients["pat_00001"].lines.append(
        ChartLine("fct_o.0", NOW_MS, NOW_MS, "order.place", pairs, "R. Amin")
    )
    person = Person(node)
    person.shell.desk.words = load(language)
    person.press(*HADDAD)
    said = {
        "en": ("1 tablet", "by mouth", "3 x a day", "not in stock"),
        "fr": ("1 comprimé", "par la bouche", "3 x par jour", "pas en stock"),
    }[language]
    for part in said:
        assert part in " ".join(person.screen.split()), part
    for raw in ("times-a-day", "{tablet}"):
        assert raw not in person.screen


# Line mode.


def test_line_mode_gives_a_dose_and_says_what_was_ordered():
    node, said = told("f3", "haddad", "", "m", "g", "1", "", "", node=ill())

    assert "ORDERED amoxicillin (tablet 250 mg)" in " ".join(said.split())
    assert node.written[0]["data"] == {"order": "fct_ord_amoxicillin.0", "status": "given"}


def test_line_mode_records_an_allergy_by_its_word():
    node, said = told("f3", "haddad", "", "c", "a", "n", "latex", "", node=ill())

    assert "Allergic to" in said and "12 Metronidazole" in said
    assert node.written[0]["data"] == {"code": "latex"}


def test_line_mode_orders_a_medicine():
    typed = ("f3", "haddad", "", "c", "o", "ibuprofen", "200", "1", "1", "3", "")
    node, said = told(*typed, node=ill())

    assert "200 ÷ 12.5 = 16 mg/kg" in said
    assert node.written[0]["data"]["frequency"] == {"way": "times-a-day", "every": 3}


def test_a_medicine_that_is_not_marked_is_not_given(person: Person):
    person.node.set_care("pat_00001", medicines=(), doses=())
    person.press("m", "g")
    assert "Nothing is marked" in person.screen
    person.press("escape")
    assert medicine("x", NOW_MS).substance == "x"
