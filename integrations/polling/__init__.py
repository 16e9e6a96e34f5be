"""Desks that we ask for news: a cursor of their own time, one poll at a time, nothing missed and nothing twice.

`claim.py` keeps two workers apart, `asking.py` sends the requests, `answer.py` reads what comes back, `entries.py`
takes each entry over as a message of that desk, `worker.py` does one poll from beginning to end.
"""
