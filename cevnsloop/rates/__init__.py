"""From cross sections to expected events."""
