"""Checkers of what happens between organisations: content with good disks, each sees its bug."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from protocols.feeds.lane import Lane
from protocols.sim import borders
from protocols.sim.book import CONTROL, Shown
from protocols.sim.borders import Theft
from tests.simulation.paper import Stage, paper_of

HOME, ABROAD = b"home" * 4, b"abrd" * 4
WORD = "Wxkeloria"
LATER_S = 200


class Border(Stage):
    """Two devices that read `HOME`, a relay that carries it, and one of another law."""

    def __init__(self) -> None:
        super().__init__(4)
        for host in self.hosts:
            host.holds = host.shows = frozenset((HOME,))
            host.org = "ministry"
        self.hosts[2].reads, self.hosts[2].org = False, "mules"
        self.hosts[3].holds = self.hosts[3].shows = frozenset((ABROAD,))
        self.hosts[3].org = "team"
        self.first = self.wrote(1, 0, 1)

    def entry(self, author, seq, salt=0):
        return super().entry(author, seq, salt or author + 1)

    def wrote(self, at_s, author, seq):
        """Somebody writes, and it comes to all who may hold it."""
        name = self.writes(at_s, author, seq, text=f"{WORD} [{author}-{seq}]", scope=HOME)
        for place, host in enumerate(self.hosts[:3]):
            if place != author:
                self.puts(at_s, place, name, text=WORD, rows=int(host.reads), scope=HOME)
            if host.reads:
                paper_of(host).readable.setdefault(HOME, []).append(name)
                paper_of(host).shown.append(Shown("note", bytes(name.hash), 0, 0))
        return name

    def says(self, host, entry, kind, *fields):
        """A control record comes onto every disk."""
        body = bytes([kind]) + msgspec.msgpack.encode(fields)
        for each in self.hosts:
            paper_of(each).records.append((bytes(self.hosts[host].machine.device), entry, body))

    def address(self, host):
        return bytes(self.hosts[host].machine.device)[:8]


def test_nothing_forbidden_is_anywhere():
    stage = Border()
    assert borders.nobody_holds_what_its_law_forbids(stage.world).ok

    stage.puts(9, 3, stage.first, scope=HOME)

    assert not borders.nobody_holds_what_its_law_forbids(stage.world).ok


def test_of_a_released_history_headers_and_released_bodies_may_be_there_and_no_other_body():
    stage = Border()
    other = stage.wrote(2, 0, 2)
    stage.puts(9, 3, stage.first, rows=0, scope=HOME)
    stage.puts(9, 3, other, rows=0, scope=HOME)
    stage.hosts[3].released = {stage.first}
    paper_of(stage.hosts[3]).bodiless = {other}
    assert borders.nobody_holds_what_its_law_forbids(stage.world).ok

    paper_of(stage.hosts[3]).bodiless = set()

    assert not borders.nobody_holds_what_its_law_forbids(stage.world).ok


def test_a_camp_without_a_border_proves_nothing():
    stage = Border()
    stage.hosts[3].holds = None

    assert not borders.nobody_holds_what_its_law_forbids(stage.world).ok


def test_an_open_entry_at_who_may_not_read_is_found():
    stage = Border()
    words = {HOME: WORD}
    assert borders.only_readers_read(stage.world, words).ok

    paper_of(stage.hosts[2]).readable = {HOME: [stage.first]}

    assert not borders.only_readers_read(stage.world, words).ok


@pytest.mark.parametrize("text", [WORD, WORD.lower()[2:], f"seen {WORD} today"])
def test_a_word_that_leaks_is_found_also_in_an_index_that_cuts_it(text):
    stage = Border()
    paper_of(stage.hosts[3]).table.append((b"", b"", text))

    assert not borders.only_readers_read(stage.world, {HOME: WORD}).ok


def test_a_word_that_no_reader_holds_proves_nothing():
    assert not borders.only_readers_read(Border().world, {HOME: "Vqjapolia"}).ok


def stolen() -> tuple[Border, Theft]:
    """Device 1 wrote one entry below and one above its seal; device 0 wrote what it attacked."""
    stage = Border()
    stage.wrote(2, 1, 1)
    above = stage.wrote(3, 1, 2)
    for host in stage.hosts[:2]:
        paper_of(host).shown[-1] = Shown("note", bytes(above.hash), 3, 0)
    stage.hosts[1].honest = False
    stage.wrote(LATER_S, 0, 2)
    theft = Theft(
        stage.hosts[1], frozenset((above,)), frozenset((bytes(stage.first.hash),)), 100_000_000
    )
    return stage, theft


def test_what_is_above_a_seal_is_marked_and_changes_nothing():
    stage, theft = stolen()

    assert borders.nothing_above_the_seal_counts(stage.world, theft).ok


@pytest.mark.parametrize(
    ("row", "standing", "replaced", "found"),
    [
        (2, 0, 0, "of the thief counts"),
        (0, 0, 1, "the thief changed"),
        (0, 3, 0, "the thief changed"),
        (1, 3, 0, "from before counts not"),
    ],
)
def test_each_way_in_which_a_seal_can_fail_is_found(row, standing, replaced, found):
    stage, theft = stolen()
    shown = paper_of(stage.hosts[0]).shown
    shown[row] = shown[row]._replace(standing=standing, replaced=replaced)

    finding = borders.nothing_above_the_seal_counts(stage.world, theft)

    assert not finding.ok
    assert found in finding.detail


def test_what_the_thief_took_away_is_found():
    stage, theft = stolen()
    del paper_of(stage.hosts[0]).shown[0]

    assert "took something" in borders.nothing_above_the_seal_counts(stage.world, theft).detail


def test_what_was_dropped_above_a_seal_is_found():
    stage, theft = stolen()
    (above,) = theft.above
    del stage.world.witness.seen[2][above]

    assert "dropped" in borders.nothing_above_the_seal_counts(stage.world, theft).detail


def test_data_that_comes_to_a_sealed_device_is_found():
    stage, theft = stolen()
    late = stage.wrote(LATER_S + 1, 0, 3)
    assert not borders.sealed_gets_nothing(stage.world, theft).ok

    del stage.world.witness.seen[1][late]
    del stage.world.witness.seen[1][stage.entry(0, 2)]

    assert borders.sealed_gets_nothing(stage.world, theft).ok


def test_a_seal_that_not_everybody_heard_of_is_found():
    stage, theft = stolen()
    unknown = Theft(theft.stolen, theft.above, theft.attacked, None)

    assert not borders.sealed_gets_nothing(stage.world, unknown).ok
    assert not borders.new_keys_are_kept_from_it(stage.world, unknown).ok


def test_a_sealed_device_that_can_still_be_read_or_takes_nothing_down_is_found():
    stage, theft = stolen()
    laptop = paper_of(stage.hosts[1])
    laptop.readable, laptop.table = {}, []
    captured = [saved for saved in stage.world.witness.records if saved.key == "1-2"]

    def finding(records=captured):
        return borders.sealed_reads_nothing_and_still_writes(stage.world, theft, records, WORD)

    assert finding().ok
    assert not finding([]).ok
    laptop.table.append((b"", b"", WORD))
    assert "still be read" in finding().detail
    laptop.table.clear()
    laptop.readable = {HOME: [stage.first]}
    assert "still be read" in finding().detail
    laptop.readable = {}
    paper_of(stage.hosts[0]).readable = {HOME: [stage.first]}
    assert "is shut at n0" in finding().detail


def test_a_shared_scope_that_one_reader_cannot_read_or_one_organisation_wrote_alone_is_found():
    stage = Border()
    stage.hosts[3].holds = stage.hosts[3].shows = frozenset((HOME, ABROAD))
    paper_of(stage.hosts[3]).readable = {HOME: [stage.first]}
    assert "no two organisations" in borders.shared_scope_is_read(stage.world, HOME).detail

    theirs = stage.writes(2, 3, 1, text="counted", scope=HOME)
    for host in (*stage.hosts[:2], stage.hosts[3]):
        paper_of(host).readable = {HOME: [stage.first, theirs]}
    assert borders.shared_scope_is_read(stage.world, HOME).ok

    paper_of(stage.hosts[1]).readable = {HOME: [theirs]}
    assert "n1 cannot read" in borders.shared_scope_is_read(stage.world, HOME).detail


def test_a_key_in_use_that_the_thief_was_given_is_found():
    stage, theft = stolen()
    later = stage.entry(0, 2)
    for host in stage.hosts:
        paper_of(host).sealed_under = {stage.first: b"old", later: b"new"}
    stage.says(0, b"old", 4, HOME, b"", [], b"", [(stage.address(1), b"")])
    stage.says(0, b"new", 4, HOME, b"", [], b"", [(stage.address(0), b"")])
    assert borders.new_keys_are_kept_from_it(stage.world, theft).ok

    stage.says(0, b"", 5, b"new", b"", [(stage.address(1), b"")])

    assert not borders.new_keys_are_kept_from_it(stage.world, theft).ok


def test_a_shared_scope_of_which_each_organisation_keeps_its_own_key_is_found():
    stage = Border()
    stage.hosts[3].holds = stage.hosts[3].shows = frozenset((HOME, ABROAD))
    stage.says(0, b"one", 4, HOME, b"", [], b"", [(stage.address(n), b"") for n in (0, 1)])
    stage.says(3, b"two", 4, HOME, b"", [], b"", [(stage.address(3), b"")])
    assert not borders.readers_share_a_key(stage.world, HOME).ok

    stage.says(3, b"", 5, b"one", b"", [(stage.address(3), b"")])

    assert borders.readers_share_a_key(stage.world, HOME).ok
    assert not borders.readers_share_a_key(Border().world, HOME).ok


def test_a_row_that_a_refused_seal_marks_is_found():
    stage = Border()
    assert borders.all_of_them_stand(stage.world, stage.hosts[:1]).ok

    paper_of(stage.hosts[1]).shown[0] = Shown("note", bytes(stage.first.hash), 4, 0)

    assert not borders.all_of_them_stand(stage.world, stage.hosts[:1]).ok
    assert not borders.all_of_them_stand(stage.world, stage.hosts[3:]).ok


def released() -> Border:
    stage = Border()
    stage.puts(9, 3, stage.first, text=f"{WORD} [0-1]", scope=HOME)
    stage.hosts[3].released = {stage.first}
    paper_of(stage.hosts[3]).readable = {HOME: [stage.first]}
    for host in (*stage.hosts[:2], stage.hosts[3]):
        paper_of(host).table = [(b"", stage.first.hash, f"{WORD} [0-1]")]
    return stage


def test_what_is_released_is_read_where_it_is_for_and_nowhere_else():
    stage = released()
    records = stage.world.witness.records
    assert borders.released_is_read(stage.world, records, WORD).ok

    paper_of(stage.hosts[3]).trouble = "signature"
    assert "cannot verify" in borders.released_is_read(stage.world, records, WORD).detail
    paper_of(stage.hosts[3]).trouble = ""
    paper_of(stage.hosts[2]).table.append((b"", b"", WORD))
    assert "not released" in borders.released_is_read(stage.world, records, WORD).detail


def test_a_release_that_does_not_open_or_shows_other_words_is_found():
    stage = released()
    records = stage.world.witness.records
    paper_of(stage.hosts[3]).readable = {}
    assert "are shut" in borders.released_is_read(stage.world, records, WORD).detail

    stage = released()
    paper_of(stage.hosts[3]).table = [(b"", stage.first.hash, "other words")]
    assert "other rows" in borders.released_is_read(stage.world, records, WORD).detail
    assert not borders.released_is_read(Border().world, records, WORD).ok


def erased() -> Border:
    """All who may hold it have erased it and said so to each other."""
    stage = Border()
    stage.world.witness.erased.add("0-1")
    for host in stage.hosts[:3]:
        paper_of(host).bodiless = {stage.first}
        paper_of(host).readable = {}
        paper_of(host).table = []
    for number in range(3):
        stage.says(number, b"", 14, [b"e" * 32])
    return stage


def test_an_erased_record_is_gone_everywhere():
    stage = erased()

    assert borders.erased_is_gone(stage.world, WORD, away=stage.hosts[1]).ok
    assert not borders.erased_is_gone(stage.world, WORD, away=stage.hosts[3]).ok


def test_what_was_only_counted_stays_when_the_patient_is_erased():
    stage = erased()
    counted = stage.entry(0, 1)._replace(seq=7)
    saved = stage.world.witness.records[0]
    stage.world.witness.records[0] = replace(saved, entries=(*saved.entries, counted))
    assert not borders.erased_is_gone(stage.world, WORD).ok

    stage.puts(9, 0, counted, rows=0, scope=ABROAD)

    assert borders.erased_is_gone(stage.world, WORD, counts=ABROAD).ok


def test_each_trace_that_an_erase_leaves_is_found():
    for spoil in (
        lambda stage: setattr(stage.hosts[2].machine, "bodiless", set()),
        lambda stage: setattr(stage.hosts[1].machine, "readable", {HOME: [stage.first]}),
        lambda stage: paper_of(stage.hosts[1]).table.append((b"", b"", WORD)),
        lambda stage: setattr(stage.hosts[1].machine, "trouble", "hash"),
        lambda stage: paper_of(stage.hosts[0]).records.pop(),
        lambda stage: setattr(stage.hosts[2], "reads", True),
    ):
        stage = erased()
        spoil(stage)

        assert not borders.erased_is_gone(stage.world, WORD).ok


def test_control_goes_to_everybody_whatever_the_law():
    stage = Border()
    name = stage.writes(2, 0, 9, lane=Lane.CONTROL, scope=CONTROL)
    stage.puts(2, 3, name, lane=Lane.CONTROL)

    assert borders.nobody_holds_what_its_law_forbids(stage.world).ok
