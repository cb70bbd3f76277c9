"""How a download can fail, told apart, each with what to do next."""

from __future__ import annotations

from studio.core.errors import StudioError

_AGAIN = "What was fetched so far is kept. Try again later."


class DownloadError(StudioError):
    """A download did not come to its end. ``again``: trying again soon may help; ``wait_s``: not before so long."""

    title = "The download did not work"
    code = "download"

    def __init__(self, message: str, *, hint: str = "", again: bool = False, wait_s: float = 0.0) -> None:
        super().__init__(message, hint=hint or (_AGAIN if again else ""))
        self.again = again
        self.wait_s = wait_s


class PausedError(DownloadError):
    """Somebody stopped the download; what was fetched is kept."""

    title = "The download is paused"
    code = "download_paused"


class NoRoomError(DownloadError):
    """The disk has not enough room. ``needed`` and ``free`` in bytes."""

    title = "Not enough room on the disk"
    code = "download_room"

    def __init__(self, message: str, *, needed: int, free: int, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.needed = needed
        self.free = free


class QuarantinedError(DownloadError):
    """The file came to its end and is not the one that was promised; it was set aside."""

    title = "The downloaded file is not the right one"
    code = "download_quarantined"
