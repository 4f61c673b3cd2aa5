"""Who has seen an alert, and when: it stays listed, and measured again it comes back."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldnode.tui.alerting import alerts_of, newest
from protocols.errors import InputError
from protocols.live import wards
from protocols.live.api import AlertSeen, BoardLine, BoardPage
from protocols.records.acknowledged import Seen, covers
from protocols.records.answer import Answer
from protocols.records.catalogue import decode_fact
from protocols.records.kinds import KindNo
from protocols.records.seen import ABOUT_MAX, WHY
from tests.unit.people import camp, enrol, founder, sit, synced, write
from tests.unit.records_shelf import Shelf
from tests.unit.stage import WALL_MS, line
from tests.unit.test_watch import measured

LATE, ALERTING = ("limit.heart-rate.high",), "limit.heart-rate.high"
NAMES = st.frozensets(st.sampled_from(["a", "b", "c"]))


@given(st.sampled_from(WHY), st.sampled_from(WHY), st.integers(), st.integers(), NAMES, NAMES)
def test_only_the_very_alert_that_was_seen_was_seen(why, now_why, of_ms, now_ms, about, now_about):
    found = covers(Seen(why, of_ms, about), now_why, now_ms, now_about)

    assert found is (why == now_why and of_ms == now_ms and now_about <= about)


def page(*lines, unassigned=0) -> BoardPage:
    return BoardPage(len(lines), 0, tuple(lines), unassigned=unassigned)


def somebody(at_ms=1_000, *seen, alerts=LATE) -> BoardLine:
    return BoardLine("pat_1", "ABC", "Awa", last_set_ms=at_ms, alerts=alerts, seen=seen)


def saw(of_ms=1_000, about=LATE, why="single", who="Ann") -> AlertSeen:
    return AlertSeen(why, of_ms, about, who, 5_000)


def test_an_alert_that_was_seen_stands_below_with_who_saw_it_and_none_is_lost():
    late = msgspec.structs.replace(somebody(1_000), patient="pat_2", last_set_ms=900)
    found = alerts_of(page(somebody(1_000, saw()), late, unassigned=2), 2_000)

    assert [(one.why, one.seen and one.seen.who) for one in found] == [
        ("alerts.single", None),
        ("alerts.results", None),
        ("alerts.single", "Ann"),
    ]


@pytest.mark.parametrize(
    "again",
    [
        somebody(2_000, saw()),
        somebody(1_000, saw(), alerts=(*LATE, "unrecordable.systolic")),
        somebody(1_000, saw(why="rise")),
        somebody(1_000),
    ],
)
def test_measured_again_or_about_more_it_is_another_alert(again):
    (found,) = alerts_of(page(again), 3_000)

    assert found.seen is None


def test_a_score_that_rose_is_seen_by_its_score():
    rose = BoardLine("p", "A", "", trend=1, score=7, score_before=4, last_set_ms=1_000)
    seen = saw(about=("score.7",), why="rise")
    (found,) = alerts_of(page(msgspec.structs.replace(rose, seen=(seen,))), 2_000)
    assert found.seen == seen
    worse = msgspec.structs.replace(rose, seen=(seen,), score=8)
    assert alerts_of(page(worse), 2_000)[0].seen is None


def test_a_late_dose_is_seen_by_what_is_late_and_another_that_gets_late_is_another_alert():
    late = BoardLine("p", "A", "", late_doses=((1_000, "iron salts"), (1_500, "ors")))
    seen = saw(1_000, ("ironsalts",), "dose")
    told = msgspec.structs.replace(late, seen=(seen,))

    assert alerts_of(page(told), 999) == []
    (found,) = alerts_of(page(told), 1_499)
    assert (found.why, found.at_ms, found.seen) == ("alerts.dose", 1_000, seen)
    assert alerts_of(page(told), 1_500)[0].seen is None


@pytest.mark.parametrize(
    "stands",
    [{"triage_open": True}, {"unsettled": 1}, {"doses": 3}, {"custody": 3}, {"tag_shared": True}],
)
def test_what_has_to_be_settled_is_never_seen_away(stands):
    seen = tuple(saw(of_ms, (), why) for why in WHY for of_ms in (0, 1_000))
    found = alerts_of(page(BoardLine("p", "A", "", seen=seen, **stands)), 2_000)

    assert found and all(one.seen is None for one in found)


def test_the_boards_line_names_what_nobody_saw_first_and_else_what_somebody_did():
    old = msgspec.structs.replace(somebody(1_000), patient="pat_2", last_set_ms=10)
    seen = somebody(1_000, saw())

    assert newest(alerts_of(page(seen, old), 2_000)).head.patient == "pat_2"
    assert newest(alerts_of(page(seen), 2_000)).seen.who == "Ann"


def test_a_line_names_a_reason_and_at_most_so_many_values():
    shelf = Shelf()
    shelf.write("patient.register", {"tags": ["B12"]})

    def refused(**data):
        whole = {"why": "single", "of_ms": 1, "about": []} | data
        return shelf.refused("alert.ack", whole, patient={"tag": "B12"}).code

    assert refused(why="unsettled") == "bad_value"
    assert refused(about=["x"] * (ABOUT_MAX + 1)) == "too_many"
    assert refused(about=["x" * 65]) == "too_long"
    with pytest.raises(InputError):
        shelf.write("alert.ack", {"why": "single"}, patient={"tag": "B12"})


@given(st.binary(max_size=40))
def test_hostile_bytes_are_unreadable_or_become_rows(raw):
    record = decode_fact(KindNo.ALERT_ACK, raw)
    shelf = Shelf()
    patient = shelf.write("patient.register", {"tags": ["B12"]}).subject
    shelf.write("alert.ack", {"why": "late", "of_ms": 5}, patient={"tag": "B12"})
    facts = shelf.facts_by_subject[patient]
    facts[-1] = msgspec.structs.replace(facts[-1], record=record)

    assert len(shelf.table(patient, "alert_seen")) == (record is not None)


# In a book


def ill(device, sitting) -> Answer:
    made, *_ = write(device, sitting, line("patient.register", {"family_name": "Awa"}))
    more = (
        line("encounter.open", {}, patient=made.code),
        line("patient.identify", {"age": {"value": "8", "unit": "y"}}, patient=made.code),
        measured(made.code, "high", heart_rate=("190", "/min")),
    )
    assert all(each.ok for each in write(device, sitting, *more))
    return made


def told(device):
    device.ledger.catch_up_all()
    return alerts_of(wards.board(device.ledger, 0, 9, "", WALL_MS), WALL_MS)


def see(alert, code):
    about = [*alert.about]
    data = {"why": "single", "of_ms": alert.at_ms, "about": about}
    return line("alert.ack", data, patient=code)


def test_what_one_saw_another_node_says_too_and_taking_it_back_brings_it_up_again():
    ann, ben = camp("ben")
    enrol(ann)
    sitting = sit(ann)
    made = ill(ann, sitting)
    (first,) = told(ann)
    (done,) = write(ann, sitting, see(first, made.code))
    synced(ann, ben)
    for device in (ann, ben):
        (after,) = told(device)
        assert (after.why, after.seen.at_ms) == ("alerts.single", WALL_MS)
    assert told(ann)[0].seen.who == "Amina Okoro"
    again = measured(made.code, "still", heart_rate=("191", "/min")) | {"at": WALL_MS + 60_000}
    write(ann, sitting, again)
    assert told(ann)[0].seen is None
    write(ann, sitting, line("entry.retract", {"fact": done.facts[0]}, reason="another child"))
    assert told(ann)[0].seen is None


def test_taken_back_it_was_not_seen():
    ann = founder()
    enrol(ann)
    sitting = sit(ann)
    made = ill(ann, sitting)
    (first,) = told(ann)
    (done,) = write(ann, sitting, see(first, made.code))
    assert told(ann)[0].seen is not None
    write(ann, sitting, line("entry.retract", {"fact": done.facts[0]}, reason="not me"))
    assert told(ann)[0].seen is None
