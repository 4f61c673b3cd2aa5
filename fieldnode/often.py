"""The commands that programs run again and again, loaded without the others."""

from __future__ import annotations

from protocols.live import options
from protocols.live.linecommands import record_command, rows_command, status_command

STATUS_HELP = "Say how the node is: peers, what has not travelled, what needs attention."

data_option = options.data_option("node", "the node")
COMMANDS = (
    record_command(data_option),
    rows_command(data_option),
    status_command(data_option, STATUS_HELP),
)
