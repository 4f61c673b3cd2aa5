"""A store by keyboard and scanner: how many keys, what a scan may do, what is asked, what stays."""

from datetime import UTC

import msgspec
import pytest

from fieldnode.text.catalogue import load
from fieldnode.tui.cores.fields import Answer
from fieldnode.tui.desk import Desk
from fieldnode.tui.screens.stock_count import LOTS_ASKED, CountPage
from fieldnode.tui.stock_words import as_of
from protocols.live.api import Recorded
from protocols.live.shelf import LotLine, ShelfLine, StoreLine
from tests.screens.fake_node import NOW_MS, ward
from tests.screens.fake_stock import (
    BOX,
    MORPHINE,
    ORS,
    PARACETAMOL,
    STORE,
    TAUGHT,
    UNKNOWN,
    WARD,
    WRONG,
)
from tests.screens.test_pages import Person


@pytest.fixture
def person() -> Person:
    return Person()


def last(person):
    return person.node.written[-1]


def saved(person, kind):
    found = [line for line in person.node.written if line["kind"] == kind]
    return found[-1]


@pytest.mark.safety(24)
def test_receiving_a_box_is_a_scan_the_number_and_enter(person: Person):
    person.press("f5", "r", BOX, "enter")
    assert "Lot               [ C9" in person.screen and "[ 2027-12-31" in person.screen
    person.press("3")
    assert "3 x 100 = 300 sachets" in person.screen
    person.press("enter")

    line = saved(person, "stock.receive")
    assert line["store"] == STORE
    assert line["data"] == {
        "item": ORS, "lot": "C9", "expiry": "2027-12-31", "packs": {"count": 3, "size": 100},
    }  # fmt: skip
    assert "SAVED HERE" in person.screen and "300 sachets" in person.screen


@pytest.mark.safety(21)
def test_dispensing_is_a_scan_and_two_keys_from_the_open_form(person: Person):
    person.press("f5", "m", "d", "haddad", "enter", "enter")
    assert person.shell.page.name == "stock_dispense"
    person.press(BOX, "enter")
    person.press("4", "enter")

    line = saved(person, "stock.dispense")
    assert line["patient"] == "pat_00001"
    assert line["data"] == {"item": ORS, "lot": "C9", "units": 4}


@pytest.mark.safety(21)
def test_dispensing_to_whom_is_scanned_at_the_wrist_is_four_keys_and_two_scans(person: Person):
    person.press("f5", "m", "d")
    person.press("]C1TG-000412", "enter")
    person.press("enter")
    assert person.shell.page.name == "stock_dispense" and "Haddad Nour" in person.screen
    person.press(BOX, "enter")
    person.press("4", "enter")

    assert saved(person, "stock.dispense")["data"] == {"item": ORS, "lot": "C9", "units": 4}


def test_somebody_is_dispensed_to_from_their_own_chart_without_an_order(person: Person):
    person.press("down", "down", "enter", "m", "d")
    if person.shell.page.name == "stores":
        person.press("enter", "d")
    assert person.shell.page.name == "stock_dispense"
    person.press(BOX, "enter", "4", "enter")
    assert saved(person, "stock.dispense")["patient"]
    assert person.shell.page.name == "medicines"


@pytest.mark.safety(24)
def test_the_lot_that_expires_first_is_chosen_and_a_lot_in_the_hand_is_what_is_written(
    person: Person,
):
    person.press("f5", "i", "parac", "1")
    assert "Lot               [ P1" in person.screen and "expires first" not in person.screen
    person.press("up", "+", "2")
    assert "Lot P1 expires first (2026-06)" in person.screen
    person.press("2", "enter")
    assert saved(person, "stock.issue")["data"] == {"item": PARACETAMOL, "lot": "P2", "units": 2}


@pytest.mark.parametrize(
    ("typed", "said"), [("-2", "Whole units above nothing"), ("0", "Nothing is no quantity"),
                        ("2.5", "Whole units above nothing")]
)  # fmt: skip
def test_a_quantity_that_cannot_be_is_refused_with_the_reason(person: Person, typed, said):
    person.press("f5", "i", "parac", "1", typed, "enter")
    assert said in person.screen
    assert not [line for line in person.node.written if line["kind"] == "stock.issue"]
    person.press("backspace", "backspace", "backspace", "2", "enter")
    assert saved(person, "stock.issue")["data"]["units"] == 2


