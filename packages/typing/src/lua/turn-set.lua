-- Sets the turn of an agent and begins its lease. Removes some turns whose lease has ended.
-- KEYS[1] turns, zset: agentId, or agentId:threadId in a thread -> end of the lease, ms  [2] states, hash: member -> turn
-- ARGV[1] now, ms; empty: the time of Redis  [2] leaseMs  [3] maxTurns  [4] the member  [5] the turn
-- Output: {end of the lease, 1 if the turn is new or differs from the one before, else 0}
local turns, states = KEYS[1], KEYS[2]
local now, lease, max, member, turn = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4], ARGV[5]
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local ended = redis.call('ZRANGEBYSCORE', turns, '-inf', now, 'LIMIT', 0, 100)
local before = redis.call('ZSCORE', turns, member)
-- Beyond the limit, a new turn removes those that end first, even while their lease runs.
local excess = redis.call('ZCARD', turns) - max
if #ended == 0 and not before and excess >= 0 then ended = redis.call('ZRANGE', turns, 0, excess) end
local isNew = not before or tonumber(before) <= now or redis.call('HMGET', states, member)[1] ~= turn
for _, gone in ipairs(ended) do
  redis.call('ZREM', turns, gone)
  redis.call('HDEL', states, gone)
end
redis.call('ZADD', turns, now + lease, member)
redis.call('HSET', states, member, turn)
redis.call('PEXPIRE', turns, lease)
redis.call('PEXPIRE', states, lease)
return { now + lease, isNew and 1 or 0 }
