from movieql.domain.movies import ContentRevision


def test_the_number_changes_exactly_when_the_content_does() -> None:
    revision = ContentRevision()
    seen = [revision.number, revision.number]
    revision.advance()
    seen.append(revision.number)
    revision.advance()
    seen.append(revision.number)
    assert seen[0] == seen[1]
    assert len(set(seen)) == 3
