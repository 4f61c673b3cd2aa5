"""The commands about who comes in: invite, request, admit, join, and a start by a charter."""

from __future__ import annotations

import asyncio
import base64
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import click

from protocols.errors import InputError, LinkError, PeerError, SetupError
from protocols.ledger.place import holds_book
from protocols.live import enrolling, people
from protocols.live.address import Address
from protocols.live.charters import read_charter, read_file, read_root, write_file
from protocols.live.client import LocalClient
from protocols.live.commands import door, show
from protocols.live.options import Option, json_option, passphrase_option
from protocols.live.personcommands import end_of_day, papers_of
from protocols.live.phrases import phrase
from protocols.live.rostertable import PERSON, TABLE_BYTES_MAX, Row, parse_table
from protocols.live.talk import asked, passphrase_if_needed, root_passphrase, say, shown_name, told
from protocols.records.display import clean_text
from protocols.trust.charter import SignedCharter
from protocols.trust.charterfile import unlock_root, whole
from protocols.trust.enrolment import open_request_file, parse_code
from protocols.trust.fingerprint import same_fingerprint, spoken
from protocols.trust.granting import POSTS
from protocols.trust.identity import DeviceKeys
from protocols.trust.persons import read_request

_FILE = click.Path(path_type=Path, dir_okay=False)
_FOLDER = click.Path(path_type=Path, file_okay=False)


def enrol_commands(data_option: Option, invite_help: str, hq_help: str) -> list[click.Command]:
    """Return them for one of the two programs."""
    return [
        _invite(data_option, invite_help, hq_help),
        _request(data_option),
        _admit(data_option),
        _join(data_option),
        _roster(data_option),
    ]


def charter_options(run: Callable[..., Any]) -> Callable[..., Any]:
    """Let `init` begin in the operation of a charter."""
    for option in (
        click.option(
            "--root-passphrase-file", type=click.Path(path_type=Path), help="Of the root key."
        ),
        click.option("--root", type=_FILE, help="Your organisation's root key file."),
        click.option("--charter", type=_FILE, help="Begin in the operation of this charter."),
    ):
        run = option(run)
    return run


def founded_by(
    charter: Path | None, root: Path | None, passphrase_file: Path | None
) -> tuple[SignedCharter, DeviceKeys] | None:
    """Return the charter to begin in and the root key that certifies it; None without either.

    What is wrong with the charter is said before anybody is asked for a passphrase.

    Raises:
        InputError: `root_and_charter`, `charter_unsigned`, `root_not_in_charter`, and as
            `charterfile` has them.
    """
    if charter is None and root is None:
        return None
    if charter is None or root is None:
        raise InputError("root_and_charter")
    held, file = read_charter(charter), read_root(root)
    if held.charter.org_of(file.org.root) is None:
        raise InputError("root_not_in_charter")
    return whole(held), unlock_root(file, root_passphrase(passphrase_file))


def _wish_options(run: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--until", default="", help="ISO date or time at which it ends."),
        click.option("--scope", "scopes", multiple=True, help="Where it may write; repeatable."),
        click.option("--role", "roles", multiple=True, help="What it may write; repeatable."),
        click.option("--as", "post", type=click.Choice(POSTS), default="device", show_default=True),
    ):
        run = option(run)
    return run


def _wished(
    post: str, roles: tuple[str, ...], scopes: tuple[str, ...], until: str
) -> dict[str, Any]:
    return {
        "as": post,
        "roles": list(roles),
        "scopes": list(scopes),
        "until_ms": _instant(until) if until else 0,
    }


def _instant(text: str) -> int:
    try:
        said = datetime.fromisoformat(text)
    except ValueError:
        raise InputError("bad_time", field="until") from None
    # A date alone is taken as it is meant where it is typed.
    return max(int(said.timestamp() * 1000), 0)


