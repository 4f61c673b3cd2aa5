"""`drill`: run an exercise on the product's own engine under a virtual clock."""

from __future__ import annotations

from protocols.guard import require_runtime

require_runtime()

import gc  # noqa: E402 - the guard speaks first, before anything that may be missing
import json  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
from collections.abc import Callable  # noqa: E402

import click  # noqa: E402

from protocols.sim.report import in_words  # noqa: E402
from protocols.sim.scenarios import SCENARIOS  # noqa: E402
from protocols.sim.world import World  # noqa: E402

CHECK_FAILED = 1
COLLECT_AFTER = 100_000
"""Objects made before cycles are looked for, as in a running node."""
TALK_S = 3.0
"""A drill that takes longer says about this often how far it is."""


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Exercises with partitions, dead nodes and wrong clocks, each from one seed."""


@main.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON list of names.")
def list_(as_json: bool) -> None:
    """Name the drills there are."""
    names = list(SCENARIOS)
    click.echo(json.dumps(names) if as_json else "\n".join(names))


@main.command()
@click.argument("name", type=click.Choice(list(SCENARIOS)))
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object; keys are stable.")
def run(name: str, seed: int, as_json: bool) -> None:
    """Run a drill; exit 1 when a check fails."""
    gc.set_threshold(COLLECT_AFTER)
    World.watcher = staticmethod(teller(time.monotonic))
    result = SCENARIOS[name](seed)
    click.echo(json.dumps(result.as_dict()) if as_json else in_words(result))
    if not result.ok:
        sys.exit(CHECK_FAILED)


def teller(clock: Callable[[], float]) -> Callable[[int], None]:
    """Return what says on standard error how far a drill is, and is silent in a short one."""
    began = said = clock()

    def tell(hours: int) -> None:
        nonlocal said
        if clock() - said >= TALK_S:
            said = clock()
            click.echo(f"{said - began:.0f} s: hour {hours} of the drill", err=True)

    return tell


if __name__ == "__main__":
    main()
