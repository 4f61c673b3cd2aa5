"""`python -m hq`."""

from hq.cli import main

main()
