"""Invented patients and their care, as lines for `fieldnode record`; the same seed, the same lines.

Every patient carries a tag, and later lines name the patient by it: so a line can be written on
any device that has heard of the patient, without knowing an id.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from protocols.sim import names
from protocols.sim.chance import seeded

Line = dict[str, Any]

_SEXES = ("male", "female", "female", "male", "female-pregnant", "unknown")
_TRIAGE = ("red", "yellow", "yellow", "green", "green", "green", "expectant", "dead")
_CASUALTIES = (*("red",) * 5, *("yellow",) * 6, *("green",) * 8, "dead")
_CONSENT = ("yes", "yes", "yes", "no", "implied", "unknown")
_VITALS: tuple[tuple[str, int, int, int, str], ...] = (
    ("heart-rate", 62, 110, 0, "/min"),
    ("respiratory-rate", 12, 24, 0, "/min"),
    ("spo2", 92, 100, 0, "%"),
    ("systolic", 100, 150, 0, "mm[Hg]"),
    ("temperature", 362, 389, 1, "Cel"),
    ("weight", 420, 880, 1, "kg"),
)
"""Code, lowest, highest, decimals and unit: what is usual for an adult, so nothing asks back."""


class Workload:
    """One stream of work. Two with the same seed and name write the same lines.

    Args:
        seed: Of the whole drill, bench or demo.
        name: Of this writer; its tags and keys begin with it.
        canary: A word put into names and notes, to be searched for where none may be; '' = none.
    """

    def __init__(self, seed: int, name: str = "w", *, canary: str = "") -> None:
        self._chance = seeded(seed, "workload", name)
        self._name = name
        self._canary = canary
        self._keys = 0
        self.tags: list[str] = []
        """Tags of the patients this writer registered, oldest first."""

    def lines(self, count: int) -> Iterator[Line]:
        """Yield a usual mix by somebody who knows only the patients registered here."""
        for _ in range(count):
            yield self.next(self.tags)

    def histories(
        self, patients: int, *, edits: int = 5, devices: int = 2
    ) -> Iterator[tuple[int, Line]]:
        """Yield (device, line): all registrations first, then `edits` rounds by other devices."""
        homes = []
        for number in range(patients):
            homes.append(number % devices)
            yield homes[-1], self.register()
        tags = self.tags[-patients:]
        for turn in range(edits):
            for home, tag in zip(homes, tags, strict=True):
                yield (home + 1 + turn % max(1, devices - 1)) % devices, self._edit(tag, turn)

    def next(self, tags: Sequence[str]) -> Line:
        """Return one line: a new patient, or care for one of those that the writer has met."""
        if not tags or self._chance.random() < 0.2:
            return self.register()
        recent = tags[-30:]
        return self.care(recent[int(self._chance.random() * len(recent))])

    def care(self, tag: str) -> Line:
        """Return one line about a known patient: vitals mostly; triage, edits and notes too."""
        turn = self._chance.random()
        if turn < 0.15:
            return self.triage(tag)
        if turn < 0.35:
            return self.identify(tag)
        return self.note(tag) if turn < 0.5 else self.vital(tag)

    def register(self) -> Line:
        """Return the registration of a new patient: 25 attributes."""
        pick, tag = self._chance, f"{self._name}{len(self.tags) + 1:06d}"
        self.tags.append(tag)
        data: Line = {
            "family_name": self._family(),
            "given_name": pick.choice(names.GIVEN),
            "other_names": pick.choice(names.GIVEN),
            "mother_name": f"{pick.choice(names.GIVEN)} {pick.choice(names.FAMILY)}",
            "sex": pick.choice(_SEXES),
            "age": {"value": pick.randint(18, 64), "unit": "y", "estimated": pick.random() < 0.5},
            "band": 4,
            "tags": [tag],
            "phone": self._phone(),
            "village": pick.choice(names.VILLAGE),
            "district": pick.choice(names.DISTRICT),
            "address": f"block {pick.randint(1, 40)}, shelter {pick.randint(1, 400)}",
            "nationality": pick.choice(names.NATIONALITY),
            "language": pick.choice(names.LANGUAGE),
            "national_id": {"system": "card", "value": str(pick.randint(10**8, 10**9 - 1))},
            "occupation": pick.choice(names.OCCUPATION),
            "next_of_kin": {
                "name": f"{pick.choice(names.GIVEN)} {self._family()}",
                "relation": pick.choice(names.RELATION),
                "phone": self._phone(),
            },
            "consent": {"treat": pick.choice(_CONSENT), "share": pick.choice(_CONSENT)},
            "guardian": f"{pick.choice(names.GIVEN)} {pick.choice(names.FAMILY)}",
            "marks": pick.choice(names.MARK),
            "household": f"H{pick.randint(1, 4_000):04d}",
            "displacement": pick.choice(names.DISPLACEMENT),
        }
        return self._line("patient.register", data)

    def casualty(self) -> Line:
        """Return the triage of somebody who is known by a new tag alone."""
        pick, tag = self._chance, f"{self._name}{len(self.tags) + 1:06d}"
        self.tags.append(tag)
        data = {
            "category": pick.choice(_CASUALTIES),
            "tag": tag,
            "band": pick.choice((2, 3, 4, 4, 4, 5, 9)),
            "sex": pick.choice(("male", "female", "unknown")),
            "problem": pick.choice(names.COMPLAINT) + self._mark(),
        }
        return self._line("triage.record", data)

    def triage(self, tag: str) -> Line:
        """Return a triage category: the one line that travels urgently."""
        data = {
            "category": self._chance.choice(_TRIAGE),
            "problem": self._chance.choice(names.COMPLAINT) + self._mark(),
        }
        return self._line("triage.record", data, tag)

    def vital(self, tag: str) -> Line:
        """Return one measurement, usual for an adult."""
        code, low, high, decimals, unit = self._chance.choice(_VITALS)
        number = self._chance.randint(low, high)
        value = f"{number / 10:.1f}" if decimals else str(number)
        return self._line("observation.record", {"code": code, "value": value, "unit": unit}, tag)

    def identify(self, tag: str) -> Line:
        """Return a correction of one or two attributes."""
        pick = self._chance
        data: Line = {"village": pick.choice(names.VILLAGE)}
        if pick.random() < 0.5:
            data["family_name"] = self._family()
        return self._line("patient.identify", data, tag)

    def note(self, tag: str) -> Line:
        """Return a free note; its last word is found in no other."""
        text = f"{self._chance.choice(names.NOTE)}{self._mark()} [{self._name}-{self._keys}]"
        return self._line("note.add", {"text": text}, tag)

    def _edit(self, tag: str, turn: int) -> Line:
        kinds = (self.vital, self.vital, self.identify, self.vital, self.note)
        return kinds[turn % len(kinds)](tag)

    def _family(self) -> str:
        return self._chance.choice(names.FAMILY) + self._mark()

    def _phone(self) -> str:
        return f"+{self._chance.randint(20, 99)} {self._chance.randint(10**7, 10**8 - 1)}"

    def _mark(self) -> str:
        return f" {self._canary}" if self._canary else ""

    def _line(self, kind: str, data: Line, tag: str | None = None) -> Line:
        self._keys += 1
        line: Line = {"v": 1, "kind": kind, "key": f"{self._name}-{self._keys}"}
        if tag is not None:
            line["patient"] = {"tag": tag}
        return line | {"data": data}
