-- Precedes every script. KEYS[1] is the prefix of all keys of one place: by it a cluster finds the machine,
-- and every other key that a script builds begins with it. ARGV[1] is the time, or '' for Redis's own.
local place = KEYS[1]
local now = tonumber(ARGV[1])
if not now then
    local time = redis.call('TIME')
    now = time[1] * 1000 + math.floor(time[2] / 1000)
end

local function text(number)
    return string.format('%.0f', number)
end

-- Everything that is written gets a time to live, so that Redis removes it by itself. Redis refuses a time of
-- 0.
local function write(key, ends, ...)
    redis.call('HSET', key, ...)
    redis.call('PEXPIRE', key, text(math.max(ends - now, 1)))
end

local function sum(of, user, client)
    local total = 0
    local marks = redis.call('MGET', place .. 'mark:' .. of, place .. 'mark:' .. of .. ':user:' .. user,
        place .. 'mark:' .. of .. ':client:' .. client)
    for _, count in ipairs(marks) do
        total = total + (tonumber(count) or 0)
    end
    return total
end

-- A living family, by its id: its user, client, refresh marks' sum, details and last use.
local function family(id)
    local found = redis.call('HMGET', place .. 'family:' .. id, 'user', 'client', 'revision', 'expires_at', 'ended',
        'details', 'used_at')
    if not found[1] or found[5] or tonumber(found[4]) <= now then return nil end
    return { found[1], found[2], found[3], found[6] or '', found[7] or '0' }
end

-- Returns whether it was alive.
local function finish(id)
    if not family(id) then return '0' end
    redis.call('HSET', place .. 'family:' .. id, 'ended', '1')
    return '1'
end

-- A family outlives all of its tokens: an access token is good only while the family exists.
local function extend(id, ends)
    local key = place .. 'family:' .. id
    ends = math.max(ends, tonumber(redis.call('HGET', key, 'expires_at') or 0))
    write(key, ends, 'expires_at', text(ends))
end

local function grant(id, user, client, details, roles, jti, opaque, ttl)
    local ends = math.ceil((now + ttl) / 1000) * 1000
    local revision = text(sum('access', user, client))
    if opaque ~= '' then
        write(place .. 'access:' .. opaque, ends, 'family', id, 'roles', roles, 'jti', jti,
            'revision', revision, 'issued_at', text(now), 'expires_at', text(ends))
    end
    extend(id, ends)
    return { id, user, client, details, roles, jti, revision, text(now), text(ends) }
end

local function revoked(id, user, client, jti, revision)
    local denied = redis.call('GET', place .. 'denied:' .. jti)
    local good = family(id) and not (denied and tonumber(denied) > now)
        and sum('access', user, client) == tonumber(revision)
    return good and '0' or '1'
end
