"""Lines that are slow, narrow, lossy and cut, and still keep order."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from protocols.sim.clock import HOUR_US, SECOND_US
from protocols.sim.network import LineShape, Network

SHAPES = st.builds(
    LineShape,
    delay_us=st.integers(0, 600_000),
    jitter_us=st.integers(0, 600_000),
    loss=st.floats(0, 0.9),
    rate_bps=st.sampled_from((0, 9_600, 1_000_000)),
)


@given(
    SHAPES, st.integers(0, 999), st.lists(st.tuples(st.integers(0, 9_000), st.integers(0, 10**6)))
)
def test_messages_arrive_in_the_order_they_were_sent(shape, seed, messages):
    network, at_us, arrivals = Network(Random(seed), shape), 0, []
    for size, pause_us in messages:
        at_us += pause_us
        arrivals.append(network.arrival_us(0, 1, size, at_us))

    assert arrivals == sorted(set(arrivals))


def test_a_narrow_line_makes_messages_queue():
    network = Network(Random(1), LineShape(delay_us=0, rate_bps=80_000))

    first, second = (network.arrival_us(0, 1, 9_520, 0) for _ in range(2))

    assert abs(first - SECOND_US) < 10_000
    assert abs(second - 2 * SECOND_US) < 20_000


def test_loss_is_lateness_and_never_a_gap():
    lossy = Network(Random(1), LineShape(delay_us=1_000, loss=0.5))

    late = [lossy.arrival_us(0, 1, 100, at) - at for at in range(0, 200 * HOUR_US, HOUR_US)]

    assert len(late) == 200
    assert 60 < sum(one > 2_000 for one in late) < 140


def test_a_partition_cuts_between_groups_only_and_heals_what_is_inside_one():
    network = Network(Random(1))
    network.cut(0, 1)

    network.partition([[0, 1], [2]])

    assert network.through(0, 1)
    assert not network.through(0, 2)
    network.heal_all()
    assert network.through(1, 2)


def test_one_way_cuts_are_one_way_and_each_cut_has_its_own_number():
    network = Network(Random(1))

    network.cut(0, 1)
    first = network.cut_no(0, 1)
    assert first and not network.cut_no(1, 0)
    network.heal(0, 1)
    network.cut(0, 1)

    assert network.cut_no(0, 1) not in (0, first)
