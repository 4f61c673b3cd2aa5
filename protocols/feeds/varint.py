"""Unsigned LEB128, shortest form only: one number has one spelling."""

from __future__ import annotations

from protocols.errors import PeerError

VARINT_BYTES_MAX = 9
"""Nine times seven bits hold every value below 2^63."""


def put_varint(number: int) -> bytes:
    """Return the shortest LEB128 of a number from 0 to 2^63 - 1."""
    if number < 0x80:
        return bytes((number,))
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def take_varint(buffer: bytes, at: int) -> tuple[int, int]:
    """Return the number at `at` and the place after it.

    Raises:
        PeerError: `malformed` when it is cut off, too long or not in its shortest form.
    """
    try:
        byte = buffer[at]
        if byte < 0x80:
            return byte, at + 1
        number, shift = byte & 0x7F, 7
        for step in range(1, VARINT_BYTES_MAX):
            byte = buffer[at + step]
            number |= (byte & 0x7F) << shift
            if byte < 0x80:
                if byte == 0:
                    break
                return number, at + step + 1
            shift += 7
    except IndexError:
        pass
    raise PeerError("malformed", what="varint")


def zigzag(number: int) -> int:
    """Fold a signed number into an unsigned one, small stays small."""
    return number << 1 if number >= 0 else (-number << 1) - 1


def unzigzag(number: int) -> int:
    """Undo `zigzag`."""
    return -(number + 1 >> 1) if number & 1 else number >> 1
