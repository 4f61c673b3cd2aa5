"""One shift in two tents that share a store: care, stock, a cut, one lot issued twice, a count.

Everything is written through the doors that nurses and programs use, at real nodes. What lies on
the shelf is added up here by hand, step by step; at the end all four books have to say the same.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from fieldnode.demo.camp import MEMBERS, Camp, shared
from protocols.errors import SetupError
from protocols.guidelines.items import contents, named
from protocols.live.talk import PASSPHRASE_ENV

HERE, THERE = "tent-a", "tent-b"
"""The tent that keeps the store, and the one that issues from it too."""
TABLET, LOT = "paracetamol-500-tab", "P4471"
KIT, KIT_LOT = "kit-rehydration", "K12"
ORS = "ors-1l-sachet"
WAIT_S = 60.0
LOOK_S = 0.1
CARD, NEIGHBOUR = "SH-1", "SH-2"

Shelf = Counter[tuple[str, str]]
"""Units by (item, lot)."""


@dataclass(slots=True)
class Walked:
    """What a shift came to; keys are stable."""

    steps: list[str] = field(default_factory=list)
    """What was done, in order."""
    refused: list[str] = field(default_factory=list)
    """`kind: code` of lines that were not taken."""
    balances: dict[str, dict[str, int]] = field(default_factory=dict)
    """By item and lot: `expected`, and what each of the four books says, `low` where a range."""
    negative_named: int = 0
    """Movements that the books named when one lot had been issued twice."""
    range_shown: tuple[int, int] = (0, 0)
    """The balance while it was not clear whether a movement was in the count."""
    ward_list_lines: int = 0
    converged: bool = False
    reconciled: bool = False

    @property
    def good(self) -> bool:
        """Whether every balance reconciles on every node, and every step was taken."""
        shown = self.negative_named > 0 and self.range_shown[0] < self.range_shown[1]
        done = self.converged and not self.refused and self.ward_list_lines > 0
        return self.reconciled and shown and done


class Shift:
    """The walk through one shift."""

    def __init__(self, camp: Camp, say: Callable[[str], None]) -> None:
        self._camp = camp
        self._say = say
        self._keys = 0
        self.shelf: Shelf = Counter()
        """What really lies there."""
        self.walked = Walked()
        self._store = ""

    async def walk(self) -> Walked:
        """Walk it all; the camp is built and linked."""
        await self._stock_up()
        dose = await self._care()
        await self._everybody_agrees()
        await self._one_lot_twice()
        await self._wrong_patient(dose)
        await self._count_while_issuing()
        await self._print_ward()
        await self._everybody_agrees()
        await self._reconcile()
        return self.walked

    async def _stock_up(self) -> None:
        self._step("a store, a kit that is opened, a carton of tablets")
        made = await self._write(HERE, "site.register", data={"name": "Pharmacy", "type": "store"})
        self._store = made["id"]
        kit = {"item": KIT, "lot": KIT_LOT, "expiry": "2028-06", "units": 2, "why": "donation"}
        await self._move(HERE, "stock.receive", kit, +2)
        await self._move(HERE, "stock.break", {"item": KIT, "lot": KIT_LOT}, -1)
        # What a kit holds is read in the catalogue, not in the book that is to be judged.
        for part in contents(named(KIT, "kit"), 1):
            self.shelf[part.item, ""] += part.units
        carton: dict[str, Any] = {"item": TABLET, "lot": LOT, "expiry": "2028-01"}
        carton |= {"packs": {"count": 1, "size": 100}, "why": "donation"}
        await self._move(HERE, "stock.receive", carton, +100)

    async def _care(self) -> str:
        self._step("a patient: registered, triaged, measured, an order, a dose out of the store")
        person: dict[str, Any] = {"family_name": "Moreau", "given_name": "Ines", "sex": "female"}
        person |= {"tags": [CARD], "age": {"value": 34, "unit": "y"}}
        await self._write(HERE, "patient.register", data=person)
        who = {"tag": CARD}
        await self._write(HERE, "triage.record", patient=who, data={"category": "yellow"})
        vitals = [
            {"code": "temperature", "value": "38.6", "unit": "Cel"},
            {"code": "heart-rate", "value": "96", "unit": "/min"},
        ]
        await self._write(HERE, "observation.record", patient=who, data={"set": vitals})
        ordered = await self._write(
            HERE,
            "order.place",
            patient=who,
            data={
                "substance": "paracetamol",
                "dose": {"value": "1000", "unit": "mg"},
                "route": "oral",
                "frequency": {"way": "times-a-day", "every": 4},
                "indication": "fever",
            },
        )
        # Two tablets of 500 mg leave by themselves: nobody types them.
        given = await self._write(
            HERE,
            "administration.record",
            patient=who,
            store=self._store,
            data={"order": ordered["id"], "item": TABLET, "lot": LOT},
        )
        self.shelf[TABLET, LOT] -= 2
        sachets = {"item": ORS, "units": 4}
        await self._write(HERE, "stock.dispense", store=self._store, patient=who, data=sachets)
        self.shelf[ORS, ""] -= 4
        return str(given["id"])

    async def _one_lot_twice(self) -> None:
        self._step("the cables are pulled; both tents issue the same lot")
        self._camp.cut()
        ours = {"item": TABLET, "lot": LOT, "units": 60, "why": "to-ward"}
        theirs = ours | {"units": 70}
        await self._move(HERE, "stock.issue", ours, -60)
        wrong = await self._move(THERE, "stock.issue", theirs, -70)
        self._step("the cables are back; the books say that more left than was there, and name it")
        self._camp.heal()
        await self._everybody_agrees()
        row = await self._balance(HERE, TABLET, LOT)
        self.walked.negative_named = len(row["taken"]) if row["low"] < 0 else 0
        self._step("somebody looks: 70 was meant to be 7; it is taken back and written anew")
        await self._write(THERE, "entry.retract", data={"fact": wrong}, reason="7 boxes, not 70")
        self.shelf[TABLET, LOT] += 70
        await self._move(THERE, "stock.issue", ours | {"units": 7}, -7)
        await self._everybody_agrees()

    async def _count_while_issuing(self) -> None:
        self._step(
            "one tent counts and has not heard what the other issued; a range until it is said"
        )
        self._camp.cut()
        issue = {"item": TABLET, "lot": LOT, "units": 5, "why": "to-ward"}
        before = await self._move(THERE, "stock.issue", issue, -5)
        lots = [{"lot": LOT, "units": self.shelf[TABLET, LOT]}]
        await self._write(
            HERE, "stock.count", store=self._store, data={"item": TABLET, "lots": lots}
        )
        self._camp.heal()
        await self._everybody_agrees()
        row = await self._balance(HERE, TABLET, LOT)
        self.walked.range_shown = (row["low"], row["high"])
        settled = {"movement": before, "counted": True}
        await self._write(HERE, "stock.settle", data=settled)

    async def _wrong_patient(self, dose: str) -> None:
        self._step("the dose was her neighbour's: taken back, the tablets with it, and given anew")
        await self._write(HERE, "entry.retract", data={"fact": dose}, reason="given to another")
        person: dict[str, Any] = {"given_name": "Odile", "sex": "female", "tags": [NEIGHBOUR]}
        await self._write(HERE, "patient.register", data=person)
        await self._write(
            HERE,
            "administration.record",
            patient={"tag": NEIGHBOUR},
            store=self._store,
            data={
                "substance": "paracetamol",
                "dose": {"value": "1000", "unit": "mg"},
                "route": "oral",
                "item": TABLET,
                "lot": LOT,
            },
        )

    async def _print_ward(self) -> None:
        self._step("the ward list is printed")
        asked = ("print", "ward", "--data", str(self._camp.root / HERE))
        running = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "fieldnode",
            *asked,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, PASSPHRASE_ENV: self._camp.passphrase},
        )
        page, _ = await running.communicate()
        if running.returncode == 0 and CARD in page.decode():
            self.walked.ward_list_lines = page.count(b"\n")

    async def _reconcile(self) -> None:
        """Compare what lies there with what each of the four books says."""
        whole = True
        books = {name: await self._balances(name) for name in MEMBERS}
        for item, lot in sorted(set(self.shelf) | {key for held in books.values() for key in held}):
            expected = self.shelf[item, lot]
            said = {name: books[name].get((item, lot), (0, 0)) for name in MEMBERS}
            whole = whole and all(each == (expected, expected) for each in said.values())
            found = {name: low for name, (low, _) in said.items()}
            self.walked.balances[f"{item} {lot}".strip()] = {"expected": expected, **found}
        self.walked.reconciled = whole

    async def _balances(self, name: str) -> dict[tuple[str, str], tuple[int, int]]:
        page = await self._camp.ask(name, "rows", kind="balance", since=0)
        return {
            (row["item"], row["lot"]): (row["low"], row["high"])
            for row in page["rows"]
            if row["store"] == self._store
        }

    async def _balance(self, name: str, item: str, lot: str) -> dict[str, Any]:
        page = await self._camp.ask(name, "rows", kind="balance", since=0)
        rows: list[dict[str, Any]] = page["rows"]
        return next(row for row in rows if (row["item"], row["lot"]) == (item, lot))

    async def _move(self, name: str, kind: str, data: dict[str, Any], units: int) -> str:
        """Write a movement, and do it."""
        said = await self._write(name, kind, store=self._store, data=data)
        self.shelf[data["item"], data["lot"]] += units
        return str(said["id"])

    async def _write(self, name: str, kind: str, **fields: Any) -> dict[str, Any]:
        self._keys += 1
        line = {"v": 1, "kind": kind, "key": f"shift-{self._keys}", **fields}
        answer = (await self._camp.record(name, [line]))[0]
        if not answer["ok"] and answer.get("confirm"):
            line |= {"key": f"shift-{self._keys}-sure", "confirm": [answer["confirm"]]}
            answer = (await self._camp.record(name, [line]))[0]
        if not answer["ok"]:
            self.walked.refused.append(f"{kind}: {answer['error']}")
            raise SetupError(
                "demo_failed", part=f"{kind}: {answer['error']} {answer.get('field') or ''}".strip()
            )
        return answer

    async def _everybody_agrees(self) -> None:
        """Wait until four books agree."""
        ends = time.monotonic() + WAIT_S
        self.walked.converged = False
        while time.monotonic() < ends:
            digests = shared(await self._camp.states())
            whole = all(part["rows"] for digest in digests for part in digest.values())
            if whole and all(digest == digests[0] for digest in digests):
                self.walked.converged = True
                return
            await asyncio.sleep(LOOK_S)

    def _step(self, words: str) -> None:
        self.walked.steps.append(words)
        self._say(f"  {words} ...")
