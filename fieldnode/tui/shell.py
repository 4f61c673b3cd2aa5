"""The terminal without a terminal: keys, codes and answers in; pages, calls and lines out.

There is one queue of keys and one consumer. While a page waits for the node, keys wait too, in
order; so what a burst of keys means never depends on how fast the screen or the node is.

A question is answered only by a key struck after it could be seen. Keys struck sooner were meant
for what usually comes; after an answer other fields may follow, or another patient, so they are not
kept for later: they are dropped, and the strip says which.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import msgspec

from fieldnode.tui.acts import Act, Ask, Back, Choose, Fresh, Open, Quit, Say
from fieldnode.tui.cores.display import Line, Size, Span
from fieldnode.tui.cores.glance import Glance
from fieldnode.tui.cores.keys import fold_digit
from fieldnode.tui.cores.scan import Scan, ScanGate
from fieldnode.tui.desk import Desk
from fieldnode.tui.frame import body_size, draw_frame
from fieldnode.tui.page import Hint, Page
from fieldnode.tui.wording import error, struck
from protocols.errors import FieldmeshError, LinkError
from protocols.live.api import Draft, Greeting, SyncState

KEYS_WAITING_MAX = 2_000
"""Keys kept while the node is asked; more are dropped with a bell, the earlier ones stay."""

PAGES_MAX = 12
"""Pages on top of each other; the oldest above the board is left first."""

LEADER_KEY = "ctrl+g"
LOCK_KEY = "f9"
PANIC_KEY = "ctrl+k"
"""Works everywhere, on a locked screen too."""
HELP_KEY = "f1"
LOCKED_TRIAGE_KEY = "f2"
"""A locked page opens triage itself, for whoever is not identified."""
SECRET_PAGES = ("lock", "pin")
"""Where what is typed must not be named when it is dropped."""
CLOCK = "clock"
"""Under which the page that asks the time is found among the openers; no key has this name."""

PAPER = "paper"
"""Under which the page is found that reads a signed paper."""

Opener = Callable[[Desk], Page]


class Shell:
    """One terminal: a pile of pages, the lowest of which is the board."""

    def __init__(self, desk: Desk, home: Page, openers: dict[str, Opener]) -> None:
        """Start on `home`.

        Args:
            desk: Shared by all pages.
            home: The page that is never left.
            openers: Which page each F-key opens, the same everywhere.
        """
        self.desk = desk
        self.pages: list[Page] = [home]
        self.strip = Span("")
        self.quitting = False
        self.bells = 0
        """Bells rung so far; the driver sounds the difference."""
        self.asks: list[Ask] = []
        """Calls to carry out, in order; the driver takes them away."""
        self._openers = openers
        self._gate = ScanGate()
        self._keys: deque[tuple[str, int]] = deque()
        """Keys that wait, each with when it was struck."""
        self._passed: deque[tuple[str | Scan, int]] = deque()
        self._struck_ms = 0
        """When the last key was struck that went to the scan gate."""
        self._glance = Glance()
        self.lost: list[str | Scan | None] = []
        """Keys dropped since one was last taken; None for what must not be shown."""
        self.dropped = 0
        """Keys dropped so far."""
        self._held_by: Ask | None = None
        self._askers: dict[int, tuple[Ask, Page]] = {}
        """Calls without an answer yet, by identity, each with the page it was made on."""
        self._later: list[tuple[Page, list[Act]]] = []
        """What came for pages below a lock: theirs again once the same person is back."""
        self._leader = False
        self._clock_asked = False

    @property
    def page(self) -> Page:
        """The page on top."""
        return self.pages[-1]

    @property
    def lock_after_ms(self) -> int:
        """After how long without a key the names are blanked."""
        return self.desk.greeting.lock_after_min * 60_000

    @property
    def busy(self) -> bool:
        """Whether keys wait for an answer."""
        return self._held_by is not None

    @property
    def prefix_waits(self) -> bool:
        """Whether an unfinished scan prefix is held: the driver calls `expire` after a while."""
        return self._gate.waiting

    @property
    def unseen(self) -> bool:
        """Whether a question stands that was not drawn yet: the driver calls `shown` after it."""
        self._glance.ask(self._question())
        return self._glance.waits

    @property
    def said(self) -> Span:
        """What the strip says: what became of keys, and the last thing said."""
        if not self.lost:
            return self.strip
        shown = [item for item in self.lost if item is not None]
        keys = struck(self.desk.words, shown) if len(shown) == len(self.lost) else ""
        known = "keys.dropped_which" if keys else "keys.dropped"
        text = self.desk.words.count(known, len(self.lost), keys=keys)
        worse = self.strip.role == "bad"
        return Span(f"{self.strip.text}  {text}" if worse else text, "bad" if worse else "warn")

    def begin(self) -> None:
        """Open the board and ask for what every page shows."""
        greeting = self.desk.greeting
        locked = greeting.locked or (greeting.people and not greeting.person_id)
        if not locked:
            self._perform([*self._ask_state(), *self.page.opened()])
            return
        self._perform(self._ask_state())
        self._perform([Open(self._openers[LOCK_KEY](self.desk))])

    def key(self, key: str, struck_ms: int) -> None:
        """Take one key, now or as soon as the page is ready for it.

        Args:
            key: As the cores know it.
            struck_ms: When it was read from the keyboard, on the clock of `shown`.
        """
        if len(self._keys) >= KEYS_WAITING_MAX:
            self._lose(None)
            return
        self._keys.append((key, struck_ms))
        self._pump()

    def shown(self, now_ms: int) -> None:
        """Everything drawn is on the screen since `now_ms`, by a clock that only goes forward."""
        self._glance.ask(self._question())
        self._glance.shown(now_ms)

    def expire(self) -> None:
        """Give an unfinished scan prefix back to the page."""
        self._passed.extend((key, self._struck_ms) for key in self._gate.expire())
        self._pump()

    def answer(self, ask: Ask, result: Any) -> None:
        """Take what the node said to a call."""
        self.desk.away = False
        asker = self._release(ask)
        self._follow(asker, ask.then(result))
        self._pump()

    def fail(self, ask: Ask, failure: FieldmeshError) -> None:
        """Take the refusal of a call; keys that counted on it are dropped."""
        if isinstance(failure, LinkError):
            self.desk.away = True
        if self._held_by is ask and ask.drops:
            self._drop_keys()
        asker = self._release(ask)
        if ask.failed is not None:
            self._follow(asker, ask.failed(failure))
        elif ask.holds:
            self._perform([Say(error(self.desk.words, failure), "bad", bell=True)])
        self._pump()

    def idle(self, for_ms: int) -> None:
        """Blank the names when nothing was typed for as long as it is set.

        What is typed and not saved stays: below the lock, and on the node as a draft.
        """
        if self.page.name == "lock" or for_ms < self.lock_after_ms:
            return
        self._drop_keys()
        self.lost.clear()
        self._leader = False
        self._perform([Open(self._openers[LOCK_KEY](self.desk))])

    def tick(self, now_ms: int) -> None:
        """Say what time it is, by the clock of this device."""
        stated = self.desk.sync.ahead_ms if self.desk.sync else 0
        self.desk.now_ms = now_ms + stated

    def changed(self) -> None:
        """Rows changed at the node."""
        self._perform([*self._ask_state(), *self.page.changed()])

    def away(self) -> None:
        """The node does not answer any more."""
        self.desk.away = True

    def stop(self) -> None:
        """Leave the terminal: what is typed becomes a draft."""
        self.asks = [ask for ask in self.page.left() if isinstance(ask, Ask)]

    def fault(self) -> None:
        """Say that something of ours failed; the pages stay."""
        self._held_by = None
        self._drop_keys()
        self._perform([Say(self.desk.words("error.fault"), "bad", bell=True)])

    def draw(self, size: Size) -> list[Line]:
        """Return the whole screen."""
        body = self.page.draw(body_size(self.desk, size))
        return draw_frame(self.desk, body, self._strip(), self._hints(), size)

    def draw_frame_only(self, size: Size) -> list[Line]:
        """Return the screen without its page."""
        return draw_frame(self.desk, (), self.strip, (), size)

    def _strip(self) -> Span:
        if self._leader:
            return Span(self.desk.words("keys.leader_waits"), "warn")
        if self._gate.collecting:
            return Span(self.desk.words("scan.reading"), "warn")
        return self.said

    def _hints(self) -> list[Hint]:
        hints = self.page.hints()
        leads = len(self.pages) > 1 and self.page.name != "lock"
        if leads or self.page.closes:
            words = self.desk.words
            hints.append(Hint(words("keys.escape"), words("keys.back"), stays=True))
        return hints

    def _pump(self) -> None:
        """Hand out keys until there are none or the page waits."""
        while not self.busy and not self.quitting and (self._passed or self._keys):
            if self._passed:
                self._dispatch(*self._passed.popleft())
                continue
            key, self._struck_ms = self._keys.popleft()
            gate = self._gate
            found = gate.key(key) if self.page.scans else [*gate.give_back(), key]
            self._passed.extend((item, self._struck_ms) for item in found)

    def _dispatch(self, item: str | Scan, struck_ms: int) -> None:
        self._glance.ask(self._question())
        # The digit behind Ctrl+G is an F-key: it answers nothing that stands on the page.
        answers = not self._leader and self.page.answers(item)
        if not self._glance.takes(struck_ms, answers=answers) and not self._locks(item):
            self._lose(item)
            return
        self.lost.clear()
        page, strip = self.page, self.strip
        self._hand_out(item)
        if self.page is not page and self.strip is strip:
            # What was said belonged to the page that is gone.
            self.strip = Span("")

    def _question(self) -> object:
        """Return what names the question that stands on the page on top; None for none."""
        asked = self.page.question
        return None if asked is None else (self.page, asked)

    def _locks(self, item: str | Scan) -> bool:
        """Whether a key struck too soon for a question blanks the names: that never waits."""
        if self._leader:
            self._leader = isinstance(item, str) and fold_digit(item[:1]) == "9"
            return self._leader
        return item in (LOCK_KEY, LEADER_KEY)

    def _hand_out(self, item: str | Scan) -> None:
        if isinstance(item, Scan) and item.is_paper and PAPER in self._openers and not self._veiled:
            # A paper is one on every page: what stands in a form below stays, as a draft.
            page = self._openers[PAPER](self.desk)
            self._perform([Open(page), *page.scan(item)])
        elif isinstance(item, Scan):
            self._perform(self.page.scan(item))
        elif item == PANIC_KEY and PANIC_KEY in self._openers:
            if self.page.name != "panic":
                self._perform([Open(self._openers[PANIC_KEY](self.desk))])
        elif self._leader:
            self._led(item)
        elif item == LEADER_KEY:
            self._leader = True
        elif item in self._openers:
            self._open_by_key(item)
        elif item in ("ctrl+q", "ctrl+c") and not self._veiled:
            self._perform([Say(self.desk.words("keys.quit_from_menu"), "warn")])
        else:
            self._perform(self.page.key(item))

    def _led(self, key: str) -> None:
        """Take the digit after Ctrl+G as the F-key of that number."""
        self._leader = False
        digit = fold_digit(key) if len(key) == 1 else ""
        name = f"f{10 if digit == '0' else digit}"
        if name in self._openers:
            self._open_by_key(name)
        elif key != "escape":
            self.bells += 1

    @property
    def _veiled(self) -> bool:
        """Whether a lock lies below: nothing under it comes back before somebody signs in."""
        return any(page.name == "lock" for page in self.pages)

    def _open_by_key(self, key: str) -> None:
        """Open the page of an F-key, or bring it back when it lies below."""
        if key == LOCKED_TRIAGE_KEY and self.page.name == "lock":
            self._perform(self.page.key(key))
            return
        self.desk.asked_from = self.page.name if key == HELP_KEY else self.desk.asked_from
        if self._veiled and key not in (LOCK_KEY, HELP_KEY):
            self._perform([Say(self.desk.words("lock.first"), "warn", bell=True)])
            return
        page = self._openers[key](self.desk)
        if page.name == self.page.name:
            return
        below = next((other for other in self.pages[1:] if other.name == page.name), None)
        if below is None:
            self._perform([Open(page)])
            return
        left = self.page.left()
        self.pages.remove(below)
        self.pages.append(below)
        self._perform([*left, *below.resumed()])

    def _perform(self, acts: list[Act]) -> None:
        waiting = deque(acts)
        while waiting:
            waiting.extendleft(reversed(self._carry_out(waiting.popleft())))

    def _carry_out(self, act: Act) -> list[Act]:
        """Do one act; return what follows from it at once."""
        match act:
            case Ask():
                self.asks.append(act)
                self._askers[id(act)] = act, self.page
                if act.holds:
                    self._held_by = act
            case Open():
                return self._put_on_top(act)
            case Back():
                return self._leave()
            case Fresh():
                return self._begin_anew()
            case Say():
                self.strip = Span(act.text, act.tone)
                self.bells += act.bell
            case Choose():
                self.desk.theme = act.theme or self.desk.theme
            case Quit():
                self.quitting = True
        return []

    def _put_on_top(self, act: Open) -> list[Act]:
        left = self.page.left()
        if act.instead and len(self.pages) > 1:
            self.pages.pop()
        self.pages.append(act.page)
        if len(self.pages) > PAGES_MAX:
            left = [*left, *self.pages.pop(1).left()]
        return [*left, *act.page.opened()]

    def _leave(self) -> list[Act]:
        if len(self.pages) == 1:
            return []
        gone = self.pages.pop()
        acts = [*gone.left(), *self.page.resumed()]
        if not self._veiled:
            acts += [act for page, kept in self._later if page is self.page for act in kept]
            self._later = [one for one in self._later if one[0] is not self.page]
        return acts

    def _begin_anew(self) -> list[Act]:
        """Nothing of whoever was here is on the screen, in a form or under F8; drafts are kept."""
        del self.pages[1:]
        self._later.clear()
        self.desk.saves, self.desk.drafts, self.desk.triaged = [], [], 0
        self.desk.paper, self.desk.last_paper = False, None
        return [*self._ask_state(), *self.page.opened()]

    def _release(self, ask: Ask) -> Page | None:
        """Let keys go on; return the page that asked."""
        if self._held_by is ask:
            self._held_by = None
        _, asker = self._askers.pop(id(ask), (ask, None))
        return asker

    def _follow(self, asker: Page | None, acts: list[Act]) -> None:
        """Do what an answer calls for, or keep it: over a lock it would bring names back."""
        locks = [at for at, page in enumerate(self.pages) if page.name == "lock"]
        if asker is None or not locks or asker in self.pages[locks[0] :]:
            self._perform(acts)
        elif acts:
            self._later.append((asker, acts))

    def _drop_keys(self) -> None:
        """Forget keys that were struck for a page that did not come, up to one that locks."""
        secret = not self.page.scans and self.page.name in SECRET_PAGES
        waiting = [*self._passed, *((key, 0) for key in self._gate.give_back()), *self._keys]
        keys = [item for item, _ in waiting]
        kept = next((at for at in range(len(keys)) if _begins_lock(keys[at : at + 2])), len(keys))
        for item in keys[:kept]:
            self._lose(None if secret else item)
        self._keys.clear()
        self._passed = deque(waiting[kept:])

    def _lose(self, item: str | Scan | None) -> None:
        """Drop a key, with a bell and a word."""
        self.lost.append(item)
        self.dropped += 1
        self.bells += 1

    def _ask_state(self) -> list[Act]:
        return [
            Ask(lambda node: node.hello(), self._take_greeting, _nothing, holds=False),
            Ask(lambda node: node.sync(), self._take_sync, _nothing, holds=False),
            Ask(lambda node: node.draft_list(), self._take_drafts, _nothing, holds=False),
        ]

    def _take_greeting(self, greeting: Greeting) -> list[Act]:
        if self._veiled:
            # It may have been asked for before the lock: nobody is here since.
            greeting = msgspec.structs.replace(greeting, person="", person_id="")
        before, self.desk.greeting = self.desk.greeting, greeting
        self.desk.sound = greeting.sound != "off"
        self.desk.take_store()
        if before.person_id and not greeting.person_id and not self._veiled:
            # The node was started again, or the device began anew: nobody is signed in there.
            return [Open(self._openers[LOCK_KEY](self.desk))]
        return []

    def _take_sync(self, sync: SyncState) -> list[Act]:
        self.desk.sync = sync
        if sync.clock != "implausible" or self._clock_asked or len(self.pages) > 1:
            return []
        self._clock_asked = True
        return [Open(self._openers[CLOCK](self.desk))]

    def _take_drafts(self, drafts: list[Draft]) -> list[Act]:
        self.desk.drafts = drafts
        return []


def _nothing(_failure: FieldmeshError) -> list[Act]:
    """What every page shows is asked for again at the next change."""
    return []


def _begins_lock(keys: list[str | Scan]) -> bool:
    """Whether these keys begin with the one that locks, or with its digit after Ctrl+G."""
    if keys[0] == LEADER_KEY and len(keys) > 1 and isinstance(keys[1], str):
        return fold_digit(keys[1][:1]) == "9"
    return keys[0] == LOCK_KEY
