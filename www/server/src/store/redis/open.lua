-- Opens a family. Returns {} if the user is gone, otherwise the grant.
local _, id, user, client, refresh, refresh_ttl, jti, opaque, access_ttl, details = unpack(ARGV)
local roles = redis.call('HGET', place .. 'user:' .. user, 'roles')
if not roles then return {} end
local ends = now + tonumber(refresh_ttl)
write(place .. 'family:' .. id, ends, 'user', user, 'client', client,
    'revision', text(sum('refresh', user, client)), 'expires_at', text(ends), 'details', details, 'used_at', text(now))
local list = place .. 'families:' .. user
redis.call('SADD', list, id)
redis.call('PEXPIRE', list, text(math.max(ends - now, redis.call('PTTL', list))))
write(place .. 'refresh:' .. refresh, ends, 'family', id, 'expires_at', text(ends))
return grant(id, user, client, details, roles, jti, opaque, tonumber(access_ttl))
