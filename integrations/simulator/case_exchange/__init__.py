"""Case Exchange, both ways: callers bring us their operations, and we bring the portal ours or list them for it.

An entity is the state of an incident with the operation that led to it: `properties.Id` is the receiver's number,
`ext_properties.ExternalId` the sender's. In a feed it is the other way about: there its owner writes its own number
as `Id`.
"""
