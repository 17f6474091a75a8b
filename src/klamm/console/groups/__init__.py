"""Consumer groups' offsets: what a reset would do, and what it was before."""
