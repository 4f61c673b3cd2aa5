"""What a running node answers about packs and working by a guideline, typed once for both ends.

`guidelines`: args patient; a `GuidelineList`. `guideline`: args patient, guideline; a
`GuidelineSheet`. Both refuse another organisation's patient until a reason was given, as `chart`.
"""

from __future__ import annotations

import msgspec


class GuidelineLine(msgspec.Struct, frozen=True):
    """One guideline in the version in use."""

    name: str
    words: dict[str, str]
    """What it is called, by language."""
    version: str
    status: str
    source: str
    org: str
    """Who gave it out; '' for what came with the software."""
    approved_by: str
    """Who stands by it; '' = NOT APPROVED."""
    offered: bool
    """Whether it may be for this patient, as far as is known."""
    others: int = 0
    """How many more versions stand beside it here."""
    begun_ms: int | None = None
    """When somebody began with it in this stay."""
    done: int = 0
    """Records of it since it was last begun anew."""


class GuidelineList(msgspec.Struct, frozen=True):
    """`guidelines`: what was begun first, then what is offered, then the rest."""

    lines: tuple[GuidelineLine, ...]


class GuidelineVersion(msgspec.Struct, frozen=True):
    """One version of a guideline, whole."""

    version: str
    digest: str
    """64 hexadecimal digits."""
    org: str
    status: str
    source: str
    approved_by: str
    text: str
    """The TOML; its own `approved_by` is empty."""


class StepTold(msgspec.Struct, frozen=True):
    """One record of the course."""

    fact: str
    did: str
    step: str
    """'' where only answers were judged."""
    at_ms: int
    author: str
    version: str
    digest: str = ""
    reason: str = ""
    amounts: str = ""
    result: str = ""
    answers: dict[str, str | int | None] = {}
    precision: str = ""
    by: str = ""
    """Who did it, where that is not the author."""


class WeightTold(msgspec.Struct, frozen=True):
    """What the patient weighs, as far as it can be relied on (SAFETY 9)."""

    kg: str = ""
    """With a point; '' when nobody weighed, or weights differ."""
    at_ms: int = 0
    estimated: bool = False
    sides: tuple[str, ...] = ()
    """Weights that are in conflict."""


class ReadingTold(msgspec.Struct, frozen=True):
    """One observation of this stay that still counts."""

    name: str
    value: str = ""
    """In the first unit, with a point."""
    choice: str = ""
    unrecordable: bool = False
    at_ms: int = 0


class GuidelineSheet(msgspec.Struct, frozen=True):
    """`guideline`: what a terminal needs to work by it."""

    name: str
    versions: tuple[GuidelineVersion, ...]
    """The one this node works by first."""
    weight: WeightTold
    readings: tuple[ReadingTold, ...] = ()
    course: int = 0
    """How often it was begun anew in this stay; that of the steps below."""
    began_ms: int | None = None
    """None where nobody has begun."""
    steps: tuple[StepTold, ...] = ()
    """Oldest first."""
    in_care: bool = True
    """Whether the patient is in a stay, in whose document steps are written."""


class PackUser(msgspec.Struct, frozen=True):
    """A device that said which version it works by."""

    device: str
    name: str
    at: str | None
    """Since when."""


class PackLine(msgspec.Struct, frozen=True):
    """`packs`: one version of one pack."""

    name: str
    version: str
    title: str
    digest: str
    """64 hexadecimal digits."""
    org: str
    """Who gave it out; '' for what came with the software."""
    status: str
    shipped: bool
    in_use: bool
    """Whether this node works by it."""
    why: str
    """Why it is not: '', 'signature' or 'faults', or 'older' where another version goes first."""
    approved: bool
    approved_by: str
    at: str | None
    users: tuple[PackUser, ...] = ()
    source: str = ""
    """Where it was read, as the pack says."""


class PackInUse(msgspec.Struct, frozen=True):
    """`pack_in_use`: args pack, its name; the version that this node works by."""

    name: str
    version: str
    text: str
    """The TOML; its own `approved_by` is empty."""
    org: str
    approved_by: str
    """Who stands by it; '' = NOT APPROVED."""


class PackPage(msgspec.Struct, frozen=True):
    """Who works by which version, for a page."""

    lines: tuple[PackLine, ...]
    """As `packs`."""
    elsewhere: tuple[PackUser, ...] = ()
    """Devices whose software brings other packs than this one's."""
    silent: tuple[PackUser, ...] = ()
    """Devices that have said nothing yet."""
