"""The practice desk's WSGI application."""

import os

os.environ["DJANGO_SETTINGS_MODULE"] = "integrations.simulator.settings"

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()
