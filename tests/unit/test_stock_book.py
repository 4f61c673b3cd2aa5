"""Stores in the real book: what a dose takes, what is taken back with it, and two nodes apart."""

from __future__ import annotations

from typing import Any

import pytest

from protocols.ledger import reading, rowbook
from protocols.ledger.recording import Answer
from protocols.live import answers, shelving, stocklists
from protocols.live.charters import TERMS
from protocols.records import stock, supplies
from protocols.records.shape import values
from tests.unit import people
from tests.unit.founders import terms
from tests.unit.stage import Device, Line, Stage, camp, line, patient

ITEM = "amoxicillin-250-tab"


class Tents:
    """Two devices, one store, one patient."""

    def __init__(self) -> None:
        self.ann, self.ben = camp(("ann", "ben"))
        self.stage = Stage()
        self.stage.link(self.ann, self.ben)
        self.code = self.one(self.ann, patient("Amina")).code or ""
        site = {"name": "Store", "type": "store"}
        self.store = self.one(self.ann, line("site.register", site)).id or ""
        came = {"item": ITEM, "units": 100, "lot": "A1", "expiry": "2027-03"}
        self.one(self.ann, line("stock.receive", came, store=self.store))
        self.meet()

    def one(self, device: Device, said: Line) -> Answer:
        (answer,) = self.stage.write(device, said)
        assert answer.ok, (answer.error, answer.field, answer.confirm, answer.allowed)
        return answer

    def meet(self) -> None:
        self.stage.link(self.ann, self.ben)
        self.stage.run(2_000)
        self.stage.cut(self.ann, self.ben)

    def give(self, device: Device, **data: Any) -> Answer:
        dose = {
            "substance": "amoxicillin",
            "dose": {"value": "375", "unit": "mg"},
            "route": "oral",
            "item": ITEM,
            "lot": "A1",
            **data,
        }
        more = {"patient": self.code, "store": self.store, "confirm": ["given_recently"]}
        return self.one(device, line("administration.record", dose, **more))

    def retract(self, device: Device, fact: str) -> Answer:
        return self.one(device, line("entry.retract", {"fact": fact}, reason="wrong patient"))

    def issue(self, device: Device, units: int, **more: Any) -> Answer:
        data = {"item": ITEM, "units": units, "lot": "A1"}
        return self.one(device, line("stock.issue", data, store=self.store, **more))

    def stock(self, device: Device) -> Any:
        device.ledger.catch_up_all()
        found = device.store.all("SELECT low, high, negative, overdraft, unsettled FROM stock")
        (row,) = found
        return row

    def moves(self, device: Device) -> list[tuple[str, int, int]]:
        device.ledger.catch_up_all()
        rows = device.store.all("SELECT type, units, replaced FROM movement ORDER BY at_ms, entry")
        return [(str(row[0]), int(row[1]), int(row[2])) for row in rows]


@pytest.fixture
def tents() -> Tents:
    return Tents()


@pytest.mark.safety(23)
def test_a_dose_takes_whole_units_rounded_up_and_says_what_is_discarded(tents: Tents) -> None:
    tents.give(tents.ann)

    assert tents.stock(tents.ann)[:2] == (98, 98)
    (row,) = tents.ann.store.all("SELECT item, units, lot, discarded FROM administration")
    assert row == (ITEM, 2, "A1", "125 mg")
    found = tents.ann.store.all("SELECT patient, why, cause FROM movement WHERE units < 0")
    ((who, why, cause),) = found
    ((entry,),) = tents.ann.store.all("SELECT id FROM patient")
    assert (bytes(who), why, len(cause)) == (bytes(entry), "dose", 18)


def test_units_may_be_typed_and_hold_the_dose(tents: Tents) -> None:
    tents.give(tents.ann, units=3)
    assert tents.stock(tents.ann)[0] == 97
    dose = {"substance": "amoxicillin", "dose": {"value": "375", "unit": "mg"}, "route": "oral"}
    more = {"patient": tents.code, "store": tents.store, "confirm": ["given_recently"]}
    said = line("administration.record", {**dose, "item": ITEM, "units": 1, "lot": "A1"}, **more)
    (answer,) = tents.stage.write(tents.ann, said)
    assert (answer.error, answer.field, answer.allowed) == (
        "out_of_range",
        "data.units",
        ("2 or more",),
    )
    (answer,) = tents.stage.write(tents.ann, line("administration.record", dose, **more))
    assert (answer.error, answer.field) == ("missing_field", "data.item")
    assert ITEM in answer.allowed
    unstored = {**dose, "units": 2}
    (answer,) = tents.stage.write(
        tents.ann,
        line("administration.record", unstored, patient=tents.code, confirm=["given_recently"]),
    )
    assert (answer.error, answer.field) == ("missing_field", "store")


