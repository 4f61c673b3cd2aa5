"""Hand-over, differing values, doubles and papers at a terminal: keys in, records out."""

from __future__ import annotations

import msgspec
import pytest

from fieldnode.tui.screens.board import WardPage
from protocols.live.alike import AlikeLine
from protocols.live.api import Recorded
from tests.screens.between_screens import between_teams
from tests.screens.fake_between import PAPER, PARTIES, a_paper, an_offer, differ
from tests.screens.fake_node import NOW_MS, ward
from tests.screens.test_line import told
from tests.screens.test_pages import Person

HADDAD = ("down", "down", "enter")
"""The third on the board: the chart opens."""


def person_with(**put) -> Person:
    node = ward()
    for name, value in put.items():
        setattr(node, name, value)
    return Person(node)


def head_of(node, name="Haddad Nour"):
    return next(one.head for one in node.patients.values() if one.head.name == name)


def differing(what="allergy", of_what="penicillins", *values) -> Person:
    node = ward()
    head = head_of(node)
    node.patients[head.patient].attributes = ()
    given = values or ("penicillins|anaphylaxis|severe", "penicillins|rash|mild")
    node.disputed[head.patient] = [differ(head, what, of_what, NOW_MS, *given)]
    return Person(node)


def written(person, kind):
    return [line for line in person.node.written if line["kind"] == kind]


# What is not settled.


def test_both_values_stand_with_whose_they_are_and_what_is_used():
    person = differing().press(*HADDAD, "u")
    for part in ("Allergy Penicillin", "anaphylaxis", "SEVERE", "rash", "Amina Okoro (nurse)",
                 "Jun Cho (MD, surgeon)", "nord-a", "13:02, written 13:12",
                 "not known to have seen the other", "USED MEANWHILE", "missing an"):  # fmt: skip
        assert part in person.screen, part


@pytest.mark.safety(21)
def test_from_the_chart_a_value_that_is_chosen_is_kept_with_at_most_three_keys():
    """SAFETY 21, and what is asked of settling: no more than three keys where one is chosen."""
    person = differing().press(*HADDAD)
    keys = ("u", "down", "enter")
    person.press(*keys)

    (line,) = written(person, "conflict.settle")
    assert len(keys) <= 3
    assert line["data"] == {"attribute": "allergy", "keep": "fct_allergy.1"}
    assert line["reason"]
    assert "SETTLED" in person.screen
    assert "Nothing disagrees" in person.press("u").screen


def test_an_attribute_is_settled_as_before():
    person = Person(ward()).press(*HADDAD, "u", "enter")
    (line,) = written(person, "conflict.settle")
    assert line["data"] == {"attribute": "sex", "keep": "fct_a.0"}


def test_what_the_node_asks_about_takes_a_second_enter():
    person = differing()
    person.press(*HADDAD, "u", "down")
    asked = Recorded(0, False, error="confirm_needed", confirm="allergy_listed", field="data")
    person.node.refuse["conflict.settle"] = asked
    person.press("enter")
    assert "Something is listed" in person.screen
    assert written(person, "conflict.settle") == []
    del person.node.refuse["conflict.settle"]
    person.press("enter")

    (line,) = written(person, "conflict.settle")
    assert line["confirm"] == ["allergy_listed"]


def test_another_value_is_not_kept_by_what_was_confirmed_for_the_first():
    person = differing()
    person.press(*HADDAD, "u")
    asked = Recorded(0, False, error="confirm_needed", confirm="allergy_listed", field="data")
    person.node.refuse["conflict.settle"] = asked
    person.press("enter")
    del person.node.refuse["conflict.settle"]
    person.press("down", "enter")

    (line,) = written(person, "conflict.settle")
    assert "confirm" not in line


def test_keys_struck_before_the_values_were_seen_settle_nothing():
    person = differing().press(*HADDAD)
    person.hurry("u", "enter")
    assert written(person, "conflict.settle") == []


def test_a_dose_that_was_two_is_said_to_have_been_two():
    person = differing("dose", "morphine", "morphine 5 mg iv", "morphine 5 mg iv")
    person.press(*HADDAD, "u", "b")

    (line,) = written(person, "administration.record")
    assert line["data"] == {"substance": "morphine", "status": "not-given"}
    assert line["reason"]


