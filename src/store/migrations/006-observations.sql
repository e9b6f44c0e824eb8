-- What agents elsewhere measured. One row a report, in the column encoding of batch.h.
CREATE TABLE observations (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    vantage  TEXT NOT NULL,
    from_ms  INTEGER NOT NULL,
    until_ms INTEGER NOT NULL,
    n        INTEGER NOT NULL,
    data     BLOB NOT NULL
) STRICT;
CREATE INDEX observations_time ON observations (vantage, from_ms, until_ms);
CREATE INDEX observations_until ON observations (until_ms);

-- The last report of each run of an agent that is stored: one that comes again is known by it.
CREATE TABLE observation_marks (
    vantage  TEXT NOT NULL,
    boot     TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    noted_ms INTEGER NOT NULL,
    PRIMARY KEY (vantage, boot)
) STRICT, WITHOUT ROWID;

-- A third scope: agent.
CREATE TABLE access_tokens_next (
    name       TEXT PRIMARY KEY,
    scope      TEXT NOT NULL CHECK (scope IN ('read', 'operate', 'agent')),
    digest     BLOB NOT NULL,
    created_ms INTEGER NOT NULL,
    used_ms    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO access_tokens_next SELECT name, scope, digest, created_ms, used_ms FROM access_tokens;
DROP TABLE access_tokens;
ALTER TABLE access_tokens_next RENAME TO access_tokens;
