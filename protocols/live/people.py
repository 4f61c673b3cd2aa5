"""Calls of the local socket by which persons come onto a device and leave it.

A person's key is made, and its passphrase typed, in the command's own process; over the socket go
the public key and the locked one.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from protocols.errors import InputError
from protocols.ids import DeviceId, PersonId
from protocols.ledger import personnel, persons
from protocols.ledger.persons import Enrolled, Grant, Made
from protocols.live.audited import event
from protocols.mesh.effects import Effect, Now
from protocols.mesh.node import Node
from protocols.records.rows import iso
from protocols.trust.audit import What
from protocols.trust.charter import Charter
from protocols.trust.persons import Profile, profile_text
from protocols.trust.terms import DEVICE_ROLE, HQ_ROLE, RELAY_ROLE

Reader = Callable[[Node, Now, Mapping[str, Any]], object]
Doer = Callable[[Node, Now, Mapping[str, Any]], tuple[object, Sequence[Effect]]]

ROWS_MAX = 64
"""Persons certified in one call: their requests fit one line of the socket."""
FILE_CHARS_MAX = 32 * 1024


class EnrolledLine(msgspec.Struct, frozen=True):
    """One person of this device, for whoever looks after it."""

    number: int
    id: str
    name: str
    profession: str
    authority: str
    licence: str
    practice: str
    licence_until: str | None
    recognised_by: str
    roles: tuple[str, ...]
    pin: bool
    wrong: int
    """Wrong tries in a row."""
    certified: bool
    sealed: bool


def listing(node: Node, now: Now, args: Mapping[str, Any]) -> list[EnrolledLine]:
    """`person_list`: the persons of this device by their numbers."""
    return [_line(node, each) for each in persons.enrolled(node.ledger)]


def asked(node: Node, now: Now, args: Mapping[str, Any]) -> Profile:
    """`person_asked`: what a request file says, for whoever decides on it."""
    return persons.read_asked(node.ledger, _bytes(args, "file")).profile


def export(node: Node, now: Now, args: Mapping[str, Any]) -> str:
    """`person_export`: the credential file of a person, to carry to another device."""
    person = persons.one(node.ledger, _text(args, "person")).person
    return as_text(persons.carried(node.ledger, person))


def key(node: Node, now: Now, args: Mapping[str, Any]) -> dict[str, Any]:
    """`person_key`: a person's locked key and profile, to ask for a new certificate."""
    made, profile = persons.key_of(
        node.ledger, persons.one(node.ledger, _text(args, "person")).person
    )
    return {
        "key": as_text(made.person),
        "wrapped": as_text(made.wrapped),
        "profile": msgspec.to_builtins(profile),
    }


def add(node: Node, now: Now, args: Mapping[str, Any]) -> tuple[object, Sequence[Effect]]:
    """`person_add`: certify a person whose key was just made; return their credential file."""
    made = Made(PersonId(_bytes(args, "key")), _bytes(args, "wrapped"))
    grant = _grant(node, args)
    raw = persons.add(node.ledger, made, _profile(args), grant, now.entropy, now.wall_ms)
    return _given(node, made.person, raw), node.wrote_control(now)


def wait_for(node: Node, now: Now, args: Mapping[str, Any]) -> tuple[object, Sequence[Effect]]:
    """`person_wait`: keep the key of a request here until its certificate comes."""
    request = persons.read_asked(node.ledger, _bytes(args, "file"))
    persons.wait_for(node.ledger, request, _bytes(args, "wrapped"))
    return str(PersonId(request.person)), ()


def certify(node: Node, now: Now, args: Mapping[str, Any]) -> tuple[object, Sequence[Effect]]:
    """`person_certify`: answer a request; return the certificate file to carry back."""
    ledger = node.ledger
    request = persons.read_asked(ledger, _bytes(args, "file"))
    raw = persons.answer(ledger, request, _grant(node, args), now.entropy, now.wall_ms)
    return _given(node, PersonId(request.person), raw), node.wrote_control(now)


def look(node: Node, now: Now, args: Mapping[str, Any]) -> str:
    """`person_look`: see that the person of a row could be certified; return their key's id."""
    asked = _asked(node, args)
    profile_text(asked.profile)
    return str(PersonId(asked.request.person))


def certify_all(node: Node, now: Now, args: Mapping[str, Any]) -> tuple[object, Sequence[Effect]]:
    """`person_certify_all`: certify those of several requests, all or none, in one record."""
    rows = args.get("rows")
    whole = isinstance(rows, list) and 1 <= len(rows) <= ROWS_MAX
    if not isinstance(rows, list) or not whole or not all(isinstance(row, dict) for row in rows):
        raise InputError("bad_line", field="args.rows", limit=ROWS_MAX)
    made = [_asked(node, row) for row in rows]
    files = personnel.certify_all(node.ledger, made, now.entropy, now.wall_ms)
    return [as_text(raw) for raw in files], node.wrote_control(now)


