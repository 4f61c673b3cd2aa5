"""Seals: what still counts above one, whose seal counts, and how what was wrong is put right."""

from __future__ import annotations

import pytest

from protocols.ids import EntryHash, FeedId, ScopeId
from protocols.trust.certificates import Rank
from protocols.trust.control import (
    Admission,
    Attestation,
    Certificates,
    Founding,
    Place,
    Seal,
    SealReason,
    attested,
)
from protocols.trust.identity import DeviceKeys
from protocols.trust.roster import Roster
from protocols.trust.seals import best
from protocols.trust.standing import Standing
from protocols.trust.statements import statement_hash
from tests.unit.trust_operation import (
    ALL,
    CARE,
    CLINICIAN,
    COUNTS,
    FOUNDED,
    JAPAN,
    LOGISTICIAN,
    MINISTRY,
    OPERATION,
    STOCK,
    TRIAGE,
    Written,
    camp,
    certify,
    entropy,
    keys,
)

ISSUER, COORDINATOR, TENT, HQ = map(keys, ("issuer", "coordinator", "tent", "hq"))
DATA = FeedId(entropy("the tent's feed"))
EPOCH = entropy("epoch", 8)


def roster_of(written: Written) -> Roster:
    roster = Roster(OPERATION)
    for record in written.records:
        roster.add(*record)
    return roster


def seal(
    written: Written,
    by: DeviceKeys,
    subject: DeviceKeys,
    *heads: tuple[bytes, int, bytes],
    reason: SealReason = SealReason.LOST,
    **more: object,
) -> EntryHash:
    """Write a seal; return the entry that carries it."""
    record = Seal(subject.device, reason, tuple(sorted(heads)), **more)  # type: ignore[arg-type]
    return written.write(by, record)[1].entry


def at(roster: Roster, seq: int, *, kind: int = TRIAGE, feed: FeedId = DATA) -> Standing:
    """How an entry of the tent stands at this place of a feed that never forked."""
    judgement = roster.judge((TENT.device, EPOCH), kind, CARE)
    if not judgement.sealed:
        return judgement.standing
    return best(judgement.ways, feed, EPOCH, lambda head, _: seq <= head)


def head(seq: int, feed: FeedId = DATA) -> tuple[bytes, int, bytes]:
    return bytes(feed), seq, entropy(f"entry {seq}")


def test_what_lies_below_a_seal_counts_and_what_lies_above_is_quarantined():
    written = camp()
    seal(written, COORDINATOR, TENT, head(7))
    roster = roster_of(written)

    assert [at(roster, seq) for seq in (1, 7, 8)] == [
        Standing.STANDS,
        Standing.STANDS,
        Standing.QUARANTINED,
    ]
    assert at(roster, 1, kind=STOCK) == Standing.REFUSED
    assert at(roster, 1, feed=FeedId(entropy("another feed"))) == Standing.HELD
    assert roster.standing(TENT.device, TRIAGE, CARE) == Standing.QUARANTINED


def test_a_sealed_device_no_longer_links_reads_holds_or_rotates():
    written = camp()
    assert roster_of(written).may_link(TENT.agree_public) == TENT.device
    seal(written, COORDINATOR, TENT, head(7))
    seal(written, ISSUER, COORDINATOR, written.head(COORDINATOR))
    roster = roster_of(written)

    for gone in (TENT, COORDINATOR):
        assert roster.may_link(gone.agree_public) is None
        assert roster.cut(gone.device)
        assert roster.may_link(gone.agree_public, sealed=True) == gone.device
        assert not roster.may_hold(gone.device, COUNTS)
        assert roster.may_hold(gone.device, ScopeId.zero())
        assert not roster.may_rotate(gone.device, COUNTS)
        assert gone.device not in {device for device, _ in roster.readers(COUNTS)}
        member = roster.device(gone.device)
        assert member is not None and member.sealed == SealReason.LOST
    assert roster.may_link(ISSUER.agree_public) == ISSUER.device


