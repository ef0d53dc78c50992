-- KEYS[1] is the key's own name.
redis.call('SET', place, ARGV[2], 'NX')
return redis.call('GET', place)