def _asked(node: Node, row: Mapping[str, Any]) -> personnel.Asked:
    """Return one row: what a roster states of a person takes the place of what they asked with."""
    request = persons.read_asked(node.ledger, _bytes(row, "file"))
    stated = row.get("papers", {})
    if not isinstance(stated, dict) or not set(stated) <= set(Profile.__struct_fields__):
        raise InputError("bad_line", field="args.papers")
    held = {name: getattr(request.profile, name) for name in Profile.__struct_fields__}
    try:
        profile = msgspec.convert(list((held | stated).values()), Profile)
    except msgspec.ValidationError:
        raise InputError("bad_profile") from None
    return personnel.Asked(request, profile, _grant(node, row))


def take_in(node: Node, now: Now, args: Mapping[str, Any]) -> tuple[object, Sequence[Effect]]:
    """`person_import`: enrol who brings a credential or certificate file."""
    found = persons.take_in(node.ledger, _bytes(args, "file"), now.wall_ms)
    return _line(node, found), node.wrote_control(now)


def leave(node: Node, now: Now, args: Mapping[str, Any]) -> tuple[object, Sequence[Effect]]:
    """`person_leave`: forget a person's key and PIN on this device; the trail says so first."""
    person = persons.one(node.ledger, _text(args, "person")).person
    effects = node.audit([event(now, What.PERSON_LEFT, person=bytes(person))], now)
    persons.leave(node.ledger, person)
    return True, effects


READS: dict[str, Reader] = {
    "person_list": listing,
    "person_asked": asked,
    "person_look": look,
    "person_export": export,
    "person_key": key,
}
DEEDS: dict[str, Doer] = {
    "person_add": add,
    "person_wait": wait_for,
    "person_certify": certify,
    "person_certify_all": certify_all,
    "person_import": take_in,
    "person_leave": leave,
}


def as_text(raw: bytes) -> str:
    """Return the bytes of a file as they cross the socket."""
    return base64.b64encode(raw).decode()


def as_bytes(text: str) -> bytes:
    """Return what `as_text` wrote.

    Raises:
        InputError: `bad_line`.
    """
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise InputError("bad_line", field="args") from None


def _given(node: Node, person: PersonId, raw: bytes) -> dict[str, Any]:
    return {"person": str(person), "file": as_text(raw)}


def _line(node: Node, each: Enrolled) -> EnrolledLine:
    roster = node.ledger.authority.roster
    member = roster.device(DeviceId(each.person))
    profile = each.profile or Profile(1, "?")
    names = _role_names(roster.charter)
    return EnrolledLine(
        number=each.number,
        id=str(each.person),
        name=profile.name,
        profession=profile.profession,
        authority=profile.authority,
        licence=profile.licence,
        practice=profile.practice_text,
        licence_until=iso(profile.licence_until_ms) if profile.licence_until_ms else None,
        recognised_by=profile.recognised_by,
        roles=tuple(names.get(one, f"#{one}") for one in sorted(member.roles)) if member else (),
        pin=each.has_pin,
        wrong=each.wrong,
        certified=each.certified,
        sealed=bool(member and member.sealed),
    )


def _grant(node: Node, args: Mapping[str, Any]) -> Grant:
    """Return what is asked to be granted.

    Without roles named it is what a device may write by itself, and only where the charter knows
    no roles of people: else somebody has to say what this person is.
    """
    charter = node.ledger.authority.roster.charter
    numbers = {name: number for number, name in _role_names(charter).items()}
    named = args.get("roles", [])
    if not isinstance(named, list) or not all(isinstance(name, str) for name in named):
        raise InputError("bad_line", field="args.roles")
    for name in named:
        if name not in numbers:
            raise InputError("unknown_role", field="role", allowed=tuple(numbers))
    peopled = set(numbers.values()) - {DEVICE_ROLE, HQ_ROLE, RELAY_ROLE}
    if not named and peopled:
        raise InputError("role_needed", field="role", allowed=tuple(numbers))
    until_ms = args.get("until_ms", 0)
    if type(until_ms) is not int or not 0 <= until_ms < 2**48:
        raise InputError("bad_line", field="args.until_ms")
    roles = tuple(numbers[name] for name in named) or (DEVICE_ROLE,)
    return Grant(roles, until_ms=until_ms)


def _role_names(charter: Charter | None) -> dict[int, str]:
    return {role.number: role.name for role in charter.roles} if charter else {}


def _profile(args: Mapping[str, Any]) -> Profile:
    try:
        return msgspec.convert(args.get("profile"), Profile)
    except msgspec.ValidationError:
        raise InputError("bad_profile") from None


def _bytes(args: Mapping[str, Any], name: str) -> bytes:
    return as_bytes(_text(args, name))


def _text(args: Mapping[str, Any], name: str) -> str:
    value = args.get(name)
    if not isinstance(value, str) or len(value) > FILE_CHARS_MAX:
        raise InputError("bad_line", field=f"args.{name}")
    return value
