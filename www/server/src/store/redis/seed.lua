-- Adds the accounts of this place that are not there: name, hash, roles and second factor of each. One that is there
-- gets only a sealed second factor in the place of an unsealed one. Then notes that it did.
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
