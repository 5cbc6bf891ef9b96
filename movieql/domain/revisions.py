"""The content revision: a number that says whether anything worth showing has changed."""


class ContentRevision:
    """Counts changes of membership, fields, prices or states (docs/architecture.md).

    A refresh that brings what was there already does not advance it, so whatever was computed
    from the content may be kept for as long as `number` stays.
    """

    def __init__(self) -> None:
        self.number = 0

    def advance(self) -> None:
        """Note that the content changed."""
        self.number += 1
