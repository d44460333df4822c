import folio.api.texts
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('media', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='media',
            name='sha256',
            field=folio.api.texts.CodePointCharField(blank=True, default='', help_text="Of the file's bytes, in hexadecimal digits.", max_length=64, verbose_name='SHA-256'),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='media',
            name='dominant_color',
            field=folio.api.texts.CodePointCharField(blank=True, default='', help_text='`#rrggbb`: what most of an image has.', max_length=7),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='media',
            name='placeholder',
            field=folio.api.texts.CodePointCharField(blank=True, default='', help_text='A tiny image as a data URI, shown while the image itself loads.', max_length=500),
            preserve_default=False,
        ),
        migrations.AddIndex(
            model_name='media',
            index=models.Index(fields=['sha256'], name='media_sha256'),
        ),
    ]
