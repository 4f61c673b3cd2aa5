"""What is said of proofs of vaccination over the local socket, typed once for both ends.

Days are ISO dates; '' is a day that nobody knows. Words are by language code, from the packs.
"""

from __future__ import annotations

from typing import Any

import msgspec

from protocols.records.proof import Proof, ProofDose

Words = dict[str, str]
"""A word by language code; English is always there."""


class NextLine(msgspec.Struct, frozen=True):
    """What one series needs next."""

    words: Words
    number: int
    state: str
    """`due`, `overdue`, `not-yet` or `unsure`."""
    day: str
    """From when; '' = depends on a birth that is not known well enough."""
    sure: bool = True


class PrintedProof(msgspec.Struct, frozen=True):
    """`print_vaccination`: args patient, sheet ('vaccination' or 'card'), reason.

    The trail says so first. Of another team's patient a reason is asked for, unless one was given
    in this session.
    """

    node: str
    """What this device is called."""
    at_ms: int
    text: str
    """What a scanner types: at most 600 capitals and digits; '' for a card, which is not signed."""
    said: Proof
    """What it says; of a card every dose, of a signed one as many as fit."""
    names: dict[str, Words] = {}
    """Of its vaccines, by local code."""
    next_day: str = ""
    """The first day on which something is due; '' = nothing is to come, or no day is sure."""
    next_sure: bool = True
    coming: tuple[NextLine, ...] = ()
    """What is to come, by day; those of no sure day last."""


class PaperDose(msgspec.Struct, frozen=True):
    """One dose of a paper, beside what is here."""

    dose: ProofDose
    state: str
    """`new`, `here`, `differs`, `undated`, `impossible` or `unknown`; see `ledger/proofs.py`."""


class PaperDoses(msgspec.Struct, frozen=True):
    """`paper_doses`: args text, patient, reason. What a paper would add to somebody's doses.

    Nothing is written by it: `lines` are for `record`, one a dose, once a person has said so.
    Raises as `paper_read` and `print_chart`; `paper_not_taken` for a paper that is no proof of
    vaccination, or is not to be believed.
    """

    patient: str
    name: str
    """Of the patient here."""
    born: str
    differs: tuple[str, ...]
    """Of `birth_date`, `name` and `sex`, what the paper says otherwise than this book."""
    doses: tuple[PaperDose, ...]
    names: dict[str, Words]
    lines: tuple[dict[str, Any], ...]
    left_out: int = 0
    """How many doses did not fit on the paper."""
