"""The preset dictionaries that bodies are compressed with.

A dictionary id stands for these exact bytes for ever. A new one gets a new id; a node that does
not know an id keeps the entry waiting.
"""

from __future__ import annotations

import zlib
from importlib.resources import files

from protocols.feeds.body import PLAIN_BYTES_MAX, VoidBody

STORED = 0
"""Not compressed: what is too short to gain."""
FIRST = 1
"""`dictionary-1.bin`: spellings that records of care repeat; `scripts/dictionary.py` makes it."""

_BYTES = files("protocols.feeds").joinpath("dictionary-1.bin").read_bytes()
_WINDOW = -15
"""Raw deflate, 32 KiB window."""
_WRITE_WINDOW = -13
"""8 KiB reach back through the whole dictionary, and are quicker to copy."""
_PRESS = zlib.compressobj(9, zlib.DEFLATED, _WRITE_WINDOW, 4, zlib.Z_DEFAULT_STRATEGY, _BYTES)


def deflate(plain: bytes) -> tuple[int, bytes]:
    """Return the dictionary id and the shorter of the two spellings."""
    press = _PRESS.copy()
    packed = press.compress(plain) + press.flush()
    return (FIRST, packed) if len(packed) < len(plain) else (STORED, plain)


def known(dictionary: int) -> bool:
    """Say whether this software can inflate bodies of this dictionary id."""
    return dictionary <= FIRST


def inflate(dictionary: int, packed: bytes) -> bytes:
    """Return the plain body, at most 1 MiB.

    Raises:
        VoidBody: `inflate` when it is damaged, too long or has bytes after its end.
    """
    if dictionary == STORED:
        return packed
    press = zlib.decompressobj(_WINDOW, _BYTES)
    try:
        plain = press.decompress(packed, PLAIN_BYTES_MAX)
    except zlib.error as error:
        raise VoidBody("inflate") from error
    if not press.eof or press.unused_data:
        raise VoidBody("inflate")
    return plain
