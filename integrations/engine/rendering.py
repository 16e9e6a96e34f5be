"""Turn a step's templates and an event into the request that is sent: rendered once, kept without credentials."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from integrations.app_fields import placeholders
from integrations.configuration.lines import part_lines
from integrations.engine.attached import PinnedFile, attachment_of, in_base64
from integrations.engine.stand_ins import stand_ins_for
from integrations.models import ExternalSystem, ProcessRun, Protocol, StepRun, WsdlDocument
from integrations.secrets import readable
from integrations.snapshot import contact_there, numbers_there
from integrations.templating import Escape, TemplateFailed, content_type_escape, render, used_paths
from integrations.transports.addresses import origin_of
from integrations.transports.errors import RequestInvalid
from integrations.transports.http import Policy, Request
from integrations.transports.multipart import FilePart, Part, is_multipart, multipart
from integrations.transports.soap import build_envelope
from integrations.transports.wsdl import WsdlBundle, operations
from integrations.value_maps import explained, theirs_for
from tickets.models import Attachment

CONTENT_PATH = "attachment.content_base64"
# Not a value within an address, but an address: the place of a file, as the other desk gave it.
GIVEN_ADDRESS = re.compile(r"\{\{\s*file\.url\s*\}\}")
REFERENCE_PATHS = ("task.external_reference", "task.external_id")


@dataclass(frozen=True)
class Prepared:
    """A request without credentials, as it is pinned in its step.

    `file` is one that follows the body; `shown_as` stands for both in logs.
    `stand_ins` hold the places of credentials that a template names: stand-in -> name.
    """

    method: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    file: PinnedFile | None = None
    shown_as: str = ""
    stand_ins: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of_step(cls, step: StepRun) -> "Prepared":
        """The request that was pinned in this step."""
        kept = step.request or {}
        return cls(
            method=kept["method"],
            url=kept["url"],
            headers=kept["headers"],
            body=bytes(step.request_body or b""),
            file=PinnedFile(**kept["file"]) if kept.get("file") else None,
            shown_as=kept.get("shown_as", ""),
            stand_ins=kept.get("stand_ins", {}),
        )

    def pin(self, step: StepRun) -> None:
        """Keep it in the step (not saved yet): retries send these bytes."""
        step.request = {
            "method": self.method,
            "url": self.url,
            "headers": self.headers,
            "file": self.file.kept() if self.file else None,
            "shown_as": self.shown_as,
            "stand_ins": self.stand_ins,
        }
        step.request_body = self.body

    def as_request(self) -> Request:
        """The form that the door to the network takes."""
        return Request(
            method=self.method,
            url=self.url,
            headers=self.headers,
            body=self.body,
            file=self.file.as_sent() if self.file else None,
            shown_as=self.shown_as,
        )


def context_for(run: ProcessRun) -> dict[str, Any]:
    """The context of the run's templates now: the pinned event, the reference, and what earlier steps captured."""
    stream = run.stream
    context = dict(run.snapshot)
    context["task"] = {**context["task"], **numbers_there(stream.task_id, stream.system_id)}
    contact = context["ticket"]["contact"]
    contact = {**contact, "external_id": contact_there(contact_of(run), stream.system_id)}
    context["ticket"] = {**context["ticket"], "contact": contact}
    context["theirs"] = theirs_for(stream.system, context)
    context["process"] = {"id": run.pk, "name": run.version.process.name}
    context["steps"] = _captures(run)
    return context


def contact_of(run: ProcessRun) -> int | None:
    """The contact whom the run's event names, whoever the ticket's contact has become since."""
    pinned: int | None = run.snapshot["ticket"]["contact"].get("id", run.stream.task.ticket.contact_id)
    return pinned


def _captures(run: ProcessRun) -> dict[str, Any]:
    """What the run's steps captured; a replay, which has one step alone, knows those of the run that it repeats."""
    earlier = _captures(run.replay_of) if run.replay_of is not None else {}
    return earlier | {step.name: step.captures for step in run.steps.all() if step.captures}


def with_content(context: dict[str, Any], sources: list[str]) -> dict[str, Any]:
    """The context with the file's content, if one of the templates uses it: it is large, so it is not pinned."""
    if not any(CONTENT_PATH in used_paths(source, placeholders()) for source in sources if source):
        return context
    return {**context, "attachment": {**context["attachment"], "content_base64": in_base64(context)}}


def sources_of(request: dict[str, Any]) -> list[str]:
    """Every template of a request."""
    return [request["path"], request["headers"], request["body"], *request["soap_arguments"].values()]


def needs_reference(request: dict[str, Any]) -> bool:
    """Whether the request cannot be made without the other desk's number."""
    return any(_names_reference(source) for source in sources_of(request) if source)


