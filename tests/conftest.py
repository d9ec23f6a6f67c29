"""Hypothesis draws the same examples in every run, so that what is red stays red and a green run tells something.

The only profile: no test file loads one of its own, since it would hold for all files that run after it.
"""

from hypothesis import settings

settings.register_profile("same-examples", derandomize=True, deadline=None)  # a deadline would measure the machine
settings.load_profile("same-examples")
