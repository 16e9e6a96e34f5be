"""The rules of the layout that a reader may rely on, held by reading the source."""

import ast

import pytest

from tests.source_tree import ROOT, imports, project_files, python_files, tree, within

NETWORK = ("requests", "urllib3", "zeep", "socket", "ssl", "smtplib", "imaplib", "poplib", "ftplib")
NETWORK += ("urllib.request", "http.client", "httpx", "aiohttp", "django.core.mail")
# The command that runs the demo asks whether its own children on this machine answer, and whether a port is free.
NETWORK_EXCEPTIONS = {"portal/management/commands/run_demo.py": {"socket", "urllib.request", "urllib.error"}}

WRITTEN_BY_ACTIONS = ("Ticket", "TicketCounter", "Task", "Note", "Attachment", "History")
WRITES = {"save", "delete", "create", "update", "bulk_create", "bulk_update", "get_or_create", "update_or_create"}
LINES = 400


def test_the_desk_knows_nothing_of_integrations_and_wiring():
    found = [
        f"{path} imports {name}"
        for path in python_files("tickets")
        for name in imports(path)
        if within(name, "integrations") or within(name, "portal")
    ]
    assert found == []


def test_integrations_do_not_depend_on_the_wiring():
    found = [f"{p} imports {n}" for p in python_files("integrations") for n in imports(p) if within(n, "portal")]
    assert found == []


def test_only_the_transports_touch_the_network():
    found = []
    for path in python_files("portal", "tickets", "integrations"):
        if path.is_relative_to("integrations/transports") or path.is_relative_to("integrations/simulator"):
            continue
        allowed = NETWORK_EXCEPTIONS.get(str(path), set())
        for name in imports(path):
            if any(within(name, module) for module in NETWORK) and name not in allowed:
                found.append(f"{path} imports {name}")
    assert found == []


def test_the_practice_desk_is_somebody_elses_product():
    inside = [path for path in python_files("integrations") if path.is_relative_to("integrations/simulator")]
    assert inside
    borrowed = [
        f"{path} imports {name}"
        for path in inside
        for name in imports(path)
        if name.split(".")[0] in ("portal", "tickets", "integrations") and not within(name, "integrations.simulator")
    ]
    assert borrowed == []
    users = [
        f"{path} imports {name}"
        for path in python_files("portal", "tickets", "integrations")
        if path not in inside
        for name in imports(path)
        if within(name, "integrations.simulator")
    ]
    assert users == []


def written_record(call: ast.Call) -> str:
    """What a call like `Note.objects.create()`, `task.notes.update()` or `ticket.save()` writes; empty if nothing.

    Names are all that the source shows, so variables count by name: a ticket in a variable of another name gets by.
    """
    if not isinstance(call.func, ast.Attribute) or call.func.attr not in WRITES:
        return ""
    receiver: ast.expr = call.func.value
    while True:
        if isinstance(receiver, ast.Call):
            receiver = receiver.func
        elif isinstance(receiver, ast.Attribute):
            if receiver.attr in ("notes", "attachments", "tasks", "history"):
                return receiver.attr
            receiver = receiver.value
        else:
            break
    names = {*WRITTEN_BY_ACTIONS, *(name.lower() for name in WRITTEN_BY_ACTIONS)}
    return receiver.id if isinstance(receiver, ast.Name) and receiver.id in names else ""


def test_only_actions_write_tickets_tasks_notes_attachments_and_history():
    found = []
    for path in python_files("portal", "tickets", "integrations"):
        if path.is_relative_to("tickets/actions") or path.is_relative_to("integrations/simulator"):
            continue
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call) and (record := written_record(node)):
                found.append(f"{path}:{node.lineno} writes {record}")
    assert found == []


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("Note.objects.create(body='')", "Note"),
        ("Task.objects.filter(pk=1).update(solution='')", "Task"),
        ("ticket.save()", "ticket"),
        ("self.object.notes.create(body='')", "notes"),
        ("form.save()", ""),
        ("Queue.objects.create(name='')", ""),
        ("Ticket.objects.filter(pk=1)", ""),
    ],
)
def test_the_rule_about_writers_sees_what_it_should(source, expected):
    call = ast.parse(source).body[0].value
    assert written_record(call) == expected


def test_no_file_is_longer_than_a_reader_can_bear():
    own = {".py", ".html", ".css", ".js", ".sh"}
    files = [path for path in project_files() if path.suffix in own and "migrations" not in path.parts]
    files = [path for path in files if "vendor" not in path.parts and ".min." not in path.name]
    lengths = {str(path): len((ROOT / path).read_text().splitlines()) for path in files}
    assert {path: lines for path, lines in lengths.items() if lines > LINES} == {}
