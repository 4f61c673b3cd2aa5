"""Requests, shipments, recalls, fridges, key by key: what is asked, what is written, what stays."""

import msgspec
import pytest

from fieldnode.text.catalogue import load
from fieldnode.tui.cores.display import Size, text_of
from protocols.errors import LinkError
from protocols.live.api import Recorded
from tests.screens.fake_consigned import (
    DEPOT,
    LOT_LABEL,
    MORPHINE,
    MR,
    MR_BOX,
    RINGER,
    WARD,
    WORDS,
    a_shipment,
    consigned_all,
    others_received,
)
from tests.screens.fake_node import ward
from tests.screens.test_pages import Person

LISTS = ("f10", "9")


@pytest.fixture
def person() -> Person:
    node = ward()
    consigned_all(node)
    return Person(node)


def lines_of(person, kind):
    return [line for line in person.node.written if line["kind"] == kind]


def down(times):
    return ["down"] * times


def test_a_request_of_two_items_is_one_record(person: Person):
    person.press(*LISTS, "5", "n", "ringer1", "3x20", "enter", "ctrl+n")
    person.press("morphine1", "5", "enter", "enter", "enter")

    (line,) = lines_of(person, "requisition.place")
    assert line["store"] == DEPOT
    assert line["data"] == {
        "lines": [{"item": RINGER, "units": 60}, {"item": MORPHINE, "units": 5}]
    }
    assert "Asked for" in person.shell.said.text
    person.press("f8")
    assert "Asked for Ringer's lactate 1 L, for infusion x 60" in person.screen


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("0", "None is no quantity"),
        ("1.5", "Whole units only"),
        ("-4", "Whole units only"),
        ("99999999", "Not possible"),
    ],
)
def test_what_is_no_quantity_is_refused_with_a_sentence_and_stays(person: Person, typed, said):
    person.press(*LISTS, "5", "n", "ringer1", typed, "enter")

    assert said in person.screen
    assert typed in person.screen
    assert person.node.written == []


@pytest.mark.safety(24)
def test_a_quantity_shows_packs_times_size_before_it_is_saved(person: Person):
    person.press(*LISTS, "5", "n", "ringer1", "12x10")
    assert "12 x 10 = 120 bags" in person.screen
    person.press("backspace", "backspace", "backspace")
    assert "12 x 1 = 12 bags" in person.screen


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("50", "50 пакетів"),
        ("21", "21 пакет"),
        ("3x10", "3 x 10 = 30 пакетів"),
        ("22", "22 пакети"),
        ("1", "1 пакет"),
    ],
)
def test_a_quantity_names_its_unit_in_the_form_of_its_number(person: Person, typed, said):
    person.shell.desk.words = load("uk")
    for keys in (
        (*LISTS, "5", "n", "ringer1"),
        ("f5", "s", "1", "ringer1"),
        (*LISTS, "5", "enter", "a", *["backspace"] * 2),
    ):
        person.press(*keys, typed)
        assert any(row.rstrip().endswith(said) or f"{said}  " in row
                   for row in person.screen.splitlines()), person.screen  # fmt: skip
        person.press("escape", "escape", "escape")


def test_one_item_twice_in_one_request_is_refused(person: Person):
    person.press(*LISTS, "5", "n", "ringer1", "5", "ctrl+n", "ringer1", "6", "enter", "enter")
    person.press("enter")

    assert "stands twice" in person.screen
    assert person.node.written == []


def test_a_draft_of_a_request_is_taken_up_with_its_list(person: Person):
    person.press(*LISTS, "5", "n", "ringer1", "5", "ctrl+n", "morphine1", "7", "enter")
    person.press("escape", "escape", "escape", "d", "enter")

    assert "On the list (1): Ringer's lactate" in person.screen
    person.press("enter", "enter")
    (line,) = lines_of(person, "requisition.place")
    assert [each["units"] for each in line["data"]["lines"]] == [5, 7]


