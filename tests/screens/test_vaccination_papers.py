"""Proofs of vaccination at a terminal: printed, scanned, and doses taken over once seen."""

import msgspec
import pytest

from protocols.live.api import Recorded
from protocols.live.proof import PrintedProof
from tests.screens.fake_between import PAPER, a_proof, new_doses
from tests.screens.fake_node import NOW_MS, FakeNode, ward
from tests.screens.test_pages import Person
from tests.screens.test_printing import HADDAD, at, files
from tests.unit.test_proof import GOLDEN, childs


def scanned(worth="holds", patient="", states=("here", "new"), keys=()) -> Person:
    node = ward()
    node.paper = a_proof(NOW_MS, worth, patient)
    node.paper_new = new_doses(*states)
    return Person(node).press(*keys, *f"]Q3{PAPER}", "enter")


def doses(person):
    return [line for line in person.node.written if line["kind"] == "dose.record"]


def test_a_scanned_proof_says_its_worth_and_every_dose_with_its_lot():
    person = scanned()
    said = ("Signed by nord-a (Red Cross)", "PROOF OF VACCINATION", "Diallo Awa", "NOT APPROVED")
    doses = ("DTP-HepB-Hib 1", "lot PE-1", "as a card says", "lot MR-0172B", "Amina Okoro")
    for part in (*said, *doses, "1 older dose did not fit"):
        assert part in person.screen, part
    assert person.node.written == []


@pytest.mark.parametrize("worth", ["forged", "unknown", "sealed"])
def test_of_a_proof_that_is_not_to_be_believed_no_dose_is_taken(worth):
    person = scanned(worth, patient="pat_00004").press("d", "3")
    assert person.shell.page.name == "paper_read"
    assert ("MR-0172B" in person.screen) == (worth == "sealed")


def test_each_dose_is_seen_before_one_key_writes_those_that_are_new():
    person = scanned(patient="pat_00004").press("d")
    shown = ("Written down here: Li Wei", "THE SEX IS ANOTHER ONE", "lot MR-0172B")
    asked = ("- 2025-07-01", "here already", "+ 2026-05-02", "Write 1 dose down for Li Wei")
    for part in (*shown, *asked):
        assert part in person.screen, part
    assert doses(person) == []

    person.press("w")

    (line,) = doses(person)
    assert (line["source"], line["data"]["lot"]) == ("paper", "MR-0172B")
    assert "1 dose written down" in person.screen
    person.press("f8", "enter")
    assert [one["kind"] for one in person.node.written][-1] == "entry.retract"


def test_where_nobody_is_named_the_patient_is_found_first():
    person = scanned().press("d", *"li wei", "enter")
    assert "Whose doses are these?" in person.screen
    person.press("enter", "1")
    assert len(doses(person)) == 1


def test_where_nothing_is_new_no_key_writes():
    person = scanned(patient="pat_00004", states=("here", "differs")).press("d", "w", "1")
    assert "Nothing of it is new here" in person.screen
    assert person.node.written == []


def test_what_the_node_refuses_is_said_and_the_page_stays():
    person = scanned(patient="pat_00004").press("d")
    refused = Recorded(1, False, error="confirm_needed", confirm="dose_given_already")
    person.node.refuse["dose.record"] = refused
    person.press("w")
    assert person.shell.page.name == "paper_doses"
    assert doses(person) == []


def test_another_teams_patient_asks_for_a_reason_first():
    person = scanned(patient="pat_00004")
    person.node.foreign = {"pat_00004": ("Red Star",)}
    person.press("d")
    assert "Red Star" in person.screen
    assert doses(person) == []


def test_who_it_is_is_registered_from_a_proof_and_read_first():
    person = scanned().press("n")
    assert person.shell.page.name == "register"
    while person.shell.page.name == "register":
        person.press("enter")
    first = person.node.written[0]
    assert first["kind"] == "patient.register"
    assert first["source"] == "scanned"
    data = first["data"]
    assert (data["family_name"], data["birth_date"], data["sex"]) == (
        "Diallo Awa", "2025-05-10", "female",
    )  # fmt: skip
    assert data["tags"] == ["TG-000377"]
    assert doses(person) == []


def clinic() -> FakeNode:
    """A node that gives out a proof and a card."""
    node = ward()
    given = node.call

    async def call(name, **args):
        if name != "print_vaccination":
            return await given(name, **args)
        node.printed.append((args["sheet"], args["patient"]))
        text = GOLDEN if args["sheet"] == "vaccination" else ""
        made = PrintedProof("nord-b", NOW_MS, text, childs(), next_day="2026-06-01")
        return msgspec.to_builtins(made)

    node.call = call  # type: ignore[method-assign]
    return node


@pytest.mark.parametrize("kind", ["text", "escpos", "zpl", "png"])
def test_proof_and_card_are_printed_and_name_every_lot(tmp_path, kind):
    node = clinic()
    person = at(tmp_path, kind, node).press(*HADDAD, "c", "0", "v")
    assert "PRINTED: proof of vaccination" in person.screen
    person.press("c", "0", "c")
    assert "PRINTED: vaccination card" in person.screen

    assert node.printed == [("vaccination", "pat_00001"), ("card", "pat_00001")]
    raws = [file.read_bytes() for file in files(tmp_path)]
    card = next(raw for raw in raws if b"VACCINATION CARD" in raw)
    assert b"NEXT VISIT: 2026-06-01" in card
    for dose in childs().doses:
        assert dose.lot.encode() in card
    proof = next(raw for raw in raws if raw != card)
    if kind == "png":
        assert proof.startswith(b"\x89PNG")
    else:
        assert b"PROOF OF VACCINATION" in proof or GOLDEN.encode() in proof


@pytest.mark.parametrize("kind", ["text", "escpos", "zpl"])
def test_a_proof_of_an_exercise_says_so(tmp_path, kind):
    at(tmp_path, kind, clinic(), drill="SPRING-26").press(*HADDAD, "c", "0", "v")
    (file,) = files(tmp_path)
    assert b"EXERCISE SPRING-26" in file.read_bytes()


def test_on_a_drive_the_childs_page_prints_card_and_proof(tmp_path):
    person = at(tmp_path, "text", clinic())
    person.press("f4", "enter", *"]C0TG-000412", "enter", "c", "p", "v")
    assert person.node.printed == [("card", "pat_00001"), ("vaccination", "pat_00001")]
    assert len(files(tmp_path)) == 2
