--[[
  Blocks an agent for a time, or ends a block. The counted requests stay.

  KEYS[1]    ratelimit:{action}:{agentId}: string, the count at the last decision; if it is absent the window is empty
  KEYS[2]    ratelimit:{action}:{agentId}:window: hash, see count.lua; blocked → end of the block, ms

  ARGV[1]    how long, ms; 0 ends a block
  ARGV[2]    windowMs and a slice
  ARGV[3]    now, ms; empty: the time of Redis

  Output:    1
]]
local counterKey, windowKey = KEYS[1], KEYS[2]
local forMs, windowMs, now = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
if redis.call('EXISTS', counterKey) == 0 then
  redis.call('DEL', windowKey)
  if forMs == 0 then return 1 end
  redis.call('SET', counterKey, 0)
end
if forMs == 0 then redis.call('HDEL', windowKey, 'blocked')
else redis.call('HSET', windowKey, 'blocked', string.format('%.0f', now + forMs)) end
-- Requests may have been counted just now. Neither key may expire before they have left the window.
local lifeMs = math.max(windowMs, forMs)
redis.call('PEXPIRE', counterKey, lifeMs)
redis.call('PEXPIRE', windowKey, lifeMs)
return 1
