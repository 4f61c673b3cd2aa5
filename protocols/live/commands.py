"""What the commands of both apps share: the passphrase, the door to the node, the way out."""

from __future__ import annotations

import json
import os
import select
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, NoReturn

import click
import msgspec

from protocols.errors import FieldmeshError, InputError, LedgerError, LinkError
from protocols.ids import PatientId
from protocols.ledger import reading
from protocols.ledger.backup import last_backup_ms
from protocols.ledger.folder import open_ledger
from protocols.ledger.recording import LINES_MAX, Answer, Recorder
from protocols.live import answers
from protocols.live.api import Recorded
from protocols.live.client import LocalClient
from protocols.live.clock import now
from protocols.live.running import machine
from protocols.live.sentences import sentence
from protocols.mesh.node import Node
from protocols.records.commands import LINE_BYTES_MAX, read_line
from protocols.records.rows import iso

PASSPHRASE_ENV = "FIELDMESH_PASSPHRASE"
PASSPHRASE_CHARS_MIN = 8
READ_BYTES = 64 * 1024
EXIT_REFUSED, EXIT_NOT_WRITABLE, EXIT_FAULT = 3, 4, 1


def passphrase_of(file: Path | None, *, confirm: bool = False) -> str:
    """Return the passphrase from a file, the environment or a prompt, in this order.

    Raises:
        InputError: `no_passphrase` when there is nobody to ask, `short_passphrase` for a new one.
    """
    if file is not None:
        stream = sys.stdin if str(file) == "-" else file.open()
        found = stream.readline().rstrip("\n")
    elif PASSPHRASE_ENV in os.environ:
        found = os.environ[PASSPHRASE_ENV]
    elif sys.stdin.isatty():
        found = click.prompt("Passphrase", hide_input=True, confirmation_prompt=confirm, err=True)
    else:
        raise InputError("no_passphrase")
    if confirm and len(found) < PASSPHRASE_CHARS_MIN:
        raise InputError("short_passphrase")
    return str(found)


def say(text: str) -> None:
    """Talk to the person; data goes to standard output, talk never does."""
    click.echo(text, err=True)


