-- KEYS[1] may be used once. Notes its first use, which is forgotten by our clock, as a window in hit.lua
-- ends.
local _, use, kept = unpack(ARGV)
local found = redis.call('HMGET', place, 'use', 'ends')
if found[1] and tonumber(found[2]) > now then return found[1] end
local ends = now + tonumber(kept)
write(place, ends, 'use', use, 'ends', text(ends))
return use
