"""How deep a MessagePack value nests, told without reading it.

A reader that goes down with its own calls gives up where its caller's stack ends, which differs
from node to node: what nests deeper than a bound is read by none.
"""

from __future__ import annotations

from typing import Final

NESTED_MAX = 64
"""Arrays and maps in each other that a fact's value may have; ours have up to 4."""

_CONTAINERS: Final = bytes((*range(0x80, 0xA0), *range(0xDC, 0xE0)))
_SIZED: Final = {
    **dict.fromkeys((0xC4, 0xD9), (1, 0)), **dict.fromkeys((0xC5, 0xDA), (2, 0)),
    **dict.fromkeys((0xC6, 0xDB), (4, 0)), 0xC7: (1, 1), 0xC8: (2, 1), 0xC9: (4, 1),
}  # fmt: skip
"""First byte of what tells its length → bytes of that length, and of a type behind it."""
_FIXED: Final = {
    0xCA: 4, 0xCB: 8, 0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8, 0xD0: 1, 0xD1: 2, 0xD2: 4, 0xD3: 8,
    0xD4: 2, 0xD5: 3, 0xD6: 5, 0xD7: 9, 0xD8: 17,
}  # fmt: skip
_COUNTED: Final = {0xDC: (2, 1), 0xDD: (4, 1), 0xDE: (2, 2), 0xDF: (4, 2)}
"""First byte of a long array or map → bytes of its count, and values for each."""


def too_deep(raw: bytes) -> bool:
    """Return whether more than `NESTED_MAX` arrays and maps lie in each other.

    Of what is no MessagePack it says no: whoever reads it finds out. Looks closer only where there
    are enough bytes that could begin one.
    """
    if len(raw) <= NESTED_MAX:
        return False
    if len(raw) - len(raw.translate(None, _CONTAINERS)) <= NESTED_MAX:
        return False
    return _walked(raw)


def _walked(raw: bytes) -> bool:
    left, at = [1], 0
    """Values still to come, of each array and map that is open."""
    while at < len(raw):
        while left and not left[-1]:
            left.pop()
        if not left:
            return False
        left[-1] -= 1
        first = raw[at]
        at += 1
        inside = 0
        if 0x80 <= first < 0xA0:
            inside = (first & 0x0F) * (2 if first < 0x90 else 1)
        elif 0xA0 <= first < 0xC0:
            at += first & 0x1F
        elif first in _COUNTED:
            size, each = _COUNTED[first]
            inside = int.from_bytes(raw[at : at + size]) * each
            at += size
        elif first in _SIZED:
            size, more = _SIZED[first]
            at += size + more + int.from_bytes(raw[at : at + size])
        else:
            at += _FIXED.get(first, 0)
        if inside:
            left.append(inside)
            if len(left) > NESTED_MAX + 1:
                return True
    return False
