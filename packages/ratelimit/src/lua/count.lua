--[[
  Counts requests in a sliding window that is cut into slices, and decides about one more call.
  All requests of a slice leave the window when the youngest of them is windowMs old.

  KEYS[1]    ratelimit:{action}:{agentId}: string, the count at the last decision; if it is absent the window is empty
  KEYS[2]    ratelimit:{action}:{agentId}:window: hash, time of a slice's youngest request, ms → requests in the slice;
             blocked → end of a block, ms; oldest, newest → the first and the last of those times

  ARGV[1]    windowMs
  ARGV[2]    sliceMs
  ARGV[3]    the most requests in a window; empty: the requests were decided elsewhere and all count
  ARGV[4]    now, ms; empty: the time of Redis
  ARGV[5..]  pairs: age in ms, number of requests; with a limit only 0 and the cost; none: only read

  Output:    {1 allowed or 0 refused, requests in the window, ms until the same call is allowed (if it was allowed: until
             requests leave), the slices as "leavesInMs count …" if ARGV[3] is empty, ms until a block ends}
]]
local counterKey, windowKey = KEYS[1], KEYS[2]
local windowMs, sliceMs, limit, now = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end

local counted = tonumber(redis.call('GET', counterKey) or '')
local started = counted ~= nil
local cost = limit and tonumber(ARGV[6]) or 1
if limit and started and #ARGV > 4 and counted + cost <= limit then
  -- If no slice has left the window and the newest one still runs, the stored count is right. Other slices are not read.
  local times = redis.call('HMGET', windowKey, 'oldest', 'newest', 'blocked')
  local oldest, newest = tonumber(times[1] or ''), tonumber(times[2] or '')
  local isSame = newest and newest <= now and math.floor(newest / sliceMs) == math.floor(now / sliceMs)
  if oldest and isSame and oldest + windowMs > now and not times[3] then
    local requests = redis.call('HINCRBY', windowKey, times[2], cost)
    if newest < now then
      local field = string.format('%.0f', now)
      if oldest == newest then oldest = now end
      redis.call('HDEL', windowKey, times[2])
      redis.call('HSET', windowKey, field, requests, 'newest', field, 'oldest', string.format('%.0f', oldest))
    end
    redis.call('SET', counterKey, counted + cost, 'PX', windowMs)
    redis.call('PEXPIRE', windowKey, windowMs)
    return { 1, counted + cost, oldest + windowMs - now, '', 0 }
  end
end

local stored = started and redis.call('HGETALL', windowKey) or {}
local slices, gone, count, blockedMs, resetMs = {}, {}, 0, 0, 0
for i = 1, #stored, 2 do
  local field, value = stored[i], tonumber(stored[i + 1]) or 0
  local at = tonumber(field)
  local leavesIn = (at or 0) + windowMs - now
  -- A slice whose end is beyond this limit was counted before the clock was set back, or by an older version. It is
  -- removed.
  if at and leavesIn > 0 and leavesIn <= 2 * windowMs + sliceMs then
    slices[#slices + 1] = { leavesIn, value, at, field }
    count = count + value
  elseif field == 'blocked' and value > now and value <= now + 86400000 then blockedMs = value - now
  elseif field ~= 'oldest' and field ~= 'newest' then gone[#gone + 1] = field end
end

local allowed = not limit or (blockedMs == 0 and count + cost <= limit)
local excess = limit and count + cost - limit or 1

if #ARGV > 4 then
  local changed = {}
  for i = 5, allowed and #ARGV or 0, 2 do
    local at, requests = now - tonumber(ARGV[i]), tonumber(ARGV[i + 1])
    local number, slice = math.floor(at / sliceMs), nil
    for j = #slices, 1, -1 do
      if math.floor(slices[j][3] / sliceMs) == number then slice = slices[j] break end
    end
    if not slice then
      slice = { at + windowMs - now, 0, at }
      slices[#slices + 1] = slice
    elseif at > slice[3] then
      gone[#gone + 1], slice[4], slice[3], slice[1] = slice[4], nil, at, at + windowMs - now
    end
    slice[2], count = slice[2] + requests, count + requests
    changed[slice] = true
  end
  if not started then redis.call('DEL', windowKey) end
  if #gone > 0 then redis.call('HDEL', windowKey, unpack(gone)) end
  for slice in pairs(changed) do redis.call('HSET', windowKey, slice[4] or string.format('%.0f', slice[3]), slice[2]) end
  local oldest, newest = math.huge, 0
  for _, slice in ipairs(slices) do oldest, newest = math.min(oldest, slice[3]), math.max(newest, slice[3]) end
  if newest > 0 then
    redis.call('HSET', windowKey, 'oldest', string.format('%.0f', oldest), 'newest', string.format('%.0f', newest))
  end
  local lifeMs = math.max(windowMs, blockedMs)
  redis.call('SET', counterKey, count, 'PX', lifeMs)
  redis.call('PEXPIRE', windowKey, lifeMs)
end

local packed = {}
if limit and allowed then
  for _, slice in ipairs(slices) do
    if resetMs == 0 or slice[1] < resetMs then resetMs = slice[1] end
  end
else
  table.sort(slices, function(a, b) return a[1] < b[1] end)
  local left = 0
  for _, slice in ipairs(slices) do
    if left < math.max(excess, 1) then resetMs = slice[1] end
    left = left + slice[2]
    if not limit then packed[#packed + 1] = slice[1] .. ' ' .. slice[2] end
  end
end
if limit then resetMs = math.max(resetMs, blockedMs) end
return { allowed and 1 or 0, count, resetMs, table.concat(packed, ' '), blockedMs }
