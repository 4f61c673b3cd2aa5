"""The commands about packs, for both programs: `pack lint|sign|approve|publish|show|list|use`."""

from __future__ import annotations

import base64
from hashlib import blake2b
from pathlib import Path
from typing import Any

import click
import msgspec

from protocols.errors import InputError, PeerError
from protocols.guidelines.canonical import PACK_BYTES_MAX, canonical, head_of, packed, unpacked
from protocols.ledger import persons
from protocols.ledger.safefile import disk_trouble
from protocols.live import people
from protocols.live.charters import write_file
from protocols.live.commands import Door, LocalDoor, attach, door, show
from protocols.live.options import Option, json_option, passphrase_option
from protocols.live.phrases import phrase
from protocols.live.talk import person_passphrase, print_file, print_line, told
from protocols.records.display import clean_text
from protocols.trust.packs import (
    APPROVALS_MAX,
    FILE_BYTES_MAX,
    PackFile,
    approve_pack,
    read_pack_approval,
    read_pack_file,
    read_pack_statement,
    write_pack_file,
)
from protocols.trust.persons import Profile
from protocols.trust.statements import pack as bytes_of

_FILE = click.Path(path_type=Path, dir_okay=False)
EXIT_FAULTS = 1


def pack_commands(data_option: Option) -> list[click.Command]:
    """Return them for one of the two programs."""
    group = click.Group("pack", help="Guideline packs: checked, signed, approved, spread, in use.")
    group.add_command(_lint())
    for make in (_sign, _approve, _publish, _list, _show, _use):
        group.add_command(make(data_option))
    return [group]


def _lint() -> click.Command:
    @click.command("lint", help="Say what is wrong with a pack, and in which line.")
    @click.argument("file", type=_FILE)
    @json_option
    def lint_file(file: Path, as_json: bool) -> None:
        from protocols.guidelines.linting import lint  # every form of pack: only who needs one

        with told():
            wrong = lint(_text_of(file))
        for fault in wrong:
            if as_json:
                show({"file": file.name, "line": fault.line, "what": fault.what})
            else:
                print_line(f"{file.name}:{fault.line}: {fault.what}")
        if wrong:
            raise SystemExit(EXIT_FAULTS)
        if not as_json:
            print_line(phrase("pack", "clean"))

    return lint_file


def _sign(data_option: Option) -> click.Command:
    @click.command("sign", help="Sign a pack for this node's organisation; the node is an issuer.")
    @click.argument("file", type=_FILE)
    @data_option
    @passphrase_option
    @click.option("--to", "target", type=_FILE, required=True, help="New file.")
    def sign(file: Path, folder: Path, passphrase_file: Path | None, target: Path) -> None:
        with told():
            text = _text_of(file)
            small = packed(canonical(text))
            with door(folder, passphrase_file) as book:
                signed = people.as_bytes(book.call("pack_sign", text=text))
            write_file(target, write_pack_file(small, signed))
            head = head_of(text)
        print_line(phrase("pack", "signed", name=head.name, version=head.version))

    return sign


def _approve(data_option: Option) -> click.Command:
    @click.command("approve", help="Stand by a signed pack as a clinical lead; adds to the file.")
    @click.argument("file", type=_FILE)
    @data_option
    @passphrase_option
    @click.option("--person", required=True, help="Number or id, as `person list` has it.")
    @click.option("--role", required=True, help="In which you approve, such as 'clinical lead'.")
    @click.option(
        "--person-passphrase-file",
        "secret_file",
        type=click.Path(path_type=Path),
        help="File whose first line is the person's passphrase.",
    )
    def approve(file: Path, folder: Path, role: str, **said: Any) -> None:
        with told():
            pack = _signed(file)
            with door(folder, said["passphrase_file"]) as book:
                known = book.call("person_key", person=said["person"])
            profile = msgspec.convert(known["profile"], Profile)
            made = persons.known_key(
                people.as_bytes(known["key"]), people.as_bytes(known["wrapped"])
            )
            keys = persons.opened(made, person_passphrase(said["secret_file"])).keys
            name = f"{profile.name}, {profile.profession}".strip(", ")
            _, statement = read_pack_statement(pack.signed)
            mine = bytes_of(approve_pack(keys, statement, name[:120], role.strip()[:120] or "?"))
            others = [
                each
                for each in pack.approvals
                if read_pack_approval(each)[0].issuer != bytes(made.person)
            ]
            if len(others) >= APPROVALS_MAX:
                raise InputError("too_many", field="approvals", limit=APPROVALS_MAX)
            whole = write_pack_file(pack.packed, pack.signed, (*others, mine))
            write_file(file, whole, replace=True)
        print_line(phrase("pack", "approved", person=clean_text(name)))

    return approve


def _publish(data_option: Option) -> click.Command:
    @click.command("publish", help="Give a signed pack to every node, with its approvals.")
    @click.argument("file", type=_FILE)
    @data_option
    @passphrase_option
    def publish(file: Path, folder: Path, passphrase_file: Path | None) -> None:
        with told(), door(folder, passphrase_file) as book:
            pack = _signed(file)
            lines = [
                _line("pack.publish", {"pack": _b64(pack.packed), "signed": _b64(pack.signed)}),
                *(_line("pack.approve", {"signed": _b64(each)}) for each in pack.approvals),
            ]
            _recorded(book, lines)
        print_line(phrase("pack", "published"))

    return publish


