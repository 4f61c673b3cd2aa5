"""The trace of a drill: one hash over all that was delivered and done, in order."""

from __future__ import annotations

import struct
from hashlib import blake2b

_STEP = struct.Struct(">QHI")


class Trace:
    """Two drills with equal traces did the same things at the same moments."""

    def __init__(self) -> None:
        self._hash = blake2b(digest_size=16, person=b"fm-trace-1")
        self.steps = 0
        """How many deliveries and effects were counted in."""

    def add(self, at_us: int, host: int, what: bytes) -> None:
        """Count one thing in.

        Args:
            host: Number of the host it happened on.
            what: The message, or the words for an effect; hashed with its length.
        """
        self._hash.update(_STEP.pack(at_us, host, len(what)))
        self._hash.update(what)
        self.steps += 1

    def hexdigest(self) -> str:
        """Return the hash of everything so far."""
        return self._hash.hexdigest()
