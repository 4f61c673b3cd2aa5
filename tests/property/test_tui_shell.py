"""Keys typed ahead mean the same however late the node answers, or stop at a question."""

from datetime import UTC

from hypothesis import event, given
from hypothesis import strategies as st

from fieldnode.text.catalogue import load
from fieldnode.tui.cores.glance import GLANCE_MS
from fieldnode.tui.desk import Desk
from fieldnode.tui.screens import home
from fieldnode.tui.shell import Shell
from tests.screens.between_screens import between_teams
from tests.screens.fake_between import PAPER
from tests.screens.fake_node import NOW_MS, PASSPHRASE, at_once, ward
from tests.screens.fake_stock import BOX, UNKNOWN

SCRIPTS = st.lists(
    st.sampled_from(
        [
            ["n", *"Diallo", "enter", *"Awa", "enter", "2", *"34", "enter", "1", "tab", "enter"],
            ["n", *"Diallo", "tab", "tab", "9", "tab", "tab", *"TG-000412", "enter", "2", "enter"],
            ["n", "enter", "enter", "7", "2", *"34", "enter", *"431", "enter", "enter", "enter"],
            ["f2", *"431", "enter", "1", "4", "2", "enter", "enter"],
            ["f2", *"TG-000412", "enter", "enter", "2", "3", "9", "enter", "enter"],
            ["f2", *"TG-000412", "enter", "2", "3", "9", "enter", "enter", "enter"],
            ["f2", "enter", "0", "4", "1", "enter", "enter", "enter"],
            ["v", *"26", "enter", *"93", "enter", "-", *"98/60", "enter", *"20", "enter",
             "enter", "1", *"386", "enter", "enter"],
            ["down", "enter", "v", *"26", "enter", *"93", "enter", "-", *"98/60", "enter", *"118",
             "enter", "1", *"386", "enter", "enter"],
            ["t", "2", "enter"],
            ["t", "0", "enter", "enter"],
            ["f2", *"431", "enter", "9", "1", "2", "1", "enter", "4", "1", "enter"],
            ["f2", *"432", "enter", "9", "2", "2", *"06", "enter", "enter", "4", "1", "enter"],
            ["f2", *"]C1TG-9", "enter", "1", "4", "2", *"]C1TG-8", "enter", "3", "2", "1", "enter"],
            ["f2", *"]C1TG-9", "enter", "0", "4", "2", *"]C1TG-8", "enter", "3", "2", "1", "enter"],
            ["n", *"Li", "enter", *"Wei", "enter", "ctrl+l", "enter", "escape"],
            ["n", *"Qq", "enter", "tab", "1", *"~40", "enter", "1", "ctrl+l", "enter", "enter"],
            ["enter", "l", "n", *"haddad", "enter", "enter", "2", "enter", "escape"],
            ["f6", "enter", "escape"],
            ["f6", "u", "enter", "enter", "escape"],
            ["f6", "o", "enter", "a", "escape"],
            ["f6", "o", "enter", "d", *"full", "enter", "escape"],
            ["f10", "9", "3", "enter", "x", "escape"],
            ["enter", "u", "down", "enter", "enter", "escape"],
            ["enter", "r", "enter", *"fell", "enter", "ctrl+y", "enter", "enter", "enter", "enter"],
            ["enter", "r", "end", "s", *"Lycee", "enter", "enter", "enter", "enter", "enter",
             "enter"],
            [*f"]Q3{PAPER}", "enter", "n", *["enter"] * 10],
            [*f"]Q3{PAPER}", "enter", "o", "escape"],
            ["f10", "6", "5", *"X-", "enter", "escape", "escape"],
            ["enter", "3", *"pale", "enter"],
            ["enter", "e", "enter"],
            ["enter", "e", "2", "enter"],
            ["enter", "u", "enter"],
            ["f3", *"li wei", "enter", "enter", "escape", "escape"],
            ["f4", "enter", *"]C0TG-000412", "enter", "enter"],
            ["f4", "enter", *"]C0KM-1", "enter", *"22", "enter", "2", "enter"],
            ["f4", "enter", *"]C0KM-2", "enter", *"3y", "enter", "1", "1", "0", "1", "enter"],
            ["f4", "enter", *"]C0KM-3", "enter", *"9", "enter", "2", *"]C0KM-4", "enter"],
            ["f4", "enter", *"]d2MR", "enter", "enter"],
            ["f4", "k", "1", "2", "3", "enter", "1"],
            ["f5", "r", *BOX, "enter", *"3", "enter", "escape"],
            ["f5", "r", *BOX, "enter", *UNKNOWN, "enter", *"3", "enter", "enter", "escape"],
            ["f5", "i", *"parac", "1", *"2", "enter", "escape", "escape"],
            ["f5", "m", "d", *"haddad", "enter", "enter", *BOX, "enter", *"4", "enter", "escape"],
            ["f5", "enter", "down", "down", "y", "escape"],
            ["f5", "c", "enter", *"3", "enter", "enter", "escape"],
            ["f8", "enter"],
            ["escape", "escape"],
            ["f9", *PASSPHRASE, "enter"],
            ["d", "enter"],
            ["d", "x", "x"],
        ]
    ),
    max_size=5,
)  # fmt: skip
STEPS = st.lists(
    st.tuples(st.integers(0, 3), st.booleans(), st.integers(0, GLANCE_MS - 1)), max_size=120
)
"""Before each key: answers that came, whether the screen was drawn, how long nothing was struck."""


