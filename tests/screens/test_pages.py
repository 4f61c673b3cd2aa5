"""How the pages work together, told key by key on a node in memory."""

from datetime import UTC
from typing import Any, Self

import msgspec
import pytest

from fieldnode.text.catalogue import load
from fieldnode.tui.acts import Back, Say
from fieldnode.tui.cores.display import Size, text_of
from fieldnode.tui.cores.fields import Answer
from fieldnode.tui.cores.glance import GLANCE_MS
from fieldnode.tui.desk import Desk
from fieldnode.tui.screens import home
from fieldnode.tui.screens.retract import RetractPage
from fieldnode.tui.shell import KEYS_WAITING_MAX, Shell
from protocols.errors import FieldmeshError, LinkError
from protocols.live.api import BoardLine, Recorded
from tests.screens.fake_node import NOW_MS, PASSPHRASE, FakeNode, at_once, ward


class Person:
    """Reads the screen, then strikes a key; the node answers at once."""

    def __init__(self, node: FakeNode | None = None) -> None:
        self.node = node or ward()
        numbers = iter(range(10_000))
        desk = Desk(load("en"), UTC, lambda: f"key{next(numbers)}", NOW_MS, self.node.greeting)
        self.shell = Shell(desk, home.page(desk), home.openers())
        self.now_ms = 0
        self.shell.begin()
        self.settle()
        self.look()

    def press(self, *words: str) -> Self:
        for word in words:
            named = len(word) > 1 and (word in NAMED or word.startswith(("f1", "f2", "f3", "ctrl")))
            for key in [word] if named else word:
                self.shell.key(key, self.now_ms)
                self.settle()
                self.look()
        return self

    @property
    def page(self) -> Any:
        """The page on top: each kind of page has attributes of its own."""
        return self.shell.page

    def look(self):
        """Read what is on the screen now."""
        self.shell.shown(self.now_ms)
        self.now_ms += GLANCE_MS

    def hurry(self, *keys: str) -> Self:
        """Strike keys one after the other without looking up; the node answers afterwards."""
        for key in keys:
            self.shell.key(key, self.now_ms)
        self.settle()
        return self

    def settle(self):
        while self.shell.asks:
            ask = self.shell.asks.pop(0)
            try:
                answer = at_once(ask.call(self.node))
            except FieldmeshError as failure:
                self.shell.fail(ask, failure)
            else:
                self.shell.answer(ask, answer)

    @property
    def screen(self):
        return "\n".join(text_of(line).rstrip() for line in self.shell.draw(Size(80, 24)))


NAMED = {"enter", "escape", "tab", "up", "down", "left", "right", "home", "end", "backspace"}
NAMED |= {"f4", "f5", "f6", "f7", "f8", "f9"}


@pytest.fixture
def person() -> Person:
    return Person()


def test_who_has_no_name_is_called_by_the_tag_that_is_on_the_wrist(person: Person):
    first = next(iter(person.node.patients))
    known = person.node.patients[first].head
    person.node.patients[first].head = msgspec.structs.replace(known, name="", tag="TG-9")
    person.press("f3", "TG-9", "enter", "enter", "n", "pale", "enter")

    assert "Note tag TG-9" in person.press("f8").screen


@pytest.mark.safety(19)
def test_the_undo_key_names_the_last_save_before_it_takes_it_back(person: Person):
    person.press("enter", "n", "pale", "enter", "f8")
    assert "Note ACD EFH 003 Osei Kwame" in person.screen
    assert person.node.written[-1]["kind"] == "note.add"

    person.press("enter")
    assert person.node.written[-1]["kind"] == "entry.retract"
    assert person.node.written[-1]["data"]["fact"] == "fct_0001.0"
    assert person.node.written[-1]["reason"]
    person.press("f8")
    assert "nothing that could be taken back" in person.screen


@pytest.mark.parametrize("way", ["f8", "e"])
def test_taking_back_names_the_patient_in_full(person: Person, way):
    person.press("down", "down", "enter", "n", "pale", "enter", way)

    for part in ("Haddad Nour", "ACD EFH 001", "tag TG-000412", "34 y", "female"):
        assert part in person.screen, part
    person.press(*("1" if way == "e" else ""), "enter")
    assert person.node.written[-1]["kind"] == "entry.retract"


