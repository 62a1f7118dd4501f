--[[
  Reads the leases of one channel. Writes nothing: a lease that has expired does not count, whether or not it was reaped.

  KEYS[1]    roster, zset: agentId:hubId:sessionId -> end of the lease, ms
  KEYS[2]    its index, zset: 'agentId hubId sessionId' -> 0: the same leases, sorted by agent
  KEYS[2+i]  get: presence hash of agent i; a null field is absent

  ARGV[1]    operation: get, list, connections or expired
  ARGV[2]    now, ms; empty: the time of Redis
  ARGV[3]    leaseMs
  ARGV[4..]  as the operation says

  Output     as the operation says; a record is agentId, status, customStatus, avatar, metadata, lastSeen, where '' stands for null
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
    -- A space sorts below every character of an id, and '!' sorts right above the space.
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
      local hash = redis.call('HMGET', KEYS[2 + i], 'status', 'customStatus', 'avatar', 'metadata', 'lastSeen')
      local lastSeen = hash[5] or endsAt - leaseMs
      records[#records + 1] =
        { agent, hash[1] or 'online', hash[2] or '', hash[3] or '', hash[4] or '', lastSeen }
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

-- ARGV[4] agentId, or '' for all agents  [5] cursor: the lease before the page as in the index, or ''
-- ARGV[6] limit  [7] the most leases to look at
-- Output: {cursor of the next page or '', {{lease as in the index, its end}, ...} in order, now}
function operations.connections()
  local agent, last, limit, maxLooked = ARGV[4], ARGV[5], tonumber(ARGV[6]), tonumber(ARGV[7])
  local first = agent == '' and '-' or '[' .. agent .. ' '
  -- A cursor before the agent's own leases does not widen the range.
  if last ~= '' and last >= agent .. ' ' then first = '(' .. last end
  local beyond = agent == '' and '+' or '(' .. agent .. '!'
  local found, nextCursor = {}, ''
  local indexed = redis.call('ZRANGEBYLEX', index, first, beyond, 'LIMIT', 0, maxLooked + 1)
  for i, lease in ipairs(indexed) do
    if #found == limit or i > maxLooked then
      nextCursor = indexed[i - 1]
      break
    end
    local endsAt = tonumber(redis.call('ZSCORE', roster, (string.gsub(lease, ' ', ':'))) or 0)
    if endsAt > now then found[#found + 1] = { lease, endsAt } end
  end
  return { nextCursor, found, now }
end

-- ARGV[4] aheadMs: leases that end within this time are included  [5] limit
-- Output: {now, end of the first lease in the channel or 0, {member, ...} the earliest end first}
function operations.expired()
  local first = redis.call('ZRANGE', roster, 0, 0, 'WITHSCORES')
  local members = redis.call('ZRANGEBYSCORE', roster, '-inf', now + ARGV[4], 'LIMIT', 0, ARGV[5])
  return { now, tonumber(first[2] or 0), members }
end

return operations[ARGV[1]]()
