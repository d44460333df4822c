from .library import MediaAdmin
from .pictures import heading, shown_url, thumbnail_url, thumbnail_urls

__all__ = ["MediaAdmin", "heading", "shown_url", "thumbnail_url", "thumbnail_urls"]
