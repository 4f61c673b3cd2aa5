"""What a terminal is told of medicines: due, late, given past a stop, twice; and doses proposed."""

from __future__ import annotations

from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import InputError
from protocols.guidelines.doses import read_formulary
from protocols.guidelines.vocabulary import vocabulary
from protocols.ids import PatientId
from protocols.live import care, wards
from protocols.live.bedside import Care, DoseHelp
from protocols.records.administration import AdministrationRow
from protocols.records.order import OrderRow
from protocols.records.schedule import DAY_MS, HOUR_MS, late_from_ms, scheduled
from tests.unit.stage import WALL_MS, Device, Line, Stage, camp, line, patient
from tests.unit.test_guidelines_doses import TEXT

PILLS = {
    "substance": "amoxicillin",
    "dose": {"value": "250", "unit": "mg"},
    "route": "oral",
    "frequency": {"way": "times-a-day", "every": 3},
}
MINUTE_MS = 60_000
LATE_MS = 60 * MINUTE_MS
NOW_MS = 1_000 * DAY_MS


def order(way: str = "times-a-day", every: int = 3, **more: object) -> OrderRow:
    row = OrderRow(
        entry=1, idx=0, kind=88, standing=0, at_ms=NOW_MS, patient=b"p", encounter=None,
        substance="Amoxicillin", way=way, every=every, start_ms=NOW_MS,
    )  # fmt: skip
    return msgspec.structs.replace(row, **more)


def dose(ago_ms: int, status: str = "given", **more: object) -> AdministrationRow:
    row = AdministrationRow(
        entry=10 - ago_ms // HOUR_MS, idx=0, kind=96, standing=0, at_ms=NOW_MS - ago_ms,
        patient=b"p", encounter=None, about=b"o", status=status, substance="amoxicillin",
    )  # fmt: skip
    return msgspec.structs.replace(row, **more)


def now(row: OrderRow, *doses: AdministrationRow, at_ms: int = NOW_MS, **more: object):
    return scheduled(row, doses, at_ms, LATE_MS, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("after_ms", "state"),
    [(-1, "later"), (0, "due"), (LATE_MS - 1, "due"), (LATE_MS, "late")],
)
def test_a_dose_is_due_from_its_moment_on_and_late_after_what_the_pack_says(after_ms, state):
    found = now(order(), dose(8 * HOUR_MS), at_ms=NOW_MS + after_ms)

    assert (found.state, found.due_ms) == (state, NOW_MS)


def test_the_first_dose_is_due_when_the_order_begins():
    assert now(order()).state == "due"
    assert now(order(start_ms=NOW_MS + 1)).state == "later"


def test_a_refused_dose_answers_the_one_that_was_due_and_is_not_given():
    found = now(order(), dose(9 * HOUR_MS), dose(HOUR_MS, "refused"))

    assert (found.state, found.due_ms) == ("later", NOW_MS + 7 * HOUR_MS)
    assert found.last is not None and found.last.status == "refused"
    assert found.last_given_ms == NOW_MS - 9 * HOUR_MS


@pytest.mark.parametrize("more", [{"replaced": 1}, {"replaced": 2}, {"standing": 1}])
def test_a_dose_that_is_taken_back_or_does_not_stand_is_none(more):
    assert now(order(), dose(HOUR_MS, **more)) == now(order())


def test_once_is_done_after_one_dose_and_running_is_never_due_again():
    assert now(order("once", 0)).state == "due"
    assert now(order("once", 0), dose(HOUR_MS)).state == "done"
    assert now(order("continuous", 0), dose(HOUR_MS)).state == "running"


def test_as_needed_is_never_due_and_says_when_the_most_is_reached():
    needed = order("as-needed", 0, max_a_day=2)
    assert now(needed, dose(HOUR_MS)).state == "as-needed"
    assert now(needed, dose(HOUR_MS)).warnings == ()
    assert now(needed, dose(HOUR_MS), dose(2 * HOUR_MS)).warnings == ("most_reached",)
    assert now(needed, dose(HOUR_MS), dose(DAY_MS)).warnings == ()


def test_an_order_that_is_over_or_stopped_is_not_due():
    assert now(order(until_ms=NOW_MS)).state == "ended"
    stopped = now(order(stopped_ms=NOW_MS - 1, given_apart=1), dose(HOUR_MS))
    assert (stopped.state, stopped.due_ms) == ("stopped", None)
    assert stopped.warnings == ("given_past_stop",)
    last = now(order(until_ms=NOW_MS + HOUR_MS), dose(HOUR_MS))
    assert (last.state, last.due_ms) == ("done", None)


def test_what_people_apart_wrote_is_said_by_the_folded_name():
    unsettled = {("dose", "AMOXICILLIN"), ("order", "amoxicillin")}
    found = now(order(), dose(HOUR_MS, duplicate=1), unsettled=unsettled, allergic=True)

    assert found.warnings == ("allergy", "double_dose", "ordered_twice")
    assert now(order(), dose(HOUR_MS, duplicate=1), unsettled={("dose", "x")}).warnings == ()


