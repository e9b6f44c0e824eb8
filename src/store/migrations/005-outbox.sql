-- What people are to be told, and what became of it.

-- One row a message that was begun. sender_*: the process that sends it, as for leases.
-- uid: the id under which the receiver sees it, the same at every attempt.
CREATE TABLE alert_messages (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    alert          TEXT NOT NULL,
    uid            TEXT NOT NULL,
    kind           TEXT NOT NULL CHECK (kind IN ('single', 'folded', 'quiet')),
    event          TEXT NOT NULL, -- '' for one of several
    environment    TEXT NOT NULL,
    state          TEXT NOT NULL CHECK (state IN ('waiting', 'sending', 'sent', 'failed', 'unknown')),
    repeatable     INTEGER NOT NULL, -- the receiver knows a repeated one by its uid
    attempts       INTEGER NOT NULL,
    made_ms        INTEGER NOT NULL,
    next_ms        INTEGER NOT NULL, -- while waiting: not before
    ended_ms       INTEGER NOT NULL, -- 0 = not yet
    answer         TEXT NOT NULL,
    sender_machine TEXT NOT NULL,
    sender_pid     INTEGER NOT NULL,
    sender_started INTEGER NOT NULL
) STRICT;
CREATE INDEX alert_messages_alert ON alert_messages (alert, state);

-- One row a matter and alert, for ever: the key is what keeps anybody from being told twice. message
-- is 0 until the matter is in one; held = it came in quiet hours and goes into their summary.
CREATE TABLE alert_matters (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    alert       TEXT NOT NULL,
    key         TEXT NOT NULL,
    event       TEXT NOT NULL,
    environment TEXT NOT NULL,
    incident    INTEGER NOT NULL,
    title       TEXT NOT NULL,
    text        TEXT NOT NULL,
    link        TEXT NOT NULL,
    at_ms       INTEGER NOT NULL,
    held        INTEGER NOT NULL,
    message     INTEGER NOT NULL,
    UNIQUE (alert, key)
) STRICT;
CREATE INDEX alert_matters_message ON alert_matters (alert, message);
