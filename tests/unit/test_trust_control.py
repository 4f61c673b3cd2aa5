"""Control records, receipts and enrolment: one encoding each, and a reason for each refusal."""

from __future__ import annotations

import msgspec
import pytest

from protocols.errors import InputError, PeerError
from protocols.ids import DeviceId, EntryHash, Epoch, FeedId, OperationId
from protocols.trust.control import (
    CERTIFICATES_MAX,
    CONTROL_BYTES_MAX,
    ENVELOPES_MAX,
    Certificates,
    Envelopes,
    UnknownControl,
    decode_control,
    encode_control,
)
from protocols.trust.enrolment import (
    JoinGrant,
    code_psk,
    code_text,
    open_grant,
    open_request,
    parse_code,
    sign_request,
)
from protocols.trust.identity import DeviceKeys
from protocols.trust.receipts import Receipt, ReceiptBook, ReceiptHead, open_receipt, sign_receipt
from protocols.trust.statements import pack
from tests.unit.trust_operation import FOUNDED, JAPAN, OPERATION, camp, certify, entropy, keys

HQ, TENT = keys("hq"), keys("tent")


def test_every_record_of_an_operation_comes_back_as_it_went():
    for record, _ in camp().records:
        assert decode_control(encode_control(record)) == record


def test_a_number_we_do_not_know_is_kept_as_it_came():
    assert decode_control(b"\x08anything") == UnknownControl(8, b"anything")
    assert decode_control(b"\x80\x01") == UnknownControl(128, b"")
    assert decode_control(b"\xff\xff\x03") == UnknownControl(65_535, b"")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x80",
        b"\x81\x00",  # a longer form of 1
        b"\x89\x00",  # and of a number we do not know
        b"\x80\x80\x04",  # one past the highest number
        b"\x80\x80\x80\x01",
        b"\x02",
        b"\x02\xc0",
        b"\x02\x91\x90",  # no certificate at all
        b"\x02\x91\xdd\xff\xff\xff\xff",
        b"\x05" + bytes(CONTROL_BYTES_MAX),
    ],
)
def test_a_body_that_does_not_read_is_malformed(body):
    with pytest.raises(PeerError, match="malformed"):
        decode_control(body)


def test_another_encoding_of_the_same_record_is_refused():
    record, _ = camp().records[1]
    body = encode_control(record)
    assert body[1:3] == b"\x91\x91"
    wordy = body[:1] + b"\xdc\x00\x01" + body[2:]

    with pytest.raises(PeerError, match="not_canonical"):
        decode_control(wordy)
    with pytest.raises(PeerError, match="malformed"):
        decode_control(body + b"\x00")


def test_a_record_holds_as_many_as_its_limit_and_no_more():
    paper = certify(JAPAN, TENT)
    full = Certificates((paper,) * CERTIFICATES_MAX)
    assert decode_control(encode_control(full)) == full
    with pytest.raises(PeerError, match="malformed"):
        decode_control(b"\x02" + pack(Certificates((paper,) * (CERTIFICATES_MAX + 1))))

    envelopes = Envelopes(bytes(32), bytes(32), ((bytes(8), bytes(48)),) * ENVELOPES_MAX)
    assert len(encode_control(envelopes)) <= CONTROL_BYTES_MAX
    more = msgspec.structs.replace(envelopes, envelopes=((bytes(8), bytes(48)),) * 513)
    with pytest.raises(PeerError, match="malformed"):
        decode_control(b"\x05" + pack(more))


# Receipts


def receipt(number: int = 1, epoch: str = "epoch", heads: int = 2, given_ms: int = 5) -> Receipt:
    return Receipt(
        HQ.device,
        Epoch(entropy(epoch, 8)),
        number,
        given_ms,
        tuple(
            sorted(
                ReceiptHead(FeedId(entropy(f"feed {n}")), n + 1, EntryHash(entropy(f"hash {n}")))
                for n in range(heads)
            )
        ),
    )


def test_a_receipt_convinces_anybody_and_every_byte_of_it_counts():
    raw = sign_receipt(receipt(), HQ)

    assert open_receipt(raw) == receipt()
    assert len(raw) == 61 + 2 * 72 + 64
    assert open_receipt(sign_receipt(receipt(heads=0), HQ)).heads == ()
    for at in range(len(raw)):
        changed = bytearray(raw)
        changed[at] ^= 1
        with pytest.raises(PeerError):
            open_receipt(bytes(changed))
        with pytest.raises(PeerError):
            open_receipt(raw[:at])


