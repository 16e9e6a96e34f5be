"""Turn a step's templates and an event into the request that is sent: rendered once, kept without credentials."""

import base64
import hashlib
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from integrations.app_fields import placeholders
from integrations.models import ExternalSystem, ProcessRun, Protocol, StepRun, WsdlDocument
from integrations.snapshot import current_reference
from integrations.templating import Escape, TemplateFailed, content_type_escape, render, used_paths
from integrations.transports.errors import RequestInvalid
from integrations.transports.http import Policy, Request
from integrations.transports.soap import build_envelope
from integrations.transports.wsdl import WsdlBundle, operations
from tickets.models import Attachment

CONTENT_PATH = "attachment.content_base64"
REFERENCE_PATH = "task.external_reference"


@dataclass(frozen=True)
class Prepared:
    """A request without credentials, as it is pinned in its step. `shown_as` stands for a body that is a file."""

    method: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    shown_as: str = ""

    @classmethod
    def of_step(cls, step: StepRun) -> "Prepared":
        """The request that was pinned in this step."""
        kept = step.request or {}
        return cls(
            method=kept["method"],
            url=kept["url"],
            headers=kept["headers"],
            body=bytes(step.request_body or b""),
            shown_as=kept.get("shown_as", ""),
        )

    def pin(self, step: StepRun) -> None:
        """Keep it in the step (not saved yet): retries send these bytes."""
        step.request = {"method": self.method, "url": self.url, "headers": self.headers, "shown_as": self.shown_as}
        step.request_body = self.body

    def as_request(self) -> Request:
        """The form that the door to the network takes."""
        return Request(method=self.method, url=self.url, headers=self.headers, body=self.body, shown_as=self.shown_as)


def context_for(run: ProcessRun) -> dict[str, Any]:
    """The context of the run's templates now: the pinned event, the reference, and what earlier steps captured."""
    stream = run.stream
    context = dict(run.snapshot)
    context["task"] = {**context["task"], "external_reference": current_reference(stream.task_id, stream.system_id)}
    context["process"] = {"id": run.pk, "name": run.version.process.name}
    context["steps"] = _captures(run)
    return context


def _captures(run: ProcessRun) -> dict[str, Any]:
    """What the run's steps captured; a replay, which has one step alone, knows those of the run that it repeats."""
    earlier = _captures(run.replay_of) if run.replay_of is not None else {}
    return earlier | {step.name: step.captures for step in run.steps.all() if step.captures}


def with_content(context: dict[str, Any], sources: list[str]) -> dict[str, Any]:
    """The context with the file's content, if one of the templates uses it: it is large, so it is not pinned."""
    if not any(CONTENT_PATH in used_paths(source, placeholders()) for source in sources if source):
        return context
    content = file_of(context)
    encoded = None if content is None else base64.b64encode(content).decode()
    return {**context, "attachment": {**context["attachment"], "content_base64": encoded}}


def file_of(context: dict[str, Any]) -> bytes | None:
    """The bytes of the event's file, None where it has none. Raises `TemplateFailed` where they cannot be read."""
    attachment_id = context["attachment"].get("id")
    if attachment_id is None:
        return None
    attachment = Attachment.objects.filter(pk=attachment_id).first()
    if attachment is None:
        raise TemplateFailed(_("The file is no longer there."), name="attachment")
    try:
        with attachment.file.open("rb") as opened:
            return bytes(opened.read())
    except OSError as error:
        raise TemplateFailed(_("The file cannot be read."), name="attachment") from error


def sources_of(request: dict[str, Any]) -> list[str]:
    """Every template of a request."""
    return [request["path"], request["headers"], request["body"], *request["soap_arguments"].values()]


def needs_reference(request: dict[str, Any]) -> bool:
    """Whether the request cannot be made without the other desk's number."""
    return any(REFERENCE_PATH in used_paths(source, placeholders()) for source in sources_of(request) if source)


def uses_reference(definition: dict[str, Any]) -> bool:
    """Whether anything in the process depends on the other desk's number, or would bring it about."""
    for step in definition["steps"]:
        templates = [step["text"], step["value"], step["mail"]["to"], step["mail"]["subject"], step["wait_for"]]
        if step["request"]:
            templates += sources_of(step["request"])
        if step["creates"] or any(REFERENCE_PATH in used_paths(t, placeholders()) for t in templates if t):
            return True
        condition = step["condition"].strip()
        if condition and REFERENCE_PATH in used_paths(condition, placeholders(), expression=True):
            return True
    return False


def render_request(request: dict[str, Any], *, system: ExternalSystem, context: dict[str, Any]) -> Prepared:
    """Render one request of a definition (see `definition.describe_request`) for a system.

    Raises `TemplateFailed`, `RequestInvalid`, `ArgumentProblem` or `WsdlProblem`; nothing has been sent then.
    """
    context = with_content(context, sources_of(request))
    fields = placeholders()
    url = _address(system, render(request["path"].strip(), context, escape=Escape.URL, fields=fields))
    headers = render_headers(request["headers"], context)
    if request["protocol"] == Protocol.SOAP:
        return _soap(request, url=url, headers=headers, context=context)
    headers.setdefault("Accept", "application/json, */*;q=0.5")
    # Processes that were pinned before there was this choice do not have it.
    if request.get("sends_file"):
        return _file(request, url=url, headers=headers, context=context)
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


def policy_for(system: ExternalSystem, *, deadline: float) -> Policy:
    """What this system may be asked for and how long it may take."""
    own_host = urlsplit(system.base_url).hostname or ""
    return Policy(
        allowed_hosts=(own_host, *system.allowed_hosts.split()),
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


def _file(request: dict[str, Any], *, url: str, headers: dict[str, str], context: dict[str, Any]) -> Prepared:
    """The file itself as the body."""
    content = file_of(context)
    if content is None:
        raise TemplateFailed(
            _("The request sends the attached file, but this event has none. Let the step run only for files."),
            name="attachment",
        )
    kind = context["attachment"]["content_type"] or "application/octet-stream"
    headers.setdefault("Content-Type", kind)
    shown_as = _("[the file %(name)s, %(size)d bytes, SHA-256 %(digest)s]") % {
        "name": context["attachment"]["name"],
        "size": len(content),
        "digest": hashlib.sha256(content).hexdigest(),
    }
    return Prepared(method=request["method"], url=url, headers=headers, body=content, shown_as=shown_as)


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
