--[[
  Counts requests in a sliding window that is cut into slices, and decides about one more request.
  A slice counts until the youngest request that it can hold is windowMs old.

  KEYS[1]    ratelimit:{action}:{agentId}: string, the count at the last decision; if it is absent the window is empty
  KEYS[2]    ratelimit:{action}:{agentId}:window: hash, number of the slice → requests counted in it

  ARGV[1]    windowMs
  ARGV[2]    sliceMs
  ARGV[3]    the most requests in a window; empty: the requests were decided elsewhere and all count
  ARGV[4]    now, ms; empty: the time of Redis
  ARGV[5..]  pairs: age in ms, number of requests; with a limit only 0, 1; none: read and write nothing

  Output:    {1 allowed or 0 refused, requests in the window, ms until another one is allowed,
             the slices as "leavesInMs count …" if ARGV[3] is empty}
]]
local counterKey, windowKey = KEYS[1], KEYS[2]
local windowMs, sliceMs, limit, now = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local lifeMs = (math.floor(now / sliceMs) + 1) * sliceMs + windowMs - now

local started = redis.call('EXISTS', counterKey) == 1
local stored = started and redis.call('HGETALL', windowKey) or {}
local slices, gone, count = {}, {}, 0
for i = 1, #stored, 2 do
  local leavesIn = ((tonumber(stored[i]) or 0) + 1) * sliceMs + windowMs - now
  -- A slice that leaves later was counted before the clock was set back, or with another sliceMs.
  if leavesIn > 0 and leavesIn <= 2 * windowMs + sliceMs then
    local requests = tonumber(stored[i + 1]) or 0
    slices[#slices + 1] = { leavesIn, requests }
    count = count + requests
  else gone[#gone + 1] = stored[i] end
end

local allowed = not limit or count < limit

if #ARGV > 4 then
  if not started then redis.call('DEL', windowKey) end
  if #gone > 0 then redis.call('HDEL', windowKey, unpack(gone)) end
  for i = 5, allowed and #ARGV or 0, 2 do
    local slice, requests = math.floor((now - tonumber(ARGV[i])) / sliceMs), tonumber(ARGV[i + 1])
    redis.call('HINCRBY', windowKey, string.format('%.0f', slice), requests)
    slices[#slices + 1] = { (slice + 1) * sliceMs + windowMs - now, requests }
    count = count + requests
  end
  redis.call('SET', counterKey, count, 'PX', lifeMs)
  redis.call('PEXPIRE', windowKey, lifeMs)
end

table.sort(slices, function(a, b) return a[1] < b[1] end)
local excess, left, resetMs, packed = limit and count - limit + 1 or 1, 0, 0, {}
for _, slice in ipairs(slices) do
  if left < math.max(excess, 1) then resetMs = slice[1] end
  left = left + slice[2]
  if not limit then packed[#packed + 1] = slice[1] .. ' ' .. slice[2] end
end
return { allowed and 1 or 0, count, resetMs, table.concat(packed, ' ') }
