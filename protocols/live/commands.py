"""What the commands of both apps share: the door to a node that runs or not, and what goes in.

A command whose node runs needs its socket alone. Nothing here loads the book, its cryptography or
the network before it is known that no node runs: on a small machine that is seconds.
"""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from itertools import chain
from pathlib import Path
from textwrap import wrap
from typing import Any, Protocol

import click
import msgspec

from protocols.errors import InputError, LinkError
from protocols.ledger.place import last_backup_ms, opens_unattended
from protocols.ledger.safefile import disk_trouble
from protocols.live.client import LocalClient
from protocols.live.clocks import about, is_off
from protocols.live.phrases import phrase
from protocols.live.sentences import SENTENCES
from protocols.live.talk import (
    EXIT_NOT_WRITABLE,
    EXIT_REFUSED,
    passphrase_if_needed,
    print_line,
    say,
)
from protocols.records.answer import LINES_MAX, refusal
from protocols.records.codes import ERRORS
from protocols.records.display import clean_text
from protocols.records.moment import iso
from protocols.records.strict import LINE_BYTES_MAX, read_line

BATCH_BYTES_MAX = 128 * 1024
"""Lines sent in one call; with all that is answered to them it fits one line of the socket."""
READ_BYTES = 64 * 1024
SESSION_ENV = "FIELDMESH_SESSION"


class Door(Protocol):
    """The book of a folder, whether a node runs for it or not."""

    @property
    def running(self) -> bool:
        """Whether a node runs."""

    def record(self, lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Write lines; each answer is durable."""

    def together(self, lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Write lines whole or not at all."""

    def rows(self, table: str, since: int) -> Mapping[str, Any]:
        """One page of rows after a cursor."""

    def status(self) -> dict[str, Any]:
        """The node's state."""

    def call(self, name: str, /, **args: Any) -> Any:
        """Make one of `calls`."""


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


@contextmanager
def door(folder: Path, passphrase_file: Path | None) -> Iterator[Door]:
    """Reach the book of a folder: through its running node, else by opening it here."""
    try:
        client = LocalClient(folder)
    except LinkError:
        passphrase = passphrase_if_needed(folder, passphrase_file)
        from protocols.live.unserved import opened  # a running node has all that loaded already

        with opened(folder, passphrase) as book:
            yield book
        return
    with client:
        yield LocalDoor(client)


def attach(client: LocalClient) -> None:
    """Go on in the session that the environment names, if it names one.

    Raises:
        InputError: `session_ended`.
    """
    token = os.environ.get(SESSION_ENV)
    if token:
        client.call("attach", token=token)


def stop_node(folder: Path) -> None:
    """Stop the node of a folder and wait until its keys are out of memory.

    Raises:
        LinkError: `no_node`, `node_slow`.
    """
    with LocalClient(folder) as client:
        client.call("stop")
        client.wait_until_gone()


class LocalDoor:
    """The book behind a running node."""

    running = True

    def __init__(self, client: LocalClient) -> None:
        self.client = client

    def record(self, lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Write lines; each answer is durable."""
        found: list[dict[str, Any]] = self.client.call("record", lines=lines)
        return found

    def together(self, lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Write lines whole or not at all."""
        found: list[dict[str, Any]] = self.client.call("record", lines=lines, together=True)
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


def plain(value: object) -> Any:
    """Return dataclasses and structs as plain dicts and lists."""
    return msgspec.to_builtins(value)


def file_text(path: Path, bytes_max: int) -> str:
    """Return a file as a call carries it, in base64; of one that is too long, just too much."""
    with disk_trouble(), path.open("rb") as file:
        return base64.b64encode(file.read(bytes_max + 1)).decode()


def full_status(book: Door, folder: Path) -> dict[str, Any]:
    """The node's state, with what only the system knows."""
    return _with_system(folder, book.status(), running=book.running)


def closed_status(folder: Path, why: str) -> dict[str, Any]:
    """What a folder tells that nobody opens: the same keys, null where only the book knows.

    Args:
        why: The code it was refused with.
    """
    from protocols.live.answers import STATUS_KEYS  # whoever was refused has loaded it already

    unknown = dict.fromkeys(STATUS_KEYS)
    return _with_system(folder, unknown, running=False) | {"locked": True, "closed_by": why}


CLOSED = frozenset({"no_passphrase", "no_key_file"})
"""Refusals that say no more than that the folder is locked."""


def _with_system(folder: Path, told: Mapping[str, Any], *, running: bool) -> dict[str, Any]:
    from importlib.metadata import version  # reads mail headers: a twentieth of a second

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
        *_clock_lines(found),
    ):
        print_line(f"{name:12} {value}")


def _clock_lines(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Say of each clock that is not right, or not known to be: whose, by how much, which way."""
    words = partial(phrase, "status")

    if found["clock"] == "differs":
        way = "clock_behind" if found["clock_apart_ms"] > 0 else "clock_ahead"
        yield words("clock"), _folded(words(way, span=_span(found["clock_apart_ms"])))
    elif found["clock"] != "ok":
        said = "clock_stated" if found["clock"] == "stated" else "clock_implausible"
        yield words("clock"), words(said)
    for peer in found["peers"]:
        ahead = peer["clock_ahead_ms"]
        if is_off(ahead):
            name = clean_text(peer["name"]) or peer["device"][:16]
            way = "peer_clock_ahead" if ahead > 0 else "peer_clock_behind"
            yield words("peer_clock"), _folded(words(way, name=name, span=_span(ahead)))


def _folded(said: str) -> str:
    """Return a sentence in lines that fit beside the names of a terminal of 80 columns."""
    return ("\n" + " " * 13).join(wrap(said, 66))


def _span(apart_ms: int) -> str:
    n, unit = about(apart_ms)
    keys = {"min": "clock_min", "h": "clock_h", "d": "clock_days", "y": "clock_years"}
    return phrase("status", keys[unit], n=n)


def print_report(found: Mapping[str, Any]) -> None:
    """Print an inspection."""
    print_line(phrase("status", "all_well" if found["ok"] else "not_well"))
    for name, value in found.items():
        print_line(f"{name:12} {value}")


def record_stream(book: Door, source: int) -> int:
    """Write every line that comes over a file descriptor, print every answer in input order.

    Lines that are there already share a transaction; who waits for an answer before sending the
    next line gets it at once. Returns the exit code.
    """
    codes: set[str] = set()
    written = False
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
            if answer["ok"]:
                written = True
            else:
                codes.add(str(answer["error"]))
            show(_told(answer, number))
        sys.stdout.flush()
    if codes & _NOT_WRITABLE and not written:
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


def print_rows(book: Door, table: str, since: int, *, follow: bool) -> None:
    """Print rows after a cursor, one JSON object a line; with `follow`, those that come later."""
    if not follow or not isinstance(book, LocalDoor):
        _print_page(book, table, since)
        if follow:
            say(phrase("done", "no_more"))
        return
    # Before the first page, or what changes after it would wait for the next change.
    changes, cursor = book.client.follow(table), since
    for _ in chain((table,), changes):
        try:
            cursor = _print_page(book, table, cursor)
        except LinkError as error:
            # Asked while it stopped: that it has stopped, and what to do, comes of `changes`.
            if error.code != "node_stopping":
                raise


def _print_page(book: Door, table: str, since: int) -> int:
    while True:
        page = book.rows(table, since)
        for row in page["rows"]:
            show(row)
        sys.stdout.flush()
        if len(page["rows"]) == 0:
            return since
        since = page["cursor"]
