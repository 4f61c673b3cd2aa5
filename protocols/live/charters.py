"""Charters, root keys and organisations as files: read, written whole, and told in plain words.

What holds and what does not is decided in `protocols/trust/charterfile.py`; here are the disk, the
clock, randomness and the words.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from protocols.errors import InputError
from protocols.ledger.safefile import disk_trouble, write_whole
from protocols.live.clock import now
from protocols.live.phrases import phrase
from protocols.records.catalogue import BY_NAME, KINDS
from protocols.records.display import clean_text
from protocols.records.rows import iso
from protocols.trust import charterfile
from protocols.trust.charter import SCOPES_MAX, Charter, Org, Role, Scope, Sensitivity
from protocols.trust.charterfile import FILE_BYTES_MAX, Held, RootFile
from protocols.trust.fingerprint import fingerprint, same_fingerprint, spoken
from protocols.trust.terms import NO_KIND, parse_terms

ROOT_ENDING, ORG_ENDING = ".root", ".org"
TERMS = Path(__file__).with_name("terms.toml")
NONCE_BYTES = SCOPE_BYTES = 16


def read_file(path: Path, most: int = 2 * FILE_BYTES_MAX) -> bytes:
    """Return a file that is carried by hand, no further than one of ours can be long.

    Raises:
        SetupError: `no_such_place`, `place_closed`.
    """
    with disk_trouble(), path.open("rb") as file:
        return file.read(most + 1)


def write_file(path: Path, content: bytes, *, replace: bool = False) -> None:
    """Write a file whole or not at all, mode 0600.

    Raises:
        InputError: `target_exists`, unless it is to be replaced.
    """
    if not replace and path.exists():
        raise InputError("target_exists", field=str(path.name))
    write_whole(path, content)


def new_org(name: str, jurisdiction: str, passphrase: str, folder: Path) -> tuple[Path, Path, Org]:
    """Make an organisation's two files in a folder, named after it.

    Raises:
        InputError: `bad_org_name`, `bad_jurisdiction`, `target_exists`.
    """
    entropy = now().entropy(charterfile.ROOT_ENTROPY_BYTES)
    root, public, org = charterfile.new_org(name, jurisdiction, passphrase, entropy)
    paths = [folder / f"{file_name(name)}{ending}" for ending in (ROOT_ENDING, ORG_ENDING)]
    for path in paths:
        if path.exists():
            raise InputError("target_exists", field=path.name)
    write_file(paths[0], root)
    write_file(paths[1], public)
    return paths[0], paths[1], org


def file_name(name: str) -> str:
    """Return a name as every file system takes it."""
    kept = "".join(
        letter.lower() if letter.isalnum() and letter.isascii() else "-" for letter in name
    )
    return "-".join(part for part in kept.split("-") if part) or "organisation"


def read_root(path: Path) -> RootFile:
    """Read a root key file, without its key."""
    return charterfile.open_root(read_file(path))


def read_org(path: Path) -> Org:
    """Read an organisation's public file."""
    return charterfile.open_org(read_file(path))


def read_charter(path: Path) -> Held:
    """Read a charter, signed or not."""
    return charterfile.open_charter_file(read_file(path))


def new_charter(name: str, terms: bytes) -> bytes:
    """Return the file of a charter without members.

    Raises:
        InputError: `bad_operation_name`, `terms_unreadable`, `terms_value`, `charter_too_long`.
    """
    moment = now()
    named = {name: int(kind.number) for name, kind in BY_NAME.items()}
    engine = [int(kind.number) for kind in KINDS if not kind.name]
    ids = [moment.entropy(SCOPE_BYTES) for _ in range(SCOPES_MAX)]
    parsed = parse_terms(terms, named, ids, engine)
    return charterfile.new_charter(name, parsed, moment.entropy(NONCE_BYTES), moment.wall_ms)


def must_sign(held: Held, org: Org, heard: str) -> None:
    """See that an organisation would sign what it means to, before its key is opened.

    Args:
        heard: The fingerprint that another organisation read aloud; '' = nobody compared.

    Raises:
        InputError: `other_fingerprint`, `bad_id`, `root_not_in_charter`.
    """
    if heard and not same_fingerprint(heard, held.operation):
        raise InputError("other_fingerprint")
    if held.charter.org_of(org.root) is None:
        raise InputError("root_not_in_charter")