def uses_reference(definition: dict[str, Any]) -> bool:
    """Whether anything in the process depends on the other desk's number, or would bring it about."""
    for step in definition["steps"]:
        templates = [step["text"], step["value"], step["mail"]["to"], step["mail"]["subject"], step["wait_for"]]
        if step["request"]:
            templates += sources_of(step["request"])
        if step["creates"] or any(_names_reference(template) for template in templates if template):
            return True
        condition = step["condition"].strip()
        if condition and _names_reference(condition, expression=True):
            return True
    return False


def _names_reference(source: str, *, expression: bool = False) -> bool:
    return bool(used_paths(source, placeholders(), expression=expression) & set(REFERENCE_PATHS))


def render_request(
    request: dict[str, Any],
    *,
    system: ExternalSystem,
    context: dict[str, Any],
    credentials: Mapping[str, str] | None = None,
) -> Prepared:
    """Render one request of a definition (see `definition.describe_request`) for a system.

    Credentials that its templates name become stand-ins, but for those given here. Raises `TemplateFailed`,
    `RequestInvalid`, `ArgumentProblem` or `WsdlProblem`; nothing has been sent then.
    """
    if context.get("system", {}).get("code") != system.code or "theirs" not in context:
        # A side call speaks the language of the desk that it goes to.
        context = {**context, "theirs": theirs_for(system, context)}
    sources = sources_of(request)
    given = dict(credentials or {})
    stand_ins = {name: token for name, token in stand_ins_for(sources).items() if name not in given}
    context = {**context, "auth": {**stand_ins, **given}}
    try:
        prepared = _rendered(request, system=system, context=with_content(context, sources))
        return replace(prepared, stand_ins={token: name for name, token in stand_ins.items()})
    except TemplateFailed as problem:
        raise explained(problem, system=system, context=context) from problem


def _rendered(request: dict[str, Any], *, system: ExternalSystem, context: dict[str, Any]) -> Prepared:
    fields = placeholders()
    path = request["path"].strip()
    if GIVEN_ADDRESS.fullmatch(path):
        url = _address(system, _given_address(context))
    else:
        url = _address(system, render(path, context, escape=Escape.URL, fields=fields))
    headers = render_headers(request["headers"], context)
    if request["protocol"] == Protocol.SOAP:
        return _soap(request, url=url, headers=headers, context=context)
    headers.setdefault("Accept", "application/json, */*;q=0.5")
    # Processes that were pinned before there was this choice do not have it.
    if request.get("sends_file"):
        return _file(request, url=url, headers=headers, context=context)
    if is_multipart(request["content_type"]) and request["method"] != "GET":
        return _form(request, url=url, headers=headers, context=context)
    body = b""
    if request["method"] != "GET" and request["body"].strip():
        escape = content_type_escape(request["content_type"])
        body = render(request["body"], context, escape=escape, fields=fields).encode()
        headers.setdefault("Content-Type", request["content_type"])
    return Prepared(method=request["method"], url=url, headers=headers, body=body)


def render_headers(source: str, context: dict[str, Any]) -> dict[str, str]:
    """Lines of `Name: value` as headers."""
    headers = {}
    for line in source.splitlines():
        if line.strip():
            name, colon, value = line.partition(":")
            if not colon:
                raise RequestInvalid(_('The header line "%(line)s" has no colon.') % {"line": line.strip()})
            headers[name.strip()] = render(value.strip(), context, escape=Escape.HEADER, fields=placeholders())
    return headers


def bundle_of(wsdl_id: int) -> WsdlBundle:
    """The stored WSDL with its imports."""
    wsdl = WsdlDocument.objects.filter(pk=wsdl_id).first()
    if wsdl is None:
        raise RequestInvalid(_("The WSDL of this operation was deleted."))
    if not wsdl.documents:
        raise RequestInvalid(_('The WSDL "%(name)s" has not been fetched yet.') % {"name": wsdl.name})
    return WsdlBundle(main_url=wsdl.url, documents=wsdl.documents)


