"""Providers over HTTP, driven by configuration, and the guards around them."""
