"""The merged movies: kept up to date by difference, and asked for pages."""
