"""The words of founding and enrolling: complete in every language, and all of them used."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from fieldnode.commands import list_kinds
from protocols.live.answers import codes
from protocols.live.phrases import LANGUAGES, phrase, phrases, spoken_language
from protocols.records.codes import ERRORS, WARNINGS

PROJECT = Path(__file__).resolve().parents[2]
ENGLISH = phrases("en")
SOURCE = "".join(
    path.read_text()
    for room in ("protocols", "hq", "fieldnode")
    for path in sorted((PROJECT / room).rglob("*.py"))
)


def slots(text):
    return sorted(re.findall(r"\{(\w+)\}", text))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_same_keys_and_values(language):
    found = dict(phrases(language))
    # What a refused line says in English stands with its codes.
    if language != "en":
        assert sorted(found.pop("record")) == sorted(ERRORS)
        assert sorted(found.pop("warned")) == sorted(WARNINGS)
    assert {table: sorted(words) for table, words in found.items()} == {
        table: sorted(words) for table, words in ENGLISH.items()
    }
    for table, words in found.items():
        for key, text in words.items():
            assert slots(text) == slots(ENGLISH[table][key]), (language, key)
            if table == "error":
                assert text.endswith(".") and not slots(text)


@pytest.mark.parametrize(("asked", "spoken"), [("fr_BE.UTF-8", "fr"), ("uk_UA.UTF-8", "en")])
def test_codes_are_listed_in_the_language_asked_for_and_for_programs_in_english(
    asked, spoken, monkeypatch
):
    monkeypatch.setenv("FIELDMESH_LANGUAGE", asked)

    said = CliRunner().invoke(list_kinds, ["--errors"]).output.splitlines()
    told = json.loads(CliRunner().invoke(list_kinds, ["--errors", "--json"]).output)

    english, wanted = codes("en"), codes(spoken)
    assert told == english
    assert [row.split("  ", 2) for row in said] == [
        [sort, code, words] for sort, each in wanted.items() for code, words in each.items()
    ]
    if spoken != "en":
        same = [code for sort, each in wanted.items() for code, words in each.items()
                if words == english[sort][code]]  # fmt: skip
        assert same == []


def test_no_word_is_without_use():
    for table, words in ENGLISH.items():
        for key in words:
            used = any(f"{quote}{key}{quote}" in SOURCE for quote in "\"'")
            assert used or key in ("identified", "aggregate", "protection"), (table, key)


def test_the_environment_says_which_language(monkeypatch):
    for name in ("FIELDMESH_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    assert spoken_language() == "en"
    monkeypatch.setenv("LANG", "fr_BE.UTF-8")
    assert spoken_language() == "fr"
    assert phrase("said", "joined") == "Adhésion faite."
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    assert spoken_language() == "en"
    monkeypatch.setenv("FIELDMESH_LANGUAGE", "fr")
    assert spoken_language() == "fr"
