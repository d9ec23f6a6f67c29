"""Hypothesis draws the same examples in every run, so that what is red stays red and a green run tells something."""

from hypothesis import settings

settings.register_profile("same-examples", derandomize=True)
settings.load_profile("same-examples")
