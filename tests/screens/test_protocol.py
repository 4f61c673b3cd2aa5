"""Working by a guideline at the bedside: answers, volumes, ticks, what stops, what is kept."""

from __future__ import annotations

import msgspec
import pytest

from fieldnode.tui.cores.display import line_cells
from fieldnode.tui.cores.display import text_of as text_of_line
from protocols.errors import LinkError
from protocols.live.api import Recorded
from protocols.live.guidance import PackInUse, PackLine, PackUser, StepTold, WeightTold
from tests.screens.fake_guidance import guided, newer, text_of, version_of
from tests.screens.fake_node import FakeNode, refusing, ward
from tests.screens.test_goldens import LANGUAGES, PLAN_C, SIZE, shell_after
from tests.screens.test_hostile import HOSTILE
from tests.screens.test_line import told
from tests.screens.test_pages import Person

LI = "pat_00004"
READY = [*PLAN_C, "2", "1", "54", "enter"]


def steps(node: FakeNode) -> list[dict]:
    return [line for line in node.written if line["kind"] == "guideline.step"]


def at_plan_c(node: FakeNode | None = None) -> Person:
    return Person(node).press("down", "down", "down", "enter", "p", "down", "down", "down", "enter")


def test_safety_9_a_volume_shows_its_arithmetic_and_is_recorded_with_pack_and_version():
    person = at_plan_c().press("2", "1", "54", "enter")
    assert "30 × 54 = 1 620 mL" in person.screen

    person.press(" ")

    (line,) = steps(person.node)
    assert line["patient"] == LI
    assert line["data"] == {
        "name": "cholera-c", "version": "1", "digest": "0f" * 32, "did": "done", "step": "first",
        "answers": {"age_group": "5-y-up", "wasted": 0, "oedema": "none", "weight": "54"},
        "amounts": ["30 × 54 = 1 620 mL"], "course": 0, "approved": False,
    }  # fmt: skip
    assert "SAVED" in person.screen


def test_safety_8_an_unapproved_guideline_says_so_wherever_it_is_shown():
    person = Person().press("down", "down", "down", "enter", "p")
    assert "NOT APPROVED" in person.screen
    person.press("down", "down", "down", "enter")
    assert "NOT APPROVED" in person.screen
    person.press("2", "1", "54", "enter")
    assert "NOT APPROVED" in person.screen
    person.press("d")
    assert "NOT APPROVED" in person.screen


def test_safety_10_severe_malnutrition_stops_the_plan_and_no_volume_is_computed():
    node = ward()
    node.weights[LI] = WeightTold("54", node.now_ms)
    person = at_plan_c(node).press("1")

    assert "STOPPED" in person.screen
    assert "Call a clinician" in person.screen
    assert "30 × " not in person.screen
    person.press(" ", "1", "-")
    assert steps(node) == []
    person.press("enter")
    (line,) = steps(node)
    assert (line["data"]["did"], line["data"]["result"]) == ("judged", "severe-malnutrition")
    assert line["data"]["amounts"] == []


def test_a_weight_on_record_is_not_asked_and_an_estimate_says_so():
    node = ward()
    node.weights[LI] = WeightTold("54", node.now_ms, estimated=True)

    person = at_plan_c(node).press("2", "1")

    assert "30 × 54 = 1 620 mL est." in person.screen


def test_safety_9_weights_that_differ_are_asked_about_and_leave_no_volume():
    node = ward()
    node.weights[LI] = WeightTold(sides=("54 kg", "46 kg"))
    person = at_plan_c(node).press("2", "1")
    assert "WEIGHTS DIFFER: 54 kg | 46 kg" in person.screen
    assert "30 × " not in person.screen

    person.press("52", "enter")

    assert "30 × 52 = 1 560 mL" in person.screen


def test_without_a_weight_there_is_no_volume_and_the_step_can_be_ticked_all_the_same():
    person = at_plan_c().press("2", "1", "-")
    assert "no volume: left out" in person.screen

    person.press(" ")

    assert steps(person.node)[0]["data"]["amounts"] == []


def test_a_step_is_left_out_with_a_reason_only_where_it_may_be():
    person = at_plan_c().press("2", "1", "54", "enter", "-")
    assert "cannot be left out" in person.screen
    person.press("down", "down", "down", "down", "down", "-")
    assert "WHY IS IT LEFT OUT" in person.screen
    person.press("enter")
    assert "Say why" in person.screen

    person.press("1", "enter")

    (line,) = steps(person.node)
    assert (line["data"]["step"], line["data"]["did"]) == ("ors", "skipped")
    assert line["reason"] == "out of stock"
    assert "[-]" in person.screen


