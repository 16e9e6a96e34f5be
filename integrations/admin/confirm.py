"""Pages that say what will be done to each of the chosen rows, before it is done."""

import secrets
from dataclasses import dataclass, field
from typing import Any, Final

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin

# A page that nobody would read to its end confirms nothing.
MOST_AT_ONCE: Final = 100


@dataclass(frozen=True)
class Line:
    """One row, and what will happen to it, or why nothing will."""

    pk: int
    title: str
    url: str
    words: str
    chip: SafeString | str = ""


@dataclass
class Plan:
    """What the page says. `explanation` holds for all rows; `asks` is a text to be entered, by its label."""

    title: str | Promise
    explanation: str | Promise
    submit: str | Promise
    back: str
    lines: list[Line] = field(default_factory=list)
    left_out: list[Line] = field(default_factory=list)
    destructive: bool = False
    asks: str | Promise = ""
    asks_help: str | Promise = ""
    answer: str = ""
    problem: str = ""


def chosen(request: HttpRequest) -> list[int]:
    """The ids in the address or the form; what is no number is nobody's."""
    given = request.POST.getlist("ids") or request.GET.get("ids", "").split(",")
    numbers = [int(text) for text in given if text.isdecimal() and len(text) < 19]
    return list(dict.fromkeys(numbers))[:MOST_AT_ONCE]


def to_page(address: str, rows: Any) -> HttpResponse:
    """From an action on a list to the page that asks; the same page that a button leads to."""
    ids = ",".join(str(pk) for pk in rows.values_list("pk", flat=True)[:MOST_AT_ONCE])
    return HttpResponseRedirect(f"{address}?ids={ids}")


def ask(model_admin: ModelAdmin, request: HttpRequest, plan: Plan) -> TemplateResponse:
    """Show the page. It carries a token, so that its form is carried out once however often it is sent."""
    request.current_app = model_admin.admin_site.name
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "title": plan.title,
        "plan": plan,
        "media": model_admin.media,
        "token": request.POST.get("once") or secrets.token_urlsafe(12),
    }
    status = 422 if plan.problem else 200
    return TemplateResponse(request, "admin/integrations/confirm.html", context, status=status)
