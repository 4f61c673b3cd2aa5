"""The one thread that owns the node and its ledger, and the queue in front of it.

Commands go before messages and messages before the node's own deferred work, each with a share
that the others cannot take away; messages and link events of all links keep their order of
arrival. Every job is short (the node defers what is long to `tick`), so an urgent record waits
for one job, never for a sync. All callbacks run on the loop's thread.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import TypeVar

from protocols.errors import FieldmeshError, LedgerError, LinkError
from protocols.live.clock import Clock, mono_ms
from protocols.live.link import Hail
from protocols.live.turns import Job, Then, Turns
from protocols.mesh.effects import Effect, Hangup, Notice, Now, WakeAt
from protocols.mesh.node import Node

COMMANDS_MAX = 256
"""Commands that wait; each connection has one at a time, so only a fault comes this far."""
IDLE_S = 5.0
"""Quiet after which the idle work runs, once, until there was work again."""
RETRY_MS = 2_000
"""Pause before a failed tick is tried again: a full disk is not emptied faster."""
WAIT_S_MAX = 3600.0
"""A wait the system can express, whatever instant the node names."""

Result = TypeVar("Result")


Call = Callable[[Node, Now], tuple[Result, Sequence[Effect]]]
NodeFactory = Callable[[Now], AbstractContextManager[Node]]
"""Opens the ledger and makes the node, on the worker's thread; leaving it closes the ledger."""


