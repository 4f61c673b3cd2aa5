"""A child is given nothing by keys that were struck before anybody saw who it is."""

from hypothesis import given
from hypothesis import strategies as st

from tests.property.test_tui_shell import Slow

CHILDREN = st.lists(
    st.sampled_from(
        [
            [*"]C0TG-000412", "enter", "enter"],
            [*"]C0KM-1", "enter", *"22", "enter", "2", "enter"],
            [*"]C0KM-2", "enter", *"3y", "enter", "1", "1", "enter"],
            [*"]C0KM-3", "enter", *"9", "enter", "2", "0", "1", "enter"],
            [*"]C0KM-4", "enter", *"30", "enter", "2", "n", *"Okoro", "enter", "enter"],
            [*"]d2MR", "enter", "enter"],
            ["escape"],
            ["f8", "enter"],
        ]
    ),
    max_size=4,
)


@given(CHILDREN, st.lists(st.integers(0, 2), max_size=90))
def test_what_is_struck_without_looking_gives_a_beginning_of_it_and_nothing_else(children, steps):
    keys = [key for child in children for key in child]
    slow = Slow()
    for key in ["f4", "enter"]:
        slow.strike(key)
        slow.settle()
        slow.look()
    for number, key in enumerate(keys):
        slow.strike(key)
        slow.answer(steps[number] if number < len(steps) else 0)
    slow.settle()

    # Nothing is given to a child whom nobody saw: the first question stops all of it.
    assert not [line for line in slow.node.written if line["kind"] == "dose.record"]
