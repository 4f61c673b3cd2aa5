"""What may be granted: never more than whoever grants it has, said before anything is signed."""

import msgspec
import pytest

from protocols.errors import InputError, PeerError
from protocols.trust.certificates import (
    Authority,
    Rank,
    granted,
    refusal,
    root_authority,
    sign_certificate,
    verify_chain,
)
from protocols.trust.charter import Sensitivity, operation_id
from protocols.trust.granting import (
    COORDINATOR_COUNT,
    POSTS,
    Offer,
    Wish,
    entitled,
    offer,
    own_scope,
    root_serial,
)
from protocols.trust.statements import SignedStatement
from protocols.trust.terms import DEVICE_ROLE, HQ_ROLE, RELAY_ROLE
from tests.unit.founders import SHARED, charter, root
from tests.unit.trust_operation import keys

JAPAN, MINISTRY = ("Japan team", "JP"), ("Ministry", "KE")
HELD = charter(JAPAN, MINISTRY)
CHARTER, OPERATION = HELD.charter, HELD.operation
ROOT = root(*JAPAN)
ISSUER, COORDINATOR, TENT = keys("issuer"), keys("coordinator"), keys("tent")


def issuer(*, hq: bool = True, until_ms: int = 0) -> Authority:
    """What the issuer of the Japan team may grant."""
    roles = tuple(role.number for role in CHARTER.roles if hq or role.number != HQ_ROLE)
    made = Offer(Rank.ISSUER, roles, entitled(CHARTER, ROOT.device), 2, 500, 0, until_ms)
    certificate = made.certificate(OPERATION, ISSUER.device, ISSUER.agree_public, serial=1)
    above = root_authority(CHARTER, ROOT.device)
    assert above is not None
    assert refusal(above, certificate, OPERATION) == ""
    return granted(above, certificate)


def below(authority: Authority, post: str, **wish) -> Authority:
    """What somebody admitted by this authority may grant."""
    made = offer(CHARTER, OPERATION, [authority], Wish(post, **wish))
    return granted(
        authority,
        made.certificate(OPERATION, COORDINATOR.device, COORDINATOR.agree_public, serial=1),
    )


def refused(authority: Authority, *wish, **more) -> str:
    with pytest.raises(InputError) as found:
        offer(CHARTER, OPERATION, [authority], Wish(*wish, **more))
    return found.value.code


def names(scopes) -> set[str]:
    return {scope.name for scope in CHARTER.scopes if scope.id in scopes}


def test_a_post_has_what_it_needs_and_no_more():
    given = {post: offer(CHARTER, OPERATION, [issuer()], Wish(post)) for post in POSTS}

    assert given["device"].roles == (DEVICE_ROLE,)
    assert HQ_ROLE not in given["coordinator"].roles
    assert HQ_ROLE in given["hq"].roles
    assert given["relay"].roles == (RELAY_ROLE,)
    assert given["relay"].scopes == ()
    assert {post: each.rank for post, each in given.items()} == {
        "device": Rank.DEVICE,
        "coordinator": Rank.COORDINATOR,
        "hq": Rank.COORDINATOR,
        "relay": Rank.DEVICE,
    }
    assert given["coordinator"].count == COORDINATOR_COUNT


def test_an_organisation_may_hold_what_its_law_lets_it():
    assert names(entitled(CHARTER, ROOT.device)) == {"care JP", "counts"}
    assert names(entitled(CHARTER, root(*MINISTRY).device)) == {"care KE", "counts"}
    assert entitled(CHARTER, bytes(32)) != entitled(CHARTER, ROOT.device)


def test_more_than_the_admitter_has_is_refused_with_the_reason():
    first = issuer(hq=False)
    coordinator = below(first, "coordinator", scopes=("counts",))
    device = below(coordinator, "device")

    assert refused(first, "hq") == "certificate_roles"
    assert refused(first, "device", ("hq",)) == "certificate_roles"
    assert refused(first, "device", (), ("care KE",)) == "certificate_scopes"
    assert refused(coordinator, "device", (), ("care JP",)) == "certificate_scopes"
    assert refused(coordinator, "coordinator") == "certificate_rank"
    assert refused(device, "device") == "may_not_admit"
    assert refused(first, "king") == "unknown_post"
    assert refused(first, "device", ("king",)) == "unknown_role"
    assert refused(first, "device", (), ("moon",)) == "unknown_scope"
    ends = issuer(until_ms=1_000)
    assert refused(ends, "device", not_after_ms=1_001) == "certificate_time"
    assert offer(CHARTER, OPERATION, [ends], Wish()).not_after_ms == 1_000


