"""Each checker judges a scope by those who may hold or read it, and by nobody else."""

from __future__ import annotations

from protocols.sim import checkers
from tests.simulation.paper import Stage, paper_of

HOME, ABROAD = b"home" * 4, b"abrd" * 4


def border(*, more: int = 0) -> Stage:
    """Two devices that may hold `HOME`, and one, the last, that may hold `ABROAD` only."""
    stage = Stage(3 + more)
    for host in stage.hosts:
        host.holds = host.shows = frozenset((HOME,))
    stage.hosts[-1].holds = stage.hosts[-1].shows = frozenset((ABROAD,))
    name = stage.writes(1, 0, 1, text="splint renewed [1]", scope=HOME)
    for place in range(1, len(stage.hosts) - 1):
        stage.puts(1, place, name, text="splint renewed [1]", scope=HOME)
    stage.writes(2, len(stage.hosts) - 1, 1, text="walks again [2]", scope=ABROAD)
    return stage


def test_what_somebody_may_not_hold_is_not_lost_there():
    world = border().world

    assert checkers.level(world)
    assert checkers.nothing_saved_is_lost(world).ok
    assert checkers.judged_alike(world).ok
    assert checkers.nothing_twice(world).ok


def test_what_one_of_two_holders_lacks_is_lost_though_a_third_may_not_hold_it():
    stage = border()
    stage.writes(9, 0, 2, text="drinks [9]", scope=HOME)

    assert not checkers.level(stage.world)
    assert checkers.all_agree(stage.world).detail == "entries differ: lacking {'n1': 1}"
    assert not checkers.nothing_saved_is_lost(stage.world).ok


def test_rows_about_somebody_are_compared_among_those_who_may_read_all_of_it():
    stage = border(more=1)
    for host in stage.hosts:
        paper_of(host).table = [(b"amina", b"", "seen")] if host.shows == {HOME} else []
        paper_of(host).about = {b"amina": frozenset((HOME,))} if host.shows == {HOME} else {}
    assert checkers.all_agree(stage.world).ok

    paper_of(stage.hosts[1]).table.append((b"amina", b"", "seen again"))

    assert checkers.all_agree(stage.world).detail == "rows differ: 1 in note between n0 and n1"


def test_two_verdicts_of_readers_are_found_and_a_blind_one_is_not_asked():
    stage = border(more=1)
    name = stage.entry(0, 1)
    paper_of(stage.hosts[-1]).verdicts[name] = "waiting key"
    assert checkers.judged_alike(stage.world).ok

    paper_of(stage.hosts[1]).verdicts[name] = "void seal"

    assert not checkers.judged_alike(stage.world).ok


def test_an_entry_that_a_disk_held_once_and_holds_no_more_is_found():
    stage = border()
    paper_of(stage.hosts[1]).held.pop()

    finding = checkers.nothing_saved_is_lost(stage.world)

    assert (finding.ok, finding.detail) == (
        False,
        "1 entries are on a disk no more, first: seq 1 at n1",
    )


def test_words_that_were_ordered_away_need_not_show_though_their_entry_stays():
    stage = border()
    paper_of(stage.hosts[1]).table.clear()
    assert not checkers.nothing_saved_is_lost(stage.world).ok

    stage.world.witness.erased.add("0-1")

    assert checkers.nothing_saved_is_lost(stage.world).ok
