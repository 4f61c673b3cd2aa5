"""What is said of signed papers over the local socket, typed once for both ends."""

from __future__ import annotations

import msgspec

from protocols.records.proof import Proof
from protocols.records.summary import Summary

HOLDS, FORGED, UNKNOWN, SEALED, ENDED = "holds", "forged", "unknown", "sealed", "ended"
"""What a paper is worth: signed by a member that counts; not what was signed; of a certificate that
is not here; of a device that was sealed since; of a certificate that is over."""


class PaperRead(msgspec.Struct, frozen=True):
    """`paper_read`: args text. What a scanned paper says, and whether to believe it."""

    worth: str
    """`holds`, `forged`, `unknown`, `sealed` or `ended`."""
    at_ms: int
    """By the clock of the device that signed, to the minute."""
    device: str
    """Its name, as far as it can be read here; '' when the certificate is not here."""
    org: str
    certificate: str
    """Which certificate it names, in the letters that are compared by voice."""
    kind: int
    said: Summary | None
    """None for a kind of later software, and for a proof of vaccination."""
    patient: str = ""
    """Id of the patient here who has that short code or, alone, that tag; '' when there is none."""
    proof: Proof | None = None
    """Of a proof of vaccination."""
    names: dict[str, dict[str, str]] = {}
    """Words for its vaccines by code and language, as the packs here have them."""