@given(st.permutations([dose(hours * HOUR_MS) for hours in range(6)]), st.integers(0, DAY_MS))
def test_the_order_in_which_doses_came_changes_nothing(doses, after_ms):
    straight = sorted(doses, key=lambda each: each.at_ms)

    assert now(order(), *doses, at_ms=NOW_MS + after_ms) == now(
        order(), *straight, at_ms=NOW_MS + after_ms
    )


# On the real book.


def begun(*lines: Line) -> tuple[Stage, Device, str]:
    (ann,) = camp(("ann",))
    stage = Stage()
    whom = stage.write(ann, patient("Amina", age={"value": "5", "unit": "y"}))[0].patient or ""
    answers = stage.write(ann, *({**each, "patient": whom} for each in lines))
    assert [answer.error for answer in answers if not answer.ok] == []
    return stage, ann, whom


def told(stage: Stage, device: Device, whom: str) -> Care:
    device.ledger.catch_up_all()
    return care.care(device.node, stage.now(device), {"patient": whom}, opened=lambda _: True)


def helped(stage: Stage, device: Device, whom: str, **asked: object) -> DoseHelp:
    args = {"patient": whom, "substance": "examplin", **asked}
    return care.dose_help(device.node, stage.now(device), args, opened=lambda _: True)


def test_care_tells_allergies_problems_orders_and_doses_as_they_are_shown_now():
    stage, ann, whom = begun(
        line("encounter.open", {"syndrome": "watery-diarrhoea", "event_relation": "direct"}),
        line("allergy.record", {"text": "mango"}),
        line("allergy.record", {"code": "penicillins", "severity": "severe"}),
        line("condition.record", {"code": "burn"}),
        line("order.place", {**PILLS, "override": "no other"}, confirm=["allergy_match"]),
        line(
            "administration.record",
            {"substance": "morphine", "dose": {"value": "5", "unit": "mg"}, "route": "iv"},
        ),
    )
    found = told(stage, ann, whom)
    assert [one.code or one.text for one in found.allergies] == ["penicillins", "mango"]
    assert (found.conditions[0].code, found.in_care) == ("burn", True)
    assert (found.syndrome, found.event_relation) == ("watery-diarrhoea", 1)
    (pills,) = found.medicines
    assert (pills.value, pills.unit, pills.state, pills.warnings) == (
        "250", "mg", "due", ("allergy",),
    )  # fmt: skip
    assert [one.substance for one in found.doses] == ["morphine"]

    stage.write(ann, line("administration.record", {"order": pills.order, "status": "refused"},
                          confirm=["allergy_match"], reason="vomiting"))  # fmt: skip
    (pills,) = told(stage, ann, whom).medicines
    assert pills.last is not None
    assert (pills.state, pills.last.status, pills.last.reason) == ("later", "refused", "vomiting")
    stage.write(ann, line("order.stop", {"order": pills.order}, reason="rash"))
    (pills,) = told(stage, ann, whom).medicines
    assert (pills.state, pills.stop_reason) == ("stopped", "rash")
    stage.at_ms += 2 * DAY_MS
    assert told(stage, ann, whom).medicines == ()


def test_a_dose_given_past_a_stop_stays_listed_first_on_both_nodes():
    ann, ben = camp(("ann", "ben"))
    stage = Stage()
    stage.link(ann, ben)
    whom = stage.write(ann, patient("Amina"))[0].patient or ""
    placed = stage.write(ann, line("order.place", PILLS, patient=whom))[0].facts[0]
    stage.write(ann, line("order.place", {**PILLS, "substance": "ors"}, patient=whom))
    stage.run(2_000)
    stage.cut(ann, ben)
    stage.write(ann, line("order.stop", {"order": placed}, reason="rash"))
    stage.write(ben, line("administration.record", {"order": placed}))
    stage.link(ann, ben)
    stage.run(2_000)

    for device in (ann, ben):
        first, _ = told(stage, device, whom).medicines
        assert (first.order, first.state) == (placed, "stopped")
        assert first.warnings == ("given_past_stop",)


def test_a_dose_is_proposed_from_a_whole_row_of_the_formulary_in_use(monkeypatch):
    monkeypatch.setattr(care, "_formulary", lambda _: read_formulary(TEXT))
    stage, ann, whom = begun()
    assert helped(stage, ann, whom).reason == "no_weight"
    weigh = line("observation.record", {"code": "weight-estimated", "value": "12.5", "unit": "kg"})
    stage.write(ann, {**weigh, "patient": whom})

    (found,) = helped(stage, ann, whom).proposals
    assert (found.mg, found.text, found.route) == ("250", "20 × 12.5 = 250 mg", "oral")
    assert (found.kg, found.estimated, found.approved) == ("12.5", True, False)

    other = line("observation.record", {"code": "weight", "value": "14", "unit": "kg"})
    stage.at_ms += 1_000
    stage.write(ann, {**other, "patient": whom})
    assert helped(stage, ann, whom).reason == "weights_differ"
    assert [one.kg for one in told(stage, ann, whom).weights] == ["14", "12.5"]
    (chosen,) = helped(stage, ann, whom, weight=2).proposals
    assert chosen.kg == "12.5"


