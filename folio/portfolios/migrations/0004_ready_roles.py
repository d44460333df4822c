from django.db import migrations

NAMES = {  # of the models, as Django names the permissions for them
    "media.media": "media",
    "portfolios.portfolio": "portfolio",
    "portfolios.employer": "employer",
    "portfolios.tag": "tag",
    "portfolios.link": "link",
    "portfolios.metaentry": "meta",
}
ROLES = {
    "Editor": {model: ["add", "view", "change", "delete"] for model in NAMES},
    "Contributor": {
        "media.media": ["add", "view", "change"],
        "portfolios.portfolio": ["view", "draft"],
        "portfolios.employer": ["view"],
        "portfolios.tag": ["add", "view"],
    },
    "Viewer": {model: ["view"] for model in NAMES},
}


def make_roles(apps, schema_editor):
    """Make three groups, once: whoever has a group of that name keeps it, and one that is deleted stays away.

    Django makes the rows of permissions after all migrations, so those that are needed may have to be made here, as it
    would make them.
    """
    alias = schema_editor.connection.alias
    groups = apps.get_model("auth", "Group").objects.using(alias)
    permissions = apps.get_model("auth", "Permission").objects.using(alias)
    content_types = apps.get_model("contenttypes", "ContentType").objects.using(alias)
    for role, grants in ROLES.items():
        group, is_new = groups.get_or_create(name=role)
        if not is_new:
            continue
        for path, verbs in grants.items():
            app, model = path.split(".")
            content_type, _ = content_types.get_or_create(app_label=app, model=model)
            for verb in verbs:
                permission, _ = permissions.get_or_create(
                    content_type=content_type,
                    codename=f"{verb}_{model}",
                    defaults={"name": f"Can {verb} {NAMES[path]}"},
                )
                group.permissions.add(permission)


class Migration(migrations.Migration):
    dependencies = [
        ("portfolios", "0003_permission_to_draft"),
        ("media", "0002_sha256_dominant_color_placeholder"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(make_roles, migrations.RunPython.noop)]
