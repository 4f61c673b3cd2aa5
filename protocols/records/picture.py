"""The current picture of one patient: what boards, searches and unsettled lists read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from protocols.records import attributes as names
from protocols.records.attributes import BY_NUMBER, SEVERAL, Age, Category, Sex
from protocols.records.display import clean_text
from protocols.records.encounter import EncounterRow
from protocols.records.history import History, Key, Said, unsettled
from protocols.records.identity import short_code
from protocols.records.kinds import KindNo
from protocols.records.shape import Fact, Row


class PatientRow(Row, frozen=True, kw_only=True, gc=False):
    """The current picture of one patient: exactly one row each."""

    TABLE: ClassVar[str] = "patient"
    INDEXED: ClassVar[tuple[str, ...]] = ("id", "code", "tag")
    id: bytes
    code: str = ""
    name: str = ""
    """For display: cleaned, family name first."""
    family: str = ""
    given: str = ""
    also: str = ""
    """Other names, mother's name, phones, ids and further tags: searched, not shown on boards."""
    tag: str = ""
    sex: int = 9
    age_value: int | None = None
    age_unit: int | None = None
    """0 years, 1 months, 2 weeks, 3 days."""
    age_estimated: int = 0
    age_day: int | None = None
    """Day the age was stated, counted from 1970-01-01."""
    birth_date: str | None = None
    """YYYY, YYYY-MM or YYYY-MM-DD."""
    band: int = 9
    triage: int | None = None
    triage_at_ms: int | None = None
    triage_open: int = 0
    """1 while several categories stand; `triage` is then the cautious one."""
    reassess: int = 0
    """1 when EXPECTANT or DEAD is one side of that: reassess now."""
    bed: str = ""
    site: bytes | None = None
    encounter: bytes | None = None
    arrived_ms: int | None = None
    closed_ms: int | None = None
    problem: str = ""
    unsettled: int = 0
    """How many attributes have several different current values."""
    urgent: int = 0
    """1 when RED or with a critical alert."""
    unproven: int = 0
    """1 when something shown here is only stated by facts that do not stand."""


class AssertionRow(Row, frozen=True, kw_only=True, gc=False):
    """One of several different current values of an attribute; settled attributes have none."""

    TABLE: ClassVar[str] = "assertion"
    INDEXED: ClassVar[tuple[str, ...]] = ("patient",)
    patient: bytes
    encounter: bytes | None
    attribute: str
    value: str
    """As text; codes as words; '' when stated to be empty."""


