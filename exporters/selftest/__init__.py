"""Shows on the user's own machine that the tap changes nothing: each case directly, then through the tap."""
