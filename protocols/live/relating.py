"""The answer to `relations`: the records that belong together with one, as lines of the board."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from protocols.errors import InputError
from protocols.ids import PatientId
from protocols.ledger import reading
from protocols.ledger.relations import of_patient
from protocols.live.answers import board_line
from protocols.live.members import Reader
from protocols.live.relation import RelationLine, Relations
from protocols.mesh.effects import Now
from protocols.mesh.node import Node
from protocols.records.patient import RELATIONS


def relations(node: Node, now: Now, args: Mapping[str, Any]) -> Relations:
    """Return what is said now; a record that is not here is left out.

    Raises:
        InputError: `bad_id`.
    """
    wanted = args.get("patient")
    if not isinstance(wanted, str):
        raise InputError("bad_line", field="args.patient")
    lines = []
    for one in of_patient(node.ledger.store, PatientId.parse(wanted)):
        row = reading.patient(node.ledger, one.other)
        if row is None or not 0 <= one.relation < len(RELATIONS):
            continue
        lines.append(
            RelationLine(
                board_line(row, now.wall_ms),
                RELATIONS[one.relation],
                one.linked,
                one.disputed,
                one.forward,
            )
        )
    return Relations(tuple(lines))


READS: dict[str, Reader] = {"relations": relations}