def _list(data_option: Option) -> click.Command:
    @click.command("list", help="List every version of every pack, and who works by which.")
    @data_option
    @passphrase_option
    @json_option
    def listing(folder: Path, passphrase_file: Path | None, as_json: bool) -> None:
        with told(), door(folder, passphrase_file) as book:
            found = book.call("packs")
        for each in found:
            if as_json:
                show(each)
            else:
                _print_pack(each)

    return listing


def _show(data_option: Option) -> click.Command:
    @click.command("show", help="Show a signed file, or with --text a pack in use by its name.")
    @click.argument("what")
    @data_option
    @passphrase_option
    @click.option("--text", "as_text", is_flag=True, help="Print the TOML of the pack.")
    @json_option
    def show_one(
        what: str, folder: Path, passphrase_file: Path | None, as_text: bool, as_json: bool
    ) -> None:
        with told():
            if Path(what).is_file():
                _show_file(_signed(Path(what)), as_text=as_text, as_json=as_json)
                return
            with door(folder, passphrase_file) as book:
                text = book.call("pack_in_use", pack=what)["text"]
                found = [each for each in book.call("packs") if each["name"] == what]
            if as_text:
                print_file(text)
                return
            for each in found:
                if as_json:
                    show(each)
                else:
                    _print_pack(each)

    return show_one


def _use(data_option: Option) -> click.Command:
    @click.command("use", help="Tell everybody which versions this node works by.")
    @data_option
    @passphrase_option
    def use(folder: Path, passphrase_file: Path | None) -> None:
        with told(), door(folder, passphrase_file) as book:
            lines = book.call("pack_unsaid")
            _recorded(book, lines)
        print_line(phrase("pack", "told", n=len(lines)))

    return use


# Inside

_WHY_NOT = {"older": "not_older", "signature": "not_signature", "faults": "not_faults"}


def _text_of(file: Path) -> str:
    """Return a pack's TOML.

    Raises:
        InputError: `too_long`, `bad_text`.
    """
    with disk_trouble(), file.open("rb") as opened:
        raw = opened.read(PACK_BYTES_MAX + 1)
    if len(raw) > PACK_BYTES_MAX:
        raise InputError("too_long", field="file", limit=PACK_BYTES_MAX)
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise InputError("bad_text", field="file") from None


def _signed(file: Path) -> PackFile:
    """Return a signed pack.

    Raises:
        InputError: `pack_not_signed`.
    """
    with disk_trouble(), file.open("rb") as opened:
        raw = opened.read(FILE_BYTES_MAX + 1)
    try:
        return read_pack_file(raw)
    except PeerError:
        raise InputError("pack_not_signed") from None


def _line(kind: str, data: dict[str, str]) -> dict[str, Any]:
    # The same file given twice is one record.
    content = msgspec.json.encode([kind, data])
    key = blake2b(content, digest_size=16, person=b"fm-pack-key-1").hexdigest()
    return {"v": 1, "kind": kind, "key": f"pack-{key}", "data": data}


def _recorded(book: Door, lines: list[dict[str, Any]]) -> None:
    if isinstance(book, LocalDoor):
        attach(book.client)
    for answer in book.record(lines) if lines else ():
        if not answer["ok"]:
            code = answer["error"] or "not_writable"
            raise InputError(code, field=answer.get("field"))
        for code in answer.get("warnings", ()):
            print_line(phrase("pack", "warned", code=code))


def _show_file(pack: PackFile, *, as_text: bool, as_json: bool) -> None:
    from protocols.guidelines.linting import lint

    raw = unpacked(pack.packed)
    if raw is None:
        raise InputError("pack_not_signed")
    text = raw.decode()
    if as_text:
        print_file(text)
        return
    head = head_of(text)
    statement, said = read_pack_statement(pack.signed)
    approvals = [read_pack_approval(each)[1] for each in pack.approvals]
    found = {
        "name": said.name,
        "version": said.pack_version,
        "title": clean_text(head.title),
        "source": clean_text(head.source),
        "status": head.status,
        "digest": said.digest.hex(),
        "issuer": statement.issuer.hex(),
        "faults": [f"{fault.line}: {fault.what}" for fault in lint(text)],
        "approvals": [{"person": each.person, "role": each.role} for each in approvals],
    }
    if as_json:
        show(found)
        return
    for key in ("name", "version", "title", "source", "status", "digest", "issuer"):
        print_line(f"{key:8} {found[key]}")
    for fault in found["faults"]:
        print_line(clean_text(str(fault)))
    if not approvals:
        print_line(phrase("pack", "not_approved"))
    for each in approvals:
        print_line(
            phrase("pack", "approval", person=clean_text(each.person), role=clean_text(each.role))
        )


def _print_pack(each: dict[str, Any]) -> None:
    state = "in_use" if each["in_use"] else _WHY_NOT[each["why"]]
    by = clean_text(each["approved_by"]) if each["approved"] else phrase("pack", "not_approved")
    org = clean_text(each["org"]) or phrase("pack", "shipped")
    parts = (f"{each['name']} {each['version']}", phrase("pack", state), org, each["status"], by)
    print_line(" | ".join(parts))
    for user in each["users"]:
        print_line(f"- {clean_text(user['name'] or user['device'])} {user['at'] or ''}")


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
