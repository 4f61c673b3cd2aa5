"""What a running node answers on its local socket: the messages, typed once for both ends.

One JSON object a line in each direction. A request is `{"id": n, "call": name, ...}`; the answer
carries the same id and either `result` or `error`. After `subscribe` the node also sends
`{"id": 0, "event": "changed", "result": [table, ...]}` lines, several changes folded into one
while the client is busy. Commands, terminals and tests all come through here.
"""

from __future__ import annotations

from typing import Any

import msgspec

from protocols.records.answer import Answer


class Failure(msgspec.Struct, frozen=True):
    """Why a call was refused: a code from the closed list, and values without patient data."""

    code: str
    field: str | None = None
    allowed: tuple[str, ...] = ()
    message: str = ""
    fault: str = "person"
    """Whose fault: 'person', 'peer', 'world', 'device', 'installer' or 'us'."""
    values: dict[str, str | int | tuple[str, ...]] = {}
    """Counts, limits and ids the sentence for a person needs."""


class Request(msgspec.Struct, frozen=True):
    """One call. `args` are the call's own, named below for each."""

    id: int
    call: str
    args: dict[str, Any] = {}


class Reply(msgspec.Struct, frozen=True):
    """The answer to one call, or an event when `id` is 0."""

    id: int
    result: Any = None
    error: Failure | None = None
    event: str = ""


LOCK_AFTER_MIN = (1, 3, 5, 10, 30)
"""What a node's terminals can be set to."""

LOCK_AFTER_DEFAULT_MIN = 3


class Greeting(msgspec.Struct, frozen=True):
    """`hello`: which node answers and how it wants to be shown. Text is cleaned for display."""

    device: str
    name: str
    """The node's own name."""
    site: str = ""
    person: str = ""
    """Who is logged in on this terminal; '' = not identified."""
    person_id: str = ""
    """Their id; '' = not identified."""
    people: int = 0
    """How many persons are enrolled on this device."""
    gated: bool = False
    """Whether anything stops whoever is here from writing some kind; `may` says what."""
    drill: str = ""
    """Name of the exercise this node belongs to; '' = real work."""
    locked: bool = False
    """True while this terminal is locked."""
    language: str = ""
    """Kept by `settings`; '' = never chosen."""
    theme: str = ""
    """Kept by `settings`; '' = never chosen."""
    tag_prefix: str = ""
    """What tags here begin with; typed digits are completed with it."""
    lock_after_min: int = LOCK_AFTER_DEFAULT_MIN
    """A terminal on which nothing was typed for so long blanks its names. Kept by `settings`."""
    sound: str = ""
    """'off' where terminals keep silent. Kept by `settings`; '' = never chosen."""
    printer: str = ""
    """A printer's device, or a folder for files. Kept by `settings`; '' = none."""
    printer_kind: str = ""
    """What it speaks: `zpl`, `escpos`, `png` or `text`."""
    store: str = ""
    """Id of the store that was last chosen on this device, while it is known here; '' = none.
    Kept by `settings`."""
    store_name: str = ""
    """What that store is called now."""


SETTINGS = dict.fromkeys(("language", "theme", "tag_prefix", "lock_after", "sound"), 32) | {
    "printer": 96,
    "printer_kind": 8,
    "store": 48,
}
"""What `settings` keeps, each with its most characters."""


class Draft(msgspec.Struct, frozen=True):
    """What was typed into a form that was not saved; kept encrypted.

    `draft_put`: args are the fields below; the same form and subject replace what was kept.
    `draft_list`: a list of these, newest first. `draft_drop`: args form, subject.
    """

    form: str
    """'register', 'triage', 'vitals' or 'note'."""
    subject: str
    """Names the draft within its form; made by the terminal."""
    fields: dict[str, str]
    """Field name to what was typed, as it was typed."""
    patient: str = ""
    """The patient it is about; '' for a new one."""
    label: str = ""
    """What the board calls it: the patient's code and name, or ''."""
    at_ms: int = 0
    """When it was last typed into, Unix milliseconds."""
    person: str = ""
    """Id of who typed it, set by the node; only they are shown it. '' = not identified."""


