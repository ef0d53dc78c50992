-- {} forgotten, {''} unknown, or the password's hash and the roles.
local user = redis.call('HMGET', place .. 'user:' .. ARGV[2], 'password_hash', 'roles')
if user[1] then return { user[1], user[2] or '' } end
if redis.call('EXISTS', place .. 'seeded') == 1 then return { '' } end
return {}
