"""Nodes of several organisations in one operation: founded apart, linked, admitted, let in anew."""

from __future__ import annotations

import pytest

from protocols.errors import InputError
from protocols.ledger import founding
from protocols.ledger.admitting import Newcomer
from protocols.ledger.sealing import SealOrder
from protocols.mesh.door import own_control
from protocols.mesh.node import Node
from protocols.trust.certificates import Rank
from protocols.trust.charter import Sensitivity
from protocols.trust.control import SealReason
from protocols.trust.enrolment import open_request_file, sign_request
from protocols.trust.granting import Wish
from protocols.trust.standing import Standing
from tests.unit.founders import (
    SHARED,
    TWO_LAWS,
    charter,
    member,
    root,
    writes_in,
)
from tests.unit.stage import Device, Stage, note, patient
from tests.unit.trust_operation import keys

JAPAN, MINISTRY, CROSS = ("Japan team", "JP"), ("Ministry", "KE"), ("Red Cross", "CH")


def two(text: str = TWO_LAWS) -> tuple[Device, Device]:
    held = charter(JAPAN, MINISTRY, text=text)
    return member(held, "Japan team", "jp", law="JP"), member(
        held, "Ministry", "ke", law="KE", hq=True
    )


def let_in(admitter: Device, joiner: Device, wish: Wish = Wish(), **more) -> None:  # noqa: B008
    """Admit by files, as two people with a stick do."""
    stage = Stage()
    asked = joiner.node.ask(stage.now(joiner))
    grant, _ = admitter.node.admit(asked, wish, stage.now(admitter), **more)
    joiner.node.join(grant, stage.now(joiner))
    joiner.ledger.reload()
    joiner.node = Node(joiner.ledger)


def meet(*devices: Device, for_ms: int = 3_000) -> Stage:
    stage = Stage()
    for device in devices:
        # Links of an earlier meeting are gone.
        device.restarted()
    for other in devices[1:]:
        stage.link(devices[0], other)
    stage.run(for_ms)
    for device in devices:
        device.ledger.catch_up_all()
    return stage


def members_of(device: Device) -> dict[str, tuple[str, str]]:
    roster = device.ledger.authority.roster
    found = {each: roster.device(each) for each in roster.members()}
    return {
        str(device.ledger.authority.name_of(each)): (member.org, member.jurisdiction)
        for each, member in found.items()
        if member is not None
    }


def standings(device: Device) -> list[int]:
    device.ledger.catch_up_all()
    return [row[0] for row in device.store.all("SELECT standing FROM patient ORDER BY standing")]


def refused(code: str, run, *args, **more) -> None:
    with pytest.raises(InputError) as found:
        run(*args, **more)
    assert found.value.code == code


def test_two_organisations_that_never_shared_a_network_link_and_know_each_other():
    jp, ke = two()
    assert jp.ledger.authority.operation == ke.ledger.authority.operation

    meet(jp, ke)

    assert jp.node.linked == [ke.id] and ke.node.linked == [jp.id]
    for here, there in ((jp, ke), (ke, jp)):
        roster = here.ledger.authority.roster
        assert roster.members() == sorted((jp.id, ke.id))
        seen = roster.device(there.id)
        assert seen is not None
        assert seen.rank == Rank.ISSUER
        assert seen.org == ("Ministry" if there is ke else "Japan team")
    assert ke.ledger.authority.is_hq(ke.id) and jp.ledger.authority.is_hq(ke.id)
    assert not ke.ledger.authority.is_hq(jp.id)


def test_each_writes_care_in_the_scope_of_its_own_law():
    jp, ke = two()
    assert (writes_in(jp), writes_in(ke)) == ("care JP", "care KE")
    for device in (jp, ke):
        assert writes_in(device, Sensitivity.AGGREGATE) == "counts"
        assert device.ledger.authority.scope_for(Sensitivity.PROTECTION) is None
        assert Stage().write(device, patient())[0].ok
        assert standings(device) == [int(Standing.STANDS)]


def test_two_that_key_one_scope_apart_read_each_other_when_they_meet():
    jp, ke = two(SHARED)
    for device, name in ((jp, "Jun"), (ke, "Kiprop")):
        Stage().write(device, patient(name))
    scope = jp.ledger.authority.care_scope
    assert scope == ke.ledger.authority.care_scope

    meet(jp, ke, for_ms=20_000)

    for device in (jp, ke):
        assert len(device.ledger.authority.keyring.generations(scope)) >= 2
        assert standings(device) == [int(Standing.STANDS)] * 2, "both read what both wrote apart"
        assert Stage().write(device, patient("Later"))[0].ok


