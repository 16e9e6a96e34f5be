"""Schemas that half of all WSDLs import from addresses on the open internet: served from here instead.

Only what zeep needs to read messages: the attributes and types that other schemas refer to.
"""

XML_ATTRIBUTES = """<xs:schema targetNamespace="http://www.w3.org/XML/1998/namespace"
    xmlns:xs="http://www.w3.org/2001/XMLSchema" xml:lang="en">
  <xs:attribute name="lang" type="xs:string"/>
  <xs:attribute name="space" type="xs:string"/>
  <xs:attribute name="base" type="xs:anyURI"/>
  <xs:attribute name="id" type="xs:ID"/>
  <xs:attributeGroup name="specialAttrs">
    <xs:attribute ref="xml:base"/><xs:attribute ref="xml:lang"/>
    <xs:attribute ref="xml:space"/><xs:attribute ref="xml:id"/>
  </xs:attributeGroup>
</xs:schema>"""

_SIMPLE = (
    "anyURI",
    "base64Binary",
    "boolean",
    "byte",
    "date",
    "dateTime",
    "decimal",
    "double",
    "duration",
    "float",
    "hexBinary",
    "int",
    "integer",
    "long",
    "positiveInteger",
    "QName",
    "short",
    "string",
    "time",
    "token",
    "unsignedByte",
    "unsignedInt",
    "unsignedLong",
    "unsignedShort",
)

SOAP_ENCODING = (
    """<xs:schema targetNamespace="http://schemas.xmlsoap.org/soap/encoding/"
    xmlns:tns="http://schemas.xmlsoap.org/soap/encoding/" xmlns:xs="http://www.w3.org/2001/XMLSchema">
  <xs:attribute name="arrayType" type="xs:string"/>
  <xs:attribute name="offset" type="xs:string"/>
  <xs:attribute name="position" type="xs:string"/>
  <xs:attribute name="root" type="xs:boolean"/>
  <xs:attributeGroup name="commonAttributes">
    <xs:attribute name="id" type="xs:ID"/><xs:attribute name="href" type="xs:anyURI"/>
    <xs:anyAttribute namespace="##other" processContents="lax"/>
  </xs:attributeGroup>
  <xs:attributeGroup name="arrayAttributes">
    <xs:attribute ref="tns:arrayType"/><xs:attribute ref="tns:offset"/>
  </xs:attributeGroup>
  <xs:group name="Array"><xs:sequence>
    <xs:any namespace="##any" minOccurs="0" maxOccurs="unbounded" processContents="lax"/>
  </xs:sequence></xs:group>
  <xs:complexType name="Array">
    <xs:group ref="tns:Array" minOccurs="0"/>
    <xs:attributeGroup ref="tns:arrayAttributes"/><xs:attributeGroup ref="tns:commonAttributes"/>
  </xs:complexType>
"""
    + "".join(
        f'<xs:element name="{name}" type="tns:{name}"/><xs:complexType name="{name}"><xs:simpleContent>'
        f'<xs:extension base="xs:{name}"><xs:attributeGroup ref="tns:commonAttributes"/></xs:extension>'
        "</xs:simpleContent></xs:complexType>"
        for name in _SIMPLE
    )
    + "</xs:schema>"
)

WELL_KNOWN_SCHEMAS = {
    "http://www.w3.org/2001/xml.xsd": XML_ATTRIBUTES,
    "https://www.w3.org/2001/xml.xsd": XML_ATTRIBUTES,
    "http://www.w3.org/XML/1998/namespace": XML_ATTRIBUTES,
    "http://schemas.xmlsoap.org/soap/encoding/": SOAP_ENCODING,
    "https://schemas.xmlsoap.org/soap/encoding/": SOAP_ENCODING,
}
