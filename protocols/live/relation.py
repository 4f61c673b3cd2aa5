"""What `relations` answers, for both ends: records that belong together with one."""

from __future__ import annotations

import msgspec

from protocols.live.api import BoardLine


class RelationLine(msgspec.Struct, frozen=True):
    """One record that somebody said belongs together with the patient's, or does not."""

    other: BoardLine
    relation: str
    """'same' for the same person, else the word of the record: 'mother', 'sibling' …"""
    linked: bool
    """False where the newest word is that they do not belong together."""
    disputed: bool = False
    """Both were said by people who did not know of each other."""
    forward: bool = True
    """The other is the patient's `relation`; False: the patient is the other's."""


class Relations(msgspec.Struct, frozen=True):
    """`relations`: args patient. Current statements, the same person first."""

    lines: tuple[RelationLine, ...]