@pytest.mark.parametrize(
    ("by", "of", "reason"),
    [
        (TENT, COORDINATOR, "seal_rank"),
        (TENT, ISSUER, "seal_rank"),
        (TENT, TENT, "seal_rank"),
        (COORDINATOR, COORDINATOR, "seal_rank"),
        (COORDINATOR, ISSUER, "seal_rank"),
        (HQ, TENT, "seal_org"),
        (COORDINATOR, HQ, "seal_org"),
        (keys("stranger"), TENT, "seal_author"),
    ],
)
def test_a_seal_against_equal_rank_upwards_or_another_organisation_is_refused_and_told(
    by: DeviceKeys, of: DeviceKeys, reason: str
):
    written = camp()
    entry = seal(written, by, of)
    roster = roster_of(written)

    assert roster.bounds(of.device) == []
    (refused,) = roster.refused_seals()
    assert (refused.seal, refused.author, refused.subject) == (entry, by.device, of.device)
    assert refused.reason == reason
    assert at(roster, 9_999) == Standing.STANDS


def test_a_coordinator_of_one_scope_cannot_seal_who_works_in_another_too():
    written = camp()
    narrow = keys("narrow")
    written.write(
        ISSUER, Certificates((certify(ISSUER, narrow, Rank.COORDINATOR, scopes=(CARE,), serial=2),))
    )
    seal(written, narrow, TENT)

    assert [each.reason for each in roster_of(written).refused_seals()] == ["seal_scope"]


def test_a_thief_cannot_seal_whoever_seals_him_even_dated_before():
    written = camp()
    seal(written, COORDINATOR, ISSUER)
    theft = written.head(COORDINATOR)
    seal(written, COORDINATOR, TENT, head(0))
    seal(written, ISSUER, COORDINATOR, theft)
    roster = roster_of(written)

    assert roster.bounds(ISSUER.device) == []
    assert at(roster, 9) == Standing.STANDS
    assert {each.reason for each in roster.refused_seals()} == {"seal_rank", "seal_sealed"}


def test_of_one_seals_extensions_the_furthest_counts_and_of_several_seals_the_lowest():
    written = camp()
    first = seal(written, COORDINATOR, TENT, head(3))
    seal(written, COORDINATOR, TENT, head(5), extends=bytes(first))
    seal(written, ISSUER, TENT, head(9), extends=bytes(first))
    assert at(roster_of(written), 9) == Standing.STANDS

    seal(written, ISSUER, TENT, head(6))
    roster = roster_of(written)

    assert at(roster, 6) == Standing.STANDS
    assert at(roster, 7) == Standing.QUARANTINED


def test_a_thief_cannot_extend_his_own_seal():
    written = camp()
    first = seal(written, COORDINATOR, TENT, head(3))
    seal(written, TENT, TENT, head(99), extends=bytes(first))
    seal(written, HQ, TENT, head(99), extends=bytes(first))

    assert at(roster_of(written), 4) == Standing.QUARANTINED


def test_a_feed_that_a_seal_does_not_name_waits_for_an_extension_that_does():
    written, other = camp(), FeedId(entropy("opened while stolen"))
    first = seal(written, COORDINATOR, TENT, head(3))
    assert at(roster_of(written), 1, feed=other) == Standing.HELD

    seal(written, COORDINATOR, TENT, head(2, other), extends=bytes(first))
    roster = roster_of(written)

    assert at(roster, 2, feed=other) == Standing.STANDS
    assert at(roster, 3, feed=other) == Standing.QUARANTINED
    assert at(roster, 3) == Standing.STANDS


def test_a_device_that_is_found_again_counts_and_links_in_its_new_life_only():
    written, later = camp(), entropy("later", 8)
    first = seal(written, COORDINATOR, TENT, head(3))
    seal(written, COORDINATOR, TENT, extends=bytes(first), epochs=(later,))
    roster = roster_of(written)

    assert roster.may_link(TENT.agree_public, epoch=EPOCH) is None
    assert roster.may_link(TENT.agree_public, epoch=later) == TENT.device
    assert not roster.may_hold(TENT.device, COUNTS, EPOCH)
    assert roster.may_hold(TENT.device, COUNTS, later)
    assert at(roster, 4) == Standing.QUARANTINED
    judgement = roster.judge((TENT.device, later), TRIAGE, CARE)
    assert best(judgement.ways, FeedId(entropy("new")), later, lambda *_: False) == Standing.STANDS
    assert TENT.device in {device for device, _ in roster.readers(COUNTS)}