def test_what_is_approved_may_be_less_and_nothing_at_all_is_cancelled_instead(person: Person):
    person.press(*LISTS, "5", "enter", "a", "backspace", "backspace", "0", "enter", "enter")
    person.press("enter")
    assert "cancel the request instead" in person.screen
    person.press("backspace", "45", "enter", "enter", "enter")

    (line,) = lines_of(person, "requisition.approve")
    assert line["data"]["lines"] == [{"item": RINGER, "units": 45}]
    assert line["data"]["donor"] == DEPOT


@pytest.mark.safety(24)
def test_what_expires_first_is_proposed_and_changed_by_whoever_looks_at_the_shelf(person: Person):
    person.press(*LISTS, "5", *down(2), "enter", "r")
    shown = person.screen
    assert "60 of 60" in shown
    assert "Q7 HELD BACK" in shown and "R9 RECALLED" in shown
    person.press("backspace", "backspace", "3x10", "enter", "enter", "enter")

    (line,) = lines_of(person, "shipment.reserve")
    assert line["store"] == DEPOT
    assert [(one["lot"], one["units"]) for one in line["data"]["lines"]] == [
        ("A77", 30),
        ("B02", 20),
    ]


def test_a_doubt_of_the_node_is_asked_in_words_and_taken_once_it_was_seen(person: Person):
    asks = Recorded(0, False, error="confirm_needed", confirm="beyond_stock",
                    field="data.units", allowed=("12",))  # fmt: skip
    person.node.refuse["shipment.reserve"] = asks
    person.press(*LISTS, "5", *down(2), "enter", "r", "end", "backspace", "backspace", "44")
    person.press("enter", "enter")
    person.hurry("enter", "enter")

    assert person.shell.dropped == 1, "struck before the question was seen"
    person.look()
    assert "More than is known to be there. Enter again if it really leaves. (known here: 12)" in (
        " ".join(person.screen.split())
    )
    del person.node.refuse["shipment.reserve"]
    person.press("enter", "enter", "enter")
    (line,) = lines_of(person, "shipment.reserve")
    assert line["confirm"] == ["beyond_stock"]


def test_who_may_not_set_aside_is_told_why_and_nothing_typed_is_lost(person: Person):
    person.node.refuse["shipment.reserve"] = Recorded(
        0, False, error="not_the_donor", field="store"
    )
    person.press(*LISTS, "5", *down(2), "enter", "r", "enter", "enter", "enter")

    assert "Only a device of the store that gives may do this" in person.screen
    assert "40 x 1 = 40 bags" in person.screen


def test_a_store_with_nothing_to_give_says_so_in_place_of_a_form(person: Person):
    person.node.lots_here = [one for one in person.node.lots_here if one.held or one.recalled]
    person.press(*LISTS, "5", *down(2), "enter", "r")

    assert "Nothing here may be given: Q7 HELD BACK; R9 RECALLED" in person.shell.said.text
    assert person.shell.page.name == "shipment"


def test_something_controlled_leaves_with_a_witness_only(person: Person):
    one = a_shipment(person.node.now_ms, "reserved")
    parts = tuple(msgspec.structs.replace(part, item=MORPHINE) for part in one.parts)
    person.node.consigned = [msgspec.structs.replace(one, parts=parts)]
    person.press(*LISTS, "5", "enter", "d", "enter")
    assert "This is needed before saving" in person.screen or "Witness" in person.screen
    person.press("enter")
    assert lines_of(person, "shipment.dispatch") == []
    person.press("A. Silva", "tab", "car 3", "enter", "enter")

    (line,) = lines_of(person, "shipment.dispatch")
    assert line["data"] == {"shipment": one.shipment, "carrier": "car 3", "witness": "A. Silva"}


def test_everything_came_is_one_digit_and_says_nothing_of_lots(person: Person):
    person.press(*LISTS, "5", "down", "enter", "c", "1", "enter", "enter")

    (line,) = lines_of(person, "shipment.receive")
    assert line["data"] == {"shipment": "doc_dispatched"}


def test_what_came_short_says_why_lot_by_lot_and_the_rest_may_follow(person: Person):
    person.press(*LISTS, "5", "down", "enter", "c", "2", "36", "enter", "enter")
    assert "say why, or 0 if the rest follows" in person.screen
    assert lines_of(person, "shipment.receive") == []
    person.press("2", "18", "enter", "0", "enter", "enter")

    (line,) = lines_of(person, "shipment.receive")
    assert line["data"]["lines"] == [
        {"item": RINGER, "units": 36, "lot": "A77", "why": "damaged"},
        {"item": RINGER, "units": 18, "lot": "B02", "rest": True},
    ]


