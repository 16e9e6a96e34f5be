"""How a ticket belongs to others."""

from django import forms
from django.db import models
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget

from tickets.actions import link_tickets, unlink_tickets
from tickets.actors import Actor
from tickets.admin.desk_form import DeskForm, Words, ticket_field
from tickets.errors import InvalidInput
from tickets.models import Link, LinkKind


class LinkAs(models.TextChoices):
    """What the other ticket is to this one."""

    SUB_CASE = "sub_case", _("Sub-case: it is a part of this one")
    PARENT = "parent", _("Parent: this one is a part of it")
    RELATED = "related", _("Related: they have to do with each other")


class LinksForm(DeskForm):
    """Something to do with linked tickets."""

    permission = "tickets.change_ticket"
    place = "links"

    @property
    def anchor(self) -> str:
        """Where the links are."""
        return "links"


class LinkForm(LinksForm):
    """Link another ticket to this one."""

    name = "link"
    title = _("Link a ticket")
    submit = _("Link")

    kind = forms.ChoiceField(
        label=_("The other ticket is"), choices=LinkAs.choices, widget=UnfoldAdminSelectWidget(), initial="related"
    )
    other = ticket_field(_("Other ticket"))

    def act(self, actor: Actor) -> Words:
        """Link."""
        kind, other = self.cleaned_data["kind"], self.cleaned_data["other"]
        if kind == LinkAs.PARENT:
            link_tickets(actor=actor, ticket=other, other=self.ticket, kind=LinkKind.SUB_CASE)
        else:
            link_tickets(actor=actor, ticket=self.ticket, other=other, kind=kind)
        return _t("%(number)s is linked.") % {"number": other.number}


class UnlinkForm(LinksForm):
    """Remove a link: one click."""

    name = "unlink"
    title = _("Remove a link")
    submit = _("Remove")

    link = forms.IntegerField(widget=forms.HiddenInput)

    def act(self, actor: Actor) -> Words:
        """Remove."""
        mine = models.Q(ticket=self.ticket) | models.Q(other=self.ticket)
        found = Link.objects.filter(mine, pk=self.cleaned_data["link"]).select_related("ticket", "other").first()
        if found is None:
            raise InvalidInput(_t("There is no such link of this ticket."))
        unlink_tickets(actor=actor, link=found)
        return _t("The link is removed.")