class PersonLine(msgspec.Struct, frozen=True):
    """`people`: a list of these, the persons of this device. Asked of a locked terminal too."""

    number: int
    """Under which it lists them."""
    id: str
    name: str
    """'' where it cannot be read here."""
    profession: str = ""
    pin: bool = False
    """Whether a PIN opens; else the passphrase does."""
    certified: bool = True
    """False while nothing known here stands behind them."""
    wait_s: int = 0
    """How long nobody may try now."""
    licence_ended: bool = False


class Permission(msgspec.Struct, frozen=True):
    """`may`: args kinds (list of names; all when empty). Of one kind, for whoever is here."""

    kind: str
    reason: str = ""
    """'' = it may be written. `role_refused`, `quarantined`: it is kept and counts nowhere.
    Anything else is a licence's, and a person's reason overrides it."""
    overridable: bool = False
    who: tuple[str, ...] = ()
    """Roles and persons that may."""


class Me(msgspec.Struct, frozen=True):
    """`whoami`, and the answer to `login`: who sits here, at which device, and what they may do.

    `login`: args person (id or number) and pin or passphrase. `logout`: no args.
    `override`: args kinds, reason, patient ('' for none); told to everybody before it holds.
    `person_pin`: args person, passphrase, pin.
    """

    id: str
    """'' = not identified."""
    name: str
    device: str
    device_name: str
    org: str
    profession: str = ""
    authority: str = ""
    licence: str = ""
    practice: str = ""
    """Scope of practice, in the words of the licence."""
    licence_until_ms: int = 0
    """0 = no end is stated."""
    recognised_by: str = ""
    certificate_until_ms: int = 0
    """0 = no end."""
    roles: tuple[str, ...] = ()
    may: tuple[Permission, ...] = ()


class AlertSeen(msgspec.Struct, frozen=True):
    """Somebody has seen an alert; see `protocols/records/seen.py` for which it then is."""

    why: str
    """`rise`, `single`, `late` or `red`."""
    of_ms: int
    """The instant it was of."""
    about: tuple[str, ...]
    """What alerted then."""
    who: str
    at_ms: int


class BoardLine(msgspec.Struct, frozen=True):
    """One patient on the ward board. Text is already cleaned for display."""

    patient: str
    code: str
    name: str
    """'' when unknown."""
    tag: str = ""
    triage: int | None = None
    """1 red, 2 yellow, 3 green, 4 expectant, 0 dead; None = not triaged."""
    triage_open: bool = False
    """True while several triage categories stand; `triage` is then the cautious one."""
    sex: int = 9
    """1 male, 2 female, 3 female pregnant, 9 unknown (MDS)."""
    age: str = ""
    """With its unit, `~` in front when estimated: `34 y`, `~22 mo`; a band as `5-17 y`."""
    bed: str = ""
    waiting_since_ms: int | None = None
    """When the open encounter began; the wait counts from there."""
    problem: str = ""
    unsettled: int = 0
    """How many attributes have several different values that stand."""
    standing: int = 0
    tag_shared: bool = False
    """True while somebody else carries one of this patient's tags too."""
    allergy: int = 0
    """0 nobody asked, 1 none known, 2 listed: on the head of every chart."""
    allergies: str = ""
    """What is listed, the most severe first: names of the vocabulary pack or somebody's words."""
    allergy_open: bool = False
    """True while people differ about it; what is listed is then used."""
    custody: int = 0
    """0 nothing was said, 1 offered, 2 accepted, 3 unclear, 4 conflict: 3 and 4 say CUSTODY UNCLEAR
    on every board."""
    keeper: str = ""
    """Who accepted the patient; several while they are in conflict."""
    ward: str = ""
    isolation: int | None = None
    """Digit of `Isolation`; None: nobody said."""
    score: int | None = None
    """Of `board`: NEWS2 of the last set; None where there is none (SAFETY 7)."""
    score_least: bool = False
    """The score is the least it can be: something was not measured."""
    score_before: int | None = None
    """That of the set before, when it was whole."""
    trend: int = 0
    """1 the score rose, -1 it fell."""
    last_set_ms: int | None = None
    """When observations were last taken."""
    due_ms: int | None = None
    """When the next set is due; None where nothing asks for one."""
    late_ms: int | None = None
    """From when on it is late."""
    alerts: tuple[str, ...] = ()
    """Values of the last set that alert by themselves: `limit.heart-rate.high`."""
    doses: int = 0
    """1 a dose may have been given twice, 2 one was given though it was stopped, 3 both."""
    risk: str = ""
    """The most that what is unsettled can harm; '' where nothing is."""
    bed_shared: bool = False
    """Somebody else in care lies in the same bed."""
    seen: tuple[AlertSeen, ...] = ()
    """Of `board`: which of its alerts were seen lately, and by whom; the oldest first."""
    scale2_by: str = ""
    """Who chose that SpO2 is scored on scale 2; '' for everybody else (SAFETY 7)."""
    scale2_ms: int = 0
    """When."""
    in_care: bool = True
    """False for somebody found whose care here has ended or never began: no board lists them, and
    nothing is due. Of `board`: how they do is not told either."""
    released: str = ""
    """The organisation that released this patient to us; '' for who is known here otherwise."""
    released_ms: int = 0
    """When, by that organisation's clock: what was written there since is not here."""
    late_doses: tuple[tuple[int, str], ...] = ()
    """Of `board`: doses due by the clock, from when on each is late and of what, in that order."""
    age_days: tuple[float, float | None] | None = None
    """What is known of the age, as scores take it: from, and below in days (None: no end); None
    where only the text says something."""


