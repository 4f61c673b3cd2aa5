"""What a patient takes along on paper: a few hundred bytes that whoever takes over reads.

No record and no row: it is made of rows, signed apart (`trust/paper.py`) and read by nodes that
may hold nothing of the patient. Numbers and codes stand for what a reader's own language names.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from protocols.feeds.body import VoidBody
from protocols.feeds.dictionary import deflate, inflate, known
from protocols.records.display import clean_text

LINE_CHARS_MAX = 80
LINES_MAX = 24
"""Of each list, before it is fitted to a sheet."""

Short = Annotated[str, Meta(max_length=LINE_CHARS_MAX)]
Items = Annotated[tuple[Short, ...], Meta(max_length=LINES_MAX)]
Finding = tuple[Annotated[int, Meta(ge=0, le=2**16)], Annotated[str, Meta(max_length=24)]]

ALLERGY_NOT_ASKED, ALLERGY_NONE_KNOWN, ALLERGY_LISTED = 0, 1, 2
NAME_CHARS_MAX = 40
"""What is kept of a name; a band shows no more either."""


class Summary(msgspec.Struct, array_like=True, frozen=True):
    """Who a patient is, what must not be missed, and what was done. Fields are only ever added."""

    code: Annotated[str, Meta(max_length=32)]
    """Short code of the wristband."""
    name: Short = ""
    tag: Annotated[str, Meta(max_length=40)] = ""
    sex: Annotated[int, Meta(ge=0, le=9)] = 9
    """1 male, 2 female, 3 female pregnant, 9 unknown (MDS)."""
    age: Annotated[str, Meta(max_length=16)] = ""
    """On the day of the paper, with its unit: `34 y`, `~22 mo`, `5-17 y`."""
    triage: Annotated[int, Meta(ge=0, le=4)] | None = None
    """1 red, 2 yellow, 3 green, 4 expectant, 0 dead."""
    allergy: Annotated[int, Meta(ge=0, le=2)] = ALLERGY_NOT_ASKED
    """0 not asked, 1 none known, 2 listed below."""
    allergies: Items = ()
    problems: Items = ()
    medicines: Items = ()
    """What is ordered and goes on, the newest first."""
    findings: Annotated[tuple[Finding, ...], Meta(max_length=LINES_MAX)] = ()
    """(number of the observation, value with its unit), the newest of each."""
    written_by: Short = ""
    advice: Annotated[str, Meta(max_length=160)] = ""
    left_out: Annotated[int, Meta(ge=0, le=9_999)] = 0
    """How many lines of the lists did not fit; a reader is told that there is more."""


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
