"""What was given, counted as rows change: always what the rows say, whatever happened to them."""

from __future__ import annotations

import re
from random import Random
from typing import Any

import pytest

from protocols.guidelines.schedules import shipped_plan
from protocols.ledger import coverage, given, immunization, packs
from protocols.ledger.given import GivenBook
from protocols.ledger.immunization import GIVEN
from protocols.ledger.schema import row_ddl
from protocols.ledger.store import open_memory
from protocols.records.answer import Answer
from protocols.records.dose import DoseRow
from protocols.records.patient import PatientRow
from protocols.records.shape import columns
from tests.unit.people import founder
from tests.unit.stage import WALL_MS, Device, line
from tests.unit.test_erase_about import Ward
from tests.unit.test_immunization import publish as give_out
from tests.unit.test_items_in_use import one
from tests.unit.test_vaccination_book import BORN, two

STEPS = 80
ANYWAY = [
    "dose_too_soon", "dose_given_before", "dose_not_due", "vial_empty", "dose_before_age",
    "not_in_session", "session_closed", "vial_past_limit", "vial_discarded",
    "tag_in_use", "unusual_value",
]  # fmt: skip
BIRTHS = (BORN, "2026-08-01", "2010-01-01")
VACCINES = (
    ("mr", 1), ("mr", 2), ("penta", 1), ("penta", 3), ("hib", 1), ("rota", 1), ("rota-5", 3),
)  # fmt: skip
COMBINED = {
    "measles": ("mr",),
    "rubella": ("mr",),
    "dtp": ("penta",),
    "hepb": ("penta",),
    "hib": ("penta", "hib"),
    "rotavirus": ("rota", "rota-5"),
}
"""What a village gives, by the series that each counts for in the schedule that is shipped."""


class Village:
    """Children, sessions and vials of one device, and what happens to them."""

    def __init__(self, seed: int) -> None:
        self.device, self.chance = Device.found("ann", seed=seed), Random(seed)
        self.children: list[str] = []
        self.sessions: list[str] = []
        self.vials: list[str] = []
        self.facts: list[str] = []
        self.hours = 0

    def tried(self, kind, data, **more) -> Answer:
        """Write a line; what is refused is refused."""
        asked = line(kind, data, **more) | {"key": f"k{self.chance.random()}", "confirm": ANYWAY}
        record, now_ms = self.device.node._recorder.record, WALL_MS + self.hours * 3_600_000
        answers, _, _ = record([asked], now_ms, self.device.chance.randbytes)
        return answers[0]

    def step(self) -> None:
        chance = self.chance
        self.hours += chance.choice((0, 1, 9))
        if len(self.children) < 4 or chance.random() < 0.1:
            data: dict[str, Any] = {"birth_date": chance.choice(BIRTHS), "sex": "female"}
            self.children.append(self.tried("patient.register", data).patient)
        if not self.sessions or chance.random() < 0.05:
            data = {"vaccines": ["mr", "penta", "hib", "rota", "rota-5"], "place": "Kome"}
            self.sessions.append(self.tried("session.open", data).id)
        who, session = chance.choice(self.children), chance.choice(self.sessions)
        vaccine, number = chance.choice(VACCINES)
        data = {"vaccine": vaccine, "dose": number}
        match chance.randrange(9):
            case 0:
                about = {"session": session, "item": "vaccine-mr-10", "lot": "M", "doses": 5}
                made = self.tried("vial.open", about)
                self.vials += [made.id] if made.ok else []
            case 1 | 8 if self.vials:
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
    """What is counted is what the rows say when they are all read, and of persons."""
    as_read(device)
    persons(device.ledger)
    doubted(device.ledger)


def doubted(ledger) -> None:
    """What is remembered of who is in doubt is what looking at them again finds."""
    asked, plan = immunization.in_doubt(ledger), immunization.plan_in_use(ledger)
    anew = [immunization._doubts(ledger, plan, tuple(each)) for each in asked]
    known = immunization.doubts(ledger, asked)
    assert known.doubled == tuple(one for each in anew for one in each.doubled)
    assert known.spare == frozenset(ref for each in anew for ref in each.spare)


def as_read(device) -> None:
    """What is counted is what the rows say when they are all read."""
    ledger = device.ledger
    plan = immunization.plan_in_use(ledger)
    assert ledger.rows.given.follows
    assert ledger.rows.given.kept(plan) == GivenBook(device.store).kept(plan)


