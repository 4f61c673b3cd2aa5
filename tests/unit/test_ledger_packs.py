"""Which pack is in use: who may give one out, who may approve, and which version goes first."""

from __future__ import annotations

import base64
from random import Random

import pytest

from protocols.errors import InputError
from protocols.guidelines.canonical import canonical, head_of, packed
from protocols.guidelines.linting import lint, read_any, read_faultless
from protocols.guidelines.news2 import News2Pack
from protocols.ids import DeviceId, OperationId, PersonId
from protocols.ledger import packs, persons, sealing
from protocols.ledger.founding import found_member
from protocols.ledger.packs import HeldPack
from protocols.ledger.sealing import SealOrder
from protocols.ledger.store import open_memory
from protocols.live import calls
from protocols.live import packs as live_packs
from protocols.live.guidance import PackInUse
from protocols.mesh.effects import Now
from protocols.records.kinds import KindNo
from protocols.trust.charter import Org, Role, Scope, Sensitivity, found
from protocols.trust.control import SealReason
from protocols.trust.identity import DeviceKeys
from protocols.trust.packs import approve_pack, pack_digest, read_pack_statement, sign_pack
from protocols.trust.persons import person_keys, unlock
from protocols.trust.statements import pack as bytes_of
from tests.unit.people import LOGISTICIAN, NURSE, PASSPHRASE, ROLES, enrol, founder, write
from tests.unit.stage import WALL_MS, Device

SHIPPED = next(pack for pack in packs.held(founder().ledger) if pack.name == "news2")
"""As every node has it."""


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def text(version: str) -> str:
    return SHIPPED.text.replace('version = "1"', f'version = "{version}"', 1)


def line(kind, key, data):
    return {"v": 1, "kind": kind, "key": key, "data": data}


def publish(device, version, keys=None, operation=None, content=None):
    """Publish one version of news2, signed by the device's own issuer unless told otherwise."""
    whole = content or text(version)
    digest = pack_digest(canonical(whole))
    authority = device.ledger.authority
    statement = bytes_of(
        sign_pack(
            keys or authority.keys, operation or authority.operation, "news2", version, digest
        )
    )
    data = {"pack": b64(packed(canonical(whole))), "signed": b64(statement)}
    (answer,) = write(
        device, None, line("pack.publish", f"publish-{version}-{b64(statement)[-8:]}", data)
    )
    assert answer.ok, answer
    return statement


def approve(device, statement, person, keys):
    said = approve_pack(keys, read_pack_statement(statement)[1], person, "clinical lead")
    data = {"signed": b64(bytes_of(said))}
    (answer,) = write(
        device, None, line("pack.approve", f"approve-{person}-{len(statement)}", data)
    )
    assert answer.ok, answer


def person_of(device, roles=(NURSE,)) -> PersonId:
    """Enrol somebody; return their id."""
    before = {each.person for each in persons.enrolled(device.ledger)}
    enrol(device, roles=roles)
    (new,) = {each.person for each in persons.enrolled(device.ledger)} - before
    return new


def keys_of(device, person) -> DeviceKeys:
    made, _ = persons.key_of(device.ledger, person)
    seed = unlock(made.wrapped, PASSPHRASE, made.person)
    assert seed is not None
    return person_keys(seed)


def used(device) -> HeldPack:
    device.ledger.catch_up_all()
    found = packs.in_use(device.ledger, "news2")
    assert found is not None
    return found


def test_alone_a_node_works_by_what_came_with_the_software():
    ann = founder()

    assert (used(ann).version, used(ann).shipped, used(ann).approved) == ("1", True, False)
    assert packs.in_use(ann.ledger, "no-such-pack") is None
    assert packs.unsaid(ann.ledger) == []


@pytest.mark.parametrize(
    ("published", "version"),
    [(["1.1"], "1.1"), (["2", "10"], "10"), (["10", "2"], "10"), (["0.9"], "1"), (["1"], "1")],
)
def test_the_newest_goes_first(published, version):
    ann = founder()
    for each in published:
        publish(ann, each)

    assert used(ann).version == version
    assert used(ann).shipped is (published == ["0.9"])


def test_an_approved_version_goes_before_a_newer_one():
    ann = founder()
    amina = person_of(ann)
    two = publish(ann, "2")
    publish(ann, "3")
    assert used(ann).version == "3"

    approve(ann, two, "Amina", keys_of(ann, amina))

    found = used(ann)
    assert (found.version, found.approved_by) == ("2", "Amina, clinical lead")
    contents = packs.contents(found)
    assert isinstance(contents, News2Pack)
    assert contents.pack.approved_by == "Amina, clinical lead"
    assert SHIPPED.approved_by == ""


def test_only_a_person_whose_role_may_approve_does():
    ann = founder()
    logistician, nurse = person_of(ann, (LOGISTICIAN,)), person_of(ann)
    two = publish(ann, "2")

    approve(ann, two, "A stranger", DeviceKeys.from_entropy(bytes(64)))
    approve(ann, two, "The device itself", ann.ledger.authority.keys)
    approve(ann, two, "Logistician", keys_of(ann, logistician))
    assert not used(ann).approved

    approve(ann, two, "Nurse", keys_of(ann, nurse))
    assert used(ann).approved_by == "Nurse, clinical lead"


