"""Every family of calls together: what a terminal asks of a node beside what all screens need."""

from __future__ import annotations

from typing import Protocol

from fieldnode.between import BetweenCalls, BetweenClient
from fieldnode.caring import CareCalls, CareClient
from fieldnode.consigned import ConsignedCalls, ConsignedClient
from fieldnode.crossing import CrossingCalls, CrossingClient
from fieldnode.guided import GuidedCalls, GuidedClient
from fieldnode.stocking import StockCalls, StockClient
from fieldnode.vaccinating import VaccineCalls, VaccineClient


class FamilyCalls(
    BetweenCalls,
    CareCalls,
    ConsignedCalls,
    CrossingCalls,
    GuidedCalls,
    StockCalls,
    VaccineCalls,
    Protocol,
):
    """The calls of every family."""


class FamilyClient(
    BetweenClient,
    CareClient,
    ConsignedClient,
    CrossingClient,
    GuidedClient,
    StockClient,
    VaccineClient,
):
    """The same over the socket."""
