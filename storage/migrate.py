"""Brings a database to the schema of this version, or says why it cannot."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from storage.errors import Unusable


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.attributes["connection"] = connection
    return config


def upgrade(connection: Connection) -> str:
    """Apply what is missing and return the revision; refuse a schema from the future."""
    scripts = ScriptDirectory.from_config(_config())
    known = {script.revision for script in scripts.walk_revisions()}
    found = MigrationContext.configure(connection).get_current_revision()
    if found is not None and found not in known:
        raise Unusable(
            f"the database has schema {found}, which a newer version of progrev made: "
            "install that version, or restore a backup"
        )
    command.upgrade(_config(connection), "head")
    return scripts.get_current_head() or ""
