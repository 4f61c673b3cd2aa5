"""Handing a patient over: two signatures, the second while the first team is out of reach."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from protocols.feeds.lane import Lane
from protocols.ids import SiteId
from protocols.records.rows import to_json
from tests.unit.records_shelf import Shelf

CRESCENT = {"to": {"organisation": "team b"}}
STAR = {"to": {"organisation": "team c"}}
SURE = {"confirm": ["offer_stands", "offered_elsewhere"]}


def three() -> tuple[Shelf, Shelf, Shelf, Any, str]:
    """Three tents that know of one patient."""
    here, there, third = Shelf("a"), Shelf("b"), Shelf("c")
    patient = here.write("patient.register", {"given_name": "Aline"})
    meet(here, there, third)
    return here, there, third, patient.subject, patient.id


def meet(*shelves: Shelf) -> None:
    for shelf in shelves:
        for other in shelves:
            shelf.receive(other)


def custody(shelf: Shelf, subject: Any) -> tuple[str, int, str, str]:
    (row,) = shelf.table(subject, "custody")
    return row.state, row.unclear, row.keeper, row.offered


def test_custody_passes_by_two_signatures_while_the_sender_is_out_of_reach():
    here, there, _, subject, patient = three()
    said = {**CRESCENT, "injuries": "left femur", "signs": "HR 110", "recommendation": "traction"}
    offer = here.write("transfer.offer", said, patient=patient)
    assert custody(here, subject) == ("offered", 0, "", "team b")
    there.receive(here)

    taken = there.write("transfer.accept", {"offer": offer.fact})

    assert custody(there, subject) == ("accepted", 0, "team b", "")
    # The sender hears of it later, and has had it listed as offered until then.
    assert custody(here, subject) == ("offered", 0, "", "team b")
    here.receive(there)
    assert here.rows(subject) == there.rows(subject)
    row = to_json(here.patient(subject))
    assert (row["custody"], row["keeper"]) == ("accepted", "team b")
    (sheet,) = here.table(subject, "transfer")
    assert (sheet.injuries, sheet.recommendation, sheet.state) == (
        "left femur",
        "traction",
        "accepted",
    )
    for written in (offer, taken):
        (draft,) = written.plan.drafts
        assert (draft.lane, draft.encounter) == (Lane.URGENT, None)


@pytest.mark.safety(25)
def test_safety_25_two_offers_at_once_both_stand_and_custody_is_unclear():
    here, there, third, subject, patient = three()
    here.write("transfer.offer", CRESCENT, patient=patient)
    there.write("transfer.offer", STAR, patient=patient)
    meet(here, there)

    assert custody(here, subject) == ("unclear", 1, "", "team b / team c")
    assert here.rows(subject) == there.rows(subject)
    assert here.patient(subject).custody == 3
    assert here.patient(subject).unsettled == 1


def test_a_second_offer_by_who_sees_the_first_is_asked_about():
    here, _, _, subject, patient = three()
    first = here.write("transfer.offer", CRESCENT, patient=patient).fact
    asked = here.refused("transfer.offer", STAR, patient=patient)
    assert (asked.values["confirm"], asked.allowed) == ("offer_stands", (first,))
    here.write("transfer.offer", CRESCENT, patient=patient)
    # Twice to one team is one offer said twice.
    assert custody(here, subject) == ("offered", 0, "", "team b")
    here.write("transfer.offer", STAR, patient=patient, **SURE)
    assert custody(here, subject)[:2] == ("unclear", 1)


@pytest.mark.safety(25)
def test_safety_25_the_first_acceptance_in_causal_order_holds():
    here, there, third, subject, patient = three()
    one = here.write("transfer.offer", CRESCENT, patient=patient).fact
    two = here.write("transfer.offer", STAR, patient=patient, **SURE).fact
    meet(here, there, third)
    there.write("transfer.accept", {"offer": one})
    third.receive(there)

    assert custody(third, subject) == ("accepted", 0, "team b", "")
    assert third.refused("transfer.accept", {"offer": two}).code == "offer_closed"
    assert {row.state for row in third.table(subject, "transfer")} == {"accepted", "lapsed"}


@pytest.mark.safety(25)
def test_safety_25_acceptances_made_apart_are_a_conflict_and_both_keep_the_patient():
    here, there, third, subject, patient = three()
    one = here.write("transfer.offer", CRESCENT, patient=patient).fact
    two = here.write("transfer.offer", STAR, patient=patient, **SURE).fact
    meet(here, there, third)
    there.write("transfer.accept", {"offer": one})
    late = third.write("transfer.accept", {"offer": two}).fact
    meet(here, there, third)

    for shelf in (here, there, third):
        state, unclear, keepers, offered = custody(shelf, subject)
        assert (state, unclear, offered) == ("conflict", 1, "")
        assert set(keepers.split(" / ")) == {"team b", "team c"}
        assert shelf.patient(subject).keeper == keepers

    # One of them, having seen both, gives it back.
    assert third.refused("transfer.decline", {"answers": late}).code == "reason_needed"
    third.write("transfer.decline", {"answers": late}, reason="is in their ward")
    meet(here, there, third)
    for shelf in (here, there, third):
        assert custody(shelf, subject) == ("accepted", 0, "team b", "")
        assert shelf.patient(subject).unsettled == 0


def test_who_has_the_patient_now_can_hand_on():
    here, there, third, subject, patient = three()
    one = here.write("transfer.offer", CRESCENT, patient=patient).fact
    there.receive(here)
    there.write("transfer.accept", {"offer": one})
    on = there.write("transfer.offer", STAR, patient=patient).fact
    assert custody(there, subject) == ("offered", 0, "team b", "team c")
    third.receive(there)
    third.write("transfer.accept", {"offer": on})

    assert custody(third, subject) == ("accepted", 0, "team c", "")
    assert [row.holds for row in third.table(subject, "transfer_answer")] == [1, 1]


def test_an_offer_taken_back_while_it_is_accepted_apart_is_unclear():
    here, there, _, subject, patient = three()
    offer = here.write("transfer.offer", CRESCENT, patient=patient).fact
    there.receive(here)
    here.write("entry.retract", {"fact": offer}, reason="stays")
    taken = there.write("transfer.accept", {"offer": offer}).fact
    meet(here, there)

    assert custody(here, subject) == ("unclear", 1, "team b", "")
    here.write("transfer.decline", {"answers": taken}, reason="never left")
    assert custody(here, subject) == ("", 0, "", "")


def test_one_who_says_no_while_a_colleague_says_yes_makes_it_unclear():
    here, there, third, subject, patient = three()
    offer = here.write("transfer.offer", CRESCENT, patient=patient).fact
    meet(here, there, third)
    there.write("transfer.accept", {"offer": offer})
    no = third.write("transfer.decline", {"answers": offer}, reason="full").fact
    meet(here, there, third)
    assert custody(here, subject) == ("unclear", 1, "team b", "")

    third.write("entry.retract", {"fact": no}, reason="a bed was found")
    assert custody(third, subject) == ("accepted", 0, "team b", "")


def test_who_came_first_holds_when_giving_it_back_turns_out_to_be_an_error():
    here, there, third, subject, patient = three()
    one = here.write("transfer.offer", CRESCENT, patient=patient).fact
    two = here.write("transfer.offer", STAR, patient=patient, **SURE).fact
    meet(here, there, third)
    first = there.write("transfer.accept", {"offer": one}).fact
    back = there.write("transfer.decline", {"answers": first}, reason="went on").fact
    third.receive(there)
    third.write("transfer.accept", {"offer": two})
    assert custody(third, subject) == ("accepted", 0, "team c", "")

    third.write("entry.retract", {"fact": back}, reason="did not go on")

    assert custody(third, subject) == ("accepted", 0, "team b", "")
    assert [row.holds for row in third.table(subject, "transfer_answer")] == [1, 0, 0]


def test_an_offer_declined_is_closed_and_the_patient_stays():
    here, there, _, subject, patient = three()
    offer = here.write("transfer.offer", CRESCENT, patient=patient).fact
    there.receive(here)
    there.write("transfer.decline", {"answers": offer}, reason="no theatre tonight")

    assert custody(there, subject) == ("", 0, "", "")
    assert there.refused("transfer.accept", {"offer": offer}).code == "offer_closed"
    (answer,) = there.table(subject, "transfer_answer")
    assert (answer.answer, answer.reason, answer.holds) == ("declined", "no theatre tonight", 0)


def test_the_second_signature_is_of_another_device_and_of_who_was_asked():
    here, there, third, subject, patient = three()
    offer = here.write("transfer.offer", CRESCENT, patient=patient).fact
    meet(here, there, third)
    sure = {"confirm": ["offered_elsewhere"]}
    assert here.refused("transfer.accept", {"offer": offer}, **sure).code == "own_offer"
    asked = third.refused("transfer.accept", {"offer": offer})
    assert (asked.values["confirm"], asked.allowed) == ("offered_elsewhere", ("team b",))
    there.write("transfer.accept", {"offer": offer})


def test_an_acceptance_by_the_hand_that_offered_holds_nothing():
    here, there, _, subject, patient = three()
    offer = here.write("transfer.offer", CRESCENT, patient=patient).fact
    forger = Shelf("a", clock=99)
    forger.receive(here)
    forger.name = "b"  # Another device's name on the form, the same feed below it.
    forger.write("transfer.accept", {"offer": offer})
    facts = forger.facts_by_subject[subject]
    own = next(fact.author for fact in facts if fact.kind == 112)
    facts[:] = [msgspec.structs.replace(fact, author=own) for fact in facts]

    assert custody(forger, subject) == ("offered", 0, "", "team b")


def test_an_acceptance_that_arrives_before_its_offer_says_who_has_the_patient():
    here, there, third, subject, patient = three()
    offer = here.write("transfer.offer", CRESCENT, patient=patient)
    there.receive(here)
    there.write("transfer.accept", {"offer": offer.fact})
    third.facts_by_subject[subject] += [f for f in there.facts(subject) if f.kind == 113]

    assert custody(third, subject) == ("accepted", 0, "team b", "")


def test_a_patient_is_offered_to_a_site_or_a_device_too():
    here, there, _, subject, patient = three()
    site = here.write("site.register", {"name": "Camp 4"})
    to = {"to": {"site": str(SiteId(site.subject)), "name": "Camp 4"}}
    here.write("transfer.offer", to, patient=patient)
    here.write("transfer.offer", {"to": {"device": str(there.device)}}, patient=patient, **SURE)

    rows = [to_json(row) for row in here.table(subject, "transfer")]
    assert [(row["to_kind"], row["to_name"]) for row in rows] == [
        ("site", "Camp 4"),
        ("device", ""),
    ]
    assert str(there.device) in custody(here, subject)[3]
    there.receive(here)
    offer = there.table(subject, "transfer")[1]
    ref = next(f.ref for f in there.facts(subject) if f.entry == offer.entry and f.kind == 112)
    there.write("transfer.accept", {"offer": str(ref)})


@pytest.mark.parametrize(
    ("kind", "data", "line", "code"),
    [
        ("transfer.offer", {"to": {}}, {}, "missing_field"),
        ("transfer.offer", {"to": {"organisation": "a", "device": "b"}}, {}, "missing_field"),
        ("transfer.offer", {"to": {"organisation": " - "}}, {}, "empty"),
        ("transfer.offer", {"to": {"site": "x"}}, {}, "bad_id"),
        ("transfer.offer", {"to": {"device": "x"}}, {}, "bad_id"),
        ("transfer.accept", {"offer": "$note"}, {}, "not_an_offer"),
        ("transfer.decline", {"answers": "$note"}, {"reason": "x"}, "not_an_offer"),
        ("transfer.accept", {"offer": "x"}, {}, "bad_id"),
        ("transfer.offer", CRESCENT, {"supersedes": ["$note"]}, "not_taken"),
    ],
)
def test_what_is_no_transfer_is_refused(kind, data, line, code):
    here, _, _, _, patient = three()
    note = here.write("note.add", {"text": "x"}, patient=patient).fact
    data = {name: note if value == "$note" else value for name, value in data.items()}
    line = {name: [note] if value == ["$note"] else value for name, value in line.items()}

    assert here.refused(kind, data, patient=patient, **line).code == code
