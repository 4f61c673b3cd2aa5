"""Settling by keeping one side, for all that can be unsettled, on two nodes that were apart."""

from __future__ import annotations

from typing import Any

import pytest

from protocols.ledger.conflicts import OneSide, Unsettled, unsettled
from protocols.ledger.reading import everyone, rows
from protocols.live.answers import board_line
from protocols.records.keeping import FAMILIES
from tests.unit.care_lines import PARACETAMOL
from tests.unit.stage import WALL_MS, Device, Stage, camp, line, patient

ASKED = {"reason": "asked at the bedside"}
WEIGHT = {"code": "weight", "unit": "kg"}
PENICILLIN = {"code": "penicillins", "reaction": "anaphylaxis", "severity": "severe"}


class Two:
    """Two nodes that were apart while each wrote something, and are together again."""

    def __init__(self) -> None:
        self.ann, self.ben = camp(("ann", "ben"))
        self.stage = Stage()
        self.stage.link(self.ann, self.ben)
        self.code = self.stage.write(self.ann, patient("Amina"))[0].code or ""
        self.stage.write(self.ann, line("encounter.open", {}, patient=self.code))
        self.stage.run(2_000)

    def write(self, device: Device, kind: str, data: dict[str, Any], **more: Any) -> str:
        answer = self.stage.write(device, line(kind, data, patient=self.code, **more))[0]
        assert answer.ok, answer
        return (*answer.facts, answer.id or "")[0]

    def apart(self) -> None:
        self.stage.cut(self.ann, self.ben)

    def together(self) -> None:
        self.stage.link(self.ann, self.ben)
        self.stage.run(2_000)

    def one(self, device: Device) -> Unsettled:
        (found,) = unsettled_of(device)
        return found

    def keep(self, device: Device, side: OneSide, **more: Any) -> Any:
        found = self.one(device)
        data = {"attribute": found.what, "keep": str(side.fact)}
        return self.stage.write(
            device, line("conflict.settle", data, patient=self.code, **{**ASKED, **more})
        )[0]

    def settled(self) -> bool:
        self.stage.run(2_000)
        same = self.ann.care == self.ben.care
        listed = unsettled_of(self.ann) or unsettled_of(self.ben)
        return same and not listed and not self.marked

    @property
    def marked(self) -> bool:
        """Whether the board of either node marks the patient still."""
        heads = [
            board_line(row, WALL_MS)
            for device in (self.ann, self.ben)
            for row in everyone(device.ledger, 0, 9)[1]
        ]
        return any(
            head.unsettled or head.triage_open or head.allergy_open or head.custody > 2
            for head in heads
        )

    def table(self, name: str) -> list[Any]:
        return [each.row for each in rows(self.ben.ledger, name, 0, 100)]


def unsettled_of(device: Device) -> list[Unsettled]:
    device.ledger.catch_up_all()
    return unsettled(device.ledger)


def make_allergy(two: Two) -> None:
    two.apart()
    two.write(two.ann, "allergy.record", PENICILLIN)
    two.write(two.ben, "allergy.record", {**PENICILLIN, "reaction": "rash", "severity": "mild"})
    two.together()


def make_none_known(two: Two) -> None:
    two.apart()
    two.write(two.ann, "allergy.record", PENICILLIN)
    two.write(two.ben, "allergy.record", {"status": "none-known"})
    two.together()


def make_custody(two: Two) -> None:
    """Both take the patient over on the word of one offer each, apart."""
    one = two.write(two.ann, "transfer.offer", {"to": {"organisation": "Red Star"}})
    two.stage.run(2_000)
    two.apart()
    two.write(two.ben, "transfer.accept", {"offer": one}, confirm=["offered_elsewhere"])
    two.write(two.ann, "transfer.decline", {"answers": one}, reason="they never came")
    two.together()


def make_offers(two: Two) -> None:
    two.apart()
    two.write(two.ann, "transfer.offer", {"to": {"organisation": "Red Star"}})
    two.write(two.ben, "transfer.offer", {"to": {"organisation": "Red Moon"}})
    two.together()


def make_taken(two: Two) -> None:
    """Each offers the patient, and each takes the patient over from the other, apart."""
    two.apart()
    star = two.write(two.ann, "transfer.offer", {"to": {"organisation": "Red Star"}})
    moon = two.write(two.ben, "transfer.offer", {"to": {"organisation": "Red Moon"}})
    two.together()
    two.apart()
    two.write(two.ann, "transfer.accept", {"offer": moon}, confirm=["offered_elsewhere"])
    two.write(two.ben, "transfer.accept", {"offer": star}, confirm=["offered_elsewhere"])
    two.together()


def make_weight(two: Two) -> None:
    two.apart()
    two.write(two.ann, "observation.record", {**WEIGHT, "value": "40"})
    two.write(two.ben, "observation.record", {**WEIGHT, "value": "60"})
    two.together()


