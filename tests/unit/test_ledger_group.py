"""Lines that belong together: all of them are in the book, or nothing of them is."""

import pytest

from protocols.errors import LedgerError
from protocols.ledger import reading
from protocols.ledger.recording import Recorder
from protocols.records.answer import Answer
from protocols.sim.disk import Disk
from protocols.sim.host import PowerCutError
from tests.unit.stage import WALL_MS, Device

FOUNDED = {"patient": {"line": 1}}
LINES = (
    {"v": 1, "kind": "patient.register", "key": "k", "data": {"given_name": "Awa"}},
    {"v": 1, "kind": "encounter.open", "key": "k-care", **FOUNDED, "data": {"bed": "A3"}},
    {"v": 1, "kind": "triage.record", "key": "k-triage", **FOUNDED, "data": {"category": "red"}},
)


def registered(device, lines=LINES) -> list[Answer]:
    answers, _, _ = Recorder(device.ledger).together(lines, WALL_MS, device.chance.randbytes)
    return answers


def on_board(device):
    total, _, rows = reading.board(device.ledger, 0, 50)
    assert total == len(rows)
    return [(row.name, row.bed, row.triage) for row in rows]


def patients(device):
    return device.store.all("SELECT name FROM patient")


def on_disk(device: Device) -> Disk:
    disk = Disk()
    device.store.copy_to(disk.connection)
    return disk


def test_a_line_names_the_patient_that_an_earlier_one_founds():
    ann = Device.found("ann")

    first, care, triage = registered(ann)

    assert first.ok and care.ok and triage.ok
    assert first.patient == care.patient == triage.patient
    assert on_board(ann) == [("Awa", "A3", 1)]


def test_a_group_sent_again_is_answered_again_and_written_once():
    ann = Device.found("ann")
    before = registered(ann)

    again = registered(ann)

    assert [answer.repeated for answer in again] == [True] * 3
    assert [answer.facts for answer in again] == [answer.facts for answer in before]
    assert on_board(ann) == [("Awa", "A3", 1)]


@pytest.mark.parametrize("after", [False, True])
def test_power_lost_at_any_commit_leaves_nobody_registered_and_off_the_board(after):
    whole = on_disk(Device.found("ann"))
    commits = 0
    while True:
        commits += 1
        disk = whole.copy()
        cut = Device("ann", disk, 0)
        disk.arm(commits, after=after)
        try:
            registered(cut)
        except PowerCutError:
            disk.power_gone()
            cut = Device("ann", disk, 0)
            cut.ledger.catch_up_all()
            assert len(on_board(cut)) == len(patients(cut))
            continue
        break

    assert commits > 1, "no commit was cut"
    assert on_board(cut) == [("Awa", "A3", 1)]


@pytest.mark.parametrize("at", [0, 1, 2])
def test_one_refused_line_leaves_nothing_of_the_group(at):
    ann = Device.found("ann")
    bad = [dict(line) for line in LINES]
    bad[at]["by"] = "\0"
    before = ann.care

    answers = registered(ann, bad)

    assert [answer.ok for answer in answers] == [False] * 3
    assert [answer.error for answer in answers] == [
        "bad_text" if number == at else "not_together" for number in range(3)
    ]
    assert ann.care == before
    assert patients(ann) == []
    assert all(answer.ok for answer in registered(ann))


@pytest.mark.parametrize("named", [0, 2, 9, "1", True, None])
def test_a_line_that_names_no_earlier_one_is_refused(named):
    ann = Device.found("ann")
    lines = [LINES[0], {**LINES[1], "patient": {"line": named}}]

    first, second = registered(ann, lines)

    assert (first.error, second.ok, second.field) == ("not_together", False, "patient")
    assert patients(ann) == []


def test_a_book_that_cannot_be_written_says_so_for_every_line():
    ann = Device.found("ann")

    class Full(Recorder):
        def _one(self, at, *rest, **how):
            if at == 2:
                raise LedgerError("disk_full")
            return super()._one(at, *rest, **how)

    answers, _, _ = Full(ann.ledger).together(LINES, WALL_MS, ann.chance.randbytes)

    assert [answer.error for answer in answers] == ["disk_full"] * 3
    assert patients(ann) == []
