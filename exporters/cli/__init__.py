"""The command line (click and rich). The wrapper itself never imports this."""
