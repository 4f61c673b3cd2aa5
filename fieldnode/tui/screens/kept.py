"""What is here and does not count, with the reason; letting through what a seal keeps back."""

from __future__ import annotations

from collections.abc import Awaitable, Hashable, Iterator, Sequence
from typing import ClassVar, NamedTuple

from fieldnode.client import Node
from fieldnode.tui.acts import Act, Ask, Back, Open, Say
from fieldnode.tui.cores.display import Line, Size, Span, line
from fieldnode.tui.cores.scan import Scan
from fieldnode.tui.cores.sealing import TypedCode, code_of
from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Action, Hint, Page
from fieldnode.tui.screens.belonging import coded, may_not, shown_name, wrapped
from fieldnode.tui.screens.listing import Fetched
from fieldnode.tui.screens.seal import code_line
from fieldnode.tui.widgets.list_view import Column
from fieldnode.tui.wording import clock
from protocols.live.belonging import Apart, KeptLine, Quarantine
from protocols.live.phrases import LANGUAGES, phrases
from protocols.records.display import clean_text

WHOLE_ROWS = 5


class Row(NamedTuple):
    """One line of the list."""

    id: str
    what: str
    entries: int | None
    """None where nothing is counted."""
    since_ms: int
    who: str
    whole: str
    """Everything that is to be said of it."""
    kept: KeptLine | None = None
    """What a seal keeps back, and an extension would let through."""


class KeptPage(Fetched[Row, Apart]):
    """One row for each thing kept apart."""

    name: ClassVar[str] = "kept"
    actions = (Action("e", "1", "kept.extend"),)
    about = ("e",)
    none_marked: ClassVar[str] = "kept.no_seal"

    def name_of(self, row: Row) -> str:
        """Return what it is known by."""
        return row.id

    def ask(self, node: Node) -> Awaitable[Apart]:
        """Ask for everything."""
        return node.apart()

    def rows_of(self, found: Apart) -> Sequence[Row]:
        """Return it as rows, in words."""
        return list(_rows(self.desk, found))

    def act(self, _key: str, row: Row) -> list[Act]:
        """Begin to extend a seal."""
        kept, found = row.kept, self.found
        if kept is None or found is None:
            return [Say(self.desk.words("kept.no_seal"), "warn", bell=True)]
        if kept.why_not:
            return [Say(may_not(self.desk, kept.why_not, kept.ask), "warn", bell=True)]
        feeds = tuple(each for each in found.kept if each.seal == kept.seal)
        return [Open(ExtendPage(self.desk, feeds))]

    def draw(self, size: Size) -> list[Line]:
        """Draw what is kept apart, then the whole of the selected one."""
        words = self.desk.words
        if self.found is None:
            return [line(" ", Span(words("chart.loading"), "dim"))]
        columns = (
            Column(words("kept.what"), 26),
            Column(words("kept.entries"), 9),
            Column(words("kept.since"), 12),
            Column(words("kept.who"), 0),
        )
        title = line(" ", Span(words("kept.title"), "title"))
        room = Size(size.width, size.height - 1 - WHOLE_ROWS)
        drawn = self.table(columns, room, "kept.nothing")
        row = self.rows.selected
        whole = wrapped(row.whole, size, most=WHOLE_ROWS - 1) if row else []
        return [title, *drawn, (), *whole, *[()] * (WHOLE_ROWS - 1 - len(whole))]

    def cells(self, row: Row) -> list[Span]:
        """Return what, how much, since when, whose."""
        since = clock(row.since_ms or None, self.desk.now_ms, self.desk.zone)
        return [
            Span(row.what, "warn"),
            Span("" if row.entries is None else str(row.entries)),
            Span(since),
            Span(row.who, "title"),
        ]


