-- Counts one more, one less or none. The window starts with the first.
DROP FUNCTION tokenkeep.hit(bigint, text, bigint);
CREATE FUNCTION tokenkeep.hit(
    given bigint, its_key text, by bigint, window_ms bigint, OUT total bigint, OUT resets_in bigint
) LANGUAGE plpgsql AS $$
DECLARE
    now_ms bigint := tokenkeep.clock(given);
BEGIN
    IF by > 0 THEN
        INSERT INTO tokenkeep.hits AS h VALUES (its_key, by, now_ms + window_ms)
        ON CONFLICT (key) DO UPDATE SET
            count = CASE WHEN h.expires_at > now_ms THEN h.count + by ELSE by END,
            expires_at = CASE WHEN h.expires_at > now_ms THEN h.expires_at ELSE now_ms + window_ms END
        RETURNING h.count, h.expires_at - now_ms INTO total, resets_in;
    ELSE
        UPDATE tokenkeep.hits h SET count = GREATEST(h.count + by, 0)
        WHERE h.key = its_key AND h.expires_at > now_ms
        RETURNING h.count, h.expires_at - now_ms INTO total, resets_in;
        total := COALESCE(total, 0);
        resets_in := COALESCE(resets_in, 0);
    END IF;
END $$;
