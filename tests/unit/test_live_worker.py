"""The queue in front of the node: who goes first, who never starves, what a fault costs."""

import asyncio
import threading
from contextlib import contextmanager
from typing import Any, Self

import pytest

from protocols.errors import InputError, LedgerError, LinkError, PeerError
from protocols.live.turns import COMMANDS_IN_A_ROW, MESSAGES_IN_A_ROW
from protocols.live.worker import COMMANDS_MAX, Worker
from protocols.mesh.effects import Changed, Hangup, Notice, Transmit, WakeAt

PATIENCE_S = 5


class Scripted:
    """A node that writes down what it is asked, and holds its thread while told to."""

    def __init__(self, **faults):
        self.asked = []
        self.faults: dict[Any, Any] = dict(faults)
        self.gate = threading.Event()
        self.gate.set()
        self.reached = threading.Event()
        self.wake = False
        self.ticks_due = 0
        self.glimpsed = {}
        self.broken = None

    def _ask(self, what):
        self.asked.append(what)
        if what in self.faults:
            raise self.faults[what]
        return []

    def start(self, now):
        return []

    def stop(self):
        self.asked.append("stop")

    def catch_up_last(self, now):
        if self.broken is not None:
            raise self.broken
        return []

    def opened(self, link, now, **hail):
        return self._ask(("opened", link))

    def may_glimpse(self, link):
        return link in self.glimpsed

    def glimpse(self, link, messages, now):
        self.glimpsed[link].extend(messages)
        return []

    def received(self, link, message, now):
        self.reached.set()
        self.gate.wait(PATIENCE_S)
        return [*self._ask(("received", message)), Transmit(link, message)]

    def closed(self, link, now):
        return self._ask(("closed", link))

    def tick(self, now):
        self._ask("tick")
        self.ticks_due -= 1
        return [WakeAt(now.mono_ms)] if self.ticks_due > 0 else []


@contextmanager
def opened_by(node):
    node.thread = threading.get_ident()
    try:
        yield node
    finally:
        node.left = True


class World:
    def __init__(self, node, factory=None):
        self.node = node
        self.effects = []
        self.worker = Worker(factory or (lambda now: opened_by(node)), self.effects.extend)

    async def __aenter__(self) -> Self:
        await self.worker.start()
        return self

    async def __aexit__(self, *exc):
        self.node.gate.set()
        await asyncio.wait_for(self.worker.stop(), PATIENCE_S)

    def ask(self, name, effects=(), then=None):
        def run(node, now):
            node.asked.append(name)
            if isinstance(name, Exception):
                raise name
            return name, effects

        return self.worker.call(run, then)

    async def until_received(self, count):
        done = asyncio.Event()
        left = [count]

        def taken():
            left[0] -= 1
            if not left[0]:
                done.set()

        return done, taken


async def test_a_command_overtakes_the_messages_that_wait():
    async with World(Scripted()) as world:
        done, taken = await world.until_received(3)
        world.node.gate.clear()
        for number in range(3):
            world.worker.received(1, bytes([number]), taken)
        answer = world.ask("urgent")
        world.node.gate.set()

        assert await asyncio.wait_for(answer, PATIENCE_S) == "urgent"
        await asyncio.wait_for(done.wait(), PATIENCE_S)

    assert world.node.asked.index("urgent") <= 1
    received = [what for what in world.node.asked if what not in ("urgent", "stop")]
    assert received == [("received", bytes([number])) for number in range(3)]


class Panic(BaseException):
    """As a native library raises it."""


@pytest.mark.parametrize("broken", [LedgerError("damaged"), ZeroDivisionError(), Panic()])
async def test_rows_that_a_crash_took_keep_no_node_from_starting(broken):
    node = Scripted()
    node.broken = broken
    async with World(node) as world:
        assert await asyncio.wait_for(world.ask("first"), PATIENCE_S) == "first"
        assert isinstance(world.effects[0], Notice), "before any call"


async def test_a_panic_at_the_start_is_told_to_whoever_waits_for_it():
    class Panicking(Scripted):
        def start(self, now):
            raise Panic

    effects: list[Any] = []
    worker = Worker(lambda now: opened_by(Panicking()), effects.extend)
    with pytest.raises(RuntimeError):
        await asyncio.wait_for(worker.start(), PATIENCE_S)


async def test_what_a_command_leaves_is_done_behind_its_answer_and_before_anything_else():
    async with World(Scripted()) as world:
        leave, answered = threading.Event(), []

        def then(node, now):
            answered.append(leave.wait(PATIENCE_S))
            node.asked.append("left")
            return [Transmit(1, b"rows")]

        first, second = world.ask("first", then=then), world.ask("second")
        assert await asyncio.wait_for(first, PATIENCE_S) == "first"
        leave.set()
        assert await asyncio.wait_for(second, PATIENCE_S) == "second"

    assert answered == [True], "it was answered while what it left was not done"
    assert world.node.asked[:3] == ["first", "left", "second"]
    assert world.effects == [Transmit(1, b"rows")]


