"""One short and one full sample of the value of every kind of care, as it is signed."""

from __future__ import annotations

from protocols.records.allergy import AllergyRecord
from protocols.records.catalogue import encode_fact
from protocols.records.kinds import KindNo
from protocols.records.shape import Circumstances, Source, Statement

EARLIER = (b"e" * 16, 3)
WHEN = Circumstances(1_780_000_000, "hour", "Ana", Source.PAPER, None, "why", ("tag_in_use",))

VALUES: dict[str, tuple[KindNo, Statement]] = {
    "allergy none known": (KindNo.ALLERGY_RECORD, AllergyRecord(status=1)),
    "allergy full": (
        KindNo.ALLERGY_RECORD,
        AllergyRecord(WHEN, (EARLIER,), 2, 1, "mango", 5, 3, 2, "as a child"),
    ),
}


def samples() -> dict[str, bytes]:
    """Every sample by name."""
    return {name: encode_fact(kind, value) for name, (kind, value) in VALUES.items()}
