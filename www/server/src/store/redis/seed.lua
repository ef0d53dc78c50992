-- Adds the accounts of this place that are not there: name, hash and roles of each. Then notes that it did.
for index = 2, #ARGV, 3 do
    local key = place .. 'user:' .. ARGV[index]
    if redis.call('EXISTS', key) == 0 then
        redis.call('HSET', key, 'password_hash', ARGV[index + 1], 'roles', ARGV[index + 2])
    end
end
redis.call('SET', place .. 'seeded', '1')