class ExtendPage(Page):
    """What will count again, and the number that says it is meant."""

    name: ClassVar[str] = "extend"
    scans: ClassVar[bool] = False

    def __init__(self, desk: Desk, feeds: Sequence[KeptLine]) -> None:
        super().__init__(desk)
        self._feeds = tuple(feeds)
        self._code = TypedCode(code_of(desk.new_key()))

    def key(self, key: str) -> list[Act]:
        """Take the digits."""
        if key == "escape":
            return [Back()]
        if self._code.key(key):
            seal, entries = self._feeds[0].seal, sum(feed.entries for feed in self._feeds)
            return [Ask(lambda node: node.unseal(seal, entries), self._done)]
        wrong = self.desk.words("seal.other_number")
        return [Say(wrong, "bad", bell=True)] if self._code.wrong else []

    @property
    def question(self) -> Hashable | None:
        """Whether all of this is to count."""
        return self._feeds

    def answers(self, item: str | Scan) -> bool:
        """Whatever is struck was meant for something else, except the way back."""
        return item != "escape"

    def draw(self, size: Size) -> list[Line]:
        """Draw what will count again, feed by feed."""
        words, desk, first = self.desk.words, self.desk, self._feeds[0]
        who = shown_name(first.name, first.device)
        entries = sum(feed.entries for feed in self._feeds)
        why = coded(words, "seal_reason", first.reason)
        said = words.count("extend.will", entries, who=who, org=clean_text(first.org, 40))
        rows = [
            words.count(
                "extend.held" if feed.held else "extend.above",
                feed.entries,
                at=clock(feed.first_ms or None, desk.now_ms, desk.zone),
                lane=coded(words, "lane", str(feed.lane)),
            )
            for feed in self._feeds
        ]
        top = [
            line(" ", Span(words("extend.title"), "title")),
            line(" ", words("extend.seal", why=why), "  ", Span(who, "title")),
            (),
            *wrapped(said, size, "label", most=3),
        ]
        asked = [
            (),
            *wrapped(words("extend.only_these"), size, most=3),
            (),
            code_line(desk, self._code),
        ]
        room = size.height - len(top) - len(asked) - 1
        listed: list[Line] = []
        for at, row in enumerate(rows):
            parts = wrapped(f"  - {row}", size, most=2)
            if len(listed) + len(parts) > room:
                listed.append(line("   ", words.count("extend.more", len(rows) - at)))
                break
            listed += parts
        return [*top, *listed, *asked]

    def hints(self) -> list[Hint]:
        """Say what Enter does."""
        return [Hint(self.desk.words("keys.enter"), self.desk.words("kept.extend"))]

    def _done(self, _left: Quarantine) -> list[Act]:
        entries = sum(feed.entries for feed in self._feeds)
        return [Say(self.desk.words.count("extend.done", entries), "good"), Back()]


def _rows(desk: Desk, found: Apart) -> Iterator[Row]:
    """Yield everything kept apart: what a coordinator can decide on comes first."""
    words = desk.words
    for kept in found.kept:
        who = shown_name(kept.name, kept.device)
        why = coded(words, "seal_reason", kept.reason)
        said = "kept.held_whole" if kept.held else "kept.above_whole"
        whole = words(said, why=why, who=who, org=clean_text(kept.org, 40))
        if kept.why_not:
            whole += " " + may_not(desk, kept.why_not, kept.ask)
        what = words("kept.held" if kept.held else "kept.above", why=why)
        place = f"{kept.seal} {kept.feed}"
        yield Row(place, what, kept.entries, kept.first_ms, _with(who, kept.org), whole, kept)
    for seal in found.seals:
        author = shown_name(seal.author_name, seal.author)
        subject = shown_name(seal.subject_name, seal.subject)
        why = coded(words, "seal_refused", seal.reason)
        whole = words("kept.seal_whole", author=author, subject=subject, why=why)
        yield Row(seal.seal, words("kept.seal"), None, 0, author, whole)
    for one in found.authors:
        device = shown_name(one.device_name, one.device)
        person = clean_text(one.person_name) or (words("kept.someone") if one.person else "")
        who = _with(f"{person}, {device}" if person else device, one.org)
        standing = str(one.standing)
        what, means = coded(words, "apart", standing), coded(words, "apart_means", standing)
        place = f"{one.device} {one.person} {standing}"
        yield Row(place, what, one.entries, one.newest_ms, who, f"{who}: {means}")
    for fork in found.forks:
        who = shown_name(fork.name, fork.device)
        whole = words.count("kept.fork_whole", fork.branches, who=who)
        yield Row(fork.feed, words("kept.fork"), None, 0, who, whole)
    for refused in found.links:
        who = shown_name(refused.peer_name, refused.peer) if refused.peer else refused.address
        who = clean_text(who) or "?"
        spoken = next(language for language in words.languages if language in LANGUAGES)
        why = phrases(spoken)["error"].get(refused.code, clean_text(refused.code))
        place = f"{refused.code} {refused.peer} {refused.address}"
        yield Row(place, words("kept.link"), None, refused.last_ms, who, f"{who}: {why}")
    if found.more:
        yield Row("more", words("kept.more"), None, 0, "", words("kept.more_whole"))


def _with(who: str, org: str) -> str:
    return f"{who}, {clean_text(org, 40)}" if org else who