def test_of_a_dose_after_a_stop_nobody_says_it_was_two():
    node = ward()
    head = head_of(node)
    one = differ(head, "dose", "morphine", NOW_MS, "stopped", "given")
    sides = (one.sides[0], msgspec.structs.replace(one.sides[1], used=False))
    node.disputed[head.patient] = [msgspec.structs.replace(one, sides=sides)]
    node.patients[head.patient].attributes = ()
    person = Person(node).press(*HADDAD, "u")

    assert "both were given" not in person.screen
    assert "Enter on the stop: it stays stopped" in person.screen
    person.press("b")
    assert written(person, "administration.record") == []


def test_the_list_of_everybody_comes_from_f6_the_greatest_risk_first():
    person = differing()
    other = head_of(person.node, "Li Wei")
    person.node.disputed[other.patient] = [
        differ(other, "weight", "", NOW_MS, "40 kg", "60 kg"),
        differ(other, "custody", "", NOW_MS, "accepted Red Star", "declined"),
    ]
    person.press("f6", "u")
    rows = [person.screen.index(word) for word in ("Allergy", "Custody", "Weight")]
    assert rows == sorted(rows)
    person.press("down", "enter")
    assert "taken over by Red Star" in person.screen
    assert "CUSTODY UNCLEAR" in person.screen
    person.press("escape", "escape")
    assert person.shell.page.name == "alerts"


def test_values_of_another_teams_patient_take_a_reason_first():
    person = differing()
    head = head_of(person.node)
    person.node.foreign = {head.patient: ("Red Cross",)}
    person.press("f6", "u", "enter")
    assert person.shell.page.name == "glass"
    assert "anaphylaxis" not in person.screen


# Hand-over.


def test_an_offer_names_the_party_and_carries_mist():
    person = person_with(parties=PARTIES, suggested={"injuries": "femur fracture, left"})
    person.press(*HADDAD, "r", "down", "down", "down", "enter")
    person.press(*"fell", "enter")
    assert "femur fracture, left" in person.screen
    person.press("ctrl+y", "enter", *"pale", "enter", *"splint", "enter", "enter")

    (line,) = written(person, "transfer.offer")
    assert line["data"] == {
        "to": {"device": "dev_1", "name": "nord-a"},
        "mechanism": "fell",
        "injuries": "femur fracture, left",
        "signs": "pale",
        "treatment": "splint",
    }
    assert "SAVED HERE" in person.screen


def test_what_is_suggested_is_not_written_unless_it_was_taken():
    person = person_with(parties=PARTIES, suggested={"injuries": "femur fracture, left"})
    person.press(*HADDAD, "r", "enter", *"fell", "enter", "enter", "enter", "enter", "enter")

    (line,) = written(person, "transfer.offer")
    assert line["data"] == {"to": {"organisation": "Red Cross"}, "mechanism": "fell"}


def test_sbar_and_somebody_outside():
    person = person_with(parties=PARTIES)
    person.press(*HADDAD, "0", "end", "s", *"Lycee ward", "enter", *"worse", "enter")
    person.press("tab", "tab", *"look", "enter", "enter")

    (line,) = written(person, "transfer.offer")
    assert line["data"] == {
        "to": {"organisation": "Lycee ward"},
        "situation": "worse",
        "recommendation": "look",
    }


def test_a_draft_of_an_offer_goes_on_to_the_same_party_in_the_same_form():
    person = person_with(parties=PARTIES)
    person.press(*HADDAD, "r", "down", "down", "s", *"worse", "enter", "escape", "escape")
    person.press("d", "enter")
    assert "Camp hospital" in person.screen
    assert "SITUATION" in person.screen.upper()
    person.press("tab", "tab", "tab", "enter", "enter")
    (line,) = written(person, "transfer.offer")
    assert line["data"]["to"] == {"site": "sit_1", "name": "Camp hospital"}


