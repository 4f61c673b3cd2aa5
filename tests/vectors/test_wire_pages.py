"""The pages about bytes say what the code does.

After a change that is meant, and argued in protocols/README.md, draw their tables anew with

    FIELDMESH_WRITE_VECTORS=1 python -m pytest tests/vectors/test_wire_pages.py

and read the difference before committing it: rows may be added at an end, none may differ.
"""

from __future__ import annotations

import ast
import os
import re
from pathlib import Path

import pytest

from protocols.records.catalogue import KINDS
from protocols.trust.certificates import REFUSALS
from tests.vectors.wire_pages import BLOCK, BLOCKS, PAGES, ROOMS, drawn, parts_of
from tests.vectors.wire_rules import RULES

if os.environ.get("FIELDMESH_WRITE_VECTORS"):
    for each in PAGES:
        each.write_text(drawn(each.read_text()))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.parent.name)
def test_the_tables_of_a_page_are_those_of_the_code(page: Path) -> None:
    text = page.read_text()

    assert text == drawn(text)


def test_every_table_that_can_be_drawn_is_on_one_page() -> None:
    blocks = [name for page in PAGES for _, name, _ in BLOCK.findall(page.read_text())]

    assert sorted(blocks) == sorted(BLOCKS)


def test_every_value_that_asks_more_than_its_types_has_words_for_it() -> None:
    values = [kind.value for kind in KINDS]
    bases = {base for of in [*values, *parts_of(values)] for base in of.__mro__}

    assert {base.__name__ for base in bases if "__post_init__" in vars(base)} == set(RULES)


NEVER_SAID = {
    # In files and papers.
    "bad_chain",
    "bad_key",
    "credential_chain",
    "no_equivocation",
    "pack_statement",
    "request_signature",
    # While somebody joins, where no frame passes; charters come in no other way.
    "charter_order",
    "charter_role_unknown",
    "charter_signature",
    "charter_version",
    "join_grant",
    "join_proof",
    "no_invitation",
    # Before there is a channel to say it in, when it can carry no more, or in answer to a BYE.
    "greeting_timeout",
    "noise_exhausted",
    "peer_said_bye",
}
"""Errors of peers and links that no BYE carries."""


def test_every_code_that_a_link_ends_with_is_on_the_page() -> None:
    text = (ROOMS / "README.md").read_text()
    listed = text[text.index("## 9b.") : text.index("## 10.")]
    rows = [line.split("|")[1] for line in listed.splitlines() if line.startswith("| `")]

    said = {code for row in rows for code in re.findall(r"`(\w+)`", row)}

    assert said == (codes_of_peers() | set(REFUSALS)) - NEVER_SAID


def codes_of_peers() -> set[str]:
    """Return every code that a peer's or a link's error is raised with where links are decided."""
    found = set[str]()
    for room in ("feeds", "trust", "ledger", "mesh"):
        for file in (ROOMS / room).glob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                match node:
                    case ast.Call(func=ast.Name(id="PeerError" | "LinkError"), args=[first, *_]):
                        found |= {
                            each.value
                            for each in ast.walk(first)
                            if isinstance(each, ast.Constant) and isinstance(each.value, str)
                        }
    return found
