"""The server as a function of AWS Lambda: `movieql lambda`."""
