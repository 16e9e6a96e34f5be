"""Mail as a dialect: raw bytes become a `ParsedMail` (parsing), it is decided whose it is and what it is about
(routing), what it says becomes a message like any other (mapping), and it is taken over once (service).

A mail that nobody understands is kept for a person (deciding); none is lost, and none stops the next.
"""