def test_taking_back_a_registration_names_who_was_registered(person: Person):
    person.press("n", "Diallo", "enter", "tab", "2", "34", "enter", "1", "412", "enter")
    person.press("enter", "enter", "f8")

    for part in ("Diallo", "ACD EFH 009", "tag TG-412", "34 y", "female"):
        assert part in person.screen, part


def test_an_undo_before_its_patient_came_takes_nothing_back(person: Person):
    person.press("enter", "n", "pale", "enter")
    person.hurry("f8", "enter")

    assert person.node.written[-1]["kind"] == "note.add"
    person.look()
    person.press("enter")
    assert person.node.written[-1]["kind"] == "entry.retract"


def test_what_is_saved_is_not_shown_as_unsaved_whatever_was_listed_meanwhile(person: Person):
    person.press("enter", "v", "20", "enter", "98", "enter", *"-----", "enter")
    assert "UNSAVED 1" in person.screen

    person.shell.key("enter", person.now_ms)
    (save,) = person.shell.asks
    person.shell.asks = []
    saved = at_once(save.call(person.node))
    person.shell.changed()
    listed = [(ask, at_once(ask.call(person.node))) for ask in person.shell.asks]
    person.shell.asks = []
    person.shell.answer(save, saved)
    for ask, found in listed:
        person.shell.answer(ask, found)
    person.settle()

    assert person.node.written[-1]["kind"] == "observation.record"
    assert "UNSAVED" not in person.screen


def test_a_registration_and_the_way_to_the_board_are_one_command(person: Person):
    person.press("n", "tab", "tab", "9", "enter", "tab", "tab", "tab", "2", "fever")
    calls = []
    record = person.node.record

    async def counted(lines, *, together=False):
        calls.append((len(lines), together))
        return await record(lines, together=together)

    person.node.record = counted  # type: ignore[assignment, method-assign]
    person.press("enter", "enter")

    assert calls == [(3, True)]
    kinds = [line["kind"] for line in person.node.written]
    assert kinds == ["patient.register", "encounter.open", "triage.record"]
    assert person.shell.page.name == "chart"


def test_a_registration_whose_care_is_refused_opens_that_field_and_writes_nothing(person: Person):
    refused = Recorded(1, False, error="too_long", field="data.problem")
    person.node.refuse["encounter.open"] = refused
    person.press("n", "tab", "tab", "9", "enter", *["tab"] * 4, "fever", "enter", "enter")

    assert person.node.written == []
    assert person.page.form.open_field.name == "problem"
    person.node.refuse.clear()
    person.press("enter")
    assert len(person.node.written) == 2


def test_undoing_a_registration_takes_back_all_it_wrote(person: Person):
    person.press("n", "tab", "tab", "9", "enter", "tab", "tab", "tab", "tab", "enter")
    kinds = [line["kind"] for line in person.node.written]
    assert kinds == ["patient.register", "encounter.open"]

    person.press("f8", "enter")
    facts = [line["data"]["fact"] for line in person.node.written[2:]]
    assert facts == ["fct_0001.0", "fct_0002.0"]


@pytest.mark.safety(16)
def test_a_known_tag_shows_who_and_needs_a_second_enter(person: Person):
    person.press("f2", "TG-000412", "enter")
    assert "Haddad Nour, 34 y, female" in person.screen

    person.press("enter", "2", "4", "2", "enter", "enter")
    (line,) = person.node.written
    assert line["patient"] == "pat_00001"
    assert line["data"]["category"] == "yellow"


def test_keys_typed_ahead_do_not_say_that_a_casualty_is_somebody_nobody_saw(person: Person):
    person.hurry("f2", *"TG-000412", "enter", "enter", "2", "4", "2", "enter", "enter")

    assert person.node.written == []
    assert "This tag is ACD EFH 001 Haddad Nour" in person.screen
    assert "6 keys struck before this were not taken: Enter 242 Enter Enter" in person.screen
    assert person.page.form.snapshot() == {"tag": "TG-000412"}

    person.look()
    person.press("enter", "2", "4", "2", "enter", "enter")
    assert "not taken" not in person.screen
    assert person.node.written[0]["patient"] == "pat_00001"


