"""A profile for long searches: `pytest tests/tap --hypothesis-profile long`."""

from hypothesis import settings

settings.register_profile("long", max_examples=1500)
