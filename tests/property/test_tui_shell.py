"""Keys typed ahead mean the same however late, and in whatever bunches, the node answers."""

import asyncio
from datetime import UTC

from hypothesis import given
from hypothesis import strategies as st

from fieldnode.text.catalogue import load
from fieldnode.tui.desk import Desk
from fieldnode.tui.screens import home
from fieldnode.tui.shell import Shell
from tests.screens.fake_node import NOW_MS, ward

SCRIPTS = st.lists(
    st.sampled_from(
        [
            ["n", *"Diallo", "enter", *"Awa", "enter", "2", *"34", "enter", "1", "tab", "enter"],
            ["f2", *"431", "enter", "1", "4", "2", "enter", "enter"],
            ["f2", *"TG-000412", "enter", "enter", "2", "3", "9", "enter", "enter"],
            ["down", "enter", "v", *"26", "enter", *"93", "enter", "-", *"98/60", "enter", *"118",
             "enter", "1", *"386", "enter", "enter"],
            ["enter", "3", *"pale", "enter"],
            ["f3", *"li wei", "enter", "enter", "escape", "escape"],
            ["f8", "enter"],
            ["escape", "escape"],
            ["f9", *"correct horse", "enter"],
            ["d", "enter"],
        ]
    ),
    max_size=5,
)  # fmt: skip


class Slow:
    """A driver that answers when it is told to, in order."""

    def __init__(self):
        self.node = ward()
        keys = iter(range(10_000))
        desk = Desk(load("en"), UTC, lambda: f"key{next(keys)}", NOW_MS, self.node.greeting)
        self.shell = Shell(desk, home.page(desk), home.openers())
        self.shell.begin()

    def answer(self, count):
        for _ in range(count):
            if not self.shell.asks:
                return
            ask = self.shell.asks.pop(0)
            self.shell.answer(ask, asyncio.run(ask.call(self.node)))

    def settle(self):
        while self.shell.asks:
            self.answer(1)


def written(node):
    return [(line["kind"], line.get("patient"), line["data"]) for line in node.written]


@given(SCRIPTS, st.lists(st.integers(0, 3), max_size=120))
def test_any_timing_of_answers_gives_the_same_records_and_the_same_page(scripts, delays):
    keys = [key for script in scripts for key in script]
    prompt, late = Slow(), Slow()
    prompt.settle()
    for key in keys:
        prompt.shell.key(key)
        prompt.settle()

    waits = iter(delays)
    for key in keys:
        late.shell.key(key)
        late.answer(next(waits, 0))
    late.settle()

    assert written(late.node) == written(prompt.node)
    assert [page.name for page in late.shell.pages] == [page.name for page in prompt.shell.pages]
