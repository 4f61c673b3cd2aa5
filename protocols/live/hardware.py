"""What names the machine and the disk a node runs on, so that a copy of it is noticed."""

from __future__ import annotations

import os
from pathlib import Path

from protocols.ledger.folder import Machine

BOARDS = (
    "/proc/device-tree/serial-number",
    "/sys/class/dmi/id/product_uuid",
    "/etc/machine-id",
)
"""The first that can be read names the machine."""
DISK_NAMES = ("device/cid", "device/serial", "device/wwid", "serial", "wwid")
"""Below a block device: an SD card's, an NVMe's, a SCSI's and a virtual disk's own name."""


def machine(folder: Path) -> Machine:
    """Return what names this hardware and the disk under a folder, as far as the system says.

    The disk counts because a card is cloned more often than a board.
    """
    board = next(filter(None, map(_read, map(Path, BOARDS))), "")
    return Machine("/".join(filter(None, (board, _disk_serial(folder)))))


def _disk_serial(folder: Path) -> str:
    try:
        number = folder.stat().st_dev
        block = Path(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}").resolve(strict=True)
    except OSError:
        return ""
    # A partition lies below its disk.
    for place in (block, block.parent):
        for name in DISK_NAMES:
            if found := _read(place / name):
                return found
    return ""


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip("\0 \n")
    except OSError:
        return ""
