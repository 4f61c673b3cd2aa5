"""Whether what a device wrote counts."""

from enum import IntEnum


class Standing(IntEnum):
    """Whether a fact counts, judged from the control records held, never from a clock."""

    STANDS = 0
    UNADMITTED = 1
    """No certificate chain known for its author; shown, not counted, judged again."""
    REFUSED = 2
    """The author's role may not write this kind."""
    QUARANTINED = 3
    """Above a seal."""
    HELD = 4
    """In a feed that a seal does not name, until a coordinator does."""
    UNCHECKED = 5
    """The device is entitled; the person cannot be judged without the scope key."""
