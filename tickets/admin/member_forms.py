"""Who looks after a ticket and who follows it."""

from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from tickets.actions import add_follower, end_follower, set_assigned_user
from tickets.actors import Actor
from tickets.admin.desk_form import DeskForm, PersonField, Words, contact_field
from tickets.errors import InvalidInput
from tickets.models import Member, MemberRole

if TYPE_CHECKING:
    from django.contrib.auth.models import User


class PeopleForm(DeskForm):
    """Something to do with who takes part."""

    permission = "tickets.change_ticket"
    place = "people"

    @property
    def anchor(self) -> str:
        """Where the people are."""
        return "people"

    @property
    def me(self) -> "User":
        """Who is signed in."""
        return cast("User", self.request.user)


class AssignUserForm(PeopleForm):
    """Say who looks after the ticket as a whole."""

    name = "assign_user"
    title = _("Assign")
    submit = _("Assign")
    explanation = _("Who looks after the ticket as a whole. Its tasks stay with their groups.")

    user = PersonField(label=_("Looks after it"), required=False, empty_label=_("Nobody"))

    def starting_values(self) -> dict[str, Any]:
        """Who it is now."""
        active = Member.objects.filter(ticket=self.ticket, role=MemberRole.ASSIGNED, ended_at=None).first()
        return {"user": active.user_id if active else None}

    def act(self, actor: Actor) -> Words:
        """Assign."""
        user = self.cleaned_data["user"]
        set_assigned_user(actor=actor, ticket=self.ticket, user=user, expected_version=self.cleaned_data["version"])
        if user is None:
            return _t("Nobody looks after the ticket now.")
        return _t("%(person)s looks after the ticket now.") % {"person": user.get_full_name() or user.get_username()}


class FollowForm(PeopleForm):
    """Follow the ticket oneself: one click."""

    name = "follow"
    title = _("Follow")
    submit = _("Follow")

    def act(self, actor: Actor) -> Words:
        """Follow."""
        add_follower(actor=actor, ticket=self.ticket, user=self.me)
        return _t("You follow the ticket now.")


class AddFollowerForm(PeopleForm):
    """Let somebody else follow the ticket."""

    name = "add_follower"
    title = _("Add a follower")
    submit = _("Add the follower")
    explanation = _("A contact who follows a ticket can read it and write on it, but not close or judge it.")

    user = PersonField(label=_("Agent"), required=False, empty_label=_("None"))
    contact = contact_field(required=False)

    def clean(self) -> dict[str, Any]:
        """Exactly one."""
        data = super().clean() or {}
        if not self.errors and bool(data["user"]) == bool(data["contact"]):
            raise forms.ValidationError(_t("Choose either an agent or a contact."))
        return data

    def act(self, actor: Actor) -> Words:
        """Add."""
        data = self.cleaned_data
        member = add_follower(actor=actor, ticket=self.ticket, user=data["user"], contact=data["contact"])
        return _t("%(person)s follows the ticket now.") % {"person": member.person}


class EndFollowerForm(PeopleForm):
    """End somebody's following, one's own or another's: one click."""

    name = "end_follower"
    title = _("Remove a follower")
    submit = _("Remove")

    member = forms.IntegerField(widget=forms.HiddenInput)

    def act(self, actor: Actor) -> Words:
        """End."""
        found = Member.objects.filter(ticket=self.ticket, pk=self.cleaned_data["member"]).first()
        if found is None:
            raise InvalidInput(_t("There is no such follower of this ticket."))
        end_follower(actor=actor, ticket=self.ticket, member=found)
        if found.user_id == self.me.pk:
            return _t("You no longer follow the ticket.")
        return _t("%(person)s no longer follows the ticket.") % {"person": found.person}
