"""What `open` loads and what commands ask a newcomer: real processes, prompts on a terminal."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys

import pytest

from protocols.live.talk import EXIT_REFUSED
from tests.process.commands import PASSPHRASE, init, patient, run, serving
from tests.screens.harness import Terminal

NEVER = {
    "aiohttp", "argon2", "automerge", "cryptography", "jinja2", "nacl", "sqlcipher3", "sqlite3",
    "sqlite_utils", "zeroconf",
}  # fmt: skip
"""What a node needs and its terminal does not: half of a start, and a quarter of the memory."""

ROOMS = {"protocols.feeds", "protocols.mesh", "protocols.sim", "protocols.trust", "hq"}

TOLD = """
import atexit, json, sys
atexit.register(lambda: json.dump(sorted(sys.modules), open({out!r}, "w")))
from fieldnode.cli import main
main({argv!r} + ["--data", {folder!r}], prog_name="fieldnode")
"""

BOOK = {
    "asyncio", "protocols.ledger.book", "protocols.ledger.store", "protocols.live.calls",
    "protocols.live.unserved", "protocols.records.catalogue", "textual",
}  # fmt: skip
"""What opens a book, and what draws one: a command that speaks to its node does neither."""


class Command(Terminal):
    """A Python program in a terminal."""

    def __init__(self, *arguments: str, **environment: str) -> None:
        colours = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
        self._begin([sys.executable, *map(str, arguments)], colours | environment)


class Shell(Command):
    """A line for the shell, in a terminal."""

    def __init__(self, line: str) -> None:
        self._begin(["/bin/sh", "-c", line], {"TERM": "xterm-256color", "COLORTERM": "truecolor"})


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "tent"
    init(folder)
    return folder


def loaded_by_open(folder, out, **environment):
    with Command(
        "-c", TOLD.format(out=str(out), argv=["open"], folder=str(folder)), **environment
    ) as terminal:
        terminal.wait_for("no triage 0")
        os.kill(terminal.pid, signal.SIGTERM)
        terminal.exit_status()
    return set(json.loads(out.read_text()))


def test_the_terminal_of_a_running_node_loads_nothing_of_the_node(folder, tmp_path):
    with serving(folder, whole=True):
        loaded = loaded_by_open(folder, tmp_path / "loaded.json")

    assert "textual.app" in loaded
    assert not loaded & (NEVER | ROOMS)


def test_a_terminal_that_starts_its_node_loads_nothing_of_it_either(folder, tmp_path):
    try:
        loaded = loaded_by_open(folder, tmp_path / "loaded.json", FIELDMESH_PASSPHRASE=PASSPHRASE)
    finally:
        run("fieldnode", "lock", "--data", folder)

    assert not loaded & (NEVER | ROOMS)


@pytest.mark.parametrize(
    ("argv", "given"),
    [
        (["record"], json.dumps(patient("k1", given_name="Amina")) + "\n{}\n"),
        (["rows", "patient"], ""),
        (["status"], ""),
        (["status", "--json"], ""),
    ],
    ids=["record", "rows", "status", "status --json"],
)
def test_a_command_that_speaks_to_its_node_loads_no_book(folder, tmp_path, argv, given):
    out = tmp_path / "loaded.json"
    told = TOLD.format(out=str(out), argv=argv, folder=str(folder))

    with serving(folder):
        # A program of its own, from its first import on.
        done = subprocess.run([sys.executable, "-c", told], input=given.encode(), check=False)

    assert done.returncode in (0, EXIT_REFUSED)
    assert not set(json.loads(out.read_text())) & (NEVER | ROOMS | BOOK)


def test_init_states_its_rule_in_the_question_and_asks_again(tmp_path):
    asked = ("-m", "fieldnode", "init", "--data", tmp_path / "new", "--name", "Tent", "--org", "Us")
    with Command(*asked) as terminal:
        terminal.wait_for("at least 8 characters")
        terminal.send("short\r")
        # What is typed before the next prompt stands would be dropped with what was typed ahead.
        terminal.wait_for("shorter than 8")
        terminal.wait_until(lambda: terminal.text.count("Choose a passphrase") == 2)
        terminal.send("long enough\r")
        terminal.wait_for("The same again")
        terminal.send("long emough\r")
        terminal.wait_for("not the same")
        terminal.wait_until(lambda: terminal.text.count("Choose a passphrase") == 3)
        terminal.send("long enough\r")
        terminal.wait_until(lambda: terminal.text.count("The same again") == 2)
        terminal.send("long enough\r")
        terminal.wait_for("Tent is ready", "asks the passphrase at each start")
        assert terminal.exit_status() == 0
    assert "long enough" not in terminal.text


@pytest.mark.parametrize("to_file", ["2", "1"])
def test_a_screen_is_drawn_where_somebody_looks_and_in_no_file(folder, tmp_path, to_file):
    said = tmp_path / "said"
    words = [sys.executable, "-m", "fieldnode", "open", "--data", folder]
    with serving(folder), Shell(f"exec {shlex.join(map(str, words))} {to_file}>{said}") as terminal:
        terminal.wait_for("no triage 0")
        os.kill(terminal.pid, signal.SIGTERM)
        terminal.exit_status()
    assert "triage" not in said.read_text()


def test_who_mistypes_the_passphrase_of_a_node_is_asked_again(folder):
    asked = ("-m", "fieldnode", "open", "--line", "--data", folder)
    with Command(*asked, FIELDMESH_PASSPHRASE="") as terminal:
        terminal.wait_for("Passphrase")
        terminal.send("wrong and secret\r")
        terminal.wait_for("not the passphrase of this node")
        terminal.wait_until(lambda: terminal.text.count("Passphrase") == 2)
        terminal.send(PASSPHRASE + "\r")
        terminal.wait_for("no triage 0")
    run("fieldnode", "lock", "--data", folder)
    assert "secret" not in terminal.text


def test_nobody_is_asked_for_ever(folder):
    asked = ("-m", "fieldnode", "open", "--line", "--data", folder)
    with Command(*asked, FIELDMESH_PASSPHRASE="") as terminal:
        for times in (1, 2, 3):
            terminal.wait_until(lambda times=times: terminal.text.count("Passphrase") == times)
            terminal.send("wrong\r")
        assert terminal.exit_status() == 1
    assert terminal.text.count("not the passphrase of this node") == 3


def test_an_empty_variable_is_none_at_all(folder):
    done = run("fieldnode", "status", "--data", folder, passphrase="")
    assert (done.returncode, done.stderr) == (1, run_without(folder).stderr)
    assert "A passphrase is needed" in done.stderr


def run_without(folder):
    return run("fieldnode", "status", "--data", folder, passphrase=None)


@pytest.mark.parametrize("choice", ["zz", "ar", "es:zz"])
def test_a_language_that_no_screen_has_is_refused_by_name(folder, choice):
    done = run("fieldnode", "open", "--line", "--language", choice, "--data", folder)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "No screen here is in this language. (field --language) Allowed: en, fr, es, pt, uk."
    ]


@pytest.mark.parametrize("app", ["fieldnode", "hq"])
def test_init_with_nobody_to_ask_is_one_sentence_with_the_option(tmp_path, app):
    done = run(app, "init", "--data", tmp_path / "new")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        "Something is missing and there is nobody to ask: give it as an option. (field --name)"
    ]
    assert not (tmp_path / "new").exists()


def test_init_takes_its_answers_from_a_pipe(tmp_path):
    done = run("fieldnode", "init", "--data", tmp_path / "new", lines=("Tent B\n", "Us\n"))

    assert done.returncode == 0, done.stderr
    assert "Tent B is ready" in done.stderr


@pytest.mark.parametrize("app", ["fieldnode", "hq"])
def test_init_over_a_node_says_so_before_it_asks_anything(folder, app):
    done = run(app, "init", "--data", folder, passphrase=None)

    assert "already holds a node" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("peer", "code", "said"),
    [
        ("127.0.0.1:9", "not a code", "not a code"),
        ("no address", "x", "HOST:PORT"),
    ],
)
def test_join_finds_a_slip_before_anybody_types_a_passphrase(folder, peer, code, said):
    done = run(
        "fieldnode", "join", "--data", folder, "--peer", peer, "--code", code, passphrase=None
    )

    assert done.returncode == 1
    assert said in done.stderr and "passphrase" not in done.stderr


def test_a_join_says_one_word_and_logs_nothing(folder, tmp_path):
    init(tmp_path / "hq", app="hq")
    with serving(tmp_path / "hq", app="hq") as hq:
        code = run("hq", "invite", "--data", tmp_path / "hq").stdout.strip()
        done = run("fieldnode", "join", "--data", folder, "--peer", hq["listening"], "--code", code)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "Joined.\n")


def test_hq_is_at_hq(tmp_path):
    init(tmp_path / "hq", app="hq")

    said = run("hq", "status", "--data", tmp_path / "hq").stdout

    assert "at HQ until  this is HQ" in said
    assert "never" not in said


def test_every_command_is_listed_and_loaded():
    done = run("fieldnode", "--help")

    assert done.returncode == 0, done.stderr
    for name in ("init", "open", "serve", "record", "doctor", "recover", "kinds"):
        assert f"\n  {name} " in done.stdout
