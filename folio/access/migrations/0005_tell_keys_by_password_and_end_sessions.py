from typing import Any

from django.db import migrations, models


def end_sessions(apps: Any, schema_editor: Any) -> None:
    apps.get_model("sessions", "Session").objects.all().delete()


def mark_keys_got_by_password(apps: Any, schema_editor: Any) -> None:
    """Mark what `POST /api/auth/token/` has made, which always names its keys so and lets them expire."""
    made = apps.get_model("access", "Token").objects.filter(name="sign-in", codes__isnull=True, form=None)
    made.exclude(expires_at=None).update(by_password=True)


class Migration(migrations.Migration):
    """Keys tell whether they were got by password.

    Sessions are stored under digests from now on. Those of before are ended: backups may hold their keys.
    """

    dependencies = [
        ("access", "0004_token_made_by_one_form"),
        ("sessions", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="token",
            name="by_password",
            field=models.BooleanField(default=False, editable=False),
        ),
        migrations.RunPython(mark_keys_got_by_password, migrations.RunPython.noop),
        migrations.RunPython(end_sessions, end_sessions),
    ]
