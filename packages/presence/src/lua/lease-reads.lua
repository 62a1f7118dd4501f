--[[
  Reads the leases of one channel. Writes nothing: a lease that has expired does not count, whether or not it was reaped.

  KEYS[1]    roster, zset: agentId:hubId:sessionId -> end of the lease, ms
  KEYS[2]    its index, zset: 'agentId hubId sessionId' -> 0: the same leases, sorted by agent
  KEYS[2+i]  get: presence hash of agent i; a null field is absent

  ARGV[1]    operation: get, list or expired
  ARGV[2]    now, ms; empty: the time of Redis
  ARGV[3]    leaseMs
  ARGV[4..]  as the operation says

  Output     as the operation says; a record is agentId, status, customStatus, avatar, lastSeen, where '' stands for null
]]
local roster, index = KEYS[1], KEYS[2]
local leaseMs, now = tonumber(ARGV[3]), tonumber(ARGV[2])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end

-- Returns the end of the first lease of the agent that lasts beyond `after`, or nil. Nearly always reads one lease.
local function presentUntil(agent, after)
  local from = '[' .. agent .. ' '
  while true do
    -- A space sorts below every character of an id and '!' right above the space.
    local page = redis.call('ZRANGEBYLEX', index, from, '(' .. agent .. '!', 'LIMIT', 0, 20)
    for _, indexed in ipairs(page) do
      local endsAt = tonumber(redis.call('ZSCORE', roster, (string.gsub(indexed, ' ', ':'))) or 0)
      if endsAt > after then return endsAt end
    end
    if #page < 20 then return nil end
    from = '(' .. page[20]
  end
end

local operations = {}

-- ARGV[4] 1: expired leases that were not reaped yet count too  [5..] agentIds
-- Output: a record for each agent that is present; an agent whose hash was evicted reads as plain online
function operations.get()
  local records, after = {}, ARGV[4] == '1' and 0 or now
  for i = 1, #KEYS - 2 do
    local agent = ARGV[4 + i]
    local endsAt = presentUntil(agent, after)
    if endsAt then
      local hash = redis.call('HMGET', KEYS[2 + i], 'status', 'customStatus', 'avatar', 'lastSeen')
      records[#records + 1] = { agent, hash[1] or 'online', hash[2] or '', hash[3] or '', hash[4] or endsAt - leaseMs }
    end
  end
  return records
end

-- ARGV[4] 1: expired leases that were not reaped yet count too  [5] cursor: the agentId before the page, or ''
-- ARGV[6] limit  [7] the most agents to look at
-- Output: {leases in the channel that have not expired, cursor of the next page or '', {agentId, ...} in order, now}
function operations.list()
  local limit, maxLooked, after = tonumber(ARGV[6]), tonumber(ARGV[7]), ARGV[4] == '1' and 0 or now
  local found, looked, last, nextCursor = {}, 0, ARGV[5], ''
  while true do
    local from = last == '' and '-' or '(' .. last .. '!'
    local indexed = redis.call('ZRANGEBYLEX', index, from, '+', 'LIMIT', 0, 1)[1]
    if not indexed then break end
    if #found == limit or looked == maxLooked then
      nextCursor = last
      break
    end
    last = string.match(indexed, '^[^ ]+')
    looked = looked + 1
    if presentUntil(last, after) then found[#found + 1] = last end
  end
  return { redis.call('ZCOUNT', roster, '(' .. string.format('%.0f', now), '+inf'), nextCursor, found, now }
end

-- ARGV[4] aheadMs: leases that end within this time are included  [5] limit
-- Output: {now, end of the first lease in the channel or 0, {member, ...} the earliest end first}
function operations.expired()
  local first = redis.call('ZRANGE', roster, 0, 0, 'WITHSCORES')
  local members = redis.call('ZRANGEBYSCORE', roster, '-inf', now + ARGV[4], 'LIMIT', 0, ARGV[5])
  return { now, tonumber(first[2] or 0), members }
end

return operations[ARGV[1]]()
