-- KEYS[1] is the key ring's own name. With arguments: the text to replace ('' for none), and the new one.
-- Answers what is there then, or ''.
local there = redis.call('GET', place)
if ARGV[3] and (not there or there == ARGV[2]) then
    redis.call('SET', place, ARGV[3])
    return ARGV[3]
end
return there or ''
