"""What every page of the desk shows."""

from typing import Any

from django.http import HttpRequest

from integrations.simulator import faults
from integrations.simulator.models import OutgoingMessage


def active_faults(request: HttpRequest) -> dict[str, Any]:
    """The faults that are switched on, and how many messages are held back, for the line at the top."""
    return {
        "active_faults": [(fault, faults.KINDS[fault.kind]) for fault in faults.switched_on()],
        "held_messages": OutgoingMessage.objects.filter(state=OutgoingMessage.State.HELD).count(),
    }