# Told


def told_json(held: Held) -> dict[str, Any]:
    """Return a charter's terms for programs, with stable keys."""
    charter = held.charter
    names = {role.number: role.name for role in charter.roles}
    return {
        "operation": str(held.operation),
        "name": charter.name,
        "created": iso(charter.created_ms),
        "fingerprint": fingerprint(held.operation),
        "spoken": spoken(fingerprint(held.operation)),
        "complete": bool(charter.orgs) and not held.missing,
        "orgs": [
            {
                "name": org.name,
                "jurisdiction": org.jurisdiction,
                "fingerprint": fingerprint(org.root),
                "signed": org.root in held.signers,
            }
            for org in charter.orgs
        ],
        "scopes": [
            {
                "name": scope.name,
                "sensitivity": Sensitivity(scope.sensitivity).name.lower(),
                "jurisdictions": list(scope.jurisdictions),
                "ciphertext_may_leave": scope.leaves,
                "headers_may_leave": scope.headers_leave,
                "readers": [names[number] for number in scope.readers],
            }
            for scope in charter.scopes
        ],
        "roles": [
            {"number": role.number, "name": role.name, "kinds": _kinds_json(role)}
            for role in charter.roles
        ],
    }


def _kinds_json(role: Role) -> str | list[str]:
    return "all" if not role.kinds else _kind_names(role)


def _kind_names(role: Role) -> list[str]:
    names = {int(kind.number): kind.name for kind in KINDS}
    return [
        names.get(number) or phrase("charter", "kind_unknown", number=number)
        for number in role.kinds
        if number != NO_KIND and names.get(number) != ""
    ]


def told_words(held: Held) -> Iterator[str]:
    """Yield a charter's terms as a person reads them aloud, line by line."""
    charter, mark = held.charter, fingerprint(held.operation)
    yield f"{phrase('charter', 'operation')}: {clean_text(charter.name)}"
    yield f"{phrase('charter', 'begun')}: {iso(charter.created_ms)}"
    yield f"{phrase('charter', 'fingerprint')}: {mark}"
    yield phrase("said", "say_it")
    yield f"  {spoken(mark)}"
    yield ""
    yield f"{phrase('charter', 'members')}:"
    for org in charter.orgs:
        signed = phrase("charter", "signed" if org.root in held.signers else "unsigned")
        law = org.jurisdiction and phrase("charter", "law", law=clean_text(org.jurisdiction))
        law = law or phrase("charter", "no_law")
        yield f"  {clean_text(org.name)}, {law}: {signed}  ({fingerprint(org.root)})"
    yield from ("", f"{phrase('charter', 'scopes')}:")
    for scope in charter.scopes:
        yield f"  {clean_text(scope.name)}: {'; '.join(_scope_words(charter, scope))}"
    yield from ("", f"{phrase('charter', 'roles')}:")
    for role in charter.roles:
        yield f"  {clean_text(role.name)} ({role.number}): {_role_words(role)}"
    yield ""
    yield _state_words(held)


def _state_words(held: Held) -> str:
    if not held.charter.orgs:
        return phrase("charter", "nobody")
    names = ", ".join(clean_text(org.name) for org in held.missing)
    return phrase("charter", "waiting", names=names) if names else phrase("charter", "complete")


def _scope_words(charter: Charter, scope: Scope) -> Iterator[str]:
    yield phrase("charter", Sensitivity(scope.sensitivity).name.lower())
    laws = ", ".join(clean_text(law) for law in scope.jurisdictions)
    yield phrase("charter", "held_in", laws=laws) if laws else phrase("charter", "held_anywhere")
    kept = "headers" if scope.headers_leave else "stays"
    yield phrase("charter", "leaves" if scope.leaves else kept)
    names = {role.number: clean_text(role.name) for role in charter.roles}
    roles = ", ".join(names[number] for number in scope.readers)
    yield phrase("charter", "read_by", roles=roles) if roles else phrase("charter", "read_by_all")


def _role_words(role: Role) -> str:
    if not role.kinds:
        return phrase("charter", "writes_all")
    kinds = ", ".join(_kind_names(role))
    return phrase("charter", "writes", kinds=kinds) if kinds else phrase("charter", "writes_none")
