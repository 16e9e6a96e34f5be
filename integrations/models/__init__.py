"""Configuration (systems, templates, processes, bindings) and exchange (streams, runs, messages, references)."""

from integrations.models.app_fields import AppField
from integrations.models.bindings import GroupBinding
from integrations.models.exchanges import Exchange, Outcome, SeenComment, SentText, StoredAnswer, Way
from integrations.models.feed import ExchangedFile, FeedEntry
from integrations.models.hooks import (
    Hook,
    HookAlgorithm,
    HookAuthentication,
    HookEncoding,
    HookOperation,
    HookRule,
    UnknownTickets,
)
from integrations.models.mailboxes import UNDECIDED, IncomingMail, Mailbox, MailOutcome, MailState, Security, Waiting
from integrations.models.oauth import OAuthToken
from integrations.models.people import AccountUnderWay, ContactReference, ContactUpdate
from integrations.models.polling import Polling, PollingKind
from integrations.models.processes import Process, ProcessVersion, SettableField, Step, StepKind, WaitUntil
from integrations.models.proofs import OperationProof
from integrations.models.references import ExternalReference, SentValue, TheirMessage, TheirMessageOrigin, TheirTicket
from integrations.models.runs import ENDED, OUT_OF_LINE, Direction, ProcessRun, RunState, StepRun, StepState, Stream
from integrations.models.setups import PresetOrigin, Setup, SetupStep
from integrations.models.systems import (
    Authentication,
    ClientAuthentication,
    ConflictRule,
    ContactPermissions,
    ExternalSystem,
    SystemKey,
)
from integrations.models.templates import OperationTemplate, Protocol, Repeat, RequestTemplate, WsdlDocument
from integrations.models.value_maps import TheirValues, ValueKind, ValueMapping, ValueWay
from integrations.models.visits import Visited
from integrations.models.webhooks import WebhookSubscription

__all__ = [
    "ENDED",
    "OUT_OF_LINE",
    "UNDECIDED",
    "AccountUnderWay",
    "AppField",
    "Authentication",
    "ClientAuthentication",
    "ConflictRule",
    "ContactPermissions",
    "ContactReference",
    "ContactUpdate",
    "Direction",
    "Exchange",
    "ExchangedFile",
    "ExternalReference",
    "ExternalSystem",
    "FeedEntry",
    "GroupBinding",
    "Hook",
    "HookAlgorithm",
    "HookAuthentication",
    "HookEncoding",
    "HookOperation",
    "HookRule",
    "IncomingMail",
    "MailOutcome",
    "MailState",
    "Mailbox",
    "OAuthToken",
    "OperationProof",
    "OperationTemplate",
    "Outcome",
    "Polling",
    "PollingKind",
    "PresetOrigin",
    "Process",
    "ProcessRun",
    "ProcessVersion",
    "Protocol",
    "Repeat",
    "RequestTemplate",
    "RunState",
    "Security",
    "SeenComment",
    "SentText",
    "SentValue",
    "SettableField",
    "Setup",
    "SetupStep",
    "Step",
    "StepKind",
    "StepRun",
    "StepState",
    "StoredAnswer",
    "Stream",
    "SystemKey",
    "TheirMessage",
    "TheirMessageOrigin",
    "TheirTicket",
    "TheirValues",
    "UnknownTickets",
    "ValueKind",
    "ValueMapping",
    "ValueWay",
    "Visited",
    "WaitUntil",
    "Waiting",
    "Way",
    "WebhookSubscription",
    "WsdlDocument",
]