async def test_what_a_command_leaves_may_fail_and_is_done_for_one_that_failed():
    async with World(Scripted()) as world:

        def then(node, now):
            node.asked.append("left")
            raise LedgerError("disk_full")

        assert await asyncio.wait_for(world.ask("first", then=then), PATIENCE_S) == "first"
        with pytest.raises(LedgerError):
            await asyncio.wait_for(world.ask(LedgerError("no"), then=then), PATIENCE_S)
        assert await asyncio.wait_for(world.ask("third"), PATIENCE_S) == "third"

    assert [what for what in world.node.asked if what == "left"] == ["left"] * 2
    assert world.effects == [Notice("disk_full", {})] * 2


async def test_commands_leave_every_fifth_turn_to_messages():
    async with World(Scripted()) as world:
        done, taken = await world.until_received(2)
        world.node.gate.clear()
        world.worker.received(1, b"a", taken)
        answers = [world.ask(number) for number in range(3 * COMMANDS_IN_A_ROW)]
        world.worker.received(1, b"b", taken)
        world.node.gate.set()
        await asyncio.wait_for(asyncio.gather(done.wait(), *answers), PATIENCE_S)

    assert world.node.asked.index(("received", b"b")) <= 2 * COMMANDS_IN_A_ROW + 1


async def test_due_work_gets_a_turn_among_many_messages():
    async with World(Scripted()) as world:
        done, taken = await world.until_received(1 + 3 * MESSAGES_IN_A_ROW)
        world.node.gate.clear()
        world.worker.received(1, b"first", taken)
        world.node.ticks_due = 2
        await_wake = world.ask("wake", [WakeAt(0)])
        for _ in range(3 * MESSAGES_IN_A_ROW):
            world.worker.received(1, b"bulk", taken)
        world.node.gate.set()
        await asyncio.wait_for(asyncio.gather(done.wait(), await_wake), PATIENCE_S)

    ticks = [place for place, what in enumerate(world.node.asked) if what == "tick"]
    assert len(ticks) == 2
    assert ticks[0] <= MESSAGES_IN_A_ROW + 2


async def test_work_that_presses_goes_before_messages_and_not_before_commands():
    async with World(Scripted()) as world:
        done, taken = await world.until_received(3)
        world.node.gate.clear()
        world.worker.received(1, b"first", taken)
        await asyncio.to_thread(world.node.reached.wait, PATIENCE_S)
        world.node.ticks_due = 1
        asked = [world.ask("wake", [WakeAt(0, pressing=True)]), world.ask("save")]
        for _ in range(2):
            world.worker.received(1, b"bulk", taken)
        world.node.gate.set()
        await asyncio.wait_for(asyncio.gather(done.wait(), *asked), PATIENCE_S)

    bulk = ("received", b"bulk")
    assert world.node.asked == [("received", b"first"), "wake", "save", "tick", bulk, bulk, "stop"]


async def test_effects_leave_before_the_command_is_answered():
    async with World(Scripted()) as world:
        changed = Changed(frozenset({"patient"}))

        await asyncio.wait_for(world.ask("save", [changed, WakeAt(2**50)]), PATIENCE_S)

        assert world.effects == [changed]


async def test_a_command_that_is_refused_raises_and_nothing_else_happens():
    async with World(Scripted()) as world:
        with pytest.raises(InputError, match="ambiguous"):
            await world.ask(InputError("ambiguous"))

        assert await world.ask("next") == "next"
        assert world.effects == []


@pytest.mark.parametrize("fault", [PeerError("bad_frame"), KeyError("Amina")])
async def test_a_message_that_fails_costs_its_link_and_not_the_node(fault):
    node = Scripted()
    node.faults = {("received", b"poison"): fault}
    async with World(node) as world:
        done, taken = await world.until_received(1)
        world.worker.received(7, b"poison", taken)
        await asyncio.wait_for(done.wait(), PATIENCE_S)

        notice, hangup = world.effects
        assert notice == Notice(hangup.code, {})
        assert hangup == Hangup(7, hangup.code)
        assert hangup.code.startswith(getattr(fault, "code", "fault_test_live_worker_"))
        assert "Amina" not in hangup.code
        assert await world.ask("next") == "next"


async def test_a_panic_of_a_native_library_is_as_little_a_reason_to_stop():
    class Panic(BaseException):
        pass

    node = Scripted()
    node.faults = {("received", b"poison"): Panic()}
    async with World(node) as world:
        done, taken = await world.until_received(1)
        world.worker.received(7, b"poison", taken)
        await asyncio.wait_for(done.wait(), PATIENCE_S)

        assert world.effects[-1].link == 7
        assert world.effects[-1].code.startswith("fault_test_live_worker_")
        assert await world.ask("next") == "next"


async def test_a_tick_that_fails_is_noted_and_tried_again_later():
    node = Scripted()
    node.faults = {"tick": LedgerError("disk_full")}
    async with World(node) as world:
        await world.ask("wake", [WakeAt(0)])
        while not world.effects:
            await world.ask("look")

        assert world.effects == [Notice("disk_full", {})]
        assert node.asked.count("tick") == 1