class SharedTag(msgspec.Struct, frozen=True):
    """One tag on several patients, until it is taken off all but one."""

    tag: str
    carriers: tuple[tuple[str, str], ...]
    """Id and short code of each."""


class BoardPage(msgspec.Struct, frozen=True):
    """`board`: args offset, limit (at most 200), filter (text, '' for all), sort, ward.

    Sort is 'triage', 'wait', 'score' or 'due'; ward '' is all of them. A filter only narrows who is
    listed: lines, order and all that is said of the ward are as without it. Whom it finds that is
    not in care comes after them, unless a ward is asked for.
    `search`: args text, limit. `tagged`: args tag; all who carry it, spelled in any case.
    """

    total: int
    offset: int
    lines: tuple[BoardLine, ...]
    counts: dict[str, int] = {}
    """Patients in care by triage: keys '0' to '4' and 'none'."""
    shared_tags: tuple[SharedTag, ...] = ()
    """Of `board`: tags of patients in care that somebody else carries too."""
    unassigned: int = 0
    """Of `board`: results that wait for a patient."""
    sealed: bool = False
    """Of `board`: this device is sealed, so it shows nobody any more."""
    restored_ms: int | None = None
    """Of `board`: when the backup was made that this is restored from, until another node was met:
    what was erased since may be shown."""
    wards: tuple[str, ...] = ()
    """Of `board`: wards in which somebody lies, by name."""
    limited: bool = False
    """Of `board`, by score or due: only the most urgent of a large ward were looked at."""
    signed: bool = False
    """Whether clinical leads stand by the packs that scores and times here rest on."""


class Asserted(msgspec.Struct, frozen=True):
    """One value of an attribute, as somebody wrote it."""

    fact: str
    text: str
    author: str
    """The person who wrote it, else the device."""
    at_ms: int
    recorded_ms: int
    standing: int = 0
    device: str = ""
    """Where it was written."""


class Attribute(msgspec.Struct, frozen=True):
    """One attribute of a patient: all values that nothing supersedes; several = unsettled."""

    name: str
    values: tuple[Asserted, ...]


