-- Starts or refreshes the typing of an agent. Drops the agents whose last start is older than ttlMs.
-- KEYS[1] typing, zset: agentId, or agentId:threadId in a thread -> its last start, ms
-- ARGV[1] now, ms; empty: the time of Redis  [2] ttlMs  [3] the member
-- Output: 1 if it was not typing before, 0 for a refresh
local typing, now, ttl, member = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
redis.call('ZREMRANGEBYSCORE', typing, '-inf', now - ttl)
local started = redis.call('ZADD', typing, now, member)
redis.call('PEXPIRE', typing, ttl)
return started
