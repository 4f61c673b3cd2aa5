"""Standing by what a device measured: one key on the marked line of a chart (SAFETY 15)."""

from __future__ import annotations

from fieldnode.tui.acts import Act, Ask, Say
from fieldnode.tui.desk import Desk, Save
from fieldnode.tui.screens.gate import gate_of, said_after
from fieldnode.tui.timeline import Happening
from fieldnode.tui.wording import code_sentence, short_identity
from protocols.live.api import BoardLine, Recorded

KIND = "result.accept"
OBSERVATION = "observation.record"


def waits(row: Happening | None) -> bool:
    """Whether a line is of a device and nobody has accepted it."""
    return row is not None and row.line.kind == OBSERVATION and row.line.unconfirmed


def accept(desk: Desk, head: BoardLine, row: Happening | None) -> list[Act]:
    """Accept all values of a line that were taken together; F8 takes it back."""
    if row is None or not waits(row) or row.line.replaced:
        return [Say(desk.words("accept.nothing"), "plain")]
    return [_ask(desk, head, row, desk.new_key())]


def _ask(desk: Desk, head: BoardLine, row: Happening, key: str) -> Ask:
    written = {"v": 1, "kind": KIND, "key": key, "data": {"results": list(row.facts)}}

    def done(found: list[Recorded]) -> list[Act]:
        words, recorded = desk.words, found[0]
        if gated := gate_of(desk, recorded, head.patient, lambda: [_ask(desk, head, row, key)]):
            return gated
        if not recorded.ok:
            return [Say(code_sentence(words, recorded.error or ""), "bad", bell=True)]
        label = " ".join((words("accept.saved"), short_identity(words, head)))
        facts = recorded.facts or tuple(part for part in (recorded.id,) if part)
        desk.saved(Save(label, facts, desk.now_ms, head.patient))
        return [said_after(desk, found, words("accept.done"))]

    return Ask(lambda node: node.record([written]), done)
