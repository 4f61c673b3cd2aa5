"""What is asked of a dose whose vial, lot or person is not what it looks like at first sight."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

import pytest

from protocols.ids import PatientId, SessionId
from protocols.ledger import coverage, immunization, vials
from protocols.live import vaccinating
from protocols.mesh.effects import Now
from tests.property.test_vaccination_apart import ANYWAY
from tests.unit.records_shelf import Shelf
from tests.unit.stage import WALL_MS, line
from tests.unit.test_vaccination_book import (
    DAY,
    STOPS,
    Team,
    meet,
    stop_lot,
    store_of_lot,
    two,
)
from tests.unit.vaccinating import child, code_of, opened, vial

MONTH = 31 * 86_400_000
TALLY = "tally.add"


def refusal(team: Team, kind: str, data: Mapping[str, object], **more: object) -> str:
    record, now_ms = team.device.node._recorder.record, WALL_MS + team.ahead_ms
    ((answer,), _, _) = record([line(kind, data, **more)], now_ms, team.device.chance.randbytes)
    return answer.confirm or answer.error or ""


def test_the_second_dose_of_a_child_in_another_record_is_the_second_and_is_counted():
    _, ann, _ = two()
    session = ann.session()
    one, other = ann.child(), ann.child()
    ann("patient.link", {"other": other, "relation": "same"}, patient=one)
    ann.dose(one, session=session)
    ann.ahead_ms = 2 * MONTH
    ann.dose(other, session=session)
    ledger = ann.device.ledger
    known = immunization.child(ledger, PatientId.parse(other), DAY + 62)

    assert [each.row.dose for each in known.doses] == [1, 2]
    assert immunization.doubled(ledger) == []
    assert ann.total() == 2
    assert next(each for each in known.due if each.series == "measles").state == "complete"


@pytest.mark.parametrize(("days", "code"), [(0, "dose_given_already"), (9, "dose_before_interval")])
def test_a_dose_is_doubted_by_what_stands_in_another_record_of_the_child(days, code):
    _, ann, _ = two()
    one, other = ann.child(), ann.child()
    ann("patient.link", {"other": other, "relation": "same"}, patient=one)
    ann.dose(one)
    ann.ahead_ms = days * 86_400_000

    assert refusal(ann, "dose.record", {"vaccine": "mr"}, patient=other) == code


def test_a_reaction_in_another_record_of_the_child_is_asked_about():
    _, ann, _ = two()
    one, other = ann.child(), ann.child()
    ann("patient.link", {"other": other, "relation": "same"}, patient=one)
    about = {"severity": "serious", "symptoms": ["anaphylaxis"], "doses": [ann.dose(one)]}
    ann("aefi.report", about, patient=one)
    ann.ahead_ms = 2 * MONTH

    found = refusal(ann, "dose.record", {"vaccine": "mr"}, patient=other)
    assert found == "dose_contraindicated"


def test_a_dose_taken_back_is_in_its_vial_again():
    shelf = Shelf()
    session = opened(shelf)
    bottle = vial(shelf, session, doses=1)
    about = {"vaccine": "mr", "vial": bottle}
    first = shelf.write("dose.record", about, patient=child(shelf).id)
    shelf.write("entry.retract", {"fact": first.fact}, reason="wrong child")

    assert shelf.write("dose.record", about, patient=child(shelf).id).plan.warnings == ()


def test_a_child_is_proposed_no_dose_out_of_a_vial_that_is_past_its_limit():
    _, ann, _ = two()
    session = ann.session()
    old = ann.vial(session)
    ann.ahead_ms = 3 * 3_600_000
    new = ann.vial(session)
    (limit, _) = (each.limit_ms for each in vials.vials(ann.device.ledger, WALL_MS))
    assert limit is not None

    def proposed(now_ms: int) -> str:
        node, now = ann.device.node, Now(now_ms, 0, bytes)
        asked = {"age": 16, "unit": "mo", "session": session}
        (told,) = vaccinating.child(node, now, asked, opened=lambda _: True).give
        return told.vial

    assert proposed(limit) == old and proposed(limit + 1) == new
    assert proposed(limit + 3 * 3_600_000 + 1) == ""


def test_a_tally_is_asked_of_its_vial_what_a_dose_is():
    shelf = Shelf()
    session, other = opened(shelf), opened(shelf)
    bottle = vial(shelf, session, doses=3)
    about = {"session": session, "cell": 1, "vial": bottle}
    assert code_of(shelf, TALLY, {**about, "session": other}) == "other_vial"
    assert code_of(shelf, TALLY, {**about, "vial": child(shelf).fact}) == "not_found"
    assert code_of(shelf, TALLY, {**about, "n": 4}) == "vial_empty"
    shelf.write(TALLY, {**about, "n": 3})
    assert code_of(shelf, TALLY, about) == "vial_empty"
    shelf.write(TALLY, {**about, "n": -1}, reason="pressed twice")
    shelf.write(TALLY, about)
    (row,) = [one for one in shelf.table(SessionId.parse(session), "vial") if one.doses == 3]
    shelf.now_ms = row.limit_ms + 1
    assert code_of(shelf, TALLY, about) == "vial_past_limit"
    shelf.write("vial.discard", {"vial": bottle, "reason": "time-limit", "doses": 0})
    assert code_of(shelf, TALLY, about) == "vial_discarded"
    anyway = ["vial_discarded", "vial_past_limit", "vial_empty"]
    assert shelf.write(TALLY, about, confirm=anyway).plan.warnings


def test_a_vial_of_another_vaccine_is_under_no_digit_of_this_one():
    shelf = Shelf()
    session = opened(shelf, vaccines=["mr", "bopv"])
    polio = vial(shelf, session, item="vaccine-bopv-20", lot="P-1")

    assert code_of(shelf, TALLY, {"session": session, "cell": 1, "vial": polio}) == "other_vial"


def test_no_dose_is_tallied_of_a_lot_past_its_last_day():
    shelf = Shelf()
    session = opened(shelf)
    bottle = vial(shelf, session, expiry="2026-05-28")
    about = {"session": session, "cell": 1, "vial": bottle}
    shelf.write(TALLY, about)
    shelf.now_ms += 86_400_000

    assert code_of(shelf, TALLY, about, confirm=["vial_past_limit"]) == "lot_expired"
    # What was counted too much is taken off all the same.
    assert shelf.write(TALLY, {**about, "n": -1}, reason="pressed twice")


@pytest.mark.parametrize("stop", STOPS)
def test_a_recalled_or_quarantined_lot_stops_tallies_and_doses_whose_lot_was_typed(stop):
    _, ann, _ = two()
    store = store_of_lot(ann)
    session = ann.session(store=store)
    bottle, whom = ann.vial(session), ann.child()
    stop_lot(ann, store, stop)
    tally = {"session": session, "cell": 1, "vial": bottle}
    typed = {"vaccine": "mr", "session": session, "lot": "mr-1"}

    assert refusal(ann, TALLY, tally) == stop
    assert refusal(ann, "dose.record", typed, patient=whom) == stop
    assert coverage.counts(ann.device.ledger) == []
    assert vials.vials(ann.device.ledger, WALL_MS)[0].drawn == 0


@pytest.mark.parametrize("seed", range(12))
def test_what_a_session_comes_to_is_its_part_of_what_all_come_to(seed):
    """Where children have several records, linked in chains, and somebody decided of some doses."""
    chance = Random(seed)
    stage, ann, ben = two()
    sessions = [ann.session() for _ in range(3)]
    children = [ann.child() for _ in range(4)]
    meet(stage, ann, ben)
    doses = []
    for at in range(8):
        team = chance.choice((ann, ben))
        team.ahead_ms = at * 3 * 86_400_000
        more = {"session": chance.choice(sessions), "dose": chance.randint(1, 2)}
        doses.append(team.dose(chance.choice(children), confirm=ANYWAY, **more))
    meet(stage, ann, ben)
    for one, other in zip(children, chance.sample(children, 3), strict=False):
        if one != other:
            ann("patient.link", {"other": other, "relation": "same"}, patient=one)
    for found in immunization.doubled(ann.device.ledger)[:1]:
        about = {"doses": [str(ref) for ref in found.doses[:2]], "verdict": "one"}
        ann("dose.decide", about)
    meet(stage, ann, ben)

    whole = ann.counts()
    assert whole == ben.counts()
    for session in sessions:
        wanted = bytes(SessionId.parse(session))
        assert ann.counts(session) == [each for each in whole if each.session == wanted]


def test_a_dose_of_elsewhere_has_to_say_when_whoever_tells_of_it():
    _, ann, _ = two()
    data = {"vaccine": "mr", "place": "Muyinga"}

    assert refusal(ann, "dose.record", data, patient=ann.child()) == "missing_field"
    assert refusal(ann, "dose.record", data, patient=ann.child(), at="2026-09-20") == ""
