"""F2, mass casualty: a tag, a category, an age band, a sex: saved, and the next one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

from fieldnode.tui.acts import Act, Ask, Open, Say
from fieldnode.tui.ages import age_of
from fieldnode.tui.cores.display import Line, Size, Span, between, cut, line, line_cells
from fieldnode.tui.cores.fields import Answer, Coded, Field, Tag
from fieldnode.tui.cores.form import FormCore
from fieldnode.tui.cores.keys import GROUP_SEPARATOR
from fieldnode.tui.cores.picked import coded
from fieldnode.tui.cores.scan import Scan
from fieldnode.tui.desk import Desk
from fieldnode.tui.screens.choices import BAND, SEX
from fieldnode.tui.screens.form_page import SCAN_CHARS_MAX, texts
from fieldnode.tui.screens.injuries import injury_field, injury_said, treatment_field
from fieldnode.tui.screens.triage import TriageForm, pregnant_by, triage_category
from fieldnode.tui.widgets.form_view import HELP_ROWS, draw_form
from fieldnode.tui.widgets.list_view import draw_counts
from fieldnode.tui.wording import TRIAGE_ROLES, TRIAGE_WORDS, clock, span_of, triage
from protocols.errors import FieldmeshError
from protocols.guidelines.ages import AgeSpan, of_band
from protocols.live.api import BoardLine, Recorded
from protocols.live.tally import Tally

LAST_DIGITS = 4
"""Digits of a tag that a person types; what stands before them is the prefix."""

SAVED_ROWS = 4
"""Saves shown below the form."""

HEAD_ROWS = 3
LOW_ROWS = 12
"""Below it the counts give way to the form."""

_OPTIONAL_FROM = 4
_KNOWN_OPTIONAL_FROM = 2
"""Of somebody known only the category is needed: age and sex were said."""


class MassPage(TriageForm):
    """One casualty after the other; a known tag is somebody triaged again."""

    name: ClassVar[str] = "triage"
    title: ClassVar[str] = "mass.title"
    known_word: ClassVar[str] = "triage.tag_known"
    chooses: ClassVar[bool] = True

    def __init__(self, desk: Desk, tally: Tally | None = None) -> None:
        super().__init__(desk, FormCore(_fields(desk), optional_from=_OPTIONAL_FROM, swift=True))
        self._tally = tally or Tally()
        self._next_tag = ""
        self._known: BoardLine | None = None
        """Who carries the tag, once a person said that it is them."""

    def opened(self) -> list[Act]:
        """Ask how many there were, and who carries the tag of a draft."""
        looked_up = self.field_left("tag") if self._tag else []
        return [*super().opened(), self._count(), *looked_up]

    def resumed(self) -> list[Act]:
        """Count again, and show what was found before of somebody who was chosen meanwhile."""
        shown = [] if self.history else self._history_of(None)
        return [*super().resumed(), self._count(), *shown]

    def changed(self) -> list[Act]:
        """Others triage too."""
        return [*super().changed(), self._count()]

    def record(self, answers: dict[str, Answer]) -> dict[str, Any]:
        """Return the triage; without a known patient it founds one."""
        found = texts(answers, ("tag", "sex")) | self.category(answers)
        if "problem" in answers:
            found["problem"] = injury_said(answers["problem"])
        if "band" in answers:
            found["band"] = int(answers["band"].text)
        written: dict[str, Any] = {"kind": "triage.record", "data": found}
        if self._known is not None:
            written["patient"] = self._known.patient
        return written

    def also(self, answers: dict[str, Answer]) -> list[dict[str, Any]]:
        """Return what was done already, in the same commit."""
        if "treatment" not in answers:
            return []
        whom = {"line": 1} if self._known is None else self._known.patient
        data = {"code": coded(answers["treatment"])[0]}
        return [{"kind": "procedure.record", "key": "done", "patient": whom, "data": data}]

    def scan(self, scan: Scan) -> list[Act]:
        """A scan over a complete form saves it and opens the next; else it fills nothing."""
        if len(scan.text) > SCAN_CHARS_MAX or GROUP_SEPARATOR in scan.text:
            return super().scan(scan)
        self._learn_prefix(scan.text)
        tag = self.form.answer(self.form.place_of("tag"))
        if not tag or tag.text == scan.text:
            return super().scan(scan) if not tag else []
        if not self.form.complete:
            text = self.desk.words("triage.scan_other", tag=tag.text)
            self.form.finish()
            return [Say(text, "warn", bell=True)]
        self._next_tag = scan.text
        return self._save()

    def tag_answered(self, tag: str) -> None:
        """It is somebody known: only the category is needed, and what was found before is shown."""
        self._take_known(self._answered[tag])

    def field_left(self, name: str) -> list[Act]:
        """Look the tag up; another tag than before is another person."""
        if name == "tag":
            self._take_known(self._answered.get(self._tag))
        return super().field_left(name)

    def key(self, key: str) -> list[Act]:
        """Take one key; whoever turns out to be known has a history to show."""
        before = self._known
        if key != "enter":
            self._next_tag = ""
        acts = super().key(key)
        return [*acts, *self._history_of(before)]

    def after_save(self, recorded: Recorded) -> list[Act]:
        """Go on with the next casualty; an Enter struck twice must not pass the next tag by."""
        if not recorded.ok:
            return []
        self.desk.triaged += 1
        following = MassPage(self.desk, self._tally)
        if self._tag:
            following.form.absorb_one()
        acts: list[Act] = [Open(following, instead=True)]
        if self._next_tag:
            acts += following.scan(Scan("", self._next_tag))
        return acts

    def known_age(self) -> AgeSpan:
        """Return the age of somebody known, else the band that was answered."""
        if self._known is not None:
            return age_of(self._known)
        band = self.form.answers().get("band")
        return of_band(int(band.text) if band else None)

    def known_pregnant(self) -> bool | None:
        """Return what the sex says, of somebody known or as it was answered."""
        if self._known is not None:
            return pregnant_by(self._known.sex)
        said = self.form.answers().get("sex")
        return {"male": False, "female-pregnant": True}.get(said.text) if said else None

    def told(self) -> list[Line]:
        """Return the counts, and the last saves."""
        return [*self._head(80)[1:], *self._saved(Size(80, SAVED_ROWS))]

    def draw(self, size: Size) -> list[Line]:
        """Draw the counts, the form, and what was saved last or found before."""
        head = self._head(size.width)[: HEAD_ROWS if size.height >= LOW_ROWS else 1]
        fields = len(self.form.fields) + 1 + HELP_ROWS
        room = Size(size.width, size.height - len(head) - fields)
        below = self.history_lines(room) if self._known else self._saved(room)
        form = Size(size.width, size.height - len(head) - len(below))
        return [*head, *draw_form(self.form, self.desk.words, form), *below]

    def described(self, answers: dict[str, Answer]) -> tuple[str, ...]:
        """Say age and sex in the line that says what was saved."""
        words = self.desk.words
        band, sex = answers.get("band"), answers.get("sex")
        return (
            words(f"band.{band.text}") if band and band.text != "9" else "",
            words(f"sex.{sex.text}") if sex and sex.text != "unknown" else "",
        )

    def _head(self, width: int) -> list[Line]:
        """Return title and occasion, counts by category, and totals, in `HEAD_ROWS` rows."""
        words, desk, tally = self.desk.words, self.desk, self._tally
        title: Line = line(" ", Span(words(self.title), "title"))
        if self._known is not None:
            was = Span(words("mass.again"), "title")
            title = line(" ", was, "  ", triage(words, self._known.triage))
        said = cut(self.stated(), width - line_cells(title) - 2)
        when = line(Span(said, "warn" if self._stands_out else "dim"), Span(" "))
        counts = [
            Span(
                words(f"count.{TRIAGE_WORDS[one]}", n=tally.counts.get(str(one), 0)),
                TRIAGE_ROLES[one],
            )
            for one in (1, 2, 3, 4, 0)
        ]
        parts = [
            Span(words("mass.total", n=sum(tally.counts.values()))),
            Span(words("mass.minute", n=tally.last_minute)),
            Span(words("mass.mine", n=desk.triaged)),
        ]
        if tally.since_ms is not None:
            at = clock(tally.since_ms, desk.now_ms, desk.zone)
            lasted = span_of(words, desk.now_ms - tally.since_ms)
            parts.append(Span(words("mass.since", at=at, lasted=lasted), "dim"))
        return [
            between(title, when, width), draw_counts(counts, width), draw_counts(parts, width),
        ]  # fmt: skip

    def _saved(self, room: Size) -> list[Line]:
        """Return the last casualties saved here, the newest first, with the way to take it back."""
        words, desk = self.desk.words, self.desk
        mine = [save for save in desk.saves if save.form == self.name]
        rows: list[Line] = []
        for save in mine[::-1][: max(min(SAVED_ROWS, room.height), 0)]:
            at = clock(save.at_ms, desk.now_ms, desk.zone)
            text = f" {at}  {save.label}"
            undo = words("mass.undo") if not rows and save is desk.saves[-1] else ""
            rows.append(between(line(Span(text, "value")), line(Span(undo, "key")), room.width))
        return rows

    def _count(self) -> Ask:
        def came(tally: Tally) -> list[Act]:
            self._tally = tally
            return []

        return Ask(lambda node: node.tally(), came, _not_counted, holds=False)

    def _take_known(self, known: BoardLine | None) -> None:
        """Take note who this is; of somebody new age and sex are needed too."""
        if known is self._known:
            return
        self._known, self.history = known, ()
        for field in self.form.fields:
            if field.name in ("band", "sex"):
                self.form.replace_field(replace(field, required=known is None))
        self.form.optional_from = _OPTIONAL_FROM if known is None else _KNOWN_OPTIONAL_FROM

    def _history_of(self, before: BoardLine | None) -> list[Act]:
        if self._known is None or self._known is before:
            return []
        return [self.fetch_history(self._known.patient)]

    def _learn_prefix(self, text: str) -> None:
        """Complete typed digits like the last tag that was scanned, where no prefix is kept."""
        found = re.fullmatch(rf"(.*\D\d*?)\d{{{LAST_DIGITS}}}", text)
        if found is None or self.desk.greeting.tag_prefix:
            return
        self.desk.tag_prefix = found[1]
        self.form.replace_field(_tag(self.desk))

    def _who(self, carriers: Sequence[BoardLine]) -> str:
        """Return who they are, and of one alone what was found before."""
        said = super()._who(carriers)
        if len(carriers) > 1:
            return said
        was = self.desk.words("mass.was", category=triage(self.desk.words, carriers[0].triage).text)
        return f"{said}, {was}"


def _fields(desk: Desk) -> tuple[Field, ...]:
    band = Coded("band", "field.band", required=True, choices=BAND, hint="triage.band_hint")
    sex = Coded("sex", "field.sex", required=True, choices=SEX)
    # What was done is care: nobody who has to sign in first writes it without.
    identified = desk.greeting.person_id or not desk.greeting.people
    done = (treatment_field(desk),) if identified else ()
    return (_tag(desk), triage_category(), band, sex, injury_field(desk), *done)


def _tag(desk: Desk) -> Tag:
    return Tag("tag", "field.tag", prefix=desk.prefix, hint="triage.tag_hint")


def _not_counted(_failure: FieldmeshError) -> list[Act]:
    """The numbers shown stay; they are asked for again with the next casualty."""
    return []
