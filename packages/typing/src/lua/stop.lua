-- An agent types no more.
-- KEYS[1] typing zset: agentId -> when it last typed, ms
-- ARGV[1] now, ms ('' = TIME)  [2] ttlMs  [3] agentId
-- Output: 1 if it was typing until now, else 0
local typing, now, ttl, agent = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local last = redis.call('ZSCORE', typing, agent)
redis.call('ZREM', typing, agent)
return last and tonumber(last) > now - ttl and 1 or 0
