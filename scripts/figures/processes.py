"""Nodes as real processes on loopback, and a wire between them that counts and delays."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from figures.books import ROOT
from protocols.live.client import LocalClient

CALL_S = 300.0
STOP_S = 10.0


class Running:
    """One node process."""

    def __init__(self, folder: Path) -> None:
        environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'scripts'}{os.pathsep}{ROOT}"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "figures.node", str(folder)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
        assert self._process.stdout is not None
        said = self._process.stdout.readline()
        assert said, "the node did not start"
        self.address: str = json.loads(said)["address"]
        self.folder = folder
        self._client = LocalClient(folder, call_s=CALL_S)

    def call(self, name: str, **args: Any) -> Any:
        """Call the node and return its answer."""
        return self._client.call(name, **args)

    def disk_bytes(self) -> int:
        """Return how many bytes the system fetched from a disk for it so far."""
        told = Path(f"/proc/{self._process.pid}/io").read_text(encoding="ascii")
        return int(told.split("read_bytes: ")[1].split()[0])

    def stop(self) -> None:
        """End the process."""
        self._client.close()
        self._process.terminate()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@contextmanager
def running(*folders: Path) -> Iterator[list[Running]]:
    """Serve each folder by a process of its own."""
    nodes: list[Running] = []
    try:
        # One by one: those that run must be stopped when the next one fails.
        nodes.extend(map(Running, folders))
        yield nodes
    finally:
        for node in nodes:
            node.stop()


class Wire:
    """A TCP proxy to one address that counts bytes both ways and may delay them."""

    def __init__(self, target: str, *, one_way_s: float = 0.0) -> None:
        host, _, port = target.rpartition(":")
        self._target = (host, int(port))
        self._one_way_s = one_way_s
        self.sent = [0, 0]
        """Bytes towards the target, and back."""
        self.first_s = 0.0
        """When the first byte came, on `time.perf_counter`."""
        self.last_s = 0.0
        """When the last byte was let through, on `time.perf_counter`."""
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self.address = ""
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._ready.wait()

    def close(self) -> None:
        """Cut everything."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def quiet(self, pause_s: float) -> None:
        """Wait until nothing passed for a while."""
        while time.perf_counter() - self.last_s < pause_s:
            time.sleep(pause_s / 10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            asyncio.start_server(self._accept, "127.0.0.1", 0, limit=1 << 20)
        )
        self.address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        self._ready.set()
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        onward_reader, onward_writer = await asyncio.open_connection(*self._target, limit=1 << 20)
        await asyncio.gather(
            self._carry(reader, onward_writer, 0), self._carry(onward_reader, writer, 1)
        )

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: int
    ) -> None:
        queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        sender = asyncio.create_task(self._deliver(queue, writer))
        while chunk := await reader.read(1 << 16):
            self.sent[way] += len(chunk)
            self.first_s = self.first_s or time.perf_counter()
            queue.put_nowait((time.perf_counter() + self._one_way_s, chunk))
        queue.put_nowait((time.perf_counter() + self._one_way_s, b""))
        await sender

    async def _deliver(
        self, queue: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter
    ) -> None:
        while True:
            due, chunk = await queue.get()
            wait = due - time.perf_counter()
            if wait > 0:
                await asyncio.sleep(wait)
            self.last_s = time.perf_counter()
            if not chunk:
                writer.close()
                return
            writer.write(chunk)
            await writer.drain()
