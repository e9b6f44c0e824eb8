-- Samples in batches, and the cells that are made from them.

-- One row a flush, in the column encoding of batch.h. from_ms and until_ms are the first and the last
-- time in it. Numbers are never used again, so that the mark of history_state stays true when all
-- batches are dropped.
CREATE TABLE batches (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    from_ms  INTEGER NOT NULL,
    until_ms INTEGER NOT NULL,
    n        INTEGER NOT NULL,
    data     BLOB NOT NULL
) STRICT;
CREATE INDEX batches_time ON batches (from_ms, until_ms, n);

-- One row a cell of cell.h; id is its place in time and its series: (start / length) * 2^24 + series,
-- so that the cells of one time are side by side and new ones come at the end.
CREATE TABLE cells_ten_minutes (id INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;
CREATE TABLE cells_two_hours (id INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;
CREATE TABLE cells_day (id INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;

-- rolled: the last batch that is in the cells. damaged: batches and cells that made no sense when they
-- were to be rolled up. The others: since when each kind is complete; what was before has been dropped,
-- wholly or in part.
CREATE TABLE history_state (
    one               INTEGER PRIMARY KEY CHECK (one = 1),
    rolled            INTEGER NOT NULL,
    damaged           INTEGER NOT NULL,
    samples_since     INTEGER NOT NULL,
    ten_minutes_since INTEGER NOT NULL,
    two_hours_since   INTEGER NOT NULL,
    days_since        INTEGER NOT NULL
) STRICT;
INSERT INTO history_state VALUES (1, 0, 0, -72057594037927936, -72057594037927936,
    -72057594037927936, -72057594037927936);
