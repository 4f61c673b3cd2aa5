"""The commands that a node and HQ have alike: made once, and given to each with its own words."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from protocols.errors import InputError, SetupError
from protocols.ledger.place import holds_book
from protocols.live.auditcommands import audit_command
from protocols.live.commands import door, show
from protocols.live.countcommands import counts_command
from protocols.live.enrolcommands import charter_options, enrol_commands, founded_by
from protocols.live.erasecommands import erase_commands
from protocols.live.linecommands import rows_command, status_command
from protocols.live.membercommands import member_commands
from protocols.live.options import (
    Option,
    json_option,
    new_passphrase_option,
    passphrase_option,
    source_option,
    target_option,
)
from protocols.live.packcommands import pack_commands
from protocols.live.personcommands import person_commands
from protocols.live.phrases import phrase
from protocols.live.releasecommands import release_commands
from protocols.live.supplycommands import supply_commands
from protocols.live.talk import asked_name, first_passphrase, new_passphrase, say, told
from protocols.live.unserved import Named, make_member, make_node, recover_key


@dataclass(frozen=True, slots=True)
class App:
    """One of the two programs, as far as their commands differ."""

    data_option: Option
    hq: bool
    """Whether the receipts of what `init` makes count as *at HQ*."""
    ask_name: str
    """What `init` asks when no name is given, a key of the table `talk`."""
    init_help: str
    made: str
    """What to do next, said after `init`, a key of the table `done`."""
    invite_help: str
    invite_hq_help: str
    status_help: str

    def shared(self) -> list[click.Command]:
        """Return the commands both programs have."""
        own = [self._init(), rows_command(self.data_option)]
        own += [status_command(self.data_option, self.status_help), self._recover()]
        coming = enrol_commands(self.data_option, self.invite_help, self.invite_hq_help)
        lists = [audit_command(self.data_option), counts_command(self.data_option)]
        erasing = erase_commands(self.data_option) + release_commands(self.data_option)
        people = person_commands(self.data_option) + pack_commands(self.data_option)
        members = member_commands(self.data_option)
        supplies = supply_commands(self.data_option)
        return [*own, *coming, *lists, *erasing, *people, *members, *supplies]

    def _init(self) -> click.Command:
        @click.command("init", help=self.init_help)
        @self.data_option
        @passphrase_option
        @click.option("--name", default="", help="What others see, such as 'Tent B'.")
        @click.option("--org", default="", help="Your organisation.")
        @click.option("--jurisdiction", default="", help="ISO country code whose law holds here.")
        @click.option(
            "--unattended",
            is_flag=True,
            help="Restart without a passphrase. Whoever takes the device can then read it.",
        )
        @charter_options
        @json_option
        def init(  # noqa: PLR0913 - one parameter an option
            folder: Path,
            passphrase_file: Path | None,
            name: str,
            org: str,
            jurisdiction: str,
            unattended: bool,
            charter: Path | None,
            root: Path | None,
            root_passphrase_file: Path | None,
            as_json: bool,
        ) -> None:
            with told():
                if holds_book(folder):
                    raise SetupError("book_exists")
                if charter is not None and (org or jurisdiction):
                    raise InputError("org_or_charter")
                entry = founded_by(charter, root, root_passphrase_file)
                name = asked_name(name, phrase("talk", self.ask_name), "--name")
                org = org if entry else asked_name(org, phrase("talk", "organisation"), "--org")
                passphrase = first_passphrase(passphrase_file)
                if entry is not None:
                    device = make_member(
                        folder, passphrase, name, entry, hq=self.hq, unattended=unattended
                    )
                else:
                    named = Named(name, org, jurisdiction, hq=self.hq)
                    device = make_node(folder, passphrase, named, unattended=unattended)
            if as_json:
                show({"device": str(device), "data": str(folder)})
            say(phrase("done", self.made, name=name))
            if unattended:
                say(phrase("done", "unattended"))
            else:
                say(phrase("done", "asks"))
                say(phrase("done", "asks_more"))

        return init

    def _recover(self) -> click.Command:
        @click.command(
            "recover",
            help="Give another device a new passphrase: makes a `ledger.key` of its"
            " `ledger.recovery`.",
        )
        @self.data_option
        @passphrase_option
        @source_option
        @target_option
        @new_passphrase_option
        def recover(
            folder: Path,
            passphrase_file: Path | None,
            source: Path,
            target: Path,
            new_file: Path | None,
        ) -> None:
            with told(), door(folder, passphrase_file) as book:
                recover_key(book, source, target, new_passphrase(new_file))
            say(phrase("done", "key_file"))

        return recover
