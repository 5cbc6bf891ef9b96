"""The development stack: simulated shops that fail on request."""