def test_all_of_it_and_a_lot_that_is_short_do_not_go_together(person: Person):
    person.press(*LISTS, "5", "down", "enter", "c", "2", "36", "enter", "1", "up", "up", "up")
    person.press("up", "1", "enter", "enter", "enter", "enter", "enter")

    assert lines_of(person, "shipment.receive") == []
    assert "is not as it was sent" in person.screen


def test_a_scanned_lot_opens_its_field_and_another_one_none(person: Person):
    person.press(*LISTS, "5", "down", "enter", "c", "2", "enter")
    person.press("down", "down")
    person.press(*LOT_LABEL, "enter")
    assert ">A77" in person.screen
    person.press(*MR_BOX, "enter")
    assert "not of this shipment" in person.shell.said.text
    assert person.node.written == []


def test_what_was_not_known_to_be_sent_is_written_down_as_it_came(person: Person):
    person.press(*LISTS, "5", *down(3), "enter", "c", "40", "enter")
    assert "is not known here: type what came" in " ".join(person.screen.split())
    person.press("enter", "enter")

    (line,) = lines_of(person, "shipment.receive")
    assert line["data"]["lines"] == [{"item": RINGER, "units": 40, "lot": "A77"}]


def test_a_step_in_error_is_named_and_taken_back(person: Person):
    person.press(*LISTS, "5", "down", "enter", "i", "down", "down", "down")
    person.press("enter")
    assert "counts no more" in person.shell.said.text
    person.press("down", "enter")
    assert "Sent by M. Dupont" in person.screen
    person.press("enter")
    (line,) = lines_of(person, "entry.retract")
    assert line["data"] == {"fact": "fct_s4"}


def test_a_lot_is_recalled_by_a_scan_and_said_to_hold_everywhere(person: Person):
    person.press(*LISTS, "6", "n", *MR_BOX, "enter", "1", "enter", "1", "enter", "enter")

    (line,) = lines_of(person, "lot.recall")
    assert line["data"] == {"item": MR, "lot": "0119X2", "why": "contaminated", "level": "harmful"}
    assert "patient" not in line
    person.press("f8")
    assert "Recalled Measles-rubella vaccine, vial of 10 doses (0119X2)" in person.screen


def test_one_key_holds_ours_back_and_f8_names_it(person: Person):
    person.press(*LISTS, "6", "enter", "q")

    (line,) = lines_of(person, "lot.quarantine")
    assert line["store"] == DEPOT
    assert line["data"] == {"item": MR, "lot": "0119X2", "why": "recall"}
    person.press("f8")
    assert "Held back: Measles-rubella vaccine" in person.screen


def test_patients_who_received_it_open_no_chart_unasked_and_are_asked_for_once(person: Person):
    person.press(*LISTS, "6", "enter", "p")
    assert person.node.reasons == [""]
    person.shell.changed()
    person.settle()
    assert person.node.reasons == [""], "each time is one more line in the trail"
    assert "Okoro" in person.screen


def test_other_teams_patients_are_named_after_a_reason():
    node = ward()
    others_received(node)
    person = Person(node).press(*LISTS, "6", "enter").hurry("p", "c")

    assert node.reasons == [], "struck before it was seen"
    person.look()
    assert "another organisation are among them: Red Cross" in person.screen
    assert "Okoro" not in person.screen and node.reasons == []
    person.press("o", "they lie on our ward", "enter")
    assert node.reasons == ["they lie on our ward"]
    assert "Okoro" in person.screen


def test_what_an_alarm_harmed_is_named_and_asked_once(person: Person):
    person.press(*LISTS, "7", "enter", "q")
    shown = " ".join(person.screen.split())
    assert "lots: 2. They may be harmed" in shown
    assert "0119X2" in shown and "0120Y1" in shown and "0120Y3" not in shown
    assert person.node.written == []
    person.press("enter")

    assert [line["data"]["lot"] for line in lines_of(person, "lot.quarantine")] == [
        "0119X2",
        "0120Y1",
    ]
    assert {line["data"]["why"] for line in lines_of(person, "lot.quarantine")} == {"excursion"}
    assert person.shell.page.name == "cold_unit"
    person.press("f8")
    assert "Held back: fridge 1, Depot, lots: 2" in person.screen


