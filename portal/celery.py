"""The Celery application: workers carry stream ids, the database carries everything else."""

import os
from typing import Any

from celery import Celery
from celery.signals import beat_init, celeryd_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

app = Celery("deskbridge")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@celeryd_init.connect
@beat_init.connect
def refuse_unsafe_start(**kwargs: Any) -> None:
    """Workers and beat pass the same gate as the web server."""
    import django
    from django.apps import apps

    from portal import checks

    if not apps.ready:
        # Not twice: Celery has taken over standard error by now, and logs set up again would end in it.
        django.setup()
    checks.refuse_unsafe_start()
