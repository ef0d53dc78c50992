-- {} if the store lost its memory, {''} if the account is unknown, or its password hash, roles and second
-- factor.
local user = redis.call('HMGET', place .. 'user:' .. ARGV[2], 'password_hash', 'roles', 'second_factor')
if user[1] then return { user[1], user[2] or '', user[3] or '' } end
if redis.call('EXISTS', place .. 'seeded') == 1 then return { '' } end
return {}
