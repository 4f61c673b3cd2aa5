"""Project Wycheproof against the functions every node judges with."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from protocols.trust.identity import agree, seal, unseal, verify


def published(folder: Path, name: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    listed = json.loads((folder / f"wycheproof_{name}_test.json").read_text())
    ran = 0
    for group in listed["testGroups"]:
        for test in group["tests"]:
            ran += 1
            yield group, test
    assert ran == listed["numberOfTests"] > 0


def test_ed25519_signatures(vectors: Path) -> None:
    for group, test in published(vectors, "ed25519"):
        public = bytes.fromhex(group["publicKey"]["pk"])
        message, signature = bytes.fromhex(test["msg"]), bytes.fromhex(test["sig"])

        held = verify(public, message, signature)

        assert held == (test["result"] == "valid"), test


def test_x25519_agreement_refuses_low_order_points(vectors: Path) -> None:
    zero = bytes(32)
    for _, test in published(vectors, "x25519"):
        shared = agree(bytes.fromhex(test["private"]), bytes.fromhex(test["public"]))

        expected = bytes.fromhex(test["shared"])
        assert shared == (None if expected == zero else expected), test


def test_xchacha20_poly1305(vectors: Path) -> None:
    for _, test in published(vectors, "xchacha20_poly1305"):
        key, nonce, ad, plain, sealed, tag = (
            bytes.fromhex(test[name]) for name in ("key", "iv", "aad", "msg", "ct", "tag")
        )
        if test["result"] == "valid":
            assert seal(key, nonce, ad, plain) == sealed + tag, test
            assert unseal(key, nonce, ad, sealed + tag) == plain, test
        else:
            assert unseal(key, nonce, ad, sealed + tag) is None, test
