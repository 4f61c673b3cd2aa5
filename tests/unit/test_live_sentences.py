"""The closed list of error codes: whatever a command may end with has a sentence."""

import ast
from pathlib import Path

import pytest

from protocols.errors import InputError, LedgerError, LinkError
from protocols.live.sentences import SENTENCES, sentence
from protocols.records.codes import CONFIRMABLE, ERRORS

PROJECT = Path(__file__).resolve().parents[2]
ROOMS = ("fieldnode", "hq", "protocols")
PAGE = ("accounts.py", "doors.py")
"""HQ's page has its own words, in `hq/text`."""
OURS = {"InputError", "LinkError", "LedgerError", "PeerError", "SetupError"}
UNTOLD = {"duplicate", "peer_said_bye", "unsealed"}
"""Ends of links that are nobody's fault: nobody is told of them."""


def codes_in(source):
    """Yield every code that a source names when it makes an error of ours."""
    if not any(f"{name}(" in source for name in OURS):
        return
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        if node.func.id in OURS and node.args:
            for part in ast.walk(node.args[0]):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    yield part.value


def all_codes():
    for room in ROOMS:
        for path in sorted((PROJECT / room).rglob("*.py")):
            if (
                path.relative_to(PROJECT).parts[:2] != ("protocols", "sim")
                and path.name not in PAGE
            ):
                found = codes_in(path.read_text())
                yield from ((code, path.name) for code in found if code not in UNTOLD)


@pytest.mark.parametrize(("code", "file"), sorted(set(all_codes())))
def test_every_code_that_is_raised_has_a_sentence(code, file):
    assert code in SENTENCES, file


def test_sentences_are_sentences():
    for code, words in (SENTENCES | ERRORS | CONFIRMABLE).items():
        assert words[0].isupper() or words[0] == "`", code
        assert words.endswith("."), code
        assert "\n" not in words, code


@pytest.mark.parametrize("code", sorted(SENTENCES))
def test_every_sentence_is_said_in_french_too(code, monkeypatch):
    monkeypatch.setenv("FIELDMESH_LANGUAGE", "fr")
    assert sentence(LedgerError(code)) != SENTENCES[code]


def test_a_sentence_names_the_address_where_nobody_can_listen_or_answers():
    for code in ("cannot_listen", "unreachable", "refused"):
        assert "(192.0.2.1:7400)" in sentence(LinkError(code, address="192.0.2.1:7400"))


def test_a_sentence_names_the_field_and_what_would_be_taken():
    said = sentence(InputError("unknown_rows", field="kind", allowed=("patient", "note")))
    assert said.endswith("(field kind) Allowed: patient, note.")
    assert sentence(LedgerError("never_heard_of")) == "Refused: never_heard_of."
