"""The one process per user that turns the traffic of all taps into records."""
