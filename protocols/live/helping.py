"""`--help` in the language of whoever asks: English stands with the commands, others in `text/`.

Commands are made by functions, with their English words; another language is put in their place
just before help is written, from one table whose keys are the English sentences.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import click

from protocols.live.phrases import VALUE_CHARS_MAX, spoken_language
from protocols.records.display import clean_text

SPOKEN = ("fr",)
"""Languages that help has besides English."""
_FOLDER = Path(__file__).parent / "text"


@cache
def help_words(language: str) -> Mapping[str, Mapping[str, str]]:
    """Return the sentences of a language by the English ones, and click's own words."""
    with (_FOLDER / f"help.{language}.toml").open("rb") as file:
        return tomllib.load(file)


def folded(text: str) -> str:
    """Return a sentence without the line ends and indentation of its source."""
    return " ".join(text.split())


class HelpPage(click.HelpFormatter):
    """Writes a page of help in the language of whoever asks."""

    def __init__(self, **measures: Any) -> None:
        super().__init__(**measures)
        language = spoken_language()
        words = help_words(language) if language in SPOKEN else {}
        self._said, self._own = words.get("said", {}), words.get("click", {})

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """Write how the command is called."""
        super().write_usage(prog, args, prefix or self._own.get("Usage: "))

    def write_heading(self, heading: str) -> None:
        """Write a heading over what follows."""
        super().write_heading(self._own.get(heading, heading))

    def write_text(self, text: str) -> None:
        """Write what the command does."""
        super().write_text(self._said.get(folded(text), text))

    def write_dl(
        self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2
    ) -> None:
        """Write options or commands, each with what it is for."""
        told = [(name, self._option(said)) for name, said in rows]
        super().write_dl(told, col_max, col_spacing)

    def _option(self, said: str) -> str:
        """Return the words for an option; its default, or that it is needed, stands in brackets."""
        if said in self._own:
            return self._own[said]
        text, bracket, extra = said.rpartition("[")
        if not bracket or not said.endswith("]"):
            return self._said.get(folded(said), said)
        for word in ("default: ", "required"):
            extra = extra.replace(word, self._own.get(word, word))
        known = self._said.get(folded(text), text.rstrip())
        return f"{known}  [{extra}".lstrip()


class _Asked(click.Context):
    formatter_class = HelpPage


class SpokenGroup(click.Group):
    """A program whose help is in the language of whoever asks."""

    context_class = _Asked

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command by its name."""
        found = super().get_command(ctx, cmd_name)
        return None if found is None else spoken(found)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the words behind the program's name."""
        with _only_drawn():
            return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run what was asked for."""
        with _only_drawn():
            return super().invoke(ctx)


@contextmanager
def _only_drawn() -> Iterator[None]:
    """Have what click says against a command repeat no control character of it."""
    try:
        yield
    except click.UsageError as error:
        said = error.format_message()
        if (shown := clean_text(said, VALUE_CHARS_MAX)) == said:
            raise
        raise click.UsageError(shown, error.ctx) from None


def spoken(command: click.Command) -> click.Command:
    """Let a command, and all below it, write its help in the language of whoever asks."""
    language = spoken_language()
    words = help_words(language)["said"] if language in SPOKEN else {}
    command.context_class = _Asked
    # click cuts a sentence short for a list of commands; ours stands there whole.
    known = words.get(folded(command.help or ""))
    command.short_help = known.partition("\n")[0] if known else None
    if isinstance(command, click.Group):
        for each in command.commands.values():
            spoken(each)
    return command
