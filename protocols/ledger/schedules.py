"""The vaccination schedules that can be worked by here, each with the vaccines in use."""

from __future__ import annotations

from functools import lru_cache

import msgspec

from protocols.errors import InputError
from protocols.guidelines.schedules import PREFIX, ROUTINE, Plan, Schedule, plan
from protocols.guidelines.vaccines import Vaccines, shipped_vaccines
from protocols.ledger import packs
from protocols.ledger.book import Ledger


def schedules_in_use(ledger: Ledger) -> dict[str, Schedule]:
    """Return every schedule by its name, in the version this node works by."""
    found: dict[str, Schedule] = {}
    for pack in packs.held(ledger):
        if pack.usable and pack.name.startswith(PREFIX) and pack.name not in found:
            form = _read(pack)
            assert isinstance(form, Schedule)
            found[pack.name] = form
    return found


def vaccines_in_use(ledger: Ledger) -> Vaccines:
    """Return the vaccines this node works by."""
    found = packs.in_use(ledger, "vaccines")
    form = shipped_vaccines() if found is None else _read(found)
    assert isinstance(form, Vaccines)
    return form


def plan_in_use(ledger: Ledger, name: str = ROUTINE) -> Plan:
    """Return what doses are judged by: a schedule with the vaccines in use.

    Raises:
        InputError: `unknown_pack`, where no schedule has that name here.
    """
    found = packs.in_use(ledger, name) if name.startswith(PREFIX) else None
    if found is None:
        raise InputError("unknown_pack", field="schedule")
    return _plan(found, packs.in_use(ledger, "vaccines"))


@lru_cache(8)
def _plan(schedule: packs.HeldPack, vaccines: packs.HeldPack | None) -> Plan:
    form, known = _read(schedule), shipped_vaccines() if vaccines is None else _read(vaccines)
    assert isinstance(form, Schedule)
    assert isinstance(known, Vaccines)
    return plan(form, known)


@lru_cache(16)
def _read(pack: packs.HeldPack) -> msgspec.Struct:
    return packs.contents(pack)
