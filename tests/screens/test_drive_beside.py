"""Vitamin A, deworming and arms in a drive: below the vaccines by digits, in the same save."""

import pytest

from fieldnode.tui.cores.display import line
from fieldnode.tui.cores.drive import DriveCore
from fieldnode.tui.screens.drive import _sexes
from fieldnode.tui.screens.drive_view import _fitted
from protocols.live.api import Recorded
from tests.screens.fake_node import at_once
from tests.screens.test_drive import CARD, Counting, codes, saved, scan

MEDICINE, MEASURE = "administration.record", "observation.record"


@pytest.fixture
def person() -> Counting:
    """Somebody in the second session, which gives all three."""
    return Counting().press("f4", "down", "enter")


def given(person):
    return [line["data"]["intervention"] for line in saved(person, MEDICINE)]


@pytest.mark.safety(21)
def test_a_returning_child_with_all_due_still_takes_at_most_two_keys_after_the_scan(
    person: Counting,
):
    person.press(*scan(CARD))
    assert "4 [x] Vitamin A 200 000 IU   DUE             lot VA-1" in person.screen
    person.strike("enter")

    assert person.struck <= 2
    assert codes(person) == ["mr", "bopv"]
    assert given(person) == ["vitamin-a", "deworming"]
    assert not saved(person, MEASURE)
    vitamin, worms = saved(person, MEDICINE)
    assert vitamin["data"]["dose"] == {"value": "200000", "unit": "[iU]"}
    assert (vitamin["data"]["item"], vitamin["data"]["lot"]) == ("vitamin-a-200k-cap", "VA-1")
    assert vitamin["store"] == "sit_1"
    assert "store" not in worms and "item" not in worms["data"]
    # Of much that was saved the middle gives way, never whose it is nor the key that takes it back.
    assert "SAVED HERE" in person.screen
    assert "card TG-000412   F8 takes it back" in person.screen


def test_vaccines_and_what_stands_beside_them_are_one_save_and_one_taking_back(person: Counting):
    calls = []
    record = person.node.record

    async def counted(lines, **more):
        calls.append((len(lines), more.get("together")))
        return await record(lines, **more)

    person.node.record = counted  # type: ignore[method-assign]
    person.press(*scan(CARD), "enter")
    assert calls == [(4, True)]
    person.press("f8", "enter")

    assert {line["data"]["fact"] for line in saved(person, "entry.retract")} == {
        f"fct_{at:04d}.0" for at in range(1, 5)
    }


def test_what_was_given_stands_among_the_last_ten_and_in_the_sums_as_vita(person: Counting):
    assert "VitA 187" in person.screen
    person.press(*scan(CARD), "enter")

    person.shell.changed()
    person.settle()
    assert "VitA 188" in person.screen and "Deworm 91" in person.screen
    assert "Measles-rubella 1, Oral polio, bivalent 1, VitA" in person.screen
    assert "MUAC 12" in person.screen


def test_too_soon_is_said_with_the_last_day_and_not_ticked(person: Counting):
    person.press(*scan(CARD), "enter", *scan(CARD))

    assert "4 [ ] Vitamin A 200 000 IU   too soon        last 2026-05-28" in person.screen
    person.press("enter")
    assert given(person) == ["vitamin-a", "deworming"]


@pytest.mark.safety(2)
def test_an_age_that_spans_a_limit_is_said_and_cannot_be_ticked(person: Counting):
    person.press(*scan("KM-7"), *"11", "enter", "2")
    assert "4 [ ] Vitamin A              age not certain 100 000 IU / 200 000 IU" in person.screen
    person.press("4")
    assert "How much depends on the age" in person.screen
    person.press("5")
    assert "nothing for this age" in person.screen

    person.press("enter")
    assert given(person) == []


@pytest.mark.safety(5)
def test_an_arm_is_measured_by_one_key_and_its_class_is_said_with_refer(person: Counting):
    person.press(*scan("KM-7"), *"11", "enter", "2", "6")
    for wrong, said in (("11.2", "whole number"), ("11", "looks like centimetres")):
        person.press(*wrong, "enter")
        assert said in person.screen
        person.press(*["backspace"] * len(wrong))
    person.press(*"112", "enter")

    assert "6 [x] Upper arm (MUAC)       DUE             112 mm" in person.screen
    assert "NOT APPROVED  severe acute malnutrition" in person.screen
    assert "REFER this child" in person.screen
    person.press("enter")
    (line,) = saved(person, MEASURE)
    assert line["data"] == {"session": "ses_2", "intervention": "muac", "code": "muac",
                            "value": "112", "unit": "mm"}  # fmt: skip
    assert line["patient"].startswith("pat_")


