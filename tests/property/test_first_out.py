"""Which lots leave first: the sum is what was asked for, and nothing promised leaves unasked."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from fieldnode.tui.cores.first_out import Free, first_out


@st.composite
def shelves(draw):
    lots = draw(st.lists(st.sampled_from("ABCDEF"), unique=True, max_size=5))
    found = []
    for lot in lots:
        sure = draw(st.integers(-5, 40))
        found.append(Free(lot, sure, max(sure + draw(st.integers(0, 10)), 0)))
    return found


@given(shelves(), st.integers(1, 300))
def test_what_leaves_is_what_was_said_and_no_more_of_a_lot_than_is_free_while_others_have_some(
    lots, units
):
    said = first_out(lots, units)

    assert sum(n for _, n in said) == units
    assert len({lot for lot, _ in said}) == len(said) and all(n > 0 for _, n in said)
    most = {each.lot: each.most for each in lots}
    beyond = [lot for lot, n in said if n > most.get(lot, 0)]
    assert bool(beyond) == (units > sum(most.values()))
    assert len(beyond) <= 1, "one lot alone is asked about"


@given(shelves(), st.integers(1, 60))
def test_nothing_uncertain_leaves_while_something_certain_is_there_and_the_first_goes_first(
    lots, units
):
    said = dict(first_out(lots, units))
    sure = {each.lot: max(each.sure, 0) for each in lots}
    if units <= sum(sure.values()):
        order = [each.lot for each in lots]
        for before, after in pairwise(order):
            assert said.get(before, 0) == sure[before] or not any(
                said.get(lot) for lot in order[order.index(after) :]
            )
        assert all(n <= sure[lot] for lot, n in said.items())
