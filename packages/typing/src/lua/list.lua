-- Lists the agents that are typing, the latest start last. Writes nothing.
-- KEYS[1] typing, zset: agentId -> its last start, ms
-- ARGV[1] now, ms; empty: the time of Redis  [2] ttlMs  [3] limit
-- Output: {agentId, ...}
local typing, now, ttl = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
return redis.call('ZRANGEBYSCORE', typing, '(' .. string.format('%.0f', now - ttl), '+inf', 'LIMIT', 0, ARGV[3])
