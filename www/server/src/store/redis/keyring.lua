-- KEYS[1] is the name of the key ring. With arguments: the text to replace ('' for none), and the new text.
-- Returns the text that is current afterwards, or ''.
local there = redis.call('GET', place)
if ARGV[3] and (not there or there == ARGV[2]) then
    redis.call('SET', place, ARGV[3])
    return ARGV[3]
end
return there or ''
