"""The practice desk: a small partner desk to practise against.

It plays somebody else's product, so it is a process and a database file of its own, with its own Django
settings, and shares no code with the portal. Start it with `python -m integrations.simulator`.
"""
