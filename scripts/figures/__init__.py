"""The figures of the root README, each measured beside its own floor."""
