"""The merged ledger as the pages reach it: read beside the node, written through its thread."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from hq.queries import Answer, Params
from protocols.errors import LedgerError
from protocols.ledger.store import Store
from protocols.live.service import Service
from protocols.mesh.effects import Changed, Effect

WRITABLE = re.compile(
    r"\s*(?:insert\s+(?:or\s+\w+\s+)?into|update|delete\s+from)\s+hq_(?:account|session|link)\b",
    re.IGNORECASE,
)
"""The only statements that a page may write with."""
HINTS_MAX = 64
"""Sets of table names that wait for a slow reader; then they fold into one."""


class LedgerBook:
    """`hq.queries.Book` over a running service."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._readers: set[asyncio.Queue[frozenset[str]]] = set()
        self._beside: Store | None = None
        self._thread = ThreadPoolExecutor(1, "hq-reads")
        service.listen_to(self._heard)

    async def open(self) -> None:
        """Open the connection that pages read over, so that no query holds the node's thread up.

        Where the disk has no room for a second one, and so none to write either, the node's own
        is read.
        """
        try:
            self._beside = await self._service.call(
                lambda node, _: (node.ledger.store.reader(), ())
            )
        except LedgerError as error:
            if error.code != "no_reader":
                raise

    async def close(self) -> None:
        """Let the running query end and forget the key; before the node closes its book."""
        beside, self._beside = self._beside, None
        await asyncio.to_thread(self._thread.shutdown)
        if beside is not None:
            beside.close()

    async def read(self, sql: str, params: Params) -> Sequence[tuple[Any, ...]]:
        """Return all rows of a query."""
        return await self.ask(lambda store: store.all(sql, dict(params)))

    async def ask(self, question: Callable[[Store], Answer]) -> Answer:
        """Return what a question that only reads comes to."""
        beside = self._beside
        if beside is None:
            return await self._service.call(lambda node, _: (question(node.ledger.store), ()))
        return await asyncio.get_running_loop().run_in_executor(self._thread, question, beside)

    async def write(self, sql: str, params: Params) -> int:
        """Run one statement on an account table, durably; return the rows it touched.

        Raises:
            LedgerError: `not_writable` for any other table.
        """
        if not WRITABLE.match(sql):
            raise LedgerError("not_writable")

        def run(node: Any, _: object) -> tuple[int, tuple[Effect, ...]]:
            with node.ledger.store.atomic():
                return int(node.ledger.store.execute(sql, dict(params)).rowcount), ()

        return await self._service.call(run)

    async def changes(self) -> AsyncIterator[frozenset[str]]:
        """Yield the names of tables that changed, for as long as the book is open."""
        queue: asyncio.Queue[frozenset[str]] = asyncio.Queue(HINTS_MAX)
        self._readers.add(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            self._readers.discard(queue)

    def _heard(self, effect: Effect) -> None:
        if isinstance(effect, Changed):
            for queue in self._readers:
                tables = effect.tables
                if queue.full():
                    with suppress(asyncio.QueueEmpty):
                        tables |= queue.get_nowait()
                queue.put_nowait(tables)
