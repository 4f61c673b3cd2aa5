"""A disk and the product's own software on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from protocols.ids import DeviceId
from protocols.ledger.book import Ledger
from protocols.ledger.founding import EPOCH_BYTES, found_book, found_member, new_epoch
from protocols.mesh.effects import Now
from protocols.mesh.node import Node
from protocols.sim.disk import Disk
from protocols.sim.ledgerbook import LedgerBook
from protocols.trust.charter import SignedCharter
from protocols.trust.identity import DeviceKeys


class Computer:
    """One device of a drill. A test may give it software, or a disk, with a bug in it."""

    DISK: ClassVar[type[Disk]] = Disk

    def __init__(self, disk: Disk, *, moved: bool = False) -> None:
        self.disk = disk
        self.book = LedgerBook(disk)
        """What the disk holds now, read past the software under test."""
        self.moved = moved
        """The disk was copied or restored, and the token beside it says so at the next start."""
        self.ledger = self.open_ledger()
        """As long as the device is on; what stays after is the disk."""

    @classmethod
    def found(cls, name: str, now: Now, *, hq: bool = False) -> Computer:
        """Return a new device, an operation of its own."""
        disk = cls.DISK()
        found_book(
            disk,
            name=name,
            org="Drill",
            jurisdiction="XX",
            hq=hq,
            entropy=now.entropy,
            wall_ms=now.wall_ms,
        )
        return cls(disk)

    @classmethod
    def enter(cls, name: str, now: Now, *, charter: SignedCharter, root: DeviceKeys) -> Computer:
        """Return a new device that begins under a charter, as issuer and HQ of its organisation."""
        disk = cls.DISK()
        found_member(
            disk,
            name=name,
            charter=charter,
            root=root,
            hq=True,
            entropy=now.entropy,
            wall_ms=now.wall_ms,
        )
        return cls(disk)

    def open_ledger(self) -> Ledger:
        """Open the book on the disk."""
        return Ledger(self.disk)

    def make_node(self) -> Node:
        """Make the node over the open book."""
        return Node(self.ledger)

    @property
    def device(self) -> DeviceId:
        """Which device its keys make it."""
        return self.ledger.authority.device

    def digests(self) -> Mapping[str, object]:
        """Return what the software itself says of the scope of care."""
        care = self.ledger.digest(self.ledger.authority.care_scope)
        return {name: part.hex() if part else None for name, part in care._asdict().items()}

    def boot(self, now: Now) -> Node:
        """Start the software on what the disk holds."""
        if self.moved:
            new_epoch(self.disk, now.entropy(EPOCH_BYTES))
            self.moved = False
        self.ledger = self.open_ledger()
        return self.make_node()

    def arm(self, commits: int, *, after: bool) -> None:
        """Lose power at the commit so many from now, just before or just after it is durable."""
        self.disk.arm(commits, after=after)

    def halt(self) -> None:
        """Power is gone: the disk keeps what was committed."""
        self.disk.power_gone()

    def copy(self, *, noticed: bool = True) -> Computer:
        """Return another computer with the same disk: a clone, or a backup to restore.

        Args:
            noticed: Whether the token beside the book tells; else only its peers can.
        """
        return type(self)(self.disk.copy(), moved=noticed)
