"""Kafka's records: where reading begins and ends, filters, merging, what is shown."""