@pytest.mark.parametrize("typed", ["03/2028", "3-2028", "2028-03"])
def test_an_expiry_is_taken_as_packages_print_it(person: Person, typed):
    person.press("f5", "r", "parac", "1", "P7", "enter", typed, "enter", "tab", "4", "enter")
    assert saved(person, "stock.receive")["data"]["expiry"] == "2028-03"


@pytest.mark.parametrize(
    ("typed", "said"),
    [("03/28", "2027-03"), ("2028", "2027-03"), ("1/2/2028", "2028-01-02 or 2028-02-01")],
)
def test_an_expiry_that_could_be_read_two_ways_says_how_to_type_it(person: Person, typed, said):
    person.press("f5", "r", "parac", "1", "P7", "enter", typed, "enter")
    assert said in person.screen and "! " in person.screen
    assert person.page.form.open_field.name == "expiry"


@pytest.mark.safety(24)
def test_packs_times_size_beyond_what_a_store_holds_are_refused(person: Person):
    person.press("f5", "r", "parac", "1", "P7", "enter", "tab", "10000", "enter", "5000", "enter")
    assert "between 1 and 10 000 000" in person.screen
    assert not [line for line in person.node.written if line["kind"] == "stock.receive"]


@pytest.mark.safety(24)
def test_boxes_and_what_is_loose_are_counted_without_arithmetic_in_the_head(person: Person):
    person.press("f5", "enter", "c", "4x12+3")
    assert "4 x 12 + 3 = 51 tablets" in person.screen
    person.press("enter", "tab", "enter")
    assert saved(person, "stock.count")["data"]["lots"][0]["units"] == 51


@pytest.mark.safety(22)
def test_of_an_item_that_was_never_here_it_says_so_and_gives_no_time():
    line, words = ShelfLine("x", "Soap", "piece", 0, 0), load("en")
    desk = Desk(words, UTC, lambda: "key", NOW_MS, ward().greeting)

    assert as_of(desk, line) == "never stocked here"


def test_a_unit_without_a_number_is_named_in_the_form_of_many(person: Person):
    person.shell.desk.words = load("uk")
    person.press("f5", "c")
    assert "таблеток" in person.screen
    assert "таблетки" not in person.screen
    person.press("escape", "enter", "c")
    assert "таблеток" in person.screen
    person.press("23")
    assert "23 таблетки" in person.screen


def test_a_count_of_some_lots_is_set_beside_what_the_book_said_of_these(person: Person):
    person.press("f5", "enter", "c", "25", "enter", "tab", "enter")
    assert "counted 25 of some lots, the book said 24..26 of them" in person.screen


def test_what_is_issued_to_another_store_is_said_not_to_be_added_there():
    node = ward()
    node.depots.append(StoreLine(WARD, "Ward B", True, 0))
    person = Person(node).press("f5", "enter", "i", "parac", "1", "2")
    assert "Ward B gets no more by this" not in person.screen
    person.press("tab", "1")
    assert "Ward B gets no more by this" in person.screen
    assert "F5, s" in person.screen


def test_a_wrong_check_digit_is_said_and_fills_nothing(person: Person):
    person.press("f5", "r", WRONG, "enter")
    assert "check digit is wrong" in person.screen
    assert person.page.form.empty


def test_an_unknown_code_is_taught_and_then_fills_the_form(person: Person):
    person.press("f5", "r", UNKNOWN, "enter")
    assert person.shell.page.name == "teach"
    person.press("parac", "1", "20", "enter")

    assert last(person)["data"] == {"barcode": UNKNOWN, "item": PARACETAMOL, "units": 20}
    assert person.shell.page.name == "stock_receive"
    person.press("P9", "enter") if person.page.form.open_field.name == "lot" else None
    person.press("2", "enter")
    assert saved(person, "stock.receive")["data"] == {
        "item": PARACETAMOL, "packs": {"count": 2, "size": 20},
    }  # fmt: skip