def test_what_came_with_the_software_proposes_nothing_and_says_what_is_lacking():
    weight = line("observation.record", {"code": "weight", "value": "15", "unit": "kg"})
    stage, ann, whom = begun(weight)

    found = helped(stage, ann, whom, substance="Azithromycin")
    assert (found.proposals, found.reason) == ((), "row_incomplete")
    assert "concentration" in found.lacks
    assert helped(stage, ann, whom, substance="mango").reason == "no_row"


def test_nobody_reads_the_care_of_a_patient_who_is_not_here_or_whose_team_is_another():
    stage, ann, _ = begun()
    with pytest.raises(InputError, match="not_found"):
        told(stage, ann, str(PatientId(bytes(16))))
    monkey = {"patient": 4}
    with pytest.raises(InputError, match="bad_line"):
        care.care(ann.node, stage.now(ann), monkey, opened=lambda _: True)
    assert stage.now(ann).wall_ms == WALL_MS


def test_a_proposed_dose_is_cut_down_and_never_up():
    for value, shown in (("250", "250"), ("187.5", "187.5"), ("6.667", "6.66"), ("0.999", "0.99"),
                         ("1999/1000", "1.99"), ("2/3", "0.66"), ("0.10", "0.1")):  # fmt: skip
        assert care._plain(Fraction(value)) == shown


def test_whoever_left_is_not_in_care_and_is_counted_under_nothing_there():
    stage, ann, whom = begun(
        line("encounter.open", {"syndrome": syndrome(), "event_relation": "direct"})
    )
    found = told(stage, ann, whom)
    assert (found.in_care, found.syndrome, found.event_relation) == (True, syndrome(), 1)

    stage.write(ann, line("encounter.close", {"outcome": "discharged"}, patient=whom))
    found = told(stage, ann, whom)
    assert (found.in_care, found.syndrome, found.event_relation) == (False, "", None)


def syndrome() -> str:
    return next(row.name for row in vocabulary().condition if row.syndrome)


# on the board


@given(
    way=st.sampled_from(["times-a-day", "every", "as-needed", "continuous", "once"]),
    every=st.integers(1, 6),
    hours=st.none() | st.integers(1, 72),
    stopped=st.booleans(),
    ago=st.lists(st.tuples(st.integers(0, 72), st.sampled_from(["given", "refused"])), max_size=4),
    after=st.integers(-24 * 60, 96 * 60),
)
def test_a_board_says_late_exactly_when_the_chart_does(way, every, hours, stopped, ago, after):
    row = order(
        way, every, start_ms=NOW_MS - 72 * HOUR_MS, stopped_ms=NOW_MS if stopped else None,
        until_ms=None if hours is None else NOW_MS - 72 * HOUR_MS + hours * HOUR_MS,
    )  # fmt: skip
    doses = [dose(hour * HOUR_MS, status) for hour, status in ago]
    moment = NOW_MS + after * MINUTE_MS
    last = max((one.at_ms for one in doses), default=None)

    from_ms = late_from_ms(row, last, LATE_MS)

    over = row.until_ms is not None and moment >= row.until_ms
    late = from_ms is not None and moment >= from_ms and not over
    assert late is (now(row, *doses, at_ms=moment).state == "late")


def test_a_dose_that_is_late_is_on_the_board_of_every_node_until_it_is_answered():
    ann, ben = camp(("ann", "ben"))
    stage = Stage()
    stage.link(ann, ben)
    whom = {"patient": stage.write(ann, patient("Amina"))[0].code or ""}
    stage.write(ann, line("encounter.open", {}, **whom))
    pills = stage.write(ann, line("order.place", PILLS, **whom))[0].facts[0]
    ors = {**PILLS, "substance": "ors", "frequency": {"way": "as-needed", "max_a_day": 9}}
    stage.write(ann, line("order.place", ors, **whom))
    stage.run(2_000)

    def late(device: Device, at_ms: int) -> tuple[tuple[int, str], ...]:
        device.ledger.catch_up_all()
        return wards.board(device.ledger, 0, 9, "", at_ms).lines[0].late_doses

    (first,) = late(ben, WALL_MS)
    assert first[1] == "amoxicillin"
    assert abs(first[0] - WALL_MS - LATE_MS) < HOUR_MS
    assert late(ann, WALL_MS) == (first,)

    said = {"order": pills, "status": "refused"}
    assert stage.write(ben, line("administration.record", said, reason="asleep"))[0].ok
    stage.run(2_000)
    (then,) = late(ann, WALL_MS)
    assert then[0] - first[0] >= 8 * HOUR_MS - 10_000

    assert stage.write(ann, line("triage.record", {"category": "dead"}, **whom))[0].ok
    assert late(ann, WALL_MS) == ()
    assert stage.write(ann, line("triage.record", {"category": "green"}, **whom))[0].ok
    assert stage.write(ann, line("order.stop", {"order": pills}, reason="rash"))[0].ok
    assert late(ann, WALL_MS) == ()
