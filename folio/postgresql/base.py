"""Django's backend for PostgreSQL: connections are pooled, named, have ends of their waits, and tell their server."""

from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS
from django.db.backends.postgresql import base
from django.db.backends.postgresql.psycopg_any import IsolationLevel
from django.db.utils import InterfaceError, OperationalError

from folio.outages import OutcomeUnknown, RefusingWrapper

from . import servers
from .pools import Pool, pools
from .timeouts import bounded, driver

APPLICATION_NAME = "folio"  # by which an operator knows our connections in pg_stat_activity


class DatabaseWrapper(RefusingWrapper, base.DatabaseWrapper):
    Database = driver

    def get_connection_params(self) -> dict[str, Any]:
        return bounded({"application_name": APPLICATION_NAME, **super().get_connection_params()})

    def connect(self) -> None:
        try:
            super().connect()
        except Exception:
            self.drop()
            raise

    def drop(self) -> None:
        """Let go a connection that was made and found unfit; Django would use it."""
        connection, self.connection = self.connection, None
        if connection is not None:
            pool = getattr(connection, "_pool", None)
            connection.close()
            if pool is not None:  # in which its place is free again
                pool.putconn(connection)

    def _configure_connection(self, connection: Any) -> bool:
        is_changed: bool = super()._configure_connection(connection)  # type: ignore[misc]
        if self.alias == DEFAULT_DB_ALIAS:
            with self.wrap_database_errors:
                servers.meet(connection, settings.LOOK_SECONDS)
        return is_changed

    def _commit(self) -> None:
        try:
            super()._commit()  # type: ignore[misc]
        except (OperationalError, InterfaceError) as error:
            if self.connection is not None and self.connection.closed:
                raise OutcomeUnknown(*error.args) from error.__cause__
            raise

    @property
    def pool(self) -> Pool | None:
        """Django asks for it before it would ask a kept connection whether it still is one."""
        return pools.of(self)

    def close_pool(self) -> None:
        pools.drain(self.alias)

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        if self.pool is None:
            return super().get_new_connection(conn_params)
        connection = pools.take(self)
        self.isolation_level = IsolationLevel.READ_COMMITTED
        if (level := self.settings_dict["OPTIONS"].get("isolation_level")) is not None:
            self.isolation_level = connection.isolation_level = IsolationLevel(level)
        return connection

    def _close(self) -> None:
        """Give a connection back to the pool that it is of, which closes it where it was drained meanwhile."""
        if self.connection is None:
            return
        with self.wrap_database_errors:
            pool = getattr(self.connection, "_pool", None)
            if pool is None:
                self.connection.close()
            else:
                connection, self.connection = self.connection, None
                pool.putconn(connection)
