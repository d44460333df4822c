from .library import MediaAdmin
from .pictures import heading, thumbnail_url, thumbnail_urls

__all__ = ["MediaAdmin", "heading", "thumbnail_url", "thumbnail_urls"]
