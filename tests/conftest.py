"""How every test here runs: the same examples each time, unless a profile asks for more."""

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "ci",
    derandomize=True,
    max_examples=60,
    deadline=None,  # two cores shared by everything: a slow example is no finding
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "wide", parent=settings.get_profile("ci"), derandomize=False, max_examples=2000
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))
