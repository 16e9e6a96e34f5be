from portal import spyne_compat

spyne_compat.install()

from portal.celery import app as celery_app  # noqa: E402 - nothing may import Spyne before it is mended

__all__ = ["celery_app"]
