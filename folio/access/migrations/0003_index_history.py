from django.db import migrations


class Migration(migrations.Migration):
    """The history of a row is found at once, however much is recorded; Django's log indexes only what kind it is."""

    dependencies = [
        ("access", "0002_token_last_used_at"),
        ("admin", "0003_logentry_add_action_flag_choices"),
    ]

    operations = [
        migrations.RunSQL(
            "CREATE INDEX history_of_row ON django_admin_log (content_type_id, object_id)",
            "DROP INDEX history_of_row",
        )
    ]
