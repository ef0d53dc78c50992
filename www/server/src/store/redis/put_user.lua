redis.call('HSET', place .. 'user:' .. ARGV[2], 'password_hash', ARGV[3], 'roles', ARGV[4], 'second_factor', ARGV[5])