class Worker:
    """Runs one node on a thread of its own and brings its effects back to the loop."""

    def __init__(
        self,
        factory: NodeFactory,
        carry_out: Callable[[Sequence[Effect]], None],
        idle: Callable[[Node], None] | None = None,
        after: Callable[[Node], None] | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._factory = factory
        self.clock = clock or Clock()
        self._carry_out = carry_out
        self._idle = idle
        self._after = after
        self._loop = asyncio.get_running_loop()
        self._turn = threading.Condition()
        self._turns = Turns(Job(_tick, failed=self._tick_failed))
        self._wake_ms: int | None = None
        self._pressing = False
        self._stopping = False
        self._outcomes: deque[Callable[[], None]] = deque()
        self._told = False
        self._worked = False
        self._thread = threading.Thread(target=self._live, name="node", daemon=True)
        self._started: asyncio.Future[None] = self._loop.create_future()
        self._ended: asyncio.Future[None] = self._loop.create_future()

    def when_ended(self, told: Callable[[], None]) -> None:
        """Have `told` called when the thread has ended, asked to or not."""
        self._ended.add_done_callback(lambda _: told())

    async def start(self) -> None:
        """Open the ledger and start the node; raise what the factory raised."""
        self._thread.start()
        try:
            await self._started
        except BaseException:
            # Its last word comes to this loop, which would else be closed before it.
            await asyncio.shield(self._ended)
            raise

    async def stop(self) -> None:
        """Let the running job end, refuse all others, close the ledger."""
        with self._turn:
            self._stopping = True
            self._turn.notify()
        if self._thread.ident is not None:
            await asyncio.shield(self._ended)

    def call(self, run: Call[Result], then: Then | None = None) -> asyncio.Future[Result]:
        """Run one command before any waiting message; its effects leave before it is answered.

        Args:
            run: The command.
            then: What it leaves until its answer is on its way; the effects of that leave behind
                it. No other job comes in between.

        The future raises what the command raised, LinkError `node_stopping` or LedgerError
        `too_busy`.
        """
        future: asyncio.Future[Result] = self._loop.create_future()
        if self._stopping or len(self._turns.commands) >= COMMANDS_MAX:
            refused = LinkError("node_stopping") if self._stopping else LedgerError("too_busy")
            future.set_exception(refused)
            return future
        results: list[Result] = []

        def command(node: Node, moment: Now) -> Sequence[Effect]:
            result, effects = run(node, moment)
            results.append(result)
            return effects

        job = Job(
            command,
            done=lambda: None if future.done() else future.set_result(results[0]),
            failed=lambda error: None if future.done() else future.set_exception(error),
            then=then,
        )
        self._add(self._turns.commands, job)
        return future

    def opened(self, link: int, hail: Hail) -> None:
        """Tell the node that a link is up."""

        def greet(node: Node, moment: Now) -> Sequence[Effect]:
            return node.opened(
                link,
                moment,
                dialled=hail.dialled,
                peer=hail.peer,
                address=hail.address,
                code=hail.code,
            )

        self._add(self._turns.messages, Job(greet, link))

    def received(self, link: int, message: bytes, taken: Callable[[], None]) -> None:
        """Hand one message over; `taken` is called when the node has it."""
        self._add(
            self._turns.messages,
            Job(lambda node, moment: node.received(link, message, moment), link, message, taken),
        )

    def closed(self, link: int) -> None:
        """Tell the node that a link is gone."""
        self._add(self._turns.messages, Job(lambda node, moment: node.closed(link, moment)))

    def _add(self, jobs: deque[Job], job: Job) -> None:
        with self._turn:
            jobs.append(job)
            self._turn.notify()

    # Below: the worker's thread.

    def _live(self) -> None:
        try:
            with self._factory(self.clock.now()) as node:
                self._finish(node.start(self.clock.now()), lambda: self._started.set_result(None))
                # Before any call; a fault in it keeps no node from starting.
                self._run(Job(lambda node, now: node.catch_up_last(now)), node)
                while (job := self._next()) is not None:
                    self._run(job, node)
                    if self._after is not None:
                        self._after(node)
                    self._glimpse(node)
                node.stop()
        except Exception as error:
            self._tell(lambda error=error: self._broken(error))  # type: ignore[misc]
        except BaseException as panic:
            # As in `_run`: whoever waits for the start has to hear of it.
            broken = RuntimeError().with_traceback(panic.__traceback__)
            self._tell(lambda: self._broken(broken))
        finally:
            self._tell(self._end)

    def _next(self) -> Job | None:
        with self._turn:
            while not self._stopping:
                wait_s = None
                if self._wake_ms is not None:
                    wait_s = min(max(0, self._wake_ms - mono_ms()) / 1000, WAIT_S_MAX)
                job = self._turns.next(due=wait_s == 0, pressing=self._pressing)
                if job is not None:
                    self._worked = True
                    if job is self._turns.tick:
                        self._wake_ms, self._pressing = None, False
                    return job
                if self._rests(wait_s):
                    self._worked = False
                    return Job(lambda node, _: self._tidy(node))
        return None

    def _glimpse(self, node: Node) -> None:
        """Let the node take what is urgent in messages that wait behind others."""
        with self._turn:
            unseen = self._turns.unseen(node.may_glimpse)
        for link, messages in unseen.items():
            if node.may_glimpse(link):
                self._run(Job(partial(_look_ahead, link, messages), link), node)

    def _rests(self, wait_s: float | None) -> bool:
        """Wait for a job or an alarm; return True when the idle work is due instead."""
        if not self._worked or self._idle is None or (wait_s is not None and wait_s <= IDLE_S):
            self._turn.wait(wait_s)
            return False
        return not self._turn.wait(IDLE_S)

    def _tidy(self, node: Node) -> Sequence[Effect]:
        assert self._idle is not None
        self._idle(node)
        return ()

    def _run(self, job: Job, node: Node) -> None:
        try:
            effects = job.run(node, self.clock.now())
        except Exception as error:
            self._fail(job, error)
        except BaseException as panic:
            # A panic of a native library; it is no Exception, and as little a reason to stop.
            self._fail(job, RuntimeError().with_traceback(panic.__traceback__))
        else:
            self._finish(effects, job.done)
        if job.then is not None:
            self._run(Job(job.then), node)

    def _finish(self, effects: Sequence[Effect], done: Callable[[], None] | None) -> None:
        outward = [effect for effect in effects if not isinstance(effect, WakeAt)]
        for effect in effects:
            if isinstance(effect, WakeAt):
                self._wake_ms, self._pressing = effect.mono_ms, effect.pressing
        if outward:
            self._tell(lambda: self._carry_out(outward))
        if done is not None:
            self._tell(done)

    def _fail(self, job: Job, error: Exception) -> None:
        effects: list[Effect] = []
        if job.failed is None:
            effects.append(Notice(code_of(error), {}))
        if job.link is not None:
            effects.append(Hangup(job.link, code_of(error)))
        self._finish(effects, job.done if job.failed is None else None)
        if job.failed is not None:
            failed = job.failed
            self._tell(lambda: failed(error))

    def _tick_failed(self, error: Exception) -> None:
        self._carry_out([Notice(code_of(error), {})])
        with self._turn:
            if self._wake_ms is None:
                self._wake_ms = mono_ms() + RETRY_MS
            self._turn.notify()

    def _tell(self, outcome: Callable[[], None]) -> None:
        """Have the loop run this; one wake-up carries all that came since the last."""
        self._outcomes.append(outcome)
        with self._turn:
            told, self._told = self._told, True
        if not told:
            self._loop.call_soon_threadsafe(self._deliver)

    # Below: the loop's thread.

    def _deliver(self) -> None:
        with self._turn:
            self._told = False
        while self._outcomes:
            outcome = self._outcomes.popleft()
            try:
                outcome()
            except Exception as error:
                # What one listener does wrong keeps no other effect back.
                self._loop.call_exception_handler({"message": "effect", "exception": error})

    def _broken(self, error: Exception) -> None:
        if not self._started.done():
            self._started.set_exception(error)
        else:
            self._carry_out([Notice(code_of(error), {})])

    def _end(self) -> None:
        self._stopping = True
        for job in self._turns.give_up():
            if job.failed is not None:
                job.failed(LinkError("node_stopping"))
        self._ended.set_result(None)


def _look_ahead(link: int, messages: list[bytes], node: Node, now: Now) -> Sequence[Effect]:
    return node.glimpse(link, messages, now)


def _tick(node: Node, moment: Now) -> Sequence[Effect]:
    return node.tick(moment)


def code_of(error: BaseException) -> str:
    """Return what a log may say of an error: our own codes, else the place, never its text."""
    if isinstance(error, FieldmeshError):
        return error.code
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    if place is None:
        return "fault"
    file = Path(place.tb_frame.f_code.co_filename).stem
    return f"fault_{file.strip('_')}_{place.tb_lineno}".lower()