def _invite(data_option: Option, help_text: str, hq_help: str) -> click.Command:
    @click.command("invite", help=help_text)
    @data_option
    @_wish_options
    @click.option("--hq", is_flag=True, help=f"As --as hq. {hq_help}")
    @click.option("--qr/--no-qr", default=None, help="Draw the code; by default on a terminal.")
    def invite(  # noqa: PLR0913 - one parameter an option
        folder: Path,
        post: str,
        roles: tuple[str, ...],
        scopes: tuple[str, ...],
        until: str,
        hq: bool,
        qr: bool | None,
    ) -> None:
        with told(), LocalClient(folder) as client:
            wish = _wished("hq" if hq else post, roles, scopes, until)
            code = client.call("invite", **wish)
        click.echo(code)
        say(phrase("said", "invited"))
        if qr if qr is not None else sys.stderr.isatty():
            from protocols.live.qr import drawn  # whoever draws nothing need not load it

            # The code alone: a scanner types it, and no picture of a screen holds a key.
            for line in drawn(code):
                say(line)

    return invite


def _request(data_option: Option) -> click.Command:
    @click.command("request", help="Write a file that asks a coordinator to admit this device.")
    @click.argument("file", type=_FILE)
    @data_option
    @passphrase_option
    @json_option
    def request(file: Path, folder: Path, passphrase_file: Path | None, as_json: bool) -> None:
        with told():
            with door(folder, passphrase_file) as book:
                made = book.call("ask")
            write_file(file, base64.b64decode(made.pop("request")), replace=True)
            mark = made["fingerprint"]
        if as_json:
            show(made)
        say(phrase("said", "request_made", fingerprint=mark, spoken=spoken(mark)))

    return request


def _admit(data_option: Option) -> click.Command:
    @click.command("admit", help="Admit the device that a request file asks for.")
    @click.argument("file", type=_FILE)
    @click.option("--out", type=_FILE, required=True, help="New file for the device.")
    @data_option
    @passphrase_option
    @_wish_options
    @click.option("--name", default="", help="Call it this, instead of what it asks for.")
    @json_option
    def admit(  # noqa: PLR0913 - one parameter an option
        file: Path,
        out: Path,
        folder: Path,
        passphrase_file: Path | None,
        post: str,
        roles: tuple[str, ...],
        scopes: tuple[str, ...],
        until: str,
        name: str,
        as_json: bool,
    ) -> None:
        with told():
            args = _wished(post, roles, scopes, until)
            name = shown_name(name, "--name")
            args |= {"request": base64.b64encode(read_file(file)).decode(), "name": name}
            if out.exists():
                raise InputError("target_exists", field="out")
            with door(folder, passphrase_file) as book:
                seen = book.call("look", **args)
                named = clean_text(name or seen["name"])
                mark = seen["fingerprint"]
                say(phrase("said", "admit_compare", name=named, fingerprint=mark))
                if sys.stdin.isatty():
                    click.confirm(phrase("ask", "same_fingerprint"), abort=True, err=True)
                made = book.call("admit", **args)
            write_file(out, base64.b64decode(made.pop("grant")))
        if as_json:
            show(made)
        say(phrase("said", "admitted", name=named, rank=made["rank"]))

    return admit


def _join(data_option: Option) -> click.Command:
    @click.command("join")
    @data_option
    @passphrase_option
    @click.option("--peer", default="", help="HOST:PORT of a node that may admit this one.")
    @click.option("--code", default="", help="The one-time code it showed.")
    @click.option("--grant", type=_FILE, help="The file that answers this node's request.")
    def join(
        folder: Path, passphrase_file: Path | None, peer: str, code: str, grant: Path | None
    ) -> None:
        """Join another operation, by code or by file; nothing written here is lost."""
        with told():
            if not holds_book(folder):
                raise SetupError("no_book")
            if (grant is None) != bool(peer) or (grant is not None and code):
                raise InputError("one_way_to_join")
            if grant is not None:
                args = {"grant": base64.b64encode(read_file(grant)).decode()}
                with door(folder, passphrase_file) as book:
                    book.call("join_grant", **args)
            else:
                _join_by_code(folder, passphrase_file, peer, code)
        say(phrase("said", "joined"))

    return join


