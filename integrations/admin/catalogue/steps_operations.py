"""Steps of the guided form: address and credentials, level and operations, test connection."""

from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from integrations.admin.catalogue.connecting import ConnectionForms
from integrations.admin.catalogue.step import SetupPage
from integrations.admin.connection import ConnectionForm
from integrations.admin.request_words import request_words
from integrations.catalogue.trials import trials
from integrations.connection import Trial, fetch_for, try_connection
from integrations.levels import FUNCTIONS, GAINS, Function, Level, missing_functions
from integrations.models import OperationTemplate, SetupStep
from integrations.proofs import MatrixRow, matrix


class Connection(SetupPage):
    """Address and credentials once more, for a system that is there."""

    template = "connection.html"
    forms: ConnectionForms | None = None

    def _forms(self) -> ConnectionForms:
        if self.forms is None:
            self.forms = ConnectionForms(self.model_admin, self.request, preset=self.preset, system=self.system)
        return self.forms

    def context(self) -> dict[str, Any]:
        return {"forms": self._forms(), "preset": self.preset}

    def post(self) -> str | None:
        if not self._forms().are_valid():
            return self.refused()
        self._forms().save()
        return ""


@dataclass
class FunctionRow:
    """One function of the matrix: by which operations the system has it, or where to write one."""

    function: Function
    operations: list[tuple[str, str, str]] = field(default_factory=list)
    add_url: str = ""
    needed: bool = False
    proof: MatrixRow | None = None


class Levels(SetupPage):
    """The level, with what is there for it and what is missing; each operation is a click away."""

    template = "level.html"

    def context(self) -> dict[str, Any]:
        operations = {row.name: row for row in self.system.operations.all()}
        rows = []
        told: set[str] = set()
        proofs = {proof.function.key: proof for proof in matrix(self.system)}
        for function in FUNCTIONS:
            here = [operations[name] for name in function.operations if name in operations]
            told |= {row.name for row in here}
            add = reverse("admin:integrations_operationtemplate_add")
            row = FunctionRow(function, [self._line(operation) for operation in here])
            row.add_url = f"{add}?system={self.system.pk}&name={function.operations[0]}"
            row.needed = self.system.level in function.must
            row.proof = proofs[function.key]
            rows.append(row)
        others = [self._line(row) for name, row in sorted(operations.items()) if name not in told]
        levels = [(level, GAINS[level], len(missing_functions(self.system, level))) for level in Level]
        missing = missing_functions(self.system, self.system.level)
        return {"rows": rows, "others": others, "levels": levels, "missing": missing, "preset": self.preset}

    def post(self) -> str | None:
        level = self.request.POST.get("level", "")
        if level not in Level.values:
            messages.error(self.request, _("Choose one of the levels."))
            return self.refused()
        if level != self.system.level:
            self.system.level = level
            self.system.save()
        # Whoever has chosen another level wants to see first what it needs.
        return "" if "go_on" in self.request.POST else SetupStep.LEVEL

    def _line(self, operation: OperationTemplate) -> tuple[str, str, str]:
        url = reverse("admin:integrations_operationtemplate_change", args=(operation.pk,))
        return operation.name, request_words(operation), url


class Trials(SetupPage):
    """A harmless call with the stored credentials, and the WSDLs fetched."""

    template = "test.html"
    trial: Trial | None = None
    form: ConnectionForm | None = None

    def context(self) -> dict[str, Any]:
        form = self.form or ConnectionForm(operations=trials(self.system))
        return {
            "form": form,
            "trial": self.trial,
            "wsdls": list(self.system.wsdls.order_by("name")),
            "address_url": reverse("admin:integrations_setup_step", args=(self.system.pk, SetupStep.CONNECTION)),
        }

    def post(self) -> str | None:
        if "go_on" in self.request.POST:
            return ""
        if "fetch" in self.request.POST:
            return self._fetch()
        operations = trials(self.system)
        self.form = ConnectionForm(self.request.POST, operations=operations)
        if not self.form.is_valid():
            return self.refused()
        chosen = self.form.cleaned_data["operation"]
        self.trial = try_connection(self.system, next((row for row in operations if row.pk == chosen), None))
        return None

    def _fetch(self) -> str:
        given = self.request.POST["fetch"]
        wsdl = get_object_or_404(self.system.wsdls, pk=int(given) if given.isdecimal() else 0)
        result = fetch_for(wsdl)
        if result.problem:
            words = _("The WSDL %(name)s was not fetched. %(problem)s")
            messages.error(self.request, words % {"name": wsdl.name, "problem": result.problem})
        else:
            wsdl.documents, wsdl.fetched_at = result.documents, timezone.now()
            wsdl.save(update_fields=["documents", "fetched_at"])
            words = _("The WSDL %(name)s was fetched: %(count)d operations.")
            messages.success(self.request, words % {"name": wsdl.name, "count": result.operations})
        return SetupStep.TEST
