"""The last steps of the guided form: a group, and activation."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils.text import slugify
from django.utils.translation import gettext, gettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from integrations.admin.catalogue.step import SetupPage
from integrations.catalogue.exporting import BOUND
from integrations.catalogue.readiness import Finding, findings
from integrations.models import GroupBinding, Process
from tickets.models import AssignmentGroup

_ = gettext_lazy


class GroupForm(forms.Form):
    """Which group stands for the desk, and by which processes."""

    group = forms.ModelChoiceField(
        label=_("Assignment group"),
        queryset=AssignmentGroup.objects.none(),
        required=False,
        empty_label=_("a new one:"),
        widget=UnfoldAdminSelectWidget,
        help_text=_("Tasks that are given to this group go to the other desk, from the activation on."),
    )
    name = forms.CharField(
        label=_("Name of the new group"), max_length=100, required=False, widget=UnfoldAdminTextInputWidget
    )

    def __init__(self, *args: Any, setup: SetupPage, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.system = setup.system
        free = Q(binding=None) | Q(binding__integrated=False) | Q(binding__system=setup.system)
        group: Any = self.fields["group"]
        group.queryset = AssignmentGroup.objects.filter(free).order_by("name")
        labels = {field.name: field.verbose_name for field in GroupBinding._meta.concrete_fields}
        for key, name in BOUND.items():
            self.fields[key] = forms.ModelChoiceField(
                label=labels[name],
                queryset=Process.objects.all(),
                required=key in ("assignment", "update", "closure"),
                widget=UnfoldAdminSelectWidget,
            )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("group") is None and "group" not in self.errors:
            name = cleaned.get("name") or ""
            if not name:
                self.add_error("name", gettext("Choose a group, or give a new one its name."))
            elif AssignmentGroup.objects.filter(name=name).exists():
                self.add_error("name", gettext("There is a group of this name. Choose it above."))
        return cleaned

    def save(self) -> AssignmentGroup:
        """The group, bound but not integrated: that is for the activation."""
        cleaned = self.cleaned_data
        group: AssignmentGroup = cleaned["group"] or AssignmentGroup.objects.create(
            name=cleaned["name"], code=_free_code(cleaned["name"])
        )
        binding = GroupBinding.objects.filter(group=group).first() or GroupBinding(group=group)
        binding.system = self.system
        for key, name in BOUND.items():
            setattr(binding, name, cleaned.get(key))
        binding.save()
        return group


class Group(SetupPage):
    """A group to bind, existing or new, with the processes that the preset offers."""

    template = "group.html"
    form: GroupForm | None = None

    def context(self) -> dict[str, Any]:
        form = self.form or GroupForm(initial=self._initial(), setup=self)
        return {"form": form, "preset": self.preset, "processes": self._processes()}

    def post(self) -> str | None:
        self.form = GroupForm(self.request.POST, setup=self)
        if not self.form.is_valid():
            return self.refused()
        with transaction.atomic():
            self.setup.group = self.form.save()
            self.setup.save(update_fields=["group"])
        return ""

    def _processes(self) -> list[Process]:
        """Those that call the system, or are named after it."""
        calls = Q(steps__operation__system=self.system) | Q(name__startswith=f"{self.system.name}: ")
        return list(Process.objects.filter(calls).distinct().order_by("name"))

    def _initial(self) -> dict[str, Any]:
        """What is bound; else what the preset offers; else the only process that calls the system."""
        initial: dict[str, Any] = {
            "group": self.setup.group_id,
            "name": "" if self.setup.group_id else self.system.name,
        }
        binding = GroupBinding.objects.filter(group=self.setup.group_id).first() if self.setup.group_id else None
        if binding is not None:
            return initial | {key: getattr(binding, f"{name}_id") for key, name in BOUND.items()}
        offered = dict(self.preset.bindings) if self.preset else {}
        ours = self._processes()
        by_name = {process.name.removeprefix(f"{self.system.name}: "): process.pk for process in ours}
        only = next(iter(by_name.values())) if len(by_name) == 1 else None
        needed = ("assignment", "update", "closure")
        return initial | {key: by_name.get(offered.get(key, ""), only if key in needed else None) for key in BOUND}


@dataclass(frozen=True)
class Shown:
    """A finding with the step on which it can be mended."""

    finding: Finding
    url: str


class Activate(SetupPage):
    """What is ready and what is missing; the last button."""

    template = "activate.html"

    def context(self) -> dict[str, Any]:
        found = findings(self.system, self.setup)
        rows = [
            Shown(row, reverse("admin:integrations_setup_step", args=(self.system.pk, row.step))) for row in found
        ]
        return {
            "rows": rows,
            "refused": [row for row in found if row.refuses],
            "warnings": sum(row.kind == "doubt" for row in found),
        }

    def post(self) -> str | None:
        if any(row.refuses for row in findings(self.system, self.setup)):
            messages.error(self.request, gettext("It cannot be activated yet. What is missing stands below."))
            return self.refused()
        try:
            with transaction.atomic():
                self._activate()
        except ValidationError as error:
            messages.error(self.request, " ".join(error.messages))
            return self.refused()
        words = gettext("%(system)s is active.") % {"system": self.system}
        self.model_admin.log_change(self.request, self.system, gettext("Activated by the guided form."))
        messages.success(self.request, words)
        return reverse("admin:integrations_externalsystem_change", args=(self.system.pk,))

    def _activate(self) -> None:
        self.system.active = True
        self.system.full_clean()
        self.system.save()
        binding = GroupBinding.objects.filter(group=self.setup.group_id).first() if self.setup.group_id else None
        if binding is not None:
            binding.integrated = True
            binding.full_clean()
            binding.save()
        self.setup.delete()


def _free_code(name: str) -> str:
    """A code for a new group, made of its name."""
    base = slugify(name)[:45] or "group"
    code, number = base, 2
    while AssignmentGroup.objects.filter(code=code).exists():
        code, number = f"{base}-{number}", number + 1
    return code
