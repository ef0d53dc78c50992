-- Several signing keys, in one text. The one of before dies, and the tokens that it signed.
DROP TABLE signing_key;
CREATE TABLE keyring (id INTEGER PRIMARY KEY CHECK (id = 1), text TEXT NOT NULL);
ALTER TABLE users ADD COLUMN second_factor TEXT NOT NULL DEFAULT '';
ALTER TABLE families ADD COLUMN details TEXT NOT NULL DEFAULT '';
ALTER TABLE families ADD COLUMN used_at INTEGER NOT NULL DEFAULT 0;
CREATE INDEX families_of_user ON families (user);
