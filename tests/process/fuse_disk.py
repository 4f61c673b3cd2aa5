"""A file system whose power can be cut afterwards, at any moment one likes.

It speaks the kernel's FUSE protocol over /dev/fuse by itself, keeps all files in memory and writes
down, in order, what reached it: writes, truncations, fsyncs, names made and taken away. `image`
then answers what a disk would hold had the power failed after the n-th of these: what was
synced for certain, and of the rest nothing, a prefix, some of it, or some of it torn.

Names are durable in order, as on ext4: an fsync of any file makes earlier names durable.
"""

from __future__ import annotations

import ctypes
import os
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from typing import Any

BUFFER_BYTES = 1 << 20
WRITE_BYTES_MAX = 128 * 1024
SECTOR_BYTES = 512
_ENOENT, _ENOSYS, _ENOSPC = 2, 38, 28
_IN = struct.Struct("<IIQQIIII")
_ATTR = struct.Struct("<QQQQQQIIIIIIIIII")
_ENTRY = struct.Struct("<QQQQII")
_ROOT = 1
_SIZE_GIVEN = 1 << 3
_libc = ctypes.CDLL(None, use_errno=True)


class Cut(Enum):
    """What becomes of writes that no fsync followed."""

    NONE = "nothing of it"
    PREFIX = "the first of it"
    SUBSET = "some of it, in any order"
    TORN = "some of it, some sectors of a write only"


@dataclass
class Op:
    """One thing that reached the disk."""

    what: str
    """write, size, sync, make or gone."""
    node: int
    name: str = ""
    at: int = 0
    bytes: bytes = b""


def available() -> str | None:
    """Why power cuts cannot be simulated here, or None."""
    if not os.path.exists("/dev/fuse"):
        return "no /dev/fuse"
    if os.geteuid() != 0:
        return "mounting needs root"
    return None


class FuseDisk:
    """One mounted folder; use it as a context manager.

    A process of its own serves it, and nothing in this process may touch the mount: whoever waits
    for a file system that he serves himself waits for ever.
    """

    def __init__(self, mount: Path, processes: Any) -> None:
        self.mount = mount
        self._ours, theirs = processes.Pipe()
        self._process = processes.Process(target=serve, args=(mount, theirs), daemon=True)
        self._process.start()
        theirs.close()

    def __enter__(self) -> FuseDisk:
        assert self._ours.poll(30) and self._ours.recv() == "mounted"
        return self

    def __exit__(self, *_: object) -> None:
        _libc.umount2(bytes(self.mount), 2)
        # With its server gone the kernel fails whatever is still being asked.
        self._process.kill()
        self._process.join()

    @property
    def log(self) -> list[Op]:
        """Everything that reached the disk so far, in order."""
        self._ours.send(None)
        log: list[Op] = self._ours.recv()
        return log

    def room(self, room: int | None) -> None:
        """From here on all files together may hold so many bytes; None = no limit."""
        self._ours.send(room or -1)


def surviving_image(log: list[Op], cut: Cut, chance: Random, folder: Path) -> None:
    """Write what a disk would hold after the power failed behind these ops."""
    durable: dict[int, bytearray] = {}
    loose: dict[int, list[Op]] = {}
    names: dict[str, int] = {}
    names_loose: list[Op] = []
    for op in log:
        match op.what:
            case "make" | "gone":
                names_loose.append(op)
            case "sync":
                for each in loose.pop(op.node, ()):
                    _apply(durable.setdefault(op.node, bytearray()), each)
                for each in names_loose:
                    _rename(names, each)
                names_loose.clear()
            case _:
                loose.setdefault(op.node, []).append(op)
    if cut is not Cut.NONE:
        for each in names_loose[: chance.randint(0, len(names_loose))]:
            _rename(names, each)
    for node, ops in loose.items():
        for each in _surviving(ops, cut, chance):
            _apply(durable.setdefault(node, bytearray()), each)
    folder.mkdir()
    for name, node in names.items():
        if not name.endswith("-shm"):
            (folder / name).write_bytes(durable.get(node, b""))


def serve(mount: Path, theirs: Connection) -> None:
    """Body of the serving process: mount, and answer the kernel until the parent is gone."""
    server = _Server()
    server.fd = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    options = f"fd={server.fd},rootmode=40755,user_id=0,group_id=0".encode()
    if _libc.mount(b"powercut", bytes(mount), b"fuse", 6, options):
        raise OSError(ctypes.get_errno(), "mount")
    threading.Thread(target=_obey, args=(server, theirs), daemon=True).start()
    server.serve()


def _obey(server: _Server, theirs: Connection) -> None:
    theirs.send("mounted")
    while True:
        try:
            asked = theirs.recv()
        except (EOFError, OSError):
            os._exit(0)
        if asked is None:
            theirs.send(list(server.log))
        else:
            server.room = None if asked < 0 else asked


