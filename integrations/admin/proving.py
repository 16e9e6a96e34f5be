"""The page on which an operation is tried once against the real desk: by it a function of the levels is proved."""

import hashlib
import json
from typing import Any, Final

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext, gettext_lazy
from unfold.widgets import UnfoldAdminEmailInputWidget, UnfoldAdminIntegerFieldWidget, UnfoldAdminTextInputWidget

from integrations.admin.base import Page
from integrations.admin.catalogue.notice import setup_context
from integrations.direct import UNSENDABLE, rendered
from integrations.levels import function_of
from integrations.models import ExternalSystem, OperationTemplate, SetupStep
from integrations.people.calls import CREATE, DELETE, UPDATE
from integrations.proofs import digest_of, only_reads, prove
from integrations.trial_values import NOBODY, TrialValues, asked_by, context_for_trial
from tickets.actors import Actor
from tickets.models import Contact, Task

_ = gettext_lazy
ROWS_SHOWN: Final = 50
# What a template names of the credentials is filled in when it is sent.
SHOWN_FOR: Final = {"username": "[auth.username]", "password": "[auth.password]", "session": "[auth.session]"}
# What a test call that writes does over there, said before it is done.
DOES: Final = {
    "create_ticket": _(
        "This creates a ticket at %(desk)s. It is linked to nothing here: close it over there afterwards."
    ),
    CREATE: _("This makes an account at %(desk)s for this person."),
    UPDATE: _("This changes the account at %(desk)s that has the number shown."),
    DELETE: _("This deletes the account at %(desk)s that has the number shown. It cannot be undone from here."),
    "upload_attachment": _("This uploads the latest file of the ticket to the ticket at %(desk)s."),
    "update_ticket": _("This changes the ticket at %(desk)s."),
    "add_note": _("This adds a note to the ticket at %(desk)s, for everybody there to read."),
}


