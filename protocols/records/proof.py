"""Proof of vaccination: what somebody takes along on paper of the doses they had.

No record and no row: it is made of rows, signed apart (`trust/paper.py`) and read by nodes that may
hold nothing of the person. A dose says itself what it was, so that a reader with other packs can
judge it anew. Its bytes are in `proof_bytes.py`: a terminal shows a proof and never loads what
reads one.
"""

from __future__ import annotations

from enum import IntEnum

import msgspec

NAME_CHARS_MAX = 40
TAG_CHARS_MAX = 40
WHO_CHARS_MAX = 24
"""Of who gave a dose, for whom, and where: each is cut to this before it is signed."""
DOSES_MAX = 64
"""As many as are judged of one person; see `ledger/immunization.py`."""


class Counts(IntEnum):
    """What a dose is for the schedule that the proof names."""

    NOT_JUDGED = 0
    """That schedule has nothing for it, or the birth or the day is not known well enough."""
    YES = 1
    NO = 2


class ProofDose(msgspec.Struct, frozen=True):
    """One dose that was given; texts are cleaned for display."""

    vaccine: str
    """Local code of the pack that its writer worked by."""
    cvx: str = ""
    dose: int | None = None
    """Its number in the series, as its writer took it; None: not known."""
    day: int | None = None
    """There, since 1970-01-01; None: not known."""
    lot: str = ""
    by: str = ""
    """Who gave it: a person, else the device that wrote it down."""
    org: str = ""
    """Whose device that was."""
    place: str = ""
    body_site: str = ""
    """A word of `vaccination.BODY_SITES`; '' = not said."""
    told: bool = False
    """True: copied from a card or another paper, and given by nobody of the issuer's."""
    counts: int = Counts.NOT_JUDGED


class Proof(msgspec.Struct, frozen=True):
    """Who somebody is, and the doses they had; refused ones, doubled ones and errors are left out.

    When it was issued and by which device the paper itself says, with its signature.
    """

    code: str
    """Short code of the wristband."""
    name: str = ""
    tag: str = ""
    """Number of the card or wristband."""
    sex: int = 9
    """1 male, 2 female, 3 female pregnant, 9 unknown (MDS)."""
    born: str = ""
    """`YYYY`, `YYYY-MM` or `YYYY-MM-DD`; '' = not known."""
    age: str = ""
    """With its unit, on the day of the paper, where no birth date is known: `~22 mo`."""
    schedule: str = ""
    """Name and version of the pack that its doses were judged by."""
    approved: bool = False
    """Whether a clinical lead stood by that version."""
    written_by: str = ""
    """Person who was signed in, else the device."""
    doses: tuple[ProofDose, ...] = ()
    """The oldest first; those of no known day count as the oldest."""
    left_out: int = 0
    """How many of the oldest did not fit."""
