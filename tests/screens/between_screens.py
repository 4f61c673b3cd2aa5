"""Screens of hand-over, differing values, doubles and papers, for the goldens."""

from __future__ import annotations

import msgspec

from protocols.live.alike import AlikeLine
from tests.screens.fake_between import (
    PAPER,
    PARTIES,
    PROOF,
    STRANGER,
    a_paper,
    a_proof,
    an_offer,
    differ,
    new_doses,
)
from tests.screens.fake_node import FakeNode

TEAMS = "a node with offers, differing values, doubles and a paper"
HADDAD = ("down", "down", "enter")
SCREENS: dict[str, list[str]] = {
    "unsettled": [TEAMS, "f6", "u"],
    "unsettled-patient": [TEAMS, *HADDAD, "u"],
    "settle-allergy": [TEAMS, *HADDAD, "u", "enter", "down"],
    "settle-custody": [TEAMS, *HADDAD, "u", "down", "enter"],
    "settle-weight": [TEAMS, *HADDAD, "u", "down", "down", "enter"],
    "settle-dose": [TEAMS, *HADDAD, "u", "down", "down", "down", "enter"],
    "transfer-to": [TEAMS, *HADDAD, "r"],
    "transfer-mist": [TEAMS, *HADDAD, "r", "enter", *"fell from a roof", "enter"],
    "transfer-sbar": [TEAMS, *HADDAD, "r", "end", "s", *"Lycee ward", "enter", *"worse", "enter"],
    "offers": [TEAMS, "f6", "o"],
    "offer": [TEAMS, "f6", "o", "enter"],
    "offer-from-here": [TEAMS, "f6", "o", "down", "enter"],
    "offer-decline": [TEAMS, "f6", "o", "enter", "d"],
    "lists": ["f10", "9"],
    "doubles": [TEAMS, "f10", "9", "3"],
    "double": [TEAMS, "f10", "9", "3", "enter"],
    "paper-read": [TEAMS, *f"]Q3{PAPER}", "enter"],
    "paper-register": [TEAMS, *f"]Q3{PAPER}", "enter", "n"],
    "proof-read": [TEAMS, *f"]Q3{PROOF}", "enter"],
    "proof-doses": [TEAMS, *f"]Q3{PROOF}", "enter", "d"],
    "proof-receiver": [TEAMS, *f"]Q3{STRANGER}", "enter", "d", *"haddad", "enter"],
    "help-transfer": [TEAMS, *HADDAD, "r", "enter", "f1"],
}


def between_teams(node: FakeNode) -> None:
    """Fill a ward with what happens between teams."""
    now = node.now_ms
    heads = {one.head.name: one.head for one in node.patients.values()}
    haddad, osei, li = heads["Haddad Nour"], heads["Osei Kwame"], heads["Li Wei"]
    node.disputed[haddad.patient] = [
        differ(haddad, "allergy", "penicillins", now, "penicillins|anaphylaxis|severe",
               "penicillins|rash|mild"),
        differ(haddad, "custody", "", now, "accepted Red Star", "declined"),
        differ(haddad, "weight", "", now, "40 kg", "60 kg", "58 kg weight-estimated"),
        differ(haddad, "dose", "morphine", now, "morphine 5 mg iv", "morphine 5 mg iv"),
    ]  # fmt: skip
    weights = node.disputed[haddad.patient][2]
    unused = tuple(msgspec.structs.replace(side, used=False) for side in weights.sides)
    node.disputed[haddad.patient][2] = msgspec.structs.replace(weights, sides=unused)
    node.parties = PARTIES
    node.suggested = {"injuries": "femur fracture, left", "background": "penicillins"}
    node.offered = [
        an_offer(li, now),
        an_offer(haddad, now, to="Camp hospital", to_us=False, from_here=True),
        an_offer(osei, now, to="Red Star", to_us=False, said=()),
    ]
    node.doubles = [AlikeLine(osei, 70, ("name", "age"), li), AlikeLine(haddad, 45, ("tag",), osei)]
    node.paper = a_paper(now, patient=li.patient)
    node.proof = a_proof(now, patient=li.patient)
    node.paper_new = new_doses("here", "new")
