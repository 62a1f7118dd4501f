-- Reads how long agents still count as typing. Writes nothing.
-- KEYS[1] typing, zset: agentId, or agentId:threadId in a thread -> its last start, ms
-- ARGV[1] now, ms; empty: the time of Redis  [2] ttlMs  [3..] members
-- Output: for each member its last start and the ms until it stops counting as typing; 0, 0 if it is not typing
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