def test_no_root_key_is_left_in_the_book_of_a_member():
    jp, _ = two()
    seed = root(*JAPAN).sign_seed
    assert not any(seed in bytes(row[0]) for row in jp.store.all("SELECT value FROM meta"))
    assert jp.store.one("SELECT 1 FROM meta WHERE name = 'root_seed'") is None


def test_only_a_member_of_the_charter_begins_in_it():
    held = charter(JAPAN)
    refused("root_not_in_charter", member, held, "Ministry", "ke", law="KE")


def test_a_member_whose_law_may_hold_nothing_still_writes_care_down():
    held = charter(JAPAN, CROSS)
    cross = member(held, "Red Cross", "ch", law="CH")
    jp = member(held, "Japan team", "jp", law="JP")
    assert writes_in(cross) == ""
    assert writes_in(cross, Sensitivity.AGGREGATE) == "counts"

    answers = Stage().write(cross, patient())
    meet(cross, jp)

    assert answers[0].ok
    assert len(standings(cross)) == 1
    assert standings(jp) == [], "what belongs to no scope of the operation goes to nobody"


def test_by_file_a_coordinator_comes_in_and_lets_others_in():
    jp, _ = two()
    lead, tent = Device.found("lead"), Device.found("tent")
    Stage().write(tent, patient("Before"))

    let_in(jp, lead, Wish("coordinator"))
    let_in(lead, tent, Wish("device", ("care",), ("care JP",)), name="Tent one")
    meet(lead, tent, jp)

    seen = jp.ledger.authority.roster.device(tent.id)
    assert seen is not None
    assert (seen.rank, seen.org, seen.roles) == (Rank.DEVICE, "Japan team", {4})
    assert jp.ledger.authority.name_of(tent.id) == "Tent one"
    assert writes_in(tent) == "care JP"
    assert standings(jp) == standings(tent) == [int(Standing.STANDS)]


def test_by_code_one_comes_in_as_what_the_invitation_says():
    jp, _ = two()
    lead, stage, code = Device.found("lead"), Stage(), b"0123456789"
    refused("certificate_roles", jp.node.invite, code, stage.now(jp), Wish("hq"))
    jp.node.invite(code, stage.now(jp), Wish("coordinator", ("care",), ("care JP",)))

    stage.link(lead, jp, code=code)
    stage.run(2_000)
    meet(jp, lead)

    seen = jp.ledger.authority.roster.device(lead.id)
    assert seen is not None
    assert (seen.rank, seen.roles) == (Rank.COORDINATOR, {4})
    assert jp.node.linked == [lead.id]
    refused("certificate_roles", lead.node.invite, code, stage.now(lead), Wish())
    lead.node.invite(code, stage.now(lead), Wish("device", ("care",)))


def test_a_grant_answers_one_request_of_one_device_and_once():
    jp, _ = two()
    one, other, stage = Device.found("one"), Device.found("other"), Stage()
    asked = one.node.ask(stage.now(one))
    assert asked == one.node.ask(stage.now(one)), "asking again is the same request"
    grant, _ = jp.node.admit(asked, Wish(), stage.now(jp))

    refused("grant_for_another", other.node.join, grant, stage.now(other))
    one.node.join(grant, stage.now(one))
    refused("no_request", one.node.join, grant, stage.now(one))
    assert one.ledger.authority.epoch == open_request_file(asked).next_epoch


def test_a_restored_copy_never_writes_in_the_epoch_its_original_asked_for():
    jp, _ = two()
    one, stage = Device.found("one"), Stage()
    asked = one.node.ask(stage.now(one))
    copy = one.copy("one")
    grant, _ = jp.node.admit(asked, Wish(), stage.now(jp))
    one.node.join(grant, stage.now(one))

    founding.new_epoch(copy.store, b"restored")
    copy.restarted()

    refused("no_request", copy.node.join, grant, stage.now(copy))
    again = open_request_file(copy.node.ask(stage.now(copy)))
    assert again.next_epoch != one.ledger.authority.epoch


