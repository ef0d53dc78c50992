-- Tables and functions of the store. Each call of the server's is one function, so it is one transaction
-- and one way there and back. Times are milliseconds since the epoch; the given ones are for tests.

CREATE TABLE tokenkeep.users (
    name text PRIMARY KEY, password_hash text NOT NULL, roles text NOT NULL
);
CREATE TABLE tokenkeep.seeded (id int PRIMARY KEY CHECK (id = 1));
CREATE TABLE tokenkeep.signing_key (id int PRIMARY KEY CHECK (id = 1), bytes bytea NOT NULL);
CREATE TABLE tokenkeep.families (
    id text PRIMARY KEY, user_name text NOT NULL, client text NOT NULL, revision bigint NOT NULL,
    expires_at bigint NOT NULL, ended boolean NOT NULL DEFAULT false
);
CREATE INDEX ON tokenkeep.families (expires_at);
CREATE TABLE tokenkeep.refresh_tokens (
    digest text PRIMARY KEY, family text NOT NULL, expires_at bigint NOT NULL,
    used_at bigint, successor text, sealed text
);
CREATE INDEX ON tokenkeep.refresh_tokens (expires_at);
CREATE TABLE tokenkeep.access_tokens (
    digest text PRIMARY KEY, family text NOT NULL, jti text NOT NULL, roles text NOT NULL,
    revision bigint NOT NULL, issued_at bigint NOT NULL, expires_at bigint NOT NULL
);
CREATE INDEX ON tokenkeep.access_tokens (expires_at);
CREATE TABLE tokenkeep.denied (id text PRIMARY KEY, expires_at bigint NOT NULL);
CREATE TABLE tokenkeep.marks (name text PRIMARY KEY, count bigint NOT NULL);
CREATE TABLE tokenkeep.hits (key text PRIMARY KEY, count bigint NOT NULL, expires_at bigint NOT NULL);

-- The wall clock at this moment, not at the transaction's begin: a lock may have been waited for since.
CREATE FUNCTION tokenkeep.clock(given bigint) RETURNS bigint LANGUAGE sql VOLATILE AS $$
    SELECT COALESCE(given, floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint)
$$;

CREATE FUNCTION tokenkeep.sum(kind text, user_name text, client text) RETURNS bigint LANGUAGE sql VOLATILE AS $$
    SELECT COALESCE(SUM(count), 0)::bigint FROM tokenkeep.marks
    WHERE name IN (kind, kind || ':user:' || user_name, kind || ':client:' || client)
$$;