def test_a_receipt_with_heads_out_of_order_or_from_zero_is_refused():
    one, other = receipt().heads
    for heads in ((other, one), (one, one), (one._replace(seq=0),)):
        body = bytearray(sign_receipt(receipt(heads=0), HQ)[:-64])
        body[57:61] = len(heads).to_bytes(4)
        for head in heads:
            body += head.feed + head.seq.to_bytes(8) + head.hash
        signed = bytes(body) + HQ.sign(b"fieldmesh receipt 1\0" + bytes(body))

        with pytest.raises(PeerError, match="not_canonical"):
            open_receipt(signed)


def test_only_the_newest_of_an_epoch_counts_and_a_new_epoch_takes_all_back():
    first, second = receipt(1), receipt(2)
    later_life = receipt(1, epoch="next")
    for order in ((first, second), (second, first)):
        book = ReceiptBook(order)
        assert book.newest(HQ.device, first.epoch) == second

    book = ReceiptBook([second])
    assert not book.add(second)
    assert not book.add(first)
    assert book.add(later_life)
    book.begin(HQ.device, later_life.epoch)
    assert book.newest(HQ.device, second.epoch) is None
    assert book.newest(HQ.device, later_life.epoch) == later_life


def test_a_cloned_giver_has_the_same_newest_receipt_everywhere():
    one, other = receipt(3, heads=1), receipt(3, heads=2)
    books = [ReceiptBook(order) for order in ((one, other), (other, one))]

    assert books[0].newest(HQ.device, one.epoch) == books[1].newest(HQ.device, one.epoch)


# Enrolment


def test_a_code_is_read_back_however_it_was_typed():
    code = entropy("code", 10)
    text = code_text(code)

    assert len(text) == 19
    assert parse_code(text) == code
    assert parse_code(f"  {text.lower().replace('-', ' ')} ") == code
    assert parse_code(text.replace("0", "O").replace("1", "l")) == code
    assert code_text(parse_code("0000-0000-0000-0001")) == "0000-0000-0000-0001"


@pytest.mark.parametrize(
    "text", ["", "0000-0000-0000-000", "0000-0000-0000-00000", "U" * 16, "é" * 16]
)
def test_what_is_no_code_says_how_one_looks(text):
    with pytest.raises(InputError, match="bad_code") as refused:
        parse_code(text)

    assert refused.value.field == "code"


def test_two_codes_never_share_a_key():
    assert code_psk(entropy("a", 10)) != code_psk(entropy("b", 10))
    assert len(code_psk(entropy("a", 10))) == 32


def test_a_request_proves_the_device_key_in_this_channel_only():
    binding = entropy("handshake hash")
    request = sign_request(
        TENT,
        binding,
        epochs=((entropy("epoch", 8), entropy("feed")),),
        scopes=(),
        name="Tente 3",
        next_epoch=entropy("next", 8),
    )

    assert open_request(pack(request), binding) == request
    with pytest.raises(PeerError, match="join_proof"):
        open_request(pack(request), entropy("another channel"))
    others = {"agree": bytes(32)}, {"device": bytes(HQ.device)}, {"next_epoch": bytes(8)}
    for change in ({"name": "Tente 4"}, *others):
        with pytest.raises(PeerError, match="join_proof"):
            open_request(pack(msgspec.structs.replace(request, **change)), binding)


def test_a_request_for_another_devices_agreement_key_is_refused():
    thief = keys("thief")
    borrowed = DeviceKeys(thief.sign_seed, TENT.agree_secret)
    request = pack(
        sign_request(
            borrowed, b"channel", epochs=(), scopes=(), name="Tente 3", next_epoch=bytes(8)
        )
    )

    assert open_request(request, b"channel", static=TENT.agree_public).device == thief.device
    with pytest.raises(PeerError, match="join_proof"):
        open_request(request, b"channel", static=thief.agree_public)


def test_a_grant_is_for_the_device_it_certifies():
    chain = (certify(JAPAN, TENT),)
    raw = pack(JoinGrant(FOUNDED, chain, HQ.device, (b"entry",)))

    grant, operation, charter, certificate = open_grant(raw, TENT.device)

    assert (operation, certificate.subject) == (OPERATION, TENT.device)
    assert grant.entries == (b"entry",)
    assert charter.name == "camp"
    with pytest.raises(PeerError, match="join_grant"):
        open_grant(raw, HQ.device)
    stranger = pack(JoinGrant(FOUNDED, (certify(keys("x"), TENT),), HQ.device))
    with pytest.raises(PeerError, match="certificate_issuer"):
        open_grant(stranger, DeviceId(TENT.device))
    assert operation == OperationId(OPERATION)