async def test_an_effect_that_fails_keeps_no_other_back():
    told = []

    def carry_out(effects):
        told.extend(effects)
        if len(told) == 1:
            raise RuntimeError("a listener of ours")

    world = World(Scripted())
    world.worker = Worker(lambda now: opened_by(world.node), carry_out)
    faults = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: faults.append(context))
    async with world:
        effects = [Changed(frozenset({name})) for name in ("one", "two")]
        answers = [world.ask(effect, [effect]) for effect in effects]
        await asyncio.wait_for(asyncio.gather(*answers), PATIENCE_S)

    assert told == effects
    assert len(faults) == 1


async def test_the_idle_work_runs_once_after_work_and_not_again(monkeypatch):
    monkeypatch.setattr("protocols.live.worker.IDLE_S", 0.01)
    node, tidied = Scripted(), threading.Semaphore(0)
    world = World(node)
    world.worker = Worker(
        lambda now: opened_by(node), world.effects.extend, lambda node: tidied.release()
    )
    async with world:
        for _ in range(2):
            await world.ask("work")
            assert await asyncio.to_thread(tidied.acquire, timeout=PATIENCE_S)
            assert not await asyncio.to_thread(tidied.acquire, timeout=0.05)


async def test_what_cannot_be_opened_is_told_to_whoever_starts_it():
    @contextmanager
    def locked(now):
        raise LedgerError("in_use")
        yield  # type: ignore[unreachable]  # makes it a generator

    world = World(Scripted(), locked)
    with pytest.raises(LedgerError, match="in_use"):
        await asyncio.wait_for(world.worker.start(), PATIENCE_S)
    await asyncio.wait_for(world.worker.stop(), PATIENCE_S)


async def test_stopping_lets_the_running_job_end_and_refuses_those_that_wait():
    world = World(Scripted())
    async with world:
        begun, go_on, ended = threading.Event(), threading.Event(), []

        def slow(node, now):
            begun.set()
            go_on.wait(PATIENCE_S)
            ended.append(True)
            return "done", []

        running = world.worker.call(slow)
        await asyncio.to_thread(begun.wait, PATIENCE_S)
        waiting = world.ask("late")
        stopping = asyncio.create_task(world.worker.stop())
        await asyncio.sleep(0)
        go_on.set()
        await asyncio.wait_for(stopping, PATIENCE_S)

        assert await running == "done"
        with pytest.raises(LinkError, match="node_stopping"):
            await waiting
        with pytest.raises(LinkError, match="node_stopping"):
            await world.ask("later still")
    assert ended == [True]
    assert world.node.left


async def test_one_command_more_than_may_wait_is_refused():
    async with World(Scripted()) as world:
        world.node.gate.clear()
        done, taken = await world.until_received(1)
        world.worker.received(1, b"hold", taken)
        held = asyncio.create_task(done.wait())
        assert await asyncio.to_thread(world.node.reached.wait, PATIENCE_S)
        answers = [world.ask(number) for number in range(COMMANDS_MAX)]

        with pytest.raises(LedgerError, match="too_busy"):
            await world.ask("one more")
        world.node.gate.set()
        assert await asyncio.gather(*answers) == list(range(COMMANDS_MAX))
        await held


async def test_messages_that_wait_are_glimpsed_once_in_order_where_the_node_may():
    async with World(Scripted()) as world:
        done, taken = await world.until_received(7)
        world.node.gate.clear()
        world.node.glimpsed = {1: []}
        world.worker.received(1, b"first", taken)
        assert await asyncio.to_thread(world.node.reached.wait, PATIENCE_S)
        for number in range(3):
            world.worker.received(1, bytes([number]), taken)
            world.worker.received(2, b"not yet", taken)
        world.node.gate.set()
        await asyncio.wait_for(done.wait(), PATIENCE_S)

    assert world.node.glimpsed == {1: [b"\0", b"\1", b"\2"]}
    assert world.node.asked.count(("received", b"not yet")) == 3


async def test_a_fault_while_glimpsing_costs_that_link():
    class Poisoned(Scripted):
        def glimpse(self, link, messages, now):
            raise KeyError("Amina")

    async with World(Poisoned()) as world:
        done, taken = await world.until_received(2)
        world.node.gate.clear()
        world.node.glimpsed = {7: []}
        world.worker.received(7, b"first", taken)
        assert await asyncio.to_thread(world.node.reached.wait, PATIENCE_S)
        world.worker.received(7, b"second", taken)
        world.node.gate.set()
        await asyncio.wait_for(done.wait(), PATIENCE_S)

        assert [effect.link for effect in world.effects if isinstance(effect, Hangup)] == [7]
        assert await world.ask("next") == "next"


async def test_all_of_the_node_happens_on_one_thread():
    async with World(Scripted()) as world:
        threads = {await world.worker.call(lambda node, now: (threading.get_ident(), []))}

        assert threads == {world.node.thread}
        assert threading.get_ident() not in threads