def test_whoever_goes_on_typing_at_a_question_has_not_seen_it(person: Person):
    person.hurry("f2", *"TG-000412", "enter")
    for _ in range(4):
        person.shell.shown(person.now_ms)
        person.now_ms += GLANCE_MS - 1
        person.hurry("enter")
    assert "4 keys struck before this were not taken" in person.screen
    assert person.shell.page.question is not None

    person.look()
    person.hurry("enter")
    assert person.shell.page.question is None


def test_an_unusual_value_is_not_confirmed_by_keys_typed_ahead(person: Person):
    person.press("enter", "v", "tab", "tab", "tab", "tab")
    person.hurry(*"20", "enter", "enter", "1", *"386", "enter", "enter")

    assert person.node.written == []
    assert person.page.form.snapshot() == {"heart-rate": "20"}
    assert "7 keys struck before this were not taken: Enter 1386 Enter Enter" in person.screen


def test_what_the_node_doubts_is_not_confirmed_by_keys_typed_ahead(person: Person):
    doubt = Recorded(0, False, error="confirm_needed", field="data.tags.0", confirm="tag_in_use")
    record = person.node.record

    async def doubting(lines, **how):
        asks = not any(line.get("confirm") for line in lines)
        person.node.refuse = {"patient.register": doubt} if asks else {}
        return await record(lines, **how)

    person.node.record = doubting  # type: ignore[method-assign]
    person.press("n", "tab", "tab", "9", "enter", "tab", "tab", "77")
    person.hurry("enter", "tab", "enter", "enter", "v", *"26", "enter")
    assert "Another patient carries this tag" in person.screen
    assert person.node.written == []

    person.look()
    person.press("enter")
    assert person.node.written[0]["confirm"] == ["tag_in_use"]


def test_a_refused_digit_does_not_let_the_next_answer_into_its_field(person: Person):
    person.press("n", "tab", "tab")
    person.hurry("7", *"34", "enter", "1")

    assert person.page.form.empty
    assert "not taken: 34 Enter 1" in person.screen


def test_the_wrong_patient_is_not_chosen_by_keys_typed_ahead(person: Person):
    person.press("enter", "v", "26", "enter")
    person.hurry(*"]C1TG-000412", "enter", *"93", "enter")
    assert "Nothing was filled in" in person.screen
    assert person.shell.page.name == "switch"

    found = Person(person.node).hurry("f3", *"haddad", "enter", "enter", "v", *"26", "enter")
    assert found.shell.page.name == "search"
    assert "5 keys struck before this were not taken: Enter v26 Enter" in found.screen
    found.look()
    assert found.press("enter").shell.page.name == "chart"


def test_nothing_is_taken_back_or_settled_by_keys_typed_ahead(person: Person):
    person.press("enter", "n", "pale", "enter").hurry("f8", "enter")
    assert person.node.written[-1]["kind"] == "note.add"
    assert person.shell.page.name == "undo"

    other = Person().press("down", "up", "enter").hurry("u", "enter")
    assert other.node.written == []
    assert other.shell.page.name in ("settle", "chart")


def test_a_list_that_just_came_is_chosen_from_by_nobody_who_did_not_see_it(person: Person):
    person.press("/").hurry(*"li", "enter", "enter", "v", "escape")

    assert [page.name for page in person.shell.pages] == ["board"]
    assert "3 keys struck before this were not taken" in person.screen


def test_what_asks_nothing_takes_keys_typed_ahead_whole(person: Person):
    person.hurry("n", *"Diallo", "enter", *"Awa", "enter", "2", *"34", "enter", "1", *"431",
                 "enter", "2", *"burns", "enter", "enter", "v", *"26", "enter")  # fmt: skip

    assert "not taken" not in person.screen
    assert person.page.form.snapshot() == {"respiratory-rate": "26"}


def test_a_known_tag_that_is_corrected_belongs_to_nobody(person: Person):
    person.press("f2", "TG-000412", "enter", "backspace", "3", "enter", "2", "4", "2", "enter")
    person.press("enter")

    assert "patient" not in person.node.written[0]
    assert person.node.written[0]["data"]["tag"] == "TG-000413"


def test_dead_takes_one_extra_enter(person: Person):
    person.press("f2", "1", "enter", "0", "9", "9", "enter")
    assert person.node.written == []
    assert "DEAD: press Enter once more" in person.screen

    person.press("enter")
    assert person.node.written[0]["data"]["category"] == "dead"


