"""What was given, counted as rows change: always what the rows say, whatever happened to them."""

from __future__ import annotations

from random import Random

import pytest

from protocols.ledger import coverage, immunization
from protocols.ledger.given import GivenBook
from protocols.ledger.immunization import GIVEN
from tests.unit.stage import WALL_MS, Device, line
from tests.unit.test_vaccination_book import BORN, two

STEPS = 80
ANYWAY = [
    "dose_too_soon", "dose_given_before", "dose_not_due", "vial_empty", "dose_before_age",
    "not_in_session", "session_closed", "vial_past_limit", "vial_discarded",
    "tag_in_use", "unusual_value",
]  # fmt: skip
BIRTHS = (BORN, "2026-08-01", "2010-01-01")
VACCINES = (("mr", 1), ("mr", 2), ("penta", 1), ("penta", 3))


class Village:
    """Children, sessions and vials of one device, and what happens to them."""

    def __init__(self, seed: int) -> None:
        self.device, self.chance = Device.found("ann", seed=seed), Random(seed)
        self.children: list[str] = []
        self.sessions: list[str] = []
        self.vials: list[str] = []
        self.facts: list[str] = []
        self.hours = 0

    def tried(self, kind, data, **more):
        """Write a line; what is refused is refused."""
        asked = line(kind, data, **more) | {"key": f"k{self.chance.random()}", "confirm": ANYWAY}
        record, now_ms = self.device.node._recorder.record, WALL_MS + self.hours * 3_600_000
        answers, _, _ = record([asked], now_ms, self.device.chance.randbytes)
        return answers[0]

    def step(self) -> None:
        chance = self.chance
        self.hours += chance.choice((0, 1, 9))
        if len(self.children) < 4 or chance.random() < 0.1:
            data = {"birth_date": chance.choice(BIRTHS), "sex": "female"}
            self.children.append(self.tried("patient.register", data).patient)
        if not self.sessions or chance.random() < 0.05:
            data = {"vaccines": ["mr", "penta"], "place": "Kome"}
            self.sessions.append(self.tried("session.open", data).id)
        who, session = chance.choice(self.children), chance.choice(self.sessions)
        vaccine, number = chance.choice(VACCINES)
        data = {"vaccine": vaccine, "dose": number}
        match chance.randrange(9):
            case 0:
                about = {"session": session, "item": "vaccine-mr-10", "lot": "M", "doses": 5}
                made = self.tried("vial.open", about)
                self.vials += [made.id] if made.ok else []
            case 1 if self.vials:
                taken = {"vaccine": "mr", "dose": number, "vial": chance.choice(self.vials)}
                self.kept(self.tried("dose.record", taken, patient=who))
            case 2:
                more = {"source": "paper", "at": "2026-08-01"}
                self.kept(self.tried("dose.record", data, patient=who, **more))
            case 3:
                stop = {**data, "session": session, "status": chance.choice(("refused", "ill"))}
                self.kept(self.tried("dose.record", stop, patient=who))
            case 4 if self.facts:
                about = {"fact": chance.choice(self.facts)}
                self.tried("entry.retract", about, reason="wrong")
            case 5:
                about = {"birth_date": chance.choice(BIRTHS)}
                self.tried("patient.identify", about, patient=who)
            case 6:
                about = {"other": chance.choice(self.children), "relation": "same"}
                self.kept(self.tried("patient.link", about, patient=who))
            case _:
                self.kept(self.tried("dose.record", {**data, "session": session}, patient=who))

    def kept(self, answer) -> None:
        self.facts += [answer.id] if answer.ok and answer.id else []


def agrees(device) -> None:
    """What is counted is what the rows say when they are all read."""
    ledger = device.ledger
    assert ledger.rows.given.follows
    assert ledger.rows.given.kept() == GivenBook(device.store).kept()
    persons(ledger)


def persons(ledger) -> None:
    """Who is counted once though linked is counted as if each person were looked at."""
    same = coverage._persons(ledger)

    def who(sql: str) -> set[bytes]:
        return {same.get(bytes(one), bytes(one)) for (one,) in ledger.store.all(sql)}

    young = who("SELECT id FROM patient WHERE standing = 0 AND replaced < 2 AND band IN (1, 2)")
    for found in coverage.zero_doses(ledger, ["measles", "dtp", "bcg"]):
        had = who(f"SELECT d.patient FROM dose d WHERE d.series = '{found.series}' AND {GIVEN}")
        assert found[1:] == (len(young), len(young - had)), found
    for found in coverage.drop_out(ledger):
        of = f"SELECT d.patient FROM dose d WHERE d.series = '{found.series}' AND {GIVEN}"
        ends = (1, found.last)
        assert found[2:] == tuple(len(who(f"{of} AND d.dose = {each}")) for each in ends), found


@pytest.mark.parametrize("seed", range(5))
def test_whatever_happens_to_children_is_counted_as_if_every_row_was_read(seed):
    here = Village(seed)
    here.step()
    assert not here.device.ledger.rows.given.follows
    here.device.ledger.rows.given.kept()
    for _ in range(STEPS):
        here.step()
        agrees(here.device)
    ledger = here.device.ledger
    held, counted = ledger.rows.given.kept(), coverage.counts(ledger)
    assert held.sessions.drawn and held.children.reached and held.sessions.not_given
    assert coverage.linked(ledger)

    ledger.rebuild_rows()

    assert ledger.rows.given.kept() == held
    assert coverage.counts(ledger) == counted


def undone(here: Village) -> None:
    with here.device.ledger.atomic():
        for _ in range(20):
            here.step()
        raise ZeroDivisionError


def test_what_a_failed_transaction_undid_was_not_counted():
    here = Village(9)
    for _ in range(30):
        here.step()
    before = here.device.ledger.rows.given.kept()
    with pytest.raises(ZeroDivisionError):
        undone(here)

    assert here.device.ledger.rows.given.kept() == before


def test_what_another_thread_was_told_does_not_change_under_it():
    _, ann, _ = two()
    session = ann.session()
    ann.dose(ann.child(), session=session)
    told = coverage.beside(ann.device.ledger, immunization.not_counted(ann.device.ledger))
    before = coverage.counts(told)

    ann.dose(ann.child(), session=session)

    assert coverage.counts(told) == before
    assert sum(each.doses for each in coverage.counts(ann.device.ledger)) == 2
