"""The ground of the admin site that every app's `admin/` stands on."""
