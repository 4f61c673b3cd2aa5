"""A pack as bytes: the one form that is signed, and how it travels."""

from __future__ import annotations

import tomllib
import unicodedata
import zlib

import msgspec

from protocols.errors import InputError, SetupError
from protocols.guidelines.pack import PackHead

PACK_BYTES_MAX = 256 * 1024
"""Of the canonical bytes: several hundred rows."""
PACKED_BYTES_MAX = 36 * 1024
"""Compressed, as one record holds it; text of a pack shrinks to a fifth."""
DEPTH_MAX = 40
"""Brackets in a row of a pack; what packs need is six."""


def canonical(text: str) -> bytes:
    """Return a pack's text as it is signed: UTF-8 in NFC, lines ended by LF, one at the end.

    Raises:
        InputError: `too_long`.
    """
    whole = unicodedata.normalize("NFC", text.removeprefix("\ufeff"))
    lines = whole.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n") + "\n"
    raw = lines.encode("utf-8", "surrogatepass")
    if len(raw) > PACK_BYTES_MAX:
        raise InputError("too_long", field="data.pack", limit=PACK_BYTES_MAX)
    return raw


def packed(raw: bytes) -> bytes:
    """Return canonical bytes as they travel.

    Raises:
        InputError: `too_long` where they do not fit one record.
    """
    small = zlib.compress(raw, 9)
    if len(small) > PACKED_BYTES_MAX:
        raise InputError("too_long", field="data.pack", limit=PACKED_BYTES_MAX)
    return small


def unpacked(small: bytes) -> bytes | None:
    """Return the canonical bytes, or None when these are not such a pack. Costs no more than one.

    What is not in canonical form is refused too: else one signature would cover two texts.
    """
    if len(small) > PACKED_BYTES_MAX:
        return None
    reader = zlib.decompressobj()
    try:
        raw = reader.decompress(small, PACK_BYTES_MAX + 1)
        text = raw.decode()
    except (zlib.error, UnicodeDecodeError):
        return None
    whole = len(raw) <= PACK_BYTES_MAX and reader.eof and not reader.unused_data
    return raw if whole and canonical(text) == raw else None


def head_of(text: str) -> PackHead:
    """Return what a pack says of itself.

    Raises:
        SetupError: `bad_pack`, with what is wrong.
    """
    try:
        return msgspec.convert(tables(text).get("pack"), PackHead)
    except msgspec.ValidationError as error:
        raise SetupError("bad_pack", place=f"pack: {error}") from None


def tables(text: str) -> dict[str, object]:
    """Return the TOML of a pack, however hostile.

    Raises:
        SetupError: `bad_pack`, with what is wrong.
    """
    if any(line.count("[") + line.count("{") > DEPTH_MAX * 16 for line in text.splitlines()):
        raise SetupError("bad_pack", place="nests too deep")
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, ValueError) as error:
        raise SetupError("bad_pack", place=str(error)) from None
    except RecursionError:
        raise SetupError("bad_pack", place="nests too deep") from None
