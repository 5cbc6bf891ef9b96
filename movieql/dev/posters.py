"""Posters drawn on the spot, because the real ones are on hosts a laptop may not reach."""

import html
import textwrap
from hashlib import sha256

WIDTH_PX, HEIGHT_PX = 300, 450
"""Size of the drawing; the captured posters are 300 px wide, and film posters are 2:3."""

LINE_CHARS_MAX = 15
"""What fits on a line of 300 px at this type size."""

LINES_MAX = 6
"""More lines would run into the year."""


def draw(title: str, year: str) -> str:
    """Draw a poster as SVG text, 300 by 450 px: the same title and year give the same picture.

    Both are untrusted: they are escaped, and characters XML cannot hold are left out.
    """
    digest = sha256(f"{title}\n{year}".encode(errors="replace")).digest()
    hue, turn, x, y, radius = (
        digest[0] * 360 // 256,
        40 + digest[1] % 80,
        digest[2] % WIDTH_PX,
        260 + digest[3] % 70,
        60 + digest[4] % 50,
    )
    sky = f"sky-{digest.hex()[:8]}"  # posters may be put side by side into one page
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH_PX} {HEIGHT_PX}" \
width="{WIDTH_PX}" height="{HEIGHT_PX}" role="img" aria-label="{_safe(title)}">
<defs><linearGradient id="{sky}" x1="0" y1="0" x2="0" y2="1">
<stop offset="0" stop-color="hsl({hue},55%,22%)"/>
<stop offset="1" stop-color="hsl({(hue + turn) % 360},60%,38%)"/>
</linearGradient></defs>
<rect width="{WIDTH_PX}" height="{HEIGHT_PX}" fill="url(#{sky})"/>
<circle cx="{x}" cy="{y}" r="{radius}" fill="hsl({(hue + 180) % 360},75%,62%)" opacity=".6"/>
<path d="M0 {y + 80} Q75 {y + 10} 150 {y + 60} T300 {y + 40} V450 H0 Z" \
fill="hsl({hue},50%,14%)" opacity=".7"/>
<g fill="#fff" font-family="Georgia,serif" text-anchor="middle">
{_lines(title)}
<text x="150" y="420" font-size="20" opacity=".85">{_safe(year)}</text>
</g>
</svg>
"""


def _lines(title: str) -> str:
    lines = textwrap.wrap(title, LINE_CHARS_MAX, max_lines=LINES_MAX, placeholder="…")
    return "\n".join(
        f'<text x="150" y="{70 + 38 * number}" font-size="30">{_safe(line)}</text>'
        for number, line in enumerate(lines)
    )


def _safe(text: str) -> str:
    return html.escape("".join(char for char in text if char.isprintable()))
