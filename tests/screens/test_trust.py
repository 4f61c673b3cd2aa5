"""Who belongs, where data may go, what is kept apart; sealing and letting count again."""

from datetime import UTC
from typing import Any

import msgspec
import pytest

from fieldnode.tui.cores.display import Size, text_of
from fieldnode.tui.cores.sealing import TypedCode, code_of, instant_of
from protocols.errors import InputError, LinkError
from protocols.live.belonging import Apart, LinkRefused
from tests.screens.fake_node import NOW_MS, ward
from tests.screens.fake_trust import HOUR
from tests.screens.test_goldens import LANGUAGES, SCREENS, shell_on
from tests.screens.test_line import told
from tests.screens.test_pages import Person

CODE = code_of("key0")
TABLET = ("f7", "r", "down", "down")
NORD_A = ("f7", "r", "down")


@pytest.fixture
def person() -> Person:
    return Person()


def test_peers_name_organisation_and_the_words_of_the_one_selected(person: Person):
    person.press("f7")
    for part in ("Red Cross", "7Q2M-0ABC-DEFG-HJKM", "Seven Quebec Two Mike", "NOT TRUSTED"):
        assert part in person.screen, part
    assert "certificates decide" in person.screen


@pytest.mark.parametrize(("letter", "digit", "page"), [("r", "1", "roster"), ("w", "2", "scopes"),
                                                       ("k", "3", "kept")])  # fmt: skip
def test_every_way_on_has_a_letter_and_a_digit(letter, digit, page):
    for key in (letter, digit):
        assert Person().press("f7", key).shell.page.name == page


def test_a_seal_takes_reason_time_note_and_the_number_shown(person: Person):
    person.press(*NORD_A, "s", "2", "14:05", "enter", "left in the bus", "enter")
    for part in ("nord-a", "Red Cross", "WHAT WILL HAPPEN", "119 entries", "12 entries since"):
        assert part in person.screen, part
    person.press(CODE, "enter")

    (said,) = person.node.trust.sealed
    assert said == {
        "member": "dev_NORD-A00", "reason": "lost", "since_ms": NOW_MS - 27 * 60_000,
        "roles": [], "note": "left in the bus",
    }  # fmt: skip
    assert "SEALED: nord-a (lost)." in person.screen
    assert person.shell.page.name == "roster"


def test_enter_and_any_other_number_seal_nothing(person: Person):
    person.press(*NORD_A, "1", "1", "enter", "enter")
    wrong = f"{(int(CODE) + 1) % 10_000:04d}"
    for keys in (["enter"] * 9, [wrong, "enter"], [CODE[:3], "enter"], ["1"] * 40, ["enter"],
                 ["y", "s", "o"]):  # fmt: skip
        person.press(*keys)
        assert person.node.trust.sealed == [], keys
    assert person.shell.page.name == "seal"


def test_digits_of_a_french_top_row_are_digits_too():
    code = TypedCode("4134")
    assert not any(map(code.key, ["'", "&", '"', "'"]))
    assert code.typed == "4134" and code.key("enter")


def test_the_number_is_another_one_each_time(person: Person):
    person.press(*NORD_A, "s", "1", "enter", "enter")
    first = person.screen
    person.press("escape", "escape", "escape", "escape", "s", "1", "enter", "enter")
    assert f"type {' '.join(code_of('key1'))} and" in person.screen != first


def test_keys_typed_ahead_of_the_question_seal_nothing(person: Person):
    person.press(*NORD_A)
    person.hurry("s", "2", "enter", "enter", *CODE, "enter")

    assert person.node.trust.sealed == []
    assert "were not taken" in person.screen
    person.look()
    person.press("2", "enter")
    person.hurry("enter", *CODE, "enter")
    assert person.node.trust.sealed == []
    person.look()
    person.press(CODE, "enter")
    assert len(person.node.trust.sealed) == 1


def test_keys_typed_ahead_of_what_would_count_again_extend_nothing(person: Person):
    person.press("f7", "k")
    person.hurry("e", *CODE, "enter")
    assert person.node.trust.extended == []
    person.look()
    person.press(CODE, "enter")
    assert person.node.trust.extended == [("ent_LOST", 15)]
    assert "15 entries count again" in person.screen
    assert "above seal: lost" not in person.screen


def test_what_grew_meanwhile_is_looked_at_again_first(person: Person):
    person.press("f7", "k", "e")
    held = person.node.trust.apart
    more = tuple(msgspec.structs.replace(each, entries=each.entries + 1) for each in held.kept)
    person.node.trust.apart = msgspec.structs.replace(held, kept=more)
    person.press(CODE, "enter")

    assert person.node.trust.extended == []
    assert "Look again first" in person.screen


def test_a_member_that_slid_under_the_selection_is_not_sealed(person: Person):
    person.press(*NORD_A)
    person.node.trust.members = [
        each for each in person.node.trust.members if each.name != "nord-a"
    ]
    person.shell.changed()
    person.settle()
    person.look()
    person.press("s")
    assert person.shell.page.name == "roster"
    person.press("s")
    assert "tablet 7" in person.screen and person.shell.page.name == "seal"


