-- The contents of an opaque access token: {} or the time, whether it was revoked, and the grant.
local record = redis.call('HMGET', place .. 'access:' .. ARGV[2], 'family', 'roles', 'jti', 'revision',
    'issued_at', 'expires_at')
local id, roles, jti, revision, issued, ends = unpack(record)
if not id or tonumber(ends) <= now then return {} end
local found = redis.call('HMGET', place .. 'family:' .. id, 'user', 'client', 'details')
if not found[1] then return {} end
return { text(now), revoked(id, found[1], found[2], jti, revision), id, found[1], found[2], found[3] or '', roles, jti,
    revision, issued, ends }
