"""Registering: few keys, guesses marked, who is perhaps here already, links to be undone."""

import pytest

from fieldnode.tui.cores.fields import AboutNumber, AnswerError
from protocols.errors import LinkError
from tests.screens.test_line import told
from tests.screens.test_mass import counting
from tests.screens.test_pages import Person


@pytest.fixture
def person() -> Person:
    return Person()


def registered(person):
    return next(one["data"] for one in person.node.written if one["kind"] == "patient.register")


@pytest.mark.safety(21)
def test_a_patient_takes_the_name_and_at_most_twelve_keys_more():
    name = [*"Diallo", *"Awa"]
    person = counting("n")
    person.strike(*"Diallo", "enter", *"Awa", "enter", "2", *"34", "enter", "1", "enter", "enter")
    person.strike("enter", "enter")

    assert person.struck - len(name) <= 12
    assert registered(person) == {
        "family_name": "Diallo", "given_name": "Awa", "sex": "female",
        "age": {"value": "34", "unit": "y"},
    }  # fmt: skip
    assert person.shell.page.name == "chart"


def test_somebody_unknown_is_registered_without_a_name_and_with_a_guessed_age(person: Person):
    person.press("n", "enter", "enter", "1", "~40", "enter", "1", *["enter"] * 5)

    assert registered(person) == {
        "sex": "male", "age": {"value": "40", "unit": "y", "estimated": True},
    }  # fmt: skip
    assert "~40 y" in person.screen and "unknown" in person.screen


@pytest.mark.safety(1)
@pytest.mark.parametrize(
    "keys", [["~40", "enter", "1"], ["40", "enter", "5"], ["≈40", "enter", "5"]]
)
def test_a_guess_is_marked_in_the_number_or_in_the_unit(person: Person, keys):
    person.press("n", "enter", "enter", "1", *keys, *["enter"] * 5)

    assert registered(person)["age"] == {"value": "40", "unit": "y", "estimated": True}


@pytest.mark.parametrize("text", ["~", "~~4", "4~", "~131", "~4.5"])
def test_what_is_no_guessed_number_is_refused(text):
    with pytest.raises(AnswerError):
        AboutNumber("age", "x", possible=("0", "130")).meaning(text)


def test_every_field_that_is_left_is_on_disk_as_a_draft(person: Person):
    typed = ["Diallo", "Awa", "2", "34", "1", "77"]
    names = ["family_name", "given_name", "sex", "age", "age_unit", "tag"]
    person.press("n")
    for at, text in enumerate(typed):
        person.press(text, *([] if names[at] in ("sex", "age_unit") else ["enter"]))
        (draft,) = person.node.drafts.values()
        assert set(draft.fields) == set(names[: at + 1])


# Who is perhaps here already.


def test_who_is_perhaps_here_is_named_beside_and_holds_nothing_up(person: Person):
    person.press("n").hurry(*"Li", "enter", *"Wei", "enter", "2", *"28", "enter", "1")
    assert "Perhaps here already: 1" in person.screen
    assert "ACD EFH 004  28 y  pregnant  Li Wei" in person.screen
    assert person.shell.lost == []

    person.press("enter", "enter", "enter", "enter")
    assert registered(person)["given_name"] == "Wei"


def test_looking_at_them_keeps_what_was_typed_as_a_draft(person: Person):
    person.press("n", "Li", "enter", "Wei", "enter", "ctrl+l")
    assert person.shell.page.name == "candidates"
    person.press("enter")

    assert "Li Wei" in person.screen and person.shell.page.name == "chart"
    (draft,) = person.node.drafts.values()
    assert draft.fields == {"family_name": "Li", "given_name": "Wei"}
    assert person.node.written == []


def test_where_both_names_find_nobody_the_family_name_does(person: Person):
    person.press("n", "Haddad", "enter", "Zoe", "enter")

    assert "Haddad Nour" in person.screen


