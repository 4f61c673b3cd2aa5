"""The commands about persons: `person ...`, `login`, `logout`, `review`. None needs a network."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import msgspec

from protocols.errors import InputError
from protocols.ids import OperationId
from protocols.ledger import persons
from protocols.ledger.reviewing import OUTCOMES
from protocols.ledger.safefile import write_whole
from protocols.live import people, reviewing
from protocols.live.client import LocalClient
from protocols.live.clock import now
from protocols.live.commands import SESSION_ENV, attach, door, file_text, show
from protocols.live.options import Option, json_option, passphrase_option
from protocols.live.phrases import phrase
from protocols.live.talk import (
    asked_name,
    person_passphrase,
    person_pin,
    print_line,
    say,
    told,
)
from protocols.records.catalogue import BY_NAME
from protocols.records.display import clean_text
from protocols.records.rows import iso
from protocols.trust.persons import CREDENTIAL_BYTES_MAX, PROFILE_VERSION, Profile

_FILE = click.Path(path_type=Path, dir_okay=False)
_new_file = click.option("--to", "target", type=_FILE, required=True, help="New file.")
_secret = click.option(
    "--person-passphrase-file",
    "secret_file",
    type=click.Path(path_type=Path),
    help="File whose first line is the person's passphrase.",
)


def person_commands(data_option: Option) -> list[click.Command]:
    """Return them."""
    group = click.Group("person", help="Persons of this device: their keys, licences and PINs.")
    for make in (_add, _request, _renew, _certify, _import, _export, _list, _pin, _leave):
        group.add_command(make(data_option))
    return [group, _login(data_option), _logout(data_option), _review(data_option)]


def _profile_options(run: Any) -> Any:
    for option in (
        click.option("--recognised-by", default="", help="Host-nation authority that did."),
        click.option("--licence-until", default="", help="ISO day on which it ends."),
        click.option("--practice-text", default="", help="Scope of practice, in its words."),
        click.option("--practice", multiple=True, help="Kind the licence covers; repeatable."),
        click.option("--licence", default="", help="Its number."),
        click.option("--authority", default="", help="Who licensed them."),
        click.option("--profession", default="", help="Such as nurse or MD."),
        click.option("--name", default="", help="As others see it."),
    ):
        run = option(run)
    return run


def _grant_options(run: Any) -> Any:
    for option in (
        click.option("--until", default="", help="ISO day on which the certificate ends."),
        click.option("--role", "roles", multiple=True, help="What they may write; repeatable."),
    ):
        run = option(run)
    return run


def _add(data_option: Option) -> click.Command:
    @click.command("add", help="Certify a person here and write their credential file.")
    @data_option
    @passphrase_option
    @_secret
    @_profile_options
    @_grant_options
    @_new_file
    @json_option
    def add(folder: Path, target: Path, as_json: bool, **said: Any) -> None:
        with told(), door(folder, said["passphrase_file"]) as book:
            _must_be_new(target)
            profile = _profile(said)
            made = persons.new_key(person_passphrase(said["secret_file"], new=True), now().entropy)
            found = book.call(
                "person_add",
                key=people.as_text(made.person),
                wrapped=people.as_text(made.wrapped),
                profile=msgspec.to_builtins(profile),
                **_grant(said),
            )
            _write(target, found["file"])
        _done(found["person"], as_json, phrase("person", "certified"))

    return add


def _request(data_option: Option) -> click.Command:
    @click.command("request", help="Make a key here and a request for a coordinator elsewhere.")
    @data_option
    @passphrase_option
    @_secret
    @_profile_options
    @_new_file
    @json_option
    def request(folder: Path, target: Path, as_json: bool, **said: Any) -> None:
        with told(), door(folder, said["passphrase_file"]) as book:
            _must_be_new(target)
            profile = _profile(said)
            made = persons.new_key(person_passphrase(said["secret_file"], new=True), now().entropy)
            operation = OperationId.parse(book.status()["operation"])
            raw = persons.request_of(made, operation, profile, now().wall_ms)
            wrapped = people.as_text(made.wrapped)
            person = book.call("person_wait", file=people.as_text(raw), wrapped=wrapped)
            _write(target, people.as_text(raw))
        _done(person, as_json, phrase("person", "asked"))

    return request


def _renew(data_option: Option) -> click.Command:
    @click.command(
        "renew",
        help="Ask to certify a person of this device again: a new licence, or another operation."
        " What is not given stays as it was.",
    )
    @click.argument("person")
    @data_option
    @passphrase_option
    @_secret
    @_profile_options
    @_new_file
    @json_option
    def renew(person: str, folder: Path, target: Path, as_json: bool, **said: Any) -> None:
        with told(), door(folder, said["passphrase_file"]) as book:
            _must_be_new(target)
            held = book.call("person_key", person=person)
            before = msgspec.convert(held["profile"], Profile)
            profile = _profile({**said, "name": said["name"] or before.name}, before)
            wrapped, passphrase = held["wrapped"], person_passphrase(said["secret_file"])
            made = persons.known_key(people.as_bytes(held["key"]), people.as_bytes(wrapped))
            keys = persons.opened(made, passphrase)
            operation = OperationId.parse(book.status()["operation"])
            raw = people.as_text(persons.request_of(keys, operation, profile, now().wall_ms))
            book.call("person_wait", file=raw, wrapped=wrapped)
            _write(target, raw)
        _done(str(made.person), as_json, phrase("person", "asked"))

    return renew


def _certify(data_option: Option) -> click.Command:
    @click.command("certify", help="Answer a request file with a certificate file.")
    @click.argument("request", type=_FILE)
    @data_option
    @passphrase_option
    @_grant_options
    @_new_file
    @click.option("--yes", is_flag=True, help="Do not ask whether this is who it says.")
    @json_option
    def certify(
        request: Path, folder: Path, target: Path, yes: bool, as_json: bool, **said: Any
    ) -> None:
        with told(), door(folder, said["passphrase_file"]) as book:
            _must_be_new(target)
            file = file_text(request, CREDENTIAL_BYTES_MAX)
            profile = msgspec.convert(book.call("person_asked", file=file), Profile)
            for line in _papers(profile):
                say(line)
            if not yes:
                click.confirm(phrase("person", "ask_seen"), abort=True, err=True)
            found = book.call("person_certify", file=file, **_grant(said))
            _write(target, found["file"])
        _done(found["person"], as_json, phrase("person", "answered"))

    return certify


def _import(data_option: Option) -> click.Command:
    @click.command("import", help="Enrol who brings a credential or certificate file.")
    @click.argument("file", type=_FILE)
    @data_option
    @passphrase_option
    @json_option
    def take_in(file: Path, folder: Path, passphrase_file: Path | None, as_json: bool) -> None:
        with told(), door(folder, passphrase_file) as book:
            found = book.call("person_import", file=file_text(file, CREDENTIAL_BYTES_MAX))
        if as_json:
            show(found)
        else:
            say(_words(found))

    return take_in


def _export(data_option: Option) -> click.Command:
    @click.command("export", help="Write a person's credential file, to carry to another device.")
    @click.argument("person")
    @data_option
    @passphrase_option
    @_new_file
    def export(person: str, folder: Path, passphrase_file: Path | None, target: Path) -> None:
        with told(), door(folder, passphrase_file) as book:
            _must_be_new(target)
            _write(target, book.call("person_export", person=person))
        say(phrase("person", "written"))

    return export


def _list(data_option: Option) -> click.Command:
    @click.command("list", help="List the persons of this device.")
    @data_option
    @passphrase_option
    @json_option
    def listing(folder: Path, passphrase_file: Path | None, as_json: bool) -> None:
        with told(), door(folder, passphrase_file) as book:
            found = book.call("person_list")
        for each in found:
            if as_json:
                show(each)
            else:
                print_line(_words(each))

    return listing


def _pin(data_option: Option) -> click.Command:
    @click.command("pin", help="Set a person's PIN on this device; their passphrase is asked.")
    @click.argument("person")
    @data_option
    @_secret
    @click.option("--pin-file", type=click.Path(path_type=Path), help="First line: the new PIN.")
    def pin(person: str, folder: Path, secret_file: Path | None, pin_file: Path | None) -> None:
        with told(), LocalClient(folder) as client:
            passphrase = person_passphrase(secret_file)
            chosen = person_pin(pin_file, new=True)
            client.call("person_pin", person=person, passphrase=passphrase, pin=chosen)
        say(phrase("person", "pin_set"))

    return pin


def _leave(data_option: Option) -> click.Command:
    @click.command("leave", help="Forget a person's key and PIN here; what they wrote stays.")
    @click.argument("person")
    @data_option
    @passphrase_option
    def leave(person: str, folder: Path, passphrase_file: Path | None) -> None:
        with told(), door(folder, passphrase_file) as book:
            book.call("person_leave", person=person)
        say(phrase("person", "forgotten"))

    return leave


def _login(data_option: Option) -> click.Command:
    @click.command(
        "login", help=f"Begin a session for scripts; prints what {SESSION_ENV} has to hold."
    )
    @click.argument("person")
    @data_option
    @_secret
    @click.option("--pin-file", type=click.Path(path_type=Path), help="First line: the PIN.")
    @json_option
    def login(
        person: str, folder: Path, secret_file: Path | None, pin_file: Path | None, as_json: bool
    ) -> None:
        with told(), LocalClient(folder) as client:
            if pin_file is not None:
                secret: dict[str, Any] = {"pin": person_pin(pin_file)}
            else:
                secret = {"passphrase": person_passphrase(secret_file)}
            me = client.call("login", person=person, token=True, **secret)
        if as_json:
            show({"session": me["token"], "person": me["id"], "roles": me["roles"]})
        else:
            click.echo(me["token"])

    return login


def _logout(data_option: Option) -> click.Command:
    @click.command("logout", help=f"End the session that {SESSION_ENV} names.")
    @data_option
    def logout(folder: Path) -> None:
        with told(), LocalClient(folder) as client:
            client.call("logout", token=os.environ.get(SESSION_ENV, ""))
        say(phrase("person", "logged_out"))

    return logout


def _review(data_option: Option) -> click.Command:
    @click.command("review", help="List acts of persons whose licence or key came into doubt,"
                   " or say what came of looking at one again.")  # fmt: skip
    @data_option
    @passphrase_option
    @click.option("--fact", default="", help="Id of an act that was looked at.")
    @click.option("--outcome", type=click.Choice(OUTCOMES), help="What came of it.")
    @click.option("--note", default="", help="In a few words.")
    def review(
        folder: Path, passphrase_file: Path | None, fact: str, outcome: str | None, note: str
    ) -> None:
        if fact or outcome:
            with told(), LocalClient(folder) as client:
                attach(client)
                client.call("review_done", fact=fact, outcome=outcome or "", note=note)
            say(phrase("person", "reviewed"))
            return
        with told(), door(folder, passphrase_file) as book:
            for each in reviewing.lines(book.call("review")):
                show(reviewing.as_json(each, iso))

    return review


# Inside


def _profile(said: dict[str, Any], before: Profile | None = None) -> Profile:
    """Return the papers as they are given; of a renewal, those of before where none are."""
    name = asked_name(said["name"], phrase("person", "ask_name"), "--name")
    for kind in said["practice"]:
        if kind not in BY_NAME:
            raise InputError("unknown_kind", field="practice", allowed=tuple(BY_NAME))
    until, known = said["licence_until"], before or Profile(PROFILE_VERSION, name.strip())
    fields = [
        PROFILE_VERSION,
        name.strip(),
        said["profession"].strip() or known.profession,
        said["authority"].strip() or known.authority,
        said["licence"].strip() or known.licence,
        sorted({BY_NAME[kind].number for kind in said["practice"]}) or list(known.practice),
        said["practice_text"].strip() or known.practice_text,
        end_of_day(until, "licence-until") if until else known.licence_until_ms,
        said["recognised_by"].strip() or known.recognised_by,
    ]
    try:
        return msgspec.convert(fields, Profile)
    except msgspec.ValidationError:
        raise InputError("bad_profile") from None


def _grant(said: dict[str, Any]) -> dict[str, Any]:
    until = said["until"]
    return {
        "roles": list(said["roles"]),
        "until_ms": end_of_day(until, "until") if until else 0,
    }


def papers_of(name: str, stated: Mapping[str, str]) -> dict[str, Any]:
    """Return what a row of a roster states of a person, as fields of a profile.

    Raises:
        InputError: `unknown_kind`, `bad_date`.
    """
    found: dict[str, Any] = {"name": name} if name else {}
    for column, text in stated.items():
        if column == "licence_until":
            found["licence_until_ms"] = end_of_day(text, column)
        elif column == "practice":
            kinds = [kind.strip() for kind in text.split(";")]
            unknown = [kind for kind in kinds if kind not in BY_NAME]
            if unknown:
                raise InputError("unknown_kind", field="practice", allowed=tuple(BY_NAME))
            found["practice"] = sorted({BY_NAME[kind].number for kind in kinds})
        else:
            found[column] = text
    return found


def end_of_day(text: str, field: str) -> int:
    """Return the last millisecond of an ISO day, for an end is the whole of its day."""
    try:
        day = datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        raise InputError("bad_date", field=field) from None
    return max(int(day.timestamp() * 1000) + 86_400_000 - 1, 0)


def _papers(profile: Profile) -> list[str]:
    until = profile.licence_until_ms
    ends = datetime.fromtimestamp(until / 1000, UTC).date().isoformat() if until else "-"
    kinds = {kind.number: name for name, kind in BY_NAME.items()}
    covers = ", ".join(kinds.get(number, f"#{number}") for number in profile.practice) or "-"
    return [
        phrase("person", key, text=clean_text(text) or "-")
        for key, text in (
            ("name", profile.name),
            ("profession", profile.profession),
            ("licence", f"{profile.licence} ({profile.authority})"),
            ("licence_until", ends),
            ("practice", profile.practice_text),
            ("covers", covers),
            ("recognised_by", profile.recognised_by),
        )
    ]


def _words(each: dict[str, Any]) -> str:
    marks = [
        word
        for word, stands in (
            (phrase("person", "has_pin"), each["pin"]),
            (phrase("person", "uncertified"), not each["certified"]),
            (phrase("person", "sealed"), each["sealed"]),
        )
        if stands
    ]
    who = clean_text(f"{each['name']} {each['profession']}".strip())
    roles = clean_text(", ".join(each["roles"]))
    return f"{each['number']:3}  {who:32}  {roles:20}  {', '.join(marks)}  {each['id'][:16]}"


def _done(person: str, as_json: bool, text: str) -> None:
    if as_json:
        show({"person": person})
    say(text)


def _must_be_new(target: Path) -> None:
    if target.exists():
        raise InputError("target_exists", field="to")


def _write(target: Path, file: str) -> None:
    write_whole(target, people.as_bytes(file))