def test_who_may_not_seal_is_told_whom_to_ask(person: Person):
    person.press("f7", "r", "end", "up", "s")
    assert "another organisation. Ask: Issuer KE." in person.screen
    person.press("home", "s")
    assert "Only a higher rank can seal it. Ask: Root office." in person.screen
    person.press("escape", "k", "down", "down", "e")
    assert "Ask: HQ Nairobi, Issuer KE." in person.screen
    person.press("down", "e")
    assert "nothing to extend" in person.screen
    assert person.node.trust.extended == [] == person.node.trust.sealed


def test_a_reduction_keeps_the_roles_chosen_and_needs_one(person: Person):
    person.press("f7", "r", "down", "down", "down", "s", "5", "enter", "enter")
    assert "What may it go on as?" in person.screen
    person.press("1", "2", "1", "enter", "enter", CODE, "enter")
    assert person.node.trust.sealed[0]["roles"] == ["triage"]
    assert person.node.trust.sealed[0]["reason"] == "role_reduced"


def test_escape_goes_back_step_by_step_and_keeps_what_was_said(person: Person):
    person.press(*NORD_A, "s", "2", "enter", "found by bus", "enter", "escape")
    assert "found by bus" in person.screen
    person.press("escape", "escape", "escape")
    assert person.shell.page.name == "roster"


def test_a_refusal_of_the_node_is_said_and_nothing_is_lost(person: Person):
    person.press(*NORD_A, "s", "2", "enter", "enter")
    person.node.trust.members = [
        msgspec.structs.replace(each, why_not="seal_rank") for each in person.node.trust.members
    ]
    person.press(CODE, "enter")
    assert "would not count" in person.screen and person.shell.page.name == "seal"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ["seal-confirm", "seal-person", "extend", "seal-reduce"])
@pytest.mark.parametrize("height", [14, 17, 20])
def test_the_number_is_seen_whole_in_every_language_and_room(language, name, height):
    page: Any = shell_on(name, LANGUAGES[language]).page
    if name.startswith("seal"):
        page._core.note = "x y " * 50
    lines = [text_of(drawn) for drawn in page.draw(Size(80, height))]

    assert len(lines) <= height
    assert " ".join(page._code.wanted if name == "extend" else page._core.code.wanted) in lines[-1]


def test_old_knowledge_of_a_coordinator_is_marked(person: Person):
    person.press("f7", "r", "a")
    rows = person.shell.page.draw(Size(80, 20))
    (japan,) = [row for row in rows if "dev_C3" in text_of(row)]
    assert [span.role for span in japan if "05-1" in span.text and "(" in span.text] == ["warn"] * 2
    assert "(2 d)" in text_of(japan)


def test_a_link_that_was_refused_is_listed_with_what_to_do(person: Person):
    refused = LinkRefused("unknown_device", "", "", "192.0.2.7", 3, NOW_MS - HOUR)
    person.node.trust.apart = Apart((), (), (), (), links=(refused,))
    person.press("f7", "k")

    assert "link refused" in person.screen and "192.0.2.7" in person.screen
    assert "Have a coordinator admit it." in person.screen
    person.press("e")
    assert "No seal keeps this back" in person.screen


def test_line_mode_seals_too():
    node = ward()
    _, said = told("f7", "r", "+", "s", "2", "", "", CODE, node=node)

    assert "WHAT WILL HAPPEN" in said
    assert node.trust.sealed[0]["member"] == "dev_NORD-A00"


@pytest.mark.parametrize(
    ("text", "hours"),
    [("11:32", 3), ("1132", 3), ("2026-05-20 11:32", 3), ("2026-05-20T11:32", 3), ("15:32", 23),
     ("2026-05-19 14:32", 24), ("2026-05-20", 14 + 32 / 60), ("١١:٣٢", 3)],
)  # fmt: skip
def test_instants_are_read_as_people_write_them(text, hours):
    assert instant_of(text, NOW_MS, UTC) == NOW_MS - round(hours * HOUR)


@pytest.mark.parametrize(
    "text",
    ["x", "25:00", "2026-05-20 14:33", "2026-13-01", "9", "99999999", "2026-05-20 14:00+02:00",
     "20260519", "-1", "0001-01-01"],
)  # fmt: skip
def test_what_is_no_instant_or_lies_ahead_is_refused(text):
    assert instant_of(text, NOW_MS, UTC) is None


def test_every_screen_of_trust_says_that_the_node_is_away(person: Person):
    person.node.down = LinkError("no_node")
    person.press("f7")
    for key in ("r", "w", "k"):
        person.press(key)
        assert "does not run" in person.screen
        person.press("escape")


def test_refusals_of_these_calls_have_sentences():
    for code in ("may_not_seal", "unknown_member", "unknown_seal", "note_too_long", "kept_more"):
        assert LANGUAGES["en"].has(f"error.{code}")
        assert InputError(code).code == code
    assert {"seal", "extend", "roster", "kept"} <= SCREENS.keys()
