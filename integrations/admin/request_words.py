"""A request in a few words, for lists."""

from integrations.models import Protocol, RequestTemplate


def request_words(template: RequestTemplate) -> str:
    """Method and path, or the SOAP operation."""
    if template.protocol == Protocol.SOAP:
        return f"SOAP {template.soap_operation or template.soap_action}"
    return f"{template.method} {template.path or '/'}"
