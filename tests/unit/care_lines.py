"""Lines of care that people apart may write about one patient: for tests of any interleaving."""

from __future__ import annotations

from typing import Any

from protocols.records.codes import CONFIRMABLE

ANYWAY: dict[str, Any] = {"confirm": sorted(CONFIRMABLE), "reason": "why"}
"""Whoever writes has seen every doubt and says why."""

CARE: tuple[tuple[str, dict[str, Any]], ...] = (
    ("allergy.record", {"status": "none-known"}),
    ("allergy.record", {"code": "penicillins", "reaction": "rash", "severity": "mild"}),
    ("allergy.record", {"code": "penicillins", "reaction": "anaphylaxis", "severity": "severe"}),
    ("allergy.record", {"code": "penicillins", "status": "refuted"}),
    ("allergy.record", {"text": "mango"}),
)
