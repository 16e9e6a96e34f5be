"""The tokens that other desks' token endpoints gave us."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from integrations.models.systems import ExternalSystem
from integrations.secrets import EncryptedTextField


class OAuthToken(models.Model):
    """What OAuth 2.0 has given for one system: encrypted, and shared by all workers.

    A refresh token may be good for one use only, and what replaces it comes once: so one worker at a time asks, which
    holds the row by `lease_until` and `turn` while the network is used, and writes the answer before anything else.
    """

    system = models.OneToOneField(
        ExternalSystem, models.CASCADE, related_name="oauth_token", verbose_name=_("external system")
    )
    access_token = EncryptedTextField(_("access token"), blank=True)
    refresh_token = EncryptedTextField(_("refresh token"), blank=True)
    use_until = models.DateTimeField(_("used until"), null=True, blank=True)
    made_for = models.CharField(_("made for"), max_length=64, blank=True)
    lease_until = models.DateTimeField(_("renewed by somebody until"), null=True, blank=True)
    turn = models.PositiveIntegerField(_("turn"), default=0)

    class Meta:
        verbose_name = _("OAuth token")
        verbose_name_plural = _("OAuth tokens")

    def __str__(self) -> str:
        return str(self.system)
