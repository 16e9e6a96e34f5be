"""Fetching mail: one worker at a mailbox at a time (`claim.py`), each mail stored and taken over before it is marked
as done over there (`worker.py`); signed in by password or by OAuth 2.0 (`account.py`)."""
