"""Talking with the person at a command: what is asked, the one sentence that says what is wrong.

A terminal that finds its node running needs nothing else of the node's code, so nothing here
loads the book, its cryptography or the network.
"""

from __future__ import annotations

import os
import re
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import click

from protocols.errors import FieldmeshError, InputError, LedgerError, LinkError, SetupError
from protocols.ledger.place import holds_book, opens_unattended
from protocols.ledger.safefile import named
from protocols.live.phrases import phrase
from protocols.live.sentences import sentence
from protocols.records.display import clean_text

PASSPHRASE_ENV = "FIELDMESH_PASSPHRASE"
ROOT_PASSPHRASE_ENV = "FIELDMESH_ROOT_PASSPHRASE"
PASSPHRASE_CHARS_MIN = 8
PASSPHRASE_BYTES_MAX = 1024
_STANDARD_INPUT = Path("-")
LINE_CHARS_MAX = 2000
"""Of one column; longer ones end in an ellipsis."""
_COLUMNS = re.compile("( {2,})")
EXIT_REFUSED, EXIT_NOT_WRITABLE, EXIT_FAULT = 3, 4, 1


def asked(given: str, question: str, option: str) -> str:
    """Return what an option gave, else what a person answers or a program pipes in.

    Raises:
        InputError: `nobody_to_ask`, with the option that says the same.
    """
    if not given and sys.stdin.isatty():
        return str(click.prompt(question, err=True))
    found = given or _first_line(_STANDARD_INPUT).strip()
    if not found:
        raise InputError("nobody_to_ask", field=option)
    return found


def asked_name(given: str, question: str, option: str) -> str:
    """Return the name of something that others will see, as `asked` does.

    Raises:
        InputError: `nobody_to_ask`, or as `shown_name`.
    """
    return shown_name(asked(given, question, option), option)


def shown_name(given: str, option: str) -> str:
    """Return a name as it is given, in NFC.

    Raises:
        InputError: `bad_text` where a screen would not show what is written.
    """
    name = unicodedata.normalize("NFC", given.strip())
    if name != clean_text(name):
        raise InputError("bad_text", field=option)
    return name


def passphrase_of(file: Path | None) -> str:
    """Return the passphrase from a file, the environment or a prompt, in this order.

    Raises:
        InputError: `no_passphrase` when there is nobody to ask.
    """
    return _given(file, PASSPHRASE_ENV) or _typed(phrase("talk", "node_passphrase"))


def first_passphrase(file: Path | None) -> str:
    """Return the passphrase of a node that is being made, from a file, the environment or a prompt.

    Raises:
        InputError: `no_passphrase` or `short_passphrase`; a person is asked again instead.
    """
    given = _long_enough(_given(file, PASSPHRASE_ENV))
    return given or _typed_new(phrase("talk", "choose_passphrase"))


def new_passphrase(file: Path | None) -> str:
    """Return a new passphrase from a file or a prompt; never the one in the environment.

    Raises:
        InputError: As `first_passphrase`.
    """
    return _long_enough(_given(file)) or _typed_new(phrase("talk", "new_passphrase"))


def root_passphrase(file: Path | None) -> str:
    """Return the passphrase of an organisation's root key, which is never that of a node.

    Raises:
        InputError: `no_passphrase` when there is nobody to ask.
    """
    given = _given(file, ROOT_PASSPHRASE_ENV)
    return given or _typed(phrase("ask", "root_passphrase"))


def new_root_passphrase(file: Path | None) -> str:
    """Return the passphrase of a root key that is being made.

    Raises:
        InputError: `no_passphrase`, `short_passphrase`; a person is asked again instead.
    """
    given = _long_enough(_given(file, ROOT_PASSPHRASE_ENV))
    return given or _typed_new(phrase("ask", "new_root_passphrase"))


def person_passphrase(file: Path | None, *, new: bool = False) -> str:
    """Return the passphrase of a person, from a file or a prompt; never from the environment.

    Raises:
        InputError: `no_passphrase`, `short_passphrase` for a new one.
    """
    given = _given(file, env="")
    if new:
        return _long_enough(given) or _typed_new(phrase("talk", "choose_person"))
    return given or _typed(phrase("talk", "person_passphrase"))


