"""What persons do in the camp of the two ministries, and what is decided about them.

A nurse's licence is found revoked since a while ago; a child's safety is written down for few; an
erase is ordered against a legal hold; a lost tablet is sealed, found and admitted again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from protocols.ids import PatientId
from protocols.ledger import about, orders
from protocols.ledger.sealing import SealOrder
from protocols.mesh.effects import Effect, Now
from protocols.sim import peopled
from protocols.sim.cast import ledger_of, node_of
from protocols.sim.coalition import Coalition
from protocols.sim.drill import CANARY, Drill
from protocols.sim.generator import Workload
from protocols.sim.host import Host
from protocols.sim.peopled import Held, Person
from protocols.sim.report import Finding
from protocols.sim.witness import Saved
from protocols.trust.control import SealReason
from protocols.trust.granting import Wish

SAFETY = "safety"
TERMS = """
[[scope]]
name = "safety"
sensitivity = "protection"
jurisdictions = ["JP"]
ciphertext_may_leave = false
readers = ["protection officer"]

[[role]]
number = 5
name = "protection officer"
"""
OFFICER = ("care", "protection officer")
CARE_ROLE = 4
CONCERN, KEPT = "Umbrathilia", "Ghorvexian"
"""In every concern, and in every record of the patient whom a hold keeps."""
DOUBT_MINUTE = 4
"""Since when the nurse's licence turns out to have been revoked."""

Do = Callable[[str, Host, Callable[[Now], list[Effect]]], bool]
At = Callable[[float, Callable[[], object]], None]


@dataclass(frozen=True, slots=True)
class Places:
    """Who takes part: the lead and deputy who decide, the ward that works, the tablet."""

    camp: Coalition
    lead: Host
    deputy: Host
    ward: Host
    tablet: Host