def test_a_dose_that_was_refused_takes_nothing(tents: Tents) -> None:
    said = {"substance": "amoxicillin", "status": "refused"}
    more = {"patient": tents.code, "reason": "vomits"}
    tents.one(tents.ann, line("administration.record", said, **more))
    assert tents.stock(tents.ann)[0] == 100
    (answer,) = tents.stage.write(
        tents.ann, line("administration.record", said, store=tents.store, **more)
    )
    assert (answer.error, answer.field) == ("not_taken", "store")


@pytest.mark.safety(23)
def test_what_is_left_of_a_controlled_item_needs_a_witness(tents: Tents) -> None:
    came = {"item": "morphine-10-amp", "units": 10, "lot": "M1"}
    tents.one(tents.ann, line("stock.receive", came, store=tents.store))
    dose = {
        "substance": "morphine",
        "dose": {"value": "5", "unit": "mg"},
        "route": "iv",
        "item": "morphine-10-amp",
        "lot": "M1",
    }
    more = {"patient": tents.code, "store": tents.store}
    (answer,) = tents.stage.write(tents.ann, line("administration.record", dose, **more))
    assert (answer.error, answer.field) == ("witness_needed", "data.witness")
    seen = line("administration.record", {**dose, "witness": "J. Cho"}, **more)
    tents.one(tents.ann, seen)
    (row,) = tents.ann.store.all("SELECT discarded, witness FROM administration")
    assert row == ("5 mg", "J. Cho")


def test_a_lot_held_back_is_given_to_nobody(tents: Tents) -> None:
    held = {"item": ITEM, "lot": "A1", "why": "damaged"}
    tents.one(tents.ben, line("lot.quarantine", held, store=tents.store))
    tents.meet()
    dose = {
        "substance": "amoxicillin",
        "dose": {"value": "250", "unit": "mg"},
        "route": "oral",
        "item": ITEM,
        "lot": "A1",
    }
    more = {"patient": tents.code, "store": tents.store}
    (answer,) = tents.stage.write(tents.ann, line("administration.record", dose, **more))
    assert (answer.error, answer.field) == ("lot_quarantined", "data.lot")


def test_taking_a_dose_back_takes_its_movement_back_and_undoing_that_brings_both(
    tents: Tents,
) -> None:
    fact = tents.give(tents.ann).facts[0]
    tents.meet()
    # Whoever takes it back is not who gave it: undo after the books have met.
    gone = tents.retract(tents.ben, fact)
    assert tents.stock(tents.ben)[0] == 100
    assert tents.moves(tents.ben)[-1] == ("dispense", -2, 2)
    tents.meet()
    assert tents.stock(tents.ann) == tents.stock(tents.ben)

    back = tents.retract(tents.ann, gone.facts[0])
    assert tents.stock(tents.ann)[0] == 98
    tents.retract(tents.ann, back.facts[0])
    assert tents.stock(tents.ann)[0] == 100
    tents.meet()
    assert tents.stock(tents.ben)[0] == 100
    assert tents.moves(tents.ann) == tents.moves(tents.ben)


def test_a_dose_that_is_corrected_moves_once(tents: Tents) -> None:
    fact = tents.give(tents.ann).facts[0]
    dose = {
        "substance": "amoxicillin",
        "dose": {"value": "250", "unit": "mg"},
        "route": "oral",
        "item": ITEM,
        "lot": "A1",
    }
    more = {"patient": tents.code, "store": tents.store, "confirm": ["given_recently"]}
    tents.one(tents.ann, line("administration.record", dose, supersedes=[fact], **more))
    assert tents.stock(tents.ann)[0] == 99


def test_a_movement_is_taken_back_like_any_record(tents: Tents) -> None:
    fact = tents.issue(tents.ann, 30).facts[0]
    assert tents.stock(tents.ann)[0] == 70
    tents.meet()
    tents.retract(tents.ben, fact)
    tents.meet()
    assert tents.stock(tents.ann)[0] == tents.stock(tents.ben)[0] == 100


