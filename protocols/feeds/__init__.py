"""The signed lines that devices write, what they carry, and what they add up to."""
