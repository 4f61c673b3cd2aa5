"""How a guideline is drawn: the checklist, the question that is open, the marked step whole."""

from __future__ import annotations

from fieldnode.tui.cores.answering import SKIP, UNRECORDABLE
from fieldnode.tui.cores.display import Line, Size, Span, cells, cut, fill, fit, line, wrap
from fieldnode.tui.cores.protocol import REASONS, ProtocolCore, Row
from fieldnode.tui.desk import Desk
from fieldnode.tui.wording import clock, happened, span_of, unit
from protocols.guidelines.questions import Question
from protocols.guidelines.running import Computed, StepState
from protocols.guidelines.words import Words, word
from protocols.live.guidance import StepTold
from protocols.records.display import clean_text

STATE_CELLS = 21
"""Room for when a step is due, or who did it."""
DETAIL_ROWS_MAX = 8
TOLD_MAX = 3
"""Ticks of one step that are shown whole, the last ones."""
_LACKS = {
    "needs_answer": "protocol.lack.needs_answer",
    "left_out": "protocol.lack.left_out",
    "weights_differ": "protocol.lack.weights_differ",
    "out_of_bounds": "protocol.lack.out_of_bounds",
}
_BESIDE = {
    "estimated": "protocol.mark.estimated",
    "by_age": "protocol.mark.by_age",
    "per_day": "protocol.mark.per_day",
}
_MARKS = {"done": "[x]", "skipped": "[-]", "stopped": "[ ]", "unknown": "[?]"}


