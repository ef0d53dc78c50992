-- Several signing keys, in one text; second factors; what was so at the login.
DROP TABLE tokenkeep.signing_key;
CREATE TABLE tokenkeep.keyring (id int PRIMARY KEY CHECK (id = 1), text text NOT NULL);
ALTER TABLE tokenkeep.users ADD COLUMN second_factor text NOT NULL DEFAULT '';
ALTER TABLE tokenkeep.families ADD COLUMN details text NOT NULL DEFAULT '';
ALTER TABLE tokenkeep.families ADD COLUMN opened_at bigint NOT NULL DEFAULT 0;
CREATE INDEX ON tokenkeep.families (user_name);
CREATE INDEX ON tokenkeep.refresh_tokens (family);

-- Puts a text in the place of another, if that is what is there; answers what is there then.
CREATE FUNCTION tokenkeep.replace_keyring(old text, new text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    found text;
BEGIN
    IF old IS NULL THEN
        INSERT INTO tokenkeep.keyring VALUES (1, new) ON CONFLICT DO NOTHING;
    ELSE
        UPDATE tokenkeep.keyring k SET text = new WHERE k.text = old;
    END IF;
    SELECT k.text INTO found FROM tokenkeep.keyring k;
    RETURN found;
END $$;

DROP FUNCTION tokenkeep.open_family(bigint, text, text, text, text, bigint, text, text, bigint);
CREATE FUNCTION tokenkeep.open_family(
    given bigint, family_id text, owner text, owner_client text, refresh text, refresh_ttl bigint,
    new_jti text, opaque text, access_ttl bigint, its_details text
) RETURNS SETOF tokenkeep.granted LANGUAGE plpgsql AS $$
DECLARE
    now_ms bigint := tokenkeep.clock(given);
    owner_roles text;
BEGIN
    SELECT roles INTO owner_roles FROM tokenkeep.users WHERE name = owner;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    INSERT INTO tokenkeep.families (id, user_name, client, revision, expires_at, details, opened_at)
    VALUES (family_id, owner, owner_client, tokenkeep.sum('refresh', owner, owner_client),
            now_ms + refresh_ttl, its_details, now_ms);
    INSERT INTO tokenkeep.refresh_tokens (digest, family, expires_at)
    VALUES (refresh, family_id, now_ms + refresh_ttl);
    RETURN NEXT tokenkeep.grant_access(
        now_ms, family_id, owner, owner_client, owner_roles, new_jti, opaque, access_ttl);
END $$;
