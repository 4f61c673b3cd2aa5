"""How urgently a feed travels."""

from enum import IntEnum


class Lane(IntEnum):
    """How urgently a feed travels; the lower goes first."""

    CONTROL = 0
    URGENT = 1
    ROUTINE = 2
    BULK = 3
