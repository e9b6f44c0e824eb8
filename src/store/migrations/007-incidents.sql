-- What people are told of: one row a cause. '' = not narrowed to one platform, environment, app.
-- until_ms 0 while it is open.
CREATE TABLE incidents (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    kind            TEXT NOT NULL CHECK (kind IN ('outage', 'failover', 'drill', 'blind', 'status')),
    platform        TEXT NOT NULL,
    environment     TEXT NOT NULL,
    app             TEXT NOT NULL,
    title           TEXT NOT NULL,
    from_ms         INTEGER NOT NULL,
    until_ms        INTEGER NOT NULL,
    noticed_ms      INTEGER NOT NULL,
    acknowledged_ms INTEGER NOT NULL -- 0 = not
) STRICT;
CREATE INDEX incidents_from ON incidents (from_ms);

-- An outage is in one incident.
CREATE TABLE incident_outages (
    outage   INTEGER PRIMARY KEY,
    incident INTEGER NOT NULL
) STRICT;
CREATE INDEX incident_outages_incident ON incident_outages (incident);

-- The timeline. A key that is not '' is written once an incident.
CREATE TABLE incident_events (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    incident INTEGER NOT NULL,
    at_ms    INTEGER NOT NULL,
    kind     TEXT NOT NULL,
    text     TEXT NOT NULL,
    evidence TEXT NOT NULL, -- JSON; '' = none
    key      TEXT NOT NULL
) STRICT;
CREATE INDEX incident_events_incident ON incident_events (incident, at_ms);
CREATE UNIQUE INDEX incident_events_key ON incident_events (key, incident) WHERE key <> '';