class ProtocolView:
    """Draws what a `ProtocolCore` holds, in the words of a desk."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def title(self, core: ProtocolCore, size: Size) -> list[Line]:
        """Return its name, version, approval, weight, and since when."""
        words, desk, version = self.desk.words, self.desk, core.version
        name = self.word(core.form.guideline.words)
        since = clock(core.began_ms, desk.now_ms, desk.zone) if core.steps else ""
        told = words("protocol.since", at=since) if since else words("protocol.not_yet")
        head = (
            Span(" "),
            Span(cut(name, size.width // 2), "title"),
            Span(f"  v{clean_text(version.version)}  "),
        )
        approval = (
            Span(words("protocols.approved"), "good")
            if version.approved_by
            else Span(words("protocols.not_approved"), "bad")
        )
        weighed = self._weight(core)
        weight = [Span(f"{weighed}   " if weighed else ""), Span(told, "dim")]
        older = [Span("   "), Span(words("protocol.older"), "warn")] if core.place else []
        return [(*head, approval, *self._others(core)), line(" ", *weight, *older)]

    def _others(self, core: ProtocolCore) -> list[Span]:
        """Return the key that shows the next version, where there is another."""
        if len(core.forms) < 2:
            return []
        following = core.sheet.versions[(core.place + 1) % len(core.forms)]
        said = self.desk.words("protocol.also", version=clean_text(following.version))
        return [Span("   "), Span("f/4", "key"), Span(f" {said}")]

    def _weight(self, core: ProtocolCore) -> str:
        words, desk, told = self.desk.words, self.desk, core.sheet.weight
        typed = [str(core.answers[q.id]) for q in core.form.question
                 if q.known_from == "weight" and q.id in core.answers]  # fmt: skip
        if not any(q.known_from == "weight" for q in core.form.question):
            return ""
        if told.sides and not core.kept.keys() & {
            q.id for q in core.form.question if q.known_from == "weight"
        }:
            est = words("protocol.mark.estimated")
            sides = (clean_text(each).replace("weight-estimated", est) for each in told.sides)
            return words("protocol.weights_differ", what=" | ".join(sides))
        if typed and typed[0][0].isdecimal():
            return words("protocol.weight_typed", kg=typed[0])
        if told.kg:
            at = clock(told.at_ms, desk.now_ms, desk.zone)
            key = "protocol.weight_est" if told.estimated else "protocol.weight"
            return words(key, kg=clean_text(told.kg), at=at)
        return words("protocol.no_weight")

    def checklist(self, core: ProtocolCore, size: Size) -> list[Line]:
        """Return the steps around the marked one."""
        rows = core.rows
        if not rows:
            return [line("  ", Span(self.desk.words("protocol.asks_first"), "dim"))]
        chosen = min(core.index, len(rows) - 1)
        first = max(0, min(chosen - size.height + 1, len(rows) - size.height))
        first = max(first, 0)
        shown = list(enumerate(rows))[first : first + size.height]
        drawn = [self._step(core, place, row, size.width) for place, row in shown]
        at = chosen - first
        if core.asked is None and core.why is None:
            drawn[at] = tuple(
                Span(span.text, f"select_{span.role}") for span in fill(drawn[at], size.width)
            )
        return [*drawn, *[()] * (size.height - len(drawn))]

    def _step(self, core: ProtocolCore, place: int, row: Row, width: int) -> Line:
        state = row.state
        mark = "[!]" if row.contradicts else "[x]"
        if state is not None and not row.contradicts:
            mark = _MARKS.get(
                state.state, "[x]" if state.done and not state.step.every_min else "[ ]"
            )
        when = self._when(row)
        amounts = " ".join(self._amount(one) for one in state.amounts) if state else ""
        room = width - 9 - STATE_CELLS - 1
        amount = cut(amounts, room)
        left = room - cells(amount) - (2 if amount else 0)
        text = fit(self._step_words(core, row), max(left, 10))
        gap = "  " if amount else ""
        lack = state is not None and any(one.lack for one in state.amounts)
        return line(
            f" {mark} {place + 1:>2}  ",
            Span(text),
            Span(f"{gap}{amount}", "warn" if lack else "title"),
            Span(f" {fit(when.text, STATE_CELLS)}", when.role),
        )

    def _when(self, row: Row) -> Span:
        """Return when a step is due, how late, or who did it and when."""
        words, desk, state = self.desk.words, self.desk, row.state
        last = row.told[-1] if row.told else None
        done = self._by(last, len(row.told)) if last else ""
        if state is None:
            return Span(done, "dim")
        match state.state:
            case "stopped":
                return Span(words("protocol.is_stopped"), "bad")
            case "done" | "skipped":
                return Span(done, "dim")
            case "unknown":
                return Span("", "dim")
        if state.due_ms is None:
            later = "protocol.after" if state.state == "waiting" else "protocol.as_needed"
            return Span(done or words(later), "dim")
        at = clock(state.due_ms, desk.now_ms, desk.zone)
        if state.state == "late":
            late = span_of(words, desk.now_ms - state.due_ms)
            return Span(words("protocol.late", at=at, late=late), "bad")
        key = "protocol.due" if state.state == "now" else "protocol.next"
        return Span(words(key, at=at), "warn" if state.state == "now" else "plain")

    def _by(self, told: StepTold, count: int) -> str:
        desk = self.desk
        at = happened(told.at_ms, told.precision, desk.now_ms, desk.zone)
        more = f" +{count - 1}" if count > 1 else ""
        return f"{at} {clean_text(told.by or told.author)}{more}"

    def _amount(self, one: Computed) -> str:
        words = self.desk.words
        if one.lack:
            return words(_LACKS[one.lack])
        marks = "".join(f" {words(_BESIDE[mark])}" for mark in one.marks)
        return f"{one.text}{marks}"

    def _step_words(self, core: ProtocolCore, row: Row) -> str:
        step = next((one for one in core.form.step if one.id == row.id), None)
        return self.word(step.words) if step else clean_text(row.id)

    def below(self, core: ProtocolCore, size: Size) -> list[Line]:
        """Return the question, the reason that is typed, or the marked step whole."""
        words, width = self.desk.words, size.width
        room = min(DETAIL_ROWS_MAX, max(size.height // 2 - 1, 3))
        if core.why is not None:
            return self._reason(core.why, width)
        if (asked := core.asked) is not None:
            return self._question(core, asked, width)
        progress = core.progress
        found: list[Line] = []
        if progress.stop is not None:
            text = self.word(progress.stop.words)
            found += [line(" ", Span(part, "bad")) for part in wrap(text, width - 2)]
            found.append(line(" ", Span(words("protocol.write_it"), "dim")))
        elif progress.result is not None:
            text = words("protocol.result", what=self.word(progress.result.words))
            role = progress.result.level or "title"
            found += [line(" ", Span(part, role)) for part in wrap(text, width - 2)]
            found.append(line(" ", Span(words("protocol.write_it"), "dim")))
        if (row := core.selected) is not None:
            found += self._details(core, row, width)
        return found[:room]

    def _question(self, core: ProtocolCore, asked: Question, width: int) -> list[Line]:
        words = self.desk.words
        title = self.word(asked.words)
        rows = [line(" ", Span(part, "title")) for part in wrap(title, width - 2)]
        if asked.id in core.differing:
            rows.append(line(" ", Span(words("protocol.differ"), "warn")))
        match asked.type:
            case "truth":
                rows.append(_choices([("1", words("value.yes")), ("2", words("value.no"))]))
            case "number":
                box = (Span(core.typing.typed, "open"), Span(" ", "cursor"))
                rows.append(line("   [ ", *box, Span(f" ] {unit(asked.unit)}")))
            case _:
                rows += self._choice_lines(core, asked, width)
        said = [words("guide.several")] if asked.type == "several" else []
        said += [f"{SKIP} {words('guide.skip')}"] if asked.skip else []
        said += [f"{UNRECORDABLE} {words('form.unrecordable')}"] if asked.unrecordable else []
        return [*rows, line(" ", Span(cut("   ".join(said), width - 2), "dim"))]

    def _choice_lines(self, core: ProtocolCore, asked: Question, width: int) -> list[Line]:
        wide = len(asked.choices) > 9
        told = []
        for place, one in enumerate(asked.choices, start=1):
            several = asked.type == "several"
            mark = ("[x] " if one.id in core.typing.marked else "[ ] ") if several else ""
            number = f"{place:02d}" if wide else str(place)
            told.append((number, cut(f"{mark}{self.word(one.words)}", width // 2 - 8)))
        half = (len(told) + 1) // 2 if len(told) > 3 else len(told)
        lines = []
        for place in range(half):
            pair = [told[place], *told[place + half : place + half + 1]]
            lines.append(_choices(pair, width // 2 - 4))
        return lines

    def _reason(self, typed: str, width: int) -> list[Line]:
        words = self.desk.words
        coded = [(str(number), words(key)) for number, key in enumerate(REASONS, start=1)]
        shown = typed
        while cells(shown) > width - 8:
            shown = shown[1:]
        return [
            line(" ", Span(words("protocol.why"), "title")),
            _choices(coded[:2], width // 2 - 4),
            _choices(coded[2:], width // 2 - 4),
            line("   [ ", Span(shown, "open"), Span(" ", "cursor"), Span(" ]")),
        ]

    def _details(self, core: ProtocolCore, row: Row, width: int) -> list[Line]:
        """Return the marked step whole: words, amounts, who did it by which version, its source."""
        words = self.desk.words
        text = self._step_words(core, row)
        found = [line(" ", Span(part)) for part in wrap(text, width - 2)]
        if row.state is None and not any(one.id == row.id for one in core.form.step):
            found.append(line(" ", Span(words("protocol.not_here"), "warn")))
        if row.contradicts:
            found.append(line(" ", Span(words("protocol.contradicts"), "bad")))
        amounts = row.state.amounts if row.state else ()
        found += [line("   ", Span(self._amount(one), "title")) for one in amounts]
        for told in row.told[-TOLD_MAX:]:
            by = words(f"value.{told.did}") if words.has(f"value.{told.did}") else ""
            why = clean_text(told.reason)
            said = " ".join(
                filter(None, (self._by(told, 1), f"v{clean_text(told.version)}", by, why))
            )
            found.append(line("   ", Span(cut(said, width - 4), "dim")))
        found += self._source(core, row.state, width)
        return found

    def _source(self, core: ProtocolCore, state: StepState | None, width: int) -> list[Line]:
        if state is None:
            return []
        words = self.desk.words
        source = clean_text(state.step.source) or clean_text(core.form.pack.source)
        said = words("protocols.source", source=source)
        memory = f"  {words('guide.memory')}" if state.status == "memory" else ""
        role = "warn" if memory else "dim"
        return [line(" ", Span(part, role)) for part in wrap(f"{said}{memory}", width - 2)[:2]]

    def word(self, words: Words) -> str:
        """Return a word of the pack in the reader's language."""
        return clean_text(word(words, self.desk.words.languages).text)


def _choices(pairs: list[tuple[str, str]], room: int = 0) -> Line:
    spans: list[Span | str] = []
    for number, text in pairs:
        spans += ["   ", Span(number, "key"), Span(f" {fit(text, room - 4) if room else text}")]
    return line(*spans)
