-- The living family of a refresh token: {} or its id, user, client and details.
local token = redis.call('HMGET', place .. 'refresh:' .. ARGV[2], 'family', 'expires_at')
if not token[1] or tonumber(token[2]) <= now then return {} end
local found = family(token[1])
if not found then return {} end
return { token[1], found[1], found[2], found[4] }