@pytest.mark.safety(17)
def test_a_scan_of_another_patient_fills_nothing_and_offers_to_switch(person: Person):
    person.press("enter", "v", "26", "enter", *"]C1TG-000412", "enter")
    assert "Haddad Nour" in person.screen
    assert "Nothing was filled in" in person.screen

    stayed = Person(person.node).press("enter", "v", "26", "enter", *"]C1TG-000412", "enter")
    stayed.press("escape", "93", "enter")
    assert stayed.page.form.snapshot() == {"respiratory-rate": "26", "spo2": "93"}

    person.press("enter")
    assert person.shell.page.name == "chart"
    assert any(draft.form == "vitals" for draft in person.node.drafts.values())


@pytest.mark.safety(19)
def test_the_undo_key_names_what_was_saved_last_though_it_was_struck_before(person: Person):
    """The page of an earlier F8 lies below: another save came over it."""
    person.press("enter", "n", "pale", "enter", "f8")
    assert "Note ACD EFH 003 Osei Kwame" in person.screen
    person.press("f2", "TG-77", "enter", "2", "4", "2", "enter")
    assert person.node.written[-1]["kind"] == "triage.record"

    person.press("f8")
    assert "Note" not in person.screen and "TG-77" in person.screen
    person.press("enter")
    assert person.node.written[-1]["data"]["fact"] == "fct_0002.0"
    assert [save.form for save in person.shell.desk.saves] == ["note"]


@pytest.mark.safety(19)
def test_what_could_be_taken_back_in_part_only_is_not_said_to_be_taken_back(person: Person):
    page = RetractPage(person.shell.desk, "a set", ("fct_0001.0", "fct_0001.1"))
    kept = Recorded(1, False, "k", error="already_retracted")
    acts = page._done([kept, Recorded(2, False, "k", error="not_yours")])
    assert [act.tone for act in acts if isinstance(act, Say)] == ["bad"]
    assert [type(act) for act in page._done([kept, kept])][-1] is Back


@pytest.mark.safety(17)
def test_a_scan_of_the_patient_whose_form_it_is_says_so_and_asks_nothing(person: Person):
    person.press("f3", "TG-000412", "enter", "enter", "v", "26", "enter")
    person.press(*"]C1TG-000412", "enter")
    assert "The code of this patient." in person.screen
    person.press("93", "enter")
    assert person.page.form.snapshot() == {"respiratory-rate": "26", "spo2": "93"}


@pytest.mark.safety(17)
@pytest.mark.parametrize("key", ["f2", "n"])
def test_the_code_of_a_medicine_is_nobodys_tag(person: Person, key):
    person.press(key, *"]d20104012345678901\x1d10A77", "enter")
    assert not any("0104012345678901" in text for text in person.page.form.snapshot().values())
    assert "This code fills nothing here." in person.screen


def test_a_medicine_code_over_a_form_fills_nothing(person: Person):
    person.press(
        "enter", "v", "26", "enter", *"]d20104012345678901\x1d10A77", "enter", "93", "enter"
    )

    assert person.page.form.snapshot() == {"respiratory-rate": "26", "spo2": "93"}


def test_a_draft_is_taken_up_with_the_time_its_values_are_of(person: Person):
    person.press("enter", "v", "26", "enter", "93", "enter", "escape", "escape")
    person.shell.tick(NOW_MS + 600_000)
    person.press("d", "enter")
    assert "Draft of 14:32" in person.screen

    person.press("-", "-", "-", "-", "-", "enter", "enter")
    (line,) = person.node.written
    assert line["at"] == NOW_MS
    assert line["data"]["set"][0] == {"code": "respiratory-rate", "value": "26", "unit": "/min"}
    assert not person.node.drafts


def test_a_draft_is_given_up_only_after_a_second_key(person: Person):
    person.press("enter", "n", "pale", "escape", "escape", "d", "x")
    assert person.node.drafts
    person.press("x")
    assert not person.node.drafts


def test_what_the_node_doubts_is_asked_for_once_more(person: Person):
    doubt = Recorded(0, False, error="confirm_needed", field="data.tags.0", confirm="tag_in_use")
    person.node.refuse["patient.register"] = doubt
    person.press("n", "tab", "tab", "9", "enter", "tab", "tab", "412", "enter", "tab", "enter")
    assert "Another patient carries this tag" in person.screen

    person.node.refuse.clear()
    person.press("enter")
    assert person.node.written[0]["confirm"] == ["tag_in_use"]


