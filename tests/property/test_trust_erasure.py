"""Erases and holds over random control histories: every order of arrival ends in the same place."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.ids import DeviceId
from protocols.trust.certificates import Rank
from protocols.trust.control import Certificates, Confirmation, Erase, Hold, Place, Record, Seal
from protocols.trust.erasure import Erasures, approve_erase
from protocols.trust.identity import DeviceKeys
from protocols.trust.roster import Roster
from tests.unit.trust_operation import (
    CARE,
    COUNTS,
    MINISTRY,
    OPERATION,
    Written,
    camp,
    certify,
    entropy,
    keys,
)

ISSUER, COORDINATOR, SECOND, TENT, HQ = map(keys, ("issuer", "coordinator", "second", "tent", "hq"))
NAMED = [entropy(f"named {number}") for number in range(4)]
DOCUMENT = NAMED[0][:16]


def two() -> Written:
    """A camp with a second coordinator, of the ministry."""
    written = camp()
    written.write(HQ, Certificates((certify(MINISTRY, SECOND, Rank.COORDINATOR),)))
    return written


def erase(
    author: DeviceKeys,
    approver: DeviceKeys,
    names: list[bytes] = NAMED,
    documents: tuple[bytes, ...] = (DOCUMENT,),
) -> Erase:
    record = Erase(tuple(sorted(names)), documents, 1, bytes(32), bytes(64))
    return approve_erase(record, OPERATION, author.device, approver)


def judged(records: list[tuple[Record, Place]]) -> tuple[Roster, Erasures]:
    roster, erasures = Roster(OPERATION), Erasures(OPERATION)
    for record, place in records:
        roster.add(record, place)
        erasures.add(record, place)
    return roster, erasures


def gone(written: Written, name: bytes = NAMED[1], *, scope: bytes = CARE) -> bool:
    roster, erasures = judged(written.records)
    return erasures.stands(name, scope, roster)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("author", "approver"), [(COORDINATOR, HQ), (ISSUER, SECOND), (ISSUER, HQ)]
)
def test_a_coordinator_of_the_scope_and_an_issuer_have_a_body_erased(author, approver):
    written = two()
    written.write(author, erase(author, approver))
    assert gone(written) and gone(written, DOCUMENT)
    assert not gone(written, entropy("another"))


def test_two_coordinators_erase_nothing_and_no_body_may_lack_by_their_word():
    written = two()
    written.write(COORDINATOR, erase(COORDINATOR, SECOND))
    assert not gone(written)
    roster, erasures = judged(written.records)
    assert not erasures.may_lack(NAMED[1], CARE, roster)


def test_an_issuers_rank_counts_in_the_scopes_that_it_has_only():
    written = camp()
    narrow = certify(MINISTRY, SECOND, Rank.ISSUER, scopes=(COUNTS,))
    wide = certify(MINISTRY, SECOND, Rank.COORDINATOR, scopes=(CARE, COUNTS), serial=2)
    written.write(HQ, Certificates((narrow, wide)))
    written.write(COORDINATOR, erase(COORDINATOR, SECOND))
    assert not gone(written)
    assert gone(written, scope=COUNTS)


def test_a_renewed_certificate_that_makes_an_issuer_lets_the_erase_count_from_then_on():
    written = two()
    written.write(COORDINATOR, erase(COORDINATOR, SECOND))
    assert not gone(written)
    written.write(HQ, Certificates((certify(MINISTRY, SECOND, Rank.ISSUER, serial=2),)))
    assert gone(written)


@pytest.mark.parametrize(
    ("author", "approver"),
    [(ISSUER, ISSUER), (TENT, ISSUER), (ISSUER, TENT), (TENT, HQ)],
)
def test_one_key_or_a_key_below_coordinator_erases_nothing(author, approver):
    written = two()
    written.write(author, erase(author, approver))
    assert not gone(written)
    roster, erasures = judged(written.records)
    assert not erasures.may_lack(NAMED[1], CARE, roster)


def test_an_approval_is_good_for_its_author_and_record_only():
    written = two()
    stolen = erase(COORDINATOR, HQ)
    written.write(ISSUER, stolen)
    wider = erase(COORDINATOR, HQ, NAMED[:2])
    written.write(COORDINATOR, Erase(stolen.entries, *list(_fields(wider))[1:]))
    assert not gone(written)
    _, erasures = judged(written.records)
    assert {reason for _, reason in erasures.refused().values()} == {"erase_approval"}


def _fields(record: Erase):
    return (getattr(record, name) for name in record.__struct_fields__)


def test_both_have_to_coordinate_the_scope_of_the_entry():
    written = camp()
    narrow = certify(MINISTRY, SECOND, Rank.COORDINATOR, scopes=(COUNTS,))
    written.write(HQ, Certificates((narrow,)))
    written.write(ISSUER, erase(ISSUER, SECOND))
    assert not gone(written)
    assert gone(written, scope=COUNTS)


def test_an_erase_above_its_authors_seal_does_not_count_but_its_bodies_may_be_lacking():
    written = two()
    head = written.head(COORDINATOR)
    written.write(COORDINATOR, erase(COORDINATOR, HQ))
    written.write(ISSUER, Seal(COORDINATOR.device, 2, (head,)))
    roster, erasures = judged(written.records)
    assert not erasures.stands(NAMED[1], CARE, roster)
    assert erasures.may_lack(NAMED[1], CARE, roster)


def test_a_hold_suspends_what_it_names_until_it_is_lifted():
    written = two()
    written.write(COORDINATOR, erase(COORDINATOR, HQ, NAMED, ()))
    hold = written.write(SECOND, Hold((), (NAMED[1],)))[1].entry
    assert not gone(written) and gone(written, NAMED[2])
    written.write(TENT, Hold((), (), hold))
    assert not gone(written)
    written.write(COORDINATOR, Hold((), (), hold))
    assert gone(written)


def test_a_hold_of_one_document_suspends_all_of_an_erase_that_names_it():
    written = two()
    written.write(COORDINATOR, erase(COORDINATOR, HQ))
    written.write(SECOND, Hold((DOCUMENT,), ()))
    assert not any(gone(written, name) for name in (*NAMED, DOCUMENT))


def test_a_hold_by_who_coordinates_nothing_suspends_nothing():
    written = two()
    written.write(COORDINATOR, erase(COORDINATOR, HQ))
    written.write(TENT, Hold((DOCUMENT,), tuple(NAMED)))
    assert gone(written)


def test_confirmations_are_told_by_device():
    written = two()
    entry = written.write(COORDINATOR, erase(COORDINATOR, HQ))[1].entry
    written.write(TENT, Confirmation((entry,)))
    _, erasures = judged(written.records)
    assert [said.device for said in erasures.confirmed(entry)] == [DeviceId(TENT.device)]


WHO = (COORDINATOR, SECOND, TENT, HQ, ISSUER)


@st.composite
def histories(draw) -> Written:
    """Erases, holds, lifts and seals by whoever, over a camp with several coordinators."""
    written = two()
    holds: list[bytes] = []
    for _ in range(draw(st.integers(1, 8))):
        author = draw(st.sampled_from(WHO))
        names = sorted(draw(st.sets(st.sampled_from(NAMED), min_size=1)))
        documents = (DOCUMENT,) if draw(st.booleans()) else ()
        what = draw(st.integers(0, 3))
        if what == 0:
            written.write(author, erase(author, draw(st.sampled_from(WHO)), names, documents))
        elif what == 1:
            record = Hold(documents, tuple(names))
            holds.append(written.write(author, record)[1].entry)
        elif what == 2 and holds:
            written.write(author, Hold((), (), draw(st.sampled_from(holds))))
        else:
            head = written.head(COORDINATOR)
            written.write(
                draw(st.sampled_from((ISSUER, TENT))), Seal(COORDINATOR.device, 2, (head,))
            )
        if draw(st.integers(0, 9)) == 0:
            # The ministry makes its coordinator an issuer.
            renewed = certify(MINISTRY, SECOND, Rank.ISSUER, serial=2)
            written.write(HQ, Certificates((renewed,)))
    return written


@given(histories(), st.integers(0, 2**32))
def test_any_order_of_arrival_has_the_same_gone(written, seed):
    shuffled = list(written.records)
    Random(seed).shuffle(shuffled)

    def all_gone(records):
        roster, erasures = judged(records)
        return [
            (
                erasures.stands(name, scope, roster),
                erasures.may_lack(name, scope, roster),
                erasures.holds(scope, roster) and sorted(erasures.holds(scope, roster)),
            )
            for name in (*NAMED, DOCUMENT)
            for scope in (CARE, COUNTS)
        ]

    assert all_gone(shuffled) == all_gone(written.records)


@given(histories())
def test_what_has_to_go_may_travel_without(written):
    roster, erasures = judged(written.records)
    for name in NAMED:
        assert erasures.may_lack(name, CARE, roster) or not erasures.stands(name, CARE, roster)


@given(histories())
def test_nothing_goes_without_an_issuer_among_the_two(written):
    roster, erasures = judged(written.records)
    issuers = {ISSUER.device, HQ.device}
    if roster.ever_coordinated(SECOND.device, CARE, Rank.ISSUER):
        issuers.add(SECOND.device)
    for name in (*NAMED, DOCUMENT):
        if erasures.stands(name, CARE, roster) or erasures.may_lack(name, CARE, roster):
            assert any(
                not issuers.isdisjoint((each.place.author, DeviceId(each.record.approver)))
                for erase in erasures.erases()
                if (each := erasures.erase(erase))
                and name in (*each.record.entries, *each.record.documents)
            )
