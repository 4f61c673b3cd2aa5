"""Any keys in any order come to the same records, and what may not be ticked never is."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from fieldnode.tui.cores.protocol import Did, ProtocolCore
from protocols.guidelines.ages import AgeSpan, of_shown
from protocols.guidelines.guideline import SHIPPED
from protocols.guidelines.questions import Person, restored, stored
from protocols.live.guidance import GuidelineSheet, StepTold, WeightTold
from tests.screens.fake_guidance import newer, version_of

NOW_MS = 1_779_287_520_000
MINUTE_MS = 60_000
KEYS = (
    *"0123456789-/ .dfabgxé",
    "enter", "backspace", "up", "down", "escape", "tab", "f5", "ctrl+x", "ф", "٣",
)  # fmt: skip
LIKELY = ("1", "2", "-", " ", " ", "enter", "down")
STRUCK = st.tuples(
    st.sampled_from(([], ["2", "1", *"54", "enter"], ["2", "1", "-", *"9.5", "enter"], ["1", "1"])),
    st.lists(st.sampled_from(KEYS) | st.sampled_from(LIKELY), max_size=40),
).map(lambda both: [*both[0], *both[1]])
"""Keys of somebody who begins well, and of a cat."""
AGES = ("28 y", "7 y", "22 mo", "5 d", "~7 y", "1-4 y", "")
WEIGHTS = (WeightTold(), WeightTold("54", NOW_MS), WeightTold("9.5", NOW_MS, True),
           WeightTold(sides=("54 kg", "46 kg")))  # fmt: skip
VERSIONS = {
    name: (newer(name, "2", approved_by="Dr. Silva, clinical lead"), version_of(name))
    for name in SHIPPED
}


class Node:
    """Holds what was written, and tells it again."""

    def __init__(self, name: str, weight: WeightTold) -> None:
        self.name, self.weight = name, weight
        self.written: list[tuple[int, StepTold]] = []

    def sheet(self) -> GuidelineSheet:
        number = max((course for course, _ in self.written), default=0)
        steps = tuple(step for course, step in self.written if course == number)
        began = steps[0].at_ms if steps else None
        return GuidelineSheet(self.name, VERSIONS[self.name], self.weight, (), number, began, steps)

    def write(self, data: dict[str, Any], reason: str, at_ms: int) -> None:
        step = StepTold(
            f"fct_{len(self.written)}.0", data["did"], data.get("step", ""), at_ms, "me",
            data["version"], data["digest"], reason, "; ".join(data["amounts"]),
            data.get("result", ""), data["answers"],
        )  # fmt: skip
        self.written.append((data["course"], step))


def struck(name: str, age: AgeSpan, weight: WeightTold, keys: list[str], told: list[bool]) -> Any:
    """Strike keys; where `told` says so the node tells again before the next one."""
    node, records = Node(name, weight), []
    core = ProtocolCore(node.sheet(), Person(age), NOW_MS)
    for place, key in enumerate(keys):
        core.now_ms = NOW_MS + place * MINUTE_MS
        did = core.key(key)
        if did is Did.WRITE:
            assert core.written is not None
            judge(core)
            records.append((core.written.data, core.written.reason))
            node.write(core.written.data, core.written.reason, core.now_ms)
            core.saved()
            core.take(node.sheet(), core.now_ms)
        elif told[place % len(told)]:
            core.take(node.sheet(), core.now_ms)
    return records


def judge(core: ProtocolCore) -> None:
    """A record is what stood on the screen, of a step that may be ticked."""
    assert core.written is not None
    data, progress = core.written.data, core.progress
    assert (data["version"], data["digest"]) == (core.version.version, core.version.digest)
    assert data["approved"] is bool(core.version.approved_by)
    assert data["answers"] == progress.answers
    if data["did"] == "judged":
        assert "step" not in data
        return
    state = next(each for each in progress.steps if each.step.id == data["step"])
    assert progress.stop is None
    assert state.state in ("now", "late", "waiting")
    assert (data["did"] == "skipped") == bool(core.written.reason)
    assert data["did"] == "done" or state.step.may_skip
    assert data["amounts"] == [each.text for each in state.amounts if each.text]


@given(
    st.sampled_from(SHIPPED),
    st.sampled_from(AGES),
    st.sampled_from(WEIGHTS),
    STRUCK,
    st.lists(st.booleans(), min_size=1, max_size=7),
)
def test_the_same_keys_come_to_the_same_records_however_often_the_node_tells(
    name, age, weight, keys, told
):
    span = of_shown(age)

    assert struck(name, span, weight, keys, [False]) == struck(name, span, weight, keys, told)


@given(
    st.sampled_from(WEIGHTS[3:]),
    st.sampled_from(("cholera-b", "cholera-c")),
    STRUCK,
)
def test_safety_9_no_volume_is_recorded_while_weights_differ_and_none_was_typed(weight, name, keys):
    for data, _ in struck(name, of_shown("28 y"), weight, keys, [False]):
        assert not data["amounts"] or data["answers"].get("weight")


@given(STRUCK)
def test_safety_10_severe_malnutrition_ticks_nothing_and_computes_nothing(keys):
    node = Node("cholera-c", WeightTold("54", NOW_MS))
    core = ProtocolCore(node.sheet(), Person(of_shown("28 y")), NOW_MS)
    core.key("1")
    assert core.progress.stop is not None
    for key in keys:
        if key in ("a", "ф", "backspace", "5", "escape"):
            continue
        did = core.key(key)
        if did is Did.WRITE:
            assert core.written is not None
            assert core.written.data["did"] == "judged"
            assert core.written.data["amounts"] == []
        assert not any(step.amounts for step in core.progress.steps)


@given(st.sampled_from(SHIPPED), st.sampled_from(AGES), STRUCK)
def test_a_draft_gives_the_answers_back(name, age, keys):
    node = Node(name, WeightTold())
    core = ProtocolCore(node.sheet(), Person(of_shown(age)), NOW_MS)
    for key in keys:
        core.key(key)
    again = ProtocolCore(node.sheet(), Person(of_shown(age)), NOW_MS)
    while again.version.digest != core.version.digest:
        again.key("f")

    again.restore(core.kept)

    assert again.answers == core.answers
    assert again.kept == core.kept == stored(core.form.question, core.answers)
    assert restored(core.form.question, core.kept) == core.answers