TO_THE_TAG = ("n", "tab", "tab", "9", "enter", "tab", "tab")


def test_a_new_patient_under_a_known_tag_shows_who_and_needs_a_second_enter(person: Person):
    person.press(*TO_THE_TAG, "TG-000412", "enter")
    assert "This tag is on ACD EFH 001 Haddad Nour, 34 y, female" in person.screen
    assert person.shell.bells == 1

    person.press("enter", "tab", "enter")
    assert person.node.written[0]["kind"] == "patient.register"
    assert person.node.written[0]["data"]["tags"] == ["TG-000412"]
    assert person.node.written[0]["confirm"] == ["tag_in_use"]


def test_keys_typed_ahead_give_nobody_a_tag_that_somebody_carries(person: Person):
    person.press(*TO_THE_TAG)
    person.hurry(*"TG-000412", "enter", "enter", "2", *"burns", "enter", "enter")

    assert person.node.written == []
    assert "This tag is on ACD EFH 001 Haddad Nour" in person.screen
    assert "9 keys struck before this were not taken: Enter 2burns Enter Enter" in person.screen


def test_all_who_carry_the_tag_of_a_new_patient_are_named(person: Person):
    person.node.add("Diallo Awa", tag="tg-000412")
    person.press(*TO_THE_TAG, "TG-000412", "enter")

    assert "Haddad Nour, ACD EFH 009 Diallo Awa" in " ".join(person.screen.split())


def test_a_tag_corrected_after_the_question_is_confirmed_by_nobody(person: Person):
    person.press(*TO_THE_TAG, "TG-000412", "enter", "backspace", "3", "enter", "tab", "enter")

    assert "confirm" not in person.node.written[0]
    assert person.node.written[0]["data"]["tags"] == ["TG-000413"]


@pytest.mark.parametrize("way", [("tab",), ("up", "down", "tab")])
def test_a_question_that_was_passed_by_is_asked_again_before_anything_is_saved(person: Person, way):
    person.press(*TO_THE_TAG, "TG-000412", "enter", *way, "tab", "enter")
    assert person.node.written == []
    assert "This tag is on ACD EFH 001 Haddad Nour" in person.screen

    person.press("enter")
    assert person.node.written[0]["confirm"] == ["tag_in_use"]


def test_the_tag_of_a_draft_is_looked_up_before_it_is_saved(person: Person):
    person.press(*TO_THE_TAG, "TG-000413", "enter", "escape")
    person.node.add("Diallo Awa", tag="TG-000413")
    person.press("d", "enter", *["tab"] * 14, "enter")

    assert person.node.written == []
    assert "This tag is on ACD EFH 009 Diallo Awa" in person.screen


def test_a_tag_that_cannot_be_looked_up_holds_up_no_registration(person: Person):
    person.press(*TO_THE_TAG, "TG-000412")
    person.node.down = LinkError("node_slow")
    person.shell.key("enter", person.now_ms)
    person.shell.fail(person.shell.asks.pop(0), person.node.down)
    assert "The tag could not be looked up" in person.screen

    person.node.down = None
    person.node.patients["pat_00001"].head = BoardLine("pat_00001", "ACD EFH 001", "Haddad Nour")
    person.settle()
    person.look()
    person.press("tab", "enter")
    assert person.node.written[0]["data"]["tags"] == ["TG-000412"]
    assert "confirm" not in person.node.written[0]


def test_an_older_tag_that_is_still_worn_says_who_it_is(person: Person):
    person.node.patients["pat_00004"].tags = ("TG-000500",)
    person.press("f2", "TG-000500", "enter")
    assert "This tag is ACD EFH 004 Li Wei, 28 y" in person.screen

    person.press("enter", "2", "4", "2", "enter", "enter")
    assert person.node.written[0]["patient"] == "pat_00004"


