"""Nothing of a patient stands in clear on a disk, on a wire or in what a program says.

Real processes: an HQ, two tents and a relay that carries what it cannot read. Names, a telephone
number and a note are planted through every door; then everything they could have come to is
searched. What is shown on purpose (a terminal, a page, `rows`, an export) shows that the search
can find them.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from protocols.errors import FieldmeshError
from protocols.live.client import LocalClient
from tests.process.canary import (
    FAMILY,
    GIVEN,
    NOTE,
    PHONE,
    PLANTED,
    Recorder,
    found_in,
    leaks,
    nameless_leaks,
    spellings,
)
from tests.process.commands import PATIENCE_S, environment
from tests.process.test_commands_hq import log_in
from tests.screens.harness import OpenedTerminal

PROJECT = Path(__file__).resolve().parents[2]


@dataclass
class House:
    """One place that all programs of a test write to, and all they said."""

    root: Path
    allowed: Path
    """Where something is put in clear on purpose."""
    said: list[tuple[str, bytes]] = field(default_factory=list)
    serving: dict[str, subprocess.Popen] = field(default_factory=dict)
    at: dict[str, str] = field(default_factory=dict)
    """What HQ said when it was ready."""
    patient: str = ""
    browser: urllib.request.OpenerDirector | None = None

    @property
    def environment(self) -> dict[str, str]:
        own = {name: str(self.root / name) for name in ("HOME", "TMPDIR", "XDG_RUNTIME_DIR")}
        return environment() | own | {"PYTHONPATH": str(PROJECT)}

    def start(self, app: str, *args: object) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, "-m", app, *map(str, args)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=self.environment, cwd=self.root / "cwd",
        )  # fmt: skip

    def run(
        self,
        app: str,
        *args: object,
        lines: Iterable[object] = (),
        shows: bool = False,
        ok: int = 0,
    ):
        """Run a command; what it says is kept for the search unless it is there to show data."""
        process = self.start(app, *args)
        given = b"".join(
            each if isinstance(each, bytes) else json.dumps(each).encode() + b"\n" for each in lines
        )
        out, talk = process.communicate(given, timeout=PATIENCE_S)
        assert process.returncode == ok or ok < 0, talk.decode()
        name = f"{app} {args[0]}"
        self.said.append((f"{name} 2>", talk))
        if not shows:
            self.said.append((f"{name} 1>", out))
        return out.decode()

    def serve(self, name: str, *peers: str, app: str = "fieldnode") -> dict[str, str]:
        web = ("--web", "127.0.0.1:0") if app == "hq" else ()
        linked = [part for peer in peers for part in ("--peer", peer)]
        place = ("--data", self.root / name, "--listen", "127.0.0.1:0", "--no-discovery")
        process = self.serving[name] = self.start(app, "serve", *place, *web, *linked)
        first = process.stdout.readline()
        self.said.append((f"{name} 1>", first))
        return json.loads(first)

    def end(self, name: str, number: int = signal.SIGTERM) -> int:
        """End a serving process; return what the system says of its end."""
        process = self.serving.pop(name)
        process.send_signal(number)
        # The status itself, for it says whether memory was dumped.
        _, status = os.waitpid(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        for way, pipe in (("1>", process.stdout), ("2>", process.stderr)):
            self.said.append((f"{name} {way}", pipe.read()))
            pipe.close()
        process.stdin.close()
        return status

    def folder(self, name: str) -> Path:
        return self.root / name

    def leaks(self) -> list[str]:
        """Return every place where planted text stands, now."""
        found = leaks(self.root, allowed=(self.allowed,))
        for process in self.serving.values():
            found += nameless_leaks(process.pid)
        return found + [f"{who} {shown}" for who, raw in self.said if (shown := found_in(raw))]


@pytest.fixture
def house(tmp_path) -> Iterator[House]:
    root = tmp_path / "house"
    for name in ("HOME", "TMPDIR", "XDG_RUNTIME_DIR", "cwd", "shown"):
        (root / name).mkdir(parents=True, mode=0o700)
    made = House(root, root / "shown")
    yield made
    for name in list(made.serving):
        made.end(name, signal.SIGKILL)


def patient(key: str) -> dict:
    data = {"family_name": FAMILY, "given_name": GIVEN, "phone": PHONE}
    return {"v": 1, "kind": "patient.register", "key": key, "data": data}


def arrives(house: House, name: str, what: str) -> None:
    """Wait until a text stands in a node's rows of patients: a reader sees it, so it is there."""
    with LocalClient(house.folder(name)) as client, LocalClient(house.folder(name)) as told:
        changes = told.follow("patient")
        while not any(what in json.dumps(row, ensure_ascii=False) for row in rows(client)):
            next(changes)