class ChartLine(msgspec.Struct, frozen=True):
    """One line of the timeline, newest first."""

    fact: str
    at_ms: int
    recorded_ms: int
    kind: str
    summary: tuple[tuple[str, str], ...]
    """(catalogue key or code, value as text with unit) pairs; words come from the reader's
    catalogue."""
    author: str
    """The person who wrote it, else the device."""
    standing: int = 0
    replaced: int = 0
    """1 superseded, 2 entered in error."""
    saved: str = "here"
    """'here', 'peers' or 'hq': the furthest place known to hold it."""
    device: str = ""
    """Where it was written."""
    profession: str = ""
    """The author's."""
    unknown: bool = False
    """It names somebody who wrote it, of whom nothing is known here yet."""
    unconfirmed: bool = False
    """A triage that nobody identified wrote and no person stands by yet, or a device's value that
    nobody has accepted."""
    confirmed: tuple[tuple[str, int], ...] = ()
    """Who stands by it, each with when they said so."""
    codes: dict[str, dict[str, str]] = {}
    """Values of `summary` that are codes of a guideline pack, to its words by language."""


class Chart(msgspec.Struct, frozen=True):
    """`chart`: args patient, offset, limit (at most 500)."""

    head: BoardLine
    encounter: str | None
    attributes: tuple[Attribute, ...]
    lines: tuple[ChartLine, ...]
    total: int
    shared_tags: tuple[SharedTag, ...] = ()
    """Tags of this patient that somebody else carries too."""
    in_care: bool = True
    """Whether a stay is open: of nobody else anything is due."""
    signed: bool = False
    """Whether clinical leads stand by the packs that score and times rest on."""


class Unassigned(msgspec.Struct, frozen=True):
    """`unassigned`: args limit (at most 100). Results that wait for a patient."""

    total: int
    lines: tuple[ChartLine, ...]
    """Their values, the result that waits longest first; those of one result follow each other."""


class UnconfirmedLine(msgspec.Struct, frozen=True):
    """One triage that nobody identified wrote, as anybody sees it on the wrist: no name."""

    fact: str
    code: str
    tag: str
    category: int
    at_ms: int
    device: str
    """Where it was written."""


class Unconfirmed(msgspec.Struct, frozen=True):
    """`unconfirmed`: args limit (at most 200). Triage that waits for a person to stand by it.

    A locked terminal is told how many, and nothing else.
    """

    total: int
    lines: tuple[UnconfirmedLine, ...]
    """Oldest first."""


class PeerLine(msgspec.Struct, frozen=True):
    """One other device as this node knows it."""

    device: str
    name: str
    role: str
    """'node' or 'hq'."""
    linked: bool
    last_contact_ms: int | None
    they_need: int | None
    """Entries we hold, of whoever, that they are not known to; None while they were never met."""
    trusted: bool = True
    org: str = ""
    fingerprint: str = ""
    """Of its signing key, in letters; it confirms, certificates decide."""
    spoken: str = ""
    """The same as it is said over a radio."""


class SyncState(msgspec.Struct, frozen=True):
    """`sync`: how far what is saved here has travelled."""

    device: str
    name: str
    own_entries: int
    on_peers: int
    """How many linked or once linked peers hold everything this device wrote."""
    at_hq_until_ms: int | None
    """HQ holds all this device wrote up to this instant; None = HQ never said so."""
    unsent: int
    """Own entries that no other device is known to hold."""
    oldest_unsent_ms: int | None
    peers: tuple[PeerLine, ...]
    clock: str = "ok"
    """'ok', 'implausible', 'stated' while a person's word stands for a clock that cannot be
    right (`clock_set`: args wall_ms), or 'differs' from those of most linked peers."""
    ahead_ms: int = 0
    """How far ahead of the device's own clock that is."""
    newest_ms: int | None = None
    """When this device wrote last, as its entries say; told of a clock that cannot be right."""
    apart_ms: int = 0
    """How far most linked clocks are ahead of this one while it 'differs'."""


Recorded = Answer
"""Answer to one line of `record`: args lines (list of objects), together.

With `together` true all lines are written in one transaction or none is, and a line may name
the patient of an earlier one as `{"line": n}`. In the terminal an answer is what stands in a field.
"""
