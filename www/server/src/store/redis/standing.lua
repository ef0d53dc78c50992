-- The time, and whether an access token was revoked.
local _, id, user, client, jti, revision = unpack(ARGV)
return { text(now), revoked(id, user, client, jti, revision) }
