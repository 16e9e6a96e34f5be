"""Streams worked off in order, with leases, retries, probes and people's decisions."""