def test_what_was_struck_before_the_question_about_a_code_was_seen_teaches_nothing(person: Person):
    person.press("f5", "r")
    person.hurry(*UNKNOWN, "enter", *"parac", "1", *"5", "enter")
    assert person.shell.page.name == "teach"
    assert person.page.form.empty and person.node.written == []


@pytest.mark.safety(17)
def test_a_scan_of_another_item_fills_nothing_and_saves_nothing(person: Person):
    person.press("f5", "i", "parac", "1", "2")
    before = person.page.form.snapshot()
    person.press(BOX, "enter")
    assert person.page.form.snapshot() == before
    assert "Save or leave this one first" in person.screen
    assert not [line for line in person.node.written if line["kind"] == "stock.issue"]


def test_a_patients_tag_is_no_barcode_to_teach(person: Person):
    person.press("f5", "r", "]C1TG-000412", "enter")
    assert person.shell.page.name == "stock_receive"
    assert "This code fills nothing here" in person.screen


@pytest.mark.safety(23)
def test_the_store_chosen_is_kept_over_a_restart_and_named_when_it_is_taken_up():
    node = ward()
    node.depots.append(StoreLine(WARD, "Ward B", True, 0))
    person = Person(node).press("f5")
    assert "WHICH STORE IS THIS TERMINAL IN?" in person.screen
    person.press("down", "enter")
    assert node.chosen["store"] == WARD and "STOCK   Ward B" in person.screen

    node.greeting = msgspec.structs.replace(node.greeting, store=WARD, store_name="Ward B")
    again = Person(node).press("f5")
    assert "STOCK   Ward B" in again.screen
    assert "Ward B, as it was last chosen on this device" in again.screen
    again.press("o", "up", "enter")
    assert node.chosen["store"] == STORE and "STOCK   Camp Nord" in again.screen


@pytest.mark.safety(23)
def test_a_greeting_never_changes_the_store_under_somebodys_hands(person: Person):
    person.press("f5")
    other = msgspec.structs.replace(person.node.greeting, store=WARD, store_name="Ward B")
    person.node.greeting = other
    person.shell.changed()
    person.settle()
    assert person.shell.desk.store == STORE and "Camp Nord" in person.screen


def test_with_no_store_chosen_a_list_says_what_to_do_and_not_that_nothing_is_there():
    node = ward()
    node.depots = []
    person = Person(node).press("f5", "escape")
    assert "no store chosen" in person.screen
    assert "0 chooses or names the store of this terminal" in person.screen
    assert "Nothing is known to be here" not in person.screen


@pytest.mark.safety(22)
def test_a_count_shows_no_figure_until_it_is_saved(person: Person):
    person.press("f5", "c")
    assert "4 200" not in person.screen and "64..66" not in person.screen
    person.press("down", "down", "enter")
    shown = person.screen
    assert person.shell.page.name == "stock_count"
    lots = person.page.lots
    assert not any(str(one.low) in shown.split() for one in lots if one.low > 20)
    for _ in lots:
        person.press("7", "enter")
    person.press("enter")
    line = saved(person, "stock.count")
    assert line["data"]["blind"] is True and line["data"]["whole"] is True
    assert "the book said" in person.screen


@pytest.mark.safety(22)
def test_a_lot_that_was_not_looked_for_is_not_counted_as_nothing(person: Person):
    person.press("f5", "enter", "c", "25", "enter", "tab", "enter")
    data = saved(person, "stock.count")["data"]
    assert data["whole"] is False
    assert data["lots"] == [{"units": 25, "lot": "P1", "expiry": "2026-06-30"}]


@pytest.mark.safety(22)
def test_of_more_lots_than_a_form_asks_for_the_others_are_not_counted_as_nothing():
    node = ward()
    node.lots_of[PARACETAMOL] = tuple(
        LotLine(f"P{at:02}", None, 10, 10, (), 0) for at in range(LOTS_ASKED + 2)
    )
    person = Person(node).press("f5", "enter", "c")
    for _ in range(LOTS_ASKED):
        person.press("7", "enter")
    person.press("enter")
    data = saved(person, "stock.count")["data"]
    assert (len(data["lots"]), data["whole"]) == (LOTS_ASKED, False)
    assert "of some lots, the book said 120 of them" in person.screen


