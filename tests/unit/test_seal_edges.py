"""The instants at which seals and licences cut, and what of a seal is let through again."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from protocols.errors import InputError
from protocols.ids import DeviceId, EntryHash
from protocols.ledger import persons, practice, sealing
from protocols.ledger.persons import Grant
from protocols.ledger.sealing import SealOrder
from protocols.live.local import Caller
from protocols.records.kinds import KindNo
from protocols.trust.control import Place, SealReason
from protocols.trust.positions import Positions
from protocols.trust.standing import Standing
from tests.unit import people
from tests.unit.stage import WALL_MS, Device, Stage, camp, meshed, note, patient, triage
from tests.unit.test_foreign import Beside, answer_of, desk_on
from tests.unit.test_ledger_sealing import seal, standings

STANDS, QUARANTINED = int(Standing.STANDS), int(Standing.QUARANTINED)
LICENCE_MS = 20 * 60_000
"""How long the licence of a test is still valid, by a right clock."""


def two_notes() -> tuple[Stage, Device, Device, list[int]]:
    """Ben's two notes, known to Ann, and the milliseconds that they say they were written at."""
    stage, (ann, ben) = meshed(("ann", "ben"))
    whom = stage.write(ben, patient("Amina"))[0].code or ""
    for text in ("one", "two"):
        stage.run(60_000)
        stage.write(ben, note(whom, text))
    stage.run(2_000)
    standings(ann)
    at = ann.store.all(
        "SELECT e.clock >> 16 FROM note n JOIN entry e ON e.arrival = n.entry ORDER BY e.clock"
    )
    return stage, ann, ben, [each for (each,) in at]


@pytest.mark.parametrize(
    ("which", "later_ms", "stand"), [(0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 2)]
)
def test_what_was_written_in_the_very_millisecond_of_the_cut_is_kept_back(
    which: int, later_ms: int, stand: int
) -> None:
    """A seal says *before this instant*: what stands at it does not count, what lies below does."""
    stage, ann, ben, at = two_notes()
    order = SealOrder(SealReason.COMPROMISED, since_ms=at[which] + later_ms)
    seal(stage, ann, ben.id, order)

    assert [standing for _, standing in standings(ann)] == [STANDS] * stand + [QUARANTINED] * (
        2 - stand
    )


def test_an_extension_lets_through_the_feeds_and_the_time_it_names_and_no_more() -> None:
    stage, ann, ben, at = two_notes()
    seal(stage, ann, ben.id, SealOrder(SealReason.COMPROMISED, since_ms=1))
    kept = {bytes(each.feed.feed_id): each for each in sealing.kept_back(ann.ledger)}
    assert [standing for _, standing in standings(ann)] == [QUARANTINED] * 2
    entry = EntryHash(next(iter(kept.values())).seal)
    (of_notes,) = ann.store.all(
        "SELECT DISTINCT f.feed_id FROM note n JOIN entry e ON e.arrival = n.entry"
        " JOIN feed f ON f.no = e.feed"
    )

    others = kept.keys() - {bytes(of_notes[0])}
    assert others
    sealing.extend(ann.ledger, entry, WALL_MS, feeds=others)
    ann.ledger.catch_up_all()
    assert [standing for _, standing in standings(ann)] == [QUARANTINED] * 2
    sealing.extend(ann.ledger, entry, WALL_MS, upto_ms=at[1])
    assert standings(ann) == [("one", STANDS), ("two", QUARANTINED)]


def test_a_licence_that_hq_has_seen_end_has_ended_though_the_clock_here_is_behind() -> None:
    stage, (hq, tent) = Stage(), camp(("hq", "tent"), hq=True)
    stage.link(hq, tent)
    stage.run(5_000)
    who = people.profile(licence_until_ms=WALL_MS + LICENCE_MS)
    key = people.made(tent)
    (role, *_) = sorted(hq.ledger.authority.roster.device(tent.id).roles)
    raw = persons.add(hq.ledger, key, who, Grant((role,)), hq.chance.randbytes, WALL_MS)
    persons.take_in(tent.ledger, raw, WALL_MS)
    sitting, kind = people.sit(tent), int(KindNo.NOTE_ADD)
    (answer,) = stage.write(tent, patient("Musa"))
    stage.run(LICENCE_MS + 10 * 60_000)
    stage.write(tent, patient("Later"))
    stage.run(30_000)
    assert tent.ledger.trusted_ms > WALL_MS + LICENCE_MS

    # The clock of the tent has gone back to the day of its founding.
    assert practice.gate(tent.ledger, sitting, kind, WALL_MS).reason == "licence_ended"
    with pytest.raises(InputError) as refused:
        practice.must_practise(tent.ledger, sitting, kind, WALL_MS)
    assert refused.value.code == "licence_ended"
    (written,) = people.write(tent, sitting, note(answer.patient))
    assert written.error == "licence_ended"
    assert DeviceId(sitting.person) in tent.ledger.authority.roster.members()

    class Behind(Beside):
        """The same node, asked by a terminal whose wall clock is behind."""

        async def call(self, run):
            now = msgspec.structs.replace(stage.now(tent), wall_ms=WALL_MS)
            found, _ = run(tent.node, now)
            return found

    desk = desk_on(Behind(stage, tent)).handlers()
    (line,) = answer_of(desk["people"](Caller(7, 0), {}))
    assert line.licence_ended


