"""The keys of every answer, in the order that the reference pages' examples show them."""

THUMBNAIL = ["id", "f", "size"]
FILE = ["id", "type", "name", "size", "human_readable_size", "f"]
IMAGE = [*FILE, "width", "height", "mode", "thumbnails"]
MEDIA_EXTRAS = ["alt", "mime_type", "sha256", "created_at", "updated_at"]
MEDIA_IMAGE = [
    *IMAGE,
    "dominant_color",
    "placeholder",
    *MEDIA_EXTRAS,
    "focal_x",
    "focal_y",
    "is_animated",
]
EMPLOYER = ["id", "name", "image_data", "description"]
TAG = ["id", "name", "image_data"]
SLUGGED_EMPLOYER = [*EMPLOYER, "slug"]  # at its own endpoint
SLUGGED_TAG = [*TAG, "slug"]
LINK = ["id", "name", "url", "image_data", "description"]
META = ["id", "key", "value_text", "value_file"]
PAGE = ["count", "next", "previous", "results"]
PORTFOLIO_ROW = [
    "id",
    "title",
    "slug",
    "excerpt",
    "order",
    "image_data",
    "employer_data",
    "tags_data",
    "links_data",
    "is_active",
    "completed_at",
    "created_at",
    "updated_at",
]
PORTFOLIO = [*PORTFOLIO_ROW, "description", "images_data", "meta"]
