"""Tickets from before the life cycle: their own status, and their contact as a member."""

from django.db import migrations
from django.db.models import F

NAMES = {
    1: ("open", "Open"),
    2: ("closed", "Closed"),
    3: ("awaiting-external", "Awaiting external action"),
    4: ("deleted", "Deleted"),
    5: ("merged", "Merged"),
    6: ("spam", "Spam"),
    7: ("awaiting-internal", "Awaiting internal action"),
    8: ("on-hold", "On hold"),
}
CONTACT = 20


def fill(apps, schema_editor):
    """A default for each fixed status; every ticket gets that of its own, and Open's as the last open one."""
    status, ticket, member = (apps.get_model("tickets", name) for name in ("OwnStatus", "Ticket", "Member"))
    defaults = {
        number: status.objects.create(code=code, name=name, status=number, is_default=True)
        for number, (code, name) in NAMES.items()
    }
    for number, own in defaults.items():
        ticket.objects.filter(status=number).update(own_status=own)
    ticket.objects.update(
        last_open_status=defaults[1], status_changed_at=F("updated_at"), listed_at=F("updated_at")
    )
    member.objects.bulk_create(
        [
            member(ticket_id=pk, role=CONTACT, contact_id=contact, started_at=since)
            for pk, contact, since in ticket.objects.values_list("pk", "contact_id", "created_at").iterator()
        ],
        batch_size=500,
    )


class Migration(migrations.Migration):
    dependencies = [("tickets", "0002_life_cycle")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