def test_a_second_offer_is_asked_about_and_then_stands_beside_the_first():
    person = person_with(parties=PARTIES)
    person.node.refuse["transfer.offer"] = Recorded(
        0, False, error="confirm_needed", confirm="offer_stands", field="data.to"
    )
    person.press(*HADDAD, "r", "enter", *"x", "enter", "enter", "enter", "enter", "enter")
    assert "custody is then UNCLEAR" in person.screen
    del person.node.refuse["transfer.offer"]
    person.press("enter")
    (line,) = written(person, "transfer.offer")
    assert line["confirm"] == ["offer_stands"]


def offered(**more) -> Person:
    node = ward()
    head = head_of(node, "Li Wei")
    node.offered = [an_offer(head, NOW_MS, **more)]
    return Person(node)


@pytest.mark.safety(25)
def test_an_offer_to_us_is_read_and_taken_over():
    person = offered().press("f6", "o")
    assert "1 to us" in person.screen
    person.press("enter")
    for part in ("Li Wei", "fell from a roof", "ketamine", "Jun Cho (Red Cross)", "40 min"):
        assert part in person.screen, part
    assert "a/1 take over" in person.screen
    person.press("a")

    (line,) = written(person, "transfer.accept")
    assert line["data"] == {"offer": "fct_offpat_00004.1"}
    assert "TAKEN OVER" in person.screen
    assert "Nobody is offered" in person.screen


def test_an_offer_is_turned_down_with_a_reason():
    person = offered().press("f6", "o", "enter", "d")
    person.press("enter")
    assert written(person, "transfer.decline") == []
    person.press(*"no theatre tonight", "enter")

    (line,) = written(person, "transfer.decline")
    assert (line["data"], line["reason"]) == (
        {"answers": "fct_offpat_00004.1"}, "no theatre tonight",
    )  # fmt: skip


def test_an_offer_to_somebody_else_takes_the_same_key_twice():
    person = offered(to="Red Star", to_us=False, said=())
    person.node.refuse["transfer.accept"] = Recorded(
        0, False, error="confirm_needed", confirm="offered_elsewhere", field="data.offer"
    )
    person.press("f6", "o", "enter")
    assert "told to whom it is offered" in person.screen
    person.press("a")
    assert "names somebody else" in person.screen
    del person.node.refuse["transfer.accept"]
    person.press("a")
    (line,) = written(person, "transfer.accept")
    assert line["confirm"] == ["offered_elsewhere"]


def test_whoever_offered_takes_back_and_does_not_take_over():
    person = offered(to_us=False, from_here=True).press("f10", "9", "2", "enter")
    assert "take over" not in person.screen
    assert person.press("a").shell.page.name == "offer"
    person.press("x", *"better now", "enter")
    (line,) = written(person, "transfer.decline")
    assert line["reason"] == "better now"


# Written down twice.


def doubled() -> Person:
    node = ward()
    one, two = head_of(node, "Osei Kwame"), head_of(node, "Li Wei")
    node.doubles = [AlikeLine(one, 70, ("name", "age"), two)]
    return Person(node)


@pytest.mark.parametrize(("key", "kind"), [("s", "patient.link"), ("x", "patient.unlink")])
def test_a_pair_is_linked_or_told_apart_with_two_keys(key, kind):
    person = doubled().press("f10", "9", "3")
    keys = ("enter", key)
    person.press(*keys)

    (line,) = written(person, kind)
    assert line["data"]["relation"] == "same"
    assert bool(line.get("reason")) == (key == "x")
    assert "Nobody in care looks like" in person.screen
    person.press("f8", "enter")
    assert written(person, "entry.retract")


def test_both_stand_in_full_with_why_they_look_alike():
    person = doubled().press("f10", "9", "3", "enter")
    for part in ("Osei Kwame", "Li Wei", "70 of 100", "name, age"):
        assert part in person.screen, part


# Papers.


def scanned(worth="holds", patient="", **said) -> Person:
    node = ward()
    node.paper = a_paper(NOW_MS, worth, patient, **said)
    return Person(node).press(*f"]Q3{PAPER}", "enter")


def test_a_scanned_paper_says_what_it_is_worth_on_any_page():
    person = scanned()
    assert "Signed by nord-a (Red Cross)" in person.screen
    assert "Diallo Awa" in person.screen
    assert person.node.written == []
    person.press("escape", "f3", *f"]Q3{PAPER}", "enter")
    assert "A SIGNED PAPER" in person.screen


