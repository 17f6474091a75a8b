"""What is wrong now, what was, and how it moves."""
