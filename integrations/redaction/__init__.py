"""Secrets are removed before anything is stored to be read: what remains is as it was sent, byte for byte.

All of it is one pass over the text, in time proportional to its length, and works on broken and truncated text too.
"""

from integrations.redaction.body import redact_body
from integrations.redaction.lines import redact_headers, redact_url
from integrations.redaction.names import REMOVED, is_secret_name
from integrations.redaction.values import redact_text

__all__ = ["REMOVED", "is_secret_name", "redact_body", "redact_headers", "redact_text", "redact_url"]
