"""The one error of the store."""


class ArtifactError(RuntimeError):
    """An artifact cannot be written, is incomplete, or does not match its checksums; the message names the remedy."""
