"""What a running book keeps at hand is what its file says, whatever was undone or erased.

Chance writes, takes in what others wrote, erases, and has statements fail in between. After each
step the same file, opened anew, says the same and goes on alike.
"""

from __future__ import annotations

from random import Random

import pytest

from protocols.errors import LedgerError
from protocols.feeds.lane import Lane
from protocols.ids import PatientId
from protocols.ledger import merging
from tests.unit.stage import WALL_MS, Device, Line, Stage, admit, copied, note, patient, triage
from tests.unit.test_erase import coordinator, erase, hashes_of, order
from tests.unit.test_ledger_chain import relayed as lane_relayed
from tests.unit.test_ledger_crash import flaky
from tests.unit.test_ledger_kept import tables

STEPS = 40


class Desk:
    """One device that is written at, with another whose entries it takes in."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)
        self.stage = Stage()
        self.ann, self.ben = Device.found("ann", seed=seed), Device.found("ben", seed=seed)
        admit(self.ann, self.ben)
        coordinator(self.ann, self.ben)
        relayed(self.ann, self.ben)
        relayed(self.ben, self.ann)
        self.codes: list[str] = []
        self.facts: list[str] = []

    def step(self) -> None:
        turn = self.chance.random()
        if turn < 0.45:
            self.write(self.ann)
        elif turn < 0.6:
            self.failing()
        elif turn < 0.8:
            self.write(self.ben)
            if self.chance.random() < 0.6:
                relayed(self.ben, self.ann)
        elif turn < 0.88:
            relayed(self.ann, self.ben)
        elif turn < 0.94:
            self.erase()
        elif turn < 0.97:
            self.ann.ledger.reload()
            self.ann.node._load_anew()
        else:
            self.ann.ledger.rebuild_rows()

    def lines(self) -> list[Line]:
        return [self.line() for _ in range(self.chance.choice((1, 1, 2, 5)))]

    def line(self) -> Line:
        chance = self.chance
        new = patient(f"P{chance.random()}", tags=[f"T{chance.randrange(9)}"])
        if not self.codes:
            return new
        seen = note(chance.choice(self.codes), f"n{chance.random()}")
        made = [
            new,
            seen,
            triage(seen["patient"], chance.choice(("red", "green"))),
            seen | {"kind": "patient.correct", "data": {"sex": "female"}},
        ]
        if self.facts:
            taken_back = {"fact": self.facts.pop()}
            made.append(seen | {"kind": "entry.retract", "data": taken_back, "reason": "typo"})
        return chance.choice(made)

    def write(self, device: Device) -> bool:
        together = self.chance.random() < 0.5
        recorder = device.node._recorder
        how = recorder.together if together else recorder.record
        answers, _, _ = how(self.lines(), WALL_MS, device.chance.randbytes)
        for answer in answers:
            if answer.ok and answer.code:
                self.codes.append(answer.code)
            if answer.ok and answer.facts and self.chance.random() < 0.3:
                self.facts.append(answer.facts[-1])
        return all(answer.ok for answer in answers)

    def failing(self) -> None:
        """A write or a delivery of which one statement fails: once, as a full disk does."""
        store = self.ann.store
        execute, executemany = store.execute, store.executemany
        flaky(self.ann, self.chance.randrange(1, 25))
        try:
            if self.chance.random() < 0.6:
                self.write(self.ann)
            else:
                self.write(self.ben)
                relayed(self.ben, self.ann)
        except LedgerError:
            pass  # As a full disk does.
        finally:
            store.execute, store.executemany = execute, executemany  # type: ignore[method-assign]

    def erase(self) -> None:
        patients = self.ann.store.all("SELECT id FROM subject WHERE kind = 1 ORDER BY id")
        if patients:
            whom = str(PatientId(self.chance.choice(patients)[0]))
            if hashes_of(self.ann, whom)[0]:
                erase(self.stage, self.ann, order(self.ann, self.ben, whom))

    def see(self) -> None:
        """The file opened anew says what the running book says, and so do rows built again."""
        ann = self.ann
        fresh = Device("ann", copied(ann.store), 0)
        assert fresh.care == ann.care
        assert tables(fresh) == tables(ann)
        assert fresh.unopened() == ann.unopened()
        for code in self.codes[-3:]:
            for each in (fresh, ann):
                each.chance = Random(code)
        fresh.ledger.rebuild_rows()
        assert tables(fresh) == tables(ann)

    def go_on(self) -> None:
        """What is written next is byte for byte what the file opened anew would write."""
        ann = self.ann
        fresh, lines = Device("ann", copied(ann.store), 0), self.lines()
        fresh.ledger.chain.last_clock = ann.ledger.chain.last_clock
        for device in (ann, fresh):
            entropy = Random("next").randbytes
            device.node._recorder.record(lines, WALL_MS, entropy)
        assert fresh.entries == ann.entries
        # After an erase the number of a subject may be given again by a book opened anew.
        assert unnumbered(fresh) == unnumbered(ann)
        assert fresh.care == ann.care


def unnumbered(device: Device) -> dict[str, list[str]]:
    return {name: sorted(repr(row[1:]) for row in rows) for name, rows in tables(device).items()}


def relayed(here: Device, there: Device) -> None:
    """Carry all that one holds to the other, control first."""
    for lane in sorted(Lane):
        lane_relayed(here, there, lane)


@pytest.mark.parametrize("little", [False, True])
@pytest.mark.parametrize("seed", range(12))
def test_what_is_at_hand_is_what_the_file_says(
    seed: int, little: bool, monkeypatch: pytest.MonkeyPatch
):
    if little:
        monkeypatch.setattr(merging, "CACHED_SUBJECTS_MAX", 2)
    desk = Desk(seed)
    for number in range(STEPS):
        desk.step()
        if number % 4 == 3:
            desk.see()
            desk.go_on()
    desk.see()
