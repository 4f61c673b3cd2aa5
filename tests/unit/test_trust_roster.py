"""Who may write what, as told by control records."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.ids import DeviceId, EntryHash, FeedId, KeyId, OperationId, ScopeId
from protocols.trust.certificates import Rank, open_certificate, seal_name, verify_chain
from protocols.trust.charter import open_charter
from protocols.trust.control import (
    Admission,
    Certificates,
    Founding,
    Place,
    Record,
    UnknownControl,
)
from protocols.trust.roster import Roster
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
    OLD,
    OPERATION,
    STOCK,
    TRIAGE,
    Written,
    camp,
    certify,
    entropy,
    keys,
)

TENT, HQ = keys("tent"), keys("hq")
CONTROL = ScopeId.zero()


def taken(roster: Roster, *written: tuple[Record | UnknownControl, Place]) -> frozenset[DeviceId]:
    """Take records; return whose entries must be judged again."""
    for record in written:
        roster.add(*record)
    return roster.changed()


def roster_of(written: Written) -> Roster:
    roster = Roster(OPERATION)
    for written_record in written.records:
        roster.add(*written_record)
    return roster


def test_a_device_stands_through_root_issuer_and_coordinator():
    roster = roster_of(camp())

    assert roster.standing(TENT.device, TRIAGE, CARE) == Standing.STANDS
    assert roster.standing(TENT.device, STOCK, CARE) == Standing.REFUSED
    assert roster.standing(TENT.device, TRIAGE, CONTROL) == Standing.STANDS
    assert roster.standing(HQ.device, STOCK, COUNTS) == Standing.STANDS
    assert roster.standing(keys("stranger").device, TRIAGE, CARE) == Standing.UNADMITTED


def test_before_the_charter_comes_nobody_is_admitted_and_then_all_are_judged_again():
    founding, *rest = camp().records
    roster = Roster(OPERATION)
    for record in rest:
        assert taken(roster, record) == frozenset()
    assert roster.standing(TENT.device, TRIAGE, CARE) == Standing.UNADMITTED
    assert roster.device(TENT.device) is None

    changed = taken(roster, founding)

    assert {TENT.device, HQ.device} <= changed
    assert roster.device(TENT.device) is not None
    assert roster.standing(TENT.device, TRIAGE, CARE) == Standing.STANDS
    assert roster.standing(TENT.device, TRIAGE, OLD) == Standing.STANDS


def test_a_late_certificate_judges_the_device_again():
    written = camp()
    late = certify(keys("coordinator"), keys("late"), serial=2)
    roster = roster_of(written)
    assert roster.standing(keys("late").device, TRIAGE, CARE) == Standing.UNADMITTED

    record = written.write(keys("coordinator"), Certificates((late,)))

    roster.changed()
    assert taken(roster, record) == {keys("late").device}
    assert taken(roster, record) == frozenset()
    assert roster.standing(keys("late").device, TRIAGE, CARE) == Standing.STANDS


def test_a_certificate_in_a_coordinators_name_that_he_did_not_sign_admits_nobody():
    written = camp()
    by_thief = certify(keys("thief"), keys("thief"), serial=2)
    forged = msgspec.structs.replace(by_thief, issuer=bytes(keys("coordinator").device))
    written.write(keys("thief"), Certificates((by_thief, forged)))
    roster = roster_of(written)

    assert roster.standing(keys("thief").device, TRIAGE, CARE) == Standing.UNADMITTED
    assert roster.device(keys("thief").device) is None

    true = certify(keys("coordinator"), keys("thief"), serial=2)
    roster.changed()
    roster.certify([true])
    assert roster.changed() == {keys("thief").device}
    assert roster.standing(keys("thief").device, TRIAGE, CARE) == Standing.STANDS


@pytest.mark.parametrize(
    ("issuer", "changes"),
    [
        ("tent", {}),
        ("coordinator", {"rank": Rank.COORDINATOR, "depth": 0, "count": 0}),
        ("coordinator", {"roles": (CLINICIAN, 9)}),
        ("coordinator", {"scopes": (entropy("scope", 16),)}),
        ("coordinator", {"depth": 1}),
        ("coordinator", {"serial": 501}),
        ("coordinator", {"operation": entropy("other")}),
    ],
)
def test_a_certificate_that_its_issuer_could_not_grant_admits_nobody(issuer, changes):
    written = camp()
    written.write(TENT, Certificates((certify(keys(issuer), keys("new"), **changes),)))
    roster = roster_of(written)

    assert roster.standing(keys("new").device, TRIAGE, CARE) == Standing.UNADMITTED
    assert roster.may_link(keys("new").agree_public) is None
    assert keys("new").device not in roster.members()


def test_a_role_counts_only_in_the_scopes_of_its_own_certificate():
    written = camp()
    for roles, scopes in (((CLINICIAN,), (CARE,)), ((LOGISTICIAN,), (COUNTS,))):
        paper = certify(keys("coordinator"), keys("two"), roles=roles, scopes=scopes, serial=2)
        written.write(keys("coordinator"), Certificates((paper,)))
    roster = roster_of(written)

    def verdict(kind: int, scope: ScopeId) -> Standing:
        return roster.standing(keys("two").device, kind, scope)

    assert verdict(TRIAGE, CARE) == verdict(STOCK, COUNTS) == Standing.STANDS
    assert verdict(STOCK, CARE) == verdict(TRIAGE, COUNTS) == Standing.REFUSED


def test_an_admission_makes_the_old_scope_the_operations_own():
    roster = roster_of(camp())

    assert roster.scope_of(OLD, TENT.device) == CARE
    assert roster.scope_of(OLD) == CARE
    assert roster.scope_of(OLD, HQ.device) is None
    assert roster.scope_of(CARE) == CARE
    assert roster.adopted() == {(TENT.device, OLD): CARE}
    assert roster.epochs(TENT.device) == {entropy("epoch", 8): FeedId(entropy("control feed"))}
    assert roster.standing(TENT.device, TRIAGE, OLD) == Standing.STANDS
    assert roster.standing(HQ.device, STOCK, OLD) == Standing.UNADMITTED


@pytest.mark.parametrize("case", ["not a coordinator", "not our scope", "scope of the operation"])
def test_an_admission_that_may_not_be_given_changes_nothing(case):
    written = camp()
    coordinator, device = keys("coordinator"), keys("late")
    paper = certify(coordinator, device, serial=2)
    written.write(coordinator, Certificates((paper,)))
    author = TENT if case == "not a coordinator" else coordinator
    mapping = {
        "not our scope": (entropy("mine", 16), entropy("theirs", 16)),
        "scope of the operation": (bytes(COUNTS), bytes(CARE)),
    }.get(case, (entropy("mine", 16), bytes(CARE)))
    written.write(author, Admission(device.device, (), statement_hash(paper), (mapping,)))

    roster = roster_of(written)

    assert set(roster.adopted()) == {(TENT.device, OLD)}


def test_an_admission_under_another_devices_certificate_changes_nothing():
    written = camp()
    paper = certify(keys("coordinator"), keys("late"), serial=2)
    written.write(keys("coordinator"), Certificates((paper,)))
    stolen = Admission(HQ.device, (), statement_hash(paper), ((entropy("x", 16), bytes(CARE)),))
    written.write(keys("coordinator"), stolen)

    assert (HQ.device, ScopeId(entropy("x", 16))) not in roster_of(written).adopted()


def test_no_other_organisation_says_where_a_device_s_earlier_records_belong():
    written = camp()
    ours = statement_hash(roster_of(written).chain(TENT.device)[-1])
    taken = Admission(TENT.device, (), ours, ((OLD, COUNTS),))
    _, place = written.write(HQ, taken)
    # It would win by its hash.
    written.records[-1] = (taken, place._replace(entry=EntryHash(bytes(32))))

    roster = roster_of(written)

    assert roster.coordinates_at(EntryHash(bytes(32)), COUNTS)
    assert roster.scope_of(OLD, TENT.device) == CARE


def test_the_lowest_entry_hash_settles_two_admissions_whatever_the_order():
    written = camp()
    listed = camp().records[3][0]
    assert isinstance(listed, Certificates)
    paper = listed.statements[0]
    for number, scope in ((1, COUNTS), (2, CARE)):
        record = Admission(TENT.device, (), statement_hash(paper), ((entropy("o", 16), scope),))
        _, place = written.write(keys("coordinator"), record)
        written.records[-1] = (record, place._replace(entry=EntryHash(bytes([number]) * 32)))
    backwards = Written(written.records[::-1])

    for order in (written, backwards):
        assert roster_of(order).scope_of(ScopeId(entropy("o", 16)), TENT.device) == COUNTS


def test_a_charter_of_another_operation_admits_nobody():
    roster = Roster(OperationId(entropy("other")))

    assert not taken(roster, camp().records[0])
    assert roster.charter is None


def test_a_charter_with_a_broken_signature_does_not_keep_the_true_one_out():
    broken = type(FOUNDED)(FOUNDED.body, tuple(bytes(64) for _ in FOUNDED.signatures))
    roster = Roster(OPERATION)

    place = camp().records[0][1]
    roster.add(Founding(broken), place._replace(entry=EntryHash(entropy("broken"))))
    assert roster.charter is None
    roster.add(*camp().records[0])
    assert roster.charter is not None


def test_a_link_is_for_keys_that_a_standing_certificate_names():
    roster = roster_of(camp())

    assert roster.may_link(TENT.agree_public) == TENT.device
    assert roster.may_link(keys("stranger").agree_public) is None


def test_a_link_ends_with_the_certificate_and_standing_does_not():
    written = camp()
    brief = certify(MINISTRY, keys("brief"), not_before_ms=1_000, not_after_ms=2_000, serial=2)
    written.write(HQ, Certificates((brief,)))
    roster = roster_of(written)
    agree = keys("brief").agree_public

    assert roster.may_link(agree, lower_ms=2_000) == keys("brief").device
    assert roster.may_link(agree, lower_ms=2_001) is None
    assert roster.may_link(agree, upper_ms=999) is None
    assert roster.may_link(agree, upper_ms=1_000) == keys("brief").device
    assert roster.standing(keys("brief").device, TRIAGE, CARE) == Standing.STANDS


def test_a_key_certified_for_two_devices_links_as_the_one_it_says():
    written = camp()
    thief = certify(MINISTRY, keys("thief"), agree=TENT.agree_public, serial=2)
    written.write(HQ, Certificates((thief,)))
    roster = roster_of(written)

    for device in (TENT.device, keys("thief").device):
        assert roster.may_link(TENT.agree_public, claimed=device) == device
    assert roster.may_link(TENT.agree_public) == min(TENT.device, keys("thief").device)
    assert roster.may_link(TENT.agree_public, claimed=HQ.device) != HQ.device


def test_what_a_device_is_can_be_looked_up_with_its_name_for_those_who_read_the_scope():
    written, key, key_id = camp(), entropy("key"), KeyId(entropy("key id"))
    sealed = seal_name(
        "Tente nº 3", subject=keys("named").device, key=key, key_id=key_id, nonce=entropy("n", 24)
    )
    paper = certify(keys("coordinator"), keys("named"), sealed_name=sealed, serial=2)
    written.write(keys("coordinator"), Certificates((paper,)))
    roster = roster_of(written)

    member = roster.device(keys("named").device, {key_id: key})
    assert member is not None
    assert (member.name, member.org, member.jurisdiction) == ("Tente nº 3", "Japan team", "JP")
    assert member.rank == Rank.DEVICE
    assert member.roles == {CLINICIAN}
    assert member.agree == (keys("named").agree_public,)
    blind = roster.device(keys("named").device)
    assert blind is not None and blind.name == ""
    assert roster.device(keys("stranger").device) is None


def test_the_chain_of_a_device_convinces_another_node():
    roster = roster_of(camp())
    charter = open_charter(FOUNDED)

    chain = roster.chain(TENT.device)

    assert len(chain) == 3
    assert verify_chain(charter, OPERATION, chain)[0].subject == TENT.device
    assert roster.chain(keys("stranger").device) == ()


def test_a_device_shows_the_renewal_and_not_the_certificate_that_it_renews():
    for ends in ((5_000, 9_000, 9_000), (9_000, 5_000, 9_000), (5_000, 0, 0)):
        written = camp()
        for end in ends[:2]:
            paper = certify(MINISTRY, keys("renewed"), not_after_ms=end, serial=2)
            written.write(HQ, Certificates((paper,)))

        (shown,) = roster_of(written).chain(keys("renewed").device)

        assert open_certificate(shown).not_after_ms == ends[2]


def test_keys_go_to_readers_under_a_law_that_may_hold_the_scope():
    roster = roster_of(camp())

    assert HQ.device in {device for device, _ in roster.readers(CARE)}
    assert TENT.device not in {device for device, _ in roster.readers(CARE)}
    assert TENT.device in {device for device, _ in roster.readers(COUNTS)}
    assert roster.readers(OLD) == []


def test_the_sender_hands_a_scope_only_to_those_who_may_hold_it():
    roster = roster_of(camp())

    assert roster.may_hold(HQ.device, CARE)
    assert not roster.may_hold(TENT.device, CARE)
    assert not roster.may_hold(TENT.device, OLD)
    assert roster.may_hold(TENT.device, COUNTS)
    assert roster.may_hold(TENT.device, CONTROL)
    assert not roster.may_hold(HQ.device, ScopeId(entropy("unknown", 16)))
    assert not roster.may_hold(keys("stranger").device, CONTROL)


def test_only_a_coordinator_or_above_rotates_a_scope():
    roster = roster_of(camp())

    assert roster.may_rotate(keys("coordinator").device, CARE)
    assert not roster.may_rotate(TENT.device, CARE)
    assert not roster.may_rotate(keys("coordinator").device, OLD)


def test_serials_are_counted_and_a_doubled_one_is_evidence():
    written = camp()
    coordinator = keys("coordinator")
    assert roster_of(written).next_serial(coordinator.device) == 2
    assert roster_of(written).reused_serials() == []

    written.write(coordinator, Certificates((certify(coordinator, keys("twin"), serial=1),)))
    roster = roster_of(written)

    assert roster.reused_serials() == [(coordinator.device, 1)]
    assert roster.standing(keys("twin").device, TRIAGE, CARE) == Standing.STANDS


def test_a_record_of_a_later_kind_changes_nothing():
    roster = roster_of(camp())

    roster.changed()
    for number in (8, 99):
        place = camp().records[0][1]._replace(seq=9, entry=EntryHash(entropy(f"new {number}")))
        assert taken(roster, (UnknownControl(number, b"new"), place)) == frozenset()


def test_a_root_key_may_do_all_that_its_charter_lists():
    founding, *rest = camp().records
    roster = Roster(OPERATION)
    for record in rest:
        roster.add(*record)
    assert roster.standing(DeviceId(JAPAN.device), STOCK, CARE) == Standing.UNADMITTED
    assert JAPAN.device in taken(roster, founding)

    assert roster.standing(DeviceId(JAPAN.device), STOCK, CARE) == Standing.STANDS
    assert roster.chain(DeviceId(JAPAN.device)) == ()
    member = roster.device(DeviceId(JAPAN.device))
    assert member is not None and ALL in member.roles


@given(st.integers(0, 2**16 - 1))
def test_every_kind_known_here_or_not_is_judged_by_the_charters_numbers_alone(kind):
    # So software of two versions, of which one has no name for a kind, judges it alike.
    written = camp()
    everything = certify(keys("coordinator"), keys("late"), serial=2, roles=(ALL,))
    written.write(keys("coordinator"), Certificates((everything,)))
    roster = roster_of(written)
    (clinician,) = (role for role in roster.charter.roles if role.number == CLINICIAN)

    allowed = Standing.STANDS if kind in clinician.kinds else Standing.REFUSED
    assert roster.standing(TENT.device, kind, CARE) == allowed
    assert roster.standing(keys("late").device, kind, CARE) == Standing.STANDS
