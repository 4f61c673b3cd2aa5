"""What the parts of a node's client stand on: a typed question to the node."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

Answer = TypeVar("Answer")


class Asking(Protocol):
    """Asks a running node; the socket behind it is `NodeClient`'s."""

    async def ask(self, kind: type[Answer], name: str, **args: Any) -> Answer:
        """Return what a call answers, as the message it is.

        Raises:
            LinkError: `no_node`, `node_left`, `node_slow`, or `bad_line` for anything else.
            FieldmeshError: As the node refused it.
        """
        ...
