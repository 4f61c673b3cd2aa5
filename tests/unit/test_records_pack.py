"""Packs on their way: what is signed is what is read, whoever carried it, in any order."""

from __future__ import annotations

import base64
import zlib
from hashlib import sha256

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import PeerError
from protocols.guidelines.canonical import PACK_BYTES_MAX, canonical, packed, unpacked
from protocols.ids import OperationId
from protocols.records.catalogue import decode_fact, encode_fact
from protocols.records.kinds import KindNo
from protocols.records.pack import (
    PackApprovalRow,
    PackApprove,
    PackPublish,
    PackRow,
    PackUse,
    PackUseRow,
)
from protocols.records.shape import SubjectKind
from protocols.trust.identity import DeviceKeys
from protocols.trust.packs import (
    approve_pack,
    pack_digest,
    read_pack_approval,
    read_pack_statement,
    sign_pack,
)
from protocols.trust.statements import pack as bytes_of
from tests.unit.records_shelf import Shelf

ISSUER = DeviceKeys.from_entropy(bytes(range(64)))
PERSON = DeviceKeys.from_entropy(bytes(range(64, 128)))
OPERATION = OperationId(b"\7" * 32)
TEXT = """[pack]
name = "cholera"
version = "2"
title = "Choléra"
source = "x"
status = "memory"
"""


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def publication(text=TEXT, *, name="cholera", version="2", signed_text=None) -> dict[str, str]:
    digest = pack_digest(canonical(signed_text or text))
    statement = sign_pack(ISSUER, OPERATION, name, version, digest)
    return {"pack": b64(packed(canonical(text))), "signed": b64(bytes_of(statement))}


def approval(text=TEXT) -> dict[str, str]:
    digest = pack_digest(canonical(text))
    _, said = read_pack_statement(bytes_of(sign_pack(ISSUER, OPERATION, "cholera", "2", digest)))
    return {"signed": b64(bytes_of(approve_pack(PERSON, said, "Dr Niyonkuru", "clinical lead")))}


def test_a_pack_its_approval_and_its_use_become_rows_that_belong_together():
    shelf = Shelf()

    given_out = shelf.write("pack.publish", publication())
    stands_by = shelf.write("pack.approve", approval())
    use = shelf.write("pack.use", {"name": "cholera", "version": "2", "digest": "ab" * 32})

    (row,) = shelf.rows(given_out.subject)
    (approved,) = shelf.rows(stands_by.subject)
    (used,) = shelf.rows(use.subject)
    assert isinstance(row, PackRow) and isinstance(approved, PackApprovalRow)
    assert isinstance(used, PackUseRow)
    assert (row.name, row.version, row.title, row.status) == ("cholera", "2", "Choléra", "memory")
    assert (row.issuer, row.operation, row.text) == (bytes(ISSUER.device), bytes(OPERATION), TEXT)
    assert approved.digest == row.digest
    assert (approved.person, approved.role) == ("Dr Niyonkuru", "clinical lead")
    assert approved.approver == bytes(PERSON.device)
    assert (used.name, used.version, used.digest) == ("cholera", "2", b"\xab" * 32)
    assert {shelf.kinds[each.subject] for each in (given_out, stands_by, use)} == {SubjectKind.PACK}


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ({**publication(), "pack": "?"}, "bad_value"),
        ({**publication(), "pack": b64(b"no")}, "bad_pack"),
        ({**publication(), "pack": b64(zlib.compress(b"[pack]\nname = 1\n"))}, "bad_pack"),
        ({**publication(), "pack": b64(zlib.compress(TEXT.encode() + b"\n"))}, "bad_pack"),
        ({**publication(), "signed": b64(b"no")}, "bad_signature"),
        ({**publication(), "signed": approval()["signed"]}, "bad_signature"),
        (publication(signed_text=TEXT + "# more\n"), "bad_signature"),
        (publication(name="measles"), "bad_signature"),
        (publication(version="3"), "bad_signature"),
        ({"pack": "A" * 100_000, "signed": ""}, "too_long"),
    ],
)
def test_what_was_not_signed_as_it_is_is_refused(data, code):
    assert Shelf().refused("pack.publish", data).code == code


def test_an_approval_must_be_one():
    assert Shelf().refused("pack.approve", {"signed": publication()["signed"]}).code == (
        "bad_signature"
    )


