"""A search as it is typed: letter by letter, the best first, and of single letters the newest."""

from __future__ import annotations

import pytest

from protocols.ledger import reading
from tests.unit.stage import Device, Stage, patient

NAMES = (
    "Diallo Awa",
    "Diarra Binta",
    "Dembélé Ali",
    "Okoro Ada",
    "陈 芳",
    "Diallo Awa",
    "Sow Sow",
    "Sow Ly",
)


@pytest.fixture(scope="module")
def ann() -> Device:
    device, stage = Device.found("ann"), Stage()
    for name in NAMES:
        family, given = name.split()
        assert stage.write(device, patient(given, family_name=family))[0].ok
    device.ledger.catch_up_all()
    return device


def found(device: Device, text: str, limit: int = 50) -> list[str]:
    return [row.name for row in reading.search(device.ledger, text, limit)]


@pytest.mark.parametrize(
    ("typed", "holds"),
    [
        ("d", {0, 1, 2, 5}),
        ("di", {0, 1, 5}),
        ("dia", {0, 1, 5}),
        ("dial", {0, 5}),
        ("diallo a", {0, 5}),
        ("d a", {0, 2, 5}),
        ("陈", {4}),
        ("芳", {4}),
        ("dembele", {2}),
        ("x", set()),
        (" ", set()),
    ],
)
def test_each_letter_more_narrows_what_is_found(ann: Device, typed, holds):
    assert sorted(found(ann, typed)) == sorted(NAMES[at] for at in holds)


def test_of_single_letters_those_written_down_last_come_first(ann: Device):
    assert found(ann, "d") == [NAMES[at] for at in (5, 2, 1, 0)]
    assert found(ann, "d", limit=2) == [NAMES[5], NAMES[2]]


def test_of_words_the_best_come_first(ann: Device):
    assert found(ann, "sow") == ["Sow Sow", "Sow Ly"]


def test_no_more_are_read_than_are_asked_for(ann: Device):
    assert [len(found(ann, "di", limit)) for limit in (1, 2, 3, 4)] == [1, 2, 3, 3]
