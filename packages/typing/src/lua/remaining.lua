-- For how long agents still count as typing. Writes nothing.
-- KEYS[1] typing zset: agentId -> when it last typed, ms
-- ARGV[1] now, ms ('' = TIME)  [2] ttlMs  [3..] agentIds
-- Output: per agent when it last typed, and the ms until it counts as stopped; 0, 0 if it does not type
local typing, now, ttl = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local remaining = {}
for i = 3, #ARGV do
  local last = tonumber(redis.call('ZSCORE', typing, ARGV[i]) or 0)
  local live = last + ttl > now
  remaining[#remaining + 1] = live and last or 0
  remaining[#remaining + 1] = live and last + ttl - now or 0
end
return remaining
