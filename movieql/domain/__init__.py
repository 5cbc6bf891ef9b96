"""The rules of movieql, pure: no I/O, no asyncio, no third party."""