@pytest.mark.parametrize("digest", ["ab", "zz" * 32, "ab" * 33])
def test_a_use_names_a_whole_digest_or_none(digest):
    refused = Shelf().refused("pack.use", {"name": "x", "version": "1", "digest": digest})

    assert refused.code == "bad_value"


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_whatever_a_peer_wrote_gives_a_row_and_never_an_error(small, signed):
    shelf = Shelf()
    written = shelf.write("pack.publish", publication())
    held = shelf.facts_by_subject[written.subject]
    for value in (PackPublish(packed=small, signed=signed), PackApprove(signed=signed)):
        (fact,) = (f for f in held if f.kind == KindNo.PACK_PUBLISH)
        shelf.facts_by_subject[written.subject] = [
            f if f is not fact else _with(fact, value) for f in held
        ]
        (row,) = shelf.rows(written.subject)
        assert (getattr(row, "issuer", b""), getattr(row, "approver", b"")) == (b"", b"")


def _with(fact, value):
    kind = KindNo.PACK_PUBLISH if isinstance(value, PackPublish) else KindNo.PACK_APPROVE
    return msgspec.structs.replace(fact, kind=kind, record=value)


@given(st.integers(0, 400), st.integers(0, 255))
def test_one_changed_byte_of_a_statement_and_it_does_not_hold(at, byte):
    raw = bytearray(base64.b64decode(publication()["signed"]))
    at %= len(raw)
    if raw[at] == byte:
        return
    raw[at] = byte

    with pytest.raises(PeerError):
        read_pack_statement(bytes(raw))


def test_a_statement_of_one_kind_is_never_read_as_another():
    with pytest.raises(PeerError):
        read_pack_approval(base64.b64decode(publication()["signed"]))
    with pytest.raises(PeerError):
        read_pack_statement(base64.b64decode(approval()["signed"]))


@given(st.text(max_size=200))
def test_canonical_bytes_are_canonical(text):
    once = canonical(text)

    assert once.endswith(b"\n")
    assert b"\r" not in once
    assert canonical(once.decode("utf-8", "surrogatepass")) == once


def test_line_ends_and_composed_letters_do_not_change_a_pack():
    assert canonical("é\r\nx\n\n") == canonical("\ufeffe\u0301\nx") == "é\nx\n".encode()


@given(st.binary(max_size=300))
def test_any_bytes_unpack_to_a_canonical_text_or_to_nothing(small):
    for each in (small, zlib.compress(small)):
        raw = unpacked(each)
        assert raw is None or canonical(raw.decode()) == raw


def test_a_bomb_costs_no_more_than_a_pack():
    assert unpacked(zlib.compress(b"a" * (PACK_BYTES_MAX - 1) + b"\n")) is not None
    assert unpacked(zlib.compress(b"a" * PACK_BYTES_MAX + b"\n")) is None
    assert unpacked(zlib.compress(b"a" * 10_000_000)) is None


def test_bytes_on_the_wire_do_not_change():
    use = PackUse(name="news2", version="1")

    assert encode_fact(KindNo.PACK_USE, use).hex() == "94c090a56e65777332a131"
    assert decode_fact(KindNo.PACK_USE, encode_fact(KindNo.PACK_USE, use)) == use
    assert encode_fact(KindNo.PACK_PUBLISH, PackPublish(packed=b"p", signed=b"s")).hex() == (
        "94c090c40170c40173"
    )
    assert encode_fact(KindNo.PACK_APPROVE, PackApprove(signed=b"s")).hex() == "93c090c40173"


def test_what_is_signed_does_not_change():
    """The bytes that a signature covers, on every node and in every later version."""
    digest = pack_digest(b"x\n")
    given_out = bytes_of(sign_pack(ISSUER, OPERATION, "x", "1", digest))
    _, said = read_pack_statement(given_out)
    stands_by = bytes_of(approve_pack(PERSON, said, "A", "lead"))

    assert digest.hex() == "3317f821c3209e73f025c045f1b59a487866ea82e05d351843a36bf49eecd8ba"
    assert (
        sha256(given_out).hexdigest()
        == "32213d0b14803bf006089075dbc9b70ad4a492ebcd1c55248508406f17334235"
    )
    assert (
        sha256(stands_by).hexdigest()
        == "8bfd71bb7225453898210658c8675d130342b622e8499d4f9843c9c6626f2234"
    )
