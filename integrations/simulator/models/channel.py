"""The ways between this desk and the portal."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Channel(models.TextChoices):
    """How a message gets to the portal. Over the feed it does not: it is listed, and the portal fetches it."""

    SOAP = "soap", _("SOAP")
    REST = "rest", _("REST")
    CASE_EXCHANGE = "case_exchange", _("Case Exchange")
    FEED = "feed", _("Case Exchange, fetched by the portal")


CASE_EXCHANGE = (Channel.CASE_EXCHANGE, Channel.FEED)