@dataclass
class _Server:
    """The files, and what the kernel asks of them."""

    fd: int = -1
    log: list[Op] = field(default_factory=list)
    room: int | None = None
    _files: dict[int, bytearray] = field(default_factory=dict)
    _names: dict[str, int] = field(default_factory=dict)
    _last: int = _ROOT

    def serve(self) -> None:
        while True:
            try:
                raw = os.read(self.fd, BUFFER_BYTES)
            except OSError:
                return
            _, opcode, unique, node, *_ = _IN.unpack_from(raw)
            body = raw[_IN.size :]
            answer = self._answers.get(opcode)
            if opcode in (2, 36, 42):
                continue
            try:
                error, out = (0, answer(self, node, body)) if answer else (_ENOSYS, b"")
            except OSError as refused:
                error, out = refused.errno or 5, b""
            head = struct.pack("<IiQ", 16 + len(out), -error, unique)
            try:
                os.write(self.fd, head + out)
            except OSError:
                if opcode == 38:
                    return

    def _init(self, _node: int, body: bytes) -> bytes:
        _, minor, readahead, _ = struct.unpack_from("<IIII", body)
        fixed = (7, min(minor, 31), readahead, 0, 16, 12, WRITE_BYTES_MAX, 1, 32, 0)
        return struct.pack("<IIIIHHIIHH", *fixed) + bytes(32)

    def _attr(self, node: int) -> bytes:
        held = self._files.get(node)
        mode = 0o40755 if held is None else 0o100600
        size = len(held or b"")
        blocks = (size + 511) // 512
        return _ATTR.pack(node, size, blocks, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0, 4096, 0)

    def _entry(self, node: int) -> bytes:
        return _ENTRY.pack(node, 0, 60, 60, 0, 0) + self._attr(node)

    def _lookup(self, _node: int, body: bytes) -> bytes:
        node = self._names.get(body.rstrip(b"\0").decode())
        if node is None:
            raise OSError(_ENOENT, "lookup")
        return self._entry(node)

    def _getattr(self, node: int, _body: bytes) -> bytes:
        return struct.pack("<QII", 60, 0, 0) + self._attr(node)

    def _setattr(self, node: int, body: bytes) -> bytes:
        valid, _, _, size = struct.unpack_from("<IIQQ", body)
        if valid & _SIZE_GIVEN:
            self._change(Op("size", node, at=size))
        return self._getattr(node, b"")

    def _create(self, _node: int, body: bytes) -> bytes:
        name = body[16:].rstrip(b"\0").decode()
        self._last += 1
        self._names[name] = self._last
        self._files[self._last] = bytearray()
        self.log.append(Op("make", self._last, name))
        return self._entry(self._last) + bytes(16)

    def _open(self, _node: int, _body: bytes) -> bytes:
        return bytes(16)

    def _read(self, node: int, body: bytes) -> bytes:
        _, at, size = struct.unpack_from("<QQI", body)
        return bytes(self._files[node][at : at + size])

    def _write(self, node: int, body: bytes) -> bytes:
        _, at, size = struct.unpack_from("<QQI", body)
        self._change(Op("write", node, at=at, bytes=body[40 : 40 + size]))
        return struct.pack("<II", size, 0)

    def _change(self, op: Op) -> None:
        held = self._files[op.node]
        grown = max(op.at + len(op.bytes) - len(held), 0)
        if self.room is not None and grown and sum(map(len, self._files.values())) > self.room:
            raise OSError(_ENOSPC, "write")
        _apply(held, op)
        self.log.append(op)

    def _unlink(self, _node: int, body: bytes) -> bytes:
        name = body.rstrip(b"\0").decode()
        self.log.append(Op("gone", self._names.pop(name), name))
        return b""

    def _fsync(self, node: int, _body: bytes) -> bytes:
        self.log.append(Op("sync", node))
        return b""

    def _statfs(self, _node: int, _body: bytes) -> bytes:
        return struct.pack("<QQQQQIIII", 1 << 20, 1 << 20, 1 << 20, 99, 99, 4096, 255, 4096, 0) + (
            bytes(24)
        )

    def _nothing(self, _node: int, _body: bytes) -> bytes:
        return b""

    _answers: dict[int, Callable[[_Server, int, bytes], bytes]] = field(
        default_factory=lambda: {
            1: _Server._lookup,
            3: _Server._getattr,
            4: _Server._setattr,
            10: _Server._unlink,
            14: _Server._open,
            15: _Server._read,
            16: _Server._write,
            17: _Server._statfs,
            18: _Server._nothing,
            20: _Server._fsync,
            25: _Server._nothing,
            26: _Server._init,
            27: _Server._open,
            28: _Server._nothing,
            29: _Server._nothing,
            30: _Server._fsync,
            34: _Server._nothing,
            35: _Server._create,
            38: _Server._nothing,
        }
    )


def _apply(held: bytearray, op: Op) -> None:
    if op.what == "size":
        del held[op.at :]
        held.extend(bytes(op.at - len(held)))
        return
    if op.at > len(held):
        held.extend(bytes(op.at - len(held)))
    held[op.at : op.at + len(op.bytes)] = op.bytes


def _rename(names: dict[str, int], op: Op) -> None:
    if op.what == "make":
        names[op.name] = op.node
    else:
        names.pop(op.name, None)


def _surviving(ops: list[Op], cut: Cut, chance: Random) -> list[Op]:
    match cut:
        case Cut.NONE:
            return []
        case Cut.PREFIX:
            return ops[: chance.randint(0, len(ops))]
        case Cut.SUBSET:
            return [op for op in ops if chance.random() < 0.5]
        case Cut.TORN:
            return [_torn(op, chance) for op in ops if chance.random() < 0.7]


def _torn(op: Op, chance: Random) -> Op:
    sectors = len(op.bytes) // SECTOR_BYTES
    if op.what != "write" or sectors < 2 or chance.random() < 0.5:
        return op
    kept = chance.randint(1, sectors) * SECTOR_BYTES
    return Op("write", op.node, at=op.at, bytes=op.bytes[:kept])
