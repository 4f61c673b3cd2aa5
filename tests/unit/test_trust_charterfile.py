"""Charters and organisations as files: what may be put together, and what never changes again."""

import msgspec
import pytest

from protocols.errors import InputError
from protocols.trust import charterfile
from protocols.trust.charter import Charter, Scope, SignedCharter, open_charter
from protocols.trust.charterfile import (
    add_org,
    collect,
    open_charter_file,
    open_org,
    open_root,
    sign,
    unlock_root,
    whole,
)
from protocols.trust.fingerprint import fingerprint, same_fingerprint, spoken
from protocols.trust.identity import DeviceKeys
from protocols.trust.statements import pack, unpack
from protocols.trust.terms import NO_KIND
from tests.unit.founders import PASSPHRASE, ROLES, TWO_LAWS, charter, org, root, terms
from tests.unit.trust_operation import entropy

JAPAN, MINISTRY = ("Japan team", "JP"), ("Ministry", "KE")


def refused(code, run, *args) -> InputError:
    with pytest.raises(InputError) as found:
        run(*args)
    assert found.value.code == code
    return found.value


def test_the_order_of_signing_is_free_and_copies_come_together():
    begun = charter(JAPAN, MINISTRY, signed=False)
    one = open_charter_file(sign(begun, root(*JAPAN)))
    other = open_charter_file(sign(begun, root(*MINISTRY)))

    ways = {
        sign(one, root(*MINISTRY)),
        sign(other, root(*JAPAN)),
        collect(one, [other]),
        collect(other, [one, begun, other]),
    }

    assert len(ways) == 1
    held = open_charter_file(ways.pop())
    assert open_charter(whole(held)) == held.charter
    assert sign(held, root(*JAPAN)) == charterfile.charter_file(held.file)


def test_nothing_changes_once_somebody_has_signed():
    held = open_charter_file(sign(charter(JAPAN, MINISTRY, signed=False), root(*JAPAN)))
    late = open_org(org("Red Cross", "CH")[1])

    refused("charter_signed", add_org, held, late)

    # Nor by hand, past the commands.
    renamed = msgspec.structs.replace(held.charter, name="Camp 5")
    forged = msgspec.structs.replace(held.file, body=pack(renamed))
    refused("charter_forged", open_charter_file, charterfile.charter_file(forged))
    wider = msgspec.structs.replace(
        held.charter, orgs=tuple(sorted((*held.charter.orgs, late), key=lambda o: o.root))
    )
    forged = msgspec.structs.replace(held.file, body=pack(wider))
    refused("charter_forged", open_charter_file, charterfile.charter_file(forged))


def test_a_charter_begins_only_when_everybody_has_signed():
    refused("charter_empty", whole, charter())
    half = open_charter_file(sign(charter(JAPAN, MINISTRY, signed=False), root(*JAPAN)))
    assert refused("charter_unsigned", whole, half).allowed == ("Ministry",)
    assert [each.name for each in half.missing] == ["Ministry"]


def test_only_members_sign_and_each_is_in_once():
    held = charter(JAPAN, signed=False)
    refused("root_not_in_charter", sign, held, root(*MINISTRY))
    refused("org_known", add_org, held, open_org(org(*JAPAN)[1]))
    twin = msgspec.structs.replace(open_org(org(*MINISTRY)[1]), name="Japan team")
    refused("org_name_taken", add_org, held, twin)


def test_a_signature_of_another_text_cannot_be_carried_over():
    held = charter(JAPAN, MINISTRY)
    other = charter(MINISTRY, JAPAN, text=ROLES + '[[scope]]\nname = "care"\n')
    refused("other_charter", collect, held, [other])
    mixed = msgspec.structs.replace(held.file, signatures=other.file.signatures)
    refused("charter_forged", open_charter_file, charterfile.charter_file(mixed))
    twice = msgspec.structs.replace(held.file, signatures=held.file.signatures[:1] * 2)
    refused("file_damaged", open_charter_file, charterfile.charter_file(twice))
    stranger = DeviceKeys.from_entropy(entropy("stranger", 64))
    forged = ((bytes(stranger.device), stranger.sign(b"x")),)
    alien = msgspec.structs.replace(held.file, signatures=forged)
    refused("charter_forged", open_charter_file, charterfile.charter_file(alien))


def test_nobody_enters_an_organisation_under_a_key_it_does_not_hold():
    _, public = org(*JAPAN)
    head, body = public[:25], public[25:]
    assert head == b"fieldmesh organisation 1\n"
    named = body.replace(b"Japan team", b"Fapan team")
    refused("org_signature", open_org, head + named)