def test_who_may_not_seal_cannot_let_anything_through_either() -> None:
    """Nothing is written, and nobody is told that it was let through."""
    stage, (ann, ben, eve) = meshed(("ann", "ben", "eve"))
    whom = stage.write(ben, patient("Amina"))[0].code or ""
    stage.run(2_000)
    stage.write(ben, note(whom, "one"))
    stage.run(2_000)
    seal(stage, ann, ben.id, SealOrder(SealReason.COMPROMISED, since_ms=1))
    stage.run(2_000)
    (kept, *_) = sealing.kept_back(eve.ledger)
    before = eve.entries

    with pytest.raises(InputError) as refused:
        sealing.extend(eve.ledger, kept.seal, WALL_MS)
    assert refused.value.code == "may_not_seal"
    assert eve.entries == before
    assert [standing for _, standing in standings(eve)] == [QUARANTINED]


def test_an_act_in_the_millisecond_of_a_licences_end_is_looked_at_and_the_earliest_counts() -> None:
    ann = people.founder()
    people.enrol(ann)
    sitting = people.sit(ann)
    people.write(ann, sitting, patient("Musa"))
    ann.ledger.catch_up_all()
    (at_ms,) = (ms for (ms,) in ann.store.all("SELECT DISTINCT clock >> 16 FROM strand"))

    def end(since_ms: int) -> int:
        order = SealOrder(SealReason.LICENCE_ENDED, since_ms=since_ms)
        nonce = ann.chance.randbytes(24)
        sealing.seal(ann.ledger, DeviceId(sitting.person), order, nonce, WALL_MS)
        return len(practice.for_review(ann.ledger))

    assert end(at_ms + 1) == 0
    assert end(at_ms) == 1
    # A later date, said afterwards, takes none of them off the list.
    assert end(at_ms + 60_000) == 1


def test_a_device_whose_role_is_reduced_still_serves_the_persons_who_may_write() -> None:
    """The reduction is of what it may write by itself; who sits there has a role of their own."""
    ann, ben = people.camp("ben")
    persons.take_in(ben.ledger, people.enrol(ann), WALL_MS)
    sitting = people.sit(ben)
    (first,) = people.write(ben, sitting, patient("Musa"))
    people.synced(ann, ben)
    order = SealOrder(SealReason.ROLE_REDUCED, roles=(people.RELAY,))
    sealing.seal(ann.ledger, ben.id, order, bytes(24), WALL_MS)
    people.synced(ann, ben)
    people.write(ben, sitting, note(first.patient, "by a nurse"))
    people.write(ben, None, triage(first.patient))
    people.synced(ann, ben)

    for device in (ann, ben):
        assert standings(device) == [("by a nurse", STANDS)]
        assert [standing for _, standing in standings(device, "triage")] != [STANDS]


def test_an_entry_that_names_another_attestation_of_the_same_place_is_not_the_persons() -> None:
    """A device whose control feed forked has two attestations of one number."""
    ann, ben = people.camp("ben")
    persons.take_in(ben.ledger, people.enrol(ann), WALL_MS)
    sitting = people.sit(ben)
    (first,) = people.write(ben, sitting, patient("Musa"))
    other = replace(sitting, session=(sitting.session[0], b"none"))
    people.write(ben, sitting, note(first.patient, "hers"))
    people.write(ben, other, note(first.patient, "not hers"))
    people.synced(ann, ben)

    for device in (ann, ben):
        assert standings(device) == [("hers", STANDS), ("not hers", int(Standing.UNCHECKED))]


def test_below_a_head_that_is_not_here_nothing_of_a_forked_feed_counts() -> None:
    """Nobody can say yet on which branch the head lies that a seal names."""

    def at(seq: int, entry: bytes, prev: bytes) -> Place:
        named = {"author": b"a" * 32, "epoch": b"e" * 8, "feed": b"f" * 32}
        return Place(**named, seq=seq, entry=entry * 32, prev=prev * 32)  # type: ignore[arg-type]

    one, two = at(1, b"1", b"0"), at(2, b"2", b"1")
    places = Positions()
    for place in (one, two):
        places.add(place)
    assert places.covered(two, 3, b"h" * 32)
    assert not places.covered(two, 1, one.entry)
    assert places.add(at(2, b"3", b"1"))
    assert not places.covered(one, 3, b"h" * 32)
    assert not places.covered(two, 3, b"h" * 32)
