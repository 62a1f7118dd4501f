--[[
  Counts requests in a sliding window that is cut into slices, and decides about one more call.
  All requests of a slice leave the window when the youngest of them is windowMs old.

  KEYS[1]    ratelimit:{action}:{agentId}: string, the count at the last decision; if it is absent the window is empty
  KEYS[2]    ratelimit:{action}:{agentId}:window: hash, newest → time of the newest slice's youngest request, ms;
             requests → the requests in that slice; for each other slice its time → its requests; oldest → the time of
             the oldest slice; blocked → end of a block, ms, or 0

  ARGV[1]    windowMs
  ARGV[2]    sliceMs
  ARGV[3]    the most requests in a window; empty: the requests were decided elsewhere and all count
  ARGV[4]    now, ms; empty: the time of Redis
  ARGV[5..]  with a limit the cost, otherwise pairs: age in ms, number of requests; none: only read

  Output:    {1 allowed or 0 refused, requests in the window, ms until the same call is allowed (if it was allowed: until
             requests leave), the slices as "leavesInMs count …" if ARGV[3] is empty, ms until a block ends}; without the
             last two if both are empty
]]
local counterKey, windowKey = KEYS[1], KEYS[2]
local windowMs, sliceMs, limit, now = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end

local counted = tonumber(redis.call('GET', counterKey))
local cost = limit and tonumber(ARGV[5]) or 1
if limit and counted and ARGV[5] and counted + cost <= limit then
  -- If no slice has left the window and the newest one still runs, the stored count is right, and the other slices are
  -- not read. The TTLs stay, because the first decision of a slice sets them for the whole slice.
  local head = redis.call('HMGET', windowKey, 'oldest', 'newest', 'requests', 'blocked')
  local oldest, newest, requests = tonumber(head[1]), tonumber(head[2]), tonumber(head[3])
  local isSame = newest and newest <= now and math.floor(newest / sliceMs) == math.floor(now / sliceMs)
  if isSame and requests and oldest and oldest + windowMs > now and head[4] == '0' then
    if oldest == newest then oldest = now end
    redis.call('HSET', windowKey, 'oldest', oldest, 'newest', now, 'requests', requests + cost)
    redis.call('SET', counterKey, counted + cost, 'KEEPTTL')
    return { 1, counted + cost, oldest + windowMs - now }
  end
end

local stored = counted and redis.call('HGETALL', windowKey) or {}
local head, slices, gone, count, blockedMs, resetMs = {}, {}, {}, 0, 0, 0
local function addStored(at, requests, field)
  local leavesIn = at + windowMs - now
  -- A slice that leaves later was counted before the clock was set back, or by an older version.
  if leavesIn > 0 and leavesIn <= 2 * windowMs + sliceMs then
    slices[#slices + 1] = { leavesIn, requests, at, field }
    count = count + requests
  else gone[#gone + 1] = field end
end
for i = 1, #stored, 2 do
  local field, value = stored[i], tonumber(stored[i + 1]) or 0
  if tonumber(field) then addStored(tonumber(field), value, field) else head[field] = value end
end
if head.newest and head.requests then addStored(head.newest, head.requests) end
if head.blocked and head.blocked > now and head.blocked <= now + 86400000 then blockedMs = head.blocked - now end

local allowed = not limit or (blockedMs == 0 and count + cost <= limit)
local excess = limit and count + cost - limit or 1

if ARGV[5] then
  local changed = {}
  local function add(at, requests)
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
  if limit and allowed then add(now, cost) end
  for i = 5, limit and 0 or #ARGV, 2 do add(now - tonumber(ARGV[i]), tonumber(ARGV[i + 1])) end

  local oldest, newest = slices[1], slices[1]
  for _, slice in ipairs(slices) do
    if slice[3] < oldest[3] then oldest = slice end
    if slice[3] > newest[3] then newest = slice end
  end
  if newest then gone[#gone + 1] = newest[4]
  else gone[#gone + 1], gone[#gone + 2], gone[#gone + 3] = 'oldest', 'newest', 'requests' end
  if not counted then redis.call('DEL', windowKey)
  elseif #gone > 0 then redis.call('HDEL', windowKey, unpack(gone)) end
  local blocked = blockedMs == 0 and 0 or now + blockedMs
  if not newest then redis.call('HSET', windowKey, 'blocked', blocked)
  else redis.call('HSET', windowKey, 'blocked', blocked, 'oldest', oldest[3], 'newest', newest[3], 'requests', newest[2]) end
  for _, slice in ipairs(slices) do
    if slice ~= newest and (changed[slice] or not slice[4]) then redis.call('HSET', windowKey, slice[3], slice[2]) end
  end
  local lifeMs = math.max(windowMs + sliceMs, blockedMs)
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
