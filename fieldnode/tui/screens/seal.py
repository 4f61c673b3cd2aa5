"""Sealing a device or person: why, since when, a note; then what will happen, and a number."""

from __future__ import annotations

from collections.abc import Hashable
from typing import ClassVar

from fieldnode.tui.acts import Act, Ask, Back, Say
from fieldnode.tui.cores.display import Line, Size, Span, cells, line
from fieldnode.tui.cores.scan import Scan
from fieldnode.tui.cores.sealing import (
    DEVICE_REASONS,
    PERSON_REASONS,
    Came,
    Reason,
    SealCore,
    Step,
    TypedCode,
    code_of,
)
from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Hint, Page
from fieldnode.tui.screens.belonging import (
    coded,
    fingerprint_lines,
    member_line,
    several,
    shown_name,
    wrapped,
)
from fieldnode.tui.wording import clock
from protocols.live.belonging import MemberLine, RosterLine, SealLook


class SealPage(Page):
    """The steps of one seal; nothing happens before the number is typed."""

    name: ClassVar[str] = "seal"
    scans: ClassVar[bool] = False

    def __init__(self, desk: Desk, member: RosterLine) -> None:
        super().__init__(desk)
        self._member = member
        self._person = member.rank == "person"
        self._look: SealLook | None = None
        reasons = [
            each
            for each in (PERSON_REASONS if self._person else DEVICE_REASONS)
            if member.roles or each.name != "role_reduced"
        ]
        self._core = SealCore(reasons, member.roles, code_of(desk.new_key()), desk.zone)

    def key(self, key: str) -> list[Act]:
        """Answer the step that is asked."""
        came = self._core.key(key, self.desk.now_ms)
        if came is Came.LEFT:
            return [Back()]
        if came is Came.REFUSED:
            return [Say(self.desk.words("seal.no_instant"), "bad", bell=True)]
        if came is Came.LOOK:
            return [self._ask_look()]
        if came is Came.MEANT:
            return [self._do()]
        if self._core.step is not Step.CONFIRM:
            self._look = None
        elif self._core.code.wrong:
            return [Say(self.desk.words("seal.other_number"), "bad", bell=True)]
        return []

    @property
    def question(self) -> Hashable | None:
        """Why, and whether it is meant; what is typed in between answers nothing else."""
        step = self._core.step
        if step is Step.REASON:
            return self._member.id
        return (self._member.id, self._look) if step is Step.CONFIRM else None

    def answers(self, item: str | Scan) -> bool:
        """Whatever is struck was meant for something else, except the way back."""
        return item != "escape"

    def draw(self, size: Size) -> list[Line]:
        """Draw who it is, what was said so far, and what is asked."""
        words, core = self.desk.words, self._core
        spoken = "" if core.step is Step.CONFIRM else self._member.spoken
        lines: list[Line] = [
            line(" ", Span(words("seal.title"), "title")),
            member_line(words, self._member),
            *fingerprint_lines(words, self._member.fingerprint, spoken, size),
            (),
            *self._said(size),
        ]
        match core.step:
            case Step.REASON:
                lines += [line(" ", words("seal.why")), ()]
                lines += [
                    line(
                        "   ", Span(f"{one.letter}/{one.digit}", "label"), f"  {self._reason(one)}"
                    )
                    for one in core.reasons
                ]
            case Step.SINCE:
                lines += [*wrapped(words("seal.since"), size), _field(core.typed, size)]
                lines += wrapped(words("seal.since_hint"), size, "dim")
            case Step.ROLES:
                lines += [line(" ", words("seal.keeps")), ()]
                lines += [
                    line(
                        "   ",
                        Span(f"{at}", "label"),
                        f"  [{'x' if role in core.keeps else ' '}] ",
                        Span(several(words, (role,), "roster.no_role")),
                    )
                    for at, role in enumerate(core.roles, start=1)
                ]
            case Step.NOTE:
                lines += [*wrapped(words("seal.note"), size), _field(core.typed, size)]
            case Step.CONFIRM:
                # What will happen and the number are seen whole, whatever the note says.
                told = self._consequences(size)
                lines = [*lines[: max(size.height - len(told), 0)], *told]
        return lines

    def hints(self) -> list[Hint]:
        """Say what Enter does."""
        words, core = self.desk.words, self._core
        if core.step is Step.REASON:
            return []
        done = "seal.do" if core.step is Step.CONFIRM else "seal.next"
        return [Hint(words("keys.enter"), words(done))]

    def _said(self, size: Size) -> list[Line]:
        """Return what was answered so far."""
        words, core = self.desk.words, self._core
        if core.step is Step.REASON:
            return []
        said = [words("seal.said_why", why=coded(words, "seal_reason", core.reason))]
        if core.step is not Step.SINCE:
            said.append(words("seal.said_since", at=self._since()))
        if core.step in (Step.NOTE, Step.CONFIRM) and core.reduces:
            said.append(words("seal.said_keeps", roles=", ".join(sorted(core.keeps))))
        if core.step is Step.CONFIRM and core.note:
            said.append(words("seal.said_note", note=core.note))
        return [*wrapped("  ".join(said), size, "label", most=4), ()]

    def _reason(self, reason: Reason) -> str:
        words = self.desk.words
        name = coded(words, "seal_reason", reason.name)
        return words("seal.reason", name=name, means=coded(words, "seal_means", reason.name))

    def _since(self) -> str:
        since = self._core.since_ms
        now = self.desk.words("seal.from_now")
        return now if since is None else clock(since, self.desk.now_ms, self.desk.zone)

    def _consequences(self, size: Size) -> list[Line]:
        words, core, look = self.desk.words, self._core, self._look
        if look is None:
            return [line(" ", Span(words("chart.loading"), "dim"))]
        told = [line(" ", Span(words("seal.will"), "label"))]
        for text in consequences(self.desk, core.reason, core.since_ms, look):
            told += [
                line("  - " if not at else "    ", *part[1:])
                for at, part in enumerate(wrapped(text, Size(size.width - 3, size.height)))
            ]
        return [*told, (), code_line(self.desk, core.code)]

    def _ask_look(self) -> Ask:
        member, since = self._member.id, self._core.since_ms

        def came(look: SealLook) -> list[Act]:
            self._look = look
            return []

        return Ask(lambda node: node.seal_look(member, since), came)

    def _do(self) -> Ask:
        core, member = self._core, self._member.id
        roles = sorted(core.keeps) if core.reduces else []
        reason, since, note = core.reason, core.since_ms, core.note
        return Ask(lambda node: node.seal(member, reason, since, roles, note), self._done)

    def _done(self, sealed: MemberLine) -> list[Act]:
        words = self.desk.words
        who = shown_name(sealed.name, sealed.id)
        why = coded(words, "seal_reason", self._core.reason)
        return [Say(words("seal.done", who=who, why=why), "good"), Back()]


