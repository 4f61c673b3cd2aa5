"""The commands about who belongs: members, seal, unseal, quarantine. The node must be running."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from protocols.errors import InputError, PeerError
from protocols.feeds.equivocation import PROOF_BYTES_MAX, open_proof
from protocols.ledger.safefile import disk_trouble, write_whole
from protocols.live.client import LocalClient
from protocols.live.commands import show
from protocols.live.options import Option, json_option
from protocols.live.talk import told
from protocols.records.display import clean_text
from protocols.records.rows import iso

REASONS = ("retired", "lost", "compromised", "cloned", "role-reduced", "licence-ended")
ID_CHARS = 16
"""Of an id as lists print it: enough to type back."""
LINE_CHARS_MAX = 400


def member_commands(data_option: Option) -> list[click.Command]:
    """Return them for one of the two programs."""
    return [
        _members(data_option),
        _seal(data_option),
        _unseal(data_option),
        _quarantine(data_option),
        _forks(data_option),
    ]


def _members(data_option: Option) -> click.Command:
    @click.command("members", help="List the devices and persons of the operation.")
    @data_option
    @json_option
    def members(folder: Path, as_json: bool) -> None:
        with told(), LocalClient(folder) as client:
            found = client.call("members")
        for each in found:
            if as_json:
                show(each)
            else:
                print_line(_member_words(each))

    return members


def _seal(data_option: Option) -> click.Command:
    @click.command("seal", help="End what a device or person may do; what was written stays.")
    @click.argument("member")
    @data_option
    @click.option("--reason", type=click.Choice(REASONS), required=True)
    @click.option("--since", help="ISO time: only what was written before it counts.")
    @click.option("--keep-role", "roles", multiple=True, help="What it may go on writing.")
    @click.option("--note", default="", help="Remarks for whoever reads the scope.")
    @json_option
    def seal(  # noqa: PLR0913 - one parameter an option
        member: str,
        folder: Path,
        reason: str,
        since: str | None,
        roles: tuple[str, ...],
        note: str,
        as_json: bool,
    ) -> None:
        with told(), LocalClient(folder) as client:
            args: dict[str, Any] = {"member": member, "reason": reason, "roles": list(roles)}
            if since is not None:
                args["since_ms"] = instant(since)
            if note:
                args["note"] = note
            done = client.call("seal", **args)
        if as_json:
            show(done)
        else:
            print_line(_member_words(done))

    return seal


def _unseal(data_option: Option) -> click.Command:
    @click.command("unseal", help="Let through what a seal keeps back here; see `quarantine`.")
    @click.argument("seal")
    @data_option
    @click.option("--until", help="ISO time: only what was written before it.")
    @json_option
    def unseal(seal: str, folder: Path, until: str | None, as_json: bool) -> None:
        with told(), LocalClient(folder) as client:
            args: dict[str, Any] = {"seal": seal}
            if until is not None:
                args["upto_ms"] = instant(until)
            _print_quarantine(client.call("unseal", **args), as_json)

    return unseal


def _quarantine(data_option: Option) -> click.Command:
    @click.command("quarantine", help="List what seals keep back, and seals that do not count.")
    @data_option
    @json_option
    def quarantine(folder: Path, as_json: bool) -> None:
        with told(), LocalClient(folder) as client:
            _print_quarantine(client.call("quarantine"), as_json)

    return quarantine


def _forks(data_option: Option) -> click.Command:
    @click.command("forks", help="List devices that wrote two histories: a copied card, or worse.")
    @data_option
    @click.option("--out", type=click.Path(path_type=Path), help="Folder for the proofs.")
    @click.option(
        "--check", type=click.Path(path_type=Path, exists=True), help="A proof: say what it proves."
    )
    @json_option
    def forks(folder: Path, out: Path | None, check: Path | None, as_json: bool) -> None:
        with told():
            if check is not None:
                _check_proof(check, as_json)
                return
            with LocalClient(folder) as client:
                found = client.call("forks")
            for each in found:
                if out is not None and each["proof"]:
                    _write_proof(out, each)
                if as_json:
                    show(each)
                else:
                    name = each["name"] or each["device"][:ID_CHARS]
                    print_line(f"{name} wrote {each['branches']} histories of {each['feed']}")
            if not found and not as_json:
                print_line("No device wrote two histories of anything that is here.")

    return forks


def _write_proof(out: Path, fork: dict[str, Any]) -> None:
    with disk_trouble():
        out.mkdir(parents=True, exist_ok=True)
    write_whole(out / f"{fork['feed']}.proof", bytes.fromhex(fork["proof"]))


def _check_proof(file: Path, as_json: bool) -> None:
    with disk_trouble():
        raw = file.read_bytes()[: PROOF_BYTES_MAX + 1]
    try:
        proven = open_proof(raw)
    except PeerError as error:
        raise InputError("bad_proof", why=error.code) from None
    device, feed = str(proven.genesis.device), str(proven.feed)
    if as_json:
        entries = [str(entry) for entry in proven.entries]
        show({"device": device, "feed": feed, "seq": proven.seq, "entries": entries})
    else:
        print_line(f"{device} signed two histories of {feed}, which part at entry {proven.seq}.")


def _print_quarantine(found: dict[str, Any], as_json: bool) -> None:
    if as_json:
        show(found)
        return
    if not found["kept"] and not found["refused"]:
        print_line("No seal keeps anything back, and none was refused.")
    for each in found["kept"]:
        held = "not named by the seal" if each["held"] else "above the seal"
        print_line(
            f"{each['entries']} entries of {each['name'] or each['device'][:ID_CHARS]}, {held}"
            f" ({each['reason']}), from {iso(each['first_ms'])}: unseal {each['seal']}"
        )
    for each in found["refused"]:
        author = each["author_name"] or each["author"][:ID_CHARS]
        subject = each["subject_name"] or each["subject"][:ID_CHARS]
        print_line(f"A seal by {author} on {subject} does not count ({each['reason']}).")


def _member_words(each: dict[str, Any]) -> str:
    words = [
        each["id"][:ID_CHARS],
        each["name"] or "?",
        each["org"],
        each["rank"],
        ",".join(each["roles"]),
    ]
    if each["here"]:
        words.append("(this device)")
    words += [f"{seal['reason'].upper()} {seal['id']}" for seal in each["seals"]]
    return "  ".join(words)


def print_line(text: str) -> None:
    """Print what a stranger's name may be part of: nothing in it moves the cursor."""
    click.echo(clean_text(text, LINE_CHARS_MAX))


def instant(text: str) -> int:
    """Return Unix milliseconds of an ISO time; without an offset it is meant as UTC.

    Raises:
        InputError: `bad_time`.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InputError("bad_time", field="time") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp() * 1000)
