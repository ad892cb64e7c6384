"""The dashboard: pages in a browser over what the collector serves; it writes nothing but mutes and approvals.

The idea: a page computes nothing of its own. Every number comes from a relation or macro of the database, so `mcptap
query` gives the same, and everything that a server may have said goes through `safe` before it reaches a browser.
"""
