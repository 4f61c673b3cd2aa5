"""What a device signs on a sheet of paper: a square that whoever reads it checks with no network.

Layout, big-endian: version u8 ‖ kind u8 ‖ certificate 16 ‖ minute u32 ‖ body ‖ signature 64. The
certificate is named by the first half of its statement's hash; it says whose key signed, so the
key itself need not travel. As text: `FM` and the bytes in Crockford base32, capitals and digits
only, which any scanner types on most keyboards and a QR code packs tightest.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from protocols.errors import InputError
from protocols.ids import StatementHash, from_base32, to_base32
from protocols.trust.identity import SIGNATURE_BYTES, DeviceKeys, verify

PAPER_VERSION = 1
MARK = "FM"
"""How a paper's text begins, so that a terminal knows it from a tag."""
TEXT_CHARS_MAX = 600
"""A QR code of version 15 with level M: 77 modules a side, four centimetres at 203 dpi."""
NAMED_BYTES = 16
"""Of a certificate's hash: to find another of the same beginning takes 2^128 tries."""

_PREFIX = b"fieldmesh paper 1\0"
_HEAD_BYTES = 1 + 1 + NAMED_BYTES + 4
_BYTES_MAX = (TEXT_CHARS_MAX - len(MARK)) * 5 // 8
BODY_BYTES_MAX = _BYTES_MAX - _HEAD_BYTES - SIGNATURE_BYTES
"""What a paper can say, in bytes."""
_MINUTE_MS = 60_000


class PaperKind(IntEnum):
    """What a paper's body is."""

    SUMMARY = 1
    """Of one patient, for whoever takes over."""
    VACCINATION = 2
    """The doses of vaccine that somebody had."""


@dataclass(frozen=True, slots=True)
class Paper:
    """One paper as it was read; nothing in it is to be believed before `signed_by`."""

    version: int
    kind: int
    """A `PaperKind`, or the number of one of later software."""
    certificate: bytes
    """First 16 bytes of the hash of the certificate of the device that signed."""
    at_ms: int
    """When, by the clock of that device, to the minute. Unix milliseconds."""
    body: bytes
    signature: bytes

    def signed_by(self, device: bytes) -> bool:
        """Whether this device signed exactly this; its certificate says whose device it is."""
        return verify(device, _PREFIX + _head(self) + self.body, self.signature)


def sign_paper(
    keys: DeviceKeys, kind: PaperKind, certificate: StatementHash, at_ms: int, body: bytes
) -> str:
    """Return a paper's text, at most `TEXT_CHARS_MAX` signs.

    Args:
        keys: Of the device, which the certificate names.
        kind: What the body is.
        certificate: Of the device, as it stands now.
        at_ms: Now, Unix milliseconds; kept to the minute.
        body: At most `BODY_BYTES_MAX` bytes.
    """
    assert len(body) <= BODY_BYTES_MAX
    minute_ms = min(max(at_ms, 0) // _MINUTE_MS, 2**32 - 1) * _MINUTE_MS
    paper = Paper(PAPER_VERSION, kind, bytes(certificate[:NAMED_BYTES]), minute_ms, body, b"")
    signed = _head(paper) + body
    return MARK + to_base32(signed + keys.sign(_PREFIX + signed))


def read_paper(text: str) -> Paper:
    """Return the paper a scanner typed; spaces, hyphens and small letters are forgiven.

    Raises:
        InputError: `not_a_paper` when it is none, `paper_cut` when signs are missing or wrong
            beyond what can be a paper, `paper_newer` when it is of later software.
    """
    letters = "".join(text.split()).replace("-", "").upper()
    if not letters.startswith(MARK):
        raise InputError("not_a_paper", field="paper")
    letters = letters[len(MARK) :]
    if len(letters) > TEXT_CHARS_MAX:
        raise InputError("paper_cut", field="paper")
    size = len(letters) * 5 // 8
    try:
        raw = from_base32(letters, size)
    except InputError:
        raise InputError("paper_cut", field="paper") from None
    if size < _HEAD_BYTES + SIGNATURE_BYTES:
        raise InputError("paper_cut", field="paper")
    if raw[0] != PAPER_VERSION:
        raise InputError("paper_newer", field="paper")
    minute = int.from_bytes(raw[2 + NAMED_BYTES : _HEAD_BYTES])
    return Paper(
        version=raw[0],
        kind=raw[1],
        certificate=raw[2 : 2 + NAMED_BYTES],
        at_ms=minute * _MINUTE_MS,
        body=raw[_HEAD_BYTES:-SIGNATURE_BYTES],
        signature=raw[-SIGNATURE_BYTES:],
    )


def _head(paper: Paper) -> bytes:
    minute = (paper.at_ms // _MINUTE_MS).to_bytes(4)
    return bytes([paper.version, paper.kind]) + paper.certificate + minute
