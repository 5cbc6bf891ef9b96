"""The object store's port over plain files and over S3."""
