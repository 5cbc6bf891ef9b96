"""Tokens: verification, the keys of outside issuers, and the built-in login."""
