"""The commands about who belongs: members, seal, unseal, quarantine. The node must be running."""

from __future__ import annotations

from collections.abc import Iterator
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
from protocols.live.phrases import phrase
from protocols.live.sentences import sentence
from protocols.live.talk import print_line, told
from protocols.records.rows import iso

REASONS = ("retired", "lost", "compromised", "cloned", "role-reduced", "licence-ended")
ID_CHARS = 16
"""Of an id as lists print it: enough to type back."""
PAGE_MEMBERS = 200
"""Members asked for at once, some 100 kB."""


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
    @click.option("--after", default="", help="Id of a member: only those listed after it.")
    @click.option("--limit", type=click.IntRange(min=1), help="How many; else all there are.")
    @json_option
    def members(folder: Path, after: str, limit: int | None, as_json: bool) -> None:
        with told(), LocalClient(folder) as client:
            for each in _listed(client, after, limit):
                if as_json:
                    show(each)
                else:
                    print_line(_member_words(each))

    return members


def _listed(
    client: LocalClient, after: str, limit: int | None, size: int = PAGE_MEMBERS
) -> Iterator[dict[str, Any]]:
    """Ask for the members page by page: an operation may have more than fit one answer."""
    left = limit
    while left is None or left > 0:
        asked = size if left is None else min(size, left)
        found = client.call("members", after=after, limit=asked)
        yield from found
        if len(found) < asked:
            return
        after = found[-1]["id"]
        left = None if left is None else left - asked


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
                    print_line(
                        phrase(
                            "member", "histories", name=name, n=each["branches"], feed=each["feed"]
                        )
                    )
            if not found and not as_json:
                print_line(phrase("member", "no_histories"))

    return forks


def _write_proof(out: Path, fork: dict[str, Any]) -> None:
    with disk_trouble():
        out.mkdir(parents=True, exist_ok=True)
    write_whole(out / f"{fork['feed']}.proof", bytes.fromhex(fork["proof"]))


def _check_proof(file: Path, as_json: bool) -> None:
    with disk_trouble(), file.open("rb") as held:
        raw = held.read(PROOF_BYTES_MAX + 1)
    try:
        proven = open_proof(raw)
    except PeerError as error:
        raise InputError("bad_proof", why=error.code) from None
    device, feed = str(proven.genesis.device), str(proven.feed)
    if as_json:
        entries = [str(entry) for entry in proven.entries]
        show({"device": device, "feed": feed, "seq": proven.seq, "entries": entries})
    else:
        print_line(phrase("member", "proven", device=device, feed=feed, seq=proven.seq))


def _print_quarantine(found: dict[str, Any], as_json: bool) -> None:
    if as_json:
        show(found)
        return
    if not found["kept"] and not found["refused"]:
        print_line(phrase("member", "nothing_kept"))
    for each in found["kept"]:
        name, where = each["name"] or each["device"][:ID_CHARS], _where(each)
        said = {"n": each["entries"], "name": name, "where": where, "reason": each["reason"]}
        print_line(phrase("member", "kept", at=iso(each["first_ms"]), seal=each["seal"], **said))
    for each in found["refused"]:
        author = each["author_name"] or each["author"][:ID_CHARS]
        subject = each["subject_name"] or each["subject"][:ID_CHARS]
        reason = each["reason"]
        print_line(phrase("member", "refused", author=author, subject=subject, reason=reason))
    for each in found["links"]:
        who = each["peer_name"] or each["peer"][:ID_CHARS] or each["address"] or "?"
        code, at = each["code"], iso(each["last_ms"]) or "?"
        why = sentence(PeerError(code))
        print_line(phrase("member", "link", at=at, times=each["times"], who=who, why=why))


def _where(kept: dict[str, Any]) -> str:
    return phrase("member", "not_named" if kept["held"] else "above")


def _member_words(each: dict[str, Any]) -> str:
    words = [
        each["id"][:ID_CHARS],
        each["name"] or "?",
        each["org"],
        each["rank"],
        ",".join(each["roles"]),
    ]
    if each["here"]:
        words.append(phrase("member", "here"))
    words += [f"{seal['reason'].upper()} {seal['id']}" for seal in each["seals"]]
    return "  ".join(words)


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
