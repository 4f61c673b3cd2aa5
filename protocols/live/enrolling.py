"""Calls of the local socket about who comes in: invitations, and requests and grants in files."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from protocols.errors import InputError
from protocols.ids import DeviceId
from protocols.ledger import admitting
from protocols.ledger.admitting import Newcomer
from protocols.live.members import Doer, Reader
from protocols.mesh.effects import Effect, Now
from protocols.mesh.node import Node
from protocols.trust.enrolment import CODE_BYTES, NAME_LETTERS_MAX, code_text, open_request_file
from protocols.trust.fingerprint import fingerprint
from protocols.trust.granting import POSTS, Wish

ROWS_MAX = 12
"""Devices admitted in one turn of the node's thread; their grants fit one line of the socket."""
NAMES_MAX = 64
"""Roles or scopes that one call may name."""


class Asked(msgspec.Struct, frozen=True):
    """A request to be admitted, as a file and as people compare it."""

    request: str
    """The file's bytes, base64."""
    device: str
    fingerprint: str
    name: str


class Admitted(msgspec.Struct, frozen=True):
    """A device that was admitted."""

    grant: str
    """The file's bytes, base64."""
    device: str
    fingerprint: str
    name: str
    rank: str
    roles: tuple[str, ...]
    scopes: tuple[str, ...]


def invite(node: Node, now: Now, args: Mapping[str, Any]) -> object:
    """Return a one-time code."""
    code = now.entropy(CODE_BYTES)
    node.invite(code, now, wish_of(args))
    return code_text(code)


def ask(node: Node, now: Now, args: Mapping[str, Any]) -> object:
    """Return what this device asks to be admitted with."""
    device = node.ledger.authority.device
    name = node.ledger.authority.secret("name").decode()
    return Asked(_text_of(node.ask(now)), str(device), fingerprint(device), name)


def look(node: Node, now: Now, args: Mapping[str, Any]) -> object:
    """Return who asks in a request, and see that it could be given what is wished."""
    request = open_request_file(_bytes(args, "request"))
    admitting.may_grant(node.ledger, wish_of(args))
    device = DeviceId(request.device)
    return Asked("", str(device), fingerprint(device), request.name)


def admit(node: Node, now: Now, args: Mapping[str, Any]) -> tuple[object, Sequence[Effect]]:
    """Admit the device of a request; return its grant."""
    raw = _bytes(args, "request")
    device = DeviceId(open_request_file(raw).device)
    name = _name(args)
    grant, effects = node.admit(raw, wish_of(args), now, name=name)
    authority = node.ledger.authority
    member, charter = authority.roster.device(device), authority.roster.charter
    assert member is not None and charter is not None
    made = Admitted(
        grant=_text_of(grant),
        device=str(device),
        fingerprint=fingerprint(device),
        name=authority.name_of(device),
        rank=member.rank.name.lower(),
        roles=tuple(role.name for role in charter.roles if role.number in member.roles),
        scopes=tuple(scope.name for scope in charter.scopes if scope.id in member.scopes),
    )
    return made, effects


def join(node: Node, now: Now, args: Mapping[str, Any]) -> tuple[object, Sequence[Effect]]:
    """Take up membership by a grant."""
    return True, node.join(_bytes(args, "grant"), now)


def admit_all(node: Node, now: Now, args: Mapping[str, Any]) -> tuple[object, Sequence[Effect]]:
    """Admit the devices of several requests, all or none; return their grants in order."""
    rows = args.get("rows")
    if not isinstance(rows, list) or not 1 <= len(rows) <= ROWS_MAX:
        raise InputError("bad_line", field="args.rows", limit=ROWS_MAX)
    newcomers = []
    for row in rows:
        if not isinstance(row, dict):
            raise InputError("bad_line", field="args.rows")
        request = open_request_file(_bytes(row, "request"))
        newcomers.append(Newcomer(request, wish_of(row), _name(row)))
    grants, effects = node.admit_all(newcomers, now)
    return [_text_of(grant) for grant in grants], effects


READS: dict[str, Reader] = {"invite": invite, "ask": ask, "look": look}
DEEDS: dict[str, Doer] = {"admit": admit, "admit_all": admit_all, "join_grant": join}


def wish_of(args: Mapping[str, Any]) -> Wish:
    """Return what the caller wants somebody to be admitted as.

    Raises:
        InputError: `bad_line`, `unknown_post`.
    """
    post = args.get("as", "device")
    if not isinstance(post, str) or post not in POSTS:
        raise InputError("unknown_post", field="as", allowed=POSTS)
    until = args.get("until_ms", 0)
    if not isinstance(until, int) or isinstance(until, bool) or not 0 <= until < 2**48:
        raise InputError("bad_line", field="args.until_ms")
    return Wish(post, _names(args, "roles"), _names(args, "scopes"), until)


def _names(args: Mapping[str, Any], field: str) -> tuple[str, ...]:
    said = args.get(field, [])
    if (
        not isinstance(said, list)
        or len(said) > NAMES_MAX
        or not all(isinstance(each, str) for each in said)
    ):
        raise InputError("bad_line", field=f"args.{field}")
    return tuple(said)


def _name(args: Mapping[str, Any]) -> str:
    name = args.get("name", "")
    if not isinstance(name, str) or len(name) > NAME_LETTERS_MAX:
        raise InputError("bad_line", field="args.name")
    return name


def _bytes(args: Mapping[str, Any], field: str) -> bytes:
    said = args.get(field)
    try:
        return base64.b64decode(said if isinstance(said, str) else "!", validate=True)
    except (binascii.Error, ValueError):
        raise InputError("bad_line", field=f"args.{field}") from None


def _text_of(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
