"""What was meant by a name that isn't known: the names here that stand for it, told by meaning and not by letters."""

from collections.abc import Iterable

MAX_HINTS = 2
MAX_NAME = 100  # characters of an unknown name that are looked at

# What other APIs and people call a parameter, a field or a name to order by. The first ones that an address has are
# suggested, so the likelier stand first.
OTHER_WORDS = {
    "search": "q query s term keyword keywords find text",
    "ordering": "sort sort_by order_by order sorting order_direction",
    "offset": "page page_number skip start cursor after before",
    "limit": "page_size per_page take first count size max_results",
    "completed_at_from": "year date from since start_date date_from after completed completed_after completed_from",
    "completed_at_to": "year date to until end_date date_to before completed completed_before completed_to",
    "publish_at": "publish published_at published_on publish_on publish_date publish_time publish_from "
    "publishing_date publication_date pub_date schedule scheduled scheduled_at scheduled_for schedule_at go_live_at "
    "live_at live_from release_at released_at release_date embargo available_from visible_from valid_from starts_at "
    "start_at start_date date_published",
    "unpublish_at": "unpublish unpublished schedule unpublished_at unpublish_on unpublish_date publish_until "
    "publish_to expires expires_at expires_on expire_at expiry expiry_date expiration expiration_date ends_at end_at "
    "ended_at end_date live_until available_until available_to visible_until valid_until archive_at archived_at",
    "completed_at": "year date completed completed_on finished finished_at published_at",
    "created_from": "date from since start_date date_from uploaded created created_at created_after",
    "created_to": "date to until end_date date_to uploaded created created_at created_before",
    "created_at": "date created created_on uploaded uploaded_at",
    "updated_from": "updated updated_at updated_since updated_after modified modified_since changed_since",
    "updated_to": "updated updated_at updated_before modified modified_before",
    "updated_at": "updated updated_on modified modified_at changed",
    "employer_id": "employer client client_id customer customer_id company company_id",
    "employer": "employer_id employer_slug client client_id customer customer_id company company_id",
    "employer__name": "employer client customer company employer_name client_name",
    "tag_id": "tag category category_id keyword_id tags",
    "tags_in": "tags tag_ids tags_id categories",
    "tag": "tags tag_id tag_slug category category_slug keyword",
    "tags_any": "tags tags_in tag_ids categories",
    "slugs": "slug slug_in ids id_in",
    "exclude": "not except without exclude_slug",
    "fields": "field only select columns attributes",
    "tags": "tag tag_id tag_ids category categories keywords",
    "portfolio_id": "portfolio project project_id work work_id entry",
    "portfolio": "project project_id work work_id entry",
    "is_active": "active published is_published status draft is_draft public visible hidden is_public",
    "has_image": "image cover picture with_image",
    "image": "cover cover_id picture photo thumbnail image_id image_url",
    "images": "gallery pictures photos image_ids",
    "has_description": "description",
    "has_employer": "with_employer",
    "has_file": "file value_file",
    "value_file": "file file_id media media_id document attachment",
    "value_text": "value text content",
    "file": "upload document attachment image data media",
    "description": "body content text about details",
    "excerpt": "summary teaser intro abstract short_description subtitle",
    "title": "name heading headline label",
    "name": "title label heading",
    "key": "name label title",
    "alt": "alt_text caption description",
    "captions": "caption captions_data legend legends image_captions",
    "schedule": "publish_at unpublish_at scheduled scheduling publication publishing",
    "include": "expand embed with extra schedule",
    "type": "kind file_type mime_type media_type content_type",
    "has_url": "url link",
    "url": "link href website address",
    "links": "urls link",
    "id": "pk",
    "codes": "scopes scope permissions permission_codes",
    "expires_at": "expires expiry expires_in ttl valid_until",
}
MEANT = {name: frozenset(word.replace("_", "") for word in words.split()) for name, words in OTHER_WORDS.items()}
KNOWN_WORDS = frozenset().union(*MEANT.values())


def hints(unknown: str, names: Iterable[str]) -> list[str] | None:
    """Return those of the names that stand for an unknown one, however it is written: `perPage`, `per-page`, `tag[]`.

    None stands for a word of which nothing is known; an empty list for one whose meaning no name here has.
    """
    word = letters(unknown[:MAX_NAME])
    here = set(names)
    if same := [name for name in here if letters(name) == word]:
        return same
    if word not in KNOWN_WORDS:
        return None
    return [name for name, words in MEANT.items() if name in here and word in words][:MAX_HINTS]


def letters(name: str) -> str:
    """Return what is left of a name where capitals, underscores and other signs make no difference."""
    return "".join(letter for letter in name.lower() if letter.isalnum())
