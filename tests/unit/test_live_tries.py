"""How often a passphrase may be tried."""

from protocols.live.tries import FREE_TRIES, WAIT_FIRST_MS, WAIT_LONGEST_MS, Tries


def waits(count):
    """Try wrongly as soon as it is allowed; return the wait after each."""
    tries, now, found = Tries(), 0, []
    for _ in range(count):
        now += tries.wait_ms(now)
        tries.wrong(now)
        found.append(tries.wait_ms(now))
    return found


def test_a_few_wrong_ones_cost_nothing_then_the_waits_double():
    found = waits(FREE_TRIES + 3)

    assert found[: FREE_TRIES - 1] == [0] * (FREE_TRIES - 1)
    first = WAIT_FIRST_MS
    assert found[FREE_TRIES - 1 :] == [first, 2 * first, 4 * first, 8 * first]


def test_no_wait_is_longer_than_the_longest():
    assert waits(60)[-1] == WAIT_LONGEST_MS


def test_a_right_one_forgets_the_wrong_ones():
    tries = Tries()
    for _ in range(FREE_TRIES):
        tries.wrong(0)
    tries.right()

    assert tries.wait_ms(0) == 0
    tries.wrong(0)
    assert tries.wait_ms(0) == 0


def test_a_wait_ends():
    tries = Tries()
    for _ in range(FREE_TRIES):
        tries.wrong(1_000)

    assert tries.wait_ms(1_000 + WAIT_FIRST_MS - 1) == 1
    assert tries.wait_ms(1_000 + WAIT_FIRST_MS) == 0


def test_a_wait_that_was_earned_before_a_restart_begins_anew():
    again = Tries(FREE_TRIES + 1, 500)

    assert again.wait_ms(500) == 2 * WAIT_FIRST_MS
    again.wrong(500 + 2 * WAIT_FIRST_MS)
    assert again.wait_ms(500 + 2 * WAIT_FIRST_MS) == 4 * WAIT_FIRST_MS
    assert Tries(FREE_TRIES - 1, 500).wait_ms(500) == 0
