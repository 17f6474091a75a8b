"""Kafka's ACLs: why somebody may or may not do a thing, templates, CSV."""
