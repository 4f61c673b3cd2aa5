"""`python -m fieldnode.demo`, what `scripts/demo` runs."""

from protocols.guard import require_runtime

require_runtime()

from fieldnode.demo.cli import main  # noqa: E402 - the guard speaks before anything it guards

main()