@pytest.mark.safety(16)
def test_of_several_who_carry_a_tag_one_is_chosen(person: Person):
    person.node.patients["pat_00004"].tags = ("TG-000412",)
    person.press("f2")
    person.hurry(*"TG-000412", "enter", "enter", "2", "4", "2", "enter", "enter")
    assert person.node.written == []
    assert "Several patients carry the tag TG-000412" in person.screen
    assert "ACD EFH 001" in person.screen
    assert "ACD EFH 004" in person.screen

    person.look()
    person.press("down", "enter", "2", "4", "2", "enter", "enter")
    assert person.node.written[0]["patient"] == "pat_00004"


def test_who_chooses_nobody_corrects_the_tag(person: Person):
    person.node.patients["pat_00004"].tags = ("TG-000412",)
    person.press("f2", "TG-000412", "enter", "escape")
    assert "This tag is on several patients" in person.screen
    assert person.press("enter").shell.page.name == "carriers"

    person.press("escape", "backspace", "3", "enter", "2", "4", "2", "enter", "enter")
    assert "patient" not in person.node.written[0]
    assert person.node.written[0]["data"]["tag"] == "TG-000413"


def test_a_scan_of_a_tag_on_several_fills_nothing_and_asks_which(person: Person):
    person.node.patients["pat_00004"].tags = ("TG-000412",)
    person.press("down", "down", "down", "enter", "v", "26", "enter", *"]C1TG-000412", "enter")
    assert "Several patients carry the tag" in person.screen

    person.press("enter")
    assert person.shell.page.name == "chart"
    assert "Haddad Nour" in person.screen


@pytest.mark.safety(16)
def test_a_tag_on_two_patients_alerts_on_board_and_charts_until_it_is_off_one(person: Person):
    person.node.patients["pat_00003"].tags = ("TG-000412",)
    person.shell.changed()
    person.settle()
    person.look()
    alert = "! ONE TAG, SEVERAL PATIENTS: TG-000412 on ACD EFH 001, ACD EFH 003"
    assert alert in person.screen
    row = next(line for line in person.screen.splitlines() if "Osei" in line)
    assert row[1] == "!"
    assert alert in person.press("/", "li", "enter").screen
    person.press("/", *["backspace"] * 2, "enter")

    person.press("home", "enter")
    assert "TAG TG-000412 ALSO ON ACD EFH 00" in person.screen
    other = Person(person.node).press("down", "down", "enter")
    assert "TAG TG-000412 ALSO ON ACD EFH 00" in other.screen

    person.press("u", "enter")
    (line,) = person.node.written
    assert (line["kind"], line["data"]) == ("patient.identify", {"drop_tags": ["TG-000412"]})
    assert "ALSO ON" not in person.screen
    assert "ONE TAG" not in person.press("escape").screen


def test_a_doubt_that_was_answered_by_another_value_is_not_confirmed(person: Person):
    doubt = Recorded(0, False, error="confirm_needed", field="data.tags.0", confirm="tag_in_use")
    person.node.refuse["patient.register"] = doubt
    person.press("n", "tab", "tab", "9", "enter", "tab", "tab", "412", "enter", "tab", "enter")
    person.node.refuse.clear()
    person.press("backspace", "3", "enter")

    assert "confirm" not in person.node.written[0]
    assert person.node.written[0]["data"]["tags"] == ["TG-413"]


def test_a_save_whose_answer_was_lost_is_repeated_with_the_same_key(person: Person):
    person.press("enter", "n", "pale")
    person.shell.key("enter", person.now_ms)
    ask = person.shell.asks.pop(0)
    at_once(ask.call(person.node))
    person.shell.fail(ask, LinkError("node_left"))
    assert "NOT SAVED" in person.screen
    assert "[ pale" in person.screen

    person.press("enter")
    assert len(person.node.written) == 1
    assert "SAVED HERE" in person.screen


def test_keys_that_counted_on_a_failed_answer_are_dropped_with_a_bell(person: Person):
    person.node.down = LinkError("node_slow")
    for key in ["enter", "v", "2", "6", "enter"]:
        person.shell.key(key, person.now_ms)
    bells = person.shell.bells
    person.settle()

    assert person.shell.bells > bells
    assert "NODE AWAY" in person.screen
    assert not person.node.drafts


def test_so_many_keys_wait_and_no_more(person: Person):
    person.shell.key("enter", person.now_ms)
    for _ in range(KEYS_WAITING_MAX):
        person.shell.key("down", person.now_ms)
    bells = person.shell.bells
    person.shell.key("down", person.now_ms)

    assert person.shell.bells == bells + 1


