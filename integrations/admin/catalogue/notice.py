"""The way back to the guided form, on the pages to which it leads."""

from typing import Any

from django.db.models import Q, QuerySet
from django.urls import reverse

from integrations.catalogue.exporting import BOUND
from integrations.models import GroupBinding, Setup, SetupStep


def setup_context(system_id: int | None, step: SetupStep | None = None) -> dict[str, Any]:
    """For the template: where the guided form of this system is, if it is not finished."""
    setup = Setup.objects.filter(system_id=system_id).select_related("system").first() if system_id else None
    if setup is None:
        return {}
    url = reverse("admin:integrations_setup_step", args=(setup.system_id, step or setup.reached))
    return {"setup_url": url, "setup_system": setup.system}


def setup_of_process(process_id: str | None, asked: str = "") -> dict[str, Any]:
    """The same for a process: of the system that it calls, or (`asked`, its id) from whose form it is written."""
    if process_id is None:
        return setup_context(int(asked) if asked.isdecimal() else None, SetupStep.GROUP)
    pk = int(process_id) if process_id.isdecimal() else 0
    calls = Setup.objects.filter(Q(system__operations__steps__process=pk) | Q(group__binding__in=_bound(pk)))
    return setup_context(calls.values_list("system_id", flat=True).first(), SetupStep.GROUP)


def _bound(process_id: int) -> QuerySet[GroupBinding]:
    """The integrations of groups that the process serves."""
    served = Q()
    for field in BOUND.values():
        served |= Q(**{field: process_id})
    return GroupBinding.objects.filter(served)
