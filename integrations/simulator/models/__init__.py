"""What the practice desk remembers: its tickets, the calls it saw and made, its faults and its settings."""

from integrations.simulator.models.calls import Call, Session, StoredAnswer
from integrations.simulator.models.channel import CASE_EXCHANGE, Channel
from integrations.simulator.models.outgoing import FeedEntry, FeedPosition, OutgoingMessage
from integrations.simulator.models.settings import DeskSettings, Fault
from integrations.simulator.models.tickets import Attachment, ListedFile, Note, Ticket, is_searchable

__all__ = [
    "CASE_EXCHANGE",
    "Attachment",
    "Call",
    "Channel",
    "DeskSettings",
    "Fault",
    "FeedEntry",
    "FeedPosition",
    "ListedFile",
    "Note",
    "OutgoingMessage",
    "Session",
    "StoredAnswer",
    "Ticket",
    "is_searchable",
]
