"""Every checker is content with good disks, and finds the one thing that is wrong."""

from __future__ import annotations

from protocols.feeds.lane import Lane
from protocols.sim import checkers
from tests.simulation.paper import Stage, Told, paper_of


def settled() -> Stage:
    stage = Stage()
    for seq in range(1, 4):
        stage.everywhere(
            seq, stage.writes(seq, 0, seq, text=f"drinks [{seq}]"), text=f"drinks [{seq}]"
        )
    return stage


def test_good_disks_satisfy_every_checker():
    world = settled().world

    findings = [
        checkers.nothing_saved_is_lost(world),
        checkers.all_agree(world),
        checkers.nothing_forged(world),
        checkers.judged_alike(world),
        checkers.urgent_overtakes(world, world.hosts[1]),
        checkers.carriers_are_blind(world, "drinks", 0),
        checkers.nothing_twice(world),
    ]

    assert all(finding.ok for finding in findings), findings


def test_a_record_that_one_disk_lacks_is_lost():
    stage = settled()
    stage.everywhere(9, stage.writes(9, 1, 1), but=(2,))

    assert not checkers.nothing_saved_is_lost(stage.world).ok
    assert not checkers.all_agree(stage.world).ok


def test_a_record_called_saved_that_no_disk_ever_held_is_lost():
    stage = settled()
    stage.writes(9, 1, 1, kept=False)

    assert not checkers.nothing_saved_is_lost(stage.world).ok


def test_an_entry_that_is_there_but_not_readable_is_lost():
    stage = settled()
    name = stage.writes(9, 1, 1, text="splint renewed [9]")
    stage.puts(9, 0, name, text="splint renewed [9]")
    stage.puts(9, 2, name, rows=0)

    assert not checkers.nothing_saved_is_lost(stage.world).ok


def test_a_record_shown_with_other_words_is_lost():
    stage = settled()
    name = stage.writes(9, 1, 1, text="splint renewed [9]")
    stage.puts(9, 0, name, text="splint renewed [9]")
    stage.puts(9, 2, name, text="splint removed [9]")

    assert not checkers.nothing_saved_is_lost(stage.world).ok
    assert checkers.all_agree(stage.world).detail.startswith("rows differ")


def test_a_relay_need_not_show_what_it_holds():
    stage = settled()
    stage.hosts[2].reads = False
    paper_of(stage.hosts[2]).table.clear()

    assert checkers.nothing_saved_is_lost(stage.world).ok
    assert checkers.all_agree(stage.world).ok


def test_what_went_down_with_its_only_disk_is_not_called_lost():
    stage = settled()
    stage.writes(9, 1, 1)
    paper_of(stage.hosts[1]).held.pop()
    paper_of(stage.hosts[1]).table.pop()
    stage.world.witness.disk_replaced(stage.hosts[1], 10_000_000)

    assert stage.world.witness.doomed == {"1-1"}
    assert checkers.nothing_saved_is_lost(stage.world).ok


def test_digests_that_differ_over_equal_rows_are_found():
    stage = settled()
    paper_of(stage.hosts[1]).said = {"care": "other"}

    assert not checkers.all_agree(stage.world).ok


def test_an_entry_first_seen_on_somebody_elses_disk_is_forged():
    stage = settled()
    forged = stage.entry(0, 4, salt=1)
    stage.puts(9, 2, forged)
    stage.puts(10, 0, forged)

    assert not checkers.nothing_forged(stage.world).ok


def test_what_only_the_forger_holds_was_not_accepted():
    stage = settled()
    stage.hosts[2].honest = False
    stage.puts(9, 2, stage.entry(0, 4, salt=1))

    assert checkers.nothing_forged(stage.world).ok


def test_two_verdicts_about_one_entry_are_found():
    stage = settled()
    name = stage.entry(0, 1)
    paper_of(stage.hosts[0]).verdicts[name] = "void seal"
    assert not checkers.judged_alike(stage.world).ok

    for host in stage.hosts:
        paper_of(host).verdicts[name] = "void seal"
    assert checkers.judged_alike(stage.world).ok
    paper_of(stage.hosts[2]).verdicts[name] = "waiting key"
    assert not checkers.judged_alike(stage.world).ok