def show(value: object) -> None:
    """Print one JSON object, on one line."""
    click.echo(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


@contextmanager
def told() -> Iterator[None]:
    """End the command with one sentence instead of a traceback."""
    try:
        yield
    except FieldmeshError as error:
        leave(error)
    except TimeoutError:
        leave(LinkError("node_slow"))


def leave(error: FieldmeshError) -> NoReturn:
    """Say what is wrong and what to do, and end."""
    say(sentence(error))
    sys.exit(EXIT_NOT_WRITABLE if isinstance(error, LedgerError) else EXIT_FAULT)


@contextmanager
def door(folder: Path, passphrase: Callable[[], str]) -> Iterator[LocalDoor | StoppedDoor]:
    """Reach the book of a folder: through its running node, else by opening it here."""
    try:
        client = LocalClient(folder)
    except LinkError:
        moment = now()
        ledger = open_ledger(folder, passphrase(), moment.entropy, machine(), moment.wall_ms)
        try:
            yield StoppedDoor(Node(ledger))
        finally:
            ledger.close()
        return
    with client:
        yield LocalDoor(client)


class LocalDoor:
    """The book behind a running node."""

    running = True

    def __init__(self, client: LocalClient) -> None:
        self.client = client

    def record(self, lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Write lines; each answer is durable."""
        found: list[dict[str, Any]] = self.client.call("record", lines=lines)
        return found

    def rows(self, table: str, since: int) -> Mapping[str, Any]:
        """One page of rows after a cursor."""
        page: Mapping[str, Any] = self.client.call("rows", kind=table, since=since)
        return page

    def status(self) -> dict[str, Any]:
        """The node's state."""
        found: dict[str, Any] = self.client.call("status")
        return found


class StoppedDoor:
    """The book opened by this command itself, while no node runs."""

    running = False

    def __init__(self, node: Node) -> None:
        self.node = node
        self._recorder = Recorder(node.ledger)
        node.ledger.catch_up_all()

    def record(self, lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Write lines; each answer is durable."""
        moment = now()
        found, *_ = self._recorder.record(lines, moment.wall_ms, moment.entropy)
        return [plain_answer(answer) for answer in found]

    def rows(self, table: str, since: int) -> Mapping[str, Any]:
        """One page of rows after a cursor."""
        return answers.rows_page(self.node.ledger, table, since, answers.ROWS_MAX)

    def status(self) -> dict[str, Any]:
        """The node's state."""
        return answers.status(self.node, now().wall_ms)


def plain_answer(answer: Answer | Recorded) -> dict[str, Any]:
    """Return an answer as the JSON object that other programs read."""
    found: dict[str, Any] = msgspec.to_builtins(answer)
    return found


def plain(value: object) -> Any:
    """Return dataclasses and structs as plain dicts and lists."""
    return msgspec.to_builtins(value)


def full_status(book: LocalDoor | StoppedDoor, folder: Path) -> dict[str, Any]:
    """The node's state, with what only the system knows."""
    usage = shutil.disk_usage(folder)
    return {
        "version": version("fieldmesh"),
        "running": book.running,
        "locked": False,
        **book.status(),
        "disk_free": usage.free,
        "last_backup": _last_backup(folder),
    }


def print_status(found: Mapping[str, Any]) -> None:
    """Print what a person asks of a node's state."""
    hq = found["at_hq_until"] or "never"
    linked = sum(1 for peer in found["peers"] if peer["linked"])
    for name, value in (
        ("node", f"{found['name']} ({found['device']})"),
        ("running", "yes" if found["running"] else "no"),
        ("own entries", found["own_entries"]),
        ("only here", found["unsent"]),
        ("at HQ until", hq),
        ("peers", f"{linked} linked of {len(found['peers'])} known"),
        ("unsettled", found["unsettled"]),
        ("forks", len(found["forks"])),
        ("waiting", sum(found["waiting"].values())),
        ("damaged", sum(found["void"].values())),
        ("disk free", f"{found['disk_free'] // 1_000_000} MB"),
    ):
        click.echo(f"{name:12} {value}")


def print_report(found: Mapping[str, Any]) -> None:
    """Print an inspection."""
    click.echo("all well" if found["ok"] else "NOT WELL")
    for name, value in found.items():
        click.echo(f"{name:12} {value}")


def export(book: LocalDoor | StoppedDoor, patient: PatientId) -> dict[str, bytes]:
    """Return a patient's documents as standard automerge files, by document id."""
    if isinstance(book, LocalDoor):
        found = book.client.call("export", patient=str(patient))
        return {name: bytes.fromhex(raw) for name, raw in found.items()}
    return {str(doc): raw for doc, raw in reading.documents(book.node.ledger, patient)}


def record_stream(book: LocalDoor | StoppedDoor, source: int) -> int:
    """Write every line that comes over a file descriptor, print every answer in input order.

    Lines that are there already share a transaction; who waits for an answer before sending the
    next line gets it at once. Returns the exit code.
    """
    codes: set[str] = set()
    for lines in _batches(source):
        read: list[tuple[int, dict[str, Any] | InputError]] = []
        for number, text in lines:
            try:
                read.append((number, read_line(text)))
            except InputError as error:
                read.append((number, error))
        answered = iter(book.record([line for _, line in read if isinstance(line, dict)]))
        for number, line in read:
            answer = next(answered) if isinstance(line, dict) else _unread(line)
            answer["line"] = number
            if not answer["ok"]:
                codes.add(str(answer["error"]))
            show(answer)
        sys.stdout.flush()
    if codes & _NOT_WRITABLE:
        return EXIT_NOT_WRITABLE
    return EXIT_REFUSED if codes else 0


_NOT_WRITABLE = {"disk_full", "disk_failed", "damaged", "book_failed", "no_key", "not_writable"}


def _last_backup(folder: Path) -> str | None:
    return iso(last_backup_ms(folder))


def _unread(error: InputError) -> dict[str, Any]:
    return {"line": 0, "ok": False, "error": error.code}


def _batches(source: int) -> Iterator[list[tuple[int, bytes]]]:
    """Yield numbered lines, as many as have come, at most `LINES_MAX` at a time."""
    held, number, lines = b"", 0, list[tuple[int, bytes]]()
    while True:
        chunk = os.read(source, READ_BYTES)
        whole = (held + chunk).split(b"\n")
        held = whole.pop() if chunk else b""
        if len(held) > LINE_BYTES_MAX:
            whole.append(held)
            held = b""
        for text in whole:
            number += 1
            if text.strip():
                lines.append((number, text))
            if len(lines) >= LINES_MAX:
                yield lines
                lines = []
        if lines and (not chunk or not select.select([source], [], [], 0)[0]):
            yield lines
            lines = []
        if not chunk:
            return


def print_rows(book: LocalDoor | StoppedDoor, table: str, since: int, *, follow: bool) -> None:
    """Print rows after a cursor, one JSON object a line; with `follow`, those that come later."""
    cursor = _print_page(book, table, since)
    if not follow:
        return
    if not isinstance(book, LocalDoor):
        say("No node is running for this folder, so nothing more will come.")
        return
    for _ in book.client.follow(table):
        cursor = _print_page(book, table, cursor)


def _print_page(book: LocalDoor | StoppedDoor, table: str, since: int) -> int:
    while True:
        page = book.rows(table, since)
        for row in page["rows"]:
            show(row)
        sys.stdout.flush()
        if len(page["rows"]) == 0:
            return since
        since = page["cursor"]
