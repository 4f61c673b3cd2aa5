"""What is audited: a detail that only a scope's readers open, bound to its item and author."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from protocols.ids import KeyId
from protocols.trust.audit import (
    ACCOUNT_CHARS_MAX,
    DETAIL_BLOCK_BYTES,
    REASON_CHARS_MAX,
    Detail,
    What,
    open_detail,
    seal_detail,
)
from protocols.trust.control import (
    SEALED_TEXT_BYTES_MAX,
    Audit,
    AuditItem,
    decode_control,
    encode_control,
)
from tests.unit.trust_operation import entropy, keys

AUTHOR = keys("auditor").device
KEY_ID, KEY = KeyId(entropy("key id")), entropy("key")
NONCE = entropy("nonce", 24)

details = st.builds(
    Detail,
    patient=st.sampled_from([b"", bytes(16), entropy("patient", 16)]),
    document=st.sampled_from([b"", entropy("document", 16)]),
    person=st.sampled_from([b"", entropy("person")]),
    account=st.text(max_size=ACCOUNT_CHARS_MAX),
    reason=st.text(max_size=REASON_CHARS_MAX),
    count=st.integers(0, 2**32 - 1),
)
items = st.builds(
    AuditItem,
    what=st.integers(0, 2**16 - 1),
    at_ms=st.integers(0, 2**48 - 1),
    session=st.integers(0, 2**63 - 1),
)


def sealed(detail: Detail, item: AuditItem) -> AuditItem:
    """The item as it is written."""
    found = seal_detail(detail, AUTHOR, item, (KEY_ID, KEY), NONCE)
    return msgspec.structs.replace(item, sealed_detail=found)


@given(details, items)
def test_a_detail_opens_for_its_readers_and_fits_its_record(detail, item):
    whole = sealed(detail, item)
    assert open_detail(whole, AUTHOR, {KEY_ID: KEY}) == detail
    assert len(whole.sealed_detail) <= SEALED_TEXT_BYTES_MAX
    assert (len(whole.sealed_detail) - 72) % DETAIL_BLOCK_BYTES == 0
    assert decode_control(encode_control(Audit((whole,)))) == Audit((whole,))


def test_the_longest_detail_of_the_widest_letters_fits():
    wide = "\U0001f691"
    whole = sealed(
        Detail(
            bytes(16),
            bytes(32),
            bytes(32),
            wide * ACCOUNT_CHARS_MAX,
            wide * REASON_CHARS_MAX,
            2**32 - 1,
        ),
        AuditItem(What.EXPORT, 2**48 - 1, 2**63 - 1),
    )
    assert len(whole.sealed_detail) <= SEALED_TEXT_BYTES_MAX


def test_nothing_of_a_detail_stands_in_clear():
    detail = Detail(patient=b"Amina-Amina-Amin", reason="Amina Okonkwo", account="j.cho")
    raw = encode_control(Audit((sealed(detail, AuditItem(4, 1, 0)),)))
    assert not any(text in raw for text in (b"Amina", b"Okonkwo", b"j.cho"))


def test_a_detail_of_another_item_author_or_key_does_not_open():
    whole = sealed(Detail(reason="why"), AuditItem(4, 1_000, 7))
    moved = [
        msgspec.structs.replace(whole, what=5),
        msgspec.structs.replace(whole, at_ms=1_001),
        msgspec.structs.replace(whole, session=8),
    ]
    assert [open_detail(each, AUTHOR, {KEY_ID: KEY}) for each in moved] == [None] * 3
    assert open_detail(whole, keys("other").device, {KEY_ID: KEY}) is None
    assert open_detail(whole, AUTHOR, {KEY_ID: entropy("other")}) is None
    assert open_detail(whole, AUTHOR, {}) is None


@given(st.binary(max_size=SEALED_TEXT_BYTES_MAX), st.integers(0, 200))
def test_whatever_stands_there_opens_to_nothing_or_a_detail(noise, at):
    assert open_detail(AuditItem(4, 1, 0, noise), AUTHOR, {KEY_ID: KEY}) is None
    keyed = AuditItem(4, 1, 0, KEY_ID + noise[: SEALED_TEXT_BYTES_MAX - 32])
    assert open_detail(keyed, AUTHOR, {KEY_ID: KEY}) is None
    whole = sealed(Detail(reason="why"), AuditItem(4, 1, 0)).sealed_detail
    bent = whole[:at] + bytes([whole[at % len(whole)] ^ 1]) + whole[at + 1 :]
    assert open_detail(AuditItem(4, 1, 0, bent), AUTHOR, {KEY_ID: KEY}) is None


@given(st.binary(max_size=200))
def test_bytes_that_a_reader_sealed_wrongly_are_no_detail(plain):
    from protocols.trust.audit import _bound, _detail_key
    from protocols.trust.identity import seal

    item = AuditItem(4, 1, 0)
    raw = KEY_ID + NONCE + seal(_detail_key(KEY), NONCE, _bound(AUTHOR, item), plain)
    found = open_detail(AuditItem(4, 1, 0, raw), AUTHOR, {KEY_ID: KEY})
    assert found is None or isinstance(found, Detail)