def test_a_reduction_leaves_what_it_lists_and_ends_the_rest_at_its_heads():
    written, both = camp(), keys("both")
    wide = certify(COORDINATOR, both, roles=(CLINICIAN, LOGISTICIAN), serial=2)
    written.write(COORDINATOR, Certificates((wide,)))
    seal(written, COORDINATOR, both, head(4), reason=SealReason.ROLE_REDUCED, roles=(LOGISTICIAN,))
    roster = roster_of(written)

    def standing(kind: int, seq: int) -> Standing:
        judgement = roster.judge((both.device, EPOCH), kind, CARE)
        if not judgement.sealed:
            return judgement.standing
        return best(judgement.ways, DATA, EPOCH, lambda head, _: seq <= head)

    assert standing(STOCK, 99) == Standing.STANDS
    assert standing(TRIAGE, 4) == Standing.STANDS
    assert standing(TRIAGE, 5) == Standing.QUARANTINED
    assert roster.may_link(both.agree_public) == both.device


def test_what_a_sealed_issuer_signed_counts_only_where_it_was_written_down_before():
    written = camp()
    before, after = keys("before"), keys("after")
    written.write(COORDINATOR, Certificates((certify(COORDINATOR, before, serial=2),)))
    last = written.head(COORDINATOR)
    later = certify(COORDINATOR, after, serial=3)
    written.write(COORDINATOR, Certificates((later,)))
    written.write(after, Certificates((later,)))
    entry = seal(written, ISSUER, COORDINATOR, last)
    roster = roster_of(written)

    assert roster.standing(before.device, TRIAGE, CARE) == Standing.STANDS
    assert roster.standing(TENT.device, TRIAGE, CARE) == Standing.STANDS
    assert roster.standing(after.device, TRIAGE, CARE) == Standing.UNADMITTED
    assert roster.may_link(after.agree_public) is None

    kept = (bytes(statement_hash(later)),)
    seal(written, ISSUER, COORDINATOR, last, extends=bytes(entry), certificates=kept)
    assert roster_of(written).standing(after.device, TRIAGE, CARE) == Standing.STANDS


def test_an_admission_above_its_authors_seal_maps_no_scope():
    written = camp()
    last = written.head(COORDINATOR)
    paper = written.records[3][0]
    assert isinstance(paper, Certificates)
    old = entropy("old", 16)
    named = statement_hash(paper.statements[0])
    written.write(COORDINATOR, Admission(TENT.device, (), bytes(named), ((old, bytes(CARE)),)))
    assert (TENT.device, old) in roster_of(written).adopted()

    seal(written, ISSUER, COORDINATOR, last)
    assert (TENT.device, old) not in roster_of(written).adopted()


def test_two_organisations_sealing_each_other_change_nothing_anywhere():
    written = camp()
    seal(written, HQ, COORDINATOR)
    seal(written, COORDINATOR, HQ)
    seal(written, MINISTRY, TENT)
    seal(written, JAPAN, HQ)
    roster = roster_of(written)

    assert {each.reason for each in roster.refused_seals()} == {"seal_org"}
    assert roster.may_link(HQ.agree_public) == HQ.device
    assert at(roster, 1) == Standing.STANDS


def test_a_key_of_two_organisations_is_sealed_only_for_the_one_that_seals_it():
    written = camp()
    written.write(HQ, Certificates((certify(HQ, TENT, serial=1, roles=(ALL,)),)))
    seal(written, COORDINATOR, TENT)
    roster = roster_of(written)

    assert roster.may_link(TENT.agree_public) == TENT.device
    assert at(roster, 99) == Standing.STANDS


def fork(written: Written, author: DeviceKeys, seq: int, label: str) -> Place:
    """Another entry of an author's control feed in the place of the one at `seq`."""
    (place,) = [
        each for _, each in written.records if each.author == author.device and each.seq == seq
    ]
    return place._replace(entry=EntryHash(entropy(label)))


def test_a_head_on_another_branch_covers_what_the_branches_share():
    written = camp()
    paper = Certificates((certify(COORDINATOR, keys("late"), serial=2),))
    theirs = fork(written, COORDINATOR, 3, "theirs")
    mine = Place(*theirs[:3], 4, theirs.entry, EntryHash(entropy("mine")))
    seal(written, ISSUER, COORDINATOR, (bytes(theirs.feed), 4, bytes(mine.entry)))
    written.records += [(Attestation(bytes(32), 0, bytes(64)), theirs), (paper, mine)]
    roster = roster_of(written)

    # Entry 1 and 2 are common; 3 and what follows it on the other branch is not.
    assert roster.standing(keys("late").device, TRIAGE, CARE) == Standing.STANDS
    assert roster.standing(TENT.device, TRIAGE, CARE) == Standing.UNADMITTED
    assert roster.may_link(COORDINATOR.agree_public) is None


