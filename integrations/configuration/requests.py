"""The check of one request template: what keeps it from being saved, and what is only doubtful."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from integrations.app_fields import placeholders
from integrations.configuration.lines import capture_lines, header_lines, part_lines
from integrations.configuration.names import ANSWER_NAMES, ANSWER_OPEN, AUTH_NAMES, AUTH_OPEN, RECORD, sample_context
from integrations.models.templates import NAME, Protocol, Repeat
from integrations.templating import (
    Escape,
    Problem,
    TemplateFailed,
    check_expression,
    check_template,
    content_type_escape,
    render,
)
from integrations.transports.http import FRAMING_HEADERS, TOKEN
from integrations.transports.multipart import CONTENT_TYPE as MULTIPART
from integrations.transports.multipart import is_multipart
from integrations.transports.wsdl import WsdlProblem
from integrations.wsdls import find_operation, operations_of

Problems = dict[str, list[str]]


def problems_of_request(request: Mapping[str, Any], *, names: Iterable[str]) -> Problems:
    """What keeps a request from being saved: field -> sentences, empty if nothing does.

    `request` holds the fields of `RequestTemplate` by name, with the rows of `wsdl` and `probe` themselves and
    `system_id` (None: the group's). `names` are the dotted paths that its templates may use.
    """
    check = _Check(request, set(names))
    check.template("path", Escape.URL)
    check.headers()
    check.file()
    if request["protocol"] == Protocol.SOAP:
        check.soap()
    else:
        check.body()
    for field in ("success", "retry_when"):
        check.expression(field, request[field])
    check.captures()
    check.repeat()
    if "reads" in request:
        check.reads()
    return {field: messages for field, messages in check.problems.items() if messages}


def problems_of_captures(source: str, *, names: Iterable[str]) -> list[str]:
    """What keeps lines of `name = expression` from being saved: sentences."""
    check = _Check({"captures": source}, set(names))
    check.captures()
    return check.problems["captures"]


def doubts_about_request(request: Mapping[str, Any], *, names: Iterable[str]) -> Problems:
    """What may be meant so, but is worth a word: field -> sentences."""
    doubts: Problems = defaultdict(list)
    names = set(names)
    broken = _fails_as_a_whole(request["body"], names, _body_escape(request))
    if broken and "{%" in request["body"]:
        # Which branches are written depends on data, so one sample cannot prove it wrong.
        doubts["body"].append(_("With sample values, %(reason)s. Check it with the preview.") % {"reason": broken})
    probe = request["probe"]
    if probe is not None and probe.protocol == Protocol.HTTP and probe.method != "GET":
        doubts["probe"].append(
            _('The probe "%(name)s" is a %(method)s request. Make sure that it changes nothing at the other desk.')
            % {"name": probe.name, "method": probe.method}
        )
    return dict(doubts)


class _Check:
    """Collects the problems of one request by field."""

    def __init__(self, request: Mapping[str, Any], names: set[str]) -> None:
        self.request = request
        self.names = names
        # Expressions look at answers, which hold no credentials of ours.
        self.open = (AUTH_OPEN,) if names >= AUTH_NAMES else ()
        self.fields = placeholders()
        self.problems: Problems = defaultdict(list)

    def add(self, field: str, message: str) -> None:
        if message not in self.problems[field]:
            self.problems[field].append(message)

    def template(self, field: str, escape: Escape) -> None:
        self._add_all(field, self._template_problems(self.request[field], escape))

    def _template_problems(self, source: str, escape: Escape) -> list[Problem]:
        found = check_template(source, names=self.names, fields=self.fields, open=self.open, escape=escape)
        if not found and "{%" not in source:
            broken = _fails_as_a_whole(source, self.names, escape)
            if broken:
                return [Problem("", 0, broken[:1].upper() + broken[1:] + ".")]
        return found

    def expression(self, field: str, source: str, where: str = "", *, further: tuple[str, ...] = ()) -> None:
        if source.strip():
            names = (self.names - AUTH_NAMES) | ANSWER_NAMES
            found = check_expression(source, names=names, fields=self.fields, open=(*ANSWER_OPEN, *further))
            self._add_all(field, found, where)

    def headers(self) -> None:
        seen: set[str] = set()
        for line in header_lines(self.request["headers"]):
            where = _("Line %(line)s: ") % {"line": line.number}
            key = line.name.lower()
            if not line.separated:
                self.add("headers", where + _("write the header as Name: value."))
            elif not TOKEN.fullmatch(line.name):
                self.add("headers", where + _('"%(name)s" is not a name for a header.') % {"name": line.name})
            elif key in FRAMING_HEADERS:
                self.add("headers", where + _("%(name)s is set by the portal itself.") % {"name": line.name})
            elif key == "content-type":
                self.add("headers", where + _("give the content type in its own field."))
            elif key in seen:
                self.add("headers", where + _("%(name)s is given twice.") % {"name": line.name})
            seen.add(key)
            found = check_template(
                line.value, names=self.names, fields=self.fields, open=self.open, escape=Escape.HEADER
            )
            self._add_all("headers", found, where)

    def file(self) -> None:
        if self.request.get("file_part"):
            self.file_part()
        if not self.request.get("sends_file"):
            return
        if self.request["protocol"] == Protocol.SOAP:
            self.add("sends_file", _("A SOAP request has an envelope: a file goes into it as base64."))
        elif self.request["method"] == "GET":
            self.add("sends_file", _("A GET has no body. Choose another method."))
        elif self.request["body"].strip():
            self.add("sends_file", _("The file itself is the body. Remove what is written as the body."))
        elif "attachment.name" not in self.names:
            self.add("sends_file", _("There is no file at a login."))

    def file_part(self) -> None:
        if self.request["protocol"] == Protocol.SOAP or not is_multipart(self.request["content_type"]):
            message = _("Only a form has fields. Choose %(type)s as the content type.")
            self.add("file_part", message % {"type": MULTIPART})
        elif self.request["method"] == "GET":
            self.add("file_part", _("A GET has no body. Choose another method."))
        elif self.request.get("sends_file"):
            self.add("file_part", _("Either the file is the body, or it is a field of a form."))
        elif "attachment.name" not in self.names:
            self.add("file_part", _("There is no file at a login."))

    def body(self) -> None:
        if self.request["method"] != "GET" and is_multipart(self.request["content_type"]):
            self.parts()
            return
        if not self.request["body"].strip() or self.request["method"] == "GET":
            return
        try:
            escape = content_type_escape(self.request["content_type"])
        except TemplateFailed as error:
            self.add("content_type", error.message[:1].upper() + error.message[1:])
            return
        self.template("body", escape)

    def parts(self) -> None:
        if "boundary" in self.request["content_type"].lower():
            self.add("content_type", _("The portal chooses the boundary itself. Write the type alone."))
        lines = part_lines(self.request["body"])
        if not lines and not self.request.get("file_part") and not self.request.get("sends_file"):
            self.add("body", _("A form has at least one part: write it as name = template."))
        for line, kind in lines:
            where = _("Line %(line)s: ") % {"line": line.number}
            if not line.separated or not line.name:
                self.add("body", where + _("write the part as name = template."))
                continue
            try:
                escape = content_type_escape(kind)
            except TemplateFailed as error:
                self.add("body", where + error.message)
                continue
            self._add_all("body", self._template_problems(line.value, escape), where)

    def soap(self) -> None:
        wsdl = self.request["wsdl"]
        if wsdl is None:
            if not self.request["body"].strip():
                self.add("wsdl", _("Choose the WSDL, or write the whole envelope into the body."))
            self.template("body", Escape.XML)
            return
        if self.request["system_id"] not in (None, wsdl.system_id):
            self.add("wsdl", _("This WSDL belongs to another external system. Choose one of this system."))
            return
        try:
            self._soap_operation(wsdl)
        except WsdlProblem as error:
            self.add("wsdl", str(error))

    def _soap_operation(self, wsdl: Any) -> None:
        offered = operations_of(wsdl)
        name, version = self.request["soap_operation"], self.request["soap_version"]
        if not offered:
            self.add("wsdl", _("This WSDL was not fetched yet. Open it and press Fetch."))
        elif not name:
            self.add("soap_operation", _("Choose the operation of the WSDL."))
        elif (info := find_operation(wsdl, name=name, version=version)) is None:
            versions = ", ".join(sorted({operation.version for operation in offered if operation.name == name}))
            if versions:
                message = _("The WSDL offers %(name)s for SOAP %(versions)s only.")
                self.add("soap_version", message % {"name": name, "versions": versions})
            else:
                message = _('The WSDL "%(wsdl)s" has no operation %(name)s. Choose one from the list.')
                self.add("soap_operation", message % {"wsdl": wsdl.name, "name": name})
        else:
            self.problems.update(_argument_problems(self, info.arguments))

    def captures(self) -> None:
        seen: set[str] = set()
        for line in capture_lines(self.request["captures"]):
            where = _("Line %(line)s: ") % {"line": line.number}
            if not line.separated:
                self.add("captures", where + _("write the capture as name = expression."))
                continue
            try:
                NAME(line.name)
            except ValidationError as error:
                self.add("captures", f'{where}"{line.name}": {error.message}')
            if line.name in seen:
                self.add("captures", where + _('"%(name)s" is captured twice.') % {"name": line.name})
            seen.add(line.name)
            if not line.value:
                self.add("captures", where + _("behind the = stands what to take from the answer."))
            self.expression("captures", line.value, where)

    def reads(self) -> None:
        """What a record holds: each line over the record, which is what the other desk sent."""
        if self.request["items"].strip():
            self.expression("items", self.request["items"])
        for line in capture_lines(self.request["reads"]):
            where = _("Line %(line)s: ") % {"line": line.number}
            if not line.separated or not line.name or not line.value:
                self.add("reads", where + _("write it as name = expression."))
            else:
                self.expression("reads", line.value, where, further=(RECORD,))

    def repeat(self) -> None:
        probe, found = self.request["probe"], self.request["probe_found"]
        if self.request["repeat"] == Repeat.PROBE:
            if probe is None:
                self.add("probe", _("Choose the operation that looks whether the request arrived."))
            if not found.strip():
                self.add("probe_found", _("Say by which answer of the probe it is known that the request arrived."))
        if probe is not None and self.request["system_id"] not in (None, probe.system_id):
            self.add("probe", _("The probe must be an operation of the same external system."))
        self.expression("probe_found", found)

    def _add_all(self, field: str, found: list[Problem], where: str = "") -> None:
        for problem in found:
            message = problem.message
            if problem.name.partition(".")[0] == AUTH_OPEN:
                message += " " + _("Credentials are known only in what is sent to the other desk.")
            self.add(field, where + (message[:1].lower() + message[1:] if where else message))


def _argument_problems(check: _Check, arguments: Iterable[Any]) -> Problems:
    """Problems of SOAP arguments; each sentence begins with the argument's path."""
    found: Problems = defaultdict(list)
    given = {path: source for path, source in check.request["soap_arguments"].items() if source.strip()}
    known = {argument.path: argument for argument in arguments}
    for path in given:
        if re.sub(r"\[\d+\]", "", path) not in known:
            found["soap_arguments"].append(_("%(path)s: the operation has no such argument.") % {"path": path})
    plain = {re.sub(r"\[\d+\]", "", path) for path in given}
    for path, argument in known.items():
        if argument.required and path not in plain:
            found["soap_arguments"].append(_("%(path)s: the operation needs this argument.") % {"path": path})
    for path, source in given.items():
        problems = check_template(source, names=check.names, fields=check.fields, open=check.open, escape=Escape.TEXT)
        found["soap_arguments"].extend(f"{path}: {problem.message}" for problem in problems)
    return found


def _body_escape(request: Mapping[str, Any]) -> Escape:
    if request["protocol"] == Protocol.SOAP:
        return Escape.XML
    try:
        return content_type_escape(request["content_type"])
    except TemplateFailed:
        return Escape.TEXT


def _fails_as_a_whole(source: str, names: set[str], escape: Escape) -> str:
    """Why the result is not what its language demands, with sample values; "" if it is, or if values are at fault."""
    try:
        render(source, sample_context(names), escape=escape, fields=placeholders())
    except TemplateFailed as error:
        return "" if error.line or error.name else error.message
    return ""