def rows(client: LocalClient) -> list[dict]:
    return client.call("rows", kind="patient")["rows"]


def camp(house: House) -> tuple[Recorder, ...]:
    """An HQ, a tent, a relay that reads nothing, and a second tent behind the relay."""
    for name, app in (
        ("hq", "hq"),
        ("tent", "fieldnode"),
        ("relay", "fieldnode"),
        ("far", "fieldnode"),
    ):
        place = ("--data", house.folder(name), "--name", name, "--org", "Test", "--json")
        house.run(app, "init", *place)
    at = house.serve("hq", app="hq")
    for name, post in (("tent", "device"), ("relay", "relay"), ("far", "device")):
        code = house.run("hq", "invite", "--data", house.folder("hq"), "--as", post).strip()
        peer = ("--peer", at["listening"], "--code", code)
        house.run("fieldnode", "join", "--data", house.folder(name), *peer)
    one = Recorder(at["listening"])
    relay = house.serve("relay", one.address)
    two = Recorder(relay["listening"])
    house.serve("tent", two.address)
    house.serve("far", two.address)
    house.at = at
    return one, two


def test_nobody_finds_a_patient_on_a_disk_a_wire_or_in_what_is_said(house: House):
    one, two = camp(house)
    with one, two:
        plant(house)
        for name in ("hq", "far"):
            arrives(house, name, FAMILY)
        with LocalClient(house.folder("relay")) as relay:
            assert rows(relay) == [] and relay.call("status")["waiting"]
        by_page(house)
        by_terminal(house)
        by_fault(house)
        by_copy(house)
        assert house.leaks() == []
        by_full_disk(house)
        by_crash(house)
        assert house.leaks() == []
        assert one.leaks() + two.leaks() == []
        # What passed was what was looked for: the far tent and HQ have it by these wires alone.
        assert len(one.kept[0]) > 2_000 and len(two.kept[1]) > 2_000
    for name in list(house.serving):
        house.end(name)
    assert house.leaks() == []
    seen_where_it_is_meant_to_be(house)


def plant(house: House) -> None:
    """Write it down, and write it wrongly, into every field that takes or refuses it."""
    tent = ("--data", house.folder("tent"))
    answer = json.loads(house.run("fieldnode", "record", *tent, lines=[patient("one")]))
    who = house.patient = answer["id"]
    note = {"v": 1, "kind": "note.add", "key": "two", "patient": who, "data": {"text": NOTE}}
    stay = {"v": 1, "kind": "encounter.open", "key": "three", "patient": who, "data": {}}
    house.run("fieldnode", "record", *tent, lines=[note, stay])
    wrong = [
        {**patient("w1"), "data": {"family_name": FAMILY, "sex": NOTE}},
        {**patient("w2"), "data": {"family_name": [FAMILY], "birth_date": PHONE}},
        {**patient("w3"), "patient": FAMILY},
        {**note, "key": "w4", "patient": GIVEN},
        {**note, "key": "w5", "data": {"text": NOTE * 3_000}},
        {
            "v": 1,
            "kind": "triage.record",
            "key": "w6",
            "patient": who,
            "data": {"category": FAMILY},
        },
        b'{"v": 1, "kind": "note.add", "data": {"text": "' + NOTE.encode() + b"\n",
        FAMILY.encode("utf-16") + b"\n",
    ]
    house.run("fieldnode", "record", *tent, lines=wrong, shows=True, ok=3)
    for command in ("status", "doctor", "audit", "members", "quarantine"):
        house.run("fieldnode", command, *tent)
    house.run("fieldnode", "rows", "patient", *tent, shows=True)