def test_admitting_is_refused_with_the_reason_and_leaves_nothing():
    jp, _ = two()
    lead, tent, late = (Device.found(name) for name in ("lead", "tent", "late"))
    let_in(jp, lead, Wish("coordinator", (), ("counts",)))
    let_in(jp, tent)
    stage = Stage()
    asked = late.node.ask(stage.now(late))
    before = lead.entries

    for admitter, wish, code in (
        (tent, Wish(), "may_not_admit"),
        (lead, Wish("coordinator"), "certificate_rank"),
        (lead, Wish("device", (), ("care JP",)), "certificate_scopes"),
        (lead, Wish("hq"), "certificate_rank"),
        (jp, Wish("hq"), "certificate_roles"),
        (jp, Wish("device", (), ("care KE",)), "certificate_scopes"),
        (jp, Wish("device", ("king",)), "unknown_role"),
    ):
        refused(code, admitter.node.admit, asked, wish, stage.now(admitter))
    refused("own_device", jp.node.admit, jp.node.ask(stage.now(jp)), Wish(), stage.now(jp))
    refused("file_damaged", jp.node.admit, asked[:-1] + b"\0", Wish(), stage.now(jp))
    assert lead.entries == before


def test_a_number_is_given_once_and_kept_at_a_renewal():
    jp, _ = two()
    one, other = Device.found("one"), Device.found("other")
    let_in(jp, one)
    let_in(jp, other)
    let_in(jp, one, Wish("device", ("care",)))

    roster = jp.ledger.authority.roster
    serials = {
        name: {certificate.serial for _, certificate in roster.certificates(device.id)}
        for name, device in (("one", one), ("other", other))
    }
    assert serials == {"one": {1}, "other": {2}}
    assert roster.reused_serials() == []


def newcomers(count: int, wish: Wish = Wish("device", ("care",))) -> list[Newcomer]:  # noqa: B008
    return [
        Newcomer(
            sign_request(
                keys(f"new {at}"), b"", epochs=(), scopes=(), name=f"Tent {at}", next_epoch=bytes(8)
            ),
            wish,
        )
        for at in range(count)
    ]


def test_many_are_admitted_with_few_records_and_each_under_its_own_number():
    jp, _ = two()
    stage = Stage()
    before = len(jp.entries)

    grants, _ = jp.node.admit_all(newcomers(150), stage.now(jp))

    roster = jp.ledger.authority.roster
    admitted = [roster.device(each) for each in roster.members()]
    assert len(grants) == 150
    assert sum(each is not None and each.roles == {4} for each in admitted) == 150
    assert roster.reused_serials() == []
    assert len(jp.entries) - before == 3 + 150 + 2, "certificates, admissions, keys of two scopes"


def test_of_many_all_are_admitted_or_none_and_the_row_is_named():
    jp, _ = two()
    stage, before = Stage(), jp.entries
    some = newcomers(3)
    for bad, code in (
        (Newcomer(some[2].request, Wish("hq")), "certificate_roles"),
        (some[0], "device_twice"),
    ):
        with pytest.raises(InputError) as found:
            jp.node.admit_all([some[0], some[1], bad], stage.now(jp))
        assert (found.value.code, found.value.field) == (code, "row 3")
    assert jp.entries == before


def test_a_relay_is_admitted_without_a_scope_and_carries():
    jp, _ = two(SHARED)
    tent, relay = Device.found("tent"), Device.found("relay")
    let_in(jp, tent)
    let_in(jp, relay, Wish("relay"))
    Stage().write(jp, patient("Secret Name"))

    meet(relay, jp)
    meet(relay, tent)

    assert standings(tent) == [int(Standing.STANDS)]
    assert standings(relay) == []
    assert not any(
        b"Secret Name" in value
        for (value,) in relay.store.all("SELECT body FROM entry WHERE body IS NOT NULL")
    )
    assert Stage().write(relay, patient("Own"))[0].ok, "care is written down all the same"


def test_only_a_reader_of_a_scope_is_handed_its_key():
    narrow = SHARED + '[[scope]]\nname = "children"\nsensitivity = "protection"\nreaders = ["hq"]\n'
    jp, ke = two(narrow)
    tent = Device.found("tent")
    let_in(jp, tent, Wish("device", ("care",)))

    for device, open_keys in ((ke, 1), (tent, 0), (jp, 0)):
        authority = device.ledger.authority
        scope = authority.scope_for(Sensitivity.PROTECTION)
        assert writes_in(device, Sensitivity.PROTECTION) == "children"
        known = [authority.keyring.key(each) for each in authority.keyring.generations(scope)]
        assert len([key for key in known if key]) == open_keys
    assert tent.ledger.authority.keyring.keys, "of care it has the key"


