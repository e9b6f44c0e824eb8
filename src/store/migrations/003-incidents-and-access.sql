-- until_ms is 0 while an incident is open: one a series and kind.
CREATE TABLE incidents (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    series          INTEGER NOT NULL,
    kind            TEXT NOT NULL CHECK (kind IN ('down', 'blind')),
    from_ms         INTEGER NOT NULL,
    until_ms        INTEGER NOT NULL,
    noticed_ms      INTEGER NOT NULL,
    acknowledged_ms INTEGER NOT NULL,
    reason          TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX incidents_open ON incidents (series, kind) WHERE until_ms = 0;
CREATE INDEX incidents_from ON incidents (from_ms);

-- digest is the SHA-256 of the token; the token itself is kept nowhere.
CREATE TABLE access_tokens (
    name       TEXT PRIMARY KEY,
    scope      TEXT NOT NULL CHECK (scope IN ('read', 'operate')),
    digest     BLOB NOT NULL,
    created_ms INTEGER NOT NULL,
    used_ms    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
