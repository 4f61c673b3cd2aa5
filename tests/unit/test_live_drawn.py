"""What a command prints for people is only drawn: no word in it steers the terminal."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from fieldnode.cli import main as node_main
from hq.cli import main as hq_main
from protocols.errors import InputError
from protocols.live import phrases
from protocols.live.answers import STATUS_KEYS
from protocols.live.commands import print_report, print_status
from protocols.live.talk import asked_name, drawn, print_file, print_line, say

ROOT = Path(__file__).parents[2]
HOSTILE = "Ev\x1b[31mil\x1b]0;pwn\x07\u202eno\x9b2J\r\nsecond\x08"
STEERS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Controls but the line feed, and what turns the direction."""

MAY_PRINT = {
    "protocols/live/talk.py": 3,
    "protocols/live/commands.py": 1,  # JSON, all on one line and escaped
    "protocols/live/enrolcommands.py": 1,  # a code of our own alphabet
    "protocols/live/personcommands.py": 1,  # a token of our own
    "fieldnode/commands.py": 2,  # names and sentences of this program
    "hq/cli.py": 2,  # links of our own
    "hq/foundings.py": 1,  # a file of this program
}
"""Files that print by themselves, how often."""


def test_nothing_is_printed_but_by_the_one_door_and_what_is_ours_alone() -> None:
    found: dict[str, int] = {}
    files = [*ROOT.glob("protocols/live/*.py"), *ROOT.glob("fieldnode/*.py"), *ROOT.glob("hq/*.py")]
    for file in files:
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("click.echo", "print"):
                name = str(file.relative_to(ROOT))
                found[name] = found.get(name, 0) + 1
    assert found == MAY_PRINT


@given(st.text(st.one_of(st.characters(), st.sampled_from("\x1b\x07\x9b\u202e\u2066\r\n  ab"))))
def test_whatever_is_drawn_steers_nothing_and_is_drawn_alike_again(text: str) -> None:
    shown = drawn(text)
    assert not STEERS.search(shown)
    assert shown.count("\n") == text.count("\n")
    assert drawn(shown) == shown


def test_lines_and_columns_stay_where_they_are() -> None:
    table = (
        "name         Amina Diallo  12\n             \u1275\u12d5\u130d\u1235\u1275\u2019s  \u202e9"
    )
    assert drawn(table) == table.replace("\u202e", "")


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_value_in_a_sentence_is_one_line_that_is_only_drawn(
    monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    monkeypatch.setenv("FIELDMESH_LANGUAGE", language)
    said = phrases.phrase("done", "node_made", name=HOSTILE)
    assert "Evil" not in said.split("second")[1]
    assert "\n" not in said
    assert not STEERS.search(said)


def status(**told: Any) -> dict[str, Any]:
    found: dict[str, Any] = dict.fromkeys(STATUS_KEYS)
    lists: dict[str, Any] = {"peers": [], "forks": [], "waiting": {}, "void": {}}
    return found | lists | {"running": False, "locked": False, "disk_free": 0, "clock": "ok"} | told


def test_a_node_with_a_hostile_name_is_told_of_without_its_controls(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_status(status(name=HOSTILE, device="dev_X"))
    print_report({"ok": True, "folder": HOSTILE})
    print_line(HOSTILE)
    say(HOSTILE)
    said = "".join(capsys.readouterr())
    assert said.count("second") == 4
    assert not STEERS.search(said)


def test_a_file_is_printed_as_it_is_but_on_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    print_file("a\u202eb\n")
    assert capsys.readouterr().out == "a\u202eb\n"
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    print_file("a\u202eb\n")
    assert capsys.readouterr().out == "ab\n"


@pytest.mark.parametrize("program", [node_main, hq_main])
@pytest.mark.parametrize("typed", [["A\x07\u202e"], ["--A\x07\u202e"], ["status", "A\x07\u202e"]])
def test_what_is_refused_is_told_without_its_controls(
    program: click.Command, typed: list[str]
) -> None:
    found = CliRunner().invoke(program, typed)
    assert found.exit_code == 2
    assert "A" in found.stderr
    assert not STEERS.search(found.stderr)


@pytest.mark.parametrize("name", ["T\x1b[1m", "T\u202e2", "T\x07", "two\nlines", "a  b"])
def test_a_name_that_no_screen_shows_as_it_is_is_not_given(name: str) -> None:
    with pytest.raises(InputError, match="bad_text"):
        asked_name(name, "?", "--name")


@pytest.mark.parametrize("name", ["Tent B", "Zelt Ä", "خيمة", "ድንኳን", "帐篷 3", "تخت‌خواب"])
def test_a_name_in_any_script_is(name: str) -> None:
    assert asked_name(name, "?", "--name") == name


@pytest.mark.parametrize("option", ["--name", "--org"])
@pytest.mark.parametrize("program", [node_main, hq_main])
def test_no_node_is_made_under_such_a_name(
    tmp_path: Path, program: click.Command, option: str
) -> None:
    given = {"--name": "Tent", "--org": "Org", "--jurisdiction": "KE"} | {option: "Ev\x1bil"}
    words = [word for each in given.items() for word in each]
    found = CliRunner().invoke(
        program,
        ["init", "--data", str(tmp_path / "made"), *words],
        env={"FIELDMESH_PASSPHRASE": "long enough"},
    )
    assert found.exit_code == 1
    assert not (tmp_path / "made").exists()
