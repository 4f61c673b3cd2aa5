"""Sessions, vials and children for tests of immunization."""

from __future__ import annotations

from typing import Any

from protocols.ids import SessionId
from tests.unit.records_shelf import Shelf, Written

CELLS = [
    {"vaccine": "mr", "dose": 1, "band": 2, "sex": "female"},
    {"vaccine": "mr", "dose": 1, "band": 2, "sex": "male"},
]
BORN = "2025-01-10"
"""Sixteen months old at the clock of a shelf, 28 May 2026."""


def opened(shelf: Shelf, **data: Any) -> str:
    """Open a session for measles-rubella; return its id."""
    line = {key: data.pop(key) for key in ("store", "site", "at") if key in data}
    made = shelf.write("session.open", {"vaccines": ["mr"], "cells": CELLS, **data}, **line)
    return str(SessionId(made.subject))


def vial(shelf: Shelf, session: str, **data: Any) -> str:
    """Open a vial of ten; return its id."""
    line = {key: data.pop(key) for key in ("at", "confirm") if key in data}
    about = {"session": session, "item": "vaccine-mr-10", "lot": "MR-1", "expiry": "2027-03"}
    return shelf.write("vial.open", {**about, **data}, **line).fact


def child(shelf: Shelf, born: str = BORN, **data: Any) -> Written:
    """Register a child."""
    return shelf.write("patient.register", {"birth_date": born, "sex": "female", **data})


def code_of(shelf: Shelf, kind: str, data: dict[str, Any], **line: Any) -> str:
    """The code with which a line is refused; of what has to be confirmed that code."""
    refused = shelf.refused(kind, data, **line)
    return str(refused.values.get("confirm") or refused.code)
