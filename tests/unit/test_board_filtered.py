"""A board that a typed text narrows: fewer lines, and each says what it says on the whole board."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.ledger import watching
from protocols.live import wards
from protocols.live.answers import BOARD_MAX
from protocols.live.api import BoardLine, BoardPage
from protocols.live.wards import OUTSIDE_MAX
from tests.unit.stage import WALL_MS, Device, fill
from tests.unit.test_ledger_board import steps
from tests.unit.test_ledger_census import happens, tried
from tests.unit.test_watch import came, measured, record

HOUR_MS = 3_600_000
FEVER = [
    {"code": "temperature", "value": "38.5", "unit": "Cel"},
    {"code": "weight", "value": "60", "unit": "kg"},
    {"code": "heart-rate", "absent": "unrecordable"},
]


def shown(
    device: Device, text: str = "", offset: int = 0, limit: int = BOARD_MAX, **asked: Any
) -> BoardPage:
    return wards.board(device.ledger, offset, limit, text, WALL_MS + HOUR_MS, **asked)


def names(page: BoardPage) -> list[str]:
    return [line.name for line in page.lines]


def registered(device: Device, name: str) -> str:
    return str(tried(device, "patient.register", {"family_name": name, "sex": "male"}).code)


def in_care(device: Device, name: str, category: str = "", **stay: Any) -> str:
    code = registered(device, name)
    tried(device, "encounter.open", {"class": "emergency", **stay}, code)
    if category:
        tried(device, "triage.record", {"category": category}, code)
    return code


def discharged(device: Device, name: str, category: str = "") -> str:
    code = in_care(device, name, category)
    outcome = {"outcome": "discharged-follow-up"}
    assert tried(device, "encounter.close", outcome, code).ok
    return code


def of(page: BoardPage, patient: str) -> BoardLine:
    (line,) = (each for each in page.lines if each.code == patient)
    return line


def ill_ward() -> tuple[Device, str]:
    """A red patient of unknown age whose pulse cannot be felt, among others."""
    ann = Device.found("ann")
    ill = in_care(ann, "Okoro", "red")
    record(ann, {"v": 1, "kind": "observation.record", "key": "fever", "patient": ill,
                 "confirm": ["unusual_value"], "data": {"set": FEVER}})  # fmt: skip
    for name in ("Haddad", "Osei"):
        in_care(ann, name, "red")
    record(ann, measured(came(ann, "Bob", ward="W1", bed="B1"), "set"))
    return ann, ill


@pytest.mark.safety(6)
def test_safety_6_what_is_unrecordable_alerts_on_a_filtered_board_too():
    ann, ill = ill_ward()
    found = of(shown(ann, "okoro"), ill)

    assert found.alerts == ("limit.heart-rate.unrecordable",)
    assert found.last_set_ms is not None and found.due_ms is not None
    assert found == of(shown(ann), ill)


def test_what_is_said_of_the_ward_is_of_the_whole_ward_whoever_is_listed():
    ann, _ = ill_ward()
    whole = shown(ann)
    for text in ("okoro", "bob", "nobody at all"):
        found = shown(ann, text)
        assert found.counts == whole.counts == {"1": 3, "none": 1}
        assert (found.wards, found.sealed, found.shared_tags) == (("W1",), False, ())
        assert found.restored_ms == whole.restored_ms
    assert shown(ann, "okoro").signed is whole.signed is False


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(wards.SORTS), st.sampled_from(["", "W1"]))
def test_each_line_says_what_it_says_on_the_whole_board_in_the_same_order(seed, sort, ward):
    ann, chance, people = Device.found("ann"), Random(seed), []
    for step in range(40):
        happens(ann, chance, people)
        who = chance.choice(people)
        pulse = {"code": "heart-rate", "value": str(chance.randrange(30, 200)), "unit": "/min"}
        if chance.random() < 0.3:
            tried(ann, "observation.record", {"set": [pulse]}, who)
        if chance.random() < 0.2:
            tried(ann, "patient.identify", {"age": {"value": str(step), "unit": "y"}}, who)
    for number in range(3):
        discharged(ann, f"N{number}", "red")
    whole = shown(ann, sort=sort, ward=ward)
    listed = [line.code for line in whole.lines]

    for line in whole.lines:
        for text in filter(None, (line.code, line.name, line.tag)):
            assert of(shown(ann, text, sort=sort, ward=ward), line.code) == line
    for text in ("N", "N1", "tg", "N1 tg"):
        cared = [one for one in shown(ann, text, sort=sort, ward=ward).lines if one.in_care]
        assert [one.code for one in cared] == [
            code for code in listed if code in {one.code for one in cared}
        ]
    everybody = [one for one in shown(ann, "N", sort=sort, ward=ward).lines if one.in_care]
    assert everybody == list(whole.lines)


def test_who_is_not_in_care_stands_behind_and_is_said_to_be_out_whatever_their_triage():
    ann = Device.found("ann")
    gone, never = discharged(ann, "Diallo", "red"), registered(ann, "Diallo")
    here = in_care(ann, "Diallo", "green")
    found = shown(ann, "diallo")

    assert [line.in_care for line in found.lines] == [True, False, False]
    assert (found.lines[0].code, found.total) == (here, 3)
    assert {line.code for line in found.lines[1:]} == {gone, never}
    assert found.counts == {"3": 1}
    for line in found.lines[1:]:
        assert (line.score, line.due_ms, line.late_ms, line.alerts) == (None, None, None, ())
        assert line.late_doses == ()
    assert [line.code for line in shown(ann).lines] == [here]


@pytest.mark.parametrize("sort", wards.SORTS)
def test_pages_of_a_filtered_board_join_to_the_whole_of_it(sort):
    ann = Device.found("ann")
    for number in range(5):
        in_care(ann, f"Diallo{number}", ("red", "green")[number % 2])
        in_care(ann, f"Haddad{number}", "yellow")
        discharged(ann, f"Diallo0{number}")
    whole = shown(ann, "diallo", sort=sort)

    assert (whole.total, len(whole.lines)) == (10, 10)
    joined = [
        line for at in range(0, 12, 3) for line in shown(ann, "diallo", at, 3, sort=sort).lines
    ]
    assert joined == list(whole.lines)


def test_a_ward_and_a_text_list_who_lies_there_and_is_found():
    ann = Device.found("ann")
    here = in_care(ann, "Diallo", ward="W1", bed="B1")
    in_care(ann, "Diallo", ward="W2", bed="B1")
    in_care(ann, "Haddad", ward="W1", bed="B2")
    discharged(ann, "Diallo")

    assert [line.code for line in shown(ann, "diallo", ward="W1").lines] == [here]


def test_by_score_so_many_are_looked_at_and_who_is_out_is_not_counted_among_them(monkeypatch):
    ann = Device.found("ann")
    for number in range(4):
        in_care(ann, f"Diallo{number}")
    discharged(ann, "Diallo9")
    monkeypatch.setattr(watching, "PATIENTS_MAX", 3)
    found = shown(ann, "diallo", sort="score")

    assert (found.limited, found.total) == (True, 3)
    assert (shown(ann, "diallo").limited, shown(ann, "diallo").total) == (False, 5)


@pytest.mark.parametrize("text", ['"', "\0", "  ", '" OR *', "N" * 5_000, "*", "日本"])
def test_whatever_is_typed_finds_somebody_or_nobody(text):
    ann = Device.found("ann")
    in_care(ann, "Diallo")

    assert names(shown(ann, text)) in ([], ["Diallo"])


def test_only_so_many_who_are_out_are_listed_and_everybody_in_care():
    ann = Device.found("ann")
    fill(ann, OUTSIDE_MAX + 5)
    found = shown(ann, "patient")
    assert (found.total, len(found.lines)) == (OUTSIDE_MAX, OUTSIDE_MAX)


def test_a_filtered_board_works_out_only_what_it_lists():
    costs = []
    for others in (20, 200):
        ann, _ = ill_ward()
        for number in range(others // 10):
            in_care(ann, f"Zongo{number}", "yellow")
        fill(ann, others)
        shown(ann)
        with steps(ann.store) as counted:
            assert names(shown(ann, "okoro")) == ["Okoro"]
        costs += counted

    # Ten times as many cost a probe of an index each.
    assert costs[1] < 3 * costs[0]


@pytest.mark.parametrize("limit", [-1, 0, BOARD_MAX + 1])
def test_a_page_is_never_longer_than_a_page(limit):
    ann = Device.found("ann")
    for _ in range(2):
        in_care(ann, "Diallo")

    assert len(shown(ann, "diallo", 0, limit).lines) == min(max(limit, 0), 2)
