"""One HQ and three nodes: started as processes of their own, enrolled, asked, stopped."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import sys
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Iterable,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fieldnode.demo.wires import Wire
from protocols.errors import SetupError
from protocols.live.client import LocalClient
from protocols.live.talk import PASSPHRASE_ENV

TENTS = ("tent-a", "tent-b", "tent-c")
MEMBERS = ("hq", *TENTS)
START_S = 60.0
"""One process has to be ready, and all have to be linked, within this time."""
STOP_S = 5.0
LOOK_S = 0.05
"""Pause between two looks at what has no event of its own."""


def _quiet(_: str) -> None:
    """Tell nobody how far it is."""


def _passphrase() -> str:
    """Return one that can be typed when F9 has locked a tent."""
    return f"demo-{secrets.randbelow(10_000):04d}"


@dataclass(slots=True)
class Process:
    """One running node or HQ."""

    name: str
    folder: Path
    running: asyncio.subprocess.Process
    said: dict[str, Any] = field(default_factory=dict)
    """What it printed when it was ready: where it listens, at HQ also the page and login."""

    @property
    def port(self) -> int:
        """Where it listens for peers."""
        return int(str(self.said["listening"]).rpartition(":")[2])


@dataclass(slots=True)
class Camp:
    """All processes and the wires between them: six, everybody to everybody."""

    root: Path
    """An empty folder of this camp's own; logs and data folders go into it."""
    passphrase: str = field(default_factory=_passphrase)
    progress: Callable[[str], None] = _quiet
    members: dict[str, Process] = field(default_factory=dict)
    wires: dict[tuple[str, str], Wire] = field(default_factory=dict)
    """By who dials and who is dialled."""

    async def build(self) -> None:
        """Found HQ, make the tents, start everybody, enrol the tents and link all.

        Each passphrase is worked out slowly on purpose, so whatever can go side by side does.

        Raises:
            SetupError: `demo_failed` with the part that did not work; its words went to stderr.
        """
        self.progress("making four data folders")
        await self._together(self._init(name) for name in MEMBERS)
        for place, name in enumerate(MEMBERS):
            for other in MEMBERS[:place]:
                self.wires[name, other] = Wire()
                await self.wires[name, other].start()
        self.progress("starting four processes")
        await self._together(self._serve(name) for name in MEMBERS)
        self.progress("letting three tents in with a one-time code each")
        for name in TENTS:
            await self._enrol(name)
        await self._until(self._all_admitted, "admission")
        for (_, far), wire in self.wires.items():
            wire.lead_to(self.members[far].port)
        await self._until(self._all_linked, "links")

    async def ask(self, name: str, call: str, **args: Any) -> Any:
        """Call one member over its local socket."""
        return await asyncio.to_thread(_ask, self.root / name, call, args)

    async def record(self, name: str, lines: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Write lines at one tent; each answer that is ok is durable."""
        answers: list[dict[str, Any]] = await self.ask(name, "record", lines=list(lines))
        return answers

    async def states(self) -> dict[str, dict[str, Any]]:
        """Return everybody's status."""
        found = await asyncio.gather(*(self.ask(name, "status") for name in MEMBERS))
        return dict(zip(MEMBERS, found, strict=True))

    def cut(self) -> None:
        """Pull every cable."""
        for wire in self.wires.values():
            wire.cut()

    def heal(self) -> None:
        """Put every cable back."""
        for wire in self.wires.values():
            wire.heal()

    @property
    def wire_bytes(self) -> int:
        """All that passed over all wires so far."""
        return sum(wire.bytes for wire in self.wires.values())

    async def stop(self) -> None:
        """End every process this camp started."""
        await asyncio.gather(*(_end(member.running) for member in self.members.values()))
        for wire in self.wires.values():
            await wire.stop()

    async def _init(self, name: str) -> None:
        app, org = ("hq", "Demo Ministry") if name == "hq" else ("fieldnode", "Demo Team")
        called = "HQ" if name == "hq" else name
        arguments = ("init", "--data", str(self.root / name), "--name", called, "--org", org)
        async with self._started(app, *arguments, log=self.root / f"{name}.log") as running:
            if await running.wait():
                self._complain(name)
                raise SetupError("demo_failed", part=f"{app} init")

    async def _serve(self, name: str) -> None:
        app = "hq" if name == "hq" else "fieldnode"
        # HQ's wire is dialled from the moment of joining; nobody else can be met before.
        others = [wire for (near, far), wire in self.wires.items() if near == name and far != "hq"]
        arguments = ["serve", "--data", str(self.root / name), "--listen", "127.0.0.1:0"]
        arguments += ["--no-discovery", *(("--web", "127.0.0.1:0") if app == "hq" else ())]
        for wire in others:
            arguments += ["--peer", f"127.0.0.1:{wire.port}"]
        running = await self._start(app, *arguments, log=self.root / f"{name}.log")
        # Known before it is ready, so that nothing is left when the camp is given up meanwhile.
        member = self.members[name] = Process(name, self.root / name, running)
        assert running.stdout is not None
        try:
            async with asyncio.timeout(START_S):
                line = await running.stdout.readline()
        except TimeoutError:
            line = b""
        if not line:
            self._complain(name)
            raise SetupError("demo_failed", part=f"{app} serve")
        member.said = json.loads(line)

    async def _enrol(self, name: str) -> None:
        wire = self.wires[name, "hq"]
        wire.lead_to(self.members["hq"].port)
        code = await self.ask("hq", "invite")
        await self.ask(name, "join", address=f"127.0.0.1:{wire.port}", code=code)

    async def _all_admitted(self) -> bool:
        """Whether everybody holds the same certificates, so that no tent is a stranger."""
        scopes = shared(await self.states())
        controls = [{name: part["control"] for name, part in scope.items()} for scope in scopes]
        return all(control == controls[0] for control in controls)

    async def _all_linked(self) -> bool:
        states = await self.states()
        return all(
            sum(peer["linked"] for peer in state["peers"]) == len(TENTS)
            for state in states.values()
        )

    async def _until(self, true: Callable[[], Awaitable[bool]], part: str) -> None:
        try:
            async with asyncio.timeout(START_S):
                while not await true():  # noqa: ASYNC110 - other processes have no event for it
                    await asyncio.sleep(LOOK_S)
        except TimeoutError:
            raise SetupError("demo_failed", part=part) from None

    async def _together(self, works: Iterable[Coroutine[Any, Any, None]]) -> None:
        """Do all side by side; when one fails or all are given up, none goes on."""
        try:
            async with asyncio.TaskGroup() as group:
                for work in works:
                    group.create_task(work)
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None

    @asynccontextmanager
    async def _started(
        self, app: str, *arguments: str, log: Path
    ) -> AsyncIterator[asyncio.subprocess.Process]:
        """Run a command that does not outlive the block."""
        running = await self._start(app, *arguments, log=log)
        try:
            yield running
        finally:
            await _end(running)

    async def _start(self, app: str, *arguments: str, log: Path) -> asyncio.subprocess.Process:
        with log.open("ab") as talk:
            return await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                app,
                *arguments,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=talk,
                env={**os.environ, PASSPHRASE_ENV: self.passphrase},
                # Ctrl-C at the demo's terminal is the demo's: it ends them in its own order.
                start_new_session=True,
            )

    def _complain(self, name: str) -> None:
        sys.stderr.write((self.root / f"{name}.log").read_text(errors="replace"))


async def _end(running: asyncio.subprocess.Process) -> None:
    """End a process, kindly at first."""
    if running.returncode is None:
        running.terminate()
    try:
        async with asyncio.timeout(STOP_S):
            await running.wait()
    except TimeoutError:
        running.kill()
        await running.wait()


def _ask(folder: Path, call: str, args: dict[str, Any]) -> Any:
    with LocalClient(folder) as client:
        return client.call(call, **args)


def shared(states: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return every node's digests of the scopes that all of them have.

    Who is let in as a device is not entrusted with protection, which HQ has.
    """
    digests = [state["digest"] for state in states.values()]
    common = set.intersection(*map(set, digests))
    return [{scope: digest[scope] for scope in sorted(common)} for digest in digests]
