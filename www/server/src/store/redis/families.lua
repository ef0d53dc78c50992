-- The living families of a user: id, client, details and last use of each, as a flat list.
local user = ARGV[2]
local list = place .. 'families:' .. user
local answer = {}
for _, id in ipairs(redis.call('SMEMBERS', list)) do
    local found = family(id)
    if not found then
        redis.call('SREM', list, id)
    elseif tonumber(found[3]) == sum('refresh', user, found[2]) then
        for _, field in ipairs({ id, found[2], found[4], found[5] }) do
            answer[#answer + 1] = field
        end
    end
end
return answer
