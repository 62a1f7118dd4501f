--[[
  Changes the leases of one channel. Each call runs one operation on many leases. The operations are one script because
  they share the rules for which lease counts and how the three keys fit together.

  KEYS[1]    roster, zset: agentId:hubId:sessionId -> end of the lease, ms
  KEYS[2]    its index, zset: 'agentId hubId sessionId' -> 0: the same leases, sorted by agent
  KEYS[2+i]  presence hash of the agent of entry i; a null field is absent

  ARGV[1]    operation: join, renew, extend, update, leave or reap
  ARGV[2]    now, ms; empty: the time of Redis
  ARGV[3]    leaseMs: how long a lease taken now lasts
  ARGV[4]    keepMs: how long roster and index outlive the last lease
  ARGV[5]    hashMs: TTL of a presence hash
  ARGV[6]    1: an expired lease does not count; 0: it counts until a reaper removes it (its hub may be alive)
  ARGV[7..]  the entries, as each operation says; a state is status, customStatus, avatar, metadata (JSON), where ''
             stands for null

  Output     as each operation says; a record is agentId, status, customStatus, avatar, metadata, lastSeen
]]
local roster, index = KEYS[1], KEYS[2]
local leaseMs, keepMs, hashMs = tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5]
local now = tonumber(ARGV[2])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local countsAfter = ARGV[6] == '1' and now or 0
local entryCount = #KEYS - 2

local function agentOf(member) return string.match(member, '^[^:]+') end
local function toIndexed(member) return (string.gsub(member, ':', ' ')) end
local function toMember(indexed) return (string.gsub(indexed, ' ', ':')) end
-- A space sorts below every character of an id, and '!' sorts right above the space.
local function indexedOf(agent, from, count)
  return redis.call('ZRANGEBYLEX', index, from, '(' .. agent .. '!', 'LIMIT', 0, count)
end

-- True if the agent has a lease that counts. Nearly always the first lease counts, so few are read.
local function isPresent(agent)
  local from = '[' .. agent .. ' '
  while true do
    local page = indexedOf(agent, from, 20)
    for _, indexed in ipairs(page) do
      if tonumber(redis.call('ZSCORE', roster, toMember(indexed)) or 0) > countsAfter then return true end
    end
    if #page < 20 then return false end
    from = '(' .. page[20]
  end
end

local function expireAfterLastLease()
  local last = redis.call('ZRANGE', roster, -1, -1, 'WITHSCORES')
  local ttl = math.max(1, (tonumber(last[2]) or now) - now + keepMs)
  redis.call('PEXPIRE', roster, ttl)
  redis.call('PEXPIRE', index, ttl)
end

-- Redis may evict the roster or the index alone, so the index is repaired from the roster.
local function repairIndex()
  if redis.call('ZCARD', roster) == redis.call('ZCARD', index) then return end
  redis.call('DEL', index)
  for _, member in ipairs(redis.call('ZRANGE', roster, 0, -1)) do
    redis.call('ZADD', index, 0, toIndexed(member))
  end
  expireAfterLastLease()
end

-- {status, customStatus, avatar, metadata, lastSeen}, or nil without a hash.
local function readState(hash)
  local state = redis.call('HMGET', hash, 'status', 'customStatus', 'avatar', 'metadata', 'lastSeen')
  return state[1] and { state[1], state[2] or '', state[3] or '', state[4] or '', state[5] or now } or nil
end

local function writeState(hash, agent, state)
  redis.call('DEL', hash)
  redis.call('HSET', hash, 'agentId', agent, 'status', state[1], 'lastSeen', now)
  if state[2] ~= '' then redis.call('HSET', hash, 'customStatus', state[2]) end
  if state[3] ~= '' then redis.call('HSET', hash, 'avatar', state[3]) end
  if state[4] ~= '' then redis.call('HSET', hash, 'metadata', state[4]) end
  redis.call('PEXPIRE', hash, hashMs)
end

local function isSame(a, b)
  return a ~= nil and a[1] == b[1] and a[2] == b[2] and a[3] == b[3] and a[4] == b[4]
end

-- Ends one lease. If it was the agent's last lease that counts, removes the agent's hash and expired leases, and
-- returns its offline record, which no other call reports. `lastSeen` is used if the hash was evicted.
local function release(member, hash, lastSeen)
  if redis.call('ZREM', roster, member) == 0 then return nil end
  redis.call('ZREM', index, toIndexed(member))
  local agent = agentOf(member)
  if isPresent(agent) then return nil end
  for _, indexed in ipairs(indexedOf(agent, '[' .. agent .. ' ', -1)) do
    redis.call('ZREM', index, indexed)
    redis.call('ZREM', roster, toMember(indexed))
  end
  local state = readState(hash) or { '', '', '', '', lastSeen }
  redis.call('DEL', hash)
  return { agent, 'offline', state[2], state[3], state[4], state[5] }
end

local operations = {}