def person(
    written: Written, who: DeviceKeys, *roles: int, started_ms: int = 5
) -> tuple[int, bytes]:
    """Certify a person and let him take the tent; return the session."""
    paper = certify(COORDINATOR, who, Rank.PERSON, agree=b"", roles=roles, serial=9)
    written.write(COORDINATOR, Certificates((paper,)))
    name = statement_hash(paper)
    text = attested(TENT.device, EPOCH, name, started_ms)
    _, place = written.write(TENT, Attestation(bytes(name), started_ms, who.sign(text)))
    return place.seq, bytes(place.entry[:4])


def test_a_person_is_judged_by_his_own_role_and_nobody_by_the_devices():
    written, nurse = camp(), keys("nurse")
    session = person(written, nurse, LOGISTICIAN)
    roster = roster_of(written)

    assert roster.standing(TENT.device, TRIAGE, CARE) == Standing.STANDS
    assert roster.judge((TENT.device, EPOCH), STOCK, CARE, session).standing == Standing.STANDS
    assert roster.judge((TENT.device, EPOCH), TRIAGE, CARE, session).standing == Standing.REFUSED
    other = entropy("other life", 8)
    assert roster.judge((TENT.device, other), STOCK, CARE, session).standing == Standing.UNCHECKED


def test_a_session_that_is_not_known_yet_gives_no_more_than_the_device_may():
    written, nurse = camp(), keys("nurse")
    unknown = (77, b"\1\2\3\4")
    roster = roster_of(written)

    assert roster.judge((TENT.device, EPOCH), TRIAGE, CARE, unknown).standing == Standing.STANDS
    assert roster.judge((TENT.device, EPOCH), STOCK, CARE, unknown).standing == Standing.UNCHECKED
    session = person(written, nurse, LOGISTICIAN)
    forged = Attestation(bytes(written.records[-1][0].person), 5, bytes(64))  # type: ignore[union-attr]
    written.records[-1] = (forged, written.records[-1][1])
    judged = roster_of(written).judge((TENT.device, EPOCH), STOCK, CARE, session)
    assert judged.standing == Standing.UNCHECKED


def test_a_persons_seal_ends_that_persons_entries_and_nobody_elses():
    written, nurse = camp(), keys("nurse")
    session = person(written, nurse, CLINICIAN)
    seal(written, COORDINATOR, nurse, head(4), reason=SealReason.LICENCE_ENDED, since_ms=3)
    roster = roster_of(written)

    def standing(seq: int, session: tuple[int, bytes]) -> Standing:
        judgement = roster.judge((TENT.device, EPOCH), TRIAGE, CARE, session)
        if not judgement.sealed:
            return judgement.standing
        return best(judgement.ways, DATA, EPOCH, lambda head, _: seq <= head)

    assert standing(4, session) == Standing.STANDS
    assert standing(5, session) == Standing.QUARANTINED
    assert standing(5, (0, b"")) == Standing.STANDS
    assert [bound.since_ms for bound in roster.bounds(nurse.device)] == [3]
    assert TENT.device in roster.changed()


def test_the_ministrys_root_seals_its_own_hq():
    written = camp()
    seal(written, MINISTRY, HQ)

    assert roster_of(written).may_link(HQ.agree_public) is None


def test_another_branch_where_a_seal_ends_is_judged_alike_whichever_came_first():
    written, issuer, coordinator = Written(), keys("issuer"), keys("coordinator")
    chain = (certify(JAPAN, issuer, Rank.ISSUER), certify(issuer, coordinator, Rank.COORDINATOR))
    written.write(issuer, Founding(FOUNDED))
    written.write(issuer, Certificates(chain))
    written.write(coordinator, Certificates((certify(coordinator, keys("tent")),)))
    feed, seq, _ = written.head(coordinator)
    head = (feed, seq + 1, entropy("an entry that only the sealer had"))
    sealed = written.write(issuer, Seal(coordinator.device, 3, (head,)))
    other = written.write(coordinator, None)
    members = []
    for order in (written.records, [*written.records[:3], other, sealed]):
        roster = Roster(OPERATION)
        for record in order:
            roster.add(*record)
            roster.changed()
        members.append(roster.members())
    assert members[0] == members[1]
    assert keys("tent").device not in members[0]