@pytest.mark.parametrize(("worth", "said"), [("forged", "NOT GENUINE"), ("unknown", "Cannot be")])
def test_of_a_paper_that_cannot_be_believed_nothing_is_taken(worth, said):
    person = scanned(worth)
    assert said in person.screen
    assert "Diallo" not in person.screen
    person.press("n", "2", "o", "1")
    assert person.shell.page.name == "paper_read"


def test_a_paper_of_somebody_known_opens_their_chart():
    person = scanned(patient="pat_00004").press("o")
    assert person.shell.page.name == "chart"
    assert "Li Wei" in person.screen


@pytest.mark.safety(4)
def test_each_answer_of_a_paper_is_taken_with_enter_and_said_to_be_scanned():
    """SAFETY 4: what was measured, and the triage, are found by whoever is here."""
    person = scanned(findings=((8, "118 /min"),)).press("n")
    assert "Diallo Awa" in person.screen
    assert "what a paper said" in person.screen
    for _ in range(9):
        assert person.node.written == []
        person.press("enter")
    person.press("enter")

    first = person.node.written[0]
    assert first["data"]["family_name"] == "Diallo Awa"
    assert first["data"]["tags"] == ["TG-000377"]
    assert (first["kind"], first["source"]) == ("patient.register", "scanned")
    allergies = written(person, "allergy.record")
    assert [(one["data"]["text"], one["source"]) for one in allergies] == [
        ("penicillins", "scanned"), ("mango", "scanned"),
    ]  # fmt: skip
    assert not written(person, "triage.record")
    assert not written(person, "observation.record")


def test_a_tag_that_begins_like_a_paper_is_a_tag():
    person = Person(ward()).press(*"]C1FM-0012", "enter")
    assert person.shell.page.name == "search"


def test_a_paper_that_does_not_read_leaves_the_page_below():
    person = Person(ward()).press("f3", *f"]Q3{PAPER}", "enter")
    assert person.shell.page.name == "search"


# Whose patient it is.


@pytest.mark.safety(25)
def test_every_board_says_whose_patient_it_is():
    """SAFETY 25."""
    node = ward()
    said = {"Osei Kwame": (1, ""), "Li Wei": (2, "Red Star"), "Silva Pedro": (3, "Red Star")}
    for patient in node.patients.values():
        custody, keeper = said.get(patient.head.name, (0, ""))
        patient.head = msgspec.structs.replace(patient.head, custody=custody, keeper=keeper)
    person = Person(node)
    shown = {}
    for _ in node.patients:
        page = person.shell.page
        assert isinstance(page, WardPage)
        row = page.rows.selected
        shown[row.name] = person.screen
        person.press("down")
    assert "OFFERED to another team" in shown["Osei Kwame"]
    assert "WITH Red Star" in shown["Li Wei"]
    assert "Silva Pedro   CUSTODY UNCLEAR" in shown["Silva Pedro"]
    assert "OFFERED" not in shown["Haddad Nour"]


# Line mode.


def test_an_offer_and_a_settlement_are_made_line_by_line():
    node = ward()
    between_teams(node)
    node, said = told("+", "+", "", "r", "", "fell", "=", "", "", "", node=node)
    (line,) = [one for one in node.written if one["kind"] == "transfer.offer"]
    assert line["data"] == {
        "to": {"organisation": "Red Cross"},
        "mechanism": "fell",
        "injuries": "femur fracture, left",
    }
    assert "The chart says" in said
    node, said = told("+", "+", "", "u", "", "+", "", node=node)
    (line,) = [one for one in node.written if one["kind"] == "conflict.settle"]
    assert line["data"] == {"attribute": "allergy", "keep": "fct_allergy.1"}
    assert "not known to have seen the other" in said


def test_an_offer_is_taken_over_line_by_line():
    node = ward()
    between_teams(node)
    node, said = told("f6", "o", "", "a", node=node)
    assert [one["kind"] for one in node.written] == ["transfer.accept"]
    assert "fell from a roof" in said
