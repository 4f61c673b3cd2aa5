"""Screens of care for the goldens and for the tests that go over every page."""

CARED = "a patient with everything there is of care"
"""In front of the keys: the first patient of the ward has it."""

CHART = [CARED, "f3", *"haddad", "enter", "enter"]
MEDICINES = [*CHART, "m"]

SCREENS = {
    "care": [*CHART, "c"],
    "allergies": [*CHART, "c", "a", "down"],
    "allergy": [*CHART, "c", "a", "n"],
    "allergy-number": [*CHART, "c", "a", "n", "1"],
    "allergy-letters": [*CHART, "c", "a", "n", *"pe"],
    "allergy-own-words": [*CHART, "c", "a", "n", *"pea", "enter"],
    "allergy-none": [*CHART, "c", "a", "k"],
    "allergy-refute": [*CHART, "c", "a", "x"],
    "problems": [*CHART, "c", "p"],
    "problem": [*CHART, "c", "p", "n"],
    "problem-over": [*CHART, "c", "p", "r"],
    "visit": [*CHART, "c", "p", "c", "4", "4"],
    "medicines": MEDICINES,
    "medicines-stopped": [*MEDICINES, "down", "down", "down"],
    "give": [*MEDICINES, "g"],
    "give-why": [*MEDICINES, "g", "2", "enter"],
    "give-whole-units": [*MEDICINES, "down", "down", "g", "1", "tab", *"10", "enter", "enter"],
    "give-without": [*MEDICINES, "w", *"adrenaline", "enter", *"0.5", "enter"],
    "stop-order": [*MEDICINES, "s"],
    "order": [*CHART, "c", "o", *"amo"],
    "order-proposed": [*CHART, "c", "o", *"examplin", "enter"],
    "order-worked": [*CHART, "c", "o", *"amoxicillin", "enter", *"400", "enter", "1"],
    "order-often": [*CHART, "c", "o", *"ors", "enter", *"400", "enter", "1", "1"],
    "procedure": [*CHART, "c", "d"],
    "addendum": [*CHART, "down", "c", "n", *"better"],
    "discharge": [*CHART, "c", "x", "1"],
    "discharge-died": [*CHART, "c", "x", "7", *["enter"] * 4],
}
