"""Groups of parts, each made from settings; `app.py` puts them together."""
