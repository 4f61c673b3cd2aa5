"""The published Noise vectors of our suite, all of them, through the product's handshake.

Patterns that the product does not use are spelled out here: they prove the same engine.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from protocols.trust.channel import Channel
from protocols.trust.noise import IK, XX, XXPSK3, Handshake, Pattern

PATTERNS = {
    pattern.name: pattern
    for pattern in (
        XX,
        IK,
        XXPSK3,
        Pattern("NN", (("e",), ("e", "ee"))),
        Pattern("KK", (("e", "es", "ss"), ("e", "ee", "se")), True, True),
        Pattern("N", (("e", "es"),), responder_known=True),
        Pattern("K", (("e", "es", "ss"),), True, True),
        Pattern("X", (("e", "es", "s", "ss"),), responder_known=True),
        Pattern("IKpsk2", (("e", "es", "s", "ss"), ("e", "ee", "se", "psk")), True),
    )
}


def side(vector: dict[str, Any], pattern: Pattern, role: str) -> Handshake:
    def key(name: str) -> bytes | None:
        text = vector.get(f"{role}_{name}")
        return bytes.fromhex(text) if text else None

    psks = vector.get(f"{role}_psks")
    return Handshake(
        pattern,
        role == "init",
        key("prologue") or b"",
        key("static") or bytes(32),
        key("ephemeral") or bytes(32),
        key("remote_static"),
        bytes.fromhex(psks[0]) if psks else None,
    )


def run(vector: dict[str, Any]) -> str:
    pattern = PATTERNS[vector["protocol_name"].split("_")[1]]
    sides = [side(vector, pattern, "init"), side(vector, pattern, "resp")]
    channels: list[Channel] = []
    one_way = len(pattern.messages) == 1
    for number, message in enumerate(vector["messages"]):
        payload, expected = bytes.fromhex(message["payload"]), bytes.fromhex(message["ciphertext"])
        sender = 0 if one_way else number % 2
        if number < len(pattern.messages):
            assert sides[sender].write(payload) == expected
            assert sides[1 - sender].read(expected) == payload
            if number + 1 == len(pattern.messages):
                channels = [each.split() for each in sides]
        else:
            assert channels[sender].encrypt(payload) == expected
            assert channels[1 - sender].decrypt(expected) == payload
    hashes = {channel.handshake_hash.hex() for channel in channels}
    assert hashes == {vector.get("handshake_hash") or channels[0].handshake_hash.hex()}
    return pattern.name


def test_every_published_vector_comes_out_to_the_byte(vectors: Path) -> None:
    published = json.loads((vectors / "noise_25519_chachapoly_blake2s.json").read_text())
    listed = published["vectors"] if isinstance(published, dict) else published

    ran = Counter(run(vector) for vector in listed)

    assert set(ran) == set(PATTERNS)
    assert ran.total() == len(listed)
