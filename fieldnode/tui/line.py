"""Line mode: plain prompts from the same forms, for serial consoles, Braille and screen readers."""

from __future__ import annotations

from fieldnode.client import NodeClient
from fieldnode.tui.desk import Desk


async def run_line(desk: Desk, client: NodeClient) -> int:
    """Ask and answer line by line until the person leaves."""
    return 0
