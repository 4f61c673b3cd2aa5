"""Screens of stores, for the goldens: keys from the board on."""

from tests.screens.care_screens import CARED, MEDICINES
from tests.screens.fake_stock import BOX, TAUGHT, UNKNOWN, WRONG

PARA = [*"parac", "1"]
CARD = ["f5", "enter"]
RECEIVE = ["f5", "r"]
ISSUE = ["f5", "i"]

SCREENS: dict[str, list[str]] = {
    "supplies": ["f5"],
    "supplies-down": ["f5", "down"],
    "supplies-filter": ["f5", "/", *"para"],
    "supplies-filtered": ["f5", "/", *"para", "enter"],
    "supplies-more": ["f5", "m"],
    "supplies-stores": ["f5", "o"],
    "supplies-site": ["f5", "o", "n", *"Pharmacy", "enter"],
    "stock-card": CARD,
    "stock-card-movement": [*CARD, "down", "down"],
    "stock-card-dated": ["f5", "down", "down", "enter", "down"],
    "stock-card-negative": ["f5", "down", "enter", "down"],
    "stock-card-held": ["f5", "down", "down", "down", "enter"],
    "stock-receive": RECEIVE,
    "stock-receive-typed": [
        *RECEIVE,
        *PARA,
        *"P3",
        "enter",
        *"2027-05",
        "enter",
        *"100",
        "enter",
        *"3",
    ],
    "stock-receive-scanned": [*RECEIVE, *BOX, "enter", *"3"],
    "stock-receive-unknown": [*RECEIVE, *UNKNOWN, "enter"],
    "stock-receive-wrong": [*RECEIVE, *WRONG, "enter"],
    "stock-receive-saved": [*RECEIVE, *TAUGHT, "enter", *"3", "enter"],
    "stock-issue": [*ISSUE, *PARA, *"2"],
    "stock-issue-other-lot": [*ISSUE, *PARA, "up", "+", "2", *"2"],
    "stock-issue-minus": [*ISSUE, *PARA, *"-2", "enter"],
    "stock-loss": ["f5", "m", "l", *PARA, "+", "1"],
    "stock-adjust": ["f5", "m", "a", *PARA, "+", "1", "2"],
    "stock-return": ["f5", "m", "b", *PARA],
    "stock-break": ["f5", "m", "k"],
    "stock-counts": ["f5", "c"],
    "stock-count": ["f5", "c", "enter", *"3"],
    "stock-counted": ["f5", "c", "enter", *"3", "enter", "enter"],
    "stock-count-lots": ["f5", "enter", "c", *"25", "enter", *"40", "enter"],
    "lot-hold": [*CARD, "h"],
    "lot-release": ["f5", "down", "down", "down", "enter", "f"],
    "lot-date": [*CARD, "f", *"2027-06", "enter", *"mistyped"],
    "allotments": ["f5", "down", "enter", "t"],
    "grant": ["f5", "down", "enter", "t", "g"],
    "dispense-to": ["f5", "m", "d", *"haddad", "enter"],
    "stock-dispense": ["f5", "m", "d", *"haddad", "enter", "enter", *TAUGHT, "enter", *"4"],
    "give-from-store": [CARED, "f5", "escape", *MEDICINES[1:], "g", "1"],
    "stock-retract": [*CARD, "down", "down", "e"],
}