class People:
    """One part of the drill, with hands of its own."""

    def __init__(self, drill: Drill, places: Places, scope: bytes, at: At, do: Do) -> None:
        """Begin with nobody at any device.

        Args:
            scope: Of the team's care.
            at: Does something at a minute since work began.
            do: Lets somebody do a named step on a device.
        """
        self._drill, self._places, self._scope = drill, places, scope
        self._world, self._at, self._do = drill.world, at, do
        self._nurse: Person | None = None
        self._other: Person | None = None
        self._since_ms = 0
        self._hands = {
            name: Workload(drill.seed, f"{name}-", canary=f"{CANARY} {word}".strip())
            for name, word in (("nurse", ""), ("colleague", ""), ("kept", KEPT), ("tablet", ""))
        }
        self._before: list[Saved] = []
        self._kept: list[Saved] = []
        self._early: list[Saved] = []
        self._since: list[Saved] = []
        """What was written on the tablet before it was lost, and since it came back."""
        self._told: list[Saved] = []
        self._held = Held(self._patient, KEPT)

    def plan(self, heals: float) -> None:
        """Say what happens when; `heals`: when the two halves of the camp meet again."""
        at, places = self._at, self._places
        at(0.5, self._enrol)
        for minute in (1, 2, 5, 6):
            at(minute + 0.4, partial(self._nurse_writes, minute))
            at(minute + 0.6, lambda: self._write_as(self._other, "colleague"))
        at(1.2, lambda: self._write("kept", places.ward, self._kept))
        at(2.2, lambda: self._write("kept", places.ward, self._kept))
        at(DOUBT_MINUTE, self._note_time)
        at(4.5, self._concern)
        at(5.1, lambda: self._do("hold", places.lead, partial(self._held.hold, places.lead)))
        at(5.3, lambda: self._write("tablet", places.tablet, self._early))
        at(9.5, self._lose)
        at(12.5, self._end_licence)
        at(16.5, self._erase)
        at(20.5, self._find)
        at(21.5, lambda: self._write("tablet", places.tablet, self._since))
        at(24.5, lambda: self._write("tablet", places.tablet, self._since))
        at(25.5, lambda: self._write("kept-not", places.ward, self._told))
        at(heals + 1.5, lambda: self._held.look(self._world, self._scope))
        at(heals + 2, self._lift)

    def findings(self, safety: bytes) -> dict[str, Callable[[], Finding]]:
        """Return the checks of this part."""
        world, tablet = self._world, self._places.tablet

        def people() -> list[Person]:
            return [person for person in (self._nurse, self._other) if person is not None]

        def doubted() -> Finding:
            nurse, other = self._nurse, self._other
            assert nurse is not None and other is not None
            early = [saved for saved in nurse.records if saved in self._before]
            late = [saved for saved in nurse.records if saved not in self._before]
            return peopled.acts_in_doubt_are_listed(
                world, late, [*early, *other.records], self._scope
            )

        return {
            "persons_are_named": lambda: peopled.persons_are_named(world, people(), self._scope),
            "acts_in_doubt_are_listed": doubted,
            "concerns_are_for_those_entitled": lambda: peopled.concerns_are_for_those_entitled(
                world, safety, CONCERN
            ),
            "a_hold_stops_an_erase": lambda: peopled.a_hold_stops_an_erase(world, self._held),
            "readmitted_syncs": lambda: peopled.readmitted_syncs(
                world, tablet, self._since, self._told, self._scope
            ),
        }

    # --- persons --------------------------------------------------------------------------

    def _enrol(self) -> None:
        lead, ward = self._places.lead, self._places.ward
        self._nurse = peopled.enrol(self._world, "Amina", lead, ward, CARE_ROLE)
        self._other = peopled.enrol(self._world, "Jun", lead, ward, CARE_ROLE)

    def _nurse_writes(self, minute: float) -> None:
        assert self._nurse is not None
        self._write_as(self._nurse, "nurse")
        if minute < DOUBT_MINUTE:
            self._before = list(self._nurse.records)

    def _write_as(self, person: Person | None, hand: str) -> None:
        assert person is not None
        peopled.write(self._world, person, self._line(hand))

    def _note_time(self) -> None:
        self._since_ms = self._places.ward.now(self._world.at_us).wall_ms

    def _end_licence(self) -> None:
        nurse, lead = self._nurse, self._places.lead
        assert nurse is not None

        def end(now: Now) -> list[Effect]:
            return peopled.end_licence(nurse, lead, self._since_ms, now)

        self._do("end a licence", lead, end)

    # --- a concern, a hold ------------------------------------------------------------------

    def _concern(self) -> None:
        tag = self._hands["nurse"].tags[0]
        line = {
            "v": 1,
            "kind": "protection.record",
            "key": "concern",
            "patient": {"tag": tag},
            "data": {"concern": "unaccompanied-child", "text": f"{CANARY} {CONCERN}"},
        }
        self._drill.write(self._places.ward, line, told=False)

    def _patient(self) -> PatientId:
        return PatientId.parse(str(self._answer(self._kept[0]).id))

    def _erase(self) -> None:
        lead, deputy = self._places.lead, self._places.deputy

        def apply(now: Now) -> list[Effect]:
            ledger = ledger_of(lead)
            documents = about.documents_about(ledger, self._patient())
            asked = orders.request(ledger, documents, orders.REASONS["asked"])
            orders.apply(ledger, orders.approve(ledger_of(deputy), asked), now.wall_ms)
            return node_of(lead).wrote_control(now)

        self._do("erase against a hold", lead, apply)

    def _lift(self) -> None:
        lead = self._places.lead
        self._do("lift the hold", lead, partial(self._held.release, lead))
        self._world.witness.erased.update(saved.key for saved in self._kept)

    # --- the tablet -------------------------------------------------------------------------

    def _lose(self) -> None:
        lead, tablet = self._places.lead, self._places.tablet
        device = tablet.machine.device
        self._do(
            "seal a lost tablet",
            lead,
            lambda now: node_of(lead).seal(device, SealOrder(SealReason.LOST), now),
        )

    def _find(self) -> None:
        places = self._places
        places.camp.readmit(places.tablet, places.lead, Wish("device", roles=("care",)))

    # --- helpers ----------------------------------------------------------------------------

    def _write(self, hand: str, host: Host, records: list[Saved]) -> None:
        saved = self._world.witness.records
        before = len(saved)
        self._drill.write(host, self._line(hand), told=False)
        records += saved[before:]

    def _line(self, hand: str) -> dict[str, Any]:
        known = self._hands.setdefault(hand, Workload(self._drill.seed, f"{hand}-", canary=CANARY))
        return known.note(known.tags[0]) if known.tags else known.register()

    def _answer(self, saved: Saved) -> Any:
        return saved.answer
