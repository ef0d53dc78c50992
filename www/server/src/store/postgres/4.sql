-- The first use of what may be used once.
CREATE TABLE tokenkeep.first_uses (what text PRIMARY KEY, use_id text NOT NULL, expires_at bigint NOT NULL);
CREATE INDEX ON tokenkeep.first_uses (expires_at);

CREATE FUNCTION tokenkeep.first_use(given bigint, used text, its_use text, kept bigint) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    now_ms bigint := tokenkeep.clock(given);
BEGIN
    -- What is still remembered stays as it is; two at once wait for each other at its row.
    INSERT INTO tokenkeep.first_uses AS f VALUES (used, its_use, now_ms + kept)
    ON CONFLICT (what) DO UPDATE SET use_id = excluded.use_id, expires_at = excluded.expires_at
    WHERE f.expires_at <= now_ms;
    RETURN EXISTS (SELECT 1 FROM tokenkeep.first_uses f WHERE f.what = used AND f.use_id = its_use);
END $$;

-- One instance at a time: two that clear away the same would wait for each other.
CREATE OR REPLACE FUNCTION tokenkeep.purge(given bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    now_ms bigint := tokenkeep.clock(given);
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtext('tokenkeep.purge')) THEN
        RETURN;
    END IF;
    DELETE FROM tokenkeep.refresh_tokens WHERE expires_at <= now_ms;
    DELETE FROM tokenkeep.access_tokens WHERE expires_at <= now_ms;
    DELETE FROM tokenkeep.families WHERE expires_at <= now_ms;
    DELETE FROM tokenkeep.denied WHERE expires_at <= now_ms;
    DELETE FROM tokenkeep.hits WHERE expires_at <= now_ms;
    DELETE FROM tokenkeep.first_uses WHERE expires_at <= now_ms;
END $$;
