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

    from portal import checks

    django.setup()
    checks.refuse_unsafe_start()
