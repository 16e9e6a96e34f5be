"""Configuration (systems, templates, processes, bindings) and exchange (streams, runs, messages, references)."""

from integrations.models.app_fields import AppField
from integrations.models.bindings import GroupBinding
from integrations.models.exchanges import Exchange, Outcome, SeenComment, SentText, StoredAnswer, Way
from integrations.models.feed import ExchangedFile, FeedEntry
from integrations.models.polling import Polling
from integrations.models.processes import Process, ProcessVersion, SettableField, Step, StepKind
from integrations.models.references import ExternalReference
from integrations.models.runs import ENDED, OUT_OF_LINE, Direction, ProcessRun, RunState, StepRun, StepState, Stream
from integrations.models.systems import Authentication, ExternalSystem, SystemKey
from integrations.models.templates import OperationTemplate, Protocol, Repeat, RequestTemplate, WsdlDocument

__all__ = [
    "ENDED",
    "OUT_OF_LINE",
    "AppField",
    "Authentication",
    "Direction",
    "Exchange",
    "ExchangedFile",
    "ExternalReference",
    "ExternalSystem",
    "FeedEntry",
    "GroupBinding",
    "OperationTemplate",
    "Outcome",
    "Polling",
    "Process",
    "ProcessRun",
    "ProcessVersion",
    "Protocol",
    "Repeat",
    "RequestTemplate",
    "RunState",
    "SeenComment",
    "SentText",
    "SettableField",
    "Step",
    "StepKind",
    "StepRun",
    "StepState",
    "StoredAnswer",
    "Stream",
    "SystemKey",
    "Way",
    "WsdlDocument",
]
