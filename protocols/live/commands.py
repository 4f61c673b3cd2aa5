"""What the commands of both apps share: the door to a node that runs or not, and what goes in."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click
import msgspec

from protocols.errors import InputError, LinkError
from protocols.ids import DeviceId, PatientId
from protocols.ledger.backup import backup as make_backup
from protocols.ledger.backup import last_backup_ms, source_of
from protocols.ledger.backup import restore as restore_backup
from protocols.ledger.book import Ledger
from protocols.ledger.folder import make_folder, open_ledger
from protocols.ledger.founding import found_book, found_member
from protocols.ledger.inspection import inspect
from protocols.ledger.keyfile import recover_to
from protocols.ledger.place import opens_unattended
from protocols.ledger.recording import LINES_MAX, refusal
from protocols.ledger.safefile import disk_trouble
from protocols.ledger.store import Store
from protocols.live import answers, audited, calls
from protocols.live.client import LocalClient
from protocols.live.clock import now
from protocols.live.hardware import machine
from protocols.live.phrases import phrase
from protocols.live.sentences import SENTENCES
from protocols.live.talk import EXIT_NOT_WRITABLE, EXIT_REFUSED, passphrase_if_needed, say
from protocols.mesh.node import Node
from protocols.records.codes import ERRORS
from protocols.records.commands import LINE_BYTES_MAX, read_line
from protocols.records.rows import iso
from protocols.trust.audit import What
from protocols.trust.charter import SignedCharter
from protocols.trust.identity import DeviceKeys

BATCH_BYTES_MAX = 128 * 1024
"""Lines sent in one call; with all that is answered to them it fits one line of the socket."""
DAY_MS = 86_400_000
LONG_S = 3600.0
"""A backup or a check of a large book on a slow disk ends within this."""
READ_BYTES = 64 * 1024


def show(value: object) -> None:
    """Print one JSON object, on one line."""
    click.echo(one_line(value))


def one_line(value: object) -> str:
    r"""Return JSON that a terminal can only draw, equal to the value for whoever parses it.

    Controls, direction marks and whatever else is not drawn are written as `\uXXXX`: a name or a
    key that a stranger chose must not move the cursor or turn a line around.
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in text)


@dataclass(frozen=True, slots=True)
class Named:
    """How a new node and its organisation are called."""

    name: str
    org: str
    jurisdiction: str
    """ISO country code, or ''."""
    hq: bool
    """Whether its receipts count as *at HQ*."""


def make_node(folder: Path, passphrase: str, named: Named, *, unattended: bool) -> DeviceId:
    """Make a data folder with a node that is an operation of its own."""
    moment = now()

    def found(store: Store) -> Ledger:
        return found_book(
            store,
            name=named.name,
            org=named.org,
            jurisdiction=named.jurisdiction,
            hq=named.hq,
            entropy=moment.entropy,
            wall_ms=moment.wall_ms,
        )

    # The folder's own disk is known only once it is there.
    return make_folder(folder, passphrase, moment.entropy, machine, found, unattended=unattended)


def make_member(
    folder: Path,
    passphrase: str,
    name: str,
    entry: tuple[SignedCharter, DeviceKeys],
    *,
    hq: bool,
    unattended: bool,
) -> DeviceId:
    """Make a data folder with a node that is issuer of its organisation under a charter.

    Args:
        entry: The charter, signed by all, and the organisation's root key, which is not kept.

    Raises:
        InputError: `root_not_in_charter`.
    """
    moment = now()
    charter, root = entry

    def found(store: Store) -> Ledger:
        return found_member(
            store,
            name=name,
            charter=charter,
            root=root,
            hq=hq,
            entropy=moment.entropy,
            wall_ms=moment.wall_ms,
        )

    return make_folder(folder, passphrase, moment.entropy, machine, found, unattended=unattended)


@contextmanager
def door(folder: Path, passphrase_file: Path | None) -> Iterator[LocalDoor | StoppedDoor]:
    """Reach the book of a folder: through its running node, else by opening it here."""
    try:
        client = LocalClient(folder)
    except LinkError:
        passphrase = passphrase_if_needed(folder, passphrase_file)
        ledger = open_ledger(folder, passphrase, now().entropy, machine(folder), _moved)
        try:
            node = Node(ledger)
            yield StoppedDoor(node)
            node.stop()
        finally:
            ledger.close()
        return
    with client:
        yield LocalDoor(client)


def stop_node(folder: Path) -> None:
    """Stop the node of a folder and wait until its keys are out of memory.

    Raises:
        LinkError: `no_node`, `node_slow`.
    """
    with LocalClient(folder) as client:
        client.call("stop")
        client.wait_until_gone()


def _moved(why: str) -> None:
    say(SENTENCES[why])


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

    def call(self, name: str, /, **args: Any) -> Any:
        """Make one of `calls`."""
        return self.client.call(name, **args)


