"""The Celery application: workers carry stream ids, the database carries everything else."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

app = Celery("deskbridge")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
