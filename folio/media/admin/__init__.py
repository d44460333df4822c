from .library import MediaAdmin
from .pictures import heading, picture, thumbnail_url, thumbnail_urls

__all__ = ["MediaAdmin", "heading", "picture", "thumbnail_url", "thumbnail_urls"]
