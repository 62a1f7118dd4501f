-- Ends the turn of an agent.
-- KEYS[1] turns, zset: agentId, or agentId:threadId in a thread -> end of the lease, ms  [2] states, hash: member -> turn
-- ARGV[1] now, ms; empty: the time of Redis  [2] the member
-- Output: {now, 1 if its lease was running, else 0}
local turns, states, now, member = KEYS[1], KEYS[2], tonumber(ARGV[1]), ARGV[2]
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local before = redis.call('ZSCORE', turns, member)
redis.call('ZREM', turns, member)
redis.call('HDEL', states, member)
return { now, before and tonumber(before) > now and 1 or 0 }
