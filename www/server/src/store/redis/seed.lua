-- Adds the missing accounts of this place: name, hash, roles and second factor of each. An existing account
-- only has an unsealed second factor replaced by a sealed one. Then notes that this was done.
for index = 2, #ARGV, 4 do
    local key = place .. 'user:' .. ARGV[index]
    if redis.call('EXISTS', key) == 0 then
        redis.call('HSET', key, 'password_hash', ARGV[index + 1], 'roles', ARGV[index + 2],
            'second_factor', ARGV[index + 3])
    elseif string.sub(ARGV[index + 3], 1, 7) == 'sealed.'
        and string.sub(redis.call('HGET', key, 'second_factor') or '', 1, 6) == 'plain.' then
        redis.call('HSET', key, 'second_factor', ARGV[index + 3])
    end
end
redis.call('SET', place .. 'seeded', '1')