def make_order(two: Two) -> None:
    two.apart()
    two.write(two.ann, "order.place", PARACETAMOL)
    two.write(two.ben, "order.place", {**PARACETAMOL, "dose": {"value": "1", "unit": "g"}})
    two.together()


def make_dose(two: Two) -> None:
    order = two.write(two.ann, "order.place", PARACETAMOL)
    two.stage.run(2_000)
    two.apart()
    two.write(two.ann, "administration.record", {"order": order})
    two.write(two.ben, "administration.record", {"order": order})
    two.together()


def make_stopped(two: Two) -> None:
    order = two.write(two.ann, "order.place", PARACETAMOL)
    two.stage.run(2_000)
    two.apart()
    two.write(two.ann, "order.stop", {"order": order}, reason="vomits")
    two.write(two.ben, "administration.record", {"order": order})
    two.together()


def make_condition(two: Two) -> None:
    two.apart()
    two.write(two.ann, "condition.record", {"code": "burn", "onset": "2026-05"})
    two.write(two.ben, "condition.record", {"text": "Burn", "status": "resolved"})
    two.together()


def make_outcome(two: Two) -> None:
    two.apart()
    two.write(two.ann, "encounter.close", {"outcome": "left-unseen", "text": "walked out"})
    two.write(two.ben, "encounter.close", {"outcome": "died"})
    two.together()


def make_attribute(two: Two) -> None:
    two.apart()
    two.write(two.ann, "patient.identify", {"sex": "male"})
    two.write(two.ben, "patient.identify", {"sex": "female"})
    two.together()


MADE = {
    "allergy": make_allergy,
    "none known": make_none_known,
    "custody": make_custody,
    "offers": make_offers,
    "taken": make_taken,
    "weight": make_weight,
    "order": make_order,
    "dose": make_dose,
    "condition": make_condition,
    "outcome": make_outcome,
    "attribute": make_attribute,
}


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("name", MADE)
def test_either_side_can_be_kept_and_it_is_settled_on_every_node(name, place):
    two = Two()
    MADE[name](two)
    kept = two.one(two.ben).sides[place]

    done = two.keep(two.ben, kept, confirm=["allergy_listed"])

    assert done.ok, done
    assert two.settled()


def test_every_family_is_tried_here():
    found = set()
    for make in (*MADE.values(), make_stopped):
        two = Two()
        make(two)
        found.add(two.one(two.ann).what)
    assert set(FAMILIES) <= found


def test_an_order_that_was_stopped_stays_so_once_somebody_knows_of_the_dose():
    two = Two()
    make_stopped(two)
    sides = {side.value: side for side in two.one(two.ben).sides}
    stopped, given = sides["stopped"], sides["given"]

    refused = two.keep(two.ben, given)
    assert (refused.error, refused.field) == ("settle_otherwise", "data.keep")
    assert two.keep(two.ben, stopped).ok
    assert two.settled()
    (order,) = two.table("order_placed")
    assert order.stopped_ms is not None
    assert order.given_apart == 0


@pytest.mark.safety(4)
def test_of_weights_none_is_written_again():
    """SAFETY 4: a measured value is never copied forward."""
    two = Two()
    make_weight(two)
    heavy = next(side for side in two.one(two.ben).sides if side.value == "60 kg")

    two.keep(two.ben, heavy)

    assert two.settled()
    weights = [row for row in two.table("observation") if row.code == "weight"]
    assert sorted((row.value, row.replaced) for row in weights) == [("40", 2), ("60", 0)]


def test_a_list_of_allergies_is_not_taken_back_without_being_asked():
    two = Two()
    make_none_known(two)
    none = next(side for side in two.one(two.ben).sides if not side.used)

    asked = two.keep(two.ben, none)

    assert (asked.error, asked.confirm) == ("confirm_needed", "allergy_listed")
    assert two.keep(two.ben, none, reason=None).error in ("confirm_needed", "reason_needed")


@pytest.mark.safety(25)
def test_what_was_kept_of_custody_is_what_boards_say():
    two = Two()
    make_custody(two)
    taken = next(side for side in two.one(two.ben).sides if side.value.startswith("accepted"))

    two.keep(two.ben, taken)

    assert two.settled()
    (custody,) = two.table("custody")
    assert (custody.state, custody.keeper, custody.unclear) == ("accepted", "Red Star", 0)


def test_what_is_not_unsettled_or_of_another_family_is_not_found():
    two = Two()
    make_weight(two)
    side = two.one(two.ben).sides[0]
    for family in FAMILIES:
        if family != "weight":
            data = {"attribute": family, "keep": str(side.fact)}
            said = line("conflict.settle", data, patient=two.code, **ASKED)
            assert two.stage.write(two.ben, said)[0].error == "not_found"
    valued = line("conflict.settle", {"attribute": "weight", "value": "50"}, patient=two.code)
    assert two.stage.write(two.ben, valued)[0].field == "data.keep"


def test_a_board_marks_what_is_unsettled_on_both_nodes():
    two = Two()
    assert not two.marked
    make_allergy(two)
    assert two.marked
