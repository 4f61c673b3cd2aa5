"""The bytes of a summary on paper, and how it is cut to fit them; see `summary.py`."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from msgspec.structs import replace

from protocols.feeds.body import VoidBody
from protocols.feeds.dictionary import deflate, inflate, known
from protocols.records.display import clean_text
from protocols.records.summary import NAME_CHARS_MAX, Summary

_STEPS: tuple[Callable[[Summary], Summary | None], ...]
_decode = msgspec.msgpack.Decoder(Summary).decode


def to_body(summary: Summary) -> bytes:
    """Return a paper's body: the id of a dictionary u8, then what it compresses."""
    dictionary, packed = deflate(msgspec.msgpack.encode(summary))
    return bytes([dictionary]) + packed


def from_body(body: bytes) -> Summary | None:
    """Return what a paper says, each text made safe to show; None when it does not read.

    Of a paper whose signature holds, that is one of later software.
    """
    if not body or not known(body[0]):
        return None
    try:
        said = _decode(inflate(body[0], body[1:]))
    except (VoidBody, msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return None
    return replace(
        said,
        **{
            name: clean_text(getattr(said, name))
            for name in ("code", "name", "tag", "age", "written_by", "advice")
        },
        **{
            name: tuple(clean_text(line) for line in getattr(said, name))
            for name in ("allergies", "problems", "medicines")
        },
        findings=tuple((number, clean_text(value)) for number, value in said.findings),
    )


def fitted(summary: Summary, bytes_max: int) -> Summary:
    """Return the summary, cut until its body has at most so many bytes.

    Advice goes first, then the oldest findings, medicines and problems, then what is beyond the
    first words of a name. An allergy goes last, and its count stays in `left_out`: whoever reads
    `listed` and not all of them is told that there are more.
    """
    while len(to_body(summary)) > bytes_max:
        shorter = next((cut for step in _STEPS if (cut := step(summary)) is not None), None)
        if shorter is None:
            return summary
        summary = shorter
    return summary


def _without_advice(summary: Summary) -> Summary | None:
    return replace(summary, advice="", left_out=summary.left_out + 1) if summary.advice else None


def _shorter(name: str, keep: int) -> Callable[[Summary], Summary | None]:
    def step(summary: Summary) -> Summary | None:
        lines = getattr(summary, name)
        if len(lines) <= keep:
            return None
        left_out = min(summary.left_out + 1, 9_999)
        return replace(summary, **{name: lines[:-1], "left_out": left_out})

    return step


def _short_name(summary: Summary) -> Summary | None:
    if len(summary.name) <= NAME_CHARS_MAX:
        return None
    return replace(summary, name=summary.name[:NAME_CHARS_MAX])


_STEPS = (
    _without_advice,
    _shorter("findings", 8),
    _shorter("medicines", 6),
    _shorter("problems", 4),
    _short_name,
    _shorter("findings", 0),
    _shorter("medicines", 0),
    _shorter("problems", 0),
    _shorter("allergies", 0),
)