def policy_for(system: ExternalSystem, url: str, *, deadline: float, named_url: str = "") -> Policy:
    """What this system may be asked for and how long it may take.

    The token endpoint, and `named_url`, may be called wherever they are, but nothing else of their hosts; there the
    desk's own authorities have no say, unless it is one of its hosts. Whoever is not the desk itself or its token
    endpoint is not shown our certificate.
    """
    hosts = [urlsplit(system.base_url).hostname or "", *system.allowed_hosts.split()]
    host = urlsplit(url).hostname or ""
    for_token = url == system.oauth_token_url
    elsewhere = host not in hosts and (for_token or url == named_url)
    shown = for_token or origin_of(url) == origin_of(system.base_url)
    return Policy(
        allowed_hosts=(*hosts, host) if elsewhere else tuple(hosts),
        ca_bundle="" if elsewhere else system.ca_bundle,
        client_certificate=system.client_certificate if shown else "",
        client_key=readable(system.client_key) if shown else "",
        connect_timeout=system.connect_timeout,
        read_timeout=system.read_timeout,
        deadline=deadline,
        max_response_bytes=system.max_response_bytes,
        verify_tls=system.verify_tls,
        allow_private=system.allow_private,
    )


def _address(system: ExternalSystem, path: str) -> str:
    if path.startswith(("http://", "https://")):
        return path
    if not path:
        return system.base_url
    return f"{system.base_url.rstrip('/')}/{path.lstrip('/')}"


def _given_address(context: dict[str, Any]) -> str:
    """The address that the other desk gave for a file. Which hosts may be called, the door to the network sees to."""
    given = context.get("file", {}).get("url")
    if not isinstance(given, str) or not given or not given.isprintable() or " " in given:
        raise TemplateFailed(_("The other desk gave no address for the file."), name="file.url")
    return given


def _file(request: dict[str, Any], *, url: str, headers: dict[str, str], context: dict[str, Any]) -> Prepared:
    """The file itself as the body."""
    sent = _needed_file(context)
    headers.setdefault("Content-Type", _type_of(sent))
    file = PinnedFile(sent.pk, sent.size, sent.sha256)
    return Prepared(method=request["method"], url=url, headers=headers, file=file, shown_as=_remark(sent))


def _form(request: dict[str, Any], *, url: str, headers: dict[str, str], context: dict[str, Any]) -> Prepared:
    """A form with parts, the file behind them. Pinned with the body, the boundary stays the same for retries."""
    parts = []
    for line, kind in part_lines(request["body"]):
        escape = content_type_escape(kind)
        value = render(line.value, context, escape=escape, fields=placeholders())
        parts.append(Part(line.name, value.encode(), kind))
    if not request.get("file_part"):
        form = multipart(parts)
        headers["Content-Type"] = form.content_type
        return Prepared(method=request["method"], url=url, headers=headers, body=form.before)
    sent = _needed_file(context)
    form = multipart(parts, FilePart(request["file_part"], sent.name, _type_of(sent), sent.sha256))
    headers["Content-Type"] = form.content_type
    return Prepared(
        method=request["method"],
        url=url,
        headers=headers,
        body=form.before,
        file=PinnedFile(sent.pk, sent.size, sent.sha256, form.after.decode()),
        shown_as=(form.before + _remark(sent).encode() + form.after).decode(),
    )


def _needed_file(context: dict[str, Any]) -> Attachment:
    attachment = attachment_of(context)
    if attachment is None:
        raise TemplateFailed(
            _("The request sends the attached file, but this event has none. Let the step run only for files."),
            name="attachment",
        )
    return attachment


def _type_of(attachment: Attachment) -> str:
    return attachment.content_type or "application/octet-stream"


def _remark(attachment: Attachment) -> str:
    """What stands in the log in the place of the bytes."""
    return _("[the file %(name)s, %(size)d bytes, SHA-256 %(digest)s]") % {
        "name": attachment.name,
        "size": attachment.size,
        "digest": attachment.sha256,
    }


def _soap(request: dict[str, Any], *, url: str, headers: dict[str, str], context: dict[str, Any]) -> Prepared:
    fields = placeholders()
    version = request["soap_version"]
    if request["wsdl_id"]:
        arguments = {
            path: render(source, context, escape=Escape.TEXT, fields=fields)
            for path, source in request["soap_arguments"].items()
        }
        filled = {path: value for path, value in arguments.items() if value != ""}
        bundle = bundle_of(request["wsdl_id"])
        body, own = build_envelope(bundle, request["soap_operation"], filled, version=version)
        if not request["path"].strip():
            url = endpoint_of(bundle, request["soap_operation"], version) or url
    else:
        body = render(request["body"], context, escape=Escape.XML, fields=fields).encode()
        action = request["soap_action"]
        own = (
            {"Content-Type": f'application/soap+xml; charset=utf-8; action="{action}"'}
            if version == "1.2"
            else {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{action}"'}
        )
    return Prepared(method="POST", url=url, headers={**own, **headers}, body=body)


def endpoint_of(bundle: WsdlBundle, operation: str, version: str) -> str:
    """Where the WSDL says that the operation is served; empty if it does not say."""
    for info in operations(bundle):
        if info.name == operation and info.version == version:
            return info.address
    return ""