def persons(ledger) -> None:
    """Who is counted once though linked is counted as if each person were looked at."""
    same = coverage._persons(ledger)

    def who(sql: str) -> set[bytes]:
        return {same.get(bytes(one), bytes(one)) for (one,) in ledger.store.all(sql)}

    young = who("SELECT id FROM patient WHERE standing = 0 AND replaced < 2 AND band IN (1, 2)")

    def given(series: str) -> str:
        codes = ", ".join(f"'{code}'" for code in COMBINED.get(series, ()))
        return f"SELECT d.patient FROM dose d WHERE d.vaccine IN ({codes}) AND {GIVEN}"

    for found in coverage.zero_doses(ledger, [*COMBINED, "bcg"]):
        had = who(given(found.series))
        assert found[1:] == (len(young), len(young - had)), found
    dropped = {each.series: each for each in coverage.drop_out(ledger)}
    for out in map(dropped.__getitem__, ("measles", "dtp", "hepb", "hib", "rotavirus")):
        of, ends = given(out.series), (1, out.last)
        assert out[2:] == tuple(len(who(f"{of} AND d.dose = {each}")) for each in ends), out


@pytest.mark.parametrize("seed", range(5))
def test_whatever_happens_to_children_is_counted_as_if_every_row_was_read(seed):
    here = Village(seed)
    here.step()
    assert not here.device.ledger.rows.given.follows
    here.device.ledger.rows.given.kept(immunization.plan_in_use(here.device.ledger))
    for _ in range(STEPS):
        here.step()
        agrees(here.device)
    ledger = here.device.ledger
    plan = immunization.plan_in_use(ledger)
    held, counted = ledger.rows.given.kept(plan), coverage.counts(ledger)
    assert held.sessions.drawn and held.children.reached and held.sessions.not_given
    assert coverage.linked(ledger)

    ledger.rebuild_rows()

    assert ledger.rows.given.kept(plan) == held
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
    plan = immunization.plan_in_use(here.device.ledger)
    before = here.device.ledger.rows.given.kept(plan)
    with pytest.raises(ZeroDivisionError):
        undone(here)

    assert here.device.ledger.rows.given.kept(plan) == before


def test_what_another_thread_was_told_does_not_change_under_it():
    _, ann, _ = two()
    session = ann.session()
    ann.dose(ann.child(), session=session)
    told = coverage.beside(ann.device.ledger, immunization.not_counted(ann.device.ledger))
    before = coverage.counts(told)

    ann.dose(ann.child(), session=session)

    assert coverage.counts(told) == before
    assert sum(each.doses for each in coverage.counts(ann.device.ledger)) == 2


def sums(ledger) -> dict[str, int]:
    """How many children never had any of a series."""
    found = coverage.zero_doses(ledger, [row.id for row in shipped_plan().schedule.series])
    return {each.series: each.none for each in found}


def ends(ledger, series: str) -> tuple[int, int]:
    """Who began a series, and who finished it."""
    (found,) = (each for each in coverage.drop_out(ledger) if each.series == series)
    return found.began, found.finished


def test_a_combined_dose_reaches_every_disease_it_is_against_once():
    _, ann, _ = two()
    ledger = ann.device.ledger
    ledger.rows.given.kept(immunization.plan_in_use(ledger))
    session, whom, other = ann.session(vaccines=["penta"]), ann.child(), ann.child()
    for at in ("2025-07-01", "2025-08-01", "2025-09-01"):
        ann.dose(whom, vaccine="penta", source="paper", at=at)
    ann.dose(whom, vaccine="hib", dose=1, confirm=["dose_given_already"])
    first = ann.dose(other, vaccine="penta", dose=1, session=session)

    none = sums(ledger)
    assert [none[each] for each in ("dtp", "hepb", "hib")] == [0, 0, 0]
    assert none["measles"] == none["bcg"] == 2
    assert [ends(ledger, each) for each in ("hepb", "hib")] == [(2, 1), (2, 1)]
    # The other course against Hib nobody chose or began; who had Hib had it all the same.
    assert ends(ledger, "hib-booster") == (0, 0) and none["hib-booster"] == 0
    # Of what was given in the session there is one dose, of one product.
    (given,) = coverage.counts(ledger)
    assert (given.vaccine, given.doses) == ("penta", 1)
    agrees(ann.device)

    ann("patient.link", {"other": other, "relation": "same"}, patient=whom)
    assert ends(ledger, "hib") == (1, 1) and sums(ledger)["hib"] == 0
    ann.retract(first)
    assert ends(ledger, "hepb") == (1, 1) and sums(ledger)["hepb"] == 0
    ann("patient.unlink", {"other": other}, patient=whom, reason="two children")
    assert sums(ledger)["hepb"] == 1
    agrees(ann.device)


