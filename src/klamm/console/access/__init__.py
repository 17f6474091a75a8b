"""What who may do and see: kafka-ui's roles and masking rules, and the decisions."""
