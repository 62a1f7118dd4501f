-- Stops the typing of an agent.
-- KEYS[1] typing, zset: agentId, or agentId:threadId in a thread -> its last start, ms
-- ARGV[1] now, ms; empty: the time of Redis  [2] ttlMs  [3] the member
-- Output: 1 if it was typing, else 0
local typing, now, ttl, member = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local last = redis.call('ZSCORE', typing, member)
redis.call('ZREM', typing, member)
return last and tonumber(last) > now - ttl and 1 or 0