LEAD = 6


def led() -> Device:
    """The issuer of an operation whose charter names who approves packs."""
    chance, store = Random("led"), open_memory()
    root = DeviceKeys.from_entropy(chance.randbytes(64))
    signed = found(
        name="camp",
        org=Org("Test", bytes(root.device), "XX"),
        root=root,
        nonce=chance.randbytes(16),
        created_ms=WALL_MS,
        scopes=[Scope(chance.randbytes(16), "care", int(Sensitivity.IDENTIFIED))],
        roles=(*ROLES, Role(LEAD, "clinical lead", (int(KindNo.PACK_APPROVE),))),
    )
    found_member(
        store, name="ann", charter=signed, root=root, hq=False, entropy=chance.randbytes,
        wall_ms=WALL_MS,
    )  # fmt: skip
    return Device("ann", store, 0)


def test_where_the_charter_names_a_clinical_lead_nobody_else_approves():
    ann = led()
    nurse, lead = person_of(ann), person_of(ann, (NURSE, LEAD))
    two = publish(ann, "2")

    approve(ann, two, "Nurse", keys_of(ann, nurse))
    assert not used(ann).approved

    approve(ann, two, "Lead", keys_of(ann, lead))
    assert used(ann).approved_by == "Lead, clinical lead"


def test_an_approval_of_one_version_is_none_of_another():
    ann = founder()
    amina = person_of(ann)
    two = publish(ann, "2")
    approve(ann, two, "Amina", keys_of(ann, amina))
    publish(ann, "2", content=text("2") + "# one comment more\n")

    versions = [
        pack for pack in packs.held(ann.ledger) if (pack.name, pack.version) == ("news2", "2")
    ]

    assert [pack.approved for pack in versions] == [True, False]


@pytest.mark.parametrize("who", ["stranger", "other operation"])
def test_what_no_issuer_of_this_operation_signed_is_never_used(who):
    ann = founder()
    if who == "stranger":
        publish(ann, "9", keys=DeviceKeys.from_entropy(bytes(64)))
    else:
        publish(ann, "9", operation=OperationId(b"\1" * 32))

    (nine,) = [pack for pack in packs.held(ann.ledger) if pack.version == "9"]

    assert not nine.counts
    assert used(ann).version == "1"


def test_what_a_member_below_an_issuer_signed_is_never_used():
    ann = founder()
    publish(ann, "9", keys=keys_of(ann, person_of(ann)))

    (nine,) = [pack for pack in packs.held(ann.ledger) if pack.version == "9"]

    assert not nine.counts


def test_an_approval_for_another_operation_is_none():
    ann = founder()
    amina = person_of(ann)
    two = publish(ann, "2")
    _, said = read_pack_statement(two)
    elsewhere = sign_pack(
        ann.ledger.authority.keys, OperationId(b"\1" * 32), "news2", "2", said.digest
    )

    approve(ann, bytes_of(elsewhere), "Amina", keys_of(ann, amina))

    assert not used(ann).approved


def test_a_version_this_software_finds_faults_in_is_never_used():
    ann = founder()
    publish(ann, "9", content=text("9").replace('from = "9", to = "11"', 'from = "8", to = "11"'))

    (nine,) = [pack for pack in packs.held(ann.ledger) if pack.version == "9"]

    assert (nine.counts, nine.readable) == (True, False)
    assert used(ann).version == "1"


def test_a_seal_on_the_person_takes_the_approval_back():
    ann = founder()
    amina = person_of(ann)
    approve(ann, publish(ann, "2"), "Amina", keys_of(ann, amina))
    assert used(ann).approved

    order = SealOrder(SealReason.COMPROMISED)
    sealing.seal(ann.ledger, DeviceId(amina), order, bytes(24), WALL_MS)

    assert not used(ann).approved


def test_a_node_says_once_which_version_it_works_by():
    ann = founder()
    publish(ann, "2")
    (wanted,) = packs.unsaid(ann.ledger)
    data = {"name": wanted.name, "version": wanted.version, "digest": wanted.digest.hex()}

    (answer,) = write(ann, None, line("pack.use", "use-1", data))
    ann.ledger.catch_up_all()

    assert answer.ok
    assert packs.unsaid(ann.ledger) == []
    (use,) = packs.uses(ann.ledger)
    assert (use.device, use.version) == (bytes(ann.ledger.authority.device), "2")


def test_a_node_that_stays_with_what_came_with_the_software_says_that_too():
    ann = founder()
    publish(ann, "0.9")

    (wanted,) = packs.unsaid(ann.ledger)
    assert (wanted.version, wanted.shipped) == ("1", True)
    write(ann, None, line("pack.use", "use-1", {"name": "news2", "version": "1"}))
    ann.ledger.catch_up_all()

    assert packs.unsaid(ann.ledger) == []
    publish(ann, "2")
    assert [pack.version for pack in packs.unsaid(ann.ledger)] == ["2"]