def test_a_sealed_device_that_was_found_is_let_in_anew_and_syncs():
    jp, _ = two(SHARED)
    tent, stage = Device.found("tent"), Stage()
    let_in(jp, tent, Wish("device", ("care",)))
    Stage().write(tent, patient("Honest"))
    meet(jp, tent)
    jp.node.seal(tent.id, SealOrder(SealReason.LOST), stage.now(jp))
    Stage().write(tent, patient("Stolen"))
    old_epoch = tent.ledger.authority.epoch
    assert meet(jp, tent) and jp.node.linked == []

    let_in(jp, tent, Wish("device", ("care",)))
    assert tent.ledger.authority.epoch != old_epoch
    Stage().write(tent, patient("Again"))
    meet(jp, tent)

    assert jp.node.linked == [tent.id]
    named = dict(jp.store.all("SELECT given, standing FROM patient"))
    assert named["Honest"] == named["Again"] == int(Standing.STANDS)
    assert named.get("Stolen", int(Standing.QUARANTINED)) in (
        int(Standing.QUARANTINED),
        int(Standing.HELD),
    )


def test_letting_in_anew_lifts_no_seal_on_what_it_was_before():
    jp, ke = two(SHARED)
    lead, other, stage = Device.found("lead"), Device.found("other"), Stage()
    let_in(jp, lead, Wish("coordinator"))
    let_in(jp, other, Wish("coordinator"))
    jp.node.seal(other.id, SealOrder(SealReason.LOST), stage.now(jp))
    meet(jp, lead)

    let_in(lead, other, Wish("device", ("care",)))
    meet(lead, other, jp)

    for device in (jp, lead, other):
        roster = device.ledger.authority.roster
        assert roster.device(other.id).rank == Rank.DEVICE, "a coordinator it is no more"
        assert roster.refused_seals() == []
    assert lead.node.linked == sorted((jp.id, other.id))


def test_another_organisation_takes_in_whom_one_has_sealed_and_lifts_nothing():
    jp, ke = two(SHARED)
    tent, stage = Device.found("tent"), Stage()
    let_in(jp, tent, Wish("device", ("care",)))
    jp.node.seal(tent.id, SealOrder(SealReason.RETIRED), stage.now(jp))
    meet(jp, ke)

    written = len(ke.entries)
    let_in(ke, tent, Wish("device", ("care",)))
    assert len(ke.entries) == written + 3, "certificate, admission, key: no seal of another's"
    meet(ke, tent, jp)

    for device in (jp, ke):
        roster = device.ledger.authority.roster
        assert roster.device(tent.id).org == "Ministry"
        assert roster.refused_seals() == []
        assert all(not bound.epochs for bound in roster.bounds(tent.id))


def test_a_sealed_coordinator_admits_nobody():
    jp, _ = two(SHARED)
    lead, late, stage = Device.found("lead"), Device.found("late"), Stage()
    let_in(jp, lead, Wish("coordinator"))
    jp.node.seal(lead.id, SealOrder(SealReason.LOST), stage.now(jp))
    meet(jp, lead)
    assert lead.ledger.authority.roster.device(lead.id).sealed, "it learns of its seal"
    asked = late.node.ask(stage.now(late))
    refused("may_not_admit", lead.node.admit, asked, Wish(), stage.now(lead))


def test_joining_again_the_operation_one_is_in_keeps_its_scopes():
    jp, _ = two()
    tent = Device.found("tent")
    let_in(jp, tent, Wish("device", ("care",)))
    scope = tent.ledger.authority.care_scope
    let_in(jp, tent, Wish("device", ("care",)))
    assert tent.ledger.authority.care_scope == scope
    # Kept until somebody entrusts the device with protection: its own concerns are adopted then.
    kept = tent.store.all("SELECT name FROM meta WHERE name LIKE 'old_scope%'")
    assert ("old_scope",) not in kept
    now = own_control(tent.ledger)[-1]
    assert now.genesis.epoch == tent.ledger.authority.epoch
    assert now.seq == 2, "the charter and the certificate: there is nothing to bridge"
    (answer,) = Stage().write(tent, patient())
    assert answer.ok and Stage().write(tent, note(answer.id or ""))[0].ok
