"""What is stored of a message: everything but its secrets, byte for byte."""

import pytest

from integrations.secrets import redact_body, redact_headers, redact_url

WSSE = (
    '<s:Envelope><s:Header><wsse:Security s:mustUnderstand="1"><wsse:UsernameToken wsu:Id="u">'
    '<wsse:Username>desk</wsse:Username><wsse:Password Type="#PasswordDigest">{0}</wsse:Password>'
    "<wsse:Nonce>{0}</wsse:Nonce></wsse:UsernameToken><wsse:BinarySecurityToken>{0}</wsse:BinarySecurityToken>"
    "</wsse:Security></s:Header><s:Body><a> b &amp; c </a></s:Body></s:Envelope>"
)


@pytest.mark.parametrize(
    ("template", "content_type"),
    [
        ('{{"number": 1,  "Password" :"{0}", "text": "a\\u00e9\\n" }}', "application/json"),
        ('{{"a": [{{"b": {{"api_key": "{0}"}}}}], "token": 0}}'.replace('"token": 0', '"x": 1.50'), ""),
        ('{{"login": "desk", "secret": "{0}", "truncated": "tex', "application/json"),
        ('{{"fields": [{{"name": "password", "value": "{0}"}}, {{"name": "a", "value": "b"}}]}}', "application/json"),
        ('{{"fields": [{{"value": "{0}", "name": "apiKey"}}]}}', "application/json"),
        ('{{"link": "https://desk.example/x?id=1&tokenv2={0}&b=2"}}', "application/json"),
        ('["authPW={0}", "id=7"]', "text/plain"),
        (WSSE, "text/xml"),
        ("<a><password>{0}</password><b attr='x'>1</b></a>", "text/xml"),
        ("<a><password>{0}</password><b>cut o", "text/xml"),
        ("<a>it's <b x=\"broken ><apiKey>{0}</apiKey><c/></a>", "text/html"),
        ('<login user="desk" password="{0}" x=">"/>', "application/xml"),
        ('<property name="password" value="{0}"/>', "text/xml"),
        ('<property name="client_secret">{0}</property>', "text/xml"),
        ("<v><string>authPW={0}</string><string>id=7</string></v>", "text/xml"),
        ("<v><![CDATA[<password>{0}</password>]]></v>", "text/xml"),
        ("user=desk&password={0}&x=a%20b", "application/x-www-form-urlencoded"),
        ("user=desk&rcntrl={0}", "text/plain"),
        ("Dear desk,\nPassword: {0}\nregards", "text/plain"),
        ('{{"headers": "Authorization: Bearer {0}"}}', "application/json"),
    ],
)  # fmt: skip
def test_a_secret_is_removed_and_the_rest_stays_as_it_was(template: str, content_type: str) -> None:
    redacted = redact_body(template.format("hunter2-secret"), content_type)
    assert redacted in (
        template.format("[removed]"),
        template.format("[removed]").replace("'[removed]'", '"[removed]"'),
    )


@pytest.mark.parametrize(
    "text",
    [
        '{"key": "DESK-12", "password_required": true, "token": null, "secret": "", "author": "Ann"}',
        "<a key='DESK-12' xmlns:token='urn:x'><passwordless/><b>1 &lt; 2</b></a>",
        "id=7&key%5F=2&author=ann",
        "Plain words about tickets; a=b, x == y, https://desk.example/a?b=c",
        "",
        "42",
    ],
)
def test_what_holds_no_secret_is_not_touched(text: str) -> None:
    assert redact_body(text.replace("key%5F=2&", ""), "") == text.replace("key%5F=2&", "")


def test_nested_secrets_of_any_form_go_whole() -> None:
    text = '{"credentials": {"user": "u", "list": ["}", {"x": "]"}]}, "after": 1, "pin_token": 1234}'
    assert (
        redact_body(text, "application/json") == '{"credentials": "[removed]", "after": 1, "pin_token": "[removed]"}'
    )
    text = "<a><secret><b>x</b><secret>y</secret>z</secret><after/></a>"
    assert redact_body(text, "text/xml") == "<a><secret>[removed]</secret><after/></a>"


def test_documents_inside_documents_are_looked_into() -> None:
    assert "hunter2" not in redact_body('{"payload": "{\\"password\\": \\"hunter2\\"}"}')
    assert "hunter2" not in redact_body("<r>&lt;password&gt;hunter2&lt;/password&gt;</r>")
    assert "hunter2" not in redact_body(
        "data=%7B%22password%22%3A%22hunter2%22%7D", "application/x-www-form-urlencoded"
    )


def test_a_multipart_form_loses_its_secret_parts_only() -> None:
    body = (
        '--Xy\r\nContent-Disposition: form-data; name="token"\r\n\r\n{0}\r\n'
        '--Xy\r\nContent-Disposition: form-data; name="title"\r\n\r\nhello\r\n'
        '--Xy\r\nContent-Disposition: form-data; name="d"\r\nContent-Type: application/json\r\n\r\n'
        '{{"password": "{0}"}}\r\n--Xy--\r\n'
    )
    redacted = redact_body(body.format("hunter2"), 'multipart/form-data; boundary="Xy"')
    assert redacted == body.format("[removed]")


def test_the_systems_own_names_are_secret_too() -> None:
    assert redact_body('{"x-desk-pin": "1", "deskPin": "2"}', names=("Desk_Pin",)) == (
        '{"x-desk-pin": "1", "deskPin": "[removed]"}'
    )


def test_secret_headers_keep_their_scheme_only() -> None:
    headers = {
        "Authorization": "Basic dXNlcjpwYXNz",
        "X-Api-Key": "abc",
        "tokenv2": "abc",
        "Cookie": "a=b; c=d",
        "Location": "https://u:p@desk.example/?key=abc",
        "Content-Type": "text/xml",
    }
    assert redact_headers(headers) == {
        "Authorization": "Basic [removed]",
        "X-Api-Key": "[removed]",
        "tokenv2": "[removed]",
        "Cookie": "[removed]",
        "Location": "https://[removed]@desk.example/?key=[removed]",
        "Content-Type": "text/xml",
    }


def test_an_address_loses_user_information_and_secret_parameters() -> None:
    url = "https://me:pw@desk.example:8443/a?id=1&tokenv2=x&rcntrl=y&ccntrl=z&api_key=k&SessionID=s&b=%20#part"
    assert redact_url(url) == (
        "https://[removed]@desk.example:8443/a?id=1&tokenv2=[removed]&rcntrl=[removed]&ccntrl=[removed]"
        "&api_key=[removed]&SessionID=[removed]&b=%20#part"
    )