class StoppedDoor:
    """The book opened by this command itself, while no node runs."""

    running = False

    def __init__(self, node: Node) -> None:
        self.node = node
        self._told: set[str] = set()
        """Tables whose reading of other teams' rows is in the audit trail."""
        node.start(now())
        node.ledger.catch_up_all()

    def record(self, lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Write lines; each answer is durable."""
        found, _ = self.node.record(lines, now())
        return [msgspec.to_builtins(answer) for answer in found]

    def rows(self, table: str, since: int) -> Mapping[str, Any]:
        """One page of rows after a cursor."""
        args = {"kind": table, "since": since}
        page, told, _ = audited.rows(self.node, now(), args, told=table in self._told)
        if told:
            self._told.add(table)
        return page

    def call(self, name: str, /, **args: Any) -> Any:
        """Make one of `calls`, as a running node would answer it."""
        if name in calls.DEEDS:
            return plain(calls.DEEDS[name](self.node, now(), args)[0])
        return plain(calls.READS[name](self.node, now(), args))

    def status(self) -> dict[str, Any]:
        """The node's state."""
        return answers.status(self.node, now().wall_ms)


def plain(value: object) -> Any:
    """Return dataclasses and structs as plain dicts and lists."""
    return msgspec.to_builtins(value)


def file_text(path: Path, bytes_max: int) -> str:
    """Return a file as a call carries it, in base64; of one that is too long, just too much."""
    with disk_trouble(), path.open("rb") as file:
        return base64.b64encode(file.read(bytes_max + 1)).decode()


def full_status(book: LocalDoor | StoppedDoor, folder: Path) -> dict[str, Any]:
    """The node's state, with what only the system knows."""
    return _with_system(folder, book.status(), running=book.running)


def closed_status(folder: Path, why: str) -> dict[str, Any]:
    """What a folder tells that nobody opens: the same keys, null where only the book knows.

    Args:
        why: The code it was refused with.
    """
    unknown = dict.fromkeys(answers.STATUS_KEYS)
    return _with_system(folder, unknown, running=False) | {"locked": True, "closed_by": why}


CLOSED = frozenset({"no_passphrase", "no_key_file"})
"""Refusals that say no more than that the folder is locked."""


def _with_system(folder: Path, told: Mapping[str, Any], *, running: bool) -> dict[str, Any]:
    return {
        "version": version("fieldmesh"),
        "running": running,
        # A running node holds its keys; of one that does not run, the folder says who can.
        "locked": not running and not opens_unattended(folder),
        "closed_by": None,
        **told,
        "disk_free": shutil.disk_usage(folder).free,
        "last_backup": _last_backup(folder),
    }


def print_status(found: Mapping[str, Any]) -> None:
    """Print what a person asks of a node's state."""
    words = partial(phrase, "status")
    yes = {True: words("yes"), False: words("no")}
    hq = words("this_is_hq") if found["hq"] else found["at_hq_until"] or words("never")
    linked = sum(1 for peer in found["peers"] if peer["linked"])
    for name, value in (
        (words("node"), f"{found['name']} ({found['device']})"),
        (words("running"), yes[found["running"]]),
        (words("locked"), yes[found["locked"]]),
        (words("own"), found["own_entries"]),
        (words("only_here"), found["unsent"]),
        (words("at_hq"), hq),
        (words("peers"), words("linked", linked=linked, known=len(found["peers"]))),
        *(
            ((words("restored"), words("restored_from", at=found["restored_from"])),)
            if found["restored_from"]
            else ()
        ),
        (words("unsettled"), found["unsettled"]),
        (words("forks"), len(found["forks"])),
        (words("waiting"), sum(found["waiting"].values())),
        (words("damaged"), sum(found["void"].values())),
        (words("disk_free"), f"{found['disk_free'] // 1_000_000} MB"),
    ):
        click.echo(f"{name:12} {value}")


def print_report(found: Mapping[str, Any]) -> None:
    """Print an inspection."""
    click.echo(phrase("status", "all_well" if found["ok"] else "not_well"))
    for name, value in found.items():
        click.echo(f"{name:12} {value}")


def export(book: LocalDoor | StoppedDoor, patient: PatientId, target: Path) -> int:
    """Write a patient's documents as standard automerge files; return how many.

    Raises:
        InputError: `not_found`, `target_exists`.
    """
    if isinstance(book, LocalDoor):
        count: int = book.client.call("export", patient=str(patient), target=str(target.absolute()))
        return count
    done, _ = audited.export(book.node, now(), patient, target)
    return done


def backup(book: LocalDoor | StoppedDoor, target: Path) -> dict[str, Any]:
    """Write a verified backup; a running node goes on meanwhile."""
    if isinstance(book, LocalDoor):
        found: dict[str, Any] = book.client.call(
            "backup", wait_s=LONG_S, target=str(target.absolute())
        )
        return found
    audited.backed_up(book.node, now(), target)
    report = make_backup(source_of(book.node.ledger), target, now().wall_ms)
    return dict(plain(report))


def restore(source: Path, folder: Path, passphrase: str, orders: Sequence[Path]) -> None:
    """Make a new folder of a backup, and say how old it is and what that means."""
    wall_ms = now().wall_ms
    made = restore_backup(source, folder, passphrase, wall_ms, orders)
    show({**plain(made), "made_ms": iso(made.made_ms)})
    if made.made_ms is None:
        say(phrase("restore", "done_undated"))
    else:
        days = max(wall_ms - made.made_ms, 0) // DAY_MS
        say(phrase("restore", "done", at=iso(made.made_ms), days=days))
    if made.erases:
        say(phrase("restore", "orders", n=made.erases))
    if not made.alone:
        say(phrase("restore", "until_met"))


def passphrase_changed(folder: Path, passphrase: str) -> None:
    """Have the book say that its passphrase is another one, through its node if it runs."""
    try:
        client = LocalClient(folder)
    except LinkError:
        ledger = open_ledger(folder, passphrase, now().entropy, machine(folder), _moved)
        try:
            node = Node(ledger)
            node.audit([audited.event(now(), What.PASSPHRASE_CHANGED)], now())
        finally:
            ledger.close()
        return
    with client:
        client.call("passphrase_changed")


def recover(book: LocalDoor | StoppedDoor, recovery: Path, target: Path, passphrase: str) -> None:
    """Make a key file for another device out of the recovery copy it brought."""
    if isinstance(book, LocalDoor):
        book.client.call(
            "recover",
            recovery=str(recovery.absolute()),
            target=str(target.absolute()),
            passphrase=passphrase,
        )
        return
    audited.recovering(book.node, now(), target)
    secret = book.node.ledger.authority.keys.agree_secret
    recover_to(target, recovery, secret, passphrase, now().entropy)


def inspected(book: LocalDoor | StoppedDoor) -> dict[str, Any]:
    """Check a book; of a running node a copy, whose rows are not looked at."""
    if isinstance(book, LocalDoor):
        found: dict[str, Any] = book.client.call("doctor", wait_s=LONG_S)
        return found
    return dict(plain(inspect(book.node.ledger)))


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
            answer = next(answered) if isinstance(line, dict) else plain(refusal(line, line=number))
            if not answer["ok"]:
                codes.add(str(answer["error"]))
            show(_told(answer, number))
        sys.stdout.flush()
    if codes & _NOT_WRITABLE:
        return EXIT_NOT_WRITABLE
    return EXIT_REFUSED if codes else 0


_NOT_WRITABLE = {"disk_full", "disk_failed", "damaged", "book_failed", "no_key", "not_writable"}


def _last_backup(folder: Path) -> str | None:
    return iso(last_backup_ms(folder))


def _told(answer: Mapping[str, Any], line: int) -> dict[str, Any]:
    """Return an answer with every key that other programs may rely on, empty or not."""
    if answer["ok"]:
        return {**dict.fromkeys(_SAVED), "warnings": [], "repeated": False, **answer, "line": line}
    message = ERRORS.get(answer["error"]) or SENTENCES.get(answer["error"], "")
    return {**dict.fromkeys(_REFUSED), "allowed": [], "message": message, **answer, "line": line}


_SAVED = ("line", "key", "ok", "id", "code", "feed", "seq")
_REFUSED = ("line", "key", "ok", "error", "field")


def _batches(source: int) -> Iterator[list[tuple[int, bytes]]]:
    """Yield numbered lines, as many as have come, at most `LINES_MAX` at a time."""
    held, number, size, lines = b"", 0, 0, list[tuple[int, bytes]]()
    while True:
        chunk = os.read(source, READ_BYTES)
        whole = (held + chunk).split(b"\n")
        held = whole.pop() if chunk else b""
        # A line that is too long stays one line, and more of it need not be held.
        held = held[: LINE_BYTES_MAX + 1]
        for text in whole:
            number += 1
            if text.strip():
                lines.append((number, text))
                size += len(text)
            if len(lines) >= LINES_MAX or size >= BATCH_BYTES_MAX:
                yield lines
                size, lines = 0, []
        if lines and (not chunk or not select.select([source], [], [], 0)[0]):
            yield lines
            size, lines = 0, []
        if not chunk:
            return


def print_rows(book: LocalDoor | StoppedDoor, table: str, since: int, *, follow: bool) -> None:
    """Print rows after a cursor, one JSON object a line; with `follow`, those that come later."""
    if not follow or not isinstance(book, LocalDoor):
        _print_page(book, table, since)
        if follow:
            say(phrase("done", "no_more"))
        return
    # Before the first page, or what changes after it would wait for the next change.
    changes = book.client.follow(table)
    cursor = _print_page(book, table, since)
    for _ in changes:
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