def _roster(data_option: Option) -> click.Command:
    @click.group("roster", help="Many devices and persons at once.")
    def roster() -> None:
        pass

    @roster.command("import")
    @click.argument("table", type=_FILE)
    @click.option("--out", type=_FOLDER, required=True, help="Folder for the grants.")
    @data_option
    @passphrase_option
    @json_option
    def import_roster(
        table: Path, out: Path, folder: Path, passphrase_file: Path | None, as_json: bool
    ) -> None:
        """Admit the devices and persons of a CSV or TOML table, whose request files lie beside it.

        Columns: request (the file), fingerprint (as it was read aloud), as, roles, scopes
        (several with ; between), name, until; of a person also profession, authority, licence,
        licence_until, practice, practice_text, recognised_by. What is wrong with a row is said
        before anybody is admitted.
        """
        with told():
            rows = _rows_of(table, out)
            with door(folder, passphrase_file) as book:
                for at, row in enumerate(rows, 1):
                    with _of_row(at):
                        book.call("person_look" if row.person else "look", **row.args)
                for call, some in _batches(rows):
                    files = book.call(call, rows=[row.args for row in some])
                    for text, row in zip(files, some, strict=True):
                        write_file(row.path, base64.b64decode(text))
        if as_json:
            show(
                {
                    "admitted": len(rows),
                    "grants": [row.path.name for row in rows if not row.person],
                    "certificates": [row.path.name for row in rows if row.person],
                }
            )
        say(phrase("said", "roster_done", n=len(rows), folder=out))

    return roster


class _Row(NamedTuple):
    """What is asked for one row, and where its file will be."""

    person: bool
    args: dict[str, Any]
    path: Path
    key: bytes


def _batches(rows: list[_Row]) -> Iterator[tuple[str, list[_Row]]]:
    """Yield the call and the rows of each call: devices, then persons, as many as it takes."""
    for call, person, most in (
        ("admit_all", False, enrolling.ROWS_MAX),
        ("person_certify_all", True, people.ROWS_MAX),
    ):
        alike = [row for row in rows if row.person is person]
        for start in range(0, len(alike), most):
            yield call, alike[start : start + most]


def _rows_of(table: Path, out: Path) -> list[_Row]:
    """Return what is asked for each row of a table."""
    parsed = parse_table(read_file(table, TABLE_BYTES_MAX), toml=table.suffix == ".toml")
    rows: list[_Row] = []
    for at, row in enumerate(parsed, 1):
        with _of_row(at):
            raw = read_file(table.parent / row.request)
            person = row.post == PERSON
            key = _asking_person(raw) if person else bytes(open_request_file(raw).device)
            if row.fingerprint and not same_fingerprint(row.fingerprint, key):
                raise InputError("other_person" if person else "other_device")
            if key in (known.key for known in rows):
                raise InputError("person_twice" if person else "device_twice")
            path = out / f"{Path(row.request).stem}.{'certificate' if person else 'grant'}"
            if path.exists() or path in (known.path for known in rows):
                raise InputError("target_exists")
            rows.append(_Row(person, _args(row, raw), path, key))
    out.mkdir(parents=True, exist_ok=True)
    return rows


def _args(row: Row, raw: bytes) -> dict[str, Any]:
    """Return the arguments of a row's call."""
    text = base64.b64encode(raw).decode()
    if row.post != PERSON:
        args = _wished(row.post, row.roles, row.scopes, row.until)
        return args | {"request": text, "name": row.name}
    until = end_of_day(row.until, "until") if row.until else 0
    return {
        "file": text,
        "roles": list(row.roles),
        "until_ms": until,
        "papers": papers_of(row.name, dict(row.papers)),
    }


def _asking_person(raw: bytes) -> bytes:
    try:
        return bytes(read_request(raw).person)
    except PeerError:
        raise InputError("not_a_request") from None


@contextmanager
def _of_row(at: int) -> Iterator[None]:
    try:
        yield
    except InputError as error:
        raise error.at(f"row {at}") from None


def _join_by_code(folder: Path, passphrase_file: Path | None, peer: str, code: str) -> None:
    # A slip in either is found before anybody types a passphrase for it.
    address = str(Address.parse(peer))
    code = asked(code, phrase("talk", "code"), "--code")
    parse_code(code)
    try:
        with LocalClient(folder) as client:
            client.call("join", address=address, code=code)
    except LinkError as error:
        if error.code != "no_node":
            raise
        passphrase = passphrase_if_needed(folder, passphrase_file)
        from protocols.live.joining import join_alone  # the network costs half a second

        asyncio.run(join_alone(folder, passphrase, address, code))