def by_page(house: House) -> None:
    """Read the pages of HQ, and ask them for what they refuse."""
    house.browser, _ = log_in(house.at["login"], "lead")
    page = house.at["page"]
    with house.browser.open(f"{page}/patients", timeout=30) as found:
        assert FAMILY in found.read().decode()
    asked = urllib.parse.quote(FAMILY)
    for path in (
        f"patients?site={asked}",
        f"audit?person={asked}",
        f"part/{asked}",
        f"first/{asked}",
    ):
        try:
            house.browser.open(f"{page}/{path}", timeout=30).close()
        except urllib.error.HTTPError as error:
            error.close()
    login = urllib.request.Request(f"{page}/login", f"name={asked}&password={asked}".encode())
    with pytest.raises(urllib.error.HTTPError):
        house.browser.open(login, timeout=30)


def by_terminal(house: House) -> None:
    """Type a name half, see the board, lock; what the screen then shows is searched."""
    own = {
        name: house.environment[name]
        for name in ("HOME", "TMPDIR", "XDG_RUNTIME_DIR", "PYTHONPATH")
    }
    with OpenedTerminal(house.folder("tent"), **own) as terminal:
        assert FAMILY in terminal.wait_for(FAMILY)
        terminal.send("n")
        terminal.wait_for("Family")
        terminal.send(*FAMILY[:10], "tab", *GIVEN, "tab", gap_s=0.02)
        terminal.wait_for(GIVEN[:4])
        terminal.send("f9")
        terminal.wait_for("LOCKED")
        house.said.append(("locked screen", terminal.text.encode()))
        before = len(terminal.output)
        terminal.send(*"wrong", "enter")
        terminal.wait_for("not the passphrase")
        house.said.append(("locked terminal", bytes(terminal.output[before:])))
        os.kill(terminal.pid, signal.SIGTERM)
        terminal.exit_status()


def by_fault(house: House) -> None:
    """Ask every call of the node and of HQ for what it cannot be asked."""
    calls = (
        *("board", "search", "tagged", "chart", "break_glass", "rows", "record", "settings"),
        *("draft_put", "draft_list", "draft_drop", "export", "audit", "clock_set", "unassigned"),
        *("invite", "seal", "unseal", "unlock", "recover", "backup", "nonsense"),
    )
    odd = ({"text": FAMILY}, {"patient": NOTE, "reason": {FAMILY: GIVEN}}, {"lines": [FAMILY]},
           {"lines": [{FAMILY: GIVEN}]}, {"form": FAMILY, "subject": GIVEN, "fields": {"a": NOTE}},
           {"target": f"/{FAMILY}/{GIVEN}", "recovery": FAMILY, "passphrase": NOTE},
           {"language": FAMILY, "kind": GIVEN, "tag": PHONE, "member": FAMILY})  # fmt: skip
    for name in ("tent", "hq"):
        with LocalClient(house.folder(name)) as client:
            for call in calls:
                for args in odd:
                    try:
                        client.call(call, **args)
                    except FieldmeshError as error:
                        said = str(error).encode()
                        house.said.append((f"{call} of {name}", said))
    # No file can be called so, and nobody asks before: a fault of ours, with a name in it.
    with LocalClient(house.folder("tent")) as client, pytest.raises(FieldmeshError) as fault:
        client.call("export", patient=house.patient, target=f"/{FAMILY}\0{GIVEN}")
    assert fault.value.code == "fault"


def by_copy(house: House) -> None:
    """Make a backup beside the rest, and an export where it is meant to be readable."""
    tent = ("--data", house.folder("tent"))
    house.run("fieldnode", "backup", *tent, "--to", house.root / "copy")
    house.run("fieldnode", "export", house.patient, *tent, "--to", house.allowed / "out")


