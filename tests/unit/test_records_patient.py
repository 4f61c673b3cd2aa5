"""Who somebody is, said by several people apart."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from protocols.records.attributes import Sex
from protocols.records.kinds import KindNo
from protocols.records.planning import tidy
from tests.unit.records_shelf import FULL_PERSON, NOW_MS, Shelf


def two_tents() -> tuple[Shelf, Shelf, str]:
    """Return two shelves that know one patient, tagged B12."""
    here, there = Shelf("a"), Shelf("b")
    patient = here.write("patient.register", {"given_name": "Aline", "tags": ["B12"]}).id
    there.receive(here)
    return here, there, patient


def meet(here: Shelf, there: Shelf) -> None:
    here.receive(there)
    there.receive(here)


def test_a_patient_nobody_knows_anything_about_can_be_registered():
    shelf = Shelf()

    patient = shelf.write("patient.register").subject

    row = shelf.patient(patient)
    assert (row.name, row.sex, row.band, row.standing) == ("", Sex.UNKNOWN, 9, 0)
    assert len(row.code.replace("-", "")) == 9


def test_nobody_is_put_right_by_naming_a_fact_about_somebody_else():
    shelf = Shelf()
    one = shelf.write("patient.register", {"given_name": "Aline"})
    other = shelf.write("patient.register", {"given_name": "Bahir"})
    said = {"patient": other.id, "supersedes": [str(one.refs[0])]}

    refused = shelf.refused("patient.identify", {"given_name": "Bashir"}, **said)

    assert (refused.code, refused.field) == ("wrong_subject", "supersedes")
    assert shelf.patient(one.subject).name == "Aline"


def test_all_particulars_take_fewer_than_220_bytes():
    shelf = Shelf()

    shelf.write("patient.register", FULL_PERSON)

    assert shelf.sizes[KindNo.PATIENT_REGISTER] < 220


def test_an_edit_of_one_attribute_takes_at_most_25_bytes():
    here, _, patient = two_tents()

    here.write("patient.identify", {"given_name": "Alice"}, patient=patient)

    assert here.sizes[KindNo.PATIENT_IDENTIFY] <= 25


def test_an_edit_hides_only_what_it_states():
    here, there, patient = two_tents()
    here.write("patient.identify", {"given_name": "Alice"}, patient=patient)
    there.write("patient.identify", {"phone": "+257 61"}, patient=patient)

    meet(here, there)

    row = here.patient(next(iter(here.kinds)))
    assert (row.given, row.also, row.unsettled) == ("Alice", "+257 61", 0)


def test_different_names_written_apart_are_both_kept_and_unsettled():
    here, there, patient = two_tents()
    here.write("patient.identify", {"given_name": "Alice"}, patient=patient)
    there.write("patient.identify", {"given_name": "Celine"}, patient=patient)

    meet(here, there)

    (subject,) = here.kinds
    assert {row.value for row in here.table(subject, "assertion")} == {"Alice", "Celine"}
    assert here.patient(subject).unsettled == 1
    assert here.rows(subject) == there.rows(subject)


def test_the_same_name_written_apart_is_settled():
    here, there, patient = two_tents()
    for tent in (here, there):
        tent.write("patient.identify", {"given_name": "Alice"}, patient=patient)

    meet(here, there)

    (subject,) = here.kinds
    assert here.patient(subject).unsettled == 0
    assert here.table(subject, "assertion") == []


def test_a_settlement_by_somebody_who_saw_both_ends_the_conflict_everywhere():
    here, there, patient = two_tents()
    here.write("patient.identify", {"given_name": "Alice"}, patient=patient)
    there.write("patient.identify", {"given_name": "Celine"}, patient=patient)
    meet(here, there)

    settled = {"attribute": "given_name", "value": "Celine"}
    written = here.write("conflict.settle", settled, patient=patient)
    meet(here, there)

    assert there.patient(written.subject).given == "Celine"
    assert there.patient(written.subject).unsettled == 0


def test_one_of_the_values_can_be_kept_by_naming_its_fact():
    here, there, patient = two_tents()
    kept = here.write("patient.identify", {"sex": "female"}, patient=patient).fact
    there.write("patient.identify", {"sex": "male"}, patient=patient)
    meet(here, there)

    written = here.write("conflict.settle", {"attribute": "sex", "keep": kept}, patient=patient)

    assert here.patient(written.subject).sex == Sex.FEMALE


def test_settling_what_is_not_unsettled_says_so():
    here, _, patient = two_tents()

    settled = {"attribute": "given_name", "value": "Alice"}
    written = here.write("conflict.settle", settled, patient=patient)

    assert written.plan.warnings == ("not_unsettled",)


def test_pregnant_is_shown_while_it_is_one_side_of_a_conflict():
    here, there, patient = two_tents()
    there.write("patient.identify", {"sex": "female-pregnant"}, patient=patient)
    here.write("patient.identify", {"sex": "female"}, patient=patient)
    meet(here, there)

    (subject,) = here.kinds
    assert here.patient(subject).sex == Sex.FEMALE_PREGNANT


def test_null_states_that_there_is_none():
    shelf = Shelf()
    patient = shelf.write("patient.register", {"phone": "+257 61"})

    shelf.write("patient.identify", {"phone": None}, patient=patient.id)

    assert shelf.patient(patient.subject).also == ""


def test_cleared_against_a_number_is_unsettled():
    here, there, patient = two_tents()
    here.write("patient.identify", {"phone": "+257 61"}, patient=patient)
    meet(here, there)
    here.write("patient.identify", {"phone": None}, patient=patient)
    there.write("patient.identify", {"phone": "+257 62"}, patient=patient)
    meet(here, there)

    (subject,) = here.kinds
    assert here.patient(subject).unsettled == 1


def test_taking_an_edit_back_brings_the_earlier_value_back():
    shelf = Shelf()
    patient = shelf.write("patient.register", {"given_name": "Aline"})
    edit = shelf.write("patient.identify", {"given_name": "Alice"}, patient=patient.id)

    retraction = shelf.write("entry.retract", {"fact": edit.fact}, reason="wrong patient")
    assert shelf.patient(patient.subject).given == "Aline"

    shelf.write("entry.retract", {"fact": retraction.fact}, reason="it was right")
    assert shelf.patient(patient.subject).given == "Alice"


def test_taking_a_middle_edit_back_does_not_bring_the_first_value_back():
    shelf = Shelf()
    patient = shelf.write("patient.register", {"given_name": "Aline"})
    middle = shelf.write("patient.identify", {"given_name": "Alice"}, patient=patient.id)
    shelf.write("patient.identify", {"given_name": "Celine"}, patient=patient.id)

    shelf.write("entry.retract", {"fact": middle.fact}, reason="misheard")

    row = shelf.patient(patient.subject)
    assert (row.given, row.unsettled) == ("Celine", 0)


def test_a_retraction_needs_a_reason():
    shelf = Shelf()
    patient = shelf.write("patient.register")

    assert shelf.refused("entry.retract", {"fact": patient.fact}).code == "reason_needed"


def test_a_registration_entered_in_error_is_marked_and_stays():
    shelf = Shelf()
    patient = shelf.write("patient.register", {"given_name": "Aline"})

    shelf.write("entry.retract", {"fact": patient.fact}, reason="registered twice")

    assert shelf.patient(patient.subject).replaced == 2


def test_tags_are_a_set_and_no_conflict():
    here, there, patient = two_tents()
    here.write("patient.identify", {"tags": ["C1"]}, patient=patient)
    there.write("patient.identify", {"tags": ["C2"]}, patient=patient)
    meet(here, there)

    (subject,) = here.kinds
    assert here.patient(subject).unsettled == 0
    assert [here.patients_tagged(tag) for tag in ("B12", "C1", "C2")] == [[subject]] * 3


def test_every_tag_can_be_looked_up_in_rows():
    shelf = Shelf()
    patient = shelf.write("patient.register", {"tags": ["B12", "C1"]})
    shelf.write("patient.identify", {"tags": ["B12"]}, patient=patient.id)

    assert shelf.patient(patient.subject).tag == "B12"
    assert [row.tag for row in shelf.table(patient.subject, "tag")] == ["C1"]


def test_a_tag_can_be_dropped_and_the_others_stay():
    shelf = Shelf()
    patient = shelf.write("patient.register", {"tags": ["B12", "C1"]})

    shelf.write("patient.identify", {"drop_tags": ["B12"]}, patient=patient.id)

    assert shelf.patients_tagged("B12") == []
    assert shelf.patients_tagged("C1") == [patient.subject]


def test_a_tag_that_somebody_else_carries_is_asked_about():
    shelf = Shelf()
    carrier = shelf.write("patient.register", {"tags": ["B12"]})

    error = shelf.refused("patient.register", {"tags": ["B12"]})
    taken = shelf.write("patient.register", {"tags": ["B12"]}, confirm=["tag_in_use"])

    assert (error.code, error.values["confirm"]) == ("confirm_needed", "tag_in_use")
    assert error.allowed == (carrier.id,)
    assert taken.plan.warnings == ("tag_in_use",)


def test_a_tag_that_does_not_stand_has_a_row_that_says_so():
    shelf = Shelf()
    patient = shelf.write("patient.register", {"given_name": "Aline"})
    shelf.write("patient.identify", {"tags": ["B12", "C1"]}, patient=patient.id)
    facts = shelf.facts_by_subject[patient.subject]
    facts[:] = [
        msgspec.structs.replace(fact, standing=2 * (fact.kind == KindNo.PATIENT_IDENTIFY))
        for fact in facts
    ]

    row = shelf.patient(patient.subject)
    tags = {(tag.tag, tag.standing) for tag in shelf.table(patient.subject, "tag")}

    assert (row.tag, row.standing, row.unproven) == ("C1", 0, 1)
    assert tags == {("B12", 2), ("C1", 2)}


def test_what_does_not_stand_changes_nothing_that_stands():
    here, there, patient = two_tents()
    edit = there.write("patient.identify", {"given_name": "Mallory"}, patient=patient)
    before = here.rows(edit.subject)

    forged = [msgspec.structs.replace(fact, standing=1) for fact in there.facts(edit.subject)]
    facts = here.facts_by_subject[edit.subject]
    facts += [fact for fact in forged if fact.ref in edit.refs]

    assert here.rows(edit.subject) == before
    assert [said.value for said in here.history(edit.subject).beside[(None, 1)]] == ["Mallory"]


def test_a_patient_known_only_from_what_does_not_stand_is_shown_marked():
    shelf = Shelf()
    patient = shelf.write("patient.register", {"given_name": "Aline"})
    shelf.write("patient.identify", {"given_name": "Alice"}, patient=patient.id)
    facts = shelf.facts_by_subject[patient.subject]
    facts[:] = [msgspec.structs.replace(fact, standing=1) for fact in facts]

    row = shelf.patient(patient.subject)

    assert (row.given, row.standing, row.unproven) == ("Alice", 1, 1)


def test_links_are_statements_that_can_be_taken_back_from_either_side():
    shelf = Shelf()
    one, two = shelf.write("patient.register"), shelf.write("patient.register")
    shelf.write("patient.link", {"other": two.id, "relation": "same"}, patient=one.id)
    (link,) = shelf.table(one.subject, "link")
    assert (link.other, link.linked, link.replaced) == (two.subject, 1, 0)

    shelf.write("patient.unlink", {"other": one.id}, patient=two.id, reason="twins")

    link, unlink = shelf.table(one.subject, "link")
    assert (link.replaced, unlink.linked, unlink.replaced) == (1, 0, 0)


def test_nobody_is_linked_with_themselves():
    shelf = Shelf()
    one = shelf.write("patient.register")

    assert shelf.refused("patient.link", {"other": one.id}, patient=one.id).code == "same_patient"


@pytest.mark.parametrize(
    ("data", "code", "field"),
    [
        ({"sex": "M"}, "bad_value", "data.sex"),
        ({"age": {"value": "7"}}, "missing_field", "data.age.unit"),
        ({"age": {"value": "7", "unit": "M"}}, "bad_value", "data.age.unit"),
        ({"age": {"value": "200", "unit": "y"}}, "out_of_range", "data.age.value"),
        ({"age": {"value": "7.5", "unit": "y"}}, "bad_number", "data.age.value"),
        ({"birth_date": "17/05/1991"}, "bad_date", "data.birth_date"),
        ({"birth_date": "2031-01-01"}, "future_date", "data.birth_date"),
        ({"band": 6}, "bad_value", "data.band"),
        ({"given_name": "x" * 121}, "too_long", "data.given_name"),
        ({"given_name": "  "}, "empty", "data.given_name"),
        ({"given_name": "\ud800"}, "bad_text", "data.given_name"),
        ({"given_name": "Ami\udfffna"}, "bad_text", "data.given_name"),
        ({"given_name": "Ami\0na"}, "bad_text", "data.given_name"),
        ({"nationality": "Burundi"}, "bad_value", "data.nationality"),
        ({"consent": {"treat": "maybe"}}, "bad_value", "data.consent.treat"),
        ({"next_of_kin": {"nme": "x"}}, "unknown_field", "data.next_of_kin.nme"),
        ({"tags": []}, "empty", "data.tags"),
    ],
)
def test_a_wrong_particular_is_named_by_its_path(data, code, field):
    error = Shelf().refused("patient.register", data)

    assert (error.code, error.field) == (code, field)


@pytest.mark.parametrize("name", ["\ud7ff", "\ue000", "\x01", "\U0010ffff", "Zoë", "阿米娜"])
def test_what_lies_beside_the_halves_of_a_pair_is_text(name):
    assert tidy(f" {name} ", "data.given_name", 4) == name


@pytest.mark.parametrize("born", ["1991", "1991-05", "1991-05-17", "1880-01-01", "2026-05-28"])
def test_a_birth_date_keeps_the_precision_it_was_stated_in(born):
    shelf = Shelf()

    patient = shelf.write("patient.register", {"birth_date": born})

    assert shelf.patient(patient.subject).birth_date == born


@pytest.mark.parametrize("born", ["1991-05-17", "2026-05-28", "2031-01-01"])
@pytest.mark.parametrize("now_ms", [0, 1_767_225_599_999])
def test_a_clock_that_cannot_be_right_refuses_no_birth_date(now_ms, born):
    shelf = Shelf(now_ms=now_ms)

    patient = shelf.write("patient.register", {"birth_date": born})

    assert shelf.patient(patient.subject).birth_date == born
    assert patient.plan.warnings == ("clock_doubtful",)


def test_a_birth_date_of_tomorrow_is_asked_about_once_and_marked():
    shelf, data = Shelf(), {"birth_date": "2026-05-29"}
    error = shelf.refused("patient.register", data)
    assert (error.code, error.field) == ("confirm_needed", "data.birth_date")
    assert error.values["confirm"] == "future_time"

    patient = shelf.write("patient.register", data, confirm=["future_time"])

    assert shelf.patient(patient.subject).birth_date == "2026-05-29"
    assert patient.plan.warnings == ("future_time",)
    (fact,) = [one for one in shelf.facts(patient.subject) if one.ref == patient.refs[0]]
    assert fact.record.circumstances.confirmed == ("future_time",)


@pytest.mark.parametrize("now_ms", [1_767_225_600_000, NOW_MS])
def test_a_birth_date_two_days_ahead_is_refused_whatever_is_confirmed(now_ms):
    born = (datetime.fromtimestamp(now_ms / 1000, UTC) + timedelta(days=2)).date().isoformat()

    error = Shelf(now_ms=now_ms).refused(
        "patient.register", {"birth_date": born}, confirm=["future_time"]
    )

    assert (error.code, error.field) == ("future_date", "data.birth_date")


@pytest.mark.parametrize(
    ("age", "band"),
    [
        ({"value": "11", "unit": "mo"}, 1),
        ({"value": "12", "unit": "mo"}, 2),
        ({"value": "4", "unit": "y"}, 2),
        ({"value": "5", "unit": "y"}, 3),
        ({"value": "17", "unit": "y"}, 3),
        ({"value": "18", "unit": "y"}, 4),
        ({"value": "64", "unit": "y"}, 4),
        ({"value": "65", "unit": "y"}, 5),
    ],
)
def test_the_age_band_is_that_of_the_minimum_data_set(age, band):
    shelf = Shelf()

    patient = shelf.write("patient.register", {"age": age})

    assert shelf.patient(patient.subject).band == band
