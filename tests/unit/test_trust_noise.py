"""The handshake and its channel, against a second implementation and against bad peers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from noise.connection import Keypair, NoiseConnection

from protocols.errors import LinkError, PeerError
from protocols.trust.channel import NONCE_MAX, Channel, Cipher
from protocols.trust.identity import agree_public
from protocols.trust.noise import IK, XX, XXPSK3, Handshake, Pattern
from tests.unit.trust_operation import entropy

STATIC = {True: entropy("static initiator"), False: entropy("static responder")}
PSK = entropy("psk")


def side(pattern: Pattern, initiator: bool, psk: bytes = PSK, prologue: bytes = b"p") -> Handshake:
    return Handshake(
        pattern,
        initiator,
        prologue,
        STATIC[initiator],
        entropy(f"ephemeral {initiator}"),
        agree_public(STATIC[False]) if pattern is IK and initiator else None,
        psk if pattern is XXPSK3 else None,
    )


def shaken(pattern: Pattern) -> tuple[Channel, Channel]:
    """Both ends of a finished handshake, the initiator's first."""
    sides = [side(pattern, True), side(pattern, False)]
    for number in range(len(pattern.messages)):
        sender = sides[number % 2]
        assert (
            sides[1 - number % 2].read(sender.write(b"hello %d" % number)) == b"hello %d" % number
        )
    assert all(each.finished for each in sides)
    return sides[0].split(), sides[1].split()


@pytest.mark.parametrize("pattern", [XX, IK, XXPSK3], ids=lambda pattern: pattern.name)
@pytest.mark.parametrize("initiator", [True, False], ids=["initiator", "responder"])
def test_another_implementation_understands_us(pattern, initiator):
    ours, theirs = side(pattern, initiator), _other(pattern, not initiator)

    turn = initiator
    while not ours.finished:
        if turn:
            assert bytes(theirs.read_message(ours.write(b"ours"))) == b"ours"
        else:
            assert ours.read(bytes(theirs.write_message(b"theirs"))) == b"theirs"
        turn = not turn

    channel = ours.split()
    assert channel.handshake_hash == theirs.get_handshake_hash()
    assert channel.remote_static == agree_public(STATIC[not initiator])
    for number in range(3):
        assert bytes(theirs.decrypt(channel.encrypt(b"a%d" % number))) == b"a%d" % number
        assert channel.decrypt(bytes(theirs.encrypt(b"b%d" % number))) == b"b%d" % number


@pytest.mark.parametrize(("pattern", "size"), [(XX, 192), (IK, 144), (XXPSK3, 208)])
def test_a_handshake_costs_what_the_standard_says(pattern, size):
    sides, total = [side(pattern, True), side(pattern, False)], 0
    for number in range(len(pattern.messages)):
        message = sides[number % 2].write()
        total += len(message)
        sides[1 - number % 2].read(message)

    assert total == size


@pytest.mark.parametrize("pattern", [XX, IK, XXPSK3], ids=lambda pattern: pattern.name)
def test_any_flipped_bit_or_missing_byte_of_a_handshake_is_found(pattern):
    for number in range(len(pattern.messages)):
        for at in range(0, 200, 7):
            sides = [side(pattern, True), side(pattern, False)]
            failed = False
            for turn in range(len(pattern.messages)):
                message = sides[turn % 2].write(b"payload")
                if turn == number:
                    message = message[:at] + bytes([message[at] ^ 4]) if at < len(message) else b""
                try:
                    sides[1 - turn % 2].read(message)
                except PeerError:
                    failed = True
                    break
            assert failed


def test_a_wrong_code_fails_at_the_third_message_and_another_prologue_at_the_second():
    ours, theirs = side(XXPSK3, True), side(XXPSK3, False, psk=entropy("guess"))
    theirs.read(ours.write())
    ours.read(theirs.write())
    with pytest.raises(PeerError, match="noise_failed"):
        theirs.read(ours.write())

    ours, theirs = side(XX, True), side(XX, False, prologue=b"older")
    theirs.read(ours.write())
    with pytest.raises(PeerError, match="noise_failed"):
        ours.read(theirs.write())


@pytest.mark.parametrize("point", [bytes(32), b"\1" + bytes(31)])
def test_points_of_low_order_end_the_handshake(point):
    theirs = side(XX, False)
    theirs.read(point)

    with pytest.raises(PeerError, match="noise_failed"):
        theirs.write()


def test_a_message_out_of_turn_or_too_long_is_the_peers_fault():
    ours, theirs = side(XX, True), side(XX, False)
    with pytest.raises(PeerError, match="noise_failed"):
        ours.read(bytes(32))
    with pytest.raises(PeerError, match="noise_failed"):
        theirs.read(bytes(65_536))
    assert theirs is not None
    fresh = side(XX, False)
    assert len(fresh.read(ours.write() + bytes(65_535 - 32))) == 65_535 - 32


def test_the_channel_takes_messages_once_and_in_order():
    first, second = shaken(XX)
    one, two = first.encrypt(b"one"), first.encrypt(b"two")

    with pytest.raises(PeerError, match="noise_failed"):
        second.decrypt(two)
    assert second.decrypt(one) == b"one"
    with pytest.raises(PeerError, match="noise_failed"):
        second.decrypt(one)
    assert second.decrypt(two) == b"two"


def test_the_largest_message_passes_and_one_byte_more_does_not():
    first, second = shaken(IK)

    assert second.decrypt(first.encrypt(bytes(65_519))) == bytes(65_519)
    with pytest.raises(AssertionError):
        first.encrypt(bytes(65_520))
    with pytest.raises(PeerError, match="noise_failed"):
        second.decrypt(bytes(65_536))


def test_a_counter_that_runs_out_says_so_before_a_nonce_is_used_twice():
    nearly = Cipher(entropy("key"), NONCE_MAX - 1)
    last = nearly.seal(b"", b"last")
    assert Cipher(entropy("key"), NONCE_MAX - 1).open(b"", last) == b"last"

    with pytest.raises(LinkError, match="noise_exhausted"):
        nearly.seal(b"", b"one too many")
    with pytest.raises(LinkError, match="noise_exhausted"):
        Cipher(entropy("key"), NONCE_MAX).open(b"", last)


@given(st.binary(max_size=300), st.sampled_from([XX, IK, XXPSK3]), st.booleans())
def test_junk_never_does_more_than_fail(junk, pattern, begun):
    theirs = side(pattern, False)
    ours = side(pattern, True)
    if begun:
        theirs.read(ours.write())
        reader = ours
    else:
        reader = theirs
    if not begun and pattern is XX and len(junk) >= 32:
        assert reader.read(junk) == junk[32:]
        return
    with pytest.raises(PeerError, match="noise_failed"):
        reader.read(junk)


def _other(pattern: Pattern, initiator: bool) -> NoiseConnection:
    other = NoiseConnection.from_name(f"Noise_{pattern.name}_25519_ChaChaPoly_BLAKE2s".encode())
    (other.set_as_initiator if initiator else other.set_as_responder)()
    other.set_prologue(b"p")
    other.set_keypair_from_private_bytes(Keypair.STATIC, STATIC[initiator])
    if pattern is IK and initiator:
        remote = agree_public(STATIC[False])
        other.set_keypair_from_public_bytes(Keypair.REMOTE_STATIC, remote)
    if pattern is XXPSK3:
        other.set_psks(PSK)
    other.start_handshake()
    return other