def consequences(desk: Desk, reason: str, since_ms: int | None, look: SealLook) -> list[str]:
    """Return what a seal will do, one sentence each."""
    words = desk.words
    told: list[str] = []
    licence, reduces = reason == "licence_ended", reason == "role_reduced"
    person, cuts = look.entries < 0, since_ms is not None and not licence
    if person:
        said = "seal.person_before" if cuts else "seal.person_all"
        at = clock(since_ms, desk.now_ms, desk.zone)
        told.append(words(said, at=at) if cuts else words(said))
    else:
        told.append(words.count("seal.stays", look.entries - look.later if cuts else look.entries))
        later = "seal.later_reduced" if reduces else "seal.later"
        told += [words.count(later, look.later)] if cuts else []
    if licence and since_ms is not None:
        told.append(words("seal.review", at=clock(since_ms, desk.now_ms, desk.zone)))
    from_here = "seal.person_from_here" if person else "seal.from_here"
    told.append(words("seal.reduces") if reduces else words(from_here))
    if not person and not reduces:
        told.append(words("seal.links"))
    told.append(words("seal.for_good"))
    return told


def code_line(desk: Desk, code: TypedCode) -> Line:
    """Return the number to type, and what is typed of it."""
    left = len(code.wanted) - len(code.typed)
    asked = desk.words("seal.type", number=" ".join(code.wanted))
    return line(" ", Span(asked, "title"), "  [ ", Span(code.typed, "open"), "_" * left, " ]")


def _field(typed: str, size: Size) -> Line:
    shown = typed
    while cells(shown) > size.width - 8:
        shown = shown[1:]
    return line("   [ ", Span(shown, "open"), Span(" ", "cursor"), Span(" ]"))
