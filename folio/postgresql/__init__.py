"""Django's backend for PostgreSQL, whose connections say what they are for."""