def person_pin(file: Path | None, *, new: bool = False) -> str:
    """Return a PIN from a file or a prompt; a new one is typed twice.

    Raises:
        InputError: `no_passphrase` when there is nobody to ask.
    """
    given = _given(file, env="")
    if given is not None:
        return given
    while True:
        typed = _typed(phrase("talk", "new_pin" if new else "pin"))
        if not new or _typed(phrase("talk", "again")) == typed:
            return typed
        say(phrase("talk", "differ"))


def passphrase_if_needed(folder: Path, file: Path | None) -> str | None:
    """Return the passphrase; None where the folder opens unattended and no file names one.

    Raises:
        SetupError: `no_book`, before anybody is asked for anything.
        InputError: `no_passphrase`.
    """
    if not holds_book(folder):
        raise SetupError("no_book")
    if opens_unattended(folder) and file is None:
        return None
    if is_typed(file):
        say(phrase("talk", "locked"))
    return passphrase_of(file)


def say(text: str) -> None:
    """Talk to the person; data goes to standard output, talk never does."""
    click.echo(drawn(text), err=True)


def print_line(text: str) -> None:
    """Print what is for people; a stranger's name may be part of it."""
    click.echo(drawn(text))


def print_file(text: str) -> None:
    """Print a file as it is where it goes to a file, and as it can be drawn on a terminal."""
    click.echo(drawn(text) if sys.stdout.isatty() else text, nl=False)


def drawn(text: str) -> str:
    """Return lines of which nothing moves a cursor or turns the direction; columns stay."""
    return "\n".join(
        "".join(clean_text(part, LINE_CHARS_MAX) if at % 2 == 0 else part for at, part in parts)
        for parts in (enumerate(_COLUMNS.split(line)) for line in text.split("\n"))
    )


@contextmanager
def told(*, fault: int = EXIT_FAULT) -> Iterator[None]:
    """End the command with one sentence instead of a traceback.

    Args:
        fault: Exit code when it is not the book that fails.
    """
    try:
        yield
    except FieldmeshError as error:
        leave(error, fault=fault)
    except TimeoutError:
        leave(LinkError("node_slow"), fault=fault)
    except BrokenPipeError:
        # Whoever read our output has seen enough.
        raise
    except OSError as error:
        leave(named(error), fault=fault)


def leave(error: FieldmeshError, *, fault: int = EXIT_FAULT) -> NoReturn:
    """Say what is wrong and what to do, and end."""
    say(sentence(error))
    sys.exit(EXIT_NOT_WRITABLE if isinstance(error, LedgerError) else fault)


def _given(file: Path | None, env: str = "") -> str | None:
    """Return the passphrase that came without asking; None = a person is there to ask."""
    if file is not None:
        return _first_line(file)
    if os.environ.get(env):
        return os.environ[env]
    if not sys.stdin.isatty():
        raise InputError("no_passphrase")
    return None


def is_typed(file: Path | None) -> bool:
    """Whether a person types the passphrase of a node."""
    return file is None and not os.environ.get(PASSPHRASE_ENV) and sys.stdin.isatty()


def _typed(question: str) -> str:
    if not sys.stdin.isatty():
        raise InputError("no_passphrase")
    return str(click.prompt(question, hide_input=True, err=True))


def _typed_new(question: str) -> str:
    """Ask until it is long enough, and then once more, for nobody sees what is typed."""
    while True:
        typed = _typed(phrase("talk", "at_least", question=question, n=PASSPHRASE_CHARS_MIN))
        if len(typed) < PASSPHRASE_CHARS_MIN:
            say(phrase("talk", "too_short", n=PASSPHRASE_CHARS_MIN))
        elif _typed(phrase("talk", "again")) != typed:
            say(phrase("talk", "differ"))
        else:
            return typed


def _long_enough(found: str | None) -> str | None:
    if found is not None and len(found) < PASSPHRASE_CHARS_MIN:
        raise InputError("short_passphrase")
    return found


def _first_line(file: Path) -> str:
    """Read no further than the first line: on standard input the records follow it."""
    try:
        handle = 0 if file == _STANDARD_INPUT else os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        raise InputError("no_passphrase_file", field="passphrase-file") from None
    held = bytearray()
    try:
        while len(held) < PASSPHRASE_BYTES_MAX and (byte := os.read(handle, 1)).strip(b"\n"):
            held += byte
        return held.decode().rstrip("\r")
    except (OSError, UnicodeDecodeError):
        raise InputError("no_passphrase_file", field="passphrase-file") from None
    finally:
        if handle:
            os.close(handle)
