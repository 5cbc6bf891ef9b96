"""The GraphQL that the commands send; `schema/` is not part of what is installed."""

_EXPORT = """
    id
    status
    progress {
      done
      total
      percent
    }
    rows
    bytes
    sha256
    gzip
    since
    until
    createdAt
    expiresAt
    downloadUrl
    error
    sources {
      providerId
      state
      lastObservedAt
      rows
    }
"""

REQUEST_EXPORT = f"""mutation RequestExport($input: RequestExportInput!) {{
  requestExport(input: $input) {{
    export {{{_EXPORT}}}
    errors {{
      __typename
      message
      ... on ExportsUnavailable {{
        retryable
      }}
    }}
  }}
}}
"""
"""Asks for an export; with the same key again it gives the same one."""

EXPORT = f"""query Export($id: ID!) {{
  export(id: $id) {{{_EXPORT}}}
}}
"""
"""An export as it is, with a link to its file once there is one."""

EXPORTS = """query Exports($first: Int!, $after: String) {
  exports(first: $first, after: $after) {
    nodes {
      id
      status
      since
      until
      rows
      bytes
      createdAt
      expiresAt
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
"""
"""The caller's own exports, the latest first."""