class TrialForm(forms.Form):
    """With what to try it. Only what the operation's templates use is asked."""

    task = forms.CharField(
        label=_("Task"),
        required=False,
        max_length=40,
        help_text=_("The number of a task, whose values are sent. Empty: made-up values."),
        widget=UnfoldAdminTextInputWidget(attrs={"list": "tasks", "autocomplete": "off"}),
    )
    contact = forms.EmailField(
        label=_("Contact"),
        required=False,
        help_text=_("The e-mail address of one of our contacts. Empty: %(name)s, %(email)s, who is made up.")
        % {"name": NOBODY["name"], "email": NOBODY["email"]},
        widget=UnfoldAdminEmailInputWidget,
    )
    number = forms.CharField(
        label=_("Person's number there"),
        required=False,
        max_length=200,
        help_text=_("Empty: the number by which they know the contact."),
        widget=UnfoldAdminTextInputWidget,
    )
    reference = forms.CharField(
        label=_("Ticket's number there"),
        required=False,
        max_length=200,
        help_text=_("By what its addresses name the ticket. Empty: that of the task."),
        widget=UnfoldAdminTextInputWidget,
    )
    text = forms.CharField(
        label=_("Text"),
        required=False,
        max_length=1000,
        initial=_("A test by the administrator of Deskbridge. Please ignore it."),
        widget=UnfoldAdminTextInputWidget,
    )
    search = forms.CharField(
        label=_("Search for"),
        required=False,
        max_length=200,
        help_text=_("Part of a name, an e-mail address or a login."),
        widget=UnfoldAdminTextInputWidget,
    )
    days = forms.IntegerField(
        label=_("Changed within days"),
        required=False,
        initial=30,
        min_value=1,
        max_value=3650,
        widget=UnfoldAdminIntegerFieldWidget,
    )

    def __init__(self, *args: Any, operation: OperationTemplate, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.operation = operation
        asked = asked_by(operation)
        for name in list(self.fields):
            if name not in asked:
                del self.fields[name]

    def clean_task(self) -> Task | None:
        """The task itself."""
        number = self.cleaned_data["task"].strip()
        if not number:
            return None
        found = Task.objects.select_related("ticket__contact__organisation", "group").filter(number=number).first()
        if found is None:
            raise forms.ValidationError(gettext("There is no task with this number."))
        return found

    def clean_contact(self) -> Contact | None:
        """The contact, by e-mail."""
        email = self.cleaned_data["contact"]
        if not email:
            return None
        found = Contact.objects.select_related("organisation").filter(email__iexact=email).first()
        if found is None:
            raise forms.ValidationError(gettext("None of our contacts has this e-mail address."))
        return found

    def clean(self) -> dict[str, Any]:
        """A file needs a ticket that has one; a number there has to come from somewhere."""
        cleaned = super().clean() or self.cleaned_data
        task = cleaned.get("task")
        sends_file = self.operation.sends_file or self.operation.name.startswith("upload_")
        if "task" in self.fields and sends_file and not (task and task.ticket.attachments.exists()):
            self.add_error("task", gettext("Choose a task whose ticket has a file: the latest one is sent."))
        if "reference" in self.fields and not task and not cleaned.get("reference"):
            self.add_error("reference", gettext("Enter the number of a ticket there, or choose a task that has one."))
        if "search" in self.fields and not cleaned.get("search"):
            self.add_error("search", gettext("Enter what to search for."))
        return cleaned

    def values(self) -> TrialValues:
        """What was chosen."""
        chosen = {name: value for name, value in self.cleaned_data.items() if value not in (None, "")}
        return TrialValues(**chosen)

    def shown(self) -> str:
        """Names what the page has shown: these values in this template. Anything else is shown before it is sent."""
        values = {name: str(value) for name, value in self.cleaned_data.items()}
        said = json.dumps([values, digest_of(self.operation)], sort_keys=True)
        return hashlib.sha256(said.encode()).hexdigest()


def proving_page(model_admin: Page, request: HttpRequest, system: ExternalSystem, name: str) -> HttpResponse:
    """Ask with what to try the operation, show the request, and send it when that was confirmed; say what came."""
    rows = system.operations.select_related("system__auth_login", "probe__system", "wsdl")
    operation = rows.filter(name=name).first()
    if operation is None:
        raise Http404
    reads = only_reads(operation)
    posted = request.method == "POST"
    form = TrialForm(request.POST if posted else None, operation=operation)
    context: dict[str, Any] = {
        "system": system,
        "operation": operation,
        "function": function_of(name),
        "form": form,
        "reads": reads,
        **setup_context(system.pk, SetupStep.LEVEL),
        "does": DOES.get(name, _("This calls %(desk)s and may change something there.")) % {"desk": system},
    }
    if posted and form.is_valid():
        context |= _show_or_send(request, operation, form, reads=reads)
    title = gettext("Prove: %(operation)s") % {"operation": name}
    return model_admin.page(request, "proving.html", system, title=title, **context)


def _show_or_send(
    request: HttpRequest, operation: OperationTemplate, form: TrialForm, *, reads: bool
) -> dict[str, Any]:
    actor = Actor.of_request(request)
    values = form.values()
    try:
        trial = context_for_trial(operation, values, actor=actor)
        prepared = rendered(operation, trial, credentials=SHOWN_FOR)
    except UNSENDABLE as problem:
        return {"problem": str(problem)}
    confirmed = "send" in request.POST and request.POST.get("shown") == form.shown()
    if not reads and not confirmed:
        body = prepared.shown_as or prepared.body.decode("utf-8", errors="replace")
        return {"prepared": prepared, "body": body, "shown": form.shown()}
    contact = values.contact or (values.task.ticket.contact if values.task else None)
    called = prove(operation, trial, by=actor.name, contact=None if values.number or values.search else contact)
    names = list(dict.fromkeys(key for record in called.records for key in record))
    return {
        "called": called,
        "names": names,
        "records": [[record.get(key, "") for key in names] for record in called.records[:ROWS_SHOWN]],
        "count": len(called.records),
        "captures": {key: value for key, value in called.captures.items() if value not in (None, "")},
    }