def by_full_disk(house: House) -> None:
    """Let the far tent write no file any longer than it is."""
    far = house.folder("far")
    longest = max(path.stat().st_size for path in far.iterdir())
    _, hard = resource.prlimit(house.serving["far"].pid, resource.RLIMIT_FSIZE)
    resource.prlimit(house.serving["far"].pid, resource.RLIMIT_FSIZE, (longest, hard))
    many = [patient(f"full-{number}") for number in range(64)]
    for _ in range(20):
        out = house.run("fieldnode", "record", "--data", far, lines=many, shows=True, ok=-1)
        many = [{**each, "key": each["key"] + "x"} for each in many]
        if '"ok":false' in out:
            break
    assert '"disk' in out, out[:300]
    house.said.append(("a full disk", out.encode()))


def by_crash(house: House) -> None:
    """Abort one node and kill another in the middle of their work; no memory comes to a disk."""
    assert not os.WCOREDUMP(house.end("far", signal.SIGABRT))
    house.end("tent", signal.SIGKILL)
    tent = ("--data", house.folder("tent"))
    house.run("fieldnode", "rows", "patient", *tent, shows=True)


def seen_where_it_is_meant_to_be(house: House) -> None:
    """The same search finds it in the export: had it stood elsewhere, it had been found there."""
    assert leaks(house.allowed) != []


CRASH = f"""
import os, resource, sys
if sys.argv[1] == "hardened":
    from protocols.live.hardening import harden
    assert harden()
else:
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2)
name = {FAMILY!r}.encode() * 100
os.abort()
"""


@pytest.mark.parametrize(("how", "dumped"), [("hardened", False), ("soft", True)])
def test_a_process_that_aborts_leaves_its_memory_nowhere(tmp_path, how, dumped):
    process = subprocess.Popen(
        [sys.executable, "-c", CRASH, how], cwd=tmp_path, stderr=subprocess.DEVNULL,
        env=environment() | {"PYTHONPATH": str(PROJECT)},
    )  # fmt: skip
    _, status = os.waitpid(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == -signal.SIGABRT
    if dumped and not os.WCOREDUMP(status):
        pytest.skip("this system dumps no memory of anybody")
    assert os.WCOREDUMP(status) == dumped
    assert (leaks(tmp_path) != []) == (dumped and any(tmp_path.iterdir()))


@pytest.mark.parametrize("text", PLANTED)
def test_the_search_finds_each_text_in_each_spelling(text, tmp_path):
    for number, form in enumerate(set(spellings(text))):
        assert found_in(b"before " + form + b" after"), form
        (tmp_path / str(number)).write_bytes(bytes(5_000) + form + bytes(5_000))
    assert len(leaks(tmp_path)) == len(list(tmp_path.iterdir()))
    assert found_in(text.upper().encode()) and found_in(text.casefold().encode())


def test_the_search_finds_names_of_files_links_and_files_without_a_name(tmp_path):
    (tmp_path / FAMILY).mkdir()
    (tmp_path / "link").symlink_to(f"/nowhere/{FAMILY}")
    assert len(leaks(tmp_path)) == 2
    with (tmp_path / "gone").open("w+b") as held:
        held.write(NOTE.encode())
        held.flush()
        (tmp_path / "gone").unlink()
        assert len(nameless_leaks(os.getpid())) == 1
    assert not found_in(os.urandom(1 << 20))


def test_the_recorder_keeps_what_passes():
    server = socket.create_server(("127.0.0.1", 0))
    with server, Recorder(f"127.0.0.1:{server.getsockname()[1]}") as wire:
        host, _, port = wire.address.rpartition(":")
        with socket.create_connection((host, int(port))) as near:
            far, _ = server.accept()
            with far:
                near.sendall(FAMILY.encode())
                assert far.recv(100)
                far.sendall(NOTE.encode())
                assert near.recv(100)
        assert len(wire.leaks()) == 2
