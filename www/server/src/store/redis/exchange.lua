-- Exchanges a refresh token for its successor, all in one step. Returns {'refused' or 'reused', whether the
-- family ended now}, or {'granted', the sealed successor, whether the token was used before, the grant...}.
local _, old, new, new_sealed, refresh_ttl, grace, jti, opaque, access_ttl = unpack(ARGV)
local key = place .. 'refresh:' .. old
local token = redis.call('HMGET', key, 'family', 'expires_at', 'used_at', 'successor', 'sealed')
local id, sealed = token[1], token[5]
if not id or tonumber(token[2]) <= now then return { 'refused', '0' } end

local again = false
if token[3] then
    local repeated = token[4] == new and redis.call('EXISTS', place .. 'refresh:' .. new) == 1
        and not redis.call('HGET', place .. 'refresh:' .. new, 'used_at')
    -- A clock that was set back is no reason to accept a used token.
    local since = now - tonumber(token[3])
    again = not repeated and since >= 0 and since < tonumber(grace)
    if not repeated and not again then return { 'reused', finish(id) } end
end

local found = family(id)
if not found then return { 'refused', '0' } end
local user, client = found[1], found[2]
-- The account is read again, so that a change of roles or its removal takes effect now.
local roles = redis.call('HGET', place .. 'user:' .. user, 'roles')
if not roles or sum('refresh', user, client) ~= tonumber(found[3]) then return { 'refused', finish(id) } end

if not token[3] then
    local ends = now + tonumber(refresh_ttl)
    sealed = new_sealed
    redis.call('HSET', key, 'used_at', text(now), 'successor', new, 'sealed', sealed)
    write(place .. 'refresh:' .. new, ends, 'family', id, 'expires_at', text(ends))
    extend(id, ends)
    redis.call('HSET', place .. 'family:' .. id, 'used_at', text(now))
end
return { 'granted', sealed, again and '1' or '0',
    unpack(grant(id, user, client, found[4], roles, jti, opaque, tonumber(access_ttl))) }
