"""`--help` in the language of the environment, every command; English where it is none of ours."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from fieldnode.cli import main as fieldnode
from hq.cli import main as hq
from protocols.live.helping import folded, help_words

PROGRAMS = {"fieldnode": fieldnode, "hq": hq}
ROOT = Path(__file__).resolve().parents[2]


def commands(command: click.Command, *path: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command below one, with the words that name it, in English."""
    yield path, command
    if isinstance(command, click.Group):
        ctx = click.Context(command)
        for name in command.list_commands(ctx):
            found = command.get_command(ctx, name)
            assert found is not None
            yield from commands(found, *path, name)


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIELDMESH_LANGUAGE", "en")


def texts() -> set[str]:
    found = set()
    for program in PROGRAMS.values():
        for _, command in commands(program):
            options = [getattr(one, "help", None) for one in command.params]
            found |= {folded(text) for text in (command.help, *options) if text}
    return found


def test_every_sentence_of_help_has_its_french_one_and_none_is_left_over():
    assert set(help_words("fr")["said"]) == texts()


def test_french_help_says_no_english_sentence_and_leaves_the_commands_as_they_are(monkeypatch):
    ours = help_words("fr")["said"]
    paths = [(name, path) for name, each in PROGRAMS.items() for path, _ in commands(each)]
    assert len(paths) > 80
    for name, path in paths:
        # Wide, so that nothing is folded or cut short.
        asked = [*path, "--help"]
        monkeypatch.setenv("FIELDMESH_LANGUAGE", "en")
        before = CliRunner().invoke(PROGRAMS[name], asked, terminal_width=4000).output
        monkeypatch.setenv("FIELDMESH_LANGUAGE", "fr")
        french = CliRunner().invoke(PROGRAMS[name], asked, terminal_width=4000).output
        monkeypatch.setenv("FIELDMESH_LANGUAGE", "uk")
        after = CliRunner().invoke(PROGRAMS[name], asked, terminal_width=4000).output

        assert before == after, "whoever asks in another language gets English, as before"
        assert "Affiche cette aide" in french, path
        whole = folded(french)
        left = [each for each, other in ours.items() if each != other and each in whole]
        assert left == [], path
        for english in ("Usage:", "Show this message", "[default:", "required]", "Commands:"):
            assert english not in french, (path, english)


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_mistyped_command_is_refused_as_ever(program, monkeypatch):
    monkeypatch.setenv("FIELDMESH_LANGUAGE", "fr")

    assert CliRunner().invoke(PROGRAMS[program], ["sttaus"]).exit_code == 2
