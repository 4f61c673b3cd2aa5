"""Triage that nobody identified wrote waits for a person, who stands by it in a signed record."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.ledger import persons, practice, unconfirmed
from protocols.ledger.recording import Seat
from protocols.live import answers, confirming
from protocols.records.catalogue import decode_fact
from protocols.records.kinds import KindNo
from protocols.records.rows import iso
from protocols.trust.standing import Standing
from tests.unit.people import LOGISTICIAN, camp, enrol, founder, profile, sit, synced, write
from tests.unit.records_shelf import Shelf
from tests.unit.stage import WALL_MS, line

ANN, BEN = (7, b"anna"), (9, b"benn")


def shelf_with(category="red", **more):
    shelf = Shelf()
    return shelf, shelf.write("triage.record", {"category": category, "tag": "C07"}, **more)


def confirmed(shelf, written, who=ANN):
    before, shelf.session = shelf.session, who
    done = shelf.write("triage.confirm", {"triage": written.fact})
    shelf.session = before
    return done


def row(shelf, written):
    (found,) = [r for r in shelf.table(written.subject, "triage") if r.idx == written.refs[0].index]
    return found


@pytest.mark.safety(20)
def test_triage_by_nobody_waits_and_triage_by_a_person_does_not():
    shelf, nobodys = shelf_with()
    shelf.session = ANN
    own = shelf.write("triage.record", {"category": "green", "tag": "C08"})

    assert row(shelf, nobodys).unconfirmed == 1
    assert row(shelf, own).unconfirmed == 0


def test_a_confirmation_names_the_triage_and_changes_nothing_that_it_says():
    shelf, written = shelf_with()
    before = shelf.patient(written.subject)
    done = confirmed(shelf, written)
    after = row(shelf, written)

    assert (after.unconfirmed, after.replaced, after.category) == (0, 0, 1)
    assert after.confirmed == done.refs[0].entry + done.refs[0].index.to_bytes(2)
    assert after.confirmed_ms == shelf.now_ms
    assert shelf.patient(written.subject).triage == before.triage
    (by,) = shelf.table(written.subject, "triage_confirmed")
    assert (by.confirms, by.counts) == (written.refs[0].entry + b"\0\1", 1)


def test_two_persons_apart_both_stand_by_it_and_nothing_is_unsettled():
    here, written = shelf_with()
    there = Shelf("b")
    there.receive(here)
    confirmed(here, written, ANN)
    confirmed(there, written, BEN)
    here.receive(there)
    there.receive(here)

    assert len(row(here, written).confirmed) == 2 * 18
    assert row(here, written).confirmed == row(there, written).confirmed
    assert here.patient(written.subject).unsettled == 0


def test_a_confirmation_taken_back_lets_the_triage_wait_again_until_the_last_is():
    here, written = shelf_with()
    there = Shelf("b")
    there.receive(here)
    mine, theirs = confirmed(here, written, ANN), confirmed(there, written, BEN)
    here.receive(there)
    here.write("entry.retract", {"fact": mine.fact}, reason="another child")
    assert row(here, written).unconfirmed == 0
    back = here.write("entry.retract", {"fact": theirs.fact}, reason="another child")

    assert (row(here, written).unconfirmed, row(here, written).confirmed) == (1, None)
    here.write("entry.retract", {"fact": back.fact}, reason="it was this one")
    assert row(here, written).unconfirmed == 0


def test_what_nobody_identified_confirms_confirms_nothing():
    shelf, written = shelf_with()
    confirmed(shelf, written, (0, b""))

    assert row(shelf, written).unconfirmed == 1
    assert [each.counts for each in shelf.table(written.subject, "triage_confirmed")] == [0]


def test_only_what_waits_is_confirmed():
    shelf, written = shelf_with()
    note = shelf.write("note.add", {"text": "x"}, patient={"tag": "C07"})
    shelf.session = ANN
    own = shelf.write("triage.record", {"category": "green", "tag": "C08"})

    def code(fact):
        return shelf.refused("triage.confirm", {"triage": fact}).code

    assert [code(note.fact), code(own.fact)] == ["not_unconfirmed"] * 2
    assert code("fct_00000000000000000000000000.0") == "not_found"
    assert code("TG-1") == "bad_id"
    confirmed(shelf, written)
    assert code(written.fact) == "already_confirmed"
    shelf.write("entry.retract", {"fact": written.fact}, reason="wrong tag")
    assert code(written.fact) == "not_unconfirmed"


@given(st.binary(max_size=20) | st.binary(min_size=16, max_size=16), st.integers(-9, 2**17))
def test_what_names_no_fact_is_unreadable(prefix, index):
    raw = msgspec.msgpack.encode([None, [], [prefix, index]])
    whole = len(prefix) in (0, 16) and 0 <= index < 2**16

    assert (decode_fact(KindNo.TRIAGE_CONFIRM, raw) is not None) is whole


def test_a_confirmation_in_another_patients_document_confirms_nothing():
    shelf, written = shelf_with()
    other = shelf.write("triage.record", {"category": "red", "tag": "C09"})
    done = confirmed(shelf, other)
    fact = next(f for f in shelf.facts(other.subject) if f.ref == done.refs[0])
    ref = written.refs[0]
    forged = type(fact.record)(triage=(bytes(ref.entry), ref.index))
    shelf.facts_by_subject[other.subject][-1] = type(fact)(
        **{name: getattr(fact, name) for name in fact.__struct_fields__} | {"record": forged}
    )

    assert row(shelf, written).unconfirmed == 1


# In a book


def tagged(tag, category="red"):
    return line("triage.record", {"category": category, "tag": tag})


def confirm(fact, key="yes"):
    return line("triage.confirm", {"triage": fact}) | {"key": key}


def night(many=2):
    """A camp in which triage was written while nobody was identified."""
    ann = founder()
    enrol(ann)
    found = write(ann, None, *(tagged(f"C{at}") for at in range(many)))
    ann.ledger.catch_up_all()
    return ann, [answer.facts[0] for answer in found]


def test_what_waits_is_counted_and_listed_without_a_name_the_oldest_first():
    ann, facts = night(3)
    found = confirming.unconfirmed(ann.ledger, 2)

    assert (found.total, [each.fact for each in found.lines]) == (3, facts[:2])
    assert [(each.tag, each.category) for each in found.lines] == [("C0", 1), ("C1", 1)]
    assert confirming.unconfirmed(ann.ledger, 0).lines == ()


@pytest.mark.safety(20)
def test_a_person_confirms_and_chart_and_rows_say_who_and_when():
    ann, facts = night()
    (done,) = write(ann, sit(ann), confirm(facts[0]))
    ann.ledger.catch_up_all()

    assert done.ok
    assert unconfirmed.count(ann.store) == 1
    chart = answers.chart(ann.ledger, patients(ann)[0], 0, 50, WALL_MS)
    (told,) = [each for each in chart.lines if each.fact == facts[0]]
    assert (told.unconfirmed, told.confirmed) == (False, (("Amina Okoro", WALL_MS),))
    held = {each["fact"]: each for each in answers.rows_page(ann.ledger, "triage", 0, 10)["rows"]}
    (by,) = held[facts[0]]["confirmed_by"]
    assert (by["person_name"], by["at"]) == ("Amina Okoro", iso(WALL_MS))
    assert held[facts[1]]["confirmed_by"] == []
    back = line("entry.retract", {"fact": done.facts[0]}, reason="another child")
    write(ann, sit(ann), back, confirm(facts[0], "again"))
    ann.ledger.catch_up_all()
    held = {each["fact"]: each for each in answers.rows_page(ann.ledger, "triage", 0, 10)["rows"]}
    assert len(held[facts[0]]["confirmed_by"]) == 1
    assert held[facts[1]]["unconfirmed"] is True


def patients(device):
    rows = answers.rows_page(device.ledger, "patient", 0, 10)["rows"]
    return [each["id"] for each in rows]


def test_nobody_identified_confirms_nothing():
    ann, facts = night(1)
    (answer,) = write(ann, None, confirm(facts[0]))

    assert (answer.ok, answer.error) == (False, "person_needed")
    assert unconfirmed.count(ann.store) == 1


def test_a_licence_does_not_hinder_it_and_a_role_does():
    ann, facts = night(1)
    enrol(ann, profile("Luis Mbeki"), (LOGISTICIAN,))
    clerk = sit(ann, 2)

    gate = practice.gate(ann.ledger, clerk, int(KindNo.TRIAGE_CONFIRM), WALL_MS)
    assert (gate.standing, gate.reason) == (Standing.REFUSED, "role_refused")
    (answer,) = write(ann, clerk, confirm(facts[0]))
    ann.ledger.catch_up_all()
    assert "role_refused" in answer.warnings
    assert unconfirmed.count(ann.store) == 1
    ended = profile("Amina Okoro", licence_until_ms=1)
    enrol(ann, ended)
    (answer,) = write(ann, sit(ann, 3), confirm(facts[0], "again"))
    ann.ledger.catch_up_all()
    assert (answer.ok, answer.warnings) == (True, ())
    assert unconfirmed.count(ann.store) == 0


def test_a_later_category_of_a_person_leaves_nothing_to_confirm():
    ann, _ = night(1)
    write(ann, sit(ann), line("triage.record", {"category": "green"}, patient={"tag": "C0"}))
    ann.ledger.catch_up_all()

    assert unconfirmed.count(ann.store) == 0


def test_a_confirmation_reaches_the_other_nodes():
    ann, ben = camp("ben")
    persons.take_in(ben.ledger, enrol(ann), WALL_MS)
    (written,), sitting = write(ann, None, tagged("C7")), sit(ben)
    stage = synced(ann, ben)
    ben.ledger.catch_up_all()
    assert unconfirmed.count(ben.store) == 1
    said = [confirm(written.facts[0])]
    found, effects = ben.node.record(said, stage.now(ben), Seat(sitting))
    stage.carry(ben, effects)
    stage.run(4_000)
    ann.ledger.catch_up_all()

    assert found[0].ok
    assert unconfirmed.count(ann.store) == 0