def test_a_terminal_is_told_what_to_work_by_and_who_stands_by_it():
    ann = founder()
    amina = person_of(ann)
    approve(ann, publish(ann, "2"), "Amina", keys_of(ann, amina))
    ann.ledger.catch_up_all()
    moment = Now(WALL_MS, 0, ann.chance.randbytes)

    found = calls.READS["pack_in_use"](ann.node, moment, {"pack": "news2"})

    assert isinstance(found, PackInUse)
    assert (found.version, found.approved_by, found.org) == ("2", "Amina, clinical lead", "Test")
    assert found.text == text("2")
    with pytest.raises(InputError) as refused:
        calls.READS["pack_in_use"](ann.node, moment, {"pack": "?"})
    assert refused.value.code == "unknown_pack"


def test_only_an_issuer_signs_and_nothing_with_faults():
    ann = founder()

    statement = packs.sign(ann.ledger, text("2"))
    with pytest.raises(InputError) as refused:
        packs.sign(ann.ledger, text("2").replace('step = "1"', 'step = "2"', 1))

    assert read_pack_statement(statement)[1].pack_version == "2"
    assert refused.value.code == "pack_faults"
    assert refused.value.allowed[0].split(":")[0].isdecimal()


def test_kinds_have_numbers_of_their_own_block():
    assert [KindNo.PACK_PUBLISH, KindNo.PACK_APPROVE, KindNo.PACK_USE] == [120, 121, 122]


def test_what_came_with_the_software_is_said_in_one_line_and_counts_for_every_pack():
    ann = founder()
    assert packs.unsaid_set(ann.ledger) == packs.shipped_set()
    said = {"name": packs.SOFTWARE, "version": packs.shipped_set()}
    (answer,) = write(ann, None, line("pack.use", "all", said))
    ann.ledger.catch_up_all()

    assert answer.ok
    assert packs.unsaid_set(ann.ledger) == ""
    assert packs.unsaid(ann.ledger) == []
    told = {use.name: (use.version, use.digest) for use in packs.uses(ann.ledger)}
    assert set(told) == set(packs.SHIPPED_NAMES)
    assert told["news2"] == ("1", b"")


def test_who_moves_on_to_a_published_version_counts_there_and_no_more_as_shipped():
    ann = founder()
    said = {"name": packs.SOFTWARE, "version": packs.shipped_set()}
    write(ann, None, line("pack.use", "all", said))
    publish(ann, "2")
    (wanted,) = packs.unsaid(ann.ledger)
    data = {"name": wanted.name, "version": wanted.version, "digest": wanted.digest.hex()}
    write(ann, None, line("pack.use", "use-2", data))
    ann.ledger.catch_up_all()

    (of_news,) = [use for use in packs.uses(ann.ledger) if use.name == "news2"]
    assert of_news.version == "2"


def test_what_came_with_another_software_is_told_as_such():
    ann = founder()
    write(ann, None, line("pack.use", "all", {"name": packs.SOFTWARE, "version": "0" * 16}))
    ann.ledger.catch_up_all()

    (use,) = packs.uses(ann.ledger)
    assert (use.name, use.version) == (packs.SOFTWARE, "0" * 16)
    assert packs.unsaid_set(ann.ledger) == packs.shipped_set()


def test_a_node_alone_has_nobody_to_tell_and_one_with_others_says_it():
    ann = founder()
    moment = Now(WALL_MS, 0, ann.chance.randbytes)
    assert calls.READS["pack_unsaid"](ann.node, moment, {}) == []
    enrol(ann)

    unsaid = calls.READS["pack_unsaid"](ann.node, moment, {})
    assert isinstance(unsaid, list)
    (said,) = unsaid

    assert said["data"] == {"name": packs.SOFTWARE, "version": packs.shipped_set()}


def test_hqs_page_names_devices_that_said_nothing_and_never_people():
    ann = founder()
    enrol(ann)
    moment = Now(WALL_MS, 0, ann.chance.randbytes)
    own = str(ann.ledger.authority.device)

    before = live_packs.page(ann.node, moment, {})
    said = {"name": packs.SOFTWARE, "version": packs.shipped_set()}
    write(ann, None, line("pack.use", "all", said))
    ann.ledger.catch_up_all()
    after = live_packs.page(ann.node, moment, {})

    assert [user.device for user in before.silent] == [own]
    assert after.silent == ()
    assert all([user.device for user in each.users] == [own] for each in after.lines)
    assert {each.name for each in after.lines} == set(packs.SHIPPED_NAMES)


@pytest.mark.parametrize("name", packs.SHIPPED_NAMES)
def test_what_comes_with_the_software_is_read_as_anybodys_pack_would_be(name):
    pack = packs._shipped(name)
    head = head_of(pack.text)

    assert (pack.name, pack.version) == (head.name, head.version)
    assert (pack.title, pack.status) == (head.title, head.status)
    assert lint(pack.text) == []
    assert read_faultless(pack.text) == read_any(pack.text)
