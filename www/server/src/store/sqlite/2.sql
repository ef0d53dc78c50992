-- A used token leads to one successor. What opaque tokens say stands in columns: the ones before die.
ALTER TABLE refresh_tokens ADD COLUMN successor TEXT;
ALTER TABLE refresh_tokens ADD COLUMN sealed TEXT;
DROP TABLE IF EXISTS access_tokens;
CREATE TABLE access_tokens (
    digest TEXT PRIMARY KEY, family TEXT NOT NULL, jti TEXT NOT NULL, roles TEXT NOT NULL,
    revision INTEGER NOT NULL, issued_at INTEGER NOT NULL, expires_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE seeded (id INTEGER PRIMARY KEY CHECK (id = 1));
