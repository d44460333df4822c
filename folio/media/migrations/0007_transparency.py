from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("media", "0006_removed_files")]

    operations = [
        migrations.AddField(
            model_name="media",
            name="is_transparent",
            field=models.BooleanField(
                editable=False, help_text="Of an image: whether anything shines through it.", null=True
            ),
        ),
    ]
