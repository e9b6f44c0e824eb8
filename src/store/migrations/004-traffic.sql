-- What was called an incident is one check's outage; an incident is what people are told of, one a
-- cause, with any number of outages in it.
ALTER TABLE incidents RENAME TO outages;
DROP INDEX incidents_open;
DROP INDEX incidents_from;
CREATE UNIQUE INDEX outages_open ON outages (series, kind) WHERE until_ms = 0;
CREATE INDEX outages_from ON outages (from_ms);

-- What a person ordered of a route; the newest order of a route and environment is in force until it
-- expires or is taken back. until_ms 0 = until it is taken back. environment ':dns' with kind 'accept':
-- what the DNS has now counts as last seen.
CREATE TABLE traffic_orders (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    route       TEXT NOT NULL,
    environment TEXT NOT NULL,
    kind        TEXT NOT NULL CHECK (kind IN ('weight', 'drain', 'up', 'down', 'accept')),
    weight      INTEGER NOT NULL,
    made_ms     INTEGER NOT NULL,
    until_ms    INTEGER NOT NULL,
    ended_ms    INTEGER NOT NULL, -- 0 while in force
    who         TEXT NOT NULL,
    why         TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX traffic_orders_open ON traffic_orders (route, environment) WHERE ended_ms = 0;

-- Every row of the failover table that was gone through, with the evidence; append-only. The three
-- times are microseconds of the wall clock: when the evidence was there, when it was decided, when the
-- proxy had taken it (0 = nothing was to be done there).
CREATE TABLE traffic_changes (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    route       TEXT NOT NULL,
    environment TEXT NOT NULL,
    from_state  TEXT NOT NULL,
    event       TEXT NOT NULL,
    to_state    TEXT NOT NULL,
    action      TEXT NOT NULL,
    reason      TEXT NOT NULL,
    evidence    TEXT NOT NULL, -- JSON
    seen_us     INTEGER NOT NULL,
    decided_us  INTEGER NOT NULL,
    applied_us  INTEGER NOT NULL
) STRICT;
CREATE INDEX traffic_changes_route ON traffic_changes (route, decided_us);

-- Where each environment of a route stood, so that the next process goes on from there. JSON of
-- traffic/failover.h's state.
CREATE TABLE traffic_states (
    route       TEXT PRIMARY KEY,
    state       TEXT NOT NULL,
    updated_ms  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- One row a drill; -1 = did not happen. until_ms 0 while it runs.
CREATE TABLE drills (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    route       TEXT NOT NULL,
    environment TEXT NOT NULL,
    fault       TEXT NOT NULL,
    outcome     TEXT NOT NULL CHECK (outcome IN ('running', 'passed', 'failed', 'interrupted')),
    from_ms     INTEGER NOT NULL,
    until_ms    INTEGER NOT NULL,
    fault_ms    INTEGER NOT NULL, -- how long the fault lasted
    sent        INTEGER NOT NULL,
    lost        INTEGER NOT NULL,
    slow        INTEGER NOT NULL,
    detect_ms   INTEGER NOT NULL,
    decide_ms   INTEGER NOT NULL,
    apply_ms    INTEGER NOT NULL,
    recover_ms  INTEGER NOT NULL,
    return_ms   INTEGER NOT NULL,
    bound_ms    INTEGER NOT NULL,
    standby_woken INTEGER NOT NULL, -- 1, 0, -1 = it was not asleep
    text        TEXT NOT NULL       -- why it failed, what was undone
) STRICT;
CREATE INDEX drills_from ON drills (from_ms);
