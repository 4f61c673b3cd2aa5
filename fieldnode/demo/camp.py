"""One HQ and three nodes: started as processes of their own, enrolled, asked, stopped."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fieldnode.demo.wires import Wire
from protocols.errors import SetupError
from protocols.live.client import LocalClient
from protocols.live.commands import PASSPHRASE_ENV

TENTS = ("tent-a", "tent-b", "tent-c")
START_S = 30.0
STOP_S = 5.0


@dataclass(slots=True)
class Process:
    """One running node or HQ."""

    name: str
    folder: Path
    running: asyncio.subprocess.Process
    said: dict[str, Any]
    """What it printed when it was ready: where it listens, at HQ also the page and login."""

    @property
    def port(self) -> int:
        """Where it listens for peers."""
        return int(str(self.said["listening"]).rpartition(":")[2])


@dataclass(slots=True)
class Camp:
    """All processes and the wires between them."""

    root: Path
    passphrase: str = field(default_factory=lambda: secrets.token_hex(8))
    members: dict[str, Process] = field(default_factory=dict)
    wires: list[Wire] = field(default_factory=list)

    async def build(self) -> None:
        """Found HQ, make the tents, enrol them and wire everybody to everybody."""
        await self._command("hq", "init", "hq", "--name", "HQ", "--org", "Demo Ministry")
        await asyncio.gather(
            *(
                self._command("fieldnode", "init", name, "--name", name, "--org", "Demo Team")
                for name in TENTS
            )
        )
        hq = await self._serve("hq", "hq", "--web", "127.0.0.1:0")
        earlier: list[Process] = [hq]
        for name in TENTS:
            code = await self.ask("hq", "invite")
            await self._command(
                "fieldnode", "join", name, "--peer", f"127.0.0.1:{hq.port}", "--code", code
            )
            wires = [await self._wire(member.port) for member in earlier]
            peers = [part for wire in wires for part in ("--peer", f"127.0.0.1:{wire.port}")]
            earlier.append(await self._serve("fieldnode", name, *peers))

    async def ask(self, name: str, call: str, **args: Any) -> Any:
        """Call one member over its local socket."""
        return await asyncio.to_thread(_ask, self.root / name, call, args)

    async def record(self, name: str, lines: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Write lines at one tent; each answer that is ok is durable."""
        answers: list[dict[str, Any]] = await self.ask(name, "record", lines=list(lines))
        return answers

    def cut(self) -> None:
        """Pull every cable."""
        for wire in self.wires:
            wire.cut()

    def heal(self) -> None:
        """Put every cable back."""
        for wire in self.wires:
            wire.heal()

    @property
    def wire_bytes(self) -> int:
        """All that passed over all wires so far."""
        return sum(wire.bytes for wire in self.wires)

    async def stop(self) -> None:
        """End every process this camp started."""
        for member in self.members.values():
            if member.running.returncode is None:
                member.running.terminate()
        for member in self.members.values():
            try:
                async with asyncio.timeout(STOP_S):
                    await member.running.wait()
            except TimeoutError:
                member.running.kill()
        for wire in self.wires:
            await wire.stop()

    async def _wire(self, port: int) -> Wire:
        wire = Wire(port)
        await wire.start()
        self.wires.append(wire)
        return wire

    async def _serve(self, app: str, name: str, *more: str) -> Process:
        command = ["serve", "--data", str(self.root / name), "--listen", "127.0.0.1:0"]
        log = (self.root / f"{name}.log").open("wb")
        running = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            app,
            *command,
            "--no-discovery",
            *more,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            env=self._environment(),
        )
        log.close()
        assert running.stdout is not None
        async with asyncio.timeout(START_S):
            line = await running.stdout.readline()
        if not line:
            raise SetupError("demo_failed", part=name)
        self.members[name] = Process(name, self.root / name, running, json.loads(line))
        return self.members[name]

    async def _command(self, app: str, command: str, name: str, *more: str) -> None:
        running = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            app,
            command,
            "--data",
            str(self.root / name),
            *more,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            env=self._environment(),
        )
        _, talk = await running.communicate()
        if running.returncode:
            sys.stderr.write(talk.decode(errors="replace"))
            raise SetupError("demo_failed", part=f"{app} {command}")

    def _environment(self) -> dict[str, str]:
        return {**os.environ, PASSPHRASE_ENV: self.passphrase}


def _ask(folder: Path, call: str, args: dict[str, Any]) -> Any:
    with LocalClient(folder) as client:
        return client.call(call, **args)