@pytest.mark.safety(22)
def test_a_lot_that_came_since_a_count_was_left_is_not_counted_as_nothing():
    node = ward()
    person = Person(node).press("f5", "enter", "c", "7")
    page = person.page
    came = LotLine("NEW", None, 90, 90, (), 0)
    node.lots_of[PARACETAMOL] = (*node.lots_of[PARACETAMOL], came)
    lots = tuple(page.more_draft()["about_lots"].split("\n")[:-1])
    known = msgspec.structs.replace(page.known, lots=node.lots_of[PARACETAMOL])
    again = CountPage(page.desk, known, asked=lots)
    answers = {f"lot_{at}": Answer("7") for at in range(len(lots))}
    assert again.record(answers)["data"]["whole"] is False


@pytest.mark.safety(22)
@pytest.mark.parametrize(("key", "counted"), [("y", True), ("n", False)])
def test_a_movement_that_may_have_been_counted_is_marked_in_or_out(person: Person, key, counted):
    person.press("f5", "enter")
    assert "64..66 tablets" in person.screen
    person.press("down", "down", key)
    assert last(person)["kind"] == "stock.settle"
    assert last(person)["data"] == {"movement": "fct_m1", "counted": counted}


def test_only_a_movement_that_is_open_is_settled(person: Person):
    person.press("f5", "enter", "end", "y")
    assert person.node.written == []


def test_what_is_below_nothing_names_the_movements_that_led_there(person: Person):
    person.press("f5", "down", "enter")
    assert "Marked below: what took it there" in person.screen
    assert person.screen.count("below 0") >= 2


def test_beyond_an_allotment_it_asks_and_takes_a_reason(person: Person):
    asks = Recorded(0, False, error="confirm_needed", field="data.units", confirm="over_allotment")
    person.node.refuse["stock.issue"] = asks
    person.press("f5", "i", "morph", "1", "M1", "enter", "9", "enter")
    assert "More than this device may issue" in person.screen
    person.node.refuse["stock.issue"] = Recorded(0, False, error="reason_needed", field="reason")
    person.press("enter")
    assert person.page.form.open_field.name == "reason"
    del person.node.refuse["stock.issue"]
    person.press("fire", "enter")
    line = saved(person, "stock.issue")
    assert line["confirm"] == ["over_allotment"] and line["reason"] == "fire"
    assert line["data"]["item"] == MORPHINE


def test_a_refused_lot_opens_its_field_with_the_reason(person: Person):
    refused = Recorded(0, False, error="lot_recalled", field="data.lot")
    person.node.refuse["stock.issue"] = refused
    person.press("f5", "i", "parac", "1", "2", "enter")
    assert person.page.form.open_field.name == "lot"
    assert "recalled: not to be issued" in person.screen


@pytest.mark.safety(19)
def test_the_undo_key_names_the_movement(person: Person):
    person.press("f5", "i", "parac", "1", "2", "enter", "f8")
    assert "Issued 2 tablets" in person.screen and "lot P1" in person.screen
    person.press("enter")
    assert last(person)["kind"] == "entry.retract"


@pytest.mark.parametrize(
    ("keys", "form", "then", "kind"),
    [
        (["f5", "r", BOX, "enter", "tab"], "stock_receive", ["3", "enter"], "stock.receive"),
        (["f5", "enter", "c", "25", "enter"], "stock_count", ["tab", "enter"], "stock.count"),
        (["f5", "enter", "h", "1", "tab"], "lot_hold", ["enter"], "lot.quarantine"),
        (["f5", "enter", "f", "2027-06", "enter", "slip"], "lot_date", ["enter"], "lot.release"),
        (["f5", "i", "parac", "1", "2", "up"], "stock_issue", ["enter"], "stock.issue"),
    ],
)
def test_what_was_typed_and_not_saved_is_taken_up_in_its_store(
    person: Person, keys, form, then, kind
):
    person.press(*keys)
    while person.shell.page.name != "board":
        person.press("escape")
    person.press("d")
    assert person.node.drafts
    person.press("enter")
    assert person.shell.page.name == form
    person.press(*then)
    for _ in range(3):
        if not [line for line in person.node.written if line["kind"] == kind]:
            person.press("enter")
    assert saved(person, kind)["store"] == STORE


