"""Who may open the end users' pages, and what browsers are told about them."""

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, cast

from csp.constants import NONE, SELF
from csp.decorators import csp_replace
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from tickets.models import Ticket
from tickets.selectors import visible_ticket

if TYPE_CHECKING:
    from django.contrib.auth.models import User

View = Callable[..., HttpResponseBase]

# The admin needs more than this; these pages do not.
strict_csp = csp_replace({"script-src": [SELF], "style-src": [SELF], "default-src": [NONE], "connect-src": [SELF]})


def contact_page(view: View) -> View:
    """Only for signed-in people who are contacts; nothing of it stays in a cache.

    A page that asks for news after its session ended gets 401 instead of a sign-in page, so that it can say so and
    keep what is being typed.
    """

    @strict_csp
    @never_cache
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        user = request.user
        if not user.is_authenticated:
            if request.headers.get("HX-Request"):
                return HttpResponse(status=401)
            return redirect_to_login(request.get_full_path())
        if not hasattr(user, "contact"):
            if user.is_staff:
                return redirect("admin:index")
            return render(request, "tickets/no_contact.html", status=403)
        return view(request, *args, **kwargs)

    return guarded


def person(request: HttpRequest) -> "User":
    """Who is signed in, on a page that lets nobody else in."""
    return cast("User", request.user)


def ticket_or_404(request: HttpRequest, number: str) -> Ticket:
    """The ticket, if the signed-in person may read it; a missing one and another's are told apart by nothing."""
    try:
        return visible_ticket(request.user, number)
    except Ticket.DoesNotExist:
        raise Http404(_("There is no such ticket among yours.")) from None
