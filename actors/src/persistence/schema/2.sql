-- What scripts keep in `state`, by the file's name in the configuration.
CREATE TABLE script_states (
    file TEXT PRIMARY KEY,
    state_json TEXT NOT NULL,
    tick INTEGER NOT NULL,
    timestamp_ms INTEGER NOT NULL,
    timestamp TIMESTAMP AS (strftime('%Y-%m-%d %H:%M:%f', timestamp_ms / 1000.0, 'unixepoch'))
);