def test_a_reason_in_words_is_kept_as_typed():
    person = at_plan_c().press("2", "1", "54", "enter", "down", "down", "down", "down", "down")

    person.press("-", "vomits", "enter")

    assert steps(person.node)[0]["reason"] == "vomits"


def test_f8_names_the_step_and_unticks_it():
    person = at_plan_c().press("2", "1", "54", "enter", " ")
    assert "[x]" in person.screen

    person.press("f8")
    assert "First 30 mL/kg" in person.screen
    person.press("enter")

    assert person.node.written[-1]["kind"] == "entry.retract"
    assert "[x]" not in person.screen


def test_a_key_struck_ahead_of_the_checklist_ticks_nothing():
    person = at_plan_c()

    person.hurry("2", "1", "5", "4", "enter", "1", " ", "enter")

    assert steps(person.node) == []


def test_one_tick_at_a_time_however_fast_space_is_struck():
    person = at_plan_c().press("2", "1", "54", "enter")

    person.hurry(" ", " ", " ")

    assert len(steps(person.node)) == 1


def test_a_tick_whose_answer_never_came_is_repeated_under_its_key():
    person = at_plan_c().press("2", "1", "54", "enter")
    taken = person.node.record

    async def lost(lines, **more):
        await taken(lines, **more)
        raise LinkError("node_left")

    person.node.record = lost  # type: ignore[method-assign]
    person.press(" ")
    person.node.record = taken  # type: ignore[method-assign]
    person.press(" ")

    assert len(steps(person.node)) == 1
    assert "SAVED" in person.screen


def test_a_refused_tick_says_why_and_ticks_nothing():
    node = ward()
    node.refuse["guideline.step"] = Recorded(0, False, error="too_many")

    person = at_plan_c(node).press("2", "1", "54", "enter", " ")

    assert "[x]" not in person.screen
    assert "!" in person.screen or "many" in person.screen


def test_answers_are_a_draft_until_something_is_written():
    person = at_plan_c().press("2", "1", "54", "enter", "escape", "escape", "escape")
    (draft,) = person.node.drafts.values()
    assert (draft.form, draft.patient) == ("protocol", LI)

    person.press("d", "enter")
    assert "30 × 54 = 1 620 mL" in person.screen
    person.press(" ")

    assert person.node.drafts == {}
    assert len(steps(person.node)) == 1


def test_a_draft_is_found_again_from_the_chart():
    person = at_plan_c().press("2", "1", "54", "enter", "escape", "enter")

    assert "30 × 54 = 1 620 mL" in person.screen


def test_what_others_ticked_is_shown_with_names_and_what_contradicts_says_so():
    node = ward()
    guided(node)
    person = Person(node).press("down", "down", "down", "enter", "p", "enter", "52", "enter")

    assert "R. Amin +1" in person.screen
    assert "[!]" in person.screen
    assert "LATE" in person.screen
    person.press("up")
    assert "A. Silva v1" in person.screen
    assert "R. Amin v2" in person.screen


def test_safety_8_the_version_shown_is_the_version_stamped():
    node = ward()
    node.versions["cholera-c"] = [
        newer("cholera-c", "2", approved_by="Dr. Silva, clinical lead"), version_of("cholera-c"),
    ]  # fmt: skip
    person = at_plan_c(node).press("2", "1", "54", "enter")
    assert "NOT APPROVED" not in person.screen.splitlines()[2]

    person.press("f")
    assert "NOT APPROVED" in person.screen
    person.press(" ")

    data = steps(node)[0]["data"]
    assert (data["version"], data["digest"], data["approved"]) == ("1", "0f" * 32, False)


def test_answers_that_people_gave_differently_are_asked_anew():
    node = ward()
    guided(node)
    told = node.courses[LI, "cholera-c"]
    other = told[0][1]
    changed = type(other)(**{
        **{name: getattr(other, name) for name in other.__struct_fields__},
        "answers": {**other.answers, "wasted": 1},
    })  # fmt: skip
    told[0], told[3] = (0, changed), (0, changed)

    person = Person(node).press("down", "down", "down", "enter", "p", "enter")

    assert "Severely wasted" in person.screen
    assert "asked anew" in person.screen


def test_a_result_leads_to_the_guideline_that_follows():
    person = Person().press("down", "down", "down", "enter", "p", "enter", "1", "2", "enter")
    assert "plan C" in person.screen

    person.press("g")

    assert "Plan C: severe dehydration" in person.screen


