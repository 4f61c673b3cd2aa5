"""`fieldnode`: what a medic, a coordinator or a diagnostic device runs on a node.

Here is the way into the terminal; every other command is loaded when it is asked for. A terminal
whose node runs loads neither the book nor cryptography nor the network.
"""

from __future__ import annotations

from protocols.guard import require_runtime

require_runtime()

import sys  # noqa: E402 - the guard speaks before anything it guards is imported
from contextlib import suppress  # noqa: E402
from pathlib import Path  # noqa: E402

import click  # noqa: E402

from protocols.errors import InputError, LinkError, SetupError  # noqa: E402
from protocols.live.client import LocalClient  # noqa: E402
from protocols.live.hardening import harden  # noqa: E402
from protocols.live.helping import SpokenGroup, spoken  # noqa: E402
from protocols.live.lines import find_socket  # noqa: E402
from protocols.live.options import data_option, passphrase_option  # noqa: E402
from protocols.live.phrases import phrase  # noqa: E402
from protocols.live.sentences import sentence  # noqa: E402
from protocols.live.talk import is_typed, passphrase_if_needed, say, told  # noqa: E402

OFTEN = frozenset({"record", "rows", "status"})
"""Commands that load neither the book nor the network where a node runs."""
START_S = 20.0
"""A node that `open` starts has to answer within this time."""
PASSPHRASE_TRIES = 3


class Commands(SpokenGroup):
    """Knows `open`, and loads the others for whoever asks for one of them."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command by its name."""
        if cmd_name in OFTEN:
            from fieldnode.often import COMMANDS

            return spoken(next(each for each in COMMANDS if each.name == cmd_name))
        if cmd_name not in self.commands:
            self._load()
        return super().get_command(ctx, cmd_name)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return all names."""
        self._load()
        return super().list_commands(ctx)

    def _load(self) -> None:
        from fieldnode.commands import COMMANDS

        for each in COMMANDS:
            self.add_command(each)


@click.group(cls=Commands)
def main() -> None:
    """One node of Fieldmesh: it works alone, and shares when another is in reach."""
    if not harden():
        say(sentence(SetupError("not_hardened")))


@main.command("open")
@data_option("node", "the node")
@passphrase_option
@click.option("--line", is_flag=True, help="Plain prompts, for serial lines and screen readers.")
@click.option(
    "--language", default="", help="en, fr, es, pt, uk; es:fr says in French what es lacks."
)
@click.option("--theme", default="", help="night, contrast or mono.")
@click.option("--listen", help="HOST:PORT where a node started now listens.")
def open_terminal(
    folder: Path,
    passphrase_file: Path | None,
    line: bool,
    language: str,
    theme: str,
    listen: str | None,
) -> None:
    """Open the terminal; starts the node when none runs."""
    with told():
        _must_be_spoken(language)
        try:
            LocalClient(folder).close()
        except LinkError:
            _start_with_passphrase(folder, passphrase_file, listen)
        from fieldnode.tui.app import run  # a node must never load the terminal

        sys.exit(run(find_socket(folder), language=language, theme=theme, line=line))


def _must_be_spoken(choice: str) -> None:
    """Refuse a language that no terminal shows; of some there are papers alone.

    Raises:
        InputError: `unknown_language`.
    """
    from fieldnode.text.languages import LANGUAGES

    shown = tuple(code for code, language in LANGUAGES.items() if not language.right_to_left)
    if any(code not in shown for code in choice.split(":") if choice):
        raise InputError("unknown_language", field="--language", allowed=shown)


def _start_with_passphrase(folder: Path, file: Path | None, listen: str | None) -> None:
    """Start the node; who types a wrong passphrase is asked again, or types it into their shell."""
    wrong = sentence(InputError("wrong_passphrase"))
    for left in reversed(range(PASSPHRASE_TRIES)):
        passphrase = passphrase_if_needed(folder, file)
        said = _start_node(folder, passphrase, listen)
        if said is None:
            return
        say(said)
        if said != wrong or not left or not is_typed(file):
            sys.exit(1)


def _start_node(folder: Path, passphrase: str | None, listen: str | None) -> str | None:
    """Start `serve` on its own, so that the node outlives this terminal.

    Returns:
        What it said as it ended; None while it runs.
    """
    import subprocess
    import time

    log = folder / "node.log"
    command = [sys.executable, "-m", "fieldnode", "serve", "--data", str(folder)]
    if listen is not None:
        command += ["--listen", listen]
    if passphrase is not None:
        command += ["--passphrase-file", "-"]
    with log.open("ab") as out:
        started = subprocess.Popen(  # noqa: S603 - our own program, our own arguments
            command, stdin=subprocess.PIPE, stdout=out, stderr=out, start_new_session=True
        )
    assert started.stdin is not None
    with suppress(BrokenPipeError):
        started.stdin.write((passphrase or "").encode() + b"\n")
        started.stdin.close()
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        with suppress(LinkError):
            LocalClient(folder).close()
            return None
        if started.poll() is not None:
            return _last_line(log)
        time.sleep(0.05)
    raise LinkError("node_slow")


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else phrase("done", "not_started")


if __name__ == "__main__":
    main()
