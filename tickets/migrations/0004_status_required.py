"""Every ticket has its own status by now."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tickets", "0003_statuses_and_members")]
    operations = [
        migrations.AlterField(
            model_name="ticket",
            name="own_status",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="tickets",
                to="tickets.ownstatus",
                verbose_name="own status",
            ),
        ),
        migrations.AlterField(
            model_name="ticket",
            name="last_open_status",
            field=models.ForeignKey(
                help_text="What the ticket returns to when something comes in or its hold is over.",
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="tickets.ownstatus",
                verbose_name="last open status",
            ),
        ),
    ]
