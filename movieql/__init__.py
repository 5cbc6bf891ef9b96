"""movieql: the cheapest price of a movie from unreliable shops, as one GraphQL answer."""
