"""The bytes of the local socket: one JSON object a line, and where the socket is.

Both ends and both kinds of client, waiting and not, come through here.
"""

from __future__ import annotations

import os
import stat
import tempfile
from hashlib import blake2b
from pathlib import Path
from typing import Any

import msgspec

from protocols.errors import (
    FieldmeshError,
    InputError,
    LedgerError,
    LinkError,
    PeerError,
    SetupError,
)
from protocols.live.api import Failure, Reply, Request
from protocols.records.strict import refuse_twice

LINE_BYTES_MAX = 1024 * 1024
"""One request or one answer, newline included; more is cut into pages or several calls."""
SOCKET_PATH_BYTES_MAX = 107
"""What fits the kernel's address of a Unix socket, with its closing NUL."""
SOCKET_NAME = "node.sock"
POINTER_NAME = "node.sock.path"
"""Holds the socket's path when the data folder's own is too long for the kernel."""

_request = msgspec.json.Decoder(Request)
_reply = msgspec.json.Decoder(Reply)
_encoder = msgspec.json.Encoder()
_FAULTS: dict[str, type[FieldmeshError]] = {
    kind.fault: kind for kind in (PeerError, LinkError, LedgerError, SetupError)
}


def encode(message: Request | Reply) -> bytes:
    """Return one line, newline included.

    Raises:
        InputError: `line_too_long` when it would not fit `LINE_BYTES_MAX`.
    """
    line = _encoder.encode(message) + b"\n"
    if len(line) > LINE_BYTES_MAX:
        raise InputError("line_too_long", bytes=len(line), most=LINE_BYTES_MAX)
    return line


def decode_request(line: bytes) -> Request:
    """Read one line of a client.

    Raises:
        InputError: `bad_line` when it is not a request, `field_twice` when it may be read as two.
    """
    try:
        request = _request.decode(line)
        refuse_twice(line)
    except (msgspec.DecodeError, RecursionError):
        raise InputError("bad_line") from None
    if request.id <= 0:
        raise InputError("bad_line", field="id")
    return request


def decode_reply(line: bytes) -> Reply:
    """Read one line of the node.

    Raises:
        LinkError: `bad_line`: what answers there is not a node.
    """
    try:
        return _reply.decode(line)
    except (msgspec.DecodeError, RecursionError):
        raise LinkError("bad_line") from None


def failure(error: FieldmeshError) -> Failure:
    """Return what a client is told about a refused call: codes and values, no words."""
    values = {name: value for name, value in error.values.items() if value is not None}
    if isinstance(error, InputError):
        return Failure(error.code, error.field, error.allowed, fault=error.fault, values=values)
    return Failure(error.code, fault=error.fault, values=values)


def raised(refusal: Failure) -> FieldmeshError:
    """Return the error a refused call stands for, as the node knew it."""
    values: dict[str, Any] = {
        name: value for name, value in refusal.values.items() if name not in ("code", "self")
    }
    kind = _FAULTS.get(refusal.fault)
    if kind is not None:
        return kind(refusal.code, **values)
    values = {name: value for name, value in values.items() if name not in ("field", "allowed")}
    return InputError(refusal.code, field=refusal.field, allowed=refusal.allowed, **values)


def place_socket(folder: Path) -> Path:
    """Return where to listen, leaving a pointer in the folder when it is elsewhere.

    Raises:
        SetupError: `no_socket_place` when the runtime folder is not this user's alone.
    """
    own = folder.absolute() / SOCKET_NAME
    if _fits(own):
        return own
    path = _elsewhere(folder)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    _require_private(path.parent)
    (folder / POINTER_NAME).write_text(f"{path}\n")
    return path


def find_socket(folder: Path) -> Path:
    """Return where the node of this folder listens, if one runs.

    Raises:
        LinkError: `no_node` when nothing in the folder names a socket.
    """
    own = folder.absolute() / SOCKET_NAME
    if _fits(own):
        return own
    try:
        return Path((folder / POINTER_NAME).read_text().strip())
    except OSError:
        raise LinkError("no_node") from None


def _fits(path: Path) -> bool:
    return len(os.fsencode(path)) <= SOCKET_PATH_BYTES_MAX


def _elsewhere(folder: Path) -> Path:
    # Two folders of one user must not meet; the name tells nobody which folder it is.
    name = blake2b(os.fsencode(folder.resolve()), digest_size=8).hexdigest()
    path = _runtime_folder() / f"{name}.sock"
    if not _fits(path):
        raise SetupError("no_socket_place")
    return path


def _runtime_folder() -> Path:
    user = os.geteuid()
    given = os.environ.get("XDG_RUNTIME_DIR")
    for folder in (Path(given) if given else None, Path(f"/run/user/{user}")):
        if folder is not None and folder.is_absolute() and os.access(folder, os.W_OK):
            return folder / "fieldmesh"
    return Path(tempfile.gettempdir()) / f"fieldmesh-{user}"


def _require_private(folder: Path) -> None:
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise SetupError("no_socket_place")
    folder.chmod(0o700)
