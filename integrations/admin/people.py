"""People at other desks: on a contact's page by what each desk knows them, and a search among a desk's people."""

from typing import Any, Final

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models.functions import Lower
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.loader import render_to_string
from django.urls import path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy

from integrations import people
from integrations.admin.base import Page
from integrations.models import ContactReference, ExternalSystem
from integrations.people.calls import CREATE, DELETE, FIND, QUERY, UPDATE
from integrations.people.context import numbers_of
from tickets.errors import ActionRefused
from tickets.models import Contact
from tickets.panels import register_contact_panel

_ = gettext_lazy
PERMISSION: Final = "integrations.change_contactreference"
FORGET: Final = "forget"
# What a button will do, said before it is done. Looking up changes nothing over there and is done at once.
WORDS: Final = {
    CREATE: (
        _("Make an account"),
        _("%(system)s is asked for %(name)s first. If it knows nobody, an account is made there."),
    ),
    UPDATE: (
        _("Update"),
        _("Name, e-mail, phone and login of %(name)s at %(system)s are set to what they are here."),
    ),
    DELETE: (_("Delete there"), _("%(name)s is deleted at %(system)s. The contact here stays. It cannot be undone.")),
    FORGET: (
        _("Forget the number"),
        _("The number of %(name)s at %(system)s is forgotten here; over there nothing changes."),
    ),
}
CALLS: Final = {FIND: people.look_up, CREATE: people.create, UPDATE: people.update, DELETE: people.delete}
PERSON: Final = ("contact", "name", "email", "login", "phone")


def people_panel(request: HttpRequest, contact: Contact) -> SafeString:
    """The desks that keep people, by what each knows the contact, and what can be asked of it. Three queries."""
    if not request.user.has_perm("integrations.view_contactreference"):
        return SafeString("")
    known = numbers_of(contact)
    rows = []
    for system in ExternalSystem.objects.prefetch_related("operations"):
        names = {operation.name for operation in system.operations.all()}
        number = known.get(system.pk)
        if number is None and not names & {FIND, CREATE}:
            continue
        verbs = [UPDATE, DELETE, FORGET] if number is not None and number.value else [CREATE]
        if not system.active:
            # Nothing is sent to a desk that is switched off; what is known here can be forgotten all the same.
            verbs = [verb for verb in verbs if verb == FORGET]
        rows.append(
            {
                "system": system,
                "number": number,
                "due": getattr(number, "update_due", None),
                "may_find": FIND in names,
                "verbs": [(verb, WORDS[verb][0]) for verb in verbs if verb in names or verb == FORGET],
            }
        )
    context = {"contact": contact, "rows": rows, "may_call": request.user.has_perm(PERMISSION)}
    return render_to_string("admin/integrations/people_panel.html", context, request=request)


register_contact_panel(people_panel)


@admin.register(ContactReference)
class ContactReferenceAdmin(Page):
    """Only the pages of what is asked of a desk about a contact: numbers are kept on the contact's page."""

    class Media:
        css = {"all": ["css/configuration.css"]}

    def has_module_permission(self, request: HttpRequest) -> bool:
        return False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.ask)
        return [path("<int:contact_id>/<int:system_id>/<slug:verb>/", view, name="integrations_people_ask")]

    def ask(self, request: HttpRequest, contact_id: int, system_id: int, verb: str) -> HttpResponse:
        """Say what will be asked of the desk; on POST ask it, and say what it answered."""
        if not request.user.has_perm(PERMISSION):
            raise PermissionDenied
        contact = get_object_or_404(Contact.objects.select_related("organisation"), pk=contact_id)
        system = get_object_or_404(ExternalSystem, pk=system_id)
        if verb not in (*CALLS, FORGET):
            raise Http404
        back = reverse("admin:tickets_contact_change", args=(contact.pk,))
        if request.method == "POST":
            self._do(request, contact, system, verb)
            return redirect(f"{back}#people")
        if verb == FIND:
            return redirect(f"{back}#people")
        title, words = WORDS[verb]
        context = {
            "title": title,
            "words": words % {"system": system, "name": contact.name},
            "submit": title,
            "destructive": verb == DELETE,
            "back": back,
        }
        return self.page(request, "people_confirm.html", contact, **context)

    def _do(self, request: HttpRequest, contact: Contact, system: ExternalSystem, verb: str) -> None:
        if verb == FORGET:
            people.forget(contact, system)
            messages.success(request, gettext("The number was forgotten."))
            return
        answer = CALLS[verb](contact, system)
        if answer.succeeded:
            messages.success(request, answer.words)
            return
        number = gettext(" (exchange %(number)d)") % {"number": answer.exchange.pk} if answer.exchange else ""
        messages.error(request, f"{system}: {answer.words}{number}")


def people_page(model_admin: Page, request: HttpRequest, system: ExternalSystem) -> HttpResponse:
    """Search a desk's people; import one as a contact, or link one to a contact that there is."""
    text = request.POST.get("q", "").strip()[:200]
    context: dict[str, Any] = {
        "system": system,
        "q": text,
        "has_query": system.operations.filter(name=QUERY).exists(),
    }
    if request.method == "POST":
        if "import" in request.POST or "link" in request.POST:
            _take(request, system)
        found = people.query(system, text) if text else people.Found(gettext("Enter what to search for."))
        context |= {"found": found, "rows": _known_here(system, found.people)}
    title = gettext("People at the other desk")
    return model_admin.page(request, "people_search.html", system, title=title, **context)


def _take(request: HttpRequest, system: ExternalSystem) -> None:
    """Import or link the person whose row's button was pressed."""
    person = {name: request.POST.get(name, "").strip() for name in PERSON}
    try:
        if "import" in request.POST:
            if not request.user.has_perm("tickets.add_contact"):
                raise PermissionDenied
            contact = people.import_person(system, person)
            messages.success(request, gettext("%(name)s is a contact now.") % {"name": contact.name})
            return
        email = request.POST.get("to", "").strip()
        found = Contact.objects.filter(email__iexact=email).first() if email else None
        if found is None:
            messages.error(request, gettext("None of our contacts has this e-mail address."))
            return
        people.link(found, system, person["contact"])
        words = gettext('%(name)s is known at %(system)s as "%(number)s" now.')
        messages.success(request, words % {"name": found.name, "system": system, "number": person["contact"]})
    except ActionRefused as problem:
        messages.error(request, str(problem))


def _known_here(system: ExternalSystem, found: list[dict[str, str]]) -> list[dict[str, Any]]:
    """Each person with our contact of that number, else the one with that e-mail or login: three queries."""
    numbers = ContactReference.objects.filter(system=system, value__in=[person["contact"] for person in found])
    linked = {row.value: row.contact for row in numbers.select_related("contact")}
    emails, logins = ({person[name].lower() for person in found if person[name]} for name in ("email", "login"))
    by_email = {row.email.lower(): row for row in Contact.objects.alias(e=Lower("email")).filter(e__in=emails)}
    by_login = {row.login.lower(): row for row in Contact.objects.alias(e=Lower("login")).filter(e__in=logins)}
    return [
        {
            "person": person,
            "linked": linked.get(person["contact"]),
            "match": by_email.get(person["email"].lower()) or by_login.get(person["login"].lower()),
            "hidden": [(name, person[name]) for name in PERSON],
        }
        for person in found
    ]
