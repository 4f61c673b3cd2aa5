"""What a charter's scopes and roles say in a plain TOML file, before it becomes bytes.

Roles name record kinds as people know them; only numbers go into the charter. Three role numbers
mean something to this software in every operation, whatever the vocabulary calls the others.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from protocols.errors import InputError
from protocols.trust.charter import (
    HEADERS,
    JURISDICTIONS_MAX,
    KINDS_MAX,
    ROLES_MAX,
    SCOPES_MAX,
    Role,
    Scope,
    Sensitivity,
)

DEVICE_ROLE = 1
"""What a device may write by itself, while nobody is identified at it."""
HQ_ROLE = 2
"""Whose receipts count as *at HQ*."""
RELAY_ROLE = 3
"""Carries what it cannot read."""
FREE_ROLES = range(4, 2**16)
"""Numbers that a vocabulary gives out as it likes."""
NO_KIND = 0
"""A kind number that nothing ever has: a role that lists it alone may write nothing."""

TERMS_BYTES_MAX = 64 * 1024
NAME_CHARS_MAX = 80
JURISDICTION_CHARS_MAX = 16

_SCOPE_KEYS = {"name", "sensitivity", "jurisdictions", "ciphertext_may_leave", "readers"}
_ROLE_KEYS = {"name", "number", "kinds"}
_SENSITIVITIES = {each.name.lower(): each for each in Sensitivity}


@dataclass(frozen=True, slots=True)
class Terms:
    """What an operation agrees on, beside who its members are."""

    scopes: tuple[Scope, ...]
    """Sorted by id."""
    roles: tuple[Role, ...]
    """Sorted by number."""


def parse_terms(
    raw: bytes, kinds: Mapping[str, int], ids: Sequence[bytes], engine: Sequence[int] = ()
) -> Terms:
    """Read scopes and roles as a person wrote them down.

    Args:
        kinds: Number of every record kind by its name.
        engine: Kinds without a name, which come with any other: without them nothing is written.
        ids: At least `SCOPES_MAX` fresh ids of 16 random bytes, one for each scope.

    Raises:
        InputError: `terms_unreadable` (its line in `line`), or `terms_value` with the place in
            `field` and what is taken there in `allowed`.
    """
    if len(raw) > TERMS_BYTES_MAX:
        raise InputError("terms_unreadable", line=0)
    try:
        table = tomllib.loads(raw.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError("terms_unreadable", line=_line_of(error)) from None
    _only(table, {"scope", "role"}, "")
    roles = _roles(_tables(table, "role", ROLES_MAX), kinds, engine)
    scopes = _scopes(_tables(table, "scope", SCOPES_MAX), roles, ids)
    return Terms(scopes, roles)


def _roles(
    tables: list[dict[str, Any]], kinds: Mapping[str, int], engine: Sequence[int]
) -> tuple[Role, ...]:
    roles: dict[int, Role] = {}
    names: set[str] = set()
    for at, table in enumerate(tables, 1):
        field = f"role {at}"
        _only(table, _ROLE_KEYS, field)
        name = _name(table, field, names)
        number = table.get("number")
        if type(number) is not int or not 1 <= number < 2**16 or number in roles:
            raise InputError("terms_value", field=f"{field} number", allowed=("1-65535",))
        listed = _kinds(table.get("kinds", "all"), kinds, field)
        if listed not in ((), (NO_KIND,)):
            listed = tuple(sorted({*listed, *engine}))
        roles[number] = Role(number, name, listed)
    missing = [str(number) for number in (DEVICE_ROLE, HQ_ROLE, RELAY_ROLE) if number not in roles]
    if missing:
        raise InputError("terms_value", field="role number", allowed=tuple(missing))
    return tuple(roles[number] for number in sorted(roles))


def _kinds(said: object, kinds: Mapping[str, int], field: str) -> tuple[int, ...]:
    if said == "all":
        return ()
    named = _texts(said, f"{field} kinds", ("all", *sorted(kinds)), KINDS_MAX)
    if not named:
        return (NO_KIND,)
    if any(name not in kinds for name in named):
        raise InputError("terms_value", field=f"{field} kinds", allowed=("all", *sorted(kinds)))
    return tuple(sorted({kinds[name] for name in named}))


def _scopes(
    tables: list[dict[str, Any]], roles: Sequence[Role], ids: Sequence[bytes]
) -> tuple[Scope, ...]:
    numbers = {role.name: role.number for role in roles}
    scopes: list[Scope] = []
    names: set[str] = set()
    for at, table in enumerate(tables, 1):
        field = f"scope {at}"
        _only(table, _SCOPE_KEYS, field)
        name = _name(table, field, names)
        said = table.get("sensitivity", "identified")
        if not isinstance(said, str) or said not in _SENSITIVITIES:
            raise InputError(
                "terms_value", field=f"{field} sensitivity", allowed=tuple(_SENSITIVITIES)
            )
        may_leave = table.get("ciphertext_may_leave", True)
        if not isinstance(may_leave, bool) and may_leave != "headers":
            raise InputError(
                "terms_value",
                field=f"{field} ciphertext_may_leave",
                allowed=("true", "false", "headers"),
            )
        laws = _texts(
            table.get("jurisdictions", []), f"{field} jurisdictions", ("KE",), JURISDICTIONS_MAX
        )
        readers = _texts(table.get("readers", []), f"{field} readers", tuple(numbers), ROLES_MAX)
        if any(not is_jurisdiction(law) for law in laws):
            raise InputError("terms_value", field=f"{field} jurisdictions", allowed=("KE", "CH"))
        if any(reader not in numbers for reader in readers):
            raise InputError("terms_value", field=f"{field} readers", allowed=tuple(numbers))
        scopes.append(
            Scope(
                id=bytes(ids[at - 1]),
                name=name,
                sensitivity=int(_SENSITIVITIES[said]),
                jurisdictions=tuple(sorted(set(laws))),
                ciphertext_may_leave=HEADERS if may_leave == "headers" else may_leave,
                readers=tuple(sorted({numbers[reader] for reader in readers})),
            )
        )  # fmt: skip
    if not any(scope.sensitivity == Sensitivity.IDENTIFIED for scope in scopes):
        raise InputError("terms_value", field="scope sensitivity", allowed=("identified",))
    return tuple(sorted(scopes, key=lambda scope: scope.id))


def is_jurisdiction(text: str) -> bool:
    """Whether this can be a code of a law: capital letters, digits, hyphens; as in `KE`."""
    return 2 <= len(text) <= JURISDICTION_CHARS_MAX and all(
        letter.isascii() and (letter.isupper() or letter.isdigit() or letter == "-")
        for letter in text
    )


def _tables(table: Mapping[str, Any], name: str, limit: int) -> list[dict[str, Any]]:
    found = table.get(name, [])
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise InputError("terms_value", field=name, allowed=(f"[[{name}]]",))
    if not 1 <= len(found) <= limit:
        raise InputError("terms_value", field=name, allowed=(f"1-{limit}",))
    return found


def _only(table: Mapping[str, Any], allowed: set[str], field: str) -> None:
    for key in table:
        if key not in allowed:
            raise InputError(
                "terms_value", field=f"{field} keys".strip(), allowed=tuple(sorted(allowed))
            )


def _name(table: Mapping[str, Any], field: str, taken: set[str]) -> str:
    name = table.get("name")
    if not isinstance(name, str) or not is_name(name) or name in taken:
        raise InputError("terms_value", field=f"{field} name", allowed=(f"1-{NAME_CHARS_MAX}",))
    taken.add(name)
    return name


def is_name(text: str) -> bool:
    """Whether a text can name an operation, organisation, scope or role."""
    return 0 < len(text) <= NAME_CHARS_MAX and text.isprintable() and text == text.strip()


def _texts(said: object, field: str, allowed: tuple[str, ...], limit: int) -> list[str]:
    if (
        not isinstance(said, list)
        or len(said) > limit
        or not all(isinstance(each, str) for each in said)
    ):
        raise InputError("terms_value", field=field, allowed=allowed)
    return said


def _line_of(error: Exception) -> int:
    """The line a TOML error is at, or 0."""
    text = str(error)
    _, _, rest = text.partition("(at line ")
    number = rest.partition(",")[0]
    return int(number) if number.isdigit() else 0
