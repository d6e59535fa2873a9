"""What was measured, and by what: targets, exposure, response, counts."""