def test_an_arm_without_wasting_refers_nobody_and_escape_leaves_it_unmeasured(person: Counting):
    person.press(*scan("KM-7"), *"11", "enter", "2", "6", *"140", "enter")
    assert "REFER" not in person.screen
    person.press("escape", *scan("KM-8"), *"11", "enter", "2", "6", *"11", "escape", "enter")

    assert not saved(person, MEASURE)


def test_of_the_child_before_nothing_measured_or_ticked_stays(person: Counting):
    person.press(*scan("KM-7"), *"11", "enter", "2", "6", *"112", "enter", "escape")
    person.press(*scan(CARD))

    assert "112 mm" not in person.screen and "REFER" not in person.screen
    assert "[ ] Upper arm (MUAC)" in person.screen


def test_a_reason_against_is_written_down_for_what_is_ticked_beside_too(person: Counting):
    person.press(*scan(CARD), "0", "1", "enter")

    assert [(line["data"]["status"], line["reason"]) for line in saved(person, MEDICINE)] == [
        ("refused", "refused")
    ] * 2
    person.press(*scan("TG-000398"))


def test_a_scanned_box_is_the_lot_from_now_on(person: Counting):
    person.press(*scan(CARD), *scan("VITA", "]d2"))
    assert "Lot VA-9 from now on" in person.screen
    assert "lot VA-9" in person.screen
    person.press("enter")

    assert saved(person, MEDICINE)[0]["data"]["lot"] == "VA-9"


def test_what_the_node_asks_of_one_line_is_settled_for_that_line_alone(person: Counting):
    record = person.node.record

    async def doubting(lines, **more):
        at = next((at for at, one in enumerate(lines)
                   if one["data"].get("intervention") == "deworming"), None)  # fmt: skip
        if at is None or "confirm" in lines[at]:
            return await record(lines, **more)
        asks = Recorded(line=at + 1, ok=False, error="confirm_needed",
                        confirm="intervention_too_soon")  # fmt: skip
        return [
            asks if place == at else Recorded(line=place + 1, ok=False, error="not_together")
            for place in range(len(lines))
        ]

    person.node.record = doubting  # type: ignore[method-assign]
    person.press(*scan(CARD), "enter")
    assert "Too soon after the last one" in person.screen
    person.press("enter")

    assert [line.get("confirm") for line in (*saved(person), *saved(person, MEDICINE))] == [
        None, None, None, ["intervention_too_soon"],
    ]  # fmt: skip


# sessions and crowd mode


def test_what_is_given_beside_is_chosen_in_the_same_list_as_the_vaccines():
    person = Counting().press("f4", "n", *"mr vitamin-a 6", "enter")
    assert person.page.form.text(0) == "mr vitamin-a muac"
    at = person.page.form.place_of("cells")
    while person.page.form.place < at:
        person.press("tab")
    person.press(*"mr 1 2, vitamin-a 2 f")

    from fieldnode.tui.cores.session_text import cells

    assert cells("mr 1 2, vitamin-a 2 f", ("vitamin-a", "muac")) == [
        {"vaccine": "mr", "dose": 1, "band": 2},
        {"intervention": "vitamin-a", "band": 2, "sex": "female"},
    ]
    record = person.page.record(person.page.form.answers())
    assert record["data"]["vaccines"] == ["mr"]
    assert record["data"]["interventions"] == ["vitamin-a", "muac"]


def test_a_session_of_vaccines_alone_says_nothing_of_interventions():
    person = Counting().press("f4", "n", *"1 2", "enter")
    record = person.page.record(person.page.form.answers())

    assert "interventions" not in record["data"]
    person = Counting().press("f4", "enter", *scan(CARD))
    assert "BESIDE" not in person.screen and "VitA" not in person.screen


@pytest.mark.safety(12)
def test_crowd_mode_counts_vitamin_a_by_one_key_without_a_vial_and_as_no_dose():
    person = Counting().press("f4", "down", "k")
    before = person.screen
    person.strike("4")

    (line,) = saved(person, "tally.add")
    assert person.struck == 1
    assert line["data"] == {"session": "ses_2", "cell": 4}
    assert "4  Vitamin A  1-4 y" in before
    total = next(row for row in before.splitlines() if "78" in row)
    assert total in person.screen
    assert at_once(person.node.drive("ses_2")).beside[0].number == 188


# a lot that is stopped while a child stands

HAD = "lot_given_already"
STOPS = {
    "lot_recalled": "LOT RECALLED",
    "lot_quarantined": "LOT HELD BACK",
    "lot_expired": "LOT EXPIRED",
}


def stopped(person, code="lot_recalled", lot="VA-1", *, told=True):
    """The lot of a capsule is stopped; the node says that rows changed, or has not yet."""
    person.node.stopped = {lot: code}
    if told:
        person.shell.changed()
        person.settle()
        person.look()
    return person


