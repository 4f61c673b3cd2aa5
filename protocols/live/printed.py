"""What the calls that print answer, for both ends."""

from __future__ import annotations

import msgspec

from protocols.live.api import BoardPage, Chart
from protocols.records.summary import Summary


class PrintedWard(msgspec.Struct, frozen=True):
    """`print_ward`: args offset. A page of everybody in care; the trail says it was printed."""

    node: str
    """What this device is called."""
    at_ms: int
    page: BoardPage


class PrintedChart(msgspec.Struct, frozen=True):
    """`print_chart`: args patient, sheet ('handover' or 'wristband'), reason.

    Of another team's patient a reason is asked for, unless one was given in this session.
    """

    node: str
    at_ms: int
    chart: Chart


class Printed(msgspec.Struct, frozen=True):
    """`print_summary`: args patient, advice, reason. The trail says so first."""

    text: str
    """What a scanner types: at most 600 capitals and digits."""
    said: Summary
    """What it says; `left_out` lines did not fit."""
