"""The hot path: spawn the server, pass its bytes, hand copies to the collector. Standard library only."""