@pytest.mark.safety(8)
def test_limits_that_nobody_approved_say_so_with_their_source(person: Person):
    person.press(*LISTS, "7")
    assert "NOT APPROVED" in person.screen
    person.press("enter")
    assert "NOT APPROVED" in person.screen
    assert "[1] WHO PQS E006" in person.screen and "for 1 h 00" in person.screen


@pytest.mark.safety(3)
@pytest.mark.parametrize(("typed", "written"), [("-18,5", "-18.5"), ("4.0", "4"), ("-0", "0")])
def test_a_temperature_takes_point_comma_and_a_minus(person: Person, typed, written):
    person.press(*LISTS, "7", "n", "2", typed, "enter", "enter")

    (line,) = lines_of(person, "reading.record")
    assert line["data"] == {"unit": "cold box 2", "celsius": written}
    assert line["store"] == WARD


def test_a_fridge_nobody_knew_needs_a_store(person: Person):
    person.press(*LISTS, "7", "n", "box nine", "enter", "4", "enter", "enter")
    (line,) = lines_of(person, "reading.record")

    assert (line["store"], line["data"]["unit"]) == (DEPOT, "box nine")


def test_alerts_of_supplies_open_where_they_are_settled(person: Person):
    person.press("f6")
    shown = person.screen
    for said in ("COLD CHAIN: fridge 1", "RECALLED, NOT HELD BACK", "Shipment LAPSED"):
        assert said in shown
    rows = person.page.rows
    opened = set()
    for at in range(rows.total):
        page = Person(person.node).press("f6", *down(at))
        if page.page.rows.selected.supply is None:
            continue
        page.press("a")
        assert "goes when it is settled" in page.shell.said.text
        opened.add(page.press("enter").shell.page.name)
    assert opened == {"cold_unit", "recalls", "shipment"}


def test_a_node_that_leaves_keeps_what_was_typed(person: Person):
    person.press(*LISTS, "5", "down", "enter", "c", "2", "36", "enter", "1")
    person.node.down = LinkError("no_node")
    person.press("20", "enter", "enter")

    assert "NOT SAVED" in person.shell.said.text
    assert "36 x 1 = 36" in person.screen
    person.node.down = None
    person.press("enter")
    assert len(lines_of(person, "shipment.receive")) == 1


def test_names_of_stores_and_lots_are_no_commands(person: Person):
    one = a_shipment(person.node.now_ms, "reserved", to_name="[red]\x1b[2J\u202e", text="O[/]B\x07")
    person.node.consigned = [one]
    person.press(*LISTS, "5", "enter")

    for drawn in person.shell.draw(Size(80, 24)):
        assert text_of(drawn).isprintable()


def test_an_item_is_called_in_the_readers_language_and_by_its_code_where_nobody_named_it():
    from fieldnode.text.catalogue import load
    from fieldnode.tui.supply_words import item

    assert item(load("fr"), WORDS, MR).startswith("Vaccin rougeole")
    assert item(load("en"), WORDS, "later-item") == "later-item"


def test_the_digit_of_a_fridge_is_its_place_in_the_list_as_it_was_seen(person: Person):
    person.node.cold = person.node.cold[::-1]
    person.press(*LISTS, "7")
    assert person.page.rows.row(0).unit == "fridge 1", "what alarms comes first"
    person.press("n", "1", "4", "enter", "enter")

    (line,) = lines_of(person, "reading.record")
    assert line["data"]["unit"] == "fridge 1"


@pytest.mark.parametrize("kind", ["zpl", "escpos", "png", "text"])
def test_the_label_of_the_marked_lot_leaves_for_the_printer(person: Person, tmp_path, kind):
    told = {"printer": str(tmp_path), "printer_kind": kind}
    person.node.greeting = msgspec.structs.replace(person.node.greeting, **told)
    person.shell.changed()
    person.settle()
    person.press(*LISTS, "5", "down", "enter", "down", "l")

    assert "PRINTED: lot label B02" in person.shell.said.text
    (file,) = tmp_path.iterdir()
    raw = file.read_bytes()
    assert raw.startswith(b"\x89PNG") if kind == "png" else b"Lot B02" in raw


