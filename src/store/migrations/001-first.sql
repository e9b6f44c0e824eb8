-- What trine remembers, first form. Times are wall milliseconds since 1970 UTC unless a name says
-- otherwise. An unknown text is '', never NULL.

-- One row an environment, kept after release so that the token never goes back. Nobody holds the
-- lease when holder is ''. machine, pid and started tell whether the holder still lives;
-- expires_mono_ms is the expiry on the holder's monotonic clock, which only its machine can read.
CREATE TABLE leases (
    environment     TEXT PRIMARY KEY,
    token           INTEGER NOT NULL,
    holder          TEXT NOT NULL,
    machine         TEXT NOT NULL,
    pid             INTEGER NOT NULL,
    started         INTEGER NOT NULL,
    acquired_at     INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL,
    expires_mono_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE releases (
    environment  TEXT NOT NULL,
    number       INTEGER NOT NULL,
    commit_id    TEXT NOT NULL,
    message      TEXT NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('open', 'live', 'failed')),
    created_at   INTEGER NOT NULL,
    finished_at  INTEGER NOT NULL,
    committed_at INTEGER NOT NULL,
    PRIMARY KEY (environment, number)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX releases_open ON releases (environment) WHERE state = 'open';
CREATE INDEX releases_created ON releases (created_at);

-- newest marks the row of the highest release of each (environment, app, instance): with the partial
-- index, a status costs what it shows and not what was ever deployed.
CREATE TABLE deployments (
    environment TEXT NOT NULL,
    app         TEXT NOT NULL,
    instance    TEXT NOT NULL,
    release     INTEGER NOT NULL,
    newest      INTEGER NOT NULL,
    platform    TEXT NOT NULL,
    project     TEXT NOT NULL,
    state       TEXT NOT NULL CHECK (state IN
        ('pending', 'running', 'verifying', 'live', 'failed', 'superseded')),
    commit_id   TEXT NOT NULL,
    digest      TEXT NOT NULL,
    url         TEXT NOT NULL,
    remote_id   TEXT NOT NULL,
    progress    TEXT NOT NULL,
    error       TEXT NOT NULL,
    started_at  INTEGER NOT NULL,
    live_at     INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    PRIMARY KEY (environment, app, instance, release)
) STRICT;
CREATE UNIQUE INDEX deployments_newest ON deployments (environment, app, instance)
    WHERE newest = 1;
CREATE UNIQUE INDEX deployments_live ON deployments (environment, app, instance)
    WHERE state = 'live';
CREATE INDEX deployments_release ON deployments (environment, release, app, instance);

CREATE TABLE journal (
    id          INTEGER PRIMARY KEY,
    at          INTEGER NOT NULL,
    environment TEXT NOT NULL,
    app         TEXT NOT NULL,
    instance    TEXT NOT NULL,
    release     INTEGER NOT NULL,
    event       TEXT NOT NULL,
    detail      TEXT NOT NULL
) STRICT;
CREATE INDEX journal_release ON journal (environment, release);

CREATE TABLE cache (
    space   TEXT NOT NULL,
    key     TEXT NOT NULL,
    value   BLOB NOT NULL,
    used_at INTEGER NOT NULL,
    PRIMARY KEY (space, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX cache_used ON cache (space, used_at);

CREATE TABLE series (
    id          INTEGER PRIMARY KEY,
    environment TEXT NOT NULL,
    app         TEXT NOT NULL,
    instance    TEXT NOT NULL,
    check_name  TEXT NOT NULL,
    UNIQUE (environment, app, instance, check_name)
) STRICT;

-- outcome and class are the numbers of the enums in store.h; a phase that did not happen is -1.
CREATE TABLE samples (
    id            INTEGER PRIMARY KEY,
    series        INTEGER NOT NULL,
    at_ms         INTEGER NOT NULL,
    late_us       INTEGER NOT NULL,
    outcome       INTEGER NOT NULL,
    class         INTEGER NOT NULL,
    status        INTEGER NOT NULL,
    lookup_us     INTEGER NOT NULL,
    connect_us    INTEGER NOT NULL,
    tls_us        INTEGER NOT NULL,
    first_byte_us INTEGER NOT NULL,
    total_us      INTEGER NOT NULL
) STRICT;
CREATE INDEX samples_series ON samples (series, at_ms);
CREATE INDEX samples_time ON samples (at_ms);
