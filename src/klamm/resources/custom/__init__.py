"""Strimzi's custom resources, typed: one set of Structs for the API versions v1beta2 (0.38.0) and v1 (1.2.0).

A file per kind, and files for the pieces that kinds share. A field that only one version has says so in its
`About(only=…)`; an object read through either version decodes into the same Struct. What is required or
forbidden beyond the types is written beside the field and checked by `resources.reading`.
Import from the file that holds a kind; the table of all kinds is `resources.kinds`.
"""
