"""SAFETY, *Saving, undoing, locking*: what no older test says of rules 19 and 20."""

from __future__ import annotations

import pytest

from tests.unit.care_lines import ANYWAY, CARE, PARACETAMOL
from tests.unit.stage import Device, Stage, line, linked, note, patient, triage

SENT_WITHIN_MS = 200
ONE_WAY_MS = 50

CARE_ALONE = [(kind, data) for kind, data in CARE if not {"order", "offer", "answers"} & set(data)]


@pytest.fixture(scope="module")
def two() -> tuple[Stage, list[Device], str]:
    stage, devices = linked("ann", "ben", one_way_ms=ONE_WAY_MS)
    code = stage.write(devices[0], patient("Amina"))[0].code
    stage.write(devices[0], line("encounter.open", {}, patient=code))
    stage.run(5_000)
    return stage, devices, str(code)


def sent_in(stage: Stage, here: Device, there: Device) -> int:
    """Return after how many milliseconds the other holds all that was written."""
    began = stage.at_ms
    stage.run(10_000, until=lambda: here.entries <= there.entries)
    assert here.entries <= there.entries
    return stage.at_ms - began


@pytest.mark.safety(19)
@pytest.mark.parametrize(("kind", "data"), CARE_ALONE)
def test_safety_19_a_save_is_signed_at_once_and_sent_to_a_linked_peer_within_200_ms(
    two: tuple[Stage, list[Device], str], kind, data
):
    stage, (ann, ben), code = two
    before = ann.entries
    (answer,) = stage.write(ann, line(kind, data, patient=code, **ANYWAY))

    assert answer.ok
    assert len(ann.entries) > len(before)
    assert sent_in(stage, ann, ben) <= SENT_WITHIN_MS + ONE_WAY_MS


@pytest.mark.safety(19)
def test_safety_19_an_undo_is_a_retraction_that_lists_fold_away_and_is_sent_as_fast(
    two: tuple[Stage, list[Device], str],
):
    stage, (ann, ben), code = two
    (answer,) = stage.write(ann, note(code, "on the wrong chart"))
    assert sent_in(stage, ann, ben) <= SENT_WITHIN_MS + ONE_WAY_MS

    retract = line("entry.retract", {"fact": answer.facts[0]}, reason="undone")
    assert stage.write(ann, retract)[0].ok
    assert sent_in(stage, ann, ben) <= SENT_WITHIN_MS + ONE_WAY_MS

    for device in (ann, ben):
        device.ledger.catch_up_all()
        (row,) = device.store.all(
            "SELECT text, replaced FROM note WHERE text = ?", ("on the wrong chart",)
        )
        assert row == ("on the wrong chart", 2)


@pytest.mark.safety(19)
def test_safety_19_urgent_records_are_as_fast_while_others_wait(
    two: tuple[Stage, list[Device], str],
):
    stage, (ann, ben), code = two
    stage.write(ann, line("order.place", PARACETAMOL, patient=code, **ANYWAY))
    stage.write(ann, triage(code, "red"))

    assert sent_in(stage, ann, ben) <= SENT_WITHIN_MS + ONE_WAY_MS
