-- KEYS[1] is the count itself. Its window ends by our clock, so that the time to live is for the clearing.
local window = tonumber(ARGV[2])
local ends = tonumber(redis.call('HGET', place, 'ends') or 0)
local count = 1
if ends > now then
    count = redis.call('HINCRBY', place, 'count', 1)
else
    ends = now + window
    write(place, ends, 'count', '1', 'ends', text(ends))
end
return { text(count), text(ends - now) }
