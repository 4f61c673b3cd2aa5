"""The book opened by a command itself: where no node runs, and where one is made.

Loads the ledger and the node, so `commands` and the rest ask for it only then.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from protocols.errors import LinkError
from protocols.ids import DeviceId
from protocols.ledger.backup import backup as make_backup
from protocols.ledger.backup import restore as restore_backup
from protocols.ledger.backup import source_of
from protocols.ledger.book import Ledger
from protocols.ledger.folder import make_folder, open_ledger
from protocols.ledger.founding import found_book, found_member
from protocols.ledger.inspection import inspect
from protocols.ledger.keyfile import recover_to
from protocols.ledger.store import Store
from protocols.live import answers, audited, calls
from protocols.live.client import LocalClient
from protocols.live.clock import now
from protocols.live.commands import Door, LocalDoor, plain, show
from protocols.live.hardware import machine
from protocols.live.phrases import phrase
from protocols.live.sentences import SENTENCES
from protocols.live.talk import say
from protocols.mesh.node import Node
from protocols.records.moment import iso
from protocols.trust.audit import What
from protocols.trust.charter import SignedCharter
from protocols.trust.identity import DeviceKeys

DAY_MS = 86_400_000
LONG_S = 3600.0
"""A backup or a check of a large book on a slow disk ends within this."""


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
def opened(folder: Path, passphrase: str | None) -> Iterator[StoppedDoor]:
    """Open the book of a folder for the length of a command."""
    ledger = open_ledger(folder, passphrase, now().entropy, machine(folder), _moved)
    try:
        node = Node(ledger)
        yield StoppedDoor(node)
        node.stop()
    finally:
        ledger.close()


def _moved(why: str) -> None:
    say(SENTENCES[why])


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
        return [plain(answer) for answer in found]

    def together(self, lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Write lines whole or not at all."""
        found, _ = self.node.record_together(lines, now())
        return [plain(answer) for answer in found]

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


def export(book: Door, patient: str, target: Path) -> int:
    """Write a patient's documents as standard automerge files; return how many.

    Args:
        patient: Their id or short code.

    Raises:
        InputError: `not_found`, `ambiguous`, `target_exists`.
    """
    if isinstance(book, LocalDoor):
        count: int = book.client.call("export", patient=patient, target=str(target.absolute()))
        return count
    assert isinstance(book, StoppedDoor)
    done, _ = audited.export(book.node, now(), patient, target)
    return done


def backup(book: Door, target: Path) -> dict[str, Any]:
    """Write a verified backup; a running node goes on meanwhile."""
    if isinstance(book, LocalDoor):
        found: dict[str, Any] = book.client.call(
            "backup", wait_s=LONG_S, target=str(target.absolute())
        )
        return found
    assert isinstance(book, StoppedDoor)
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


def recover_key(book: Door, recovery: Path, target: Path, passphrase: str) -> None:
    """Make a key file for another device out of the recovery copy it brought."""
    if isinstance(book, LocalDoor):
        book.client.call(
            "recover",
            recovery=str(recovery.absolute()),
            target=str(target.absolute()),
            passphrase=passphrase,
        )
        return
    assert isinstance(book, StoppedDoor)
    audited.recovering(book.node, now(), target)
    secret = book.node.ledger.authority.keys.agree_secret
    recover_to(target, recovery, secret, passphrase, now().entropy)


def inspected(book: Door) -> dict[str, Any]:
    """Check a book; of a running node a copy, whose rows are not looked at."""
    if isinstance(book, LocalDoor):
        found: dict[str, Any] = book.client.call("doctor", wait_s=LONG_S)
        return found
    assert isinstance(book, StoppedDoor)
    return dict(plain(inspect(book.node.ledger)))
