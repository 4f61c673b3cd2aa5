"""Other teams' patients: charts and rows over a real node, and what of it is in the trail."""

from __future__ import annotations

import pytest

from protocols.errors import InputError, LedgerError
from protocols.ids import PatientId
from protocols.ledger import audit, persons
from protocols.live import audited, people
from protocols.live.audited import OPENED_MAX, Glass
from protocols.trust.audit import What
from tests.unit.founders import SHARED, charter, member
from tests.unit.people import enrol, founder
from tests.unit.stage import Device, Stage, note, patient


@pytest.fixture
def abroad() -> tuple[Stage, Device, str]:
    """Ann's node, and a patient whom a device of another organisation registered."""
    held = charter(("Japan", "JP"), ("Red Cross", "KE"), text=SHARED)
    ann, ben = member(held, "Japan", "ann"), member(held, "Red Cross", "ben")
    stage = Stage()
    stage.link(ann, ben)
    stage.run(5_000)
    whom = stage.write(ben, patient("Amina"))[0].patient
    stage.write(ann, patient("Own"))
    stage.run(5_000)
    ann.ledger.catch_up_all()
    return stage, ann, whom


def opened_chart(stage: Stage, device: Device, glass: Glass, whom: str) -> object:
    return audited.chart(
        device.node, stage.now(device), {"patient": whom}, opened=lambda p: glass.opened(1, p)
    )


def trail(device: Device) -> list[tuple[int, str, int]]:
    found = audit.lines(device.ledger)
    return [(each.what, each.detail.reason, each.detail.count) for each in found if each.detail]


def test_a_chart_of_another_team_opens_once_its_reading_is_in_the_trail(
    abroad: tuple[Stage, Device, str],
):
    stage, ann, whom = abroad
    glass = Glass()
    with pytest.raises(InputError) as refused:
        opened_chart(stage, ann, glass, whom)
    assert (refused.value.code, refused.value.values["teams"]) == ("other_team", ("Red Cross",))
    assert trail(ann) == []

    args = {"patient": whom, "reason": "care"}
    opened, _ = audited.break_glass(ann.node, stage.now(ann), args)
    glass.open(1, opened)

    ann.store.connection.rollback()
    assert trail(ann) == [(What.READ_OUTSIDE_TEAM, "care", 1)]
    assert opened_chart(stage, ann, glass, whom)
    (line,) = audit.lines(ann.ledger)
    assert str(PatientId(line.detail.patient)) == whom

    # Asked again in another session.
    glass.close(1)
    with pytest.raises(InputError):
        opened_chart(stage, ann, glass, whom)


def test_a_reading_that_cannot_be_written_down_does_not_happen(
    abroad: tuple[Stage, Device, str], tmp_path
):
    stage, ann, whom = abroad
    ann.store.connection.execute("PRAGMA query_only=ON")
    with pytest.raises(LedgerError):
        audited.break_glass(ann.node, stage.now(ann), {"patient": whom, "reason": "care"})
    with pytest.raises(LedgerError):
        audited.export(ann.node, stage.now(ann), whom, tmp_path / "out")
    with pytest.raises(LedgerError):
        audited.backed_up(ann.node, stage.now(ann), tmp_path / "copy")
    assert not (tmp_path / "out").exists()


def test_rows_of_other_teams_are_told_of_once_for_each_reader_and_table(
    abroad: tuple[Stage, Device, str],
):
    stage, ann, _ = abroad
    args = {"kind": "patient", "since": 0}
    page, told, _ = audited.rows(ann.node, stage.now(ann), args, told=False)
    assert (len(page["rows"]), told) == (2, True)
    assert trail(ann) == [(What.READ_OUTSIDE_TEAM, "rows patient", 1)]

    _, told, effects = audited.rows(ann.node, stage.now(ann), args, told=told)
    assert told and not effects
    _, told, _ = audited.rows(ann.node, stage.now(ann), {"kind": "site"}, told=False)
    assert not told


def test_a_session_remembers_a_bounded_number_of_patients():
    glass = Glass()
    for number in range(OPENED_MAX + 1):
        glass.open(1, PatientId(number.to_bytes(16)))
    assert not glass.opened(1, PatientId(bytes(16)))
    assert glass.opened(1, PatientId(OPENED_MAX.to_bytes(16)))
    assert not glass.opened(2, PatientId(OPENED_MAX.to_bytes(16)))


def test_the_wall_clock_before_1970_is_no_fault(abroad: tuple[Stage, Device, str]):
    stage, ann, _ = abroad
    now = stage.now(ann)
    said = audited.event(type(now)(-5, now.mono_ms, now.entropy), What.LOGIN)
    ann.node.audit([said], now)
    assert next(audit.lines(ann.ledger)).at_ms == 0


def test_who_has_written_about_a_patient_is_of_the_patients_team_and_is_not_asked(
    abroad: tuple[Stage, Device, str],
):
    stage, ann, whom = abroad
    stage.write(ann, note(whom, "seen"))
    assert opened_chart(stage, ann, Glass(), whom)


def test_a_device_that_is_sealed_says_so_instead_of_showing_a_chart(
    abroad: tuple[Stage, Device, str],
):
    stage, ann, whom = abroad
    ann.ledger.authority.keyring.close()
    with pytest.raises(InputError) as refused:
        opened_chart(stage, ann, Glass(), whom)
    assert refused.value.code == "sealed_here"


def test_a_key_file_for_another_device_is_said_before_it_is_made(
    abroad: tuple[Stage, Device, str], tmp_path
):
    stage, ann, _ = abroad
    audited.recovering(ann.node, stage.now(ann), tmp_path / "ledger.key", session=3)
    (tmp_path / "ledger.key").touch()
    with pytest.raises(InputError) as refused:
        audited.recovering(ann.node, stage.now(ann), tmp_path / "ledger.key")

    ann.store.connection.rollback()
    (line,) = audit.lines(ann.ledger)
    assert (line.what, refused.value.code) == (What.RECOVER, "target_exists")


def test_a_person_who_leaves_a_device_stands_in_the_trail():
    device = founder()
    enrol(device)
    stage = Stage()
    person = persons.one(device.ledger, "1").person
    _, effects = people.leave(device.node, stage.now(device), {"person": "1"})
    assert effects and persons.count(device.ledger) == 0
    (line,) = (each for each in audit.lines(device.ledger) if each.what == What.PERSON_LEFT)
    assert line.detail and line.detail.person == bytes(person)
