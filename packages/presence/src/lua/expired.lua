-- Lists the leases of one channel that have expired or soon will. Writes nothing.
-- KEYS[1..2] as in leases.lua
-- ARGV[1..5] as in leases.lua  [6] aheadMs: those that end within this time too  [7] limit
-- Output: {now, end of the channel's first lease (0: it has none), {member, ...} the earliest first}
local first = redis.call('ZRANGE', roster, 0, 0, 'WITHSCORES')
local members = redis.call('ZRANGEBYSCORE', roster, '-inf', now + ARGV[6], 'LIMIT', 0, ARGV[7])
return { now, tonumber(first[2] or 0), members }
