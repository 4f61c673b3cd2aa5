"""What holds for any keys at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldnode.tui.cores.display import Span, changed_cells, line_cells, picture
from fieldnode.tui.cores.fields import ABSENT_MARKS, Choice, Coded, Date, Field, Number, Tag
from fieldnode.tui.cores.form import FormCore
from fieldnode.tui.cores.list import PAGE_ROWS, PAGES_MAX, ListCore
from fieldnode.tui.cores.scan import Scan, ScanGate

FIELDS = (
    Tag("tag", "x", prefix="TG-"),
    Coded("sex", "x", choices=(Choice("1", "male", "x"), Choice("2", "female", "x"))),
    Number("pulse", "x", absent=ABSENT_MARKS, possible=("0", "300"), usual=("35", "180")),
    Number(
        "t", "x", absent=ABSENT_MARKS, decimals=1, possible=("20", "45"), short_tenths=(300, 439)
    ),
    Date("born", "x"),
    Field("name", "x"),
)
NAMED = ["enter", "tab", "down", "up", "backspace", "delete", "left", "right", "home", "end", "f1"]
KEYS = st.lists(st.sampled_from([*"0123456789.,-/ aF]é٣", *NAMED]), max_size=60)


def form() -> FormCore:
    return FormCore(FIELDS, optional_from=4)


@given(KEYS)
def test_every_answer_reads_back_as_itself(keys):
    typed = form()
    for key in keys:
        typed.key(key)

    for place, field in enumerate(FIELDS):
        answer = typed.answer(place)
        if answer.text and not isinstance(field, Coded):
            assert field.read(answer.text).text == answer.text


@given(KEYS)
def test_only_the_open_field_changes_and_dirty_lines_name_all_that_did(keys):
    typed = form()
    for key in keys:
        before = [typed.text(place) for place in range(len(FIELDS))]
        place = typed.place
        step = typed.key(key)
        changed = {at for at in range(len(FIELDS)) if typed.text(at) != before[at]}
        assert changed <= {place}
        assert changed <= step.dirty
        assert 0 <= typed.cursor <= len(typed.text(typed.place))
        if typed.place != place:
            assert {place, typed.place} <= step.dirty


@given(KEYS)
def test_nothing_is_saved_that_any_field_refuses(keys):
    typed = form()
    for key in keys:
        if typed.key(key).save:
            for place, field in enumerate(FIELDS):
                answer = field.read(typed.text(place))
                assert field.unusual(answer) is None or typed.answer(place).unusual


@pytest.mark.safety(20)
@given(KEYS, KEYS)
def test_a_draft_goes_on_as_if_nothing_had_happened(before, after):
    typed = form()
    for key in before:
        typed.key(key)
    again = form()
    again.restore(typed.snapshot())

    assert again.snapshot() == typed.snapshot()


PIECES = st.lists(
    st.one_of(
        st.text("abc]12C", max_size=5).map(lambda text: ("typed", text)),
        st.text("0123456789AB\x1d", min_size=1, max_size=20).map(lambda text: ("scan", text)),
    ),
    max_size=6,
)


@pytest.mark.safety(17)
@given(st.lists(st.text("0123456789AB\x1d", min_size=1, max_size=20), max_size=5))
def test_scans_in_one_burst_come_out_whole_and_apart(codes):
    gate = ScanGate()
    passed = [item for code in codes for key in [*"]C1", *code, "enter"] for item in gate.key(key)]

    assert passed == [Scan("]C1", code) for code in codes]


@given(st.lists(st.sampled_from([*"ab]C12", "enter", "up", "escape"]), max_size=40))
def test_no_key_is_lost_or_reordered_by_the_gate(keys):
    gate = ScanGate()
    passed = [item for key in keys for item in gate.key(key)]
    passed += gate.give_back()
    flat = []
    for item in passed:
        flat += [*item.symbology, *item.text, "enter"] if isinstance(item, Scan) else [item]

    # Inside a code only Enter and Escape mean something; Escape gives the code back as keys.
    wanted = [key for key in keys if len(key) == 1 or key == "enter"]
    assert [key for key in flat if len(key) == 1 or key == "enter"] == wanted


@pytest.mark.safety(17)
def test_time_gives_back_only_a_prefix_that_is_none():
    gate = ScanGate()
    assert gate.key("]") == []
    assert gate.waiting
    assert gate.expire() == ["]"]

    for key in "]C1":
        gate.key(key)
    assert gate.collecting
    assert gate.expire() == []


MOVES = st.lists(
    st.one_of(
        st.sampled_from(["up", "down", "pageup", "pagedown", "home", "end"]),
        st.permutations(list(range(12))).map(lambda order: ("rows", order)),
        st.integers(0, 11).map(lambda row: ("gone", row)),
    ),
    max_size=30,
)


@given(MOVES)
def test_the_selection_stays_on_its_row_or_says_that_it_moved(moves):
    rows = list(range(12))
    core = ListCore(str)
    core.resize(5)
    core.take(0, rows, len(rows))
    for move in moves:
        if isinstance(move, str):
            core.key(move)
            assert not core.moved
            continue
        before = core.selected_id
        what, value = move
        rows = [row for row in value if row in rows] if what == "rows" else [
            row for row in rows if row != value
        ]  # fmt: skip
        core.changed()
        core.take(0, rows, len(rows))
        assert core.selected_id == before or core.moved
        assert core.selected is None or str(core.selected) == core.selected_id
        assert core.top <= core.index or not rows


@given(st.lists(st.sampled_from(["up", "down", "pageup", "pagedown", "home", "end"]), max_size=40))
def test_any_length_of_list_holds_few_pages(keys):
    total = 50_000
    core = ListCore(str)
    core.resize(20)
    for key in ["home", *keys]:
        core.key(key)
        for page in core.wanted():
            start = page * PAGE_ROWS
            core.take(page, range(start, min(start + PAGE_ROWS, total)), total)
        assert len(core._pages) <= PAGES_MAX + 1
        assert all(row == index for index, row in core.visible())


LINES = st.lists(
    st.builds(Span, st.text("ab…é漢", max_size=4), st.sampled_from(["plain", "warn"])), max_size=5
).map(tuple)


@given(LINES, LINES)
def test_what_is_sent_of_a_line_is_all_that_changed_and_no_more_where_cells_are_alike(old, new):
    letters: dict[str, str] = {}
    first, behind = changed_cells(picture(old, letters), picture(new, letters), 80)

    before = [(char, span.role) for span in old for char in span.text]
    after = [(char, span.role) for span in new for char in span.text]
    narrow = line_cells(old) == len(before) and line_cells(new) == len(after)
    if len(before) != len(after) or not narrow:
        assert (first, behind) == (0, 80)
        return
    assert before[:first] + after[first:behind] + before[behind:] == after
    if before != after:
        assert before[first] != after[first]
        assert before[behind - 1] != after[behind - 1]
    else:
        assert first == behind
