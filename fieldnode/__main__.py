"""`python -m fieldnode`."""

from fieldnode.cli import main

main()
