"""kafka-ui's configuration, from YAML and environment, as the console's settings."""