def test_begun_anew_it_counts_one_up():
    person = at_plan_c().press("2", "1", "54", "enter", " ", "b", "2", "1", "50", "enter", " ")

    assert [line["data"]["course"] for line in steps(person.node)] == [0, 1]


def test_who_may_not_write_it_is_told_before_it_opens():
    node = ward()
    node.greeting = type(node.greeting)("dev", "nord-b", gated=True)
    node.stopped = {"guideline.step": refusing("guideline.step", "role_refused")}

    person = at_plan_c(node)

    assert person.shell.page.name == "gate"


def test_line_mode_works_by_a_guideline_too():
    node, said = told(
        "+", "+", "+", "", "p", "+", "+", "+", "", "2", "1", "54", "1",
    )  # fmt: skip

    assert "30 × 54 = 1 620 mL" in said
    assert [line["data"]["step"] for line in steps(node)] == ["first"]


def test_a_step_that_was_done_once_is_ticked_by_nobody_again():
    person = at_plan_c().press("2", "1", "54", "enter", " ", "2", "up", "up", "up", "up", " ")

    assert len(steps(person.node)) == 1
    assert "over" in person.screen


def test_safety_8_guided_triage_follows_the_version_in_use_and_stores_it():
    node = ward()
    text = text_of("triage").replace('version = "2"', 'version = "2.3"', 1)
    node.in_use["triage"] = PackInUse("triage", "2.3", text, "MoH", "Dr. Silva, clinical lead")

    person = Person(node).press("f2", "431", "enter", "9", "1")
    assert "v2.3  approved" in person.screen
    person.press("2", "1", "enter", "4", "1", "enter")

    (line,) = [line for line in node.written if line["kind"] == "triage.record"]
    assert (line["data"]["algorithm"], line["data"]["version"]) == ("start", "2.3")


def test_safety_8_a_guide_that_nobody_approved_says_so_from_its_first_page():
    person = Person().press("f2", "431", "enter", "9")
    assert "NOT APPROVED" in person.screen
    person.press("1")
    assert "NOT APPROVED" in person.screen


def test_a_node_that_is_away_guides_nobody_and_the_form_stays():
    person = Person().press("f2", "431", "enter")
    person.node.down = LinkError("no_node")

    person.press("9")

    assert person.shell.page.name == "triage"


@pytest.mark.parametrize("text", HOSTILE, ids=["markup", "csi", "osc52", "bidi", "long", "marks"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_word_of_a_pack_or_a_record_reaches_the_screen_but_as_text(text, language):
    node = ward()
    version = version_of("cholera-c", version=text, org=text, source=text, status=text)
    node.versions["cholera-c"] = [version, newer("cholera-c", "2", approved_by=text)]
    node.weights[LI] = WeightTold(sides=(text, text))
    said = StepTold("fct_x.0", text, text, node.now_ms, text, text, text, text, text, text,
                    {text: text, "wasted": text}, text, text)  # fmt: skip
    node.courses[LI, "cholera-c"] = [(0, said), (0, msgspec.structs.replace(said, step="first"))]
    line = PackLine(text, text, text, text, text, text, False, True, text, True, text, text,
                    (PackUser(text, text, text),), text)  # fmt: skip
    node.packs_here = [line, msgspec.structs.replace(line, in_use=False)]
    listed = ["down", "down", "down", "enter", "p"]
    for keys in (
        listed,
        [*listed, "enter"],
        [*listed, "enter", "2", "1", *"54", "enter", "down", "down"],
        [*listed, "enter", "d"],
        [*listed, "enter", "f"],
        ["f10", "6", "0"],
    ):
        for drawn in shell_after(keys, LANGUAGES[language], node).draw(SIZE):
            assert text_of_line(drawn).isprintable()
            assert line_cells(drawn) == SIZE.width


@pytest.mark.safety(13)
def test_safety_13_a_time_and_a_person_can_be_stated_for_one_step_and_are_seen():
    person = at_plan_c().press("2", "1", "54", "enter")
    person.press("ctrl+t", "tab", "1405", "enter", "2", "J. Cho", "enter")
    assert "14:05" in person.screen
    assert "J. Cho" in person.screen

    person.press(" ", "2", " ")

    first, second = steps(person.node)
    assert (first["at"], first["by"]) == ("2026-05-20T14:05:00+00:00", "J. Cho")
    assert "at" not in second
    assert "by" not in second
