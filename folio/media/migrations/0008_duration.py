from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("media", "0007_transparency")]

    operations = [
        migrations.AddField(
            model_name="media",
            name="duration",
            field=models.FloatField(
                editable=False, help_text="Of a film or a sound: the seconds that it plays.", null=True
            ),
        ),
    ]