def test_without_a_printer_the_label_says_so(person: Person):
    person.press(*LISTS, "5", "down", "enter", "l")
    assert "No printer is set" in person.shell.said.text


SEND = ("f5", "s", "1")
"""From the stock screen to the form, for the first store listed."""


def test_what_nobody_asked_for_is_one_record_of_the_lots_that_expire_first(person: Person):
    keys = (*SEND, *"ringer1", *"50", "enter", "enter")
    assert len(keys) == 14, "four keys beside the item's name, its quantity and the store"
    person.press(*keys)

    (line,) = lines_of(person, "shipment.dispatch")
    assert line["store"] == DEPOT
    assert line["data"] == {
        "to": WARD,
        "lines": [
            {"item": RINGER, "units": 40, "lot": "A77"},
            {"item": RINGER, "units": 10, "lot": "B02"},
        ],
    }
    assert "patient" not in line
    person.press("f8")
    assert "Sent Ward North: Ringer's lactate 1 L, for infusion (A77) x 40" in person.screen


def test_several_items_with_their_lots_and_whom_they_go_with_are_one_shipment(person: Person):
    person.press(*SEND, "ringer1", "3x10", "enter", "+", "2", "ctrl+n")
    assert "On the list (1): Ringer's lactate 1 L, for infusion (B02) x 30" in person.screen
    person.press(*MR_BOX, "enter")
    person.press("20", "tab", "tab", "car 3", "enter", "enter")

    (line,) = lines_of(person, "shipment.dispatch")
    assert [(each["item"], each.get("lot"), each["units"]) for each in line["data"]["lines"]] == [
        (RINGER, "B02", 30),
        (MR, "0119X2", 20),
    ]
    assert line["data"]["carrier"] == "car 3"


def test_what_leaves_later_is_set_aside_and_says_nothing_of_who_carries_it(person: Person):
    person.press(*SEND, "ringer1", "50", "enter", "down", "car 3", "down", "down", "2", "enter")
    person.press("enter", "enter")
    assert "This is said when it leaves" in " ".join(person.screen.split())
    assert person.node.written == []
    person.press(*["backspace"] * 5, "enter")

    (line,) = lines_of(person, "shipment.reserve")
    assert "carrier" not in line["data"] and line["data"]["to"] == WARD


def test_something_controlled_is_not_sent_without_a_witness(person: Person):
    person.press(*SEND, "morphine1", "5", "enter", "enter")
    assert "who sees it leave?" in person.screen
    assert person.node.written == []
    person.press("A. Silva", "enter")

    (line,) = lines_of(person, "shipment.dispatch")
    assert line["data"]["witness"] == "A. Silva"


def test_of_an_item_whose_lots_are_all_barred_none_is_proposed(person: Person):
    person.node.lots_here = [one for one in person.node.lots_here if one.held or one.recalled]
    person.press(*SEND, "ringer1", "5", "enter", "enter")
    assert "Nothing here may be given: Q7 HELD BACK; R9 RECALLED" in " ".join(person.screen.split())
    assert person.node.written == []


def test_a_doubt_about_one_of_several_lots_says_of_which(person: Person):
    asks = Recorded(0, False, error="confirm_needed", confirm="beyond_stock",
                    field="data.units", allowed=("40",))  # fmt: skip
    person.node.refuse["shipment.dispatch"] = asks
    person.press(*SEND, "ringer1", "50", "enter", "+", "1", "ctrl+n", "morphine1", "1", "enter")
    person.press("tab", "tab", "A. Silva", "enter", "enter")
    shown = " ".join(person.screen.split())
    assert "(A77) x 50: More than is known to be there" in shown
    del person.node.refuse["shipment.dispatch"]
    person.look()
    person.press("enter")
    (line,) = lines_of(person, "shipment.dispatch")
    assert line["confirm"] == ["beyond_stock"]


