"""Content packs: what clinicians agree on, as TOML with a source and a status on every row.

A pack is read strictly: an unknown key, a missing one or a wrong type names its place. Nothing is
approved until `approved_by` names somebody; until then screens and prints say NOT APPROVED.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from importlib.resources import files
from itertools import pairwise
from typing import Literal, TypeVar

import msgspec

from protocols.errors import SetupError

Status = Literal["verified", "memory"]


class PackHead(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What every pack says of itself."""

    name: str
    version: str
    title: str
    source: str
    status: Status
    """Of rows that state none; a mixed status counts as memory."""
    approved_by: str = ""

    @property
    def approved(self) -> bool:
        """Whether a clinical lead has put their name to it."""
        return bool(self.approved_by)


PackType = TypeVar("PackType", bound=msgspec.Struct)


def read_pack(text: str, form: type[PackType]) -> PackType:
    """Return the pack in `text`.

    Raises:
        SetupError: `bad_pack`, with the place and what was expected there.
    """
    try:
        return msgspec.convert(tomllib.loads(text), form)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, ValueError) as error:
        raise SetupError("bad_pack", place=str(error)) from None


def shipped(name: str, form: type[PackType]) -> PackType:
    """Return a pack that comes with the software."""
    return read_pack((files(__package__) / "packs" / f"{name}.toml").read_text("utf-8"), form)


def half_open(rows: Sequence[tuple[float, float]]) -> bool:
    """Return whether rows of (from, below) follow each other without a gap or an overlap."""
    return all(before[1] == after[0] and before[0] < before[1] for before, after in pairwise(rows))
