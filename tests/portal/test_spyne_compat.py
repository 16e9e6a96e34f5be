"""Spyne, as it is pinned, serves SOAP on every Python that we support."""

import importlib
import io

import pytest
from lxml import etree

ENVELOPE = b"""<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/" xmlns:e="urn:echo">
  <soap:Body><e:say><e:word>Gr\xc3\xbc\xc3\x9fe</e:word></e:say></soap:Body>
</soap:Envelope>"""


def test_a_soap_call_is_answered():
    from spyne import Application, ServiceBase, Unicode, rpc
    from spyne.protocol.soap import Soap11
    from spyne.server.wsgi import WsgiApplication

    class Echo(ServiceBase):
        @rpc(Unicode, _returns=Unicode)
        def say(ctx, word):
            return word

    application = Application([Echo], "urn:echo", in_protocol=Soap11(validator="lxml"), out_protocol=Soap11())
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/",
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "wsgi.url_scheme": "http",
        "CONTENT_TYPE": "text/xml; charset=utf-8",
        "CONTENT_LENGTH": str(len(ENVELOPE)),
        "wsgi.input": io.BytesIO(ENVELOPE),
    }
    status = []
    answer = b"".join(WsgiApplication(application)(environ, lambda line, headers: status.append(line)))
    assert status == ["200 OK"]
    assert etree.fromstring(answer).findtext(".//{urn:echo}sayResult") == "Grüße"


def test_the_names_that_six_moved_are_found_by_todays_import_system():
    assert importlib.import_module("spyne.util.six.moves.urllib.parse").quote("ü") == "%C3%BC"
    with pytest.raises(ImportError):
        importlib.import_module("spyne.util.six.moves.no_such_module")
