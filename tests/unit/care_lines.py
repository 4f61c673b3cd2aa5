"""Lines of care that people apart may write about one patient: for tests of any interleaving."""

from __future__ import annotations

from typing import Any

from protocols.records.codes import CONFIRMABLE

DOUBTS = (
    "allergy_listed",
    "allergy_match",
    "future_time",
    "given_recently",
    "offer_stands",
    "offered_elsewhere",
    "order_stopped",
    "ordered_already",
    "tag_in_use",
    "unusual_value",
    "weights_differ",
)
"""Codes that are asked of care; a line confirms no more than sixteen."""
assert set(DOUBTS) <= set(CONFIRMABLE)

ANYWAY: dict[str, Any] = {"confirm": list(DOUBTS), "reason": "why"}
"""Whoever writes has seen every doubt and says why."""

NAMED = {"order": (88,), "offer": (112,), "answers": (112, 113)}
"""Fields that hold a number here and name a fact of one of these kinds in a line."""

PARACETAMOL: dict[str, Any] = {
    "substance": "paracetamol",
    "dose": {"value": "500", "unit": "mg"},
    "route": "oral",
    "frequency": {"way": "times-a-day", "every": 4},
}

CARE: tuple[tuple[str, dict[str, Any]], ...] = (
    ("allergy.record", {"status": "none-known"}),
    ("allergy.record", {"code": "penicillins", "reaction": "rash", "severity": "mild"}),
    ("allergy.record", {"code": "penicillins", "reaction": "anaphylaxis", "severity": "severe"}),
    ("allergy.record", {"code": "penicillins", "status": "refuted"}),
    ("allergy.record", {"text": "mango"}),
    ("observation.record", {"code": "weight", "value": "40", "unit": "kg"}),
    ("observation.record", {"code": "weight-estimated", "value": "60", "unit": "kg"}),
    ("order.place", PARACETAMOL),
    ("order.place", {**PARACETAMOL, "substance": "amoxicillin", "override": "no other"}),
    ("administration.record", {"order": 0}),
    ("administration.record", {"order": 1, "status": "refused"}),
    ("order.stop", {"order": 0}),
    ("condition.record", {"code": "burn", "onset": "2026-05", "event_relation": "direct"}),
    ("condition.record", {"text": "Burn", "status": "resolved"}),
    ("encounter.move", {"isolation": "enteric", "ward": "W1", "syndrome": "watery-diarrhoea"}),
    ("encounter.move", {"isolation": "none", "event_relation": "indirect"}),
    ("transfer.offer", {"to": {"organisation": "Red Crescent"}, "injuries": "left femur"}),
    ("transfer.offer", {"to": {"organisation": "Red Star"}}),
    ("transfer.accept", {"offer": 0}),
    ("transfer.decline", {"answers": 1}),
    ("procedure.record", {"code": "wound-suture", "body_site": "hand", "side": "left"}),
    ("intake.record", {"what": "stool", "volume_ml": "300", "times": 2, "estimated": True}),
    ("guideline.step", {"name": "cholera-c", "version": "1", "step": "first", "course": 1}),
    ("guideline.step", {"name": "cholera-c", "version": "2", "step": "first", "did": "skipped"}),
)
