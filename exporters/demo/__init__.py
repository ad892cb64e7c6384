"""`mcptap demo`: two bundled servers, a scripted client, and what the tap saw of them.

The demo goes the way that a user's traffic goes: real processes, the real wrapper, the real store. Nothing
here talks to the recorder, so what it prints is what was recorded.
"""