@pytest.mark.safety(23)
def test_a_dose_draws_from_the_store_that_was_chosen_and_says_so_first():
    from tests.screens.fake_care import in_care

    person = Person()
    in_care(person.node)
    person.press("f5", "escape", "f3", "haddad", "enter", "enter", "m", "g", "1")
    assert "TAKES 2 tablets" in person.screen
    person.press("enter")
    line = saved(person, "administration.record")
    assert line["store"] == STORE
    assert line["data"]["lot"] == "X1" and line["data"]["units"] == 2
    assert line["data"]["item"] == "amoxicillin-250-tab"


def test_a_dose_without_a_chosen_store_draws_from_none_and_says_so():
    from tests.screens.fake_care import in_care

    person = Person()
    in_care(person.node)
    person.press("f3", "haddad", "enter", "enter", "m", "g", "1")
    assert "Draws from no store" in person.screen
    person.press("enter")
    assert "store" not in saved(person, "administration.record")


def test_where_there_are_several_stores_of_ours_one_is_chosen_first(person: Person):
    from protocols.live.shelf import StoreLine
    from tests.screens.fake_stock import WARD

    person.node.depots.append(StoreLine(WARD, "Ward B", True, 0))
    person.press("f5")
    assert person.shell.page.name == "stores"
    person.press("enter")
    assert person.shell.page.name == "supplies" and "Camp Nord" in person.screen


def test_a_figure_says_how_old_it_is(person: Person):
    assert "as of 13:32, counted 05-18" in person.press("f5").screen
    assert NOW_MS
    assert TAUGHT


def test_a_node_alone_names_its_first_store_on_the_page_that_asks_for_one():
    person = Person()
    person.press("f5", "o")
    assert person.shell.page.name == "stores"
    # The Enter straight after a digit is absorbed; the next one saves (SAFETY 21).
    person.press("n", *"Pharmacy", "enter", "2", "enter", "enter")

    (site,) = [line for line in person.node.written if line["kind"] == "site.register"]
    assert site["data"] == {"name": "Pharmacy", "type": "pharmacy"}
    assert person.shell.page.name == "stores"


def test_a_last_day_that_was_mistyped_is_said_anew_on_the_card_of_the_item(person: Person):
    person.node.refuse["stock.issue"] = Recorded(0, False, error="lot_expired", field="data.lot")
    person.press("f5", "i", "parac", "1", "2", "enter")
    said = " ".join(person.screen.split())
    assert "if the date was mistyped, correct it on the item's card (f)" in said
    assert "if not, write it off" in said
    person.press("escape", "f5", "enter", "f", "06/2027", "enter", "another box", "enter")

    written = saved(person, "lot.release")
    assert written["data"] == {"item": PARACETAMOL, "lot": "P1", "expiry": "2027-06"}
    assert written["reason"] == "another box"
    assert "Last day corrected" in person.shell.said.text
    person.press("f8")
    assert "exp 2027-06" in person.screen


def test_the_first_store_is_chosen_once_it_was_named_and_the_list_is_left():
    node = ward()
    store, node.depots = node.depots[0], []
    person = Person(node).press("f5")
    assert person.shell.page.name == "stores"
    node.depots = [store]
    person.press("escape")
    assert person.shell.page.name == "supplies"
    assert "STOCK   Camp Nord" in person.screen


def test_a_last_day_stated_anew_has_a_line_with_who_when_and_why_and_can_be_taken_back():
    person = Person().press("f5", "down", "down", "enter", "down")
    row = next(one for one in person.screen.splitlines() if "date corrected" in one)
    assert "13:32" in row and "A1" in row and "exp 2028-01" in row
    assert "L. Mbeki   carton says 2028" in person.screen
    assert "witness" not in person.screen.splitlines()[-2]
    person.press("w")
    assert person.node.written == []
    person.press("e", "1", "enter")

    (line,) = [one for one in person.node.written if one["kind"] == "entry.retract"]
    assert line["data"]["fact"] == "fct_d1"