def test_what_an_admitter_is_given_away_by_another_is_not_its_own():
    one, other = issuer(hq=False), below(issuer(), "coordinator", roles=("care",))
    made = offer(CHARTER, OPERATION, [other, one], Wish("device", ("relay",)))
    assert made.roles == (RELAY_ROLE,), "the authority that allows it is found among several"


def chain_of(change=None, *, signer=COORDINATOR, operation=OPERATION) -> list[SignedStatement]:
    """Root, issuer, coordinator, tent; `change` alters the last certificate."""
    first = issuer()
    links = []
    for authority_of, subject, post, by in (
        (None, ISSUER, None, ROOT),
        (first, COORDINATOR, "coordinator", ISSUER),
        (below(first, "coordinator"), TENT, "device", signer),
    ):
        if authority_of is None:
            roles = tuple(role.number for role in CHARTER.roles)
            made = Offer(Rank.ISSUER, roles, entitled(CHARTER, ROOT.device), 2, 500, 0, 0)
        else:
            made = offer(CHARTER, OPERATION, [authority_of], Wish(post))
        link = made.certificate(operation, subject.device, subject.agree_public, serial=1)
        if subject is TENT and change:
            link = msgspec.structs.replace(link, **change)
        links.append(sign_certificate(link, by))
    return links


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"rank": 2}, "certificate_rank"),
        ({"roles": (DEVICE_ROLE, HQ_ROLE)}, "certificate_roles"),
        ({"scopes": tuple(sorted(scope.id for scope in CHARTER.scopes))}, "certificate_scopes"),
        ({"depth": 1, "count": 1}, "certificate_depth"),
        ({"serial": COORDINATOR_COUNT + 1}, "certificate_count"),
        ({"serial": 0}, "certificate_count"),
        ({"count": 1}, "certificate_count"),
        ({"not_before_ms": 2, "not_after_ms": 1}, "certificate_time"),
        ({"not_after_ms": 999}, "certificate_expired"),
        ({"not_before_ms": 5_001}, "certificate_not_yet_valid"),
        ({"version": 2}, "certificate_version"),
        ({"roles": (3, 1)}, "certificate_order"),
        ({"agree": b"short"}, "certificate_agree_key"),
        ({"operation": bytes(32)}, "certificate_operation"),
    ],
)
def test_a_chain_that_claims_more_is_refused_with_the_reason(change, reason):
    assert verify_chain(CHARTER, OPERATION, chain_of(), lower_ms=1_000, upper_ms=5_000)
    with pytest.raises(PeerError) as found:
        verify_chain(CHARTER, OPERATION, chain_of(change), lower_ms=1_000, upper_ms=5_000)
    assert found.value.code == reason


def test_self_signed_and_stolen_links_are_refused():
    for links, reason in (
        (chain_of(signer=TENT), "certificate_issuer"),
        (chain_of()[2:], "certificate_issuer"),
        (chain_of()[1:], "certificate_issuer"),
        ([*chain_of(), *chain_of()], "certificate_depth"),
        ([], "certificate_depth"),
    ):
        with pytest.raises(PeerError) as found:
            verify_chain(CHARTER, OPERATION, links)
        assert found.value.code == reason
    *above, last = chain_of()
    spoiled = msgspec.structs.replace(last, signature=bytes(64))
    with pytest.raises(PeerError, match="certificate_signature"):
        verify_chain(CHARTER, OPERATION, [*above, spoiled])


def test_a_chain_of_another_operation_is_refused():
    other = charter(JAPAN, MINISTRY, text=SHARED)
    assert operation_id(other.file.body) != OPERATION
    with pytest.raises(PeerError, match="certificate_operation"):
        verify_chain(other.charter, other.operation, chain_of())


def test_the_scope_written_in_is_that_of_the_own_law_first():
    care = {scope.name: scope.id for scope in CHARTER.scopes}
    everything = care.values()
    for law, name in (("JP", "care JP"), ("KE", "care KE")):
        found = own_scope(CHARTER, everything, law, Sensitivity.IDENTIFIED)
        assert found == care[name]
    assert own_scope(CHARTER, everything, "CH", Sensitivity.AGGREGATE) == care["counts"]
    assert own_scope(CHARTER, [care["counts"]], "JP", Sensitivity.IDENTIFIED) is None
    assert own_scope(CHARTER, everything, "JP", Sensitivity.PROTECTION) is None


def test_a_root_numbers_without_keeping_count():
    numbers = {root_serial(bytes((at,)) * 32) for at in range(50)}
    assert len(numbers) > 45
    assert min(numbers) >= 1
    assert root_serial(b"a" * 32) == root_serial(b"a" * 32)
