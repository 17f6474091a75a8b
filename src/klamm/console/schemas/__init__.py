"""A schema registry, and what two versions differ in."""