@pytest.mark.safety(20)
def test_a_lock_lets_nothing_through_but_the_passphrase(person: Person):
    person.press("enter", "f9", "f3", "escape", "wrong", "enter")
    assert "That is not the passphrase" in person.screen
    assert "Osei" not in person.screen

    person.press(*PASSPHRASE, "enter")
    assert person.shell.page.name == "board"


def test_a_terminal_of_a_locked_node_starts_locked():
    node = ward()
    node.greeting = type(node.greeting)("dev", "nord-b", locked=True)

    assert Person(node).shell.page.name == "lock"


def test_the_same_f_key_works_over_every_page_and_escape_comes_back(person: Person):
    person.press("enter", "v", "26", "f7", "escape")
    assert person.page.form.snapshot() == {"respiratory-rate": "26"}

    person.press("ctrl+g", "3")
    assert person.shell.page.name == "search"


def test_a_row_that_left_the_list_does_not_open_the_one_in_its_place(person: Person):
    del person.node.patients["pat_00003"]
    person.shell.changed()
    person.settle()

    person.press("enter")
    assert person.shell.page.name == "board"
    assert "The list has changed" in person.screen
    person.press("enter")
    assert person.shell.page.name == "chart"


def test_a_fault_of_ours_costs_one_key_and_not_the_terminal(person: Person):
    person.press("enter", "v")
    person.shell.fault()

    assert "The node made a mistake" in person.screen
    assert person.press("26").page.form.snapshot() == {"respiratory-rate": "26"}


def test_a_doubtful_clock_is_said_on_every_page(person: Person):
    sync = at_once(person.node.sync())
    person.shell.desk.sync = type(sync)(**{**_fields(sync), "clock": "implausible"})

    assert "CLOCK?" in person.screen.splitlines()[0]


def _fields(value):
    return {name: getattr(value, name) for name in value.__struct_fields__}


def test_a_set_taken_together_is_one_line_and_is_marked_as_a_whole(person: Person):
    person.press("enter", "v", "26", "enter", "93", "enter", *"-----", "enter", "enter", "e")
    assert "RR 26 /min  SpO2 93 %" in person.screen

    person.press("enter")
    assert person.node.written[-1]["kind"] == "observation.record"
    assert "Say why first" in person.screen

    person.press("2", "enter")
    assert person.node.written[-1]["kind"] == "entry.retract"
    assert person.node.written[-1]["reason"] == "a wrong value"


@pytest.mark.parametrize(
    ("at", "field"), [(0, "respiratory-rate"), (1, "spo2"), (2, "pressure"), (3, "pressure"),
                      (4, "heart-rate")]
)  # fmt: skip
def test_a_value_that_the_node_refuses_opens_the_field_it_was_typed_in(person: Person, at, field):
    person.press("enter", "v", "26", "enter", "93", "enter", "enter")
    person.press("90/60", "enter", "110", "enter", "enter")
    person.node.refuse["observation.record"] = Recorded(
        0, False, error="bad_value", field=f"data.set.{at}.value"
    )
    person.press("enter", "enter")

    assert person.page.form.open_field.name == field
    assert person.node.written == []


def test_a_draft_is_given_up_only_by_two_keys_about_that_draft(person: Person):
    person.press("enter", "n", "pale", "escape", "escape", "down", "enter", "n", "hot")
    person.press("escape", "escape", "d", "x", "down", "x")
    assert len(person.node.drafts) == 2
    person.press("x")
    assert [draft.fields["text"] for draft in person.node.drafts.values()] == ["pale"]


def test_alerts_of_a_guide_go_with_its_category_and_not_with_another(person: Person):
    person.press("enter", "t")
    page = person.page
    page.guided = {
        "category": "yellow", "algorithm": "a", "version": "1", "inputs": {"walks": "no"},
        "alerts": ["breathing"],
    }  # fmt: skip
    chosen = page.category({"category": Answer("yellow")})
    assert chosen["alerts"] == ["breathing"] and chosen["inputs"] == {"walks": "no"}
    chosen = page.category({"category": Answer("red")})
    assert (chosen["category"], chosen["alerts"]) == ("red", [])
    assert chosen["inputs"] == {"walks": "no", "suggested": "yellow"}
