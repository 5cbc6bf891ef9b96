"""What axe, the checker of WCAG rules, finds on a page that a browser shows."""

from functools import cache

from playwright.sync_api import Page

from tests.servers import ROOT

AXE = ROOT / "client" / "node_modules" / "axe-core" / "axe.min.js"
"""axe itself, from the client's locked packages."""

_RUN = """
async () => {
  const { violations } = await axe.run(document, {
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
  });
  return violations.map(({ id, impact, nodes }) => ({
    id, impact, where: nodes.map(({ html }) => html.slice(0, 160)),
  }));
}
"""

SERIOUS = frozenset({"serious", "critical"})
"""What axe calls those that keep somebody from using a page."""


@cache
def _axe() -> str:
    return AXE.read_text(encoding="utf-8")


def serious_findings(page: Page) -> list[str]:
    """Return what keeps people from using the page as it is shown now, a line each."""
    page.evaluate(_axe())  # by the debugger, which the page's own policy does not bind
    return [
        f"{each['impact']} {each['id']}: {each['where']}"
        for each in page.evaluate(_RUN)
        if each["impact"] in SERIOUS
    ]