-- Takes or renews leases.
-- Entry: member, then each field of the state: '' (keep), '=' .. value (set) or '?' .. value (set for a new agent)
-- Output: for each lease {1 if it is a change, else 0, record}
function operations.join()
  local replies = {}
  local function choose(wish, current, wasPresent, default)
    local kind = string.sub(wish, 1, 1)
    if kind == '=' or (kind == '?' and not wasPresent) then return string.sub(wish, 2) end
    return current or default
  end
  for i = 1, entryCount do
    local at, hash = 7 + (i - 1) * 5, KEYS[2 + i]
    local member = ARGV[at]
    local agent = agentOf(member)
    local wasPresent = isPresent(agent)
    local old = wasPresent and readState(hash) or {}
    local new = {
      choose(ARGV[at + 1], old[1], wasPresent, 'online'),
      choose(ARGV[at + 2], old[2], wasPresent, ''),
      choose(ARGV[at + 3], old[3], wasPresent, ''),
      choose(ARGV[at + 4], old[4], wasPresent, ''),
    }
    redis.call('ZADD', roster, now + leaseMs, member)
    redis.call('ZADD', index, 0, toIndexed(member))
    writeState(hash, agent, new)
    replies[i] = { (wasPresent and isSame(old, new)) and 0 or 1, agent, new[1], new[2], new[3], new[4], now }
  end
  expireAfterLastLease()
  return replies
end

-- The heartbeat: lengthens leases, and writes again what Redis lost by eviction or a wipe.
-- Entry: member, then the state as its hub knows it
-- Output: for each difference from that state {i, loss, record}; loss is 1 if the agent had no lease any more, 2 if its
--   hash was missing too, else 0
function operations.renew()
  local findings = {}
  for i = 1, entryCount do
    local at, hash = 7 + (i - 1) * 5, KEYS[2 + i]
    local member, known = ARGV[at], { ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4] }
    local agent = agentOf(member)
    local isGone = false
    if not redis.call('ZSCORE', roster, member) then
      isGone = not isPresent(agent)
      redis.call('ZADD', index, 0, toIndexed(member))
    end
    redis.call('ZADD', roster, now + leaseMs, member)
    local state = readState(hash)
    local loss = isGone and (state and 1 or 2) or 0
    if state then
      redis.call('HSET', hash, 'agentId', agent, 'lastSeen', now)
      redis.call('PEXPIRE', hash, hashMs)
    else
      state = known
      writeState(hash, agent, state)
    end
    if isGone or not isSame(state, known) then
      findings[#findings + 1] = { i, loss, agent, state[1], state[2], state[3], state[4], now }
    end
  end
  expireAfterLastLease()
  return findings
end

-- Lengthens leases for a living hub that cannot reach Redis, unless they were removed. ARGV[3] is the extension.
-- Entry: member
-- Output: how many leases were lengthened
function operations.extend()
  local count = 0
  for i = 1, entryCount do
    local member = ARGV[6 + i]
    local endsAt = redis.call('ZSCORE', roster, member)
    if endsAt and tonumber(endsAt) < now + leaseMs then
      redis.call('ZADD', roster, now + leaseMs, member)
      redis.call('PEXPIRE', KEYS[2 + i], hashMs)
      count = count + 1
    end
  end
  expireAfterLastLease()
  return count
end

-- Sets the states of agents that are present.
-- Entry: agentId, then the state
-- Output: for each agent that changed {i, record}
function operations.update()
  local changes = {}
  for i = 1, entryCount do
    local at, hash = 7 + (i - 1) * 5, KEYS[2 + i]
    local agent, new = ARGV[at], { ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4] }
    if isPresent(agent) then
      local old = readState(hash)
      writeState(hash, agent, new)
      if not isSame(old, new) then
        changes[#changes + 1] = { i, agent, new[1], new[2], new[3], new[4], now }
      end
    end
  end
  return changes
end

-- Ends leases.
-- Entry: member
-- Output: for each agent whose last lease was among them {i, record}; lastSeen is now, so that the latest record of an
--   agent always has the latest lastSeen
function operations.leave()
  local offline = {}
  for i = 1, entryCount do
    local record = release(ARGV[6 + i], KEYS[2 + i], now)
    if record then offline[#offline + 1] = { i, record[1], record[2], record[3], record[4], record[5], now } end
  end
  return offline
end

-- Ends those of the given leases that have expired. A lease that was renewed in the meantime, or reaped by another
-- hub, is skipped: exactly one caller gets the offline record of an agent. Entry: member
-- Output: for each agent whose last lease was among them {i, record}; lastSeen is when the lease was last renewed
function operations.reap()
  local offline = {}
  for i = 1, entryCount do
    local endsAt = redis.call('ZSCORE', roster, ARGV[6 + i])
    if endsAt and tonumber(endsAt) <= now then
      local record = release(ARGV[6 + i], KEYS[2 + i], tonumber(endsAt) - leaseMs)
      if record then offline[#offline + 1] = { i, unpack(record) } end
    end
  end
  return offline
end

repairIndex()
return operations[ARGV[1]]()
