-- The first version. Times of day are the engine's, so that a simulation writes the same file each time:
-- where a row has timestamp_ms, its timestamp is computed from that when it is read and takes no room.

CREATE TABLE animations (
    animation_id TEXT PRIMARY KEY,
    definition_json TEXT NOT NULL,
    current_state_json TEXT,
    start_tick INTEGER,
    end_tick INTEGER,
    is_active BOOLEAN DEFAULT TRUE,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
);

-- What was decided: the audit trail.
CREATE TABLE timeline_events (
    event_id INTEGER PRIMARY KEY AUTOINCREMENT,
    tick INTEGER NOT NULL,
    event_type TEXT NOT NULL,
    coordination_id TEXT,
    animation_id TEXT,
    event_data_json TEXT,
    timestamp_ms INTEGER NOT NULL,
    timestamp TIMESTAMP AS (strftime('%Y-%m-%d %H:%M:%f', timestamp_ms / 1000.0, 'unixepoch'))
);
CREATE INDEX idx_timeline_events_tick ON timeline_events (tick);
CREATE INDEX idx_timeline_events_event_type ON timeline_events (event_type);
CREATE INDEX idx_timeline_events_coordination_id ON timeline_events (coordination_id);

CREATE TABLE coordination_plans (
    plan_id TEXT PRIMARY KEY,
    plan_definition_json TEXT NOT NULL,
    current_state TEXT NOT NULL,
    start_tick INTEGER,
    completion_tick INTEGER,
    is_active BOOLEAN DEFAULT TRUE,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE performance_metrics (
    metric_id INTEGER PRIMARY KEY AUTOINCREMENT,
    tick INTEGER NOT NULL,
    metric_type TEXT NOT NULL,
    metric_value REAL NOT NULL,
    metric_data_json TEXT,
    timestamp_ms INTEGER NOT NULL,
    timestamp TIMESTAMP AS (strftime('%Y-%m-%d %H:%M:%f', timestamp_ms / 1000.0, 'unixepoch'))
);
CREATE INDEX idx_performance_metrics_tick_type ON performance_metrics (tick, metric_type);

-- Samples of keys, and results of named values (source 'value'). A row without value and text says that
-- there is no value from here on.
CREATE TABLE data_history (
    data_id INTEGER PRIMARY KEY AUTOINCREMENT,
    data_key TEXT NOT NULL,
    data_value REAL,
    data_text TEXT,
    source TEXT NOT NULL,
    sequence INTEGER,
    tick INTEGER NOT NULL,
    timestamp_ms INTEGER NOT NULL,
    timestamp TIMESTAMP AS (strftime('%Y-%m-%d %H:%M:%f', timestamp_ms / 1000.0, 'unixepoch'))
);
CREATE INDEX idx_data_history_data_key_tick ON data_history (data_key, tick);
CREATE INDEX idx_data_history_data_key_timestamp_ms ON data_history (data_key, timestamp_ms);
