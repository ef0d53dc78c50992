-- The first use of what may be used once.
CREATE TABLE first_uses (what TEXT PRIMARY KEY, use_id TEXT NOT NULL, expires_at INTEGER NOT NULL) WITHOUT ROWID;
-- There is one for each call with a DPoP proof: the clearing shall not read them all.
CREATE INDEX first_uses_by_end ON first_uses (expires_at);