def test_two_tents_issue_the_same_last_lot_apart_and_both_are_kept_and_named(
    tents: Tents,
) -> None:
    tents.issue(tents.ann, 100)
    tents.issue(tents.ben, 100)
    tents.meet()

    for device in (tents.ann, tents.ben):
        assert tents.stock(device) == (-100, -100, 2, 0, 0)
        page = answers.rows_page(device.ledger, "balance", 0, 9)
        assert len(page["rows"][0]["taken"]) == 2
    assert tents.moves(tents.ann)[-2:] == [("issue", -100, 0)] * 2


def test_an_overdraft_is_named_on_every_node(tents: Tents) -> None:
    share = {"item": ITEM, "to": [{"device": str(tents.ben.id), "units": 40}]}
    tents.one(tents.ann, line("allotment.grant", share, store=tents.store))
    tents.meet()
    more = {"confirm": ["over_allotment"], "reason": "cholera"}
    tents.issue(tents.ben, 45, **more)
    tents.issue(tents.ann, 60)
    tents.meet()

    for device in (tents.ann, tents.ben):
        assert tents.stock(device)[3] == 5
        page = answers.rows_page(device.ledger, "allotment", 0, 9)
        said = {row["device"]: (row["left"], row["overdraft"]) for row in page["rows"]}
        assert said == {str(tents.ann.id): (0, 0), str(tents.ben.id): (-5, 5)}


@pytest.mark.safety(22)
def test_a_count_while_another_issues_is_a_range_until_it_is_settled(tents: Tents) -> None:
    gone = tents.issue(tents.ben, 4).facts[0]
    tents.stage.run(5_000)
    counted = {"item": ITEM, "lots": [{"lot": "A1", "units": 66}]}
    tents.one(tents.ann, line("stock.count", counted, store=tents.store))
    tents.meet()
    for device in (tents.ann, tents.ben):
        assert tents.stock(device) == (62, 66, 0, 0, 1)
    tents.one(tents.ann, line("stock.settle", {"movement": gone, "counted": True}))
    tents.meet()
    for device in (tents.ann, tents.ben):
        assert tents.stock(device) == (66, 66, 0, 0, 0)


def test_every_table_can_be_read_by_programs(tents: Tents) -> None:
    share = {"item": ITEM, "to": [{"device": str(tents.ben.id), "units": 40}]}
    tents.one(tents.ann, line("allotment.grant", share, store=tents.store))
    tents.issue(tents.ann, 5)
    counted = {"item": ITEM, "lots": [{"lot": "A1", "units": 95}]}
    tents.one(tents.ann, line("stock.count", counted, store=tents.store))
    held = {"item": ITEM, "lot": "A1", "why": "damaged"}
    tents.one(tents.ann, line("lot.quarantine", held, store=tents.store))
    said = {"item": ITEM, "lot": "A1", "expiry": "2028-03"}
    tents.one(tents.ann, line("lot.release", said, store=tents.store, reason="carton"))
    tents.ann.ledger.catch_up_all()
    for table in stock.ROW_TABLES:
        page = answers.rows_page(tents.ann.ledger, table.TABLE, 0, 9)
        assert page["rows"] and page["rows"][0]["store"] == tents.store, table.TABLE


def test_a_card_lists_a_day_stated_anew_with_who_when_and_why_on_every_node(tents: Tents) -> None:
    said = {"item": ITEM, "lot": "A1", "expiry": "2028-03"}
    fact = tents.one(tents.ann, line("lot.release", said, store=tents.store, reason="carton")).id
    tents.issue(tents.ann, 5)
    tents.meet()
    for device in (tents.ann, tents.ben):
        asked = {"store": tents.store, "item": ITEM, "languages": ["en"]}
        now = tents.stage.now(device)
        found = shelving.stock_item(device.node, now, asked)
        (line_of,) = [each for each in found.moves if each.type == "expiry"]
        assert (line_of.fact, line_of.lot, line_of.reason) == (fact, "A1", "carton")
        assert (line_of.expiry_day, line_of.units, line_of.counts) == (21274, 0, True)
        assert line_of.author and line_of.at_ms
        assert {each.type for each in found.moves} == {"expiry", "issue", "receive"}
        report = {"report": "card", "store": tents.store, "item": ITEM}
        (row,) = [
            row for row in stocklists.report(device.node, now, report)["rows"] if row[1] == "expiry"
        ]
        assert row[2:7] == ("A1", "2028-03-31", 0, 100, "carton")
        assert row[10] == "ann"


