-- Who types, whoever typed last at the end. Writes nothing.
-- KEYS[1] typing zset: agentId -> when it last typed, ms
-- ARGV[1] now, ms ('' = TIME)  [2] ttlMs  [3] limit
-- Output: {agentId, ...}
local typing, now, ttl = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
return redis.call('ZRANGEBYSCORE', typing, '(' .. string.format('%.0f', now - ttl), '+inf', 'LIMIT', 0, ARGV[3])
