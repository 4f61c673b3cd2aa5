"""From which open vial the next dose of crowd mode is drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from protocols.live.drive import VialLine


def vial_for(
    vials: Sequence[VialLine], vaccine: str, drawn: Mapping[str, int], now_ms: int
) -> VialLine | None:
    """Return the vial of a vaccine that was opened first, may still be used, and is not empty.

    One whose lot was stopped comes after all others: the node refuses what is drawn from it, and
    what was drawn before that was known can be said.

    Args:
        vials: Those in use, the first opened first, as they were told.
        vaccine: Its code.
        drawn: Doses drawn here since they were told, by vial.
        now_ms: Unix milliseconds: a vial may have passed its limit since it was told.
    """
    usable = (
        vial
        for vial in vials
        if vial.vaccine == vaccine
        and not (vial.past or vial.closed)
        and (vial.limit_ms is None or now_ms <= vial.limit_ms)
        and vial.left - drawn.get(vial.id, 0) > 0
    )
    return min(usable, key=lambda vial: bool(vial.stop), default=None)
