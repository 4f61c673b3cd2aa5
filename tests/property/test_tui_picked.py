"""A list to pick from and the forms of medicines: keys mean the same at any speed, and say so."""

from hypothesis import event, given
from hypothesis import strategies as st

from fieldnode.tui.cores.fields import AnswerError, Field
from fieldnode.tui.cores.form import FormCore
from fieldnode.tui.cores.picked import MARK, Item, Picked
from fieldnode.tui.screens.doses import Dose, whole_units
from protocols.guidelines.vocabulary import rows_of
from tests.property.test_tui_shell import STEPS, Slow, written
from tests.screens.fake_care import in_care

ITEMS = tuple(
    Item(str(row.number), row.name, row.word("en"), getattr(row, "matches", ()))
    for row in rows_of("allergen")
)
KEYS = st.lists(
    st.one_of(
        st.sampled_from([*"0123456789", *"penclatmo ", "enter", "tab", "up", "backspace", "left"]),
        st.characters(codec="utf-8", exclude_categories=["Cs"]).filter(lambda one: one != MARK),
    ),
    max_size=12,
)


def form(*, free=True) -> FormCore:
    return FormCore((Picked("a", "x", items=ITEMS, free=free), Field("b", "x")))


@given(KEYS, st.booleans())
def test_what_stands_in_the_field_is_a_row_or_the_words_that_were_typed(keys, free):
    core = form(free=free)
    for key in keys:
        core.key(key)
    text = core.text(0)
    if text.startswith(MARK):
        assert text[len(MARK) :] in {item.name for item in ITEMS}
    answer = core.answer(0).text
    assert not answer or answer.startswith(MARK) or free


@given(KEYS)
def test_a_draft_of_it_reads_the_same_again(keys):
    core, other = form(), form()
    for key in keys:
        core.key(key)
    other.restore(core.snapshot())

    assert other.answer(0).text == core.answer(0).text


@given(st.integers(1, 25))
def test_a_number_ended_by_enter_is_that_row_with_or_without_its_zero(number):
    """Else its digit stands there unread, and the next one struck makes another row of it."""
    rows = tuple(Item(f"{at:02d}", f"row-{at}", f"Row {at}") for at in range(1, 26))
    for typed in (f"{number:02d}", str(number)):
        core = FormCore((Picked("a", "x", items=rows), Field("b", "x")))
        for key in [*typed, "enter", "0"]:
            core.key(key)
        assert core.answer(0).text == f"{MARK}row-{number}"
        assert core.place == 1


@given(st.sampled_from(ITEMS))
def test_every_row_is_picked_by_its_number_and_by_its_word(item):
    by_number, by_word = form(), form()
    for key in [*item.number, "enter"]:
        by_number.key(key)
    for key in [*item.word, "enter"]:
        by_word.key(key)

    assert by_number.text(0) == by_word.text(0) == MARK + item.name
    assert by_number.place == by_word.place == 1


@given(st.text(alphabet="abcdefghilmnoprstu '", max_size=8), st.integers(1, 9))
def test_a_digit_behind_letters_takes_what_stands_beside_it(text, digit):
    field = form().fields[0]
    assert isinstance(field, Picked)
    offered = dict(field.offered(text)) if text.strip() else {}
    taken = field.alone(text, str(digit)) if text else None
    if str(digit) in offered and text.strip():
        assert taken is not None
        event("taken")
        assert field.shown(taken) == offered[str(digit)]


@given(st.decimals(min_value="0.01", max_value="999", places=2), st.integers(1, 500))
def test_whole_units_never_give_less_than_the_dose_and_discard_less_than_one(dose, one):
    text, left = whole_units(str(dose), str(one))
    if text:
        assert not left or 0 < float(left) < one


@given(st.text(alphabet="+0123456789.,", max_size=6), st.lists(st.just("250"), max_size=2))
def test_a_dose_is_taken_only_where_one_is_proposed(text, proposed):
    core = FormCore((Dose("d", "x", proposed=tuple(proposed)), Field("b", "x")))
    for key in text:
        core.key(key)
    try:
        found = core.fields[0].read(core.text(0)).text
    except AnswerError:
        return
    if core.text(0).startswith("+"):
        assert proposed and found == "250"


CARE = st.lists(
    st.sampled_from(
        [
            ["m", "g", "1", "enter"],
            ["m", "g", "2", "enter", "3", "enter"],
            ["m", "down", "down", "g", "1", "tab", *"10", "enter", "enter", *"Jo", "enter"],
            ["m", "s", "1", "enter"],
            ["m", "w", *"ors", "enter", *"400", "enter", "1", "1", "enter", "enter"],
            ["c", "o", *"amox", "1", *"250", "enter", "1", "1", "3", "enter", "enter"],
            ["c", "o", *"examplin", "enter", "+", "enter", "enter", "enter", "enter", "enter"],
            ["c", "a", "n", *"12", "enter", "1", "3", "enter"],
            ["c", "a", "n", *"pea", "enter", "enter", "enter"],
            ["c", "a", "k", *"why", "enter"],
            ["c", "p", "n", *"mal", "1", "enter", "enter"],
            ["c", "p", "r", "enter"],
            ["c", "d", *"dres", "1", "enter", "enter"],
            ["c", "x", "7", "enter", "enter", "enter", "enter", "enter"],
            ["c", "n", *"more", "enter"],
            ["escape"],
            ["f8", "enter"],
        ]
    ),
    max_size=4,
)  # fmt: skip


class Ill(Slow):
    """A person before the chart of somebody who has everything there is of care."""

    def __init__(self):
        super().__init__()
        in_care(self.node, "pat_00003")
        self.strike("enter")
        self.settle()
        self.look()


def slowly(keys) -> Ill:
    """Return the shell and node of a person who reads the screen before every key."""
    person = Ill()
    for key in keys:
        person.strike(key)
        person.settle()
        person.look()
    return person


@given(CARE, STEPS)
def test_forms_of_care_write_at_any_speed_what_they_write_slowly_or_stop_at_a_question(
    scripts, steps
):
    keys = [key for script in scripts for key in script]
    slow, fast = slowly(keys), Ill()

    waits, before = iter(steps), None
    for key in keys:
        answers, drawn, passed_ms = next(waits, (0, False, 0))
        fast.answer(answers)
        if drawn:
            fast.shell.shown(fast.now_ms)
        fast.now_ms += passed_ms
        fast.strike(key)
        if fast.shell.dropped and before is None:
            before = len(fast.node.written)
    fast.settle()

    # Whatever came before the first question that nobody had read yet is the same.
    known = len(fast.node.written) if before is None else before
    event("went through" if before is None else "stopped at a question")
    assert written(fast.node)[:known] == written(slow.node)[:known]
    if before is None and not fast.shell.dropped:
        assert written(fast.node) == written(slow.node)
