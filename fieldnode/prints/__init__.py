"""What leaves the terminal on paper."""
