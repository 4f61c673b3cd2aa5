"""Triage in a few keys: a tag, a category, an age band, a sex; then the next one."""

from __future__ import annotations

from typing import Any, ClassVar

from fieldnode.tui.acts import Act, Back, Open, Say
from fieldnode.tui.cores.fields import Answer, Coded, Field, Tag
from fieldnode.tui.cores.form import FormCore
from fieldnode.tui.cores.scan import Scan
from fieldnode.tui.desk import Desk
from fieldnode.tui.screens.choices import BAND, SEX, category_field
from fieldnode.tui.screens.form_page import SCAN_CHARS_MAX, texts
from fieldnode.tui.screens.tag_form import TagForm
from protocols.live.api import BoardLine, Recorded


class TriagePage(TagForm):
    """One casualty; a patient with a known tag is triaged again."""

    name: ClassVar[str] = "triage"
    title: ClassVar[str] = "triage.title"
    saved_word: ClassVar[str] = "triage.saved"
    kinds: ClassVar[tuple[str, ...]] = ("triage.record",)
    known_word: ClassVar[str] = "triage.tag_known"
    chooses: ClassVar[bool] = True

    def __init__(self, desk: Desk, head: BoardLine | None = None) -> None:
        fields = _fields(desk, head)
        super().__init__(desk, FormCore(fields, optional_from=len(fields) - 1), head)
        self._next_tag = ""

    def record(self, answers: dict[str, Answer]) -> dict[str, Any]:
        """Return the triage; without a known patient it founds one."""
        found: dict[str, Any] = texts(answers, ("category", "tag", "sex", "problem"))
        if "band" in answers:
            found["band"] = int(answers["band"].text)
        line: dict[str, Any] = {"kind": "triage.record", "data": found}
        known = self.head or self._answered.get(found.get("tag", ""))
        if known is not None:
            line["patient"] = known.patient
        return line

    def scan(self, scan: Scan) -> list[Act]:
        """A scan over a complete form saves it and opens the next (SAFETY 17)."""
        place = next((at for at, field in enumerate(self.form.fields) if field.name == "tag"), None)
        if place is None or len(scan.text) > SCAN_CHARS_MAX or "\x1d" in scan.text:
            return super().scan(scan)
        tag = self.form.answer(place)
        if tag and tag.text != scan.text and self.form.answer(self.form.place_of("category")):
            self._next_tag = scan.text
            return self._save()
        if tag and tag.text != scan.text:
            text = self.desk.words("triage.scan_other", tag=tag.text)
            return [Say(text, "warn", bell=True)]
        return super().scan(scan)

    def after_save(self, _recorded: Recorded) -> list[Act]:
        """Go on with the next casualty, or back to the chart this came from."""
        if self.head is not None:
            return [Back()]
        following = TriagePage(self.desk)
        acts: list[Act] = [Open(following, instead=True)]
        if self._next_tag:
            acts += following.scan(Scan("", self._next_tag))
        return acts

    def _label(self, recorded: Recorded) -> str:
        tag = self.form.answers().get("tag")
        category = self.form.answers()["category"].text
        word = self.desk.words(f"triage.{category}")
        who = super()._label(recorded)
        return " ".join(part for part in (word, tag.text if tag else "", who) if part)


def _fields(desk: Desk, head: BoardLine | None) -> tuple[Field, ...]:
    category = category_field(required=True)
    problem = Field("problem", "field.problem", hint="triage.problem_hint")
    if head is not None:
        return (category, problem)
    tag = Tag("tag", "field.tag", prefix=desk.greeting.tag_prefix, hint="triage.tag_hint")
    band = Coded("band", "field.band", choices=BAND, hint="triage.band_hint")
    sex_field = Coded("sex", "field.sex", choices=SEX)
    return (tag, category, band, sex_field, problem)
