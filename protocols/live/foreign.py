"""Other teams' patients in lists: marked where they came by a release, noted in the trail.

A ward board has to be seen before anybody is asked why: so a list asks for no reason, and the
trail says, together, how many of other teams were shown to whom. A chart asks (`audited.chart`).
So does every other answer in which patients stand by name: whoever types a name into a new form
looks people up as well as whoever searches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from protocols.errors import InputError
from protocols.ids import PatientId
from protocols.ledger import abroad
from protocols.ledger.book import Ledger
from protocols.live import answers, wards
from protocols.live.api import BoardLine, BoardPage
from protocols.live.audited import event
from protocols.mesh.effects import Effect, Now
from protocols.mesh.node import Node
from protocols.records.display import clean_text
from protocols.trust.audit import What

SEEN_MAX = 20_000
"""Patients of one session that are not asked about again; more begin anew."""


def marked(ledger: Ledger, lines: Sequence[BoardLine]) -> tuple[BoardLine, ...]:
    """Return these lines, those who came by a release with whose it was and when."""
    found = abroad.came(ledger, [PatientId.parse(line.patient) for line in lines])
    if not found:
        return tuple(lines)
    told = {str(patient): here for patient, here in found.items()}
    return tuple(
        msgspec.structs.replace(
            line,
            released=clean_text(told[line.patient].org) or "?",
            released_ms=told[line.patient].at_ms,
        )
        if line.patient in told
        else line
        for line in lines
    )


class Lists:
    """Which patients were shown in lists to each session, so that each is noted once."""

    def __init__(self) -> None:
        self._seen: dict[int, set[str]] = {}

    def close(self, session: int) -> None:
        """The session is over; of the next one everybody is noted again."""
        self._seen.pop(session, None)

    def show(
        self, node: Node, now: Now, page: BoardPage, *, reader: int, call: str, session: int
    ) -> tuple[BoardPage, Sequence[Effect]]:
        """Return a list as it is shown, once other teams' patients in it are noted.

        Args:
            reader: The connection that asks.
            call: `board`, `search`, `tagged` or one of `NAMING`: the reason that the trail names.
            session: Of the person who sits there, 0 for nobody.
        """
        effects = self.note(node, now, page, reader=reader, call=call, session=session)
        lines = marked(node.ledger, page.lines)
        return msgspec.structs.replace(page, lines=lines), effects

    def note(
        self, node: Node, now: Now, found: object, *, reader: int, call: str, session: int
    ) -> Sequence[Effect]:
        """Note other teams' patients in an answer, whatever it is; arguments as for `show`."""
        seen = self._seen.setdefault(reader, set())
        if len(seen) > SEEN_MAX:
            seen.clear()
        fresh = list(dict.fromkeys(each for each in _named(found) if each not in seen))
        others = abroad.others(node.ledger, [PatientId.parse(each) for each in fresh])
        seen.update(fresh)
        if not others:
            return ()
        said = event(now, What.READ_OUTSIDE_TEAM, session=session, reason=call, count=len(others))
        return node.note(said, now)


def _named(found: object) -> Iterator[str]:
    """Give the ids of all patients that an answer names, however deep in it they stand."""
    if isinstance(found, BoardLine):
        yield found.patient
        return
    held = msgspec.structs.astuple(found) if isinstance(found, msgspec.Struct) else found
    for part in held if isinstance(held, tuple | list) else ():
        yield from _named(part)


def _board(node: Node, now: Now, args: Mapping[str, Any]) -> BoardPage:
    offset, limit = _number(args, "offset", 0), _number(args, "limit", answers.BOARD_MAX)
    text = str(args.get("filter") or "")
    sort, ward = str(args.get("sort") or ""), str(args.get("ward") or "")
    return wards.board(node.ledger, offset, limit, text, now.wall_ms, sort=sort, ward=ward)


def _search(node: Node, now: Now, args: Mapping[str, Any]) -> BoardPage:
    limit = _number(args, "limit", answers.BOARD_MAX)
    return answers.search(node.ledger, _text(args, "text"), limit, now.wall_ms)


def tagged(node: Node, now: Now, args: Mapping[str, Any]) -> BoardPage:
    """All who carry a `tag`."""
    return answers.tagged(node.ledger, _text(args, "tag"), now.wall_ms)


def _text(args: Mapping[str, Any], name: str) -> str:
    value = args.get(name)
    if not isinstance(value, str):
        raise InputError("bad_line", field=f"args.{name}")
    return value


def _number(args: Mapping[str, Any], name: str, missing: int) -> int:
    value = args.get(name, missing)
    if not isinstance(value, int) or isinstance(value, bool):
        raise InputError("bad_line", field=f"args.{name}")
    return value


LISTS: dict[str, Callable[[Node, Now, Mapping[str, Any]], BoardPage]] = {
    "board": _board,
    "search": _search,
}
"""What lists patients, by the name of the call."""
NAMING = frozenset(
    {"alike", "lookalikes", "beds", "unsettled", "offers", "relations", "doubled_doses"}
)
"""Other calls whose answers name patients nobody said a reason for."""