def backlog(urgent_at_s: int) -> Stage:
    stage = Stage(2)
    names = [stage.writes(1, 0, seq) for seq in range(1, 101)]
    urgent = stage.writes(2, 0, 101, lane=Lane.URGENT)
    arrivals = [(10 + place, name, Lane.ROUTINE) for place, name in enumerate(names)]
    for at_s, name, lane in sorted([*arrivals, (urgent_at_s, urgent, Lane.URGENT)]):
        stage.puts(at_s, 1, name, lane=lane)
    return stage


def test_an_urgent_record_that_passes_the_queue_is_well():
    stage = backlog(urgent_at_s=12)

    finding = checkers.urgent_overtakes(stage.world, stage.hosts[1], demand=True)

    assert finding.ok
    assert finding.detail.startswith("1 urgent")


def test_an_urgent_record_that_waits_its_turn_is_found():
    stage = backlog(urgent_at_s=109)

    assert not checkers.urgent_overtakes(stage.world, stage.hosts[1]).ok


def test_what_somebody_else_held_before_an_urgent_record_was_written_is_on_a_way_of_its_own():
    stage = backlog(urgent_at_s=109)
    stage.world.witness.seen[2] = {
        name: 1 for saved in stage.world.witness.records[:100] for name in saved.entries
    }

    assert checkers.urgent_overtakes(stage.world, stage.hosts[1]).ok
    assert not checkers.urgent_overtakes(stage.world, stage.hosts[1], demand=True).ok


def test_what_somebody_else_held_together_with_the_urgent_record_has_to_wait_for_it():
    stage = backlog(urgent_at_s=109)
    stage.world.witness.seen[2] = {
        name: 1 for saved in stage.world.witness.records for name in saved.entries
    }

    assert not checkers.urgent_overtakes(stage.world, stage.hosts[1]).ok


def test_what_an_older_disk_holds_did_not_come_with_it():
    stage = settled()
    host = stage.hosts[1]
    before = dict(stage.world.witness.seen[host.place])

    stage.world.witness.disk_replaced(host, 10**9)

    assert stage.world.witness.seen[host.place] == before


def test_a_drill_without_a_queue_proves_nothing_about_urgency():
    stage = settled()

    assert checkers.urgent_overtakes(stage.world, stage.hosts[1]).ok
    assert not checkers.urgent_overtakes(stage.world, stage.hosts[1], demand=True).ok


def test_clear_text_on_a_relay_or_a_wire_is_found():
    stage = settled()
    stage.hosts[2].reads = False

    assert not checkers.carriers_are_blind(stage.world, "drinks", 0).ok
    paper_of(stage.hosts[2]).table.clear()
    assert checkers.carriers_are_blind(stage.world, "drinks", 0).ok
    assert not checkers.carriers_are_blind(stage.world, "drinks", 1).ok


def test_a_search_for_a_word_that_nobody_wrote_proves_nothing():
    assert not checkers.carriers_are_blind(settled().world, "Qanarynka", 0).ok


def test_a_note_that_shows_twice_is_found():
    stage = settled()
    for host in stage.hosts:
        paper_of(host).table.append(paper_of(host).table[0])

    assert not checkers.nothing_twice(stage.world).ok


def test_one_key_that_became_two_records_is_found():
    stage = settled()
    stage.everywhere(9, stage.writes(9, 1, 1, key="0-1"))

    assert not checkers.nothing_twice(stage.world).ok


def test_an_entry_that_nobody_asked_for_is_found_unless_it_was_there_before():
    stage = Stage()
    stage.everywhere(0, stage.entry(0, 1))
    stage.world.witness.begin()
    assert checkers.nothing_twice(stage.world).ok

    stage.everywhere(9, stage.entry(1, 1))
    assert not checkers.nothing_twice(stage.world).ok


def test_a_repeated_answer_to_a_line_that_got_none_counts_once():
    stage = settled()
    name = stage.entry(1, 1)
    stage.everywhere(8, name)
    line = {"v": 1, "kind": "note.add", "key": "1-1", "data": {}}
    told = Told(str(name.feed), 1, repeated=True)
    for _ in range(2):
        stage.world.witness.answered(stage.hosts[1], 9_000_000, line, told)

    assert checkers.nothing_twice(stage.world).ok
    assert len(stage.world.witness.records) == 4
