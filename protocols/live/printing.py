"""What is about to be printed: the audit trail says so first, then the content is given out.

Where the trail cannot be written, nothing is printed (SAFETY and the trail's own rule: what leaves
the node stands in it before it leaves).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from protocols.errors import InputError
from protocols.ids import PatientId
from protocols.ledger import audit
from protocols.ledger.audit import Event
from protocols.ledger.view import BookView
from protocols.live import answers, wards
from protocols.live.audited import event
from protocols.live.printed import PrintedChart, PrintedWard
from protocols.mesh.effects import Effect, Now
from protocols.mesh.node import Node
from protocols.records.display import clean_text
from protocols.trust.audit import REASON_CHARS_MAX, What

WARD, HANDOVER, WRISTBAND, LETTER = "ward", "handover", "wristband", "letter"
CHART_SHEETS = (HANDOVER, WRISTBAND, LETTER)
"""Prints about one patient."""

Doer = Callable[..., tuple[object, Sequence[Effect]]]


def ward(
    node: Node, now: Now, args: Mapping[str, Any], *, session: int = 0
) -> tuple[PrintedWard, Sequence[Effect]]:
    """Give out a page of the ward list; its first page is noted in the trail.

    Raises:
        InputError: `bad_line`, `sealed_here`.
        LedgerError: The trail could not be written.
    """
    if node.ledger.authority.keyring.closed:
        raise InputError("sealed_here")
    offset = args.get("offset", 0)
    if not isinstance(offset, int) or isinstance(offset, bool) or offset < 0:
        raise InputError("bad_line", field="args.offset")
    page = wards.board(node.ledger, offset, answers.BOARD_MAX, "", now.wall_ms)
    told: Sequence[Effect] = ()
    if offset == 0:
        said = event(now, What.PRINT, session=session, reason=WARD, count=max(page.total, 1))
        told = node.audit([said], now)
    return PrintedWard(_name(node), now.wall_ms, page), told


def chart(
    node: Node,
    now: Now,
    args: Mapping[str, Any],
    *,
    session: int = 0,
    opened: Callable[[PatientId], bool] = lambda patient: False,
) -> tuple[PrintedChart, Sequence[Effect]]:
    """Give out one patient's chart for a sheet of paper, once the trail says so.

    Raises:
        InputError: `bad_line`, `not_found`, `sealed_here`, `too_long`; `other_team`, with the
            organisations whose patient it is, where a reason is needed.
        LedgerError: The trail could not be written.
    """
    if node.ledger.authority.keyring.closed:
        raise InputError("sealed_here")
    sheet, reason = args.get("sheet"), args.get("reason", "")
    if sheet not in CHART_SHEETS or not isinstance(reason, str):
        raise InputError("bad_line", field="args.sheet", allowed=CHART_SHEETS)
    if len(reason) > REASON_CHARS_MAX:
        raise InputError("too_long", field="reason", limit=REASON_CHARS_MAX)
    patient = _patient(node, now, args)
    events: list[Event] = []
    teams = () if opened(patient) else audit.other_team(node.ledger, patient)
    if teams and not reason.strip():
        raise InputError("other_team", field="patient", teams=tuple(map(clean_text, teams)))
    if teams:
        why = {"patient": bytes(patient), "reason": reason.strip()}
        events.append(event(now, What.READ_OUTSIDE_TEAM, session=session, **why))
    printed = {"patient": bytes(patient), "reason": str(sheet)}
    events.append(event(now, What.PRINT, session=session, **printed))
    told = node.audit(events, now)
    found = answers.chart(node.ledger, str(patient), 0, answers.CHART_MAX, now.wall_ms)
    return PrintedChart(_name(node), now.wall_ms, found), told


DEEDS: dict[str, Doer] = {"print_ward": ward, "print_chart": chart}


def _patient(node: Node, now: Now, args: Mapping[str, Any]) -> PatientId:
    """Return whose sheet it is: by id, or by the short code on the wristband."""
    text = args.get("patient")
    if not isinstance(text, str):
        raise InputError("bad_line", field="args.patient")
    return BookView(node.ledger, now.wall_ms).patient_named(text)


def _name(node: Node) -> str:
    return clean_text(node.ledger.authority.name_of(node.ledger.authority.device))