LISTS = ("board", "search", "drafts", "alerts", "links", "link_other", "unsettled", "offers",
         "doubles", "transfer_to", "immunise", "supplies", "stock_card", "stock_counts", "stores",
         "dispense_to")  # fmt: skip
"""Pages that ask nothing but which of those listed."""


class Slow:
    """A driver that answers and draws when it is told to, in order."""

    def __init__(self):
        self.node = ward()
        between_teams(self.node)
        keys = iter(range(10_000))
        desk = Desk(load("en"), UTC, lambda: f"key{next(keys)}", NOW_MS, self.node.greeting)
        self.shell = Shell(desk, home.page(desk), home.openers())
        self.shell.begin()
        self.now_ms = 0
        self.asked_at = None
        """How much was written when the first question stood that was no list to choose from."""
        self.settle()
        self.look()

    def answer(self, count):
        for _ in range(count):
            if not self.shell.asks:
                return
            ask = self.shell.asks.pop(0)
            self.shell.answer(ask, at_once(ask.call(self.node)))

    def settle(self):
        while self.shell.asks:
            self.answer(1)

    def look(self):
        """The screen is drawn, and a person reads it."""
        self.shell.shown(self.now_ms)
        self.now_ms += GLANCE_MS

    @property
    def asks_more_than_which(self):
        page = self.shell.page
        return page.question is not None and page.name not in LISTS

    def strike(self, key):
        self.shell.key(key, self.now_ms)


def written(node):
    return [
        (line["kind"], line.get("patient"), line["data"], line.get("confirm"))
        for line in node.written
    ]


def deliberate(keys) -> Slow:
    """Return the shell and node of a person who reads the screen before every key."""
    person = Slow()
    for key in keys:
        person.strike(key)
        person.settle()
        if person.asked_at is None and person.asks_more_than_which:
            person.asked_at = len(person.node.written)
        person.look()
    return person


@given(SCRIPTS, STEPS)
def test_keys_at_any_speed_write_what_they_write_slowly_or_stop_at_a_question(scripts, steps):
    keys = [key for script in scripts for key in script]
    slow, fast = deliberate(keys), Slow()

    waits = iter(steps)
    for key in keys:
        answers, drawn, passed_ms = next(waits, (0, False, 0))
        fast.answer(answers)
        if drawn:
            fast.shell.shown(fast.now_ms)
        fast.now_ms += passed_ms
        fast.strike(key)
    fast.settle()

    assert slow.asked_at is None or len(fast.node.written) <= slow.asked_at
    if fast.shell.lost:
        assert fast.shell.page.question is not None or fast.shell.page.name == "lock"
        assert "not taken" in fast.shell.said.text
    if fast.shell.dropped:
        # Who locks and comes back goes on at the question, and the strip has said it meanwhile.
        event("stopped at a question")
        assert written(fast.node) == written(slow.node)[: len(fast.node.written)]
    else:
        event("went through")
        assert written(fast.node) == written(slow.node)
        names = [page.name for page in slow.shell.pages]
        assert [page.name for page in fast.shell.pages] == names


@given(SCRIPTS, STEPS, st.sets(st.integers(0, 80)))
def test_up_to_the_first_question_nothing_depends_on_speed_even_with_pauses(scripts, steps, pauses):
    keys = [key for script in scripts for key in script]
    slow, fast = deliberate(keys), Slow()
    before = None

    waits = iter(steps)
    for number, key in enumerate(keys):
        if number in pauses:
            fast.settle()
            fast.look()
        answers, drawn, passed_ms = next(waits, (0, False, 0))
        fast.answer(answers)
        if drawn:
            fast.shell.shown(fast.now_ms)
        fast.now_ms += passed_ms
        fast.strike(key)
        # A key that is taken later forgets which were lost: that any was is counted.
        if fast.shell.dropped and before is None:
            before = len(fast.node.written)
    fast.settle()

    known = len(fast.node.written) if before is None and not fast.shell.dropped else before or 0
    assert written(fast.node)[:known] == written(slow.node)[:known]


def test_a_lock_key_typed_ahead_of_a_question_blanks_the_names():
    for lock in (["f9"], ["ctrl+g", "9"]):
        person = Slow()
        for key in ["f2", *"TG-000412", "enter", "enter", "2", *lock, *PASSPHRASE]:
            person.strike(key)
        person.settle()

        assert person.shell.page.name == "lock"
        person.strike("enter")
        person.strike("enter")
        person.settle()
        # Behind the device's lock is the board, and still nobody has answered the question.
        assert person.shell.page.name == "board"
        assert not written(person.node)
        assert PASSPHRASE not in person.shell.said.text
