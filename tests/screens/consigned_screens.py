"""Screens of shipments, recalls and the cold chain, for the goldens."""

from __future__ import annotations

CONSIGNED = "a node with shipments of every state, a recall, and a fridge that froze"
OTHERS = "the same where other teams' patients received of the recalled lot"
LISTS = [CONSIGNED, "f10", "9"]
SHIPMENTS, RECALLS, COLD = [*LISTS, "5"], [*LISTS, "6"], [*LISTS, "7"]
REQUESTED, WAY, APPROVED, RESERVED, LAPSED, PARTLY = (
    [*SHIPMENTS, *["down"] * at, "enter"] for at in range(6)
)
ASKING = [*SHIPMENTS, "n", *"ringer1", *"3x20", "enter"]
SENDING = [CONSIGNED, "f5", "s", "1", *"ringer1"]
SCREENS: dict[str, list[str]] = {
    "shipments": SHIPMENTS,
    "shipments-none": ["f10", "9", "5"],
    "shipments-over": [*SHIPMENTS, "h", "end"],
    "shipment-requested": REQUESTED,
    "shipment-way": WAY,
    "shipment-lapsed": LAPSED,
    "shipment-partly": PARTLY,
    "shipment-twice": [*PARTLY, "i", "end"],
    "shipment-steps": [*WAY, "i", "end"],
    "request": ASKING,
    "request-more": [*ASKING, "ctrl+n", *"morphine1", "5"],
    "send": [*SENDING, *"50"],
    "send-lot": [*SENDING, *"50", "enter"],
    "send-more": [*SENDING, *"3x10", "enter", "+", "2", "ctrl+n", *"measles1", *"20", "enter"],
    "send-later": [*SENDING, *"50", "enter", "down", "down", "down", "2", *"2026-06-01"],
    "send-controlled": [*SENDING, *"5", "ctrl+n", *"morphine1", *"5", "enter", "enter"],
    "shipment-approve": [*REQUESTED, "a", "enter", "2"],
    "shipment-reserve": [*APPROVED, "r"],
    "shipment-reserve-units": [*APPROVED, "r", "backspace", "backspace", *"3x10", "enter"],
    "shipment-dispatch": [*RESERVED, "d", *"car 3"],
    "shipment-receive": [*WAY, "c", "2", *"36", "enter", "enter"],
    "shipment-receive-rest": [*WAY, "c", "2", *"36", "enter", "1", *"20"],
    "shipment-cancel": [*REQUESTED, "x", *"came from the mill"],
    "recalls": RECALLS,
    "recall": [*RECALLS, "enter"],
    "recall-held": [*RECALLS, "enter", "q"],
    "recipients": [*RECALLS, "enter", "p"],
    "recall-glass": [OTHERS, "f10", "9", "6", "enter", "p"],
    "recall-glass-typed": [OTHERS, "f10", "9", "6", "enter", "p", "o", *"they are on our ward"],
    "recall-form": [*RECALLS, "n", *"measles1", *"0119x2", "enter", "1"],
    "cold": COLD,
    "cold-none": ["f10", "9", "7"],
    "cold-unit": [*COLD, "enter"],
    "hold-back": [*COLD, "enter", "q"],
    "reading-form": [*COLD, "n", "1", *"-1.2", "enter"],
    "alerts-supplies": [CONSIGNED, "f6", "end"],
    "drafts-supplies": [*ASKING, "escape", "escape", "escape", "d"],
    "help-shipment": [*WAY, "f1"],
}
