"""Device keys: signing, sealing, and secrets under a passphrase."""

from __future__ import annotations

import nacl.bindings
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import PeerError
from protocols.trust.identity import (
    WRAP_ENTROPY_BYTES,
    DeviceKeys,
    agree,
    agree_public,
    open_recovery,
    passphrase_key,
    seal,
    seal_recovery,
    seal_to,
    unseal,
    unseal_from,
    unwrap,
    verify,
    wrap,
)
from tests.unit.trust_operation import entropy, keys

QUICK = {"ops": 1, "mem": 8192}

RFC_8032 = (
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
        "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
    (
        "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
        "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b589"
        "09351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
    ),
)
"""Section 7.1: tests 1, 2, 3 and SHA(abc)."""


@pytest.mark.parametrize(("seed", "public", "message", "signature"), RFC_8032)
def test_signatures_are_those_of_rfc_8032(seed, public, message, signature):
    signer = DeviceKeys(bytes.fromhex(seed), entropy("agree"))

    assert signer.device.hex() == public
    assert signer.sign(bytes.fromhex(message)).hex() == signature
    assert verify(signer.device, bytes.fromhex(message), bytes.fromhex(signature))


def test_a_secret_never_shows_in_a_printed_key():
    shown = repr(keys("shown")) + str(keys("shown"))

    assert keys("shown").sign_seed.hex() not in shown
    assert repr(keys("shown").sign_seed) not in shown
    assert repr(keys("shown").agree_secret) not in shown


@given(st.binary(max_size=80), st.binary(max_size=80), st.binary(max_size=80))
def test_verify_never_raises(device, message, signature):
    assert not verify(device, message, signature)
    assert not verify(device[:32].ljust(32, b"\0"), message, signature[:64].ljust(64, b"\0"))


def test_every_bit_of_key_message_and_signature_counts():
    signer, message = keys("signer"), b"fieldmesh test\0message"
    signature = signer.sign(message)
    assert verify(signer.device, message, signature)

    for at in range(64):
        assert not verify(signer.device, message, _flip(signature, at))
    for at in range(32):
        assert not verify(_flip(signer.device, at), message, signature)
    assert not verify(signer.device, message + b"\0", signature)


@given(
    st.binary(min_size=32, max_size=32),
    st.binary(min_size=24, max_size=24),
    st.binary(),
    st.binary(),
)
def test_sealing_is_the_librarys_own_and_opens_again(key, nonce, ad, plain):
    sealed = seal(key, nonce, ad, plain)

    expected = nacl.bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(plain, ad, nonce, key)
    assert sealed == expected
    assert unseal(key, nonce, ad, sealed) == plain
    assert unseal(key, nonce, ad + b"x", sealed) is None
    assert unseal(key, nonce, ad, _flip(sealed, len(sealed) // 2)) is None


@given(st.binary(max_size=40), st.binary(max_size=40), st.binary(max_size=60))
def test_unsealing_junk_of_any_length_gives_nothing(key, nonce, sealed):
    assert unseal(key, nonce, b"", sealed) is None


def test_what_is_sealed_to_a_device_opens_there_and_nowhere_else():
    reader, other = keys("reader"), keys("other")

    sealed = seal_to(reader.agree_public, entropy("ephemeral"), b"key", b"purpose")

    assert unseal_from(reader.agree_secret, sealed, b"purpose") == b"key"
    assert unseal_from(other.agree_secret, sealed, b"purpose") is None
    assert unseal_from(reader.agree_secret, sealed, b"another purpose") is None
    for at in range(len(sealed)):
        assert unseal_from(reader.agree_secret, _flip(sealed, at), b"purpose") is None
        assert unseal_from(reader.agree_secret, sealed[:at], b"purpose") is None


def test_points_of_low_order_agree_with_nobody():
    order_eight = bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800")
    for point in (bytes(32), b"\1" + bytes(31), order_eight):
        assert agree(entropy("secret"), point) is None
        with pytest.raises(PeerError, match="bad_key"):
            seal_to(point, entropy("ephemeral"), b"", b"")
        assert unseal_from(entropy("secret"), point + bytes(40), b"") is None
    assert agree(entropy("secret"), bytes(31)) is None
    assert agree_public(entropy("a")) != agree_public(entropy("b"))


def test_a_passphrase_composed_by_another_keyboard_is_the_same():
    composed, decomposed = "h\u00f4pital", "ho\u0302pital"

    assert passphrase_key(composed, bytes(16), **QUICK) == passphrase_key(
        decomposed, bytes(16), **QUICK
    )
    assert passphrase_key("hopital", bytes(16), **QUICK) != passphrase_key(
        composed, bytes(16), **QUICK
    )


def test_a_wrapped_secret_opens_with_its_passphrase_only():
    wrapped = wrap(b"secret", "open", entropy("wrap", WRAP_ENTROPY_BYTES), **QUICK)

    assert unwrap(wrapped, "open") == b"secret"
    assert unwrap(wrapped, "Open") is None
    assert unwrap(_flip(wrapped, len(wrapped) - 1), "open") is None
    assert unwrap(_flip(wrapped, 12), "open") is None


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (slice(0, 1), b"\2"),
        (slice(1, 5), (17).to_bytes(4)),
        (slice(1, 5), (0).to_bytes(4)),
        (slice(5, 9), (7).to_bytes(4)),
        (slice(5, 9), ((1 << 20) + 1).to_bytes(4)),
        (slice(30, None), b""),
    ],
)
def test_a_wrapped_secret_that_asks_too_much_is_refused_before_the_work(place, value):
    wrapped = bytearray(wrap(b"secret", "open", entropy("wrap", 40), **QUICK))
    wrapped[place] = value

    with pytest.raises(PeerError, match="malformed"):
        unwrap(bytes(wrapped), "open")


def test_a_recovery_copy_opens_for_the_coordinator():
    coordinator = keys("coordinator")

    sealed = seal_recovery(b"database key", coordinator.agree_public, entropy("ephemeral"))

    assert open_recovery(coordinator.agree_secret, sealed) == b"database key"
    assert open_recovery(keys("other").agree_secret, sealed) is None


def _flip(raw: bytes, at: int) -> bytes:
    changed = bytearray(raw)
    changed[at] ^= 1
    return bytes(changed)