def test_one_lot_twice_is_refused_and_the_last_one_comes_back_off_the_list(person: Person):
    person.press(*SEND, "ringer1", "5", "enter", "+", "1", "ctrl+n", "ringer1", "6", "enter")
    person.press("+", "1", "enter", "enter")
    assert "stands twice" in person.screen
    person.press("ctrl+o")
    assert "Put this item on the list first" in person.shell.said.text
    person.page.form.take_back("lot")
    person.page.form.take_back("units")
    person.page.form.take_back("item")
    person.press("ctrl+o")
    assert ">Units" in person.screen and "On the list" not in person.screen
    person.press("backspace", "7", "enter", "enter", "enter")

    (line,) = lines_of(person, "shipment.dispatch")
    assert line["data"]["lines"] == [{"item": RINGER, "units": 7, "lot": "A77"}]


def test_a_draft_of_what_is_sent_is_taken_up_with_its_list_and_lots(person: Person):
    person.press(*SEND, "ringer1", "50", "enter", "ctrl+n", "morphine1", "7", "enter", "escape")
    person.press("escape", "d", "enter")
    assert "SEND FROM Depot" in person.screen and "On the list (2)" in person.screen
    person.press("enter", "enter")
    person.press("A. Silva", "enter")

    (line,) = lines_of(person, "shipment.dispatch")
    assert [(each.get("lot"), each["units"]) for each in line["data"]["lines"]] == [
        ("A77", 40), ("B02", 10), (None, 7),
    ]  # fmt: skip


def test_where_no_other_store_is_known_it_says_how_one_is_named(person: Person):
    person.node.depots = person.node.depots[:1]
    person.press("f5", "s")
    assert "No other store is known here. F5, then o, then n" in person.shell.said.text


def test_a_shipment_taken_in_twice_says_who_when_and_which_receipt_is_taken_back(person: Person):
    person.press(*LISTS, "5", *down(5), "enter")
    shown = " ".join(person.screen.split())
    assert "TAKEN IN TWICE" in shown
    assert "Ward North, 11:32, R. Amin (ward-n): 36 units, 36 of them count" in shown
    assert "Ward North, 12:32, M. Dupont (ward-s): 40 units, 0 of them count" in shown
    assert "then i, mark the receipt that is wrong" in shown
    person.press("i", "end")
    assert person.screen.count("TWICE") == 2
    person.press("enter", "enter")

    (line,) = lines_of(person, "entry.retract")
    assert line["data"] == {"fact": "fct_r2"}
    one = person.node.consigned[5]
    person.node.consigned[5] = msgspec.structs.replace(one, beyond=28)
    person.press("escape")
    assert "Both stores count it: 28 units too many" in " ".join(person.screen.split())


def test_who_sent_it_is_not_asked_whether_it_came_but_told_how_it_comes_back(person: Person):
    way = person.node.consigned[1]
    ours = tuple(msgspec.structs.replace(step, ours=True) for step in way.steps)
    person.node.consigned[1] = msgspec.structs.replace(way, steps=ours)
    person.press(*LISTS, "5", "down", "enter")
    shown = " ".join(person.screen.split())
    assert "c/4" not in shown and "If it came back: i, mark Sent" in shown
    person.press("c")
    assert person.shell.page.name == "shipment"


def test_who_only_walks_through_an_empty_form_leaves_no_draft(person: Person):
    person.press("f5", "i", "enter", "tab", "down", "up", "escape")
    assert not person.node.drafts and "UNSAVED" not in person.screen
    person.press("i", "ringer1", "5", "tab", "up", "backspace", "tab", "escape")
    (draft,) = person.node.drafts.values()
    assert "units" not in draft.fields, "it follows what is taken out again"


def test_a_doubted_value_is_a_draft_before_it_is_answered_and_a_digit_stays_with_its_words(
    person: Person,
):
    person.press(*LISTS, "5", "down", "enter", "c", "2", "36", "enter")
    assert "7 too many" in person.screen, "no choice is broken between its digit and its words"
    person.press("f5", "i", "nothing of the kind", "enter")
    drafts = [one for one in person.node.drafts.values() if one.form == "stock_issue"]
    assert [one.fields["item"] for one in drafts] == ["nothing of the kind"]