def test_every_file_says_when_it_is_another():
    root_file, public = org(*JAPAN)
    held = charterfile.charter_file(charter(JAPAN).file)
    for raw, right in ((root_file, open_root), (public, open_org), (held, open_charter_file)):
        for opener, code in (
            (open_root, "not_a_root_file"),
            (open_org, "not_an_org_file"),
            (open_charter_file, "not_a_charter_file"),
        ):
            if opener is not right:
                refused(code, opener, raw)
        refused("file_damaged", right, raw[:-1])
        refused("file_damaged", right, raw + b"\0")


def test_a_root_key_opens_under_its_passphrase_alone():
    file = open_root(org(*JAPAN)[0])
    assert unlock_root(file, PASSPHRASE).device == file.org.root
    refused("wrong_root_passphrase", unlock_root, file, PASSPHRASE + "!")
    other = open_root(org(*MINISTRY)[0])
    swapped = msgspec.structs.replace(file, wrapped=other.wrapped)
    refused("file_damaged", unlock_root, swapped, PASSPHRASE)


def test_an_organisation_that_cannot_be_named_is_none():
    make = charterfile.new_org
    noise = bytes(charterfile.ROOT_ENTROPY_BYTES)
    for name in ("", " a", "a\n", "x" * 81, "\u202eabc"):
        refused("bad_org_name", make, name, "JP", PASSPHRASE, noise)
    for law in ("jp", "J", "J P", "X" * 17):
        refused("bad_jurisdiction", make, "Japan", law, PASSPHRASE, noise)


def test_a_charter_without_members_founds_nothing():
    body = pack(charter().charter)
    assert msgspec.msgpack.decode(body, type=Charter).orgs == ()
    with pytest.raises(Exception, match="charter_signature"):
        open_charter(SignedCharter(body, ()))


def test_a_fingerprint_is_said_the_same_everywhere():
    held = charter(JAPAN)
    mark = fingerprint(held.operation)
    assert len(mark) == 19
    assert spoken("7Q2M-0000") == "Seven Quebec Two Mike, Zero Zero Zero Zero"
    assert same_fingerprint(mark.lower().replace("-", " "), held.operation)
    assert not same_fingerprint(mark, bytes(32))
    with pytest.raises(InputError, match="bad_id"):
        same_fingerprint("7Q2M", held.operation)


# Terms


def test_terms_name_kinds_and_readers():
    made = terms(TWO_LAWS.replace('name = "care JP"', 'name = "care JP"\nreaders = ["care"]'))
    roles = {role.name: role.kinds for role in made.roles}
    assert roles["hq"] == roles["care"] == ()
    assert roles["relay"] == (NO_KIND,)
    assert roles["triage device"] == (1, 8, 16, 24, 128)
    assert {scope.readers for scope in made.scopes if scope.name == "care JP"} == {(4,)}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (("number = 1\n", "number = 0\n"), "role 1 number"),
        (("number = 1\n", "number = 70\n"), "role number"),
        (("number = 4\n", "number = 3\n"), "role 4 number"),
        (('name = "relay"', 'name = "hq"'), "role 3 name"),
        (("kinds = []", 'kinds = ["patient.bury"]'), "role 3 kinds"),
        (("kinds = []", "kinds = 3"), "role 3 kinds"),
        (('name = "counts"', 'name = "care KE"'), "scope 3 name"),
        (('sensitivity = "aggregate"', 'sensitivity = "secret"'), "scope 3 sensitivity"),
        (('["JP"]', '["Japan"]'), "scope 1 jurisdictions"),
        (('["JP"]', '["JP"]\nreaders = ["nobody"]'), "scope 1 readers"),
        (("= false", '= "no"'), "scope 1 ciphertext_may_leave"),
        (("= false", "= 2"), "scope 1 ciphertext_may_leave"),
        (("[[scope]]", "[[scopes]]"), "keys"),
        (('name = "counts"', 'name = "counts"\ncolour = "red"'), "scope 3 keys"),
    ],
)
def test_terms_say_where_they_cannot_be_taken(change, field):
    assert refused("terms_value", terms, TWO_LAWS.replace(*change)).field == field


def test_headers_of_what_was_released_may_be_let_go_alone():
    made = terms(TWO_LAWS.replace("= false", '= "headers"', 1))
    said = {scope.name: (scope.leaves, scope.headers_leave) for scope in made.scopes}
    assert said == {"care JP": (False, True), "care KE": (False, False), "counts": (True, True)}
    for scope in made.scopes:
        assert unpack(Scope, pack(scope)) == scope
        packed = {True: b"\xc3", False: b"\xc2", 2: b"\x02"}
        assert packed[scope.ciphertext_may_leave] in pack(scope)


def test_terms_need_a_place_for_care_and_to_be_toml():
    text = ROLES + '[[scope]]\nname = "counts"\nsensitivity = "aggregate"\n'
    assert refused("terms_value", terms, text).allowed == ("identified",)
    assert refused("terms_unreadable", terms, "[[scope\n").values["line"] == 1
    refused("terms_unreadable", terms, "#" * 70_000)
