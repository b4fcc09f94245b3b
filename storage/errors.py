"""What can go wrong in storage, by what a caller can do about it."""


class StorageError(Exception):
    """The database could not do it."""


class Conflict(StorageError):
    """A constraint of the database refused the change."""


class Unavailable(StorageError):
    """The database did not take the change now (locked, full, broken): try again later."""


class NotFound(StorageError):
    """There is no such row."""


class AlreadyRunning(StorageError):
    """Another daemon holds this database."""


class Unusable(StorageError):
    """The file is not a database this version can open."""
