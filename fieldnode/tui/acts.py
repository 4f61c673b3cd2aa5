"""What a page asks for when a key was struck; the shell carries it out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from protocols.errors import FieldmeshError

if TYPE_CHECKING:
    from fieldnode.client import Node
    from fieldnode.tui.page import Page


@dataclass(frozen=True, slots=True)
class Ask:
    """A call to the node."""

    call: Callable[[Node], Awaitable[Any]]
    then: Callable[[Any], list[Act]]
    """Takes the answer."""
    failed: Callable[[FieldmeshError], list[Act]] | None = None
    """Takes the refusal; None: the shell says it in one sentence."""
    holds: bool = True
    """Keys wait, in order, until the answer is here. False for what the next key does not need."""
    drops: bool = True
    """When it fails, forget the keys that waited: they counted on the answer."""


@dataclass(frozen=True, slots=True)
class Open:
    """Put a page on top."""

    page: Page
    instead: bool = False
    """Leave the present page for good."""


@dataclass(frozen=True, slots=True)
class Back:
    """Leave this page for the one below."""


@dataclass(frozen=True, slots=True)
class Fresh:
    """Another person is here: leave every page but the lowest, forget what the one before did."""


@dataclass(frozen=True, slots=True)
class Say:
    """One line in the strip, until the next thing is said."""

    text: str
    tone: str = "plain"
    """'good', 'warn', 'bad' or 'plain'."""
    bell: bool = False


@dataclass(frozen=True, slots=True)
class Choose:
    """Language or theme from now on."""

    language: str = ""
    theme: str = ""


@dataclass(frozen=True, slots=True)
class Quit:
    """End the terminal; the node goes on."""


Act = Ask | Open | Back | Fresh | Say | Choose | Quit
