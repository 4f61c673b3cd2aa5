"""What a patient takes along on paper: a few hundred bytes that whoever takes over reads.

No record and no row: it is made of rows, signed apart (`trust/paper.py`) and read by nodes that
may hold nothing of the patient. Numbers and codes stand for what a reader's own language names.
Its bytes are in `summary_bytes.py`: a terminal shows a summary and never loads what reads one.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

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