def test_an_item_of_which_only_a_day_was_stated_anew_is_in_the_register(tents: Tents) -> None:
    """What came in is told elsewhere, or was taken back since."""
    said = {"item": "morphine-10-amp", "lot": "M1", "expiry": "2028-03"}
    came = line("stock.receive", {**said, "units": 9, "expiry": "2028-04"}, store=tents.store)
    fact = tents.one(tents.ann, came).id
    tents.one(tents.ann, line("lot.release", said, store=tents.store, reason="carton"))
    tents.one(tents.ann, line("entry.retract", {"fact": fact}, reason="undo"))
    tents.ann.ledger.catch_up_all()
    report = {"report": "register", "store": tents.store}
    rows = stocklists.report(tents.ann.node, tents.stage.now(tents.ann), report)["rows"]
    assert [(row[0], row[2]) for row in rows] == [("morphine-10-amp", "expiry")]


def test_a_day_stated_anew_is_on_no_card_once_it_is_taken_back(tents: Tents) -> None:
    said = {"item": ITEM, "lot": "A1", "expiry": "2028-03"}
    fact = tents.one(tents.ann, line("lot.release", said, store=tents.store, reason="carton")).id
    tents.one(tents.ann, line("entry.retract", {"fact": fact}, reason="undo"))
    tents.meet()
    for device in (tents.ann, tents.ben):
        report = {"report": "card", "store": tents.store, "item": ITEM}
        rows = stocklists.report(device.node, tents.stage.now(device), report)["rows"]
        assert rows and "expiry" not in [row[1] for row in rows]


def test_a_book_built_again_has_the_same_rows(tents: Tents) -> None:
    tents.give(tents.ann)
    tents.issue(tents.ann, 5)
    before = tents.stock(tents.ann), tents.moves(tents.ann)
    tents.ann.ledger.rebuild_rows()
    assert (tents.stock(tents.ann), tents.moves(tents.ann)) == before


def test_a_stock_screen_costs_what_the_store_holds(tents: Tents) -> None:
    for table in ("stock", "balance", "movement"):
        plan = tents.ann.store.all(
            f"EXPLAIN QUERY PLAN SELECT * FROM {table} WHERE store = ?", (b"",)
        )
        assert f"USING INDEX {table}_store" in str(plan)


STORES = {kind.name for kind in supplies.KINDS if kind.name.startswith("stock.")}
STORES |= {"allotment.grant", "lot.quarantine", "lot.release"}


@pytest.mark.parametrize(
    ("role", "may", "may_not"),
    [
        ("logistician", STORES, {"order.place"}),
        ("pharmacist", STORES, {"order.place"}),
        ("nurse", {"stock.dispense", "stock.return", "stock.witness"}, {"stock.adjust"}),
        ("triage device", set(), STORES),
        ("clinician", STORES, set()),
    ],
)
def test_who_may_write_stock_where_nobody_wrote_it_down(
    role: str, may: set[str], may_not: set[str]
) -> None:
    agreed = terms(TERMS.read_text())
    (found,) = [each for each in agreed.roles if each.name == role]
    from protocols.records.catalogue import BY_NAME

    def allowed(name: str) -> bool:
        return not found.kinds or int(BY_NAME[name].number) in found.kinds

    assert {name for name in may if not allowed(name)} == set()
    assert {name for name in may_not if allowed(name)} == set()


def test_who_may_give_and_not_move_stock_is_told_before_it_is_saved() -> None:
    ann, ben = people.camp("ben")
    stage = people.synced(ann, ben)
    site = stage.write(ann, line("site.register", {"name": "Store"}))[0].id
    stage.run(2_000)
    came = line("stock.receive", {"item": ITEM, "units": 5, "lot": "A1"}, store=site)
    answer = stage.write(ben, came)[0]
    assert answer.ok and answer.warnings == ("role_refused",)
    rows = reading.rows(ben.ledger, "movement", 0, 9)
    assert [row.row.standing != 0 for row in rows] == [True]
    assert reading.rows(ben.ledger, "stock", 0, 9) == []


def test_a_write_makes_no_row_anew_that_is_as_it_was(
    tents: Tents, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(70):
        tents.issue(tents.ann, 1)
    made: list[Any] = []
    spread: list[Any] = []
    row_of, values_of = stock._movement_row, values
    monkeypatch.setattr(stock, "_movement_row", lambda *said: made.append(said) or row_of(*said))
    monkeypatch.setattr(rowbook, "values", lambda row: spread.append(row) or values_of(row))

    tents.issue(tents.ann, 1)

    assert len(made) == 1
    assert sum(isinstance(row, stock.MovementRow) for row in spread) == 1
    tents.ann.ledger.rebuild_rows()
    tents.meet()
    assert tents.ann.care == tents.ben.care
