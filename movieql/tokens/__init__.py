"""Tokens: whom to believe, the keys of outside issuers, and the built-in login."""
