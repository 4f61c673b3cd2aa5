"""The demo: one HQ and three nodes as real processes on this machine, cut apart and healed."""
