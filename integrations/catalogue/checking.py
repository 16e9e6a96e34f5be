"""What the forms of the admin check before they save, over the rows that a document has left in the database."""

from collections.abc import Mapping

from django.utils.translation import gettext as _

from integrations.catalogue.reader import Reader
from integrations.configuration import names_for_operation, problems_in_order, problems_of_request
from integrations.configuration.requests import Problems
from integrations.configuration.rows import operation_values, step_values
from integrations.models import ExternalSystem, Process, RequestTemplate


def check_system(reader: Reader, system: ExternalSystem, place: str) -> None:
    """Tell what is wrong with the operations of the system."""
    for operation in system.operations.select_related("wsdl", "probe"):
        problems = problems_of_request(operation_values(operation), names=names_for_operation(operation.name))
        at = "/".join(part for part in (place, "operations", operation.name) if part)
        _tell(reader, _known_by_now(operation, problems), at)


def check_processes(reader: Reader, processes: Mapping[str, Process]) -> None:
    """Tell what is wrong with the steps of these processes, each by its place."""
    for place, process in processes.items():
        rows = list(process.steps.select_related("operation", "wsdl", "probe"))
        checked = problems_in_order([step_values(row) for row in rows])
        for number, (row, (_step, problems)) in enumerate(zip(rows, checked, strict=True), start=1):
            _tell(reader, _known_by_now(row, problems), f"{place}/steps/{number}")


def broken_elsewhere(system: ExternalSystem, checked: Mapping[str, Process]) -> list[str]:
    """Steps of other processes that an operation of the system no longer gives what they use: sentences."""
    known = {process.pk for process in checked.values()}
    found = []
    for process in Process.objects.filter(steps__operation__system=system).exclude(pk__in=known).distinct():
        rows = process.steps.select_related("operation", "wsdl", "probe")
        for step, problems in problems_in_order([step_values(row) for row in rows]):
            for messages in problems.values():
                for message in messages:
                    words = {"process": process.name, "step": step["name"], "message": message}
                    found.append(_('Process "%(process)s", step "%(step)s": %(message)s') % words)
    return found


def _known_by_now(row: RequestTemplate, problems: Problems) -> Problems:
    """Without what cannot be known until the WSDL was fetched, which is later."""
    if row.wsdl is not None and not row.wsdl.documents:
        return {field: messages for field, messages in problems.items() if field != "wsdl"}
    return problems


def _tell(reader: Reader, problems: Problems, place: str) -> None:
    for field, messages in problems.items():
        for message in messages:
            reader.wrong(f"{place}/{field}", message)
