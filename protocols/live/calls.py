"""The calls that a running node answers, and that a command makes itself where none runs."""

from __future__ import annotations

from protocols.live import (
    audited,
    beds,
    besides,
    care,
    consigning,
    counting,
    disputing,
    enrolling,
    erasing,
    guiding,
    handingover,
    likening,
    members,
    observing,
    packs,
    papers,
    people,
    printing,
    proving,
    relating,
    releasing,
    reviewing,
    rosters,
    shelving,
    stocklists,
    vaccinated,
    vaccinating,
)
from protocols.live.members import Doer, Reader

READS: dict[str, Reader] = (
    members.READS
    | rosters.READS
    | enrolling.READS
    | audited.READS
    | beds.READS
    | counting.READS
    | erasing.READS
    | releasing.READS
    | packs.READS
    | papers.READS
    | people.READS
    | relating.READS
    | reviewing.READS
    | disputing.READS
    | handingover.READS
    | likening.READS
    | stocklists.READS
    | shelving.READS
    | consigning.READS
    | vaccinating.READS
    | vaccinated.READS
    | besides.READS
)
"""What is answered from the book, by name."""
OF_PATIENT = (
    guiding.CALLS | care.READS | observing.READS | vaccinating.OF_PATIENT | besides.OF_PATIENT
)
"""What is answered about one patient: another team's asks for a reason first."""
DEEDS: dict[str, Doer] = (
    enrolling.DEEDS
    | erasing.DEEDS
    | releasing.DEEDS
    | people.DEEDS
    | printing.DEEDS
    | papers.DEEDS
    | proving.DEEDS
    | packs.DEEDS
    | consigning.DEEDS
)
"""What is done, whoever sits at the terminal. Who seals is asked apart: `members.DEEDS`."""