-- Whether it lived.
CREATE FUNCTION tokenkeep.finish(given bigint, family_id text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    UPDATE tokenkeep.families SET ended = true
    WHERE id = family_id AND NOT ended AND expires_at > tokenkeep.clock(given);
    RETURN FOUND;
END $$;

CREATE TYPE tokenkeep.granted AS (
    family text, user_name text, client text, roles text, jti text,
    revision bigint, issued_at bigint, expires_at bigint
);

CREATE FUNCTION tokenkeep.grant_access(
    now_ms bigint, family_id text, owner text, owner_client text, owner_roles text,
    new_jti text, opaque text, ttl bigint
) RETURNS tokenkeep.granted LANGUAGE plpgsql AS $$
DECLARE
    ends bigint := (now_ms + ttl + 999) / 1000 * 1000;
    current bigint := tokenkeep.sum('access', owner, owner_client);
BEGIN
    IF opaque IS NOT NULL THEN
        INSERT INTO tokenkeep.access_tokens
        VALUES (opaque, family_id, new_jti, owner_roles, current, now_ms, ends);
    END IF;
    -- The family outlives all of its tokens: an access token is good only as long as it is there.
    UPDATE tokenkeep.families SET expires_at = GREATEST(expires_at, ends) WHERE id = family_id;
    RETURN (family_id, owner, owner_client, owner_roles, new_jti, current, now_ms, ends);
END $$;

CREATE FUNCTION tokenkeep.open_family(
    given bigint, family_id text, owner text, owner_client text, refresh text, refresh_ttl bigint,
    new_jti text, opaque text, access_ttl bigint
) RETURNS SETOF tokenkeep.granted LANGUAGE plpgsql AS $$
DECLARE
    now_ms bigint := tokenkeep.clock(given);
    owner_roles text;
BEGIN
    SELECT roles INTO owner_roles FROM tokenkeep.users WHERE name = owner;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    INSERT INTO tokenkeep.families (id, user_name, client, revision, expires_at)
    VALUES (family_id, owner, owner_client, tokenkeep.sum('refresh', owner, owner_client), now_ms + refresh_ttl);
    INSERT INTO tokenkeep.refresh_tokens (digest, family, expires_at)
    VALUES (refresh, family_id, now_ms + refresh_ttl);
    RETURN NEXT tokenkeep.grant_access(
        now_ms, family_id, owner, owner_client, owner_roles, new_jti, opaque, access_ttl);
END $$;

-- Exchanges of one family wait for each other at its row, then look at what stands there. `outcome` is
-- refused, reused or granted; what comes after the first two columns stands there if it was granted.
CREATE FUNCTION tokenkeep.exchange(
    given bigint, old text, new text, new_sealed text, refresh_ttl bigint, grace bigint,
    new_jti text, opaque text, access_ttl bigint,
    OUT outcome text, OUT now_ended boolean, OUT sealed text, OUT again boolean, OUT granted tokenkeep.granted
) LANGUAGE plpgsql AS $$
DECLARE
    family_id text;
    family tokenkeep.families;
    token tokenkeep.refresh_tokens;
    now_ms bigint;
    repeated boolean := false;
    owner_roles text;
BEGIN
    outcome := 'refused';
    now_ended := false;
    again := false;
    SELECT t.family INTO family_id FROM tokenkeep.refresh_tokens t WHERE t.digest = old;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    SELECT * INTO family FROM tokenkeep.families f WHERE f.id = family_id FOR UPDATE;
    now_ms := tokenkeep.clock(given);
    SELECT * INTO token FROM tokenkeep.refresh_tokens t WHERE t.digest = old AND t.expires_at > now_ms;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF token.used_at IS NOT NULL THEN
        repeated := token.successor = new AND EXISTS (
            SELECT 1 FROM tokenkeep.refresh_tokens t WHERE t.digest = new AND t.used_at IS NULL);
        -- A clock that was set back is no reason to honour a used token.
        again := NOT repeated AND now_ms >= token.used_at AND now_ms - token.used_at < grace;
        IF NOT repeated AND NOT again THEN
            outcome := 'reused';
            now_ended := tokenkeep.finish(given, family_id);
            RETURN;
        END IF;
    END IF;
    IF family.id IS NULL OR family.ended OR family.expires_at <= now_ms THEN
        RETURN;
    END IF;
    -- The account is read again, so that a change of roles or its removal takes effect now.
    SELECT roles INTO owner_roles FROM tokenkeep.users WHERE name = family.user_name;
    IF NOT FOUND OR tokenkeep.sum('refresh', family.user_name, family.client) <> family.revision THEN
        now_ended := tokenkeep.finish(given, family_id);
        RETURN;
    END IF;
    sealed := token.sealed;
    IF token.used_at IS NULL THEN
        sealed := new_sealed;
        UPDATE tokenkeep.refresh_tokens t SET used_at = now_ms, successor = new, sealed = new_sealed
        WHERE t.digest = old;
        INSERT INTO tokenkeep.refresh_tokens (digest, family, expires_at)
        VALUES (new, family_id, now_ms + refresh_ttl);
        UPDATE tokenkeep.families f SET expires_at = GREATEST(f.expires_at, now_ms + refresh_ttl)
        WHERE f.id = family_id;
    END IF;
    granted := tokenkeep.grant_access(
        now_ms, family_id, family.user_name, family.client, owner_roles, new_jti, opaque, access_ttl);
    outcome := 'granted';
END $$;

CREATE FUNCTION tokenkeep.standing(
    given bigint, family_id text, owner text, owner_client text, its_jti text, its_revision bigint,
    OUT now_ms bigint, OUT revoked boolean
) LANGUAGE plpgsql AS $$
BEGIN
    now_ms := tokenkeep.clock(given);
    revoked := NOT EXISTS (
            SELECT 1 FROM tokenkeep.families f WHERE f.id = family_id AND NOT f.ended AND f.expires_at > now_ms)
        OR EXISTS (SELECT 1 FROM tokenkeep.denied d WHERE d.id = its_jti AND d.expires_at > now_ms)
        OR tokenkeep.sum('access', owner, owner_client) <> its_revision;
END $$;

-- The window starts with the first.
CREATE FUNCTION tokenkeep.hit(given bigint, its_key text, window_ms bigint, OUT total bigint, OUT resets_in bigint)
LANGUAGE plpgsql AS $$
DECLARE
    now_ms bigint := tokenkeep.clock(given);
BEGIN
    INSERT INTO tokenkeep.hits AS h VALUES (its_key, 1, now_ms + window_ms)
    ON CONFLICT (key) DO UPDATE SET
        count = CASE WHEN h.expires_at > now_ms THEN h.count + 1 ELSE 1 END,
        expires_at = CASE WHEN h.expires_at > now_ms THEN h.expires_at ELSE now_ms + window_ms END
    RETURNING h.count, h.expires_at - now_ms INTO total, resets_in;
END $$;

-- One instance at a time: two that clear away the same would wait for each other.
CREATE FUNCTION tokenkeep.purge(given bigint) RETURNS void LANGUAGE plpgsql AS $$
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
END $$;