def test_nobody_alike_says_nothing_and_a_failing_search_holds_nothing_up(person: Person):
    async def broken(*_):
        raise LinkError("node_left")

    person.press("n", "Qqq", "enter", "Xxx", "enter")
    assert "Perhaps" not in person.screen
    person.press("ctrl+l")
    assert "Nobody like this" in person.screen

    person.node.search = broken  # type: ignore[method-assign]
    person.press("up", "y", "enter")
    assert person.page.form.open_field.name == "sex"
    assert "!" not in person.screen.splitlines()[-3]


# Links.


def linked(person, digit="1", name="haddad"):
    return person.press("enter", "l", "n", name, "enter", "enter", digit, "enter")


def test_an_unknown_patient_is_identified_by_a_link_and_both_records_stay(person: Person):
    person.press("down")
    linked(person)

    (line,) = person.node.written
    assert (line["kind"], line["patient"], line["data"]) == (
        "patient.link", "pat_00002", {"other": "pat_00001", "relation": "same"},
    )  # fmt: skip
    assert "the same person" in person.screen and "Haddad Nour" in person.screen
    person.press("enter")
    assert person.shell.page.name == "chart" and "Haddad Nour" in person.screen
    person.press("l")
    assert "ACD EFH 002" in person.screen and "the same person" in person.screen


@pytest.mark.parametrize(
    ("digit", "relation"),
    list(zip(
        "1234567890",
        ["same", "mother", "father", "child", "sibling", "spouse", "grandparent", "aunt-uncle",
         "guardian", "other"],
        strict=True,
    )),
)  # fmt: skip
def test_each_digit_is_one_way_to_belong_together(person: Person, digit, relation):
    linked(person, digit)

    assert person.node.written[0]["data"]["relation"] == relation


def test_a_family_link_reads_the_right_way_round_from_both_sides(person: Person):
    linked(person, "2")
    assert "mother" in person.screen
    person.press("enter", "l")

    assert "this is their mother" in person.screen


def test_taking_a_link_back_names_both_gives_a_reason_and_leaves_both(person: Person):
    linked(person).press("x")
    for part in ("Osei Kwame", "Haddad Nour", "the same person"):
        assert part in person.screen
    person.press("enter")

    line = person.node.written[-1]
    assert (line["kind"], line["data"]["relation"]) == ("patient.unlink", "same")
    assert line["reason"]
    assert "not (any more)" in person.screen
    person.press("x")
    assert "Mark a link that holds" in person.screen


def test_a_family_link_is_taken_back_from_the_side_it_was_not_written_on(person: Person):
    linked(person, "2").press("enter", "l", "x", "enter")

    line = person.node.written[-1]
    assert (line["patient"], line["data"]["other"]) == ("pat_00003", "pat_00001")


def test_nobody_is_linked_with_themselves_or_without_saying_how(person: Person):
    person.press("enter", "l", "n", "osei", "enter", "enter")
    assert "This is the same patient" in person.screen
    person.press("escape", "n", "haddad", "enter", "enter", "enter")
    assert "Say how first" in person.screen
    assert person.node.written == []


def test_f8_takes_a_link_back_too(person: Person):
    linked(person).press("f8", "enter")

    assert person.node.written[-1]["kind"] == "entry.retract"


def test_line_mode_registers_and_names_who_is_perhaps_here():
    node, said = told("n", "Li", "Wei", "2", "~28", "1", "", "", "", "")

    assert "Perhaps here already" in said
    assert node.written[0]["data"]["age"]["estimated"]


def test_line_mode_links():
    node, _ = told("", "l", "n", "haddad", "", "2", "")

    assert node.written[0]["data"]["relation"] == "mother"


def test_line_mode_looks_at_who_is_perhaps_here():
    node, said = told("n", "Li", "Wei", "=", "")

    assert "PERHAPS ONE OF THESE?" in said
    assert node.written == []