@pytest.mark.parametrize("code", STOPS)
def test_the_tick_goes_when_the_lot_of_a_capsule_is_stopped_over_a_child_and_says_why(
    person: Counting, code
):
    stopped(person.press(*scan(CARD)), code)
    assert "4 [ ] Vitamin A" in person.screen
    assert f"Vitamin A VA-1: {STOPS[code]}" in person.screen and "do not give it" in person.screen
    person.press("enter")

    assert (codes(person), given(person)) == (["mr", "bopv"], ["deworming"])


@pytest.mark.parametrize("code", STOPS)
def test_a_refusal_of_such_a_lot_names_it_and_no_number_of_enters_gives_it(person: Counting, code):
    stopped(person.press(*scan(CARD)), code, told=False)
    person.press(*["enter"] * 5)
    assert f"Vitamin A VA-1: {STOPS[code]}. DO NOT GIVE IT" in person.screen
    assert saved(person) == [] and given(person) == []
    person.press("g", "enter")

    vitamin, _ = saved(person, MEDICINE)
    assert (vitamin["data"]["lot"], vitamin["confirm"]) == ("VA-1", [HAD])


def test_what_a_child_had_of_it_already_is_written_of_that_lot_after_another_page_too(
    person: Counting,
):
    """The node would take the next one from another lot, or from none: they had it of this one."""
    stopped(person.press(*scan(CARD)))
    person.press("c", "escape", "4", "enter")
    assert "Vitamin A VA-1: LOT RECALLED. DO NOT GIVE IT" in person.screen
    person.press("9", "enter")

    vitamin, _ = saved(person, MEDICINE)
    assert (vitamin["data"]["lot"], vitamin["confirm"]) == ("VA-1", [HAD])


def test_what_a_person_ticked_knowing_it_stays_ticked_when_rows_change_again(person: Counting):
    stopped(person.press(*scan(CARD)))
    person.press("4")
    stopped(person)

    assert "4 [x] Vitamin A" in person.screen and "do not give it" not in person.screen


def test_a_capsule_of_another_box_is_given_by_a_scan_and_the_digit(person: Counting):
    stopped(person.press(*scan(CARD)))
    person.press(*scan("VITA", "]d2"))
    assert "4 [ ] Vitamin A" in person.screen and "lot VA-9" in person.screen
    assert "do not give it" not in person.screen
    person.press("4", "enter")

    vitamin, _ = saved(person, MEDICINE)
    assert vitamin["data"]["lot"] == "VA-9" and "confirm" not in vitamin


def test_a_scanned_lot_that_is_stopped_is_of_no_child_that_comes(person: Counting):
    person.press(*scan("VITA", "]d2"), *scan(CARD))
    stopped(person, lot="VA-9")
    assert "Vitamin A VA-9: LOT RECALLED" in person.screen
    person.press("escape", *scan("VITA", "]d2"))
    assert "VA-9: LOT RECALLED" in person.screen and "from now on" not in person.screen
    person.press(*scan(CARD), *scan("VITA", "]d2"), "enter")

    assert saved(person, MEDICINE)[0]["data"]["lot"] == "VA-1"


@pytest.mark.parametrize("code", STOPS)
def test_a_child_that_comes_after_is_not_ticked_where_all_of_the_store_is_stopped(
    person: Counting, code
):
    stopped(person, code)
    person.press(*scan(CARD))
    assert "4 [ ] Vitamin A 200 000 IU   DUE             " + STOPS[code] in person.screen
    person.press("4", "c", "escape")
    assert "4 [x] Vitamin A" in person.screen, "of a box from elsewhere a person says it"
    person.press("4", "enter")

    assert given(person) == ["deworming"]


def test_of_more_than_the_screen_holds_the_question_is_what_stays():
    core = DriveCore(_sexes())
    rows, low = [line(str(at)) for at in range(20)], [(), line("asked"), line("and its end")]
    core.ask("other_team")
    for least in (rows[:18], rows[:5]):
        shown = _fitted(core, rows, low, least, 12)
        assert len(shown) <= 12 and shown[-2:] == low[1:]
    assert _fitted(core, rows[:9], low, [], 12) == [*rows[:9], *low]


def test_what_is_asked_stands_on_the_screen_however_much_stands_above_it(person: Counting):
    for _ in range(3):
        person.press(*scan("MR", "]d2"), "enter")
    person.press(*scan(CARD))
    person.node.stopped = dict.fromkeys(("VA-1", "fct_vial1.0", "fct_new0.0"), "lot_recalled")
    person.shell.changed()
    person.settle()
    person.look()
    person.press("1", "4", "enter")
    assert "DO NOT GIVE IT" in person.screen and "already? g or 9" in person.screen
    person.press("g")

    assert "It is written as GIVEN" in person.screen and "again if it was" in person.screen
    person.press("enter", "escape", "0")
    assert "8 " in person.screen and "another reason" in person.screen, person.screen
