"""A second reader and writer of msgpack, as far as the pages about bytes ask for it."""

from __future__ import annotations

import struct
from typing import Any


class Refused(Exception):
    """These bytes do not read, or not as what they have to be; `args[0]` is the code."""


def write(value: Any) -> bytes:
    """Return the shortest encoding of a value."""
    if value is None or isinstance(value, bool):
        return {None: b"\xc0", False: b"\xc2", True: b"\xc3"}[value]
    if isinstance(value, int):
        return _whole(value)
    if isinstance(value, float):
        return b"\xcb" + struct.pack(">d", value)
    if isinstance(value, bytes):
        return _head(len(value), None, (0xC4, 0xC5, 0xC6)) + value
    if isinstance(value, str):
        text = value.encode()
        return _head(len(text), (0xA0, 32), (0xD9, 0xDA, 0xDB)) + text
    if isinstance(value, dict):
        pairs = b"".join(write(key) + write(held) for key, held in value.items())
        return _head(len(value), (0x80, 16), (None, 0xDE, 0xDF)) + pairs
    return _head(len(value), (0x90, 16), (None, 0xDC, 0xDD)) + b"".join(map(write, value))


def read(raw: bytes) -> Any:
    """Return the one value that these bytes are; numbers may be wider than they need be."""
    value, at = _read(raw, 0)
    if at != len(raw):
        raise Refused("malformed")
    return value


_WIDTHS = (("B", 2**8), ("H", 2**16), ("I", 2**32), ("Q", 2**64))


def _whole(number: int) -> bytes:
    if -32 <= number < 128:
        return struct.pack("b", number)
    if number >= 0:
        first = 0xCC
        fits = [number < above for _, above in _WIDTHS]
        letters = "BHIQ"
    else:
        first = 0xD0
        fits = [number >= -above // 2 for _, above in _WIDTHS]
        letters = "bhiq"
    at = fits.index(True)
    return bytes((first + at,)) + struct.pack(">" + letters[at], number)


def _head(size: int, fix: tuple[int, int] | None, wide: tuple[int | None, int, int]) -> bytes:
    if fix is not None and size < fix[1]:
        return bytes((fix[0] | size,))
    for mark, (letter, above) in zip(wide, _WIDTHS, strict=False):
        if mark is not None and size < above:
            return bytes((mark,)) + struct.pack(">" + letter, size)
    raise AssertionError(size)


_NUMBERS = dict(zip(range(0xCA, 0xD4), "fdBHIQbhiq", strict=True))
_SIZED = {
    0xC4: (bytes, "B"), 0xC5: (bytes, "H"), 0xC6: (bytes, "I"),
    0xD9: (str, "B"), 0xDA: (str, "H"), 0xDB: (str, "I"),
    0xDC: (list, "H"), 0xDD: (list, "I"), 0xDE: (dict, "H"), 0xDF: (dict, "I"),
}  # fmt: skip


def _read(raw: bytes, at: int) -> tuple[Any, int]:
    mark = _take(raw, at, 1)[0]
    at += 1
    if mark < 0x80 or mark >= 0xE0:
        return (mark if mark < 0x80 else mark - 256), at
    if mark in (0xC0, 0xC2, 0xC3):
        return {0xC0: None, 0xC2: False, 0xC3: True}[mark], at
    if mark in _NUMBERS:
        return _number(raw, at, _NUMBERS[mark])
    if mark in _SIZED:
        kind, letter = _SIZED[mark]
        size, at = _number(raw, at, letter)
        return _held(raw, at, kind, size)
    for kind, low, high in ((dict, 0x80, 0x90), (list, 0x90, 0xA0), (str, 0xA0, 0xC0)):
        if low <= mark < high:
            return _held(raw, at, kind, mark - low)
    raise Refused("malformed")


def _number(raw: bytes, at: int, letter: str) -> tuple[Any, int]:
    size = struct.calcsize(letter)
    return struct.unpack(">" + letter, _take(raw, at, size))[0], at + size


def _held(raw: bytes, at: int, kind: type, size: int) -> tuple[Any, int]:
    if kind in (bytes, str):
        held = _take(raw, at, size)
        try:
            return (held if kind is bytes else held.decode()), at + size
        except UnicodeDecodeError:
            raise Refused("malformed") from None
    parts = []
    for _ in range(size * (2 if kind is dict else 1)):
        part, at = _read(raw, at)
        parts.append(part)
    if kind is list:
        return parts, at
    try:
        return dict(zip(parts[::2], parts[1::2], strict=True)), at
    except TypeError:
        raise Refused("malformed") from None


def _take(raw: bytes, at: int, size: int) -> bytes:
    if at + size > len(raw):
        raise Refused("malformed")
    return raw[at : at + size]
