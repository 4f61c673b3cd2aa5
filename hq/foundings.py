"""`hq org` and `hq charter`: how organisations found an operation, by files carried by hand."""

from __future__ import annotations

from pathlib import Path

import click

from protocols.live import charters
from protocols.live.commands import show
from protocols.live.options import json_option
from protocols.live.phrases import phrase
from protocols.live.talk import (
    asked_name,
    new_root_passphrase,
    print_line,
    root_passphrase,
    say,
    told,
)
from protocols.records.display import clean_text
from protocols.trust import charterfile
from protocols.trust.fingerprint import fingerprint

_FILE = click.Path(path_type=Path, dir_okay=False)
_FOLDER = click.Path(path_type=Path, file_okay=False)
_root_passphrase_option = click.option(
    "--root-passphrase-file", type=click.Path(path_type=Path, allow_dash=True)
)


@click.group()
def org() -> None:
    """An organisation: its root key, and its place in a charter."""


@org.command("new")
@click.option("--name", default="", help="What others see, such as 'Japan team'.")
@click.option("--jurisdiction", default="", help="ISO country code whose law its devices obey.")
@click.option("--to", "folder", type=_FOLDER, default=Path(), help="Folder for the two files.")
@_root_passphrase_option
@json_option
def new_org(
    name: str, jurisdiction: str, folder: Path, root_passphrase_file: Path | None, as_json: bool
) -> None:
    """Make an organisation: a root key file to keep, and a public file to give away."""
    with told():
        name = asked_name(name, phrase("ask", "org_name"), "--name")
        passphrase = new_root_passphrase(root_passphrase_file)
        root, public, made = charters.new_org(name, jurisdiction, passphrase, folder)
    if as_json:
        mark = fingerprint(made.root)
        show({"root": str(root), "public": str(public), "fingerprint": mark})
    say(phrase("said", "org_made", root=root, public=public))


@org.command("add")
@click.argument("charter", type=_FILE)
@click.argument("orgs", type=_FILE, nargs=-1, required=True)
def add_org(charter: Path, orgs: tuple[Path, ...]) -> None:
    """Put organisations, by their public files, into a charter that nobody has signed."""
    with told():
        held, names = charters.read_charter(charter), []
        for each in orgs:
            member = charters.read_org(each)
            held = charterfile.open_charter_file(charterfile.add_org(held, member))
            names.append(clean_text(member.name))
        charters.write_file(charter, charterfile.charter_file(held.file), replace=True)
    say(phrase("said", "org_added", name=", ".join(names)))


@click.group()
def charter() -> None:
    """The charter: what the organisations of one operation agree on and sign."""


@charter.command("terms")
def print_terms() -> None:
    """Print the scopes and roles of a charter as it is usually begun, to be changed."""
    click.echo(charters.TERMS.read_text("utf-8"), nl=False)


@charter.command("new")
@click.argument("file", type=_FILE)
@click.option("--name", default="", help="Name of the operation.")
@click.option("--terms", type=_FILE, help="Scopes and roles; by default those of `charter terms`.")
def new_charter(file: Path, name: str, terms: Path | None) -> None:
    """Begin a charter, without members yet."""
    with told():
        name = asked_name(name, phrase("ask", "operation_name"), "--name")
        text = charters.read_file(terms) if terms else charters.TERMS.read_bytes()
        charters.write_file(file, charters.new_charter(name, text))
    say(phrase("said", "charter_made"))


@charter.command("sign")
@click.argument("file", type=_FILE)
@click.option("--root", type=_FILE, required=True, help="Your organisation's root key file.")
@click.option("--heard", default="", help="The fingerprint that another organisation read out.")
@_root_passphrase_option
def sign_charter(file: Path, root: Path, heard: str, root_passphrase_file: Path | None) -> None:
    """Add your organisation's signature; the order of signing is free."""
    with told():
        held, key = charters.read_charter(file), charters.read_root(root)
        charters.must_sign(held, key.org, heard)
        unlocked = charterfile.unlock_root(key, root_passphrase(root_passphrase_file))
        signed = charterfile.sign(held, unlocked)
        charters.write_file(file, signed, replace=True)
    say(phrase("said", "charter_signed", name=clean_text(key.org.name)))
    _say_state(file)


@charter.command("collect")
@click.argument("file", type=_FILE)
@click.argument("copies", type=_FILE, nargs=-1, required=True)
def collect_signatures(file: Path, copies: tuple[Path, ...]) -> None:
    """Bring signatures together that were made on copies of a charter."""
    with told():
        held = charters.read_charter(file)
        others = [charters.read_charter(copy) for copy in copies]
        charters.write_file(file, charterfile.collect(held, others), replace=True)
    _say_state(file)


def _say_state(file: Path) -> None:
    with told():
        held = charters.read_charter(file)
    count = len(held.charter.orgs)
    say(phrase("said", "collected", signed=count - len(held.missing), all=count))


@charter.command("show")
@click.argument("file", type=_FILE)
@json_option
def show_charter(file: Path, as_json: bool) -> None:
    """Print a charter's terms, who has signed and who has not, and its fingerprint to read out."""
    with told():
        held = charters.read_charter(file)
    if as_json:
        show(charters.told_json(held))
    else:
        for line in charters.told_words(held):
            print_line(line)
