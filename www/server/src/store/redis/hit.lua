-- KEYS[1] is the count. Its window ends by our clock; the time to live only serves to remove it.
local by, window = tonumber(ARGV[2]), tonumber(ARGV[3])
local ends = tonumber(redis.call('HGET', place, 'ends') or 0)
local count = math.max(by, 0)
if ends > now then
    count = math.max(redis.call('HINCRBY', place, 'count', by), 0)
elseif count == 0 then
    ends = now
else
    ends = now + window
    write(place, ends, 'count', '1', 'ends', text(ends))
end
return { text(count), text(ends - now) }