def test_a_dose_of_a_course_chosen_instead_of_another_is_a_dose_against_the_disease():
    _, ann, _ = two()
    ann.dose(ann.child(), vaccine="rota-5", dose=1, series="rotavirus-3", confirm=ANYWAY)
    ledger = ann.device.ledger

    none = sums(ledger)
    assert none["rotavirus"] == none["rotavirus-3"] == 0
    assert ends(ledger, "rotavirus-3") == (1, 0) and ends(ledger, "rotavirus") == (0, 0)


def test_what_a_dose_is_counted_for_goes_by_the_vaccines_in_use():
    device = founder()
    ledger = device.ledger
    whom = one(device, "patient.register", {"birth_date": BORN, "sex": "female"}).patient
    about = {"vaccine": "penta", "dose": 1}
    assert one(device, "dose.record", about, patient=whom, confirm=ANYWAY).ok
    before = coverage.beside(ledger, ())
    assert [sums(ledger)[each] for each in ("dtp", "hib", "hepb")] == [0, 0, 0]

    shipped = next(each for each in packs.held(ledger) if each.name == "vaccines").text
    start = shipped.index('code = "penta"')
    own = shipped[start:].replace(', "hepatitis-b", "hib"]', ', "hepatitis-b"]', 1)
    changed = re.sub(r'(?m)^version = ".*"', 'version = "2"', shipped[:start] + own, count=1)
    assert changed != shipped
    give_out(device, "vaccines", changed)

    assert [sums(ledger)[each] for each in ("dtp", "hib", "hepb")] == [0, 1, 0]
    assert [sums(before)[each] for each in ("dtp", "hib", "hepb")] == [0, 0, 0]
    as_read(device)
    about = {"vaccine": "penta", "dose": 1}
    again = one(device, "patient.register", {"birth_date": BORN, "sex": "male"}).patient
    assert one(device, "dose.record", about, patient=again, confirm=ANYWAY, key="again").ok
    assert [sums(ledger)[each] for each in ("dtp", "hib", "hepb")] == [0, 2, 0]
    as_read(device)


@pytest.mark.parametrize("seed", range(3))
def test_what_does_not_stand_or_is_replaced_is_counted_neither_way(seed):
    here, chance = Village(seed), Random(seed)
    for _ in range(40):
        here.step()
    store, plan = here.device.store, immunization.plan_in_use(here.device.ledger)
    for table, most in (("dose", 1), ("patient", 2)):
        for subject, entry in store.all(f"SELECT subject, entry FROM {table}"):
            for column, high in (("standing", 2), ("replaced", most)):
                value = chance.choice((0, 0, high))
                store.execute(
                    f"UPDATE {table} SET {column} = ? WHERE subject = ? AND entry = ?",
                    (value, subject, entry),
                )
    empty = open_memory()
    for kind in (PatientRow, DoseRow):
        for statement in row_ddl(kind):
            empty.execute(statement)
    counted = GivenBook(empty)
    assert counted.kept(plan) == given.NOTHING

    for subject, *patient in store.all(f"SELECT subject, {_names(PatientRow)} FROM patient"):
        doses = store.all(f"SELECT {_names(DoseRow)} FROM dose WHERE subject = ?", (subject,))
        counted.change(given.Told(), given.Told(tuple(patient), tuple(doses)))

    assert counted.kept(plan) == GivenBook(store).kept(plan) != given.NOTHING


def _names(kind) -> str:
    return ", ".join(name for name, _ in columns(kind))


def test_a_child_who_is_erased_is_counted_no_more(tmp_path):
    ward = Ward(tmp_path / "ann")
    stage, writes = ward.stage, ward.pat
    about = {"vaccines": ["mr", "penta"], "place": "Kome"}
    session = stage.write(writes, line("session.open", about))[0].id
    for whom in (ward.whom, ward.kept):
        for vaccine in ("mr", "penta"):
            dose = {"vaccine": vaccine, "dose": 1, "session": session}
            asked = line("dose.record", dose, patient=whom) | {"confirm": ANYWAY}
            assert stage.write(writes, asked)[0].ok
    same = {"other": ward.kept, "relation": "same"}
    assert stage.write(writes, line("patient.link", same, patient=ward.whom))[0].ok
    stage.run(3_000)
    for each in (ward.ann, ward.pat):
        plan = immunization.plan_in_use(each.ledger)
        assert sum(each.ledger.rows.given.kept(plan).sessions.doses.values()) == 4
    ward.erase(ward.asked(ward.ann))
    for each in (ward.ann, ward.pat):
        assert sum(each.ledger.rows.given.sessions().doses.values()) == 2
        agrees(each)
    ward.ann.store.close()
