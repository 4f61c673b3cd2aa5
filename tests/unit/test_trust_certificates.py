"""Charters and certificates: what holds, and the reason for everything that does not."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from protocols.errors import PeerError
from protocols.ids import KeyId, OperationId
from protocols.trust.certificates import (
    REFUSALS,
    Rank,
    open_name,
    seal_name,
    sign_certificate,
    verify_chain,
)
from protocols.trust.charter import (
    ORGS_MAX,
    Org,
    Role,
    Scope,
    SignedCharter,
    charter_signature,
    found,
    open_charter,
    operation_id,
    sign_charter,
)
from protocols.trust.identity import DeviceKeys
from protocols.trust.statements import SignedStatement, pack, sign_statement, statement_hash
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
    certificate,
    certify,
    charter_of,
    entropy,
    keys,
)

CHARTER = open_charter(FOUNDED)
ISSUER, COORDINATOR, TENT = keys("issuer"), keys("coordinator"), keys("tent")


def chain(**device: Any) -> list[SignedStatement]:
    """Root to issuer to coordinator to tent; `device` replaces fields of the last."""
    return [
        certify(JAPAN, ISSUER, Rank.ISSUER),
        certify(ISSUER, COORDINATOR, Rank.COORDINATOR, not_before_ms=1_000, not_after_ms=9_000),
        certify(COORDINATOR, TENT, **({"not_before_ms": 2_000, "not_after_ms": 8_000} | device)),
    ]


def refusal_of(statements: list[SignedStatement], **times: int | None) -> str:
    """Why a chain does not hold; '' when it does."""
    try:
        verify_chain(CHARTER, OPERATION, statements, **times)
    except PeerError as refused:
        return refused.code
    return ""


def test_a_chain_from_either_root_holds():
    assert refusal_of(chain()) == ""
    assert refusal_of([certify(MINISTRY, TENT)]) == ""

    certified, authority = verify_chain(CHARTER, OPERATION, chain())
    assert certified.subject == TENT.device
    assert authority.root == JAPAN.device


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"operation": entropy("other")}, "certificate_operation"),
        ({"rank": Rank.COORDINATOR, "depth": 0}, "certificate_rank"),
        ({"rank": Rank.ISSUER, "depth": 0}, "certificate_rank"),
        ({"roles": (CLINICIAN, 9)}, "certificate_roles"),
        ({"scopes": (entropy("scope", 16),)}, "certificate_scopes"),
        ({"depth": 1}, "certificate_depth"),
        ({"serial": 501}, "certificate_count"),
        ({"serial": 0}, "certificate_count"),
        ({"count": 1}, "certificate_count"),
        ({"not_before_ms": 999}, "certificate_time"),
        ({"not_after_ms": 9_001}, "certificate_time"),
        ({"not_after_ms": 0}, "certificate_time"),
        ({"not_after_ms": 1_999}, "certificate_time"),
        ({"version": 2}, "certificate_version"),
        ({"roles": (LOGISTICIAN, CLINICIAN)}, "certificate_order"),
        ({"roles": (CLINICIAN, CLINICIAN)}, "certificate_order"),
        ({"scopes": (COUNTS, CARE)}, "certificate_order"),
        ({"agree": bytes(31)}, "certificate_agree_key"),
    ],
)
def test_a_certificate_that_grants_too_much_or_reads_wrong_is_refused_with_the_reason(
    changes, reason
):
    assert reason in REFUSALS
    assert refusal_of(chain(**changes)) == reason


def test_each_limit_is_taken_at_its_edge():
    assert refusal_of(chain(serial=500)) == ""
    assert refusal_of(chain(not_before_ms=1_000, not_after_ms=9_000)) == ""
    assert refusal_of(chain(roles=(CLINICIAN, LOGISTICIAN, ALL))) == ""
    assert refusal_of(chain(roles=(), scopes=())) == ""


def test_time_is_judged_against_what_is_given_and_nothing_else():
    assert refusal_of(chain(), lower_ms=8_000) == ""
    assert refusal_of(chain(), lower_ms=8_001) == "certificate_expired"
    assert refusal_of(chain(), upper_ms=2_000) == ""
    assert refusal_of(chain(), upper_ms=1_999) == "certificate_not_yet_valid"
    assert refusal_of(chain(), lower_ms=9_001) == "certificate_expired"


def test_a_certificate_by_somebody_else_is_refused():
    self_signed = certify(TENT, TENT)
    assert refusal_of([self_signed]) == "certificate_issuer"
    assert refusal_of([*chain()[:2], self_signed]) == "certificate_issuer"
    assert refusal_of(chain()[1:]) == "certificate_issuer"
    assert refusal_of([chain()[0], chain()[2]]) == "certificate_issuer"
    assert refusal_of([]) == "certificate_depth"
    assert refusal_of([*chain(), *chain()]) == "certificate_depth"


def test_a_certificate_under_another_name_or_altered_is_refused():
    real = chain()[-1]
    borrowed = sign_certificate(certificate(TENT, not_after_ms=8_000, not_before_ms=2_000), TENT)
    forged = msgspec.structs.replace(borrowed, issuer=bytes(COORDINATOR.device))
    wider = certificate(TENT, roles=(CLINICIAN, ALL), not_before_ms=2_000, not_after_ms=8_000)
    altered = msgspec.structs.replace(real, body=pack(wider))

    for false in (forged, altered):
        assert refusal_of([*chain()[:2], false]) == "certificate_signature"


def test_a_signature_for_one_kind_of_statement_is_none_for_another():
    body = pack(certificate(TENT, not_before_ms=2_000, not_after_ms=8_000))
    other = sign_statement(COORDINATOR, 2, body)

    assert refusal_of([*chain()[:2], other]) == "certificate_kind"
    assert (
        refusal_of([*chain()[:2], msgspec.structs.replace(other, kind=1)])
        == "certificate_signature"
    )
    assert statement_hash(other) != statement_hash(msgspec.structs.replace(other, kind=1))


def test_a_name_is_read_by_those_with_the_key_and_shows_no_length():
    key, key_id = entropy("key"), KeyId(entropy("key id"))

    def sealed(name: str) -> bytes:
        return seal_name(name, subject=TENT.device, key=key, key_id=key_id, nonce=entropy("n", 24))

    assert open_name(sealed("Tente 3"), subject=TENT.device, keys={key_id: key}) == "Tente 3"
    assert open_name(sealed("Tente 3"), subject=ISSUER.device, keys={key_id: key}) is None
    assert open_name(sealed("Tente 3"), subject=TENT.device, keys={}) is None
    assert open_name(sealed("Tente 3"), subject=TENT.device, keys={key_id: entropy("x")}) is None
    assert open_name(b"short", subject=TENT.device, keys={key_id: key}) is None
    assert len(sealed("A")) == len(sealed("A" * 30)) < len(sealed("A" * 31))


def test_alone_is_enough_to_found_an_operation():
    root = keys("alone")

    signed = found(
        name="field hospital",
        org=Org("us", root.device, "KE"),
        root=root,
        nonce=entropy("nonce", 16),
        created_ms=1,
        scopes=[Scope(COUNTS, "counts", 1), Scope(CARE, "care", 0)],
        roles=[Role(2, "hq"), Role(1, "all")],
    )

    charter = open_charter(signed)
    assert [scope.name for scope in charter.scopes] == ["care", "counts"]
    operation = operation_id(signed.body)
    paper = sign_certificate(certificate(TENT, operation=operation, roles=(1,)), root)
    assert verify_chain(charter, operation, [paper])[0].subject == TENT.device


def test_organisations_sign_the_same_bytes_apart_and_all_of_them_must():
    body = pack(CHARTER)
    by_key = {bytes(root.device): charter_signature(body, root) for root in (JAPAN, MINISTRY)}
    by_hand = SignedCharter(body, tuple(by_key[org.root] for org in CHARTER.orgs))

    assert open_charter(by_hand) == CHARTER
    for signatures in (by_hand.signatures[:1], by_hand.signatures[::-1], ()):
        with pytest.raises(PeerError, match="charter_signature"):
            open_charter(SignedCharter(body, signatures))
    with pytest.raises(PeerError, match="charter_signature"):
        sign_charter(CHARTER, [JAPAN])


@pytest.mark.parametrize("at", [0, 1])
@pytest.mark.parametrize("put", ["nothing", "the other's", "of another text"])
def test_one_signature_that_does_not_hold_founds_nothing_whosoever_it_is(at, put):
    (root,) = (each for each in (JAPAN, MINISTRY) if each.device == CHARTER.orgs[at].root)
    instead = {
        "nothing": bytes(64),
        "the other's": FOUNDED.signatures[1 - at],
        "of another text": charter_signature(FOUNDED.body + b" ", root),
    }[put]
    changed = list(FOUNDED.signatures)
    changed[at] = instead

    with pytest.raises(PeerError, match="charter_signature"):
        open_charter(SignedCharter(FOUNDED.body, tuple(changed)))
    assert open_charter(FOUNDED)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"version": 2}, "charter_version"),
        ({"orgs": CHARTER.orgs[::-1]}, "charter_order"),
        ({"orgs": (CHARTER.orgs[0], CHARTER.orgs[0])}, "charter_order"),
        ({"scopes": CHARTER.scopes[::-1]}, "charter_order"),
        ({"scopes": (Scope(bytes(16), "control", 0),)}, "charter_order"),
        ({"roles": CHARTER.roles[::-1]}, "charter_order"),
        ({"roles": (Role(1, "r", (3, 2)),)}, "charter_order"),
        ({"scopes": (Scope(CARE, "care", 0, ("KE", "JP")),)}, "charter_order"),
        ({"scopes": (Scope(CARE, "care", 0, readers=(9,)),)}, "charter_role_unknown"),
    ],
)
def test_a_charter_that_reads_two_ways_is_refused(changes, reason):
    with pytest.raises(PeerError, match=reason):
        sign_charter(msgspec.structs.replace(CHARTER, **changes), [JAPAN, MINISTRY])


def test_a_charter_has_as_many_members_as_the_limit_and_no_more():
    def founders(count: int) -> list[tuple[DeviceKeys, str, str]]:
        return [(keys(f"root {number}"), "org", "") for number in range(count)]

    most = founders(ORGS_MAX)
    signed = sign_charter(charter_of(*most), [root for root, _, _ in most])
    assert len(open_charter(signed).orgs) == ORGS_MAX

    more = founders(ORGS_MAX + 1)
    with pytest.raises(PeerError, match="malformed"):
        sign_charter(charter_of(*more), [root for root, _, _ in more])


def test_an_operation_is_named_by_its_charter_and_not_by_its_signatures():
    assert operation_id(FOUNDED.body) == OPERATION
    assert operation_id(pack(msgspec.structs.replace(CHARTER, name="other"))) != OPERATION
    assert OperationId.zero() != OPERATION
