redis.call('SET', place .. 'denied:' .. ARGV[2], ARGV[3], 'PX', text(math.max(tonumber(ARGV[3]) - now, 1)))
