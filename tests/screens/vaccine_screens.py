"""Screens of vaccination, as keys from the board."""

CARD = [*"]C0KM-20931", "enter"]
DRIVE = ["f4", "enter"]
NEW = [*DRIVE, *CARD, *"22", "enter", "2"]
KNOWN = [*DRIVE, *"]C0TG-000412", "enter"]
DOSE = ["1", "enter", *"20250314", "enter", "1", "enter", "enter", "enter"]
"""One dose of a card: vaccine, day, number, no lot."""
BESIDE = ["f4", "down", "enter"]
"""A session that gives vitamin A and deworming and measures arms."""
BEFORE = [*DRIVE, *"]d2STOP", "enter", "enter", "g", *"2026-05-20", "enter"]
"""A vial that was open before its lot was recalled."""
CROWD = ["f4", "k"]
CHART = ["f3", *"haddad", "enter", "enter"]

SCREENS = {
    "immunise": ["f4"],
    "session": ["f4", "n", *"1 2", "enter"],
    "session-store": ["f4", "n", *"1 2", "enter", *"Kome", "enter", *"A", "enter"],
    "session-cells": ["f4", "n", *"mr", *["enter"] * 1, "tab", "tab", "tab", "tab", "tab",
                      *"mr 1 2 x", "tab"],
    "session-close": ["f4", "c"],
    "drive": DRIVE,
    "drive-new": [*DRIVE, *CARD],
    "drive-due": NEW,
    "drive-name": [*NEW, "n", *"Okoro"],
    "drive-stop": [*NEW, "0"],
    "drive-stopped": [*NEW, "0", "4"],
    "drive-no-vial": [*NEW, "3"],
    "drive-saved": [*NEW, "enter"],
    "drive-known": KNOWN,
    "drive-known-again": [*KNOWN, "enter", *"]C0TG-000412", "enter"],
    "drive-beside": [*BESIDE, *"]C0TG-000412", "enter"],
    "drive-beside-given": [*BESIDE, *"]C0TG-000412", "enter", "enter", *"]C0TG-000412", "enter"],
    "drive-beside-measure": [*BESIDE, *CARD, *"11", "enter", "2", "6", *"1"],
    "drive-beside-refer": [*BESIDE, *CARD, *"11", "enter", "2", "6", *"112", "enter"],
    "crowd-beside": ["f4", "down", "k", "4"],
    "drive-find": [*DRIVE, "/", *"haddad", "enter", *"34y"],
    "drive-found": [*DRIVE, "/", *"haddad", "enter", "enter"],
    "drive-menu": [*DRIVE, "*"],
    "vial": [*DRIVE, *"]d2MR", "enter"],
    "vial-by-hand": [*DRIVE, "*", "1"],
    "vial-expired": [*DRIVE, *"]d2OLD", "enter"],
    "vial-recalled": [*DRIVE, *"]d2STOP", "enter", "enter"],
    "vial-opened-before": [*BEFORE, *"1305", "enter", "enter", "enter"],
    "drive-opened-before": [*BEFORE, *"1305", *["enter"] * 4, *CARD, *"22", "enter", "2"],
    "vials": ["f4", "v"],
    "vials-opened-before": [*BEFORE, *"1305", *["enter"] * 4, "*", "2"],
    "vial-discard": ["f4", "v", "x", "3"],
    "crowd": [*CROWD, "1", "1", "2"],
    "crowd-no-vial": [*CROWD, "3"],
    "crowd-correct": [*CROWD, "c", *"1", "enter", *"2", "enter"],
    "vaccine-card": [*KNOWN, "enter", *"]C0TG-000412", "enter", "c"],
    "card-doses": [*KNOWN, "d"],
    "vaccine-card-of-chart": [*CHART, "c", "v"],
    "card-doses-of-chart": [*CHART, "c", "v", "d", *DOSE],
    "card-doses-next": [*KNOWN, "d", *DOSE, "1", "enter", *"2025-04", "enter"],
    "drive-after-card": [*KNOWN, "d", *DOSE, "escape"],
    "aefi": [*KNOWN, "enter", *"]C0TG-000412", "enter", "c", "a", "3", *"07"],
    "cover": ["f4", "o"],
    "cover-beside": ["f4", "down", "o"],
    "cover-children": ["f4", "o", "s"],
    "twice": ["f4", "d"],
    "decide": ["f4", "d", "enter"],
}  # fmt: skip
